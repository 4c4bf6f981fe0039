import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createArtifactAdapter } from '../../../adapters/redis/artifacts.ts'
import {
  createRedis,
  type RedisConnection,
  type RedisOptions,
} from '../../../adapters/redis/connect.ts'
import { createThrottle } from '../../../adapters/redis/throttle.ts'
import { createTransientStore } from '../../../adapters/redis/transient.ts'
import { artifactAdapterContract } from '../../contracts/artifact-adapter.ts'
import { throttleContract } from '../../contracts/throttle.ts'
import { transientStoreContract } from '../../contracts/transient-store.ts'
import { connected, flush, keysIn, startRedis, startRedisCluster } from '../../support/redis.ts'

type SetUp = Readonly<{ options: RedisOptions; stop: () => Promise<void> }>

const SET_UPS: readonly (readonly [string, () => Promise<SetUp>])[] = [
  [
    'a Redis server',
    async () => {
      const { url, stop } = await startRedis()
      return { options: { url }, stop }
    },
  ],
  [
    'a Redis Cluster of three nodes',
    async () => {
      const { nodes, stop } = await startRedisCluster()
      return { options: { cluster: nodes.map(({ host, port }) => ({ host, port })) }, stop }
    },
  ],
]

describe.each(SET_UPS)('on %s', (name, start) => {
  let stop: () => Promise<void>
  let connection: RedisConnection
  /** The models and kinds of all keys that any test has left, and of those without a TTL. */
  const left = { keys: new Set<string>(), endless: new Set<string>() }

  beforeAll(async () => {
    const setUp = await start()
    stop = setUp.stop
    connection = createRedis(setUp.options)
    await connected(connection)
  })
  afterAll(async () => {
    await connection?.close()
    await stop?.()
  })

  /** A store of one test: empty at first; what it leaves behind is noted. */
  const open = async () => {
    await flush(connection.client)
    const close = async () => {
      for (const { key, ttl } of await keysIn(connection.client)) {
        const kind = key.split(':')[1] ?? ''
        left.keys.add(kind)
        if (ttl === -1) left.endless.add(kind)
      }
    }
    return { client: connection.client, close }
  }

  transientStoreContract(name, async ({ clock }) => {
    const { client, close } = await open()
    return { store: createTransientStore(client, clock), close }
  })

  throttleContract(name, async ({ clock, limits }) => {
    const { client, close } = await open()
    return { throttle: createThrottle(client, clock, limits), close }
  })

  artifactAdapterContract(name, async ({ clock, tombstoneSeconds }) => {
    const { client, close } = await open()
    return { adapterFor: createArtifactAdapter(client, clock, { tombstoneSeconds }), close }
  })

  test('every key the contracts leave has a TTL, but for a client, which has no end', () => {
    expect([...left.keys]).toEqual(
      expect.arrayContaining([
        'transient',
        'throttle',
        'AuthorizationCode',
        'Session',
        'Session.uid',
        'DeviceCode.userCode',
        'revoked',
        'ReplayDetection',
      ]),
    )
    expect([...left.endless]).toEqual(['Client'])
  })
})
