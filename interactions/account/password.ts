import { signOut } from '../../accounts/member.ts'
import { isTooLong, requireHashingRoom } from '../../factors/password.ts'
import { pendingKey } from '../email-challenge.ts'
import { endOtherSessions } from '../sessions.ts'
import { ceremonyOf, fault } from '../step.ts'
import { newPassword, takeNewPassword } from '../steps/new-password.ts'
import { tooMany } from '../too-many.ts'
import type { AccountPage } from './page.ts'

/** The current password, and a new one by the first login's own rules. */
export const password: AccountPage = {
  async show(context) {
    const page = await newPassword.show(context)
    if (page.view !== 'new-password') throw new Error('the step has another page')
    return { view: 'account-password', locals: page.locals }
  },
  acts: {
    change: {
      fields: { current: { max: 1000 }, password: { max: 1000 } },
      async submit(context, form) {
        const { services, factors, facts, session } = context
        const { member } = facts
        const current = form.current ?? ''
        if (current === '') return { ok: false, faults: [fault('pw.empty', 'current')] }
        if (isTooLong(current)) return { ok: false, faults: [fault('pw.toolong', 'current')] }
        const limit = ['password', `account-page|${member.id}`] as const
        requireHashingRoom()
        const attempt = await services.throttle.count(...limit)
        if (!attempt.ok) {
          return { ok: false, faults: [await tooMany(context, [limit], 'current')] }
        }
        const answer = { password: current }
        const verdict = await factors.password.finishAuthentication(
          member,
          {},
          answer,
          ceremonyOf(context),
        )
        if (!verdict.ok) {
          const { left } = attempt
          const why =
            left === 0
              ? await tooMany(context, [limit], 'current')
              : fault('pw.current', 'current', { left })
          return { ok: false, faults: [why] }
        }
        await services.throttle.forget(...limit)
        const taken = await takeNewPassword(context, form.password ?? '')
        if (!taken.ok) return taken
        return {
          ok: true,
          member: (current) => signOut(taken.member(current), taken.at, session.uid),
          // Whoever knew the old password is out, with the change of address they may have begun.
          async after() {
            services.log.info({ memberId: member.id }, 'password set')
            await services.transient.take(pendingKey(member.id))
            await endOtherSessions(context, member.id, session.uid)
          },
          done: 'passwordChanged',
        }
      },
    },
  },
}
