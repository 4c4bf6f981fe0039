import { type Kept, type RecordStore, StaleRecordError } from '../../clients/ports.ts'
import { DuplicateKeyError, type MongoConnection } from './connect.ts'
import { checked, collectionOf, documentOf, number, required, text } from './schema.ts'

type RecordDocument = Readonly<{
  /** `<kind>:<id>` */
  _id: string
  kind: string
  revision: number
  /** JSON of the record. */
  document: string
}>

const RECORD = {
  _id: required(text),
  kind: required(text),
  revision: required(number),
  document: required(text),
} satisfies Record<keyof RecordDocument, object>

/** Records in MongoDB, of any kind: one document each. */
export const createRecordStores = ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>) => {
  const records = connection.model<RecordDocument>('Record', documentOf(RECORD), 'records')

  return <R extends Kept>(kind: string): RecordStore<R> => {
    const keyOf = (id: string): string => `${kind}:${id}`
    // Only `save` writes the field, and it takes nothing but such a record.
    const recordOf = ({ document }: RecordDocument) => JSON.parse(document) as R

    const insert = async (saved: R): Promise<void> => {
      const fields = { _id: keyOf(saved.id), kind, revision: 1, document: JSON.stringify(saved) }
      const document = await reach(() => checked(records, fields))
      try {
        await reach(() => collectionOf(records).insertOne(document))
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error
        throw new StaleRecordError(saved.id)
      }
    }

    return {
      find: async (id) => {
        const found = await reach(() =>
          records
            .findOne({ _id: keyOf(id) })
            .lean<RecordDocument>()
            .exec(),
        )
        return found === null ? undefined : recordOf(found)
      },

      list: async () => {
        const found = await reach(() =>
          records.find({ kind }).sort({ _id: 1 }).lean<RecordDocument[]>().exec(),
        )
        return found.map(recordOf)
      },

      save: async (record) => {
        const saved: R = { ...record, revision: record.revision + 1 }
        if (record.revision === 0) {
          await insert(saved)
          return saved
        }
        const { matchedCount } = await reach(() =>
          records
            .updateOne(
              { _id: keyOf(record.id), revision: record.revision },
              { $set: { revision: saved.revision, document: JSON.stringify(saved) } },
            )
            .exec(),
        )
        if (matchedCount === 0) throw new StaleRecordError(record.id)
        return saved
      },

      remove: async ({ id, revision }) => {
        const { deletedCount } = await reach(() =>
          records.deleteOne({ _id: keyOf(id), revision }).exec(),
        )
        if (deletedCount === 0) throw new StaleRecordError(id)
      },
    }
  }
}
