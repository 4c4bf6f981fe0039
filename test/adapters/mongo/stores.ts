import {
  createMongo,
  type MongoConnection,
  type MongoOptions,
} from '../../../adapters/mongo/connect.ts'
import { migrate } from '../../../adapters/mongo/migrations.ts'
import { systemClock } from '../../../adapters/system.ts'

/** Resolves at the first connection, or at once where one stands. */
export const connected = ({ onReady }: Pick<MongoConnection, 'onReady'>): Promise<void> =>
  new Promise((resolve) => onReady(resolve))

/** The product shares these cores with much else: what a test is not about has time. */
export const PATIENT = { operationTimeoutMs: 20_000 } as const

/** A connection that stands. */
export const connect = async (options: MongoOptions): Promise<MongoConnection> => {
  const mongo = createMongo({ ...PATIENT, ...options })
  await connected(mongo)
  return mongo
}

/** Makes this release's collections and indexes in the database. */
export const migrated = async (url: string): Promise<void> => {
  const mongo = await connect({ url })
  await migrate(mongo, systemClock)
  await mongo.close()
}
