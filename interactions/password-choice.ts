import type { Facts } from '../accounts/enrolment.ts'
import type { Member } from '../accounts/member.ts'
import {
  checkPassword,
  type PasswordContext,
  passwordRules,
  variantsOf,
} from '../accounts/password-policy.ts'
import { requireHashingRoom, verifyPassword } from '../factors/password.ts'
import type { Fault, Pages } from '../views/pages.ts'
import { fault, type StepContext } from './step.ts'
import { untilText } from './wording.ts'

const contextOf = (member: Member): PasswordContext => ({
  loginId: member.loginId,
  birthdate: member.birthdate,
  ...(member.insured && { insured: member.insured }),
  ...(member.email && { email: member.email.address }),
})

/** The checklist beside the field. */
export const rulesFor = (member: Member): Pages['new-password']['rules'] =>
  passwordRules(contextOf(member)).map((rule) => ({ ...rule, ok: false }))

/** What the rules say against a new password. Nothing is compared with the present one. */
export const brokenRules = async (member: Member, candidate: string): Promise<readonly Fault[]> =>
  (await checkPassword(candidate, contextOf(member), false)).faults

/**
 * The fault of a new password that is the present one, or one of these others is. Whoever may try
 * this can find the present one out, so that each try is counted before it is compared.
 * @throws OverloadedError
 */
export const refusePresent = async (
  { services, locale }: StepContext<Facts>,
  member: Member,
  candidate: string,
  others: readonly string[] = [],
): Promise<Fault | undefined> => {
  requireHashingRoom()
  const attempt = await services.throttle.count('newPassword', member.id)
  if (!attempt.ok) {
    const time = untilText(attempt.until, locale)
    return fault('code.toomany', 'password', { time })
  }
  for (const one of new Set([candidate, ...others])) {
    if (await verifyPassword(member.password.hash, one)) return fault('pw.same', 'password')
  }
  return undefined
}

/**
 * What speaks against a new password of a member who has proven the present one: the rules, else that
 * it differs from the present one in no more than people change first. @throws OverloadedError
 */
export const judgePassword = async (
  context: StepContext<Facts>,
  member: Member,
  candidate: string,
): Promise<readonly Fault[]> => {
  const broken = await brokenRules(member, candidate)
  if (broken.length > 0) return broken
  const same = await refusePresent(context, member, candidate, variantsOf(candidate))
  return same ? [same] : []
}
