import { Counter, type Registry } from 'prom-client'
import type { Throttle } from '../accounts/ports.ts'
import type { LimitId } from '../accounts/throttle.ts'

/** Figures of exhausted limits, in this registry: gives the throttle whose refusals are counted. */
export const limitFigures = (registry: Registry): ((throttle: Throttle) => Throttle) => {
  const registers = [registry]
  const limited = new Counter({
    name: 'idp_rate_limited_total',
    help: 'Attempts that met an exhausted limit',
    labelNames: ['rule'],
    registers,
  })
  const lockouts = new Counter({
    name: 'idp_lockout_total',
    help: 'Sign-in attempts refused because their account is paused',
    registers,
  })

  const noteRefused = (rule: LimitId): void => {
    limited.inc({ rule })
    if (rule === 'password') lockouts.inc()
  }

  return (throttle) => {
    const { countInOrder } = throttle
    return {
      // A store's further methods, such as `countAhead`, stay as they are.
      ...throttle,
      async count(limit, key) {
        const allowance = await throttle.count(limit, key)
        if (!allowance.ok) noteRefused(limit)
        return allowance
      },
      ...(countInOrder && {
        countInOrder: async (limits) => {
          const allowance = await countInOrder(limits)
          if (!allowance.ok) noteRefused(allowance.limit)
          return allowance
        },
      }),
      async look(limit, key) {
        const allowance = await throttle.look(limit, key)
        // Not an attempt yet, so no lockout.
        if (!allowance.ok) limited.inc({ rule: limit })
        return allowance
      },
    }
  }
}
