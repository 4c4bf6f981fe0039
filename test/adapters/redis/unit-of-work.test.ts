import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { errors } from 'oidc-provider'
import { StoreUnavailableError } from '../../../accounts/errors.ts'
import { countInOrder, LIMITS, type LimitId } from '../../../accounts/throttle.ts'
import {
  createRedis,
  type RedisConnection,
  type RedisOptions,
} from '../../../adapters/redis/connect.ts'
import { createRedisStores, type RedisStores } from '../../../adapters/redis/stores.ts'
import { createSteppedClock, type SteppedClock } from '../../contracts/clock.ts'
import { inParallel, ROUNDS, valuesOf } from '../../contracts/rounds.ts'
import { connected, flush, keysIn, startRedis, startRedisCluster } from '../../support/redis.ts'

type SetUp = Readonly<{
  options: RedisOptions
  /** How full the servers may be; '0': as full as it takes. */
  limitMemory: (bytes: string) => Promise<void>
  stop: () => Promise<void>
}>

const SET_UPS: readonly (readonly [string, () => Promise<SetUp>])[] = [
  [
    'a Redis server',
    async () => {
      const { url, cli, stop } = await startRedis()
      const limitMemory = async (bytes: string) => {
        await cli('CONFIG', 'SET', 'maxmemory', bytes)
      }
      return { options: { url }, limitMemory, stop }
    },
  ],
  [
    'a Redis Cluster of three nodes',
    async () => {
      const { nodes, stop } = await startRedisCluster()
      const limitMemory = async (bytes: string) => {
        for (const { cli } of nodes) await cli('CONFIG', 'SET', 'maxmemory', bytes)
      }
      const cluster = nodes.map(({ host, port }) => ({ host, port }))
      return { options: { cluster }, limitMemory, stop }
    },
  ],
]

describe.each(SET_UPS)('A unit of work on %s', (_, start) => {
  let setUp: SetUp
  let connection: RedisConnection
  let clock: SteppedClock
  /** Two instances of the product. */
  let here: RedisStores
  let elsewhere: RedisStores

  beforeAll(async () => {
    setUp = await start()
    connection = createRedis({ commandTimeoutMs: 5000, ...setUp.options })
    await connected(connection)
  })
  afterAll(async () => {
    await connection?.close()
    await setUp?.stop()
  })
  beforeEach(async () => {
    await flush(connection.client)
    clock = createSteppedClock()
    here = createRedisStores(connection.client, clock)
    elsewhere = createRedisStores(connection.client, clock)
  })
  afterEach(() => setUp.limitMemory('0'))

  const keys = async () => (await keysIn(connection.client)).map(({ key }) => key)

  test('what is saved is read back in it at once, and by others when it ends', async () => {
    await here.unitOfWork({}, async () => {
      await here.artifacts('Session').upsert('s', { jti: 's', uid: 'u', accountId: 'a' }, 60)
      await here.transient.put('key', 'value', 60)
      expect(await keys()).toEqual([])
      expect(await here.transient.get('key')).toBe('value')
      expect(await here.artifacts('Session').find('s')).toMatchObject({ accountId: 'a' })
      expect(await here.artifacts('Session').findByUid('u')).toMatchObject({ accountId: 'a' })
    })
    expect(await elsewhere.transient.get('key')).toBe('value')
    expect(await elsewhere.artifacts('Session').find('s')).toMatchObject({ accountId: 'a' })
  })

  test('of several saves of one session the last one stands, under its new ID', async () => {
    const sessions = here.artifacts('Session')
    await sessions.upsert('s1', { jti: 's1', uid: 'u' }, 60)
    await here.unitOfWork({ artifacts: [['Session', 's1']] }, async () => {
      expect(await sessions.find('s1')).toBeDefined()
      await sessions.upsert('s1', { jti: 's1', uid: 'u', accountId: 'a' }, 60)
      await sessions.destroy('s1')
      await sessions.upsert('s2', { jti: 's2', uid: 'u', accountId: 'b' }, 60)
      expect(await sessions.find('s1')).toBeUndefined()
    })
    expect(await elsewhere.artifacts('Session').find('s1')).toBeUndefined()
    expect(await elsewhere.artifacts('Session').findByUid('u')).toMatchObject({ accountId: 'b' })
  })

  test('one that cannot be stored fails, also where its work has made an answer of that', async () => {
    const { artifacts, transient, unitOfWork } = here
    await transient.put('read', 'kept', 60)
    await setUp.limitMemory('1')
    const writes = unitOfWork({}, () => artifacts('Session').upsert('s', { uid: 'u' }, 60))
    await expect(writes).rejects.toThrow(StoreUnavailableError)
    const swallowed = unitOfWork({}, async () => {
      await transient.replace('read', 'kept', 'new', 60).catch(() => false)
      return 'an answer'
    })
    await expect(swallowed).rejects.toThrow(StoreUnavailableError)
    await setUp.limitMemory('0')
    expect(await transient.get('read')).toBe('kept')
    expect(await artifacts('Session').find('s')).toBeUndefined()
  })

  test('one that failed at the store stores nothing of what it had put off', async () => {
    const failing = here.unitOfWork({}, async () => {
      await here.transient.put('put off', 1, 60)
      throw new StoreUnavailableError('another store')
    })
    await expect(failing).rejects.toThrow('store_unavailable')
  })

  test('what was asked for before an error of any other kind is stored', async () => {
    const failing = here.unitOfWork({}, async () => {
      await here.transient.put('before', 1, 60)
      throw new TypeError('a bug')
    })
    await expect(failing).rejects.toThrow('a bug')
    expect(await elsewhere.transient.get('before')).toBe(1)
  })

  test('consuming is no part of it: of twenty at once one goes on, fifty times over', async () => {
    const codes = here.artifacts('AuthorizationCode')
    for (const round of ROUNDS) {
      await codes.upsert(`c${round}`, { jti: `c${round}`, grantId: 'g' }, 60)
      const outcomes = await inParallel((caller) => {
        const stores = caller % 2 ? here : elsewhere
        return stores.unitOfWork({}, async () => {
          const found = await stores.artifacts('AuthorizationCode').find(`c${round}`)
          expect(found).toMatchObject({ grantId: 'g' })
          await stores.artifacts('AuthorizationCode').consume(`c${round}`)
          expect(await stores.artifacts('AuthorizationCode').find(`c${round}`)).toMatchObject({
            consumed: clock.now(),
          })
        })
      })
      expect(valuesOf(outcomes)).toHaveLength(1)
    }
  })

  test('a token put off until its grant was revoked is not found, nor is the grant', async () => {
    await here.artifacts('Grant').upsert('g', { jti: 'g', accountId: 'a' }, 600)
    await here.unitOfWork({}, async () => {
      expect(await here.artifacts('Grant').find('g')).toBeDefined()
      await here.artifacts('AccessToken').upsert('t', { jti: 't', grantId: 'g' }, 60)
      await here.artifacts('Grant').upsert('g', { jti: 'g', accountId: 'a' }, 600)
      await elsewhere.artifacts('AccessToken').revokeByGrantId('g')
    })
    expect(await elsewhere.artifacts('AccessToken').find('t')).toBeUndefined()
    expect(await elsewhere.artifacts('Grant').find('g')).toBeUndefined()
    const late = here.unitOfWork({}, () => here.artifacts('AccessToken').consume('t'))
    await expect(late).rejects.toThrow(errors.InvalidGrant)
  })

  test('a grant revoked in it is gone from what it has read', async () => {
    await here.artifacts('Grant').upsert('g', { jti: 'g' }, 600)
    await here.artifacts('AccessToken').upsert('t', { jti: 't', grantId: 'g' }, 60)
    await here.unitOfWork({}, async () => {
      expect(await here.artifacts('AccessToken').find('t')).toBeDefined()
      await here.artifacts('AccessToken').revokeByGrantId('g')
      expect(await here.artifacts('AccessToken').find('t')).toBeUndefined()
      expect(await here.artifacts('Grant').find('g')).toBeUndefined()
    })
  })

  test('who marks a session as ended sees what another saved of it before', async () => {
    const sessions = here.artifacts('Session')
    await sessions.upsert('s', { jti: 's', uid: 'u', accountId: 'before' }, 60)
    await here.unitOfWork({ artifacts: [['Session', 's']] }, async () => {
      expect(await sessions.findByUid('u')).toMatchObject({ accountId: 'before' })
      await elsewhere.artifacts('Session').upsert('s', { jti: 's', uid: 'u', accountId: 'b' }, 60)
      await here.transient.put('ended', true, 60)
      expect(await sessions.findByUid('u')).toMatchObject({ accountId: 'b' })
      expect(await elsewhere.transient.get('ended')).toBe(true)
    })
  })

  test('facts are replaced by who was first, and read anew by who was not', async () => {
    await here.transient.put('flow', { step: 1 }, 60)
    await here.unitOfWork({ values: ['flow'] }, async () => {
      const stored = await here.transient.get('flow')
      await elsewhere.transient.replace('flow', { step: 1 }, { step: 'theirs' }, 60)
      expect(await here.transient.replace('flow', stored, { step: 'ours' }, 60)).toBe(false)
      const now = await here.transient.get('flow')
      expect(now).toEqual({ step: 'theirs' })
      expect(await here.transient.replace('flow', now, { step: 'ours' }, 60)).toBe(true)
      expect(await here.transient.get('flow')).toEqual({ step: 'ours' })
    })
    expect(await elsewhere.transient.get('flow')).toEqual({ step: 'ours' })
  })

  test.each([
    ['nobody was first', undefined, { step: 'ours' }],
    ['another was first', { step: 'theirs' }, { before: { step: 'theirs' } }],
    ['another was first and that stands', { step: 'final' }, { step: 'final' }],
  ])('facts to be replaced later, where %s', async (_when, theirs, expected) => {
    const { transient, unitOfWork } = here
    const isFinal = (value: unknown) => JSON.stringify(value).includes('final')
    await transient.put('flow', { step: 1 }, 60)
    await unitOfWork({}, async () => {
      await transient.replaceLater?.('flow', { step: 1 }, { step: 'ours' }, 60, (before) =>
        isFinal(before) ? undefined : { before },
      )
      expect(await transient.get('flow')).toEqual({ step: 'ours' })
      expect(await elsewhere.transient.get('flow')).toEqual({ step: 1 })
      if (theirs) await elsewhere.transient.put('flow', theirs, 60)
    })
    expect(await elsewhere.transient.get('flow')).toEqual(expected)
  })

  const added = (what: string) => (current: unknown) => [...(current as string[]), what]

  test.each([
    ['nobody was first', undefined, ['a', 'ours', 'ours too']],
    ['another was first', ['theirs'], ['theirs', 'ours', 'ours too']],
  ])('facts to be replaced twice, where %s', async (_when, theirs, expected) => {
    const { transient, unitOfWork } = here
    await transient.put('flow', ['a'], 60)
    await unitOfWork({}, async () => {
      const [once, twice] = [
        ['a', 'ours'],
        ['a', 'ours', 'ours too'],
      ]
      await transient.replaceLater?.('flow', ['a'], once, 60, added('ours'))
      await transient.replaceLater?.('flow', once, twice, 60, added('ours too'))
      expect(await transient.get('flow')).toEqual(twice)
      // Neither has been written so far.
      expect(await elsewhere.transient.get('flow')).toEqual(['a'])
      if (theirs) await elsewhere.transient.put('flow', theirs, 60)
    })
    expect(await elsewhere.transient.get('flow')).toEqual(expected)
  })

  test('facts to be replaced in place of others than were put there are left to the first', async () => {
    const { transient, unitOfWork } = here
    await transient.put('flow', ['a'], 60)
    await unitOfWork({}, async () => {
      await transient.replaceLater?.('flow', ['a'], ['a', 'ours'], 60, added('ours'))
      await transient.replaceLater?.('flow', ['others'], ['lost'], 60, () => undefined)
    })
    expect(await elsewhere.transient.get('flow')).toEqual(['a', 'ours'])
  })

  test('what is counted in order counts after what was forgotten before it', async () => {
    const { throttle, unitOfWork } = here
    const limits = [['password', 'a']] as const
    const { points } = LIMITS.password
    await countInOrder(throttle, limits)
    await unitOfWork({}, async () => {
      await throttle.forget('password', 'a')
      expect(await countInOrder(throttle, limits)).toEqual({ ok: true, left: points - 1 })
    })
    expect(await elsewhere.throttle.look('password', 'a')).toEqual({ ok: true, left: points - 2 })
  })

  test('of twenty changes made at once to the same facts none is lost', async () => {
    await here.transient.put('facts', [], 60)
    const outcomes = await inParallel((caller) => {
      const { transient, unitOfWork } = caller % 2 ? here : elsewhere
      return unitOfWork({ values: ['facts'] }, async () => {
        const read = (await transient.get<number[]>('facts')) ?? []
        await transient.replaceLater?.('facts', read, [...read, caller], 60, (current) => [
          ...(current as number[]),
          caller,
        ])
      })
    })
    expect(valuesOf(outcomes)).toHaveLength(20)
    expect(await here.transient.get('facts')).toHaveLength(20)
  })

  test('a value taken is had by one of twenty, whoever has read it before', async () => {
    await here.transient.put('once', 'here', 60)
    const outcomes = await inParallel(() =>
      here.unitOfWork({ values: ['once'] }, async () => {
        await here.transient.get('once')
        return here.transient.take('once')
      }),
    )
    expect(valuesOf(outcomes).filter((value) => value === 'here')).toHaveLength(1)
  })

  test('a counter forgotten in it and counted again starts anew', async () => {
    const { throttle, unitOfWork } = here
    const { left } = (await throttle.count('password', 'a')) as { left: number }
    await unitOfWork({ looks: [['password', 'a']] }, async () => {
      expect(await throttle.look('password', 'a')).toEqual({ ok: true, left: left - 1 })
      await throttle.forget('password', 'a')
      expect(await throttle.count('password', 'a')).toEqual({ ok: true, left })
    })
    expect(await elsewhere.throttle.look('password', 'a')).toEqual({ ok: true, left: left - 1 })
  })

  test('an attempt counted ahead is told to who counts the same, and otherwise given back', async () => {
    const limits = [
      ['totpPerRequest', 'request'],
      ['totp', 'yuki'],
    ] as const
    const { points } = LIMITS.totpPerRequest
    const work = (asks: boolean) =>
      here.unitOfWork({}, async () => {
        here.throttle.countAhead?.(limits)
        await here.transient.get('what the request reads first')
        return asks ? countInOrder(here.throttle, limits) : undefined
      })
    expect(await work(true)).toEqual({ ok: true, left: points - 1 })
    for (let vain = 0; vain < 3 * points; vain += 1) await work(false)
    expect(await work(true)).toEqual({ ok: true, left: points - 2 })
    while ((await countInOrder(elsewhere.throttle, limits)).ok);
    expect(await work(true)).toMatchObject({ ok: false })
    await work(false)
    // The limit that refused stands first: of the second nothing was counted.
    await elsewhere.throttle.forget('totpPerRequest', 'request')
    expect(await elsewhere.throttle.look('totp', 'yuki')).toEqual({
      ok: true,
      left: LIMITS.totp.points - points - 1,
    })
  })

  test('an attempt counted ahead for other than what is asked counts for that alone', async () => {
    const asked = [['totp', 'yuki']] as const
    await here.unitOfWork({}, async () => {
      here.throttle.countAhead?.([['totp', 'another']])
      await here.transient.get('what the request reads first')
      await countInOrder(here.throttle, asked)
    })
    const { points } = LIMITS.totp
    expect(await elsewhere.throttle.look('totp', 'another')).toEqual({ ok: true, left: points - 1 })
    expect(await elsewhere.throttle.look('totp', 'yuki')).toEqual({ ok: true, left: points - 2 })
  })

  test('an attempt counted ahead as more than is asked in the end is one attempt, also the last', async () => {
    const asked = [
      ['emailCode', 'challenge'],
      ['emailCodePerMember', 'yuki'],
    ] as const
    const { points } = LIMITS.emailCode
    for (let left = points - 1; left >= 0; left -= 1) {
      await here.unitOfWork({}, async () => {
        here.throttle.countAhead?.([...asked, ['emailCodeOnce', 'challenge']])
        await here.transient.get('what the request reads first')
        expect(await countInOrder(here.throttle, asked)).toEqual({ ok: true, left })
      })
    }
    expect(await elsewhere.throttle.look('emailCode', 'challenge')).toMatchObject({ ok: false })
    expect(await elsewhere.throttle.look('emailCodeOnce', 'challenge')).toMatchObject({ ok: true })
    expect(await elsewhere.throttle.look('emailCodePerMember', 'yuki')).toEqual({
      ok: true,
      left: LIMITS.emailCodePerMember.points - points - 1,
    })
  })

  test('an attempt counted ahead in vain prolongs no pause and leaves nothing behind', async () => {
    const full = [['totpPerRequest', 'full']] as const
    const ahead = (limits: readonly (readonly [LimitId, string])[], meanwhile = async () => {}) =>
      here.unitOfWork({}, async () => {
        here.throttle.countAhead?.(limits)
        await here.transient.get('what the request reads first')
        await meanwhile()
      })
    const counters = async () => (await keys()).filter((key) => key.includes(':throttle:'))
    await ahead([['totpInARow', 'nobody']])
    // Forgotten or ended meanwhile: nothing is given back of what others count from then on.
    await ahead([['totp', 'yuki']], () => elsewhere.throttle.forget('totp', 'yuki'))
    expect(await counters()).toEqual([])

    while ((await countInOrder(elsewhere.throttle, full)).ok);
    const { until } = (await elsewhere.throttle.look(...full[0])) as { until: number }
    await ahead(full)
    const after = (await elsewhere.throttle.look(...full[0])) as { until: number }
    expect(Math.abs(after.until - until)).toBeLessThanOrEqual(1)
  })

  test('another store is written to behind what was put off before', async () => {
    await here.unitOfWork({}, async () => {
      await here.transient.put('challenge', 'x', 60)
      const seen = await here.behind(() => elsewhere.transient.get('challenge'))
      expect(seen).toBe('x')
    })
  })

  test('what goes on after its end writes for itself', async () => {
    let goOn = () => {}
    const ended = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let later: Promise<void> | undefined
    await here.unitOfWork({}, async () => {
      later = ended.then(() => here.transient.put('late', 'here', 60))
    })
    goOn()
    await later
    expect(await elsewhere.transient.get('late')).toBe('here')
  })
})
