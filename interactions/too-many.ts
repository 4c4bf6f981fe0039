import type { Facts } from '../accounts/enrolment.ts'
import { clientName } from '../accounts/policy.ts'
import type { LimitId } from '../accounts/throttle.ts'
import type { Fault } from '../views/pages.ts'
import { fault, type StepContext } from './step.ts'
import { untilText } from './wording.ts'

/** What is left when a limit is used up. Absent: to wait. */
const REMEDY: { readonly [L in LimitId]?: 'newCode' | 'newRequest' | 'otherMethod' } = {
  emailCode: 'newCode',
  totpPerRequest: 'newRequest',
  totpInARow: 'otherMethod',
}

/**
 * What to say where one of these limits is used up: the member waits only where nothing else helps.
 * Nothing is counted.
 */
export const tooMany = async (
  { services, locale, client, atAccount }: StepContext<Facts>,
  limits: readonly (readonly [LimitId, string])[],
  field = 'code',
): Promise<Fault> => {
  const { throttle, clock } = services
  const pauses = await Promise.all(
    limits.map(async ([limit, key]) => {
      const allowance = await throttle.look(limit, key)
      return allowance.ok ? [] : [{ remedy: REMEDY[limit], until: allowance.until }]
    }),
  )
  const used = pauses.flat()
  const remedies = used.map(({ remedy }) => remedy)
  if (remedies.includes('otherMethod')) return fault('totp.stopped', field)
  // At the account page there is no request that another could take the place of.
  const waits = used.filter(({ remedy }) => !remedy || (remedy === 'newRequest' && atAccount))
  if (waits.length === 0 && remedies.includes('newCode')) return fault('code.spent', field)
  if (waits.length === 0 && remedies.includes('newRequest')) {
    return fault('code.restart', field, { app: clientName(client, locale) })
  }
  const until = Math.max(clock.now(), ...waits.map((wait) => wait.until))
  return fault('code.toomany', field, { time: untilText(until, locale) })
}
