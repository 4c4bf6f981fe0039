import { beginAnew, changePassword, type EpochSeconds, type Member } from '../../accounts/member.ts'
import { hashPassword } from '../../factors/password.ts'
import type { Fault } from '../../views/pages.ts'
import { sendNotice } from '../notice.ts'
import { judgePassword, rulesFor } from '../password-choice.ts'
import { type StepContext, type StepHandler, signInOf } from '../step.ts'

/** A password of the member's own in place of the present one; the member is told first. */
export const takeNewPassword = async (
  context: StepContext,
  candidate: string,
): Promise<
  | Readonly<{ ok: true; at: EpochSeconds; member: (member: Member) => Member }>
  | Readonly<{ ok: false; faults: readonly Fault[] }>
> => {
  const { services, facts, locale } = context
  const { member } = facts
  const faults = await judgePassword(context, member, candidate)
  if (faults.length > 0) return { ok: false, faults }
  const hash = await hashPassword(candidate)
  const at = services.clock.now()
  await sendNotice(services, member, {
    template: 'passwordChanged',
    id: `password-${member.id}-${member.revision}`,
    locale,
  })
  return { ok: true, at, member: (current) => changePassword(current, hash, at) }
}

/**
 * Manual step 9. The rules of the live checklist are the server's own. Whoever else is half-way in
 * with the initial password is so no more.
 */
export const newPassword: StepHandler = {
  fields: { password: { max: 1000 } },
  position: () => 6,

  async show(context) {
    return {
      view: 'new-password',
      locals: {
        loginId: context.facts.member.loginId,
        rules: rulesFor(context.facts.member),
      },
    }
  },

  async submit(context, form) {
    const taken = await takeNewPassword(context, form.password ?? '')
    if (!taken.ok) return taken
    const signIn = signInOf(context.uid, context.flow)
    return {
      ok: true,
      said: { facts: { memberId: context.facts.member.id }, event: 'password set' },
      member: (current) => beginAnew(taken.member(current), taken.at, signIn),
    }
  },
}
