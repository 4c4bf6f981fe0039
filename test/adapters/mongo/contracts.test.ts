import { afterAll, beforeAll, jest } from '@jest/globals'
import { createAuditTrail } from '../../../adapters/mongo/audit-trail.ts'
import type { MongoConnection } from '../../../adapters/mongo/connect.ts'
import { createConsentStore } from '../../../adapters/mongo/consents.ts'
import { createLastingArtifacts } from '../../../adapters/mongo/lasting-artifacts.ts'
import { createMemberStore } from '../../../adapters/mongo/members.ts'
import { createOutbox } from '../../../adapters/mongo/outbox.ts'
import { createRecordStores } from '../../../adapters/mongo/records.ts'
import { createSessionIndex } from '../../../adapters/mongo/sessions.ts'
import { createSignInLog } from '../../../adapters/mongo/sign-ins.ts'
import { artifactAdapterContract } from '../../contracts/artifact-adapter.ts'
import { auditTrailContract } from '../../contracts/audit-trail.ts'
import { clientStoreContract } from '../../contracts/client-store.ts'
import { consentStoreContract } from '../../contracts/consent-store.ts'
import { keyRingContract } from '../../contracts/key-ring.ts'
import { memberStoreContract } from '../../contracts/member-store.ts'
import { outboxContract } from '../../contracts/outbox.ts'
import { sessionIndexContract } from '../../contracts/session-index.ts'
import { signInLogContract } from '../../contracts/sign-in-log.ts'
import { aMongoDatabase, type MongoDatabase } from '../../support/mongo.ts'
import { connect, migrated } from './stores.ts'

const NAME = 'MongoDB'
// A server that has just started is slow, and each store here is met over the network.
jest.setTimeout(120_000)

let database: MongoDatabase
let mongo: MongoConnection
beforeAll(async () => {
  database = await aMongoDatabase()
  await migrated(database.url)
  mongo = await connect({ url: database.url })
})
afterAll(async () => {
  await mongo?.close()
  await database?.drop()
})

/** What every test finds: no documents, but those that tell the schema's version. */
const empty = async ({ connection: { db } }: MongoConnection): Promise<void> => {
  const collections = (await db?.collections()) ?? []
  await Promise.all(
    collections
      .filter(({ collectionName }) => collectionName !== 'migrations')
      .map((collection) => collection.deleteMany({})),
  )
}

/** A store of one test's own, empty, on the connection of all. */
const opening =
  <Store>(create: (mongo: MongoConnection) => Store) =>
  async (): Promise<Store & { close: () => Promise<void> }> => {
    await empty(mongo)
    return { ...create(mongo), close: async () => undefined }
  }

memberStoreContract(
  NAME,
  opening((mongo) => ({ store: createMemberStore(mongo) })),
)
outboxContract(
  NAME,
  opening((mongo) => ({ outbox: createOutbox(mongo) })),
)
signInLogContract(
  NAME,
  opening((mongo) => ({ log: createSignInLog(mongo) })),
)
sessionIndexContract(
  NAME,
  opening((mongo) => ({ index: createSessionIndex(mongo) })),
)
consentStoreContract(
  NAME,
  opening((mongo) => ({ consents: createConsentStore(mongo) })),
)
auditTrailContract(
  NAME,
  opening((mongo) => ({ audit: createAuditTrail(mongo) })),
)
clientStoreContract(
  NAME,
  opening((mongo) => {
    const records = createRecordStores(mongo)
    return { clients: records('client'), others: records('other') }
  }),
)
keyRingContract(
  NAME,
  opening((mongo) => ({
    store: createRecordStores(mongo)('signingKeys'),
    audit: createAuditTrail(mongo),
  })),
)
artifactAdapterContract(NAME, ({ clock, tombstoneSeconds }) =>
  opening((mongo) => ({
    adapterFor: createLastingArtifacts(mongo, clock, { tombstoneSeconds }),
  }))(),
)
