import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs'
import Libsql from 'libsql'
import type { Clock } from '../accounts/ports.ts'
import { openDatabase } from './embedded/database.ts'
import { fileIn } from './embedded/index.ts'
import { StoreRefusedError } from './store-refusal.ts'

const PRIVATE = 0o600

/** What a backup holds, for the operator to compare. */
export type BackupCounts = Readonly<Record<string, number>>

const count = (db: Libsql.Database, table: string): number =>
  // One row with this column, always.
  (db.prepare(`SELECT count(*) AS count FROM ${table}`).all([]) as { count: number }[])[0]?.count ??
  0

const flush = (path: string): void => {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** Whole, and a store of ours; closes the file. @throws StoreRefusedError `notABackup` */
const checkFile = (path: string): BackupCounts => {
  const db = new Libsql(path, { readonly: true })
  try {
    const [found] = db.prepare('PRAGMA integrity_check').all([]) as { integrity_check: string }[]
    if (found?.integrity_check !== 'ok') throw new StoreRefusedError('notABackup', path)
    return { members: count(db, 'members'), audit_events: count(db, 'audit_events') }
  } catch (error) {
    if (error instanceof Libsql.SqliteError) throw new StoreRefusedError('notABackup', path)
    throw error
  } finally {
    db.close()
  }
}

/** A new file, mode 0600, that has its name only once it is whole and on disk.
 * @throws StoreRefusedError `fileExists` */
export const makeWhole = async <T>(
  path: string,
  write: (partial: string) => T | Promise<T>,
): Promise<T> => {
  if (existsSync(path)) throw new StoreRefusedError('fileExists', path)
  const partial = `${path}.partial`
  rmSync(partial, { force: true })
  closeSync(openSync(partial, 'wx', PRIVATE))
  try {
    const written = await write(partial)
    flush(partial)
    renameSync(partial, path)
    return written
  } finally {
    rmSync(partial, { force: true })
  }
}

/** What was written for `to`, checked as before it is restored. @throws StoreRefusedError
 * `notReadBack` */
export const readBack = async <T>(to: string, check: () => T | Promise<T>): Promise<T> => {
  try {
    return await check()
  } catch (error) {
    if (error instanceof StoreRefusedError) throw new StoreRefusedError('notReadBack', to)
    throw error
  }
}

/**
 * Copies the embedded file of a server that may go on serving: a whole, consistent SQLite file.
 * @throws StoreRefusedError `noFile`, `fileExists`, `notReadBack`
 */
export const backUpFile = async (dataDir: string, to: string): Promise<BackupCounts> => {
  const path = fileIn(dataDir)
  if (!existsSync(path)) throw new StoreRefusedError('noFile', path)
  return makeWhole(to, (partial) => {
    const db = new Libsql(path, { readonly: true, timeout: 5000 })
    try {
      // Into the empty file, which keeps its mode.
      db.prepare('VACUUM INTO ?').run([partial])
    } finally {
      db.close()
    }
    return readBack(to, () => checkFile(partial))
  })
}

/** What must not come back to life: who was signed in, and all that was on its way by mail. Back
 * from a backup, a used code or a revoked token would be good again. */
const forgetPassing = (path: string, clock: Clock): void => {
  const db = openDatabase(path)
  try {
    db.transaction(() => {
      db.run('DELETE FROM artifacts')
      db.run('DELETE FROM transient')
      db.run(
        `UPDATE outbox SET state = 'failed', item = NULL, finished_at = ?
         WHERE queue = 'mails' AND state = 'queued'`,
        clock.now(),
      )
    })
    // All of it in the one file, which is about to be renamed.
    db.all('PRAGMA journal_mode = DELETE')
  } finally {
    db.close()
  }
}

/**
 * Puts a copy of a backup where the embedded file has been: accounts as they were, everybody signed
 * out. No server may be running.
 * @throws StoreRefusedError `fileExists` where there is a store, `notABackup`, `noFile`
 */
export const restoreFile = async (
  from: string,
  dataDir: string,
  clock: Clock,
): Promise<BackupCounts> => {
  if (!existsSync(from)) throw new StoreRefusedError('noFile', from)
  const path = fileIn(dataDir)
  // A log of the store that was lost would be taken for this one's.
  const stale = [path, `${path}-wal`, `${path}-shm`].find((one) => existsSync(one))
  if (stale !== undefined) throw new StoreRefusedError('fileExists', stale)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  return makeWhole(path, (partial) => {
    rmSync(partial)
    copyFileSync(from, partial, constants.COPYFILE_EXCL)
    const counts = checkFile(partial)
    forgetPassing(partial, clock)
    return counts
  })
}
