import { type Kept, type RecordStore, StaleRecordError } from '../../clients/ports.ts'
import type { Database } from './database.ts'

type Row = Readonly<{ document: string }>

/** Records of one kind in the embedded file: one JSON document a row, compare-and-set in one
 * statement. */
export const createRecordStore = <R extends Kept>(db: Database, kind: string): RecordStore<R> => {
  // Only `save` writes the column, and it takes nothing but such a record.
  const recordOf = (row: Row) => JSON.parse(row.document) as R

  return {
    find: async (id) => {
      const row = db.get<Row>('SELECT document FROM records WHERE kind = ? AND id = ?', kind, id)
      return row && recordOf(row)
    },

    list: async () =>
      db.all<Row>('SELECT document FROM records WHERE kind = ? ORDER BY id', kind).map(recordOf),

    save: async (record) => {
      const saved: R = { ...record, revision: record.revision + 1 }
      const document = JSON.stringify(saved)
      const written =
        record.revision === 0
          ? db.run(
              `INSERT INTO records (kind, id, revision, document) VALUES (?, ?, 1, ?)
               ON CONFLICT (kind, id) DO NOTHING`,
              kind,
              record.id,
              document,
            )
          : db.run(
              `UPDATE records SET revision = revision + 1, document = ?
               WHERE kind = ? AND id = ? AND revision = ?`,
              document,
              kind,
              record.id,
              record.revision,
            )
      if (written === 0) throw new StaleRecordError(record.id)
      return saved
    },

    remove: async ({ id, revision }) => {
      const gone = db.run(
        'DELETE FROM records WHERE kind = ? AND id = ? AND revision = ?',
        kind,
        id,
        revision,
      )
      if (gone === 0) throw new StaleRecordError(id)
    },
  }
}
