import { countInOrder, type LimitId } from '../../accounts/throttle.ts'
import type { Fault } from '../../views/pages.ts'
import type { StepContext } from '../step.ts'
import { tooMany } from '../too-many.ts'

/** An attempt that was counted before it was made, and how many are left. */
export type Attempt = Readonly<{ ok: true; left: number }> | Readonly<{ ok: false; fault: Fault }>

/** Counts one attempt of the member's against each limit. */
export const countAttempt = async (
  context: StepContext,
  limits: readonly (readonly [LimitId, string])[],
): Promise<Attempt> => {
  const allowance = await countInOrder(context.services.throttle, limits)
  return allowance.ok ? allowance : { ok: false, fault: await tooMany(context, limits) }
}

export const forgetAttempts = async (
  { services }: StepContext,
  limits: readonly (readonly [LimitId, string])[],
): Promise<void> => {
  await Promise.all(limits.map(([limit, key]) => services.throttle.forget(limit, key)))
}
