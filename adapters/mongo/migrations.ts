import mongoose, { type Connection, type mongo } from 'mongoose'
import { StoreUnavailableError } from '../../accounts/errors.ts'
import type { EpochSeconds } from '../../accounts/member.ts'
import type { Clock } from '../../accounts/ports.ts'
import { DEVICE_SECONDS, HISTORY_SECONDS, SESSION_RECORD_SECONDS } from '../../accounts/sign-ins.ts'
import { type MongoConnection, translated } from './connect.ts'

/** What the operator runs before a release that needs it, while the former one still serves. */
export const MIGRATE_COMMAND = 'kenpo-idp migrate'

export type Migration = Readonly<{
  name: string
  /**
   * The oldest version whose release can go on serving, or come back, once this is done: 1 for what
   * only adds. A field that is new in documents which former releases write is this entry's own
   * version: their strict schemas refuse to write what they would lose.
   */
  compatibleFrom: number
  /** Collections that are new or get new indexes. */
  indexes: Readonly<Record<string, readonly mongo.IndexDescription[]>>
}>

/** `stateOf` answers for a finished item this long. */
const FINISHED_SECONDS = 7 * 86_400
const unique = true as const
const ttl = (field: string, expireAfterSeconds = 0): mongo.IndexDescription => ({
  key: { [field]: 1 },
  name: 'expiry',
  expireAfterSeconds,
})

/**
 * The schema's versions, oldest first: entry n brings it from version n to n + 1. A released entry
 * is never edited; a change is one more entry. Each must bear being run twice, by two at once, and
 * while the former release is still serving.
 */
export const MIGRATIONS: readonly Migration[] = [
  {
    name: 'first collections',
    compatibleFrom: 1,
    indexes: {
      members: [
        { key: { societyId: 1, loginKey: 1 }, name: 'loginKey', unique },
        // Missing where a member has none: a plain unique index would take that for a value.
        {
          key: { passkeys: 1 },
          name: 'passkeys',
          unique,
          partialFilterExpression: { passkeys: { $exists: true } },
        },
        {
          key: { societyId: 1, verifiedEmail: 1, loginKey: 1 },
          name: 'verifiedEmail',
          partialFilterExpression: { verifiedEmail: { $exists: true } },
        },
      ],
      outbox: [
        {
          key: { queue: 1, dueAt: 1, sequence: 1 },
          name: 'due',
          partialFilterExpression: { state: 'queued' },
        },
        ttl('finishedAt', FINISHED_SECONDS),
      ],
      sign_ins: [
        { key: { memberId: 1, at: -1, sequence: -1 }, name: 'member' },
        ttl('at', HISTORY_SECONDS),
      ],
      member_devices: [
        { key: { memberId: 1, deviceId: 1 }, name: 'device', unique },
        ttl('usedAt', DEVICE_SECONDS),
      ],
      member_sessions: [
        { key: { memberId: 1, seenAt: -1 }, name: 'member' },
        {
          key: { dueAt: 1 },
          name: 'due',
          partialFilterExpression: { dueAt: { $exists: true } },
        },
        ttl('seenAt', SESSION_RECORD_SECONDS),
      ],
      audit_events: [{ key: { memberId: 1, sequence: 1 }, name: 'member' }],
      artifacts: [
        { key: { uid: 1 }, name: 'uid', partialFilterExpression: { uid: { $exists: true } } },
        {
          key: { userCode: 1 },
          name: 'userCode',
          partialFilterExpression: { userCode: { $exists: true } },
        },
        ttl('expiresAt'),
      ],
      revoked_grants: [ttl('expiresAt')],
      settings: [],
    },
  },
  {
    name: 'registered clients',
    compatibleFrom: 1,
    indexes: { records: [{ key: { kind: 1, _id: 1 }, name: 'kind' }] },
  },
  {
    name: 'consents',
    compatibleFrom: 1,
    indexes: { consents: [{ key: { memberId: 1, since: -1 }, name: 'member' }] },
  },
]

/** Every collection with something of members or relying parties in it. */
export const COLLECTIONS: readonly string[] = [
  ...new Set(MIGRATIONS.flatMap(({ indexes }) => Object.keys(indexes))),
].filter((name) => name !== 'settings')

/** One migration done, in the collection `migrations`; of a later release maybe, hence with what a
 * former one has to know. */
type Applied = Readonly<{ _id: number; name: string; at: EpochSeconds; compatibleFrom?: number }>
const COLLECTION = 'migrations'

/** Of one document there, or of none: two that run at once both come to the same end. */
const NAMESPACE_EXISTS = 48
const DUPLICATE_KEY = 11000
const unless = async (code: number, call: () => Promise<unknown>): Promise<void> => {
  try {
    await call()
  } catch (error) {
    if ((error as { code?: unknown }).code !== code) throw error
  }
}

const dbOf = (connection: Connection): mongo.Db => {
  if (!connection.db) throw new StoreUnavailableError('mongo: not connected yet')
  return connection.db
}

const appliedOn = async (connection: Connection): Promise<ReadonlyMap<number, Applied>> => {
  const applied = await dbOf(connection).collection<Applied>(COLLECTION).find().toArray()
  return new Map(applied.map((one) => [one._id, one]))
}

/** An index of a large collection takes longer than any operation may: the server goes on building
 * it when our socket has given up, and asked again it waits for the same one. */
const untilDone = async (call: () => Promise<unknown>): Promise<void> => {
  for (;;) {
    try {
      await call()
      return
    } catch (error) {
      if (!(error instanceof mongoose.mongo.MongoNetworkTimeoutError)) throw error
    }
  }
}

const apply = async (db: mongo.Db, { indexes }: Migration): Promise<void> => {
  for (const [collection, wanted] of Object.entries(indexes)) {
    await unless(NAMESPACE_EXISTS, () => db.createCollection(collection))
    if (wanted.length === 0) continue
    await untilDone(() => db.collection(collection).createIndexes([...wanted]))
  }
}

/**
 * Brings the schema up to this release's version: makes collections and indexes, and waits until
 * they stand, however long that takes. May be run again, and by two at once.
 * @returns the names of what was done, none where all was there
 * @throws StoreUnavailableError, or DuplicateKeyError where what is stored breaks a new unique index
 */
export const migrate = async (
  { connection }: Pick<MongoConnection, 'connection'>,
  clock: Clock,
): Promise<readonly string[]> => {
  try {
    const db = dbOf(connection)
    const applied = await appliedOn(connection)
    const done: string[] = []
    for (const [index, migration] of MIGRATIONS.entries()) {
      const version = index + 1
      if (applied.has(version)) continue
      await apply(db, migration)
      const { name, compatibleFrom } = migration
      const record = { _id: version, name, at: clock.now(), compatibleFrom }
      await unless(DUPLICATE_KEY, () => db.collection<Applied>(COLLECTION).insertOne(record))
      done.push(migration.name)
    }
    return done
  } catch (error) {
    throw translated(error)
  }
}

/** Names of the migrations still to be run, oldest first. @throws StoreUnavailableError */
export const pendingMigrations = async ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>): Promise<readonly string[]> => {
  const applied = await reach(() => appliedOn(connection))
  return MIGRATIONS.flatMap(({ name }, index) => (applied.has(index + 1) ? [] : [name]))
}

/** Of the versions that there are, the oldest release that can use them: this one, or a later. */
const neededBy = (newer: readonly Applied[]): number =>
  Math.max(0, ...newer.map(({ _id, compatibleFrom = _id }) => compatibleFrom))

/**
 * What is wrong with the schema for this release, with both versions and what to do, a sentence or
 * two; undefined: nothing. One that is newer will do where those who made it have said so.
 * @throws StoreUnavailableError
 */
export const schemaFault = async ({
  connection,
  reach,
}: Pick<MongoConnection, 'connection' | 'reach'>): Promise<string | undefined> => {
  const applied = await reach(() => appliedOn(connection))
  const known = MIGRATIONS.length
  const missing = MIGRATIONS.findIndex((_, index) => !applied.has(index + 1))
  if (missing >= 0) {
    return (
      `the schema is at version ${missing}, and this release needs version ${known}: ` +
      `run "npx ${MIGRATE_COMMAND}" of this release`
    )
  }
  const newer = [...applied.values()].filter(({ _id }) => _id > known)
  const needed = neededBy(newer)
  if (needed <= known) return undefined
  const newest = Math.max(...newer.map(({ _id }) => _id))
  return (
    `the schema is at version ${newest}, made by a later release, and this release knows version ` +
    `${known}, where version ${needed} is needed: run the later release again, or restore the ` +
    'backup made before it'
  )
}

/** @throws StoreUnavailableError with `schemaFault` as its detail, where there is one */
export const requireSchema = async (
  mongo: Pick<MongoConnection, 'connection' | 'reach'>,
): Promise<void> => {
  const fault = await schemaFault(mongo)
  if (fault !== undefined) throw new StoreUnavailableError(`mongo: ${fault}`)
}
