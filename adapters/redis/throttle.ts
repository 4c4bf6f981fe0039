import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import type { Allowance, Clock, Throttle } from '../../accounts/ports.ts'
import { LIMITS, type LimitId } from '../../accounts/throttle.ts'
import { type RedisClient, reach } from './connect.ts'

type Limit = Readonly<{ points: number; seconds: number; pauseSeconds: number }>
export type Limits = Readonly<Record<LimitId, Limit>>

/**
 * Counters in Redis, by rate-limiter-flexible. The first attempt beyond `points` starts the pause
 * (`pauseSeconds` 0: what is left of the window); later ones do not prolong it. Time is counted by
 * Redis; `clock` only says when `until` is. Fails closed: where Redis does not serve, every call
 * throws StoreUnavailableError and nothing is allowed.
 */
export const createThrottle = (
  redis: RedisClient,
  clock: Clock,
  limits: Limits = LIMITS,
): Throttle => {
  const limiterOf = (id: LimitId) =>
    new RateLimiterRedis({
      storeClient: redis,
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

  const refused = (milliseconds: number): Allowance => ({
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

  return {
    count: (id, key) => reach(() => consume(id, key)),

    look: async (id, key) => {
      const { points, pauseSeconds } = limits[id]
      const held = await reach(() => limiter(id).get(key))
      const consumed = held?.consumedPoints ?? 0
      if (consumed < points) return { ok: true, left: points - consumed - 1 }
      const pauseIsRunning = consumed > points || pauseSeconds === 0
      return refused(pauseIsRunning ? (held?.msBeforeNext ?? 0) : pauseSeconds * 1000)
    },

    forget: async (id, key) => {
      await reach(() => limiter(id).delete(key))
    },
  }
}
