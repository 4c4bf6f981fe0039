import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { StoreUnavailableError } from '../../../accounts/errors.ts'
import { openMongo } from '../../../adapters/mongo/index.ts'
import { MIGRATE_COMMAND, MIGRATIONS, migrate } from '../../../adapters/mongo/migrations.ts'
import { systemClock } from '../../../adapters/system.ts'
import { aMember } from '../../contracts/members.ts'
import { aMongoDatabase, type MongoDatabase, onServer } from '../../support/mongo.ts'
import { connect, connected } from './stores.ts'

let database: MongoDatabase
const closing: (() => Promise<void>)[] = []
beforeEach(async () => {
  database = await aMongoDatabase()
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await database.drop()
})

const open = async () => {
  const stores = openMongo({ url: database.url }, systemClock)
  closing.push(stores.close)
  await connected(stores)
  return stores
}
const connectHere = async () => {
  const mongo = await connect({ url: database.url })
  closing.push(mongo.close)
  return mongo
}

const NAMES = MIGRATIONS.map(({ name }) => name)

describe('the schema of a MongoDB database', () => {
  test('before it is made nothing is served, the command is named, and after it all is', async () => {
    const stores = await open()
    expect(await stores.pendingMigrations()).toEqual(NAMES)
    for (const call of [stores.ping, () => stores.members.save(aMember())]) {
      const error = await call().catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(StoreUnavailableError)
      expect(error).toMatchObject({ detail: expect.stringContaining(MIGRATE_COMMAND) })
    }
    await migrate(await connectHere(), systemClock)
    expect(await stores.pendingMigrations()).toEqual([])
    await stores.ping()
    expect(await stores.members.save(aMember())).toMatchObject({ revision: 1 })
  })

  test('made by a later release it is not touched, and the operator is told which it is', async () => {
    await migrate(await connectHere(), systemClock)
    const newer = MIGRATIONS.length + 1
    await onServer(database.url, (db) =>
      db.collection<{ _id: number }>('migrations').insertOne({ _id: newer }),
    )
    const stores = await open()
    const error = await stores.members.save(aMember()).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(StoreUnavailableError)
    expect(error).toMatchObject({ detail: expect.stringContaining(`version ${newer}`) })
  })

  test('made by two commands at once it is whole, and recorded once', async () => {
    const [first, second] = [await connectHere(), await connectHere()]
    const done = await Promise.all([migrate(first, systemClock), migrate(second, systemClock)])
    expect(done.flat()).toEqual(expect.arrayContaining([...NAMES]))
    await onServer(database.url, async (db) => {
      const records = await db.collection('migrations').find().toArray()
      expect(records.map(({ name }) => name)).toEqual(NAMES)
      for (const { indexes } of MIGRATIONS) {
        for (const [collection, wanted] of Object.entries(indexes)) {
          const held = await db.collection(collection).indexes()
          const names = ['_id_', ...wanted.map(({ name }) => name)]
          expect(held.map(({ name }) => name).sort()).toEqual(names.sort())
        }
      }
    })
  })

  test('made already, it is left as it is', async () => {
    const mongo = await connectHere()
    expect(await migrate(mongo, systemClock)).toEqual(NAMES)
    expect(await migrate(mongo, systemClock)).toEqual([])
  })
})
