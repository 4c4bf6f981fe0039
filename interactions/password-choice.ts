import type { Member } from '../accounts/member.ts'
import {
  checkPassword,
  type PasswordContext,
  type PasswordVerdict,
  passwordRules,
  variantsOf,
} from '../accounts/password-policy.ts'
import { verifyPassword } from '../factors/password.ts'
import type { Pages } from '../views/pages.ts'

const contextOf = (member: Member): PasswordContext => ({
  loginId: member.loginId,
  birthdate: member.birthdate,
  ...(member.insured && { insured: member.insured }),
  ...(member.email && { email: member.email.address }),
})

/** The present password itself, or one that differs from it in what people change first. */
const isPresent = async (hash: string, password: string, others: boolean): Promise<boolean> => {
  const candidates = [password, ...(others ? variantsOf(password) : [])]
  for (const candidate of new Set(candidates)) {
    if (await verifyPassword(hash, candidate)) return true
  }
  return false
}

/** The checklist beside the field. */
export const rulesFor = (member: Member): Pages['new-password']['rules'] =>
  passwordRules(contextOf(member)).map((rule) => ({ ...rule, ok: false }))

/** Whether the member may have this password next: every rule, and not the present one. */
export const judgePassword = async (
  member: Member,
  candidate: string,
): Promise<PasswordVerdict> => {
  const first = await checkPassword(candidate, contextOf(member), false)
  const present = candidate !== '' && (await isPresent(member.password.hash, candidate, first.ok))
  return present ? checkPassword(candidate, contextOf(member), true) : first
}
