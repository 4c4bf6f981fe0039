import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from '@jest/globals'
import { StoreUnavailableError } from '../../../accounts/errors.ts'
import { LIMITS } from '../../../accounts/throttle.ts'
import { createArtifactAdapter } from '../../../adapters/redis/artifacts.ts'
import {
  checkDurability,
  createRedis,
  type RedisConnection,
  type RedisOptions,
  watchDurability,
} from '../../../adapters/redis/connect.ts'
import { createThrottle } from '../../../adapters/redis/throttle.ts'
import { createTransientStore } from '../../../adapters/redis/transient.ts'
import { systemClock } from '../../../adapters/system.ts'
import {
  connected,
  type Directives,
  eventually,
  startRedis,
  startRedisCluster,
} from '../../support/redis.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const connect = async (options: RedisOptions): Promise<RedisConnection> => {
  const connection = createRedis(options)
  closing.push(connection.close)
  await connected(connection)
  return connection
}

const startServer = async (directives?: Directives) => {
  const server = await startRedis(directives)
  closing.push(server.stop)
  return server
}

describe('whether Redis serves', () => {
  test('a server that hangs is told of within a second, though its socket stands', async () => {
    const server = await startServer()
    const { ping, isReady } = await connect({ url: server.url })
    await ping()
    await server.signal('SIGSTOP')
    const answer = Promise.race([
      ping().catch((error: unknown) => error),
      sleep(1000, 'still waiting', { ref: false }),
    ])
    expect(await answer).toBeInstanceOf(StoreUnavailableError)
    expect(isReady()).toBe(true)
    await server.signal('SIGCONT')
    await eventually('it answers again', () => ping().then(() => true))
  })

  test('a Cluster of which one node hangs does not', async () => {
    const { nodes, stop } = await startRedisCluster()
    closing.push(stop)
    const { ping } = await connect({ cluster: nodes.map(({ host, port }) => ({ host, port })) })
    await ping()
    await nodes[2]!.signal('SIGSTOP')
    await expect(ping()).rejects.toThrow(StoreUnavailableError)
    await nodes[2]!.signal('SIGCONT')
  })
})

describe('whether Redis keeps what it has acknowledged', () => {
  test('a server with an append-only file that evicts nothing is good', async () => {
    const { url } = await startServer()
    const { client } = await connect({ url })
    expect(await checkDurability(client)).toEqual([])
  })

  test.each([
    ['snapshots only', { appendonly: 'no', save: '900 1' }, ['"appendonly yes"']],
    ['no fsync', { appendfsync: 'no' }, ['"appendfsync everysec"']],
    ['eviction', { 'maxmemory-policy': 'allkeys-lru' }, ['"maxmemory-policy noeviction"']],
    [
      'eviction of what expires',
      { 'maxmemory-policy': 'volatile-ttl' },
      ['"maxmemory-policy noeviction"'],
    ],
    [
      'the settings of a cache',
      { appendonly: 'no', 'maxmemory-policy': 'allkeys-lfu' },
      ['"appendonly yes"', '"maxmemory-policy noeviction"'],
    ],
  ] as const)('a server with %s is refused, with the fix', async (_, directives, fixes) => {
    const { url, port } = await startServer(directives)
    const { client } = await connect({ url })
    const problems = await checkDurability(client)
    expect(problems).toHaveLength(fixes.length)
    for (const [index, fix] of fixes.entries()) {
      expect(problems[index]).toContain(`127.0.0.1:${port}`)
      expect(problems[index]).toContain(`set ${fix}`)
    }
  })

  test('of a cluster each node is looked at', async () => {
    const { nodes, stop } = await startRedisCluster()
    closing.push(stop)
    const { client } = await connect({ cluster: nodes.map(({ host, port }) => ({ host, port })) })
    expect(await checkDurability(client)).toEqual([])
    await nodes[1]!.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random')
    const problems = await checkDurability(client)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`:${nodes[1]!.port}: "maxmemory-policy" is allkeys-random`)
  })

  test('it is looked at again whenever the server comes back', async () => {
    const server = await startServer()
    const reports: (readonly string[])[] = []
    const connection = await connect({ url: server.url })
    watchDurability(connection, (problems) => reports.push(problems))
    await eventually('the first report', () => reports.length === 1)
    expect(reports[0]).toEqual([])
    await server.cli('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
    await server.cli('CONFIG', 'REWRITE')
    await server.signal('SIGKILL')
    await server.restart()
    await eventually('the second report', () => reports.length === 2)
    expect(reports[1]).toEqual([expect.stringContaining('"maxmemory-policy" is allkeys-lru')])
  })
})

describe('an ACL user', () => {
  const USER =
    'user kenpo on >correct ~kenpo:* -@all +@connection +@scripting +@transaction +@string ' +
    '+@keyspace -@dangerous +info'

  test('with our keys and commands only can do all that the stores do', async () => {
    const [user, ...rules] = USER.split(' ')
    const { url } = await startServer({ [user!]: rules.join(' ') })
    const { client } = await connect({ url, username: 'kenpo', password: 'correct' })
    const store = createTransientStore(client, systemClock)
    await store.put('key', 'value', 60)
    expect(await store.replace('key', 'value', 'new', 60)).toBe(true)
    expect(await store.take('key')).toBe('new')
    const throttle = createThrottle(client, systemClock)
    for (let attempt = 0; attempt < LIMITS.password.points; attempt++) {
      expect(await throttle.count('password', 'a')).toMatchObject({ ok: true })
    }
    expect(await throttle.count('password', 'a')).toMatchObject({ ok: false })
    expect(await throttle.look('password', 'a')).toMatchObject({ ok: false })
    await throttle.forget('password', 'a')
    const adapterFor = createArtifactAdapter(client, systemClock)
    await adapterFor('Session').upsert('s', { uid: 'u' }, 60)
    expect(await adapterFor('Session').findByUid('u')).toEqual({ uid: 'u' })
    await adapterFor('Session').destroy('s')
    await adapterFor('AuthorizationCode').upsert('c', { grantId: 'g' }, 60)
    await adapterFor('AuthorizationCode').consume('c')
    await adapterFor('AuthorizationCode').revokeByGrantId('g')
    expect(await adapterFor('AuthorizationCode').find('c')).toBeUndefined()
    // CONFIG is not granted: what INFO tells has to do.
    expect(await checkDurability(client)).toEqual([])
    await expect(client.get('other')).rejects.toThrow('NOPERM')
  })

  test('with a wrong password never gets ready, and is told why', async () => {
    const [user, ...rules] = USER.split(' ')
    const { url } = await startServer({ [user!]: rules.join(' ') })
    const connection = createRedis({ url, username: 'kenpo', password: 'wrong' })
    closing.push(connection.close)
    const reasons: string[] = []
    connection.onError((error) => reasons.push(error.message))
    await eventually('an error', () => reasons.some((reason) => reason.startsWith('WRONGPASS')))
    expect(connection.isReady()).toBe(false)
    await expect(checkDurability(connection.client)).rejects.toThrow(StoreUnavailableError)
  })
})
