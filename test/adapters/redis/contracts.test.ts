import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createArtifactAdapter, createArtifacts } from '../../../adapters/redis/artifacts.ts'
import {
  createRedis,
  type RedisConnection,
  type RedisOptions,
} from '../../../adapters/redis/connect.ts'
import { createThrottle } from '../../../adapters/redis/throttle.ts'
import { createTransientStore, createTransients } from '../../../adapters/redis/transient.ts'
import { createUnits, type Units } from '../../../adapters/redis/unit-of-work.ts'
import {
  artifactAdapterContract,
  type OpenArtifactAdapter,
} from '../../contracts/artifact-adapter.ts'
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
    connection = createRedis({ commandTimeoutMs: 5000, ...setUp.options })
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

  const openArtifacts: OpenArtifactAdapter = async ({ clock, tombstoneSeconds }) => {
    const { client, close } = await open()
    return { adapterFor: createArtifactAdapter(client, clock, { tombstoneSeconds }), close }
  }
  artifactAdapterContract(name, openArtifacts, { lasting: false })

  /** Every single call as a request of its own, whose writes are all put off to its end. */
  describe('in units of work', () => {
    const inUnits = <T extends object>(units: Units, store: T): T =>
      Object.fromEntries(
        Object.entries(store).map(([method, call]) => [
          method,
          (...args: unknown[]) => units.run(async () => call(...args)),
        ]),
        // The same methods with the same answers.
      ) as T

    transientStoreContract(name, async ({ clock }) => {
      const { client, close } = await open()
      const units = createUnits(client)
      return { store: inUnits(units, createTransients(units, clock).store), close }
    })

    const openArtifactsInUnits: OpenArtifactAdapter = async ({ clock, tombstoneSeconds }) => {
      const { client, close } = await open()
      const units = createUnits(client)
      const { adapterFor } = createArtifacts(units, clock, { tombstoneSeconds })
      return { adapterFor: (model) => inUnits(units, adapterFor(model)), close }
    }
    artifactAdapterContract(name, openArtifactsInUnits, { lasting: false })
  })

  test('every key the contracts leave has a TTL', () => {
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
    expect([...left.endless]).toEqual([])
  })
})
