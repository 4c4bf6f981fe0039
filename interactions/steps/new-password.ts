import { changePassword } from '../../accounts/member.ts'
import {
  checkPassword,
  type PasswordContext,
  passwordRules,
  variantsOf,
} from '../../accounts/password-policy.ts'
import { hashPassword, verifyPassword } from '../../factors/password.ts'
import type { StepContext, StepHandler } from '../step.ts'

const contextOf = ({ facts: { member } }: StepContext): PasswordContext => ({
  loginId: member.loginId,
  birthdate: member.birthdate,
  ...(member.insured && { insured: member.insured }),
  ...(member.email && { email: member.email.address }),
})

/** The initial password itself, or one that differs from it in what people change first. */
const isInitial = async (hash: string, password: string, others: boolean): Promise<boolean> => {
  const candidates = [password, ...(others ? variantsOf(password) : [])]
  for (const candidate of new Set(candidates)) {
    if (await verifyPassword(hash, candidate)) return true
  }
  return false
}

/** Manual step 9. The rules of the live checklist are the server's own. */
export const newPassword: StepHandler = {
  fields: { password: { max: 1000 } },
  position: () => 6,

  async show(context) {
    return {
      view: 'new-password',
      locals: {
        loginId: context.facts.member.loginId,
        rules: passwordRules(contextOf(context)).map((rule) => ({ ...rule, ok: false })),
      },
    }
  },

  async submit(context, form) {
    const { services, facts } = context
    const candidate = form.password ?? ''
    const first = checkPassword(candidate, contextOf(context), false)
    const initial =
      candidate !== '' && (await isInitial(facts.member.password.hash, candidate, first.ok))
    const checked = initial ? checkPassword(candidate, contextOf(context), true) : first
    if (!checked.ok) return { ok: false, faults: checked.faults }
    const hash = await hashPassword(candidate)
    const now = services.clock.now()
    const { member } = facts
    if (member.email?.verifiedAt !== undefined) {
      await services.outbox.add({
        id: `password-${member.id}-${member.revision}`,
        to: member.email.address,
        template: 'passwordChanged',
        locale: context.locale,
        societyId: member.societyId,
        facts: {},
        requestedAt: now,
        expiresAt: now + 86_400,
      })
    }
    services.log.info({ memberId: member.id }, 'password set')
    return { ok: true, member: (current) => changePassword(current, hash, now) }
  },
}
