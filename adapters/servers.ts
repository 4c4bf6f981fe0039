import { setTimeout as delay } from 'node:timers/promises'
import type { Clock, Log, LogoutRequest, Outbox, Queued } from '../accounts/ports.ts'
import type { StoreConfig } from '../config/index.ts'
import type { Adapters } from './adapters.ts'
import { LASTING_MODELS, openMongo } from './mongo/index.ts'
import {
  checkDurability,
  createRedis,
  type RedisOptions,
  watchDurability,
} from './redis/connect.ts'
import { createRedisStores } from './redis/stores.ts'

type Servers = Extract<StoreConfig, { kind: 'redis+mongo' }>

/** A start waits this long for its servers; then it goes on without them, not ready. */
const START_MS = 3000
const POLL_MS = 50

/** What the configuration says of Redis, as the client takes it. */
export const redisOptions = ({ tls, ...redis }: Servers['redis']): RedisOptions => ({
  ...redis,
  ...(tls && { tls: {} }),
})

const isServed = (ask: () => Promise<unknown>): Promise<boolean> =>
  ask().then(
    () => true,
    () => false,
  )

/**
 * Sessions and all that expires in Redis, accounts and all that lasts in MongoDB. Resolves with
 * servers that do not answer, too: until they do, whatever needs them throws StoreUnavailableError.
 * `migrates`: MongoDB's schema is brought up to date as soon as it can be.
 */
export const openServers = async (
  { mongo: mongoConfig, redis: redisConfig, durable }: Servers,
  options: Readonly<{ migrates: boolean; clock: Clock; log?: Log | undefined }>,
): Promise<Adapters> => {
  const { migrates, clock, log } = options
  const redis = createRedis(redisOptions(redisConfig))
  const mongo = openMongo(mongoConfig, clock)
  redis.onError((error) =>
    log?.warn({ store: 'redis', reason: error.message }, 'store_unreachable'),
  )
  mongo.onError((error) =>
    log?.warn({ store: 'mongo', reason: error.message }, 'store_unreachable'),
  )
  redis.onReady(() => log?.info({ store: 'redis' }, 'store_connected'))
  mongo.onReady(() => log?.info({ store: 'mongo' }, 'store_connected'))
  if (durable) {
    watchDurability(redis, (problems) => {
      if (problems.length > 0) log?.error({ store: 'redis', problems }, 'store_not_durable')
    })
  }

  const stores = createRedisStores(redis.client, clock)
  /** What refers to flow facts goes after them: a mail's code is derived from what Redis holds. */
  const afterRedis = <Item extends Queued>(outbox: Outbox<Item>): Outbox<Item> => ({
    ...outbox,
    add: (item) => stores.behind(() => outbox.add(item)),
  })

  const unreachable = async () => {
    const asked = await Promise.all(
      [['Redis', redis.ping] as const, ['MongoDB', mongo.ping] as const].map(
        async ([name, ping]) => ((await isServed(ping)) ? [] : [name]),
      ),
    )
    return asked.flat()
  }

  const unfit = async (): Promise<readonly string[]> => {
    const [forgetful, schema] = await Promise.all([
      durable ? checkDurability(redis.client) : [],
      mongo.schemaFault(),
    ])
    return [...forgetful, ...(schema === undefined ? [] : [`MongoDB: ${schema}`])]
  }

  const waitForServers = async () => {
    for (let waited = 0; waited < START_MS; waited += POLL_MS) {
      if (redis.isReady() && mongo.isReady()) return
      await delay(POLL_MS)
    }
  }

  let migrated: Promise<unknown> | undefined
  if (migrates)
    mongo.onReady(() => {
      migrated = mongo
        .migrate()
        .catch((error: unknown) => log?.error({ store: 'mongo', err: error }, 'migration_failed'))
    })
  await waitForServers()
  await migrated

  return {
    members: mongo.members,
    transient: stores.transient,
    throttle: stores.throttle,
    outbox: afterRedis(mongo.outbox()),
    logouts: afterRedis(mongo.outbox<LogoutRequest>('logouts')),
    signIns: mongo.signIns,
    sessions: mongo.sessions,
    consents: mongo.consents,
    audit: mongo.audit,
    clientStore: mongo.records('client'),
    registrationTokens: mongo.records('registrationToken'),
    signingKeys: mongo.records('signingKeys'),
    artifacts: (model) =>
      LASTING_MODELS.has(model) ? mongo.lastingArtifacts(model) : stores.artifacts(model),
    unitOfWork: stores.unitOfWork,
    unreachable,
    unfit,
    // Redis and MongoDB let go of what has expired by themselves.
    sweepExpired: async () => 0,
    migrate: mongo.migrate,
    close: async () => {
      await Promise.all([redis.close(), mongo.close()])
    },
  }
}
