import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import Libsql from 'libsql'
import { IdentityError } from '../../accounts/errors.ts'
import type { EpochSeconds } from '../../accounts/member.ts'
import { DEVICE_SECONDS, HISTORY_SECONDS, SESSION_RECORD_SECONDS } from '../../accounts/sign-ins.ts'
import { MIGRATIONS } from './schema.ts'

export type SqlValue = string | number | null

/**
 * One open embedded file. Everything here is synchronous and, unless inside `transaction`, on disk
 * (fsync) when it returns; any number of processes may have the file open.
 */
export type Database = Readonly<{
  /** The statement, prepared once per connection. */
  prepare(sql: string): Libsql.Statement<unknown[]>
  /** Number of rows written. */
  run(sql: string, ...values: readonly SqlValue[]): number
  /** Every row. Runs the statement to its end, so a failed commit of a RETURNING is not lost. */
  all<Row>(sql: string, ...values: readonly SqlValue[]): readonly Row[]
  /** The first row. */
  get<Row>(sql: string, ...values: readonly SqlValue[]): Row | undefined
  /** BEGIN IMMEDIATE … COMMIT: the one writer among all processes; rolled back when `work` throws. */
  transaction<T>(work: () => T): T
  /** Deletes what has expired and mails finished long ago; returns how many rows went. */
  sweepExpired(now: EpochSeconds): number
  close(): void
}>

/** `stateOf` answers for a finished mail this long. */
const FINISHED_MAIL_SECONDS = 7 * 86_400
/** A writer waits this long for another process's commit before SQLITE_BUSY. */
const BUSY_TIMEOUT_MS = 5000
/** Long enough for a process that is just closing the file. */
const ALONE_TIMEOUT_MS = 1000

const SWEEPS: readonly Readonly<{ sql: string; before: (now: EpochSeconds) => number }>[] = [
  { sql: 'DELETE FROM artifacts WHERE expires_at <= ?', before: (now) => now },
  { sql: 'DELETE FROM revoked_grants WHERE expires_at <= ?', before: (now) => now },
  { sql: 'DELETE FROM transient WHERE expires_at <= ?', before: (now) => now },
  { sql: 'DELETE FROM throttle WHERE expire <= ?', before: (now) => now * 1000 },
  {
    sql: 'DELETE FROM outbox WHERE finished_at <= ?',
    before: (now) => now - FINISHED_MAIL_SECONDS,
  },
  { sql: 'DELETE FROM sign_ins WHERE at <= ?', before: (now) => now - HISTORY_SECONDS },
  { sql: 'DELETE FROM member_devices WHERE used_at <= ?', before: (now) => now - DEVICE_SECONDS },
  {
    sql: 'DELETE FROM member_sessions WHERE seen_at <= ?',
    before: (now) => now - SESSION_RECORD_SECONDS,
  },
]

/**
 * SQLite gives its -wal and -shm files the main file's mode, so that is set before it opens. A file
 * that exists is never opened here: closing it would drop every lock this process holds on it
 * (POSIX fcntl), and another process would then take the WAL away under us.
 */
const createPrivateFile = (path: string): void => {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  try {
    closeSync(openSync(path, 'wx', 0o600))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
  chmodSync(path, 0o600)
}

/** Another process has the file open, or was writing for longer than we wait. */
export const isBusy = (error: unknown): boolean =>
  error instanceof Libsql.SqliteError && error.code.startsWith('SQLITE_BUSY')

/** SQLite does not wait for its busy timeout here when several processes make a file at once. */
const useWriteAheadLog = (connection: Libsql.Database, patience: number): void => {
  for (let waits = 0; ; waits++) {
    try {
      connection.pragma('journal_mode = WAL')
      return
    } catch (error) {
      if (!isBusy(error) || waits >= patience) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_TIMEOUT_MS / 100)
    }
  }
}

/**
 * Opens the embedded store, creating the file (mode 0600) and its folders and bringing its schema
 * up to date. One process does the update, others wait for it. `alone`: nobody else has it open,
 * and nobody can open it until it is closed; a file that is in use throws what `isBusy` knows.
 * @throws IdentityError `store_too_new` when a later release has written the file
 */
export const openDatabase = (
  path: string,
  { alone = false }: Readonly<{ alone?: boolean }> = {},
): Database => {
  createPrivateFile(path)
  const connection = new Libsql(path, { timeout: alone ? ALONE_TIMEOUT_MS : BUSY_TIMEOUT_MS })
  const prepared = new Map<string, Libsql.Statement<unknown[]>>()

  const prepare = (sql: string) => {
    const held = prepared.get(sql)
    if (held) return held
    const statement = connection.prepare(sql)
    prepared.set(sql, statement)
    return statement
  }
  const run = (sql: string, ...values: readonly SqlValue[]) => prepare(sql).run(values).changes
  // The columns a statement names are its caller's to know.
  const all = <Row>(sql: string, ...values: readonly SqlValue[]) =>
    prepare(sql).all(values) as Row[]
  const get = <Row>(sql: string, ...values: readonly SqlValue[]) => all<Row>(sql, ...values)[0]
  const transaction = <T>(work: () => T): T => connection.transaction(work).immediate()

  const migrate = () => {
    const version = get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0
    if (version > MIGRATIONS.length) {
      throw new IdentityError('store_too_new', 500, `schema ${version} > ${MIGRATIONS.length}`)
    }
    if (version === MIGRATIONS.length) return
    for (const migration of MIGRATIONS.slice(version)) connection.exec(migration)
    connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`)
  }

  try {
    // Before the file is read for the first time: then it takes the file's own lock and keeps it.
    if (alone) connection.pragma('locking_mode = EXCLUSIVE')
    useWriteAheadLog(connection, alone ? 0 : 100)
    connection.pragma('synchronous = FULL')
    connection.pragma('foreign_keys = ON')
    transaction(migrate)
  } catch (error) {
    connection.close()
    throw error
  }

  return {
    prepare,
    run,
    all,
    get,
    transaction,
    sweepExpired: (now) =>
      SWEEPS.reduce((swept, { sql, before }) => swept + run(sql, before(now)), 0),
    close: () => {
      prepared.clear()
      connection.close()
    },
  }
}
