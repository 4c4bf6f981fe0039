import { countInOrder, type LimitId } from '../../accounts/throttle.ts'
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
  const allowance = await countInOrder(services.throttle, limits)
  if (allowance.ok) return allowance
  const time = untilText(allowance.until, locale)
  return { ok: false, fault: fault('code.toomany', 'code', { time }) }
}

export const forgetAttempts = async (
  { services }: StepContext,
  limits: readonly (readonly [LimitId, string])[],
): Promise<void> => {
  await Promise.all(limits.map(([limit, key]) => services.throttle.forget(limit, key)))
}
