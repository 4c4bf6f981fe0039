import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { Allowance, AllowanceInOrder, Clock, Throttle } from '../../accounts/ports.ts'
import { LIMITS, type LimitId } from '../../accounts/throttle.ts'
import { defineScript, type RedisClient } from './connect.ts'
import { type Command, createUnits, type Prefetch, type Units } from './unit-of-work.ts'

/** Limits in order, each with what is counted. */
type Wanted = readonly (readonly [LimitId, string])[]
type Limit = Readonly<{ points: number; seconds: number; pauseSeconds: number }>
/** An attempt counted ahead that nobody has asked for yet. */
type Ahead = Readonly<{ left: number; giveBack: Command }>
export type Limits = Readonly<Record<LimitId, Limit>>

/**
 * KEYS: counters. ARGV: points, seconds and pause seconds of each. Counts as the library does, in
 * order and no further than the first that refuses. Returns how many are left at the least, or -1,
 * the milliseconds of the refusal and which of them it was, from 1 on.
 */
const COUNT_IN_ORDER = `
local left
for i, key in ipairs(KEYS) do
  local points = tonumber(ARGV[3 * i - 2])
  local seconds = tonumber(ARGV[3 * i - 1])
  local pause = tonumber(ARGV[3 * i])
  redis.call('SET', key, 0, 'EX', seconds, 'NX')
  local consumed = redis.call('INCRBY', key, 1)
  if consumed > points then
    if pause > 0 and consumed == points + 1 then redis.call('SET', key, consumed, 'EX', pause) end
    return { -1, redis.call('PTTL', key), i }
  end
  if not left or points - consumed < left then left = points - consumed end
end
return { left }`

/**
 * KEYS and ARGV as above. Counts where none of them would refuse, and returns how many are left at
 * the least, with the moment each counter ends, by which its window is told from the next.
 */
const COUNT_AHEAD = `
local left
for i, key in ipairs(KEYS) do
  local remaining = tonumber(ARGV[3 * i - 2]) - tonumber(redis.call('GET', key) or 0) - 1
  if remaining < 0 then return false end
  if not left or remaining < left then left = remaining end
end
local reply = { left }
for i, key in ipairs(KEYS) do
  redis.call('SET', key, 0, 'EX', tonumber(ARGV[3 * i - 1]), 'NX')
  redis.call('INCRBY', key, 1)
  table.insert(reply, redis.call('PEXPIRETIME', key))
end
return reply`

/** KEYS: counters. ARGV: the moment each was to end. Takes one off those that still stand as then. */
const GIVE_BACK = `
for i, key in ipairs(KEYS) do
  if redis.call('PEXPIRETIME', key) == tonumber(ARGV[i]) and redis.call('INCRBY', key, -1) <= 0 then
    redis.call('DEL', key)
  end
end`

/** What the notes of attempts counted ahead begin with. */
const AHEAD = 'counted '

export type Throttles = Readonly<{
  throttle: Throttle
  /** The look at a counter that is likely to be asked for. */
  foresee: (limit: LimitId, key: string) => Prefetch
}>

/** `createThrottle` for stores that share units of work. */
export const createThrottles = (units: Units, clock: Clock, limits: Limits = LIMITS): Throttles => {
  const limiterOf = (id: LimitId) =>
    new RateLimiterRedis({
      storeClient: units.redis,
      keyPrefix: `kenpo:throttle:${id}`,
      points: limits[id].points,
      duration: limits[id].seconds,
      blockDuration: limits[id].pauseSeconds,
    })
  // One limiter for each key of LIMITS, which Object.keys widens to string.
  const ids = Object.keys(limits) as LimitId[]
  const limiters = new Map(ids.map((id) => [id, limiterOf(id)]))
  const limiter = (id: LimitId): RateLimiterRedis => {
    const found = limiters.get(id)
    if (!found) throw new TypeError(`no limit named ${id}`)
    return found
  }
  const keyOf = (id: LimitId, key: string): string => limiter(id).getKey(key)
  const looking = (key: string): readonly Command[] => [
    ['get', key],
    ['pttl', key],
  ]

  defineScript(units.redis, 'kenpoCountInOrder', undefined, COUNT_IN_ORDER)
  defineScript(units.redis, 'kenpoCountAhead', undefined, COUNT_AHEAD)
  defineScript(units.redis, 'kenpoGiveBack', undefined, GIVE_BACK)

  const refused = (milliseconds: number): Extract<Allowance, { ok: false }> => ({
    ok: false,
    until: clock.now() + Math.ceil(milliseconds / 1000),
  })

  /** The library rejects with its outcome where the attempt is one too many. */
  const consume = async (id: LimitId, key: string): Promise<Allowance> => {
    try {
      return { ok: true, left: (await limiter(id).consume(key)).remainingPoints }
    } catch (outcome) {
      if (outcome instanceof RateLimiterRes) return refused(outcome.msBeforeNext)
      throw outcome
    }
  }

  /** What is told of the counters from now on, Redis tells. */
  const forgetNotes = async (counters: readonly string[]): Promise<void> => {
    const unit = units.current()
    for (const counter of counters) unit?.notes.delete(counter)
    if (counters.some((counter) => unit?.queued(counter))) await units.settle()
  }

  const countersOf = (wanted: Wanted): readonly string[] =>
    wanted.map(([id, key]) => keyOf(id, key))

  /** The script's arguments. */
  const counting = (wanted: Wanted): readonly (string | number)[] => {
    const counters = countersOf(wanted)
    const settings = wanted.flatMap(([id]) => {
      const { points, seconds, pauseSeconds } = limits[id]
      return [points, seconds, pauseSeconds]
    })
    return [counters.length, ...counters, ...settings]
  }

  const allowanceOf = (wanted: Wanted, reply: unknown): AllowanceInOrder => {
    const [left, milliseconds, which] = Array.isArray(reply) ? reply : []
    const [limit] = wanted[Number(which) - 1] ?? []
    return limit === undefined
      ? { ok: true, left: Number(left) }
      : { ...refused(Number(milliseconds)), limit }
  }

  /** Under what the outcome of an attempt counted ahead is noted; taken out by whoever asks. */
  const aheadKey = (wanted: Wanted): string => `${AHEAD}${countersOf(wanted).join(' ')}`

  /** Takes out what was counted ahead under the key and not asked for yet. */
  const takeAhead = (key: string): Ahead | undefined => {
    const notes = units.current()?.notes
    // Only `foreseeCount` below writes such notes.
    const ahead = notes?.get(key) as Ahead | undefined
    notes?.delete(key)
    return ahead
  }

  /** Gives back whatever was counted ahead and not asked for yet. */
  const giveBackAhead = (): readonly Command[] =>
    [...(units.current()?.notes.keys() ?? [])]
      .filter((key) => key.startsWith(AHEAD))
      .flatMap((key) => {
        const ahead = takeAhead(key)
        return ahead ? [ahead.giveBack] : []
      })

  const countOnOneServer: NonNullable<Throttle['countInOrder']> = async (wanted) => {
    const unit = units.current()
    const key = aheadKey(wanted)
    if (unit?.isForeseen(key)) await units.send([])
    const ahead = takeAhead(key)
    if (ahead) return { ok: true, left: ahead.left }
    for (const counter of countersOf(wanted)) unit?.notes.delete(counter)
    // Behind what is queued, a counter's forgetting too, and behind what was counted for other than
    // is asked, as both may count the same: one trip for all.
    const count: Command = ['kenpoCountInOrder', ...counting(wanted)]
    return allowanceOf(wanted, (await units.send([...giveBackAhead(), count])).at(-1))
  }

  /** One that would be refused is not counted ahead: whoever asks counts it, and starts the pause. */
  const foreseeCount = (wanted: Wanted): Prefetch => {
    const key = aheadKey(wanted)
    return {
      key,
      commands: [['kenpoCountAhead', ...counting(wanted)]],
      absorb: ([reply]) => {
        if (!Array.isArray(reply)) return
        const [left = 0, ...ends] = reply.map(Number)
        const counters = countersOf(wanted)
        const giveBack: Command = ['kenpoGiveBack', counters.length, ...counters, ...ends]
        units.current()?.notes.set(key, { left, giveBack } satisfies Ahead)
      },
      undo: () => {
        const ahead = takeAhead(key)
        return ahead ? [ahead.giveBack] : []
      },
    }
  }

  /** A counter fetched beforehand answers one look. */
  const held = async (key: string): Promise<readonly unknown[]> => {
    const unit = units.current()
    if (unit?.isForeseen(key)) await units.send([])
    const fetched = unit?.notes.get(key)
    unit?.notes.delete(key)
    return Array.isArray(fetched) ? fetched : units.send(looking(key))
  }

  const foreseeLook = (id: LimitId, key: string): Prefetch => {
    const counter = keyOf(id, key)
    return {
      key: counter,
      commands: looking(counter),
      absorb: (replies) => units.current()?.notes.set(counter, replies),
    }
  }

  const throttle: Throttle = {
    // On a Cluster each counter is in another slot.
    ...(!units.isCluster && {
      countInOrder: countOnOneServer,
      countAhead: (wanted, looks = []) => {
        const unit = units.current()
        unit?.foresee(foreseeCount(wanted))
        for (const [id, key] of looks) unit?.foresee(foreseeLook(id, key))
      },
    }),

    count: async (id, key) => {
      await forgetNotes([keyOf(id, key)])
      return units.reach(() => consume(id, key))
    },

    look: async (id, key) => {
      const { points, pauseSeconds } = limits[id]
      const [counted, left] = await held(keyOf(id, key))
      const consumed = Number(counted ?? 0)
      if (consumed < points) return { ok: true, left: points - consumed - 1 }
      const pauseIsRunning = consumed > points || pauseSeconds === 0
      return refused(pauseIsRunning ? Math.max(0, Number(left)) : pauseSeconds * 1000)
    },

    forget: async (id, key) => {
      const counter = keyOf(id, key)
      units.current()?.notes.delete(counter)
      await units.queue(counter, { commands: [['del', counter]] })
    },
  }

  return { throttle, foresee: foreseeLook }
}

/**
 * Counters in Redis, by rate-limiter-flexible. The first attempt beyond `points` starts the pause
 * (`pauseSeconds` 0: what is left of the window); later ones do not prolong it. Time is counted by
 * Redis; `clock` only says when `until` is. Fails closed: where Redis does not serve, every call
 * throws StoreUnavailableError and nothing is allowed. Within a unit of work `forget` is queued.
 */
export const createThrottle = (
  redis: RedisClient,
  clock: Clock,
  limits: Limits = LIMITS,
): Throttle => createThrottles(createUnits(redis), clock, limits).throttle
