import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { errors } from 'oidc-provider'
import { StoreUnavailableError } from '../../../accounts/errors.ts'
import { createArtifactAdapter } from '../../../adapters/redis/artifacts.ts'
import { checkDurability, createRedis, type RedisOptions } from '../../../adapters/redis/connect.ts'
import { createThrottle } from '../../../adapters/redis/throttle.ts'
import { createTransientStore } from '../../../adapters/redis/transient.ts'
import { systemClock } from '../../../adapters/system.ts'
import {
  connected,
  type Directives,
  eventually,
  type RedisServer,
  startRedis,
  startRedisCluster,
  startRedisSentinels,
} from '../../support/redis.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const openStores = (options: RedisOptions) => {
  const connection = createRedis(options)
  closing.push(connection.close)
  const { client } = connection
  return {
    connection,
    transient: createTransientStore(client, systemClock),
    throttle: createThrottle(client, systemClock),
    adapterFor: createArtifactAdapter(client, systemClock),
  }
}
type Stores = ReturnType<typeof openStores>

const startServer = async (directives?: Directives): Promise<RedisServer> => {
  const server = await startRedis(directives)
  closing.push(server.stop)
  return server
}

/** Every operation of the three stores, of which none can be served. */
const operationsOf = ({ transient, throttle, adapterFor, connection }: Stores) => ({
  put: () => transient.put('key', 1, 60),
  get: () => transient.get('key'),
  take: () => transient.take('key'),
  replace: () => transient.replace('key', 1, 2, 60),
  count: () => throttle.count('password', 'a'),
  look: () => throttle.look('password', 'a'),
  forget: () => throttle.forget('password', 'a'),
  upsert: () => adapterFor('AccessToken').upsert('t', { jti: 't', grantId: 'g' }, 60),
  find: () => adapterFor('AccessToken').find('t'),
  findByUid: () => adapterFor('Session').findByUid('u'),
  findByUserCode: () => adapterFor('DeviceCode').findByUserCode('w'),
  consume: () => adapterFor('AuthorizationCode').consume('c'),
  destroy: () => adapterFor('Session').destroy('s'),
  revokeByGrantId: () => adapterFor('AccessToken').revokeByGrantId('g'),
  checkDurability: () => checkDurability(connection.client),
})

const TOO_LONG = 'still waiting'

/** What became of each operation, all begun at once, after a second at most. */
const withinASecond = async (stores: Stores): Promise<Record<string, unknown>> => {
  const outcomes = Object.entries(operationsOf(stores)).map(async ([name, call]) => [
    name,
    await Promise.race([
      call().catch((error: unknown) => error),
      sleep(1000, TOO_LONG, { ref: false }),
    ]),
  ])
  return Object.fromEntries(await Promise.all(outcomes))
}

const allRefused = (stores: Stores) =>
  Object.fromEntries(
    Object.keys(operationsOf(stores)).map((name) => [name, expect.any(StoreUnavailableError)]),
  )

const works = async ({ transient }: Stores): Promise<boolean> => {
  await transient.put('again', 'here', 60)
  return (await transient.take('again')) === 'here'
}

describe('a Redis server that fails', () => {
  test('that is dead: each operation ends in a 503 at once, and works again when it is back', async () => {
    const server = await startServer()
    const stores = openStores({ url: server.url })
    await connected(stores.connection)
    expect(await works(stores)).toBe(true)
    await server.signal('SIGKILL')
    expect(await withinASecond(stores)).toEqual(allRefused(stores))
    await eventually('the loss is seen', () => !stores.connection.isReady())
    await server.restart()
    await eventually('the stores work again', () => works(stores))
    expect(stores.connection.isReady()).toBe(true)
  })

  test('that hangs: each operation ends in a 503 within a second, and works again later', async () => {
    const server = await startServer()
    const stores = openStores({ url: server.url })
    await connected(stores.connection)
    await server.signal('SIGSTOP')
    expect(await withinASecond(stores)).toEqual(allRefused(stores))
    await server.signal('SIGCONT')
    await eventually('the stores work again', () => works(stores))
  })

  test('that was not there at the start is found when it comes', async () => {
    const server = await startServer()
    await server.signal('SIGKILL')
    const stores = openStores({ url: server.url })
    expect(await withinASecond(stores)).toEqual(allRefused(stores))
    await server.restart()
    await connected(stores.connection)
    expect(await works(stores)).toBe(true)
  })

  test('a 503 tells when to try again, and carries nothing of what was to be stored', async () => {
    const server = await startServer()
    await server.signal('SIGKILL')
    const { transient } = openStores({ url: server.url })
    const error = await transient.put('key', 'a-secret', 60).catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'store_unavailable',
      status: 503,
      retryAfterSeconds: expect.any(Number),
    })
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('a-secret')
    expect((error as Error).cause).toBeUndefined()
  })

  test('what was under way when the connection broke is not done later', async () => {
    const server = await startServer()
    const stores = openStores({ url: server.url })
    await connected(stores.connection)
    await server.signal('SIGSTOP')
    await expect(stores.transient.put('key', 'late', 60)).rejects.toThrow(StoreUnavailableError)
    // Dies with the command unread: had it been kept, it would now be sent to the new process.
    await server.signal('SIGKILL')
    await server.restart()
    await eventually('the stores work again', () => works(stores))
    expect(await stores.transient.get('key')).toBeUndefined()
  })

  test('that is full refuses to write, and goes on reading', async () => {
    const server = await startServer()
    const stores = openStores({ url: server.url })
    await connected(stores.connection)
    await stores.transient.put('key', 'kept', 60)
    const codes = stores.adapterFor('AuthorizationCode')
    await codes.upsert('code', { jti: 'code' }, 60)
    await server.cli('CONFIG', 'SET', 'maxmemory', '1')
    for (const write of [
      () => stores.transient.put('other', 1, 60),
      () => stores.transient.replace('key', 'kept', 'new', 60),
      () => stores.throttle.count('password', 'a'),
      () => codes.upsert('other', { jti: 'other' }, 60),
      () => codes.consume('code'),
      () => codes.revokeByGrantId('g'),
    ]) {
      await expect(write()).rejects.toThrow(StoreUnavailableError)
    }
    expect(await stores.transient.get('key')).toBe('kept')
    await server.cli('CONFIG', 'SET', 'maxmemory', '0')
    expect(await works(stores)).toBe(true)
  })

  test('that has become a replica refuses to write', async () => {
    const server = await startServer()
    const stores = openStores({ url: server.url })
    await connected(stores.connection)
    await server.cli('REPLICAOF', server.host, '1')
    await expect(stores.transient.put('key', 1, 60)).rejects.toThrow(StoreUnavailableError)
    await expect(stores.throttle.count('password', 'a')).rejects.toThrow(StoreUnavailableError)
    await server.cli('REPLICAOF', 'NO', 'ONE')
    await eventually('the stores work again', () => works(stores))
  })

  test('kill -9 after a code was consumed: it stays consumed, five times over', async () => {
    const server = await startServer()
    const stores = openStores({ url: server.url })
    await connected(stores.connection)
    const codes = stores.adapterFor('AuthorizationCode')
    for (const round of [1, 2, 3, 4, 5]) {
      const id = `code-${round}`
      await codes.upsert(id, { jti: id, grantId: 'g' }, 600)
      await codes.consume(id)
      await stores.adapterFor('AccessToken').revokeByGrantId(`revoked-${round}`)
      // "everysec": what the process has not yet handed to the disk is lost.
      await eventually('the append-only file is written', async () => {
        const info = await server.cli('INFO', 'persistence')
        return /aof_buffer_length:0\r?\n/.test(info) && /aof_pending_bio_fsync:0\r?\n/.test(info)
      })
      await server.signal('SIGKILL')
      await server.restart()
      await eventually('the code is found', async () => (await codes.find(id)) !== undefined)
      expect(await codes.find(id)).toMatchObject({ consumed: expect.any(Number) })
      await expect(codes.consume(id)).rejects.toThrow(errors.InvalidGrant)
      await stores.adapterFor('AccessToken').upsert('t', { grantId: `revoked-${round}` }, 60)
      expect(await stores.adapterFor('AccessToken').find('t')).toBeUndefined()
    }
  })
})

describe('a Redis Cluster that fails', () => {
  test('with a dead node: its keys end in a 503, the others work, and all do when it is back', async () => {
    const cluster = await startRedisCluster()
    closing.push(cluster.stop)
    const { nodes } = cluster
    const stores = openStores({ cluster: nodes.map(({ host, port }) => ({ host, port })) })
    await connected(stores.connection)
    const { transient } = stores
    const keys = Array.from({ length: 30 }, (_, n) => `key:${n}`)
    for (const key of keys) await transient.put(key, key, 600)
    await nodes[0]!.signal('SIGKILL')
    const outcomes = await Promise.all(
      keys.map((key) =>
        Promise.race([
          transient.get(key).catch((error: unknown) => error),
          sleep(1000, TOO_LONG, { ref: false }),
        ]),
      ),
    )
    expect(outcomes).not.toContain(TOO_LONG)
    const refused = outcomes.filter((outcome) => outcome instanceof StoreUnavailableError)
    const read = outcomes.filter((outcome) => typeof outcome === 'string')
    expect(refused.length).toBeGreaterThan(0)
    expect(read.length).toBeGreaterThan(0)
    expect(refused.length + read.length).toBe(keys.length)
    await nodes[0]!.restart()
    await eventually('all keys are read again', async () => {
      for (const key of keys) if ((await transient.get(key)) !== key) return false
      return true
    })
  })
})

describe('a group of Redis servers under Sentinels', () => {
  test('a failover: writes work again within ten seconds, and what was consumed stays so', async () => {
    const group = await startRedisSentinels()
    closing.push(group.stop)
    const stores = openStores({
      sentinels: group.sentinels.map(({ host, port }) => ({ host, port })),
      name: group.name,
    })
    await connected(stores.connection)
    const codes = stores.adapterFor('AuthorizationCode')
    await codes.upsert('code', { jti: 'code' }, 600)
    await codes.consume('code')
    expect(await group.primary.cli('WAIT', '1', '1000')).toBe('1')
    await group.primary.signal('SIGKILL')
    const deadline = AbortSignal.timeout(10_000)
    await eventually('writes work again', async () => deadline.aborted || (await works(stores)))
    expect(deadline.aborted).toBe(false)
    expect(await group.replica.cli('ROLE')).toMatch(/^master/)
    await expect(codes.consume('code')).rejects.toThrow(errors.InvalidGrant)
    // The old primary comes back and follows; nothing is written to it.
    await group.primary.restart()
    await eventually('it follows the new one', async () =>
      /^slave/.test(await group.primary.cli('ROLE')),
    )
    expect(await works(stores)).toBe(true)
  })
})
