import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '../../../adapters/embedded/database.ts'

/** A folder of its own under the system's, and its removal. */
export const temporaryFolder = (): Readonly<{ folder: string; remove: () => void }> => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** An embedded store in a file of its own; `close` deletes it. */
export const openTemporary = (): Readonly<{ db: Database; close: () => Promise<void> }> => {
  const { folder, remove } = temporaryFolder()
  const db = openDatabase(join(folder, 'store.db'))
  return {
    db,
    close: async () => {
      db.close()
      remove()
    },
  }
}
