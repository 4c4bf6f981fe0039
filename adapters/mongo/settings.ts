import { DuplicateKeyError, type MongoConnection } from './connect.ts'
import { checked, collectionOf, documentOf, required, text } from './schema.ts'

/** Lasting values that all instances share. */
export type Settings = Readonly<{
  /** The value held under `name`, made and stored first where there is none: instances that race
   * all get the same one. */
  obtain(name: string, make: () => string): Promise<string>
}>

type Setting = Readonly<{ _id: string; value: string }>

/** Settings in MongoDB: one document each, by name. */
export const createSettings = ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>): Settings => {
  const schema = documentOf({ _id: required(text), value: required(text) })
  const settings = connection.model<Setting>('Setting', schema, 'settings')
  const find = async (name: string) =>
    (await reach(() => settings.findOne({ _id: name }).lean<Setting>().exec()))?.value

  return {
    obtain: async (name, make) => {
      const held = await find(name)
      if (held !== undefined) return held
      const value = make()
      try {
        const setting = await reach(() => checked(settings, { _id: name, value }))
        await reach(() => collectionOf(settings).insertOne(setting))
        return value
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error
        return (await find(name)) ?? value
      }
    },
  }
}
