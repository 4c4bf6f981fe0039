import type { LimitId } from '../../accounts/throttle.ts'
import type { Fault } from '../../views/pages.ts'
import { fault, type StepContext } from '../step.ts'
import { untilText } from '../wording.ts'

/** An attempt that was counted before it was made, and how many are left. */
export type Attempt = Readonly<{ ok: true; left: number }> | Readonly<{ ok: false; fault: Fault }>

/** Counts one attempt of the member's against each limit. */
export const countAttempt = async (
  { services, locale }: StepContext,
  limits: readonly (readonly [LimitId, string])[],
): Promise<Attempt> => {
  let left = Number.POSITIVE_INFINITY
  for (const [limit, key] of limits) {
    const allowance = await services.throttle.count(limit, key)
    if (!allowance.ok) {
      const time = untilText(allowance.until, locale)
      return { ok: false, fault: fault('code.toomany', 'code', { time }) }
    }
    left = Math.min(left, allowance.left)
  }
  return { ok: true, left }
}

export const forgetAttempts = async (
  { services }: StepContext,
  limits: readonly (readonly [LimitId, string])[],
): Promise<void> => {
  for (const [limit, key] of limits) await services.throttle.forget(limit, key)
}
