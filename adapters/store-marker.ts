import { DuplicateKeyError, type MongoConnection } from './mongo/connect.ts'
import { COLLECTIONS } from './mongo/migrations.ts'

/** Names of the collections that hold anything. */
export const collectionsInUse = async ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>): Promise<readonly string[]> => {
  const used: string[] = []
  for (const name of COLLECTIONS) {
    if (await reach(() => connection.collection(name).findOne({}))) used.push(name)
  }
  return used
}

type Marker = Readonly<{ _id: string; value: string }>

/**
 * What a target that is being filled is marked with, so that the same move or restoration goes on
 * after a crash and no other begins: `<state> <id of what it is filled from>`.
 */
export const createMarker = (
  { connection, reach }: Pick<MongoConnection, 'connection' | 'reach'>,
  name: string,
) => {
  const settings = () => connection.collection<Marker>('settings')
  const read = async () =>
    (await reach(() => settings().findOne({ _id: name })))?.value.split(' ') ?? []
  return {
    read: async (): Promise<Readonly<{ state?: string; id?: string }>> => {
      const [state, id] = await read()
      return { ...(state && { state }), ...(id && { id }) }
    },
    /** False: another was quicker. */
    begin: async (id: string): Promise<boolean> => {
      try {
        await reach(() => settings().insertOne({ _id: name, value: `running ${id}` }))
        return true
      } catch (error) {
        if (error instanceof DuplicateKeyError) return false
        throw error
      }
    },
    finish: (id: string) =>
      reach(() => settings().updateOne({ _id: name }, { $set: { value: `done ${id}` } })),
  }
}
