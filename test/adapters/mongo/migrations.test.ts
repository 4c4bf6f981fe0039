import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { StoreUnavailableError } from '../../../accounts/errors.ts'
import { openMongo } from '../../../adapters/mongo/index.ts'
import { MIGRATE_COMMAND, MIGRATIONS, migrate } from '../../../adapters/mongo/migrations.ts'
import { systemClock } from '../../../adapters/system.ts'
import { aMember } from '../../contracts/members.ts'
import { aMongoDatabase, type MongoDatabase, onServer } from '../../support/mongo.ts'
import { connect, connected, PATIENT } from './stores.ts'

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
  const stores = openMongo({ ...PATIENT, url: database.url }, systemClock)
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
const KNOWN = MIGRATIONS.length

describe('the schema of a MongoDB database', () => {
  test('before it is made nothing is served, the command is named, and after it all is', async () => {
    const stores = await open()
    expect(await stores.pendingMigrations()).toEqual(NAMES)
    const refused = await stores.members.save(aMember()).catch((reason: unknown) => reason)
    expect(refused).toBeInstanceOf(StoreUnavailableError)
    const fault = await stores.schemaFault()
    expect(refused).toMatchObject({ detail: `mongo: ${fault}` })
    expect(fault).toMatch(new RegExp(`at version 0, .* needs version ${NAMES.length}: `))
    expect(fault).toContain(MIGRATE_COMMAND)
    await migrate(await connectHere(), systemClock)
    expect(await stores.pendingMigrations()).toEqual([])
    expect(await stores.schemaFault()).toBeUndefined()
    expect(await stores.members.save(aMember())).toMatchObject({ revision: 1 })
  })

  type Applied = Readonly<{ _id: number; compatibleFrom?: number }>
  /** As a later release leaves it. */
  const madeLater = async (...records: readonly Applied[]) => {
    await migrate(await connectHere(), systemClock)
    await onServer(database.url, (db) =>
      db.collection<Applied>('migrations').insertMany([...records]),
    )
  }

  test.each<[string, Partial<Applied>]>([
    ['forbids', { compatibleFrom: KNOWN + 1 }],
    ['does not say', {}],
  ])(
    'made by a later release that %s its use, it is not touched, and both are named',
    async (_, says) => {
      const newer = KNOWN + 1
      await madeLater({ _id: newer, ...says })
      const stores = await open()
      const fault = await stores.schemaFault()
      expect(fault).toMatch(
        new RegExp(`at version ${newer}, .* knows version ${KNOWN}, .* run the later release`),
      )
      const error = await stores.members.save(aMember()).catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(StoreUnavailableError)
      expect(error).toMatchObject({ detail: `mongo: ${fault}` })
    },
  )

  test('made by a later release that leaves this one its own, it is used', async () => {
    await madeLater(
      { _id: KNOWN + 1, compatibleFrom: 1 },
      { _id: KNOWN + 2, compatibleFrom: KNOWN },
    )
    const stores = await open()
    expect(await stores.schemaFault()).toBeUndefined()
    expect(await stores.members.save(aMember())).toMatchObject({ revision: 1 })
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
