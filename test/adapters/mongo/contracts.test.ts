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
beforeAll(async () => {
  database = await aMongoDatabase()
  await migrated(database.url)
})
afterAll(() => database?.drop())

/** A store of one test's own, empty, on a connection of its own. */
const opening =
  <Store>(create: (mongo: MongoConnection) => Store) =>
  async (): Promise<Store & { close: () => Promise<void> }> => {
    await database.empty()
    const mongo = await connect({ url: database.url })
    return { ...create(mongo), close: mongo.close }
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
