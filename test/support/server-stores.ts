import { Worker } from 'node:worker_threads'
import { Redis } from 'ioredis'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { aMongoDatabase, type MongoDatabase, onServer, throughProxy } from './mongo.ts'
import { type RedisServer, startRedis } from './redis.ts'
import type { TestStores } from './stores.ts'

/** Counters end by Redis's clock. What else is there carries its end and goes by the product's; that
 * its key lives on for some seconds changes nothing. */
const AGE = `
for _, key in ipairs(redis.call('KEYS', 'kenpo:throttle:*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, math.max(0, left - tonumber(ARGV[1]))) end
end`

const PATIENCE_MS = 10_000
let thread: Worker | undefined

/** Runs a command before it returns. @throws where it fails */
const runNow = (url: string, ...command: readonly string[]): void => {
  thread ??= new Worker(new URL('./redis-now.js', import.meta.url), { execArgv: [] })
  thread.unref()
  const done = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  thread.postMessage({ url, command, done })
  Atomics.wait(done, 0, 0, PATIENCE_MS)
  if (Atomics.load(done, 0) !== 1) throw new Error(`Redis at ${url} did not run ${command[0]}`)
}

/** What saving a member says on its way to MongoDB, in BSON. */
export const SAVES_A_MEMBER = 'update\0\b\0\0\0members\0'

/** The stores of a deployment whose ways to its servers can fail. */
export interface FailingStores extends TestStores {
  readonly redis: RedisServer
  readonly toRedis: FaultProxy
  readonly toMongo: FaultProxy
}

/** A Redis server and a MongoDB database of this deployment's own, each behind a proxy. */
export const failingStores = async (): Promise<FailingStores> => {
  const redis = await startRedis()
  const database = await aMongoDatabase()
  const toRedis = await startFaultProxy({ host: redis.host, port: redis.port })
  const { url, proxy: toMongo } = await throughProxy(database)
  const stores = onServers(redis, database)
  return {
    ...stores,
    env: {
      IDP_STORE: 'redis+mongo',
      IDP_REDIS_URL: `redis://${toRedis.host}:${toRedis.port}`,
      IDP_MONGO_URL: url,
    },
    redis,
    toRedis,
    toMongo,
    stop: async () => {
      await toRedis.stop()
      await toMongo.stop()
      await stores.stop()
    },
  }
}

/** A Redis server and a MongoDB database of this deployment's own. */
export const serverStores = async (): Promise<TestStores> =>
  onServers(await startRedis(), await aMongoDatabase())

const onServers = (redis: RedisServer, database: MongoDatabase): TestStores => {
  const client = new Redis(redis.url)

  return {
    env: {
      IDP_STORE: 'redis+mongo',
      IDP_REDIS_URL: redis.url,
      // The product shares this process, and its cores, with much else.
      IDP_REDIS_TIMEOUT_MS: '5000',
      IDP_MONGO_URL: database.url,
      IDP_MONGO_TIMEOUT_MS: '10000',
    },
    atRest: async () => {
      const kinds: Record<string, string> = {}
      for (const key of await client.keys('*')) {
        const kind = key.split(':')[1] ?? key
        // All of ours are strings; any other would be refused here.
        kinds[kind] = `${kinds[kind] ?? ''}${key} ${await client.get(key)}\n`
      }
      return onServer(database.url, async (db) => {
        for (const { collectionName } of await db.collections()) {
          const documents = await db.collection(collectionName).find().toArray()
          kinds[collectionName] = `${kinds[collectionName] ?? ''}${JSON.stringify(documents)}`
        }
        return kinds
      })
    },
    artifacts: async () => {
      const records = (await client.keys('kenpo:*')).flatMap((key) => {
        const [, model] = /^kenpo:([A-Z]\w+):\{[^}]+\}$/.exec(key) ?? []
        return model ? [{ model, key }] : []
      })
      return Promise.all(
        records.map(async ({ model, key }) => {
          const record = (await client.get(key)) ?? ''
          const [, grant = ''] = /^\d* ([\w-]*)/.exec(record) ?? []
          return {
            model,
            payload: record.slice(record.indexOf('\n') + 1),
            consumed: (await client.exists(`${key}:consumed`)) === 1,
            revoked: (await client.exists(`kenpo:revoked:{${grant}}`)) === 1,
          }
        }),
      )
    },
    age: (seconds) => {
      // At once, as a clock is moved: what comes next must find it so.
      runNow(redis.url, 'EVAL', AGE, '0', `${seconds * 1000}`)
    },
    stop: async () => {
      client.disconnect()
      await redis.stop()
      await database.drop()
    },
  }
}
