import { signOut } from '../../accounts/member.ts'
import { requireHashingRoom } from '../../factors/password.ts'
import { pendingKey } from '../email-challenge.ts'
import { endOtherSessions } from '../sessions.ts'
import { ceremonyOf, fault } from '../step.ts'
import { newPassword } from '../steps/new-password.ts'
import { timeText } from '../wording.ts'
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
        const { services, factors, facts, session, locale } = context
        const { member } = facts
        const current = form.current ?? ''
        if (current === '') return { ok: false, faults: [fault('pw.empty', 'current')] }
        const key = `account-page|${member.id}`
        requireHashingRoom()
        const attempt = await services.throttle.count('password', key)
        if (!attempt.ok) {
          const time = timeText(attempt.until, locale)
          return { ok: false, faults: [fault('code.toomany', 'current', { time })] }
        }
        const answer = { password: current }
        const verdict = await factors.password.finishAuthentication(
          member,
          {},
          answer,
          ceremonyOf(context),
        )
        if (!verdict.ok) {
          return { ok: false, faults: [fault('pw.current', 'current', { left: attempt.left })] }
        }
        await services.throttle.forget('password', key)
        const result = await newPassword.submit(context, { password: form.password ?? '' })
        if (!result.ok) return { ok: false, faults: result.faults }
        const { member: change = (same) => same, said } = result
        return {
          ok: true,
          member: (current) => signOut(change(current), services.clock.now(), session.uid),
          // Whoever knew the old password is out, with the change of address they may have begun.
          async after() {
            if (said) services.log.info(said.facts, said.event)
            await services.transient.take(pendingKey(member.id))
            await endOtherSessions(context, member.id, session.uid)
          },
          done: 'passwordChanged',
        }
      },
    },
  },
}
