import { changePassword, signOut } from '../../accounts/member.ts'
import { hashPassword } from '../../factors/password.ts'
import { sendNotice } from '../notice.ts'
import { judgePassword, rulesFor } from '../password-choice.ts'
import { type StepHandler, signInOf } from '../step.ts'

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
    const { services, facts } = context
    const candidate = form.password ?? ''
    const faults = await judgePassword(context, facts.member, candidate)
    if (faults.length > 0) return { ok: false, faults }
    const hash = await hashPassword(candidate)
    const now = services.clock.now()
    const { member } = facts
    await sendNotice(services, member, {
      template: 'passwordChanged',
      id: `password-${member.id}-${member.revision}`,
      locale: context.locale,
    })
    return {
      ok: true,
      said: { facts: { memberId: member.id }, event: 'password set' },
      member: (current) =>
        signOut(changePassword(current, hash, now), now, signInOf(context.uid, context.flow)),
    }
  },
}
