import { RateLimiterRes, RateLimiterSQLite } from 'rate-limiter-flexible'
import type { Allowance, Clock, Throttle } from '../../accounts/ports.ts'
import { LIMITS, type LimitId } from '../../accounts/throttle.ts'
import type { Database } from './database.ts'

export type Limit = Readonly<{ points: number; seconds: number; pauseSeconds: number }>
export type Limits = Readonly<Record<LimitId, Limit>>

/**
 * Counters in the embedded file, by rate-limiter-flexible. The first attempt beyond `points` starts
 * the pause (`pauseSeconds` 0: what is left of the window); later ones do not prolong it. The
 * library counts time by the machine's own clock; `clock` only says when `until` is.
 */
export const createThrottle = (db: Database, clock: Clock, limits: Limits = LIMITS): Throttle => {
  // What the library's better-sqlite3 driver calls; ours takes the write lock at once and prepares
  // each statement once.
  const storeClient = {
    prepare: db.prepare,
    transaction: (work: () => unknown) => () => db.transaction(work),
  }
  const limiterOf = (id: LimitId) =>
    new RateLimiterSQLite({
      storeClient,
      storeType: 'better-sqlite3',
      tableName: 'throttle',
      tableCreated: true,
      keyPrefix: id,
      points: limits[id].points,
      duration: limits[id].seconds,
      blockDuration: limits[id].pauseSeconds,
    })
  // One limiter for each key of LIMITS, which Object.keys widens to string.
  const ids = Object.keys(limits) as LimitId[]
  const limiters = new Map(ids.map((id) => [id, limiterOf(id)]))
  const limiter = (id: LimitId): RateLimiterSQLite => {
    const found = limiters.get(id)
    if (!found) throw new TypeError(`no limit named ${id}`)
    return found
  }

  const refused = (milliseconds: number): Allowance => ({
    ok: false,
    until: clock.now() + Math.ceil(milliseconds / 1000),
  })

  return {
    count: async (id, key) => {
      try {
        return { ok: true, left: (await limiter(id).consume(key)).remainingPoints }
      } catch (outcome) {
        if (outcome instanceof RateLimiterRes) return refused(outcome.msBeforeNext)
        throw outcome
      }
    },

    look: async (id, key) => {
      const { points, pauseSeconds } = limits[id]
      const held = await limiter(id).get(key)
      const consumed = held?.consumedPoints ?? 0
      if (consumed < points) return { ok: true, left: points - consumed - 1 }
      const pauseIsRunning = consumed > points || pauseSeconds === 0
      return refused(pauseIsRunning ? (held?.msBeforeNext ?? 0) : pauseSeconds * 1000)
    },

    forget: async (id, key) => {
      await limiter(id).delete(key)
    },
  }
}
