import { signOut } from '../../accounts/member.ts'
import { endOtherSessions, endSession, liveSessions } from '../sessions.ts'
import type { AccountPage } from './page.ts'

/** The forms of the list of sessions, which stands on the overview. */
export const sessions: AccountPage = {
  anytime: async () => true,
  show: async () => undefined,
  acts: {
    end: {
      fields: { uid: { max: 100 } },
      anytime: true,
      async submit(context, form) {
        const { member } = context.facts
        const live = await liveSessions(context, member.id)
        const meant = live.find(({ uid }) => uid === form.uid && uid !== context.session.uid)
        if (meant) await endSession(context, member.id, meant.uid)
        return { ok: true, done: 'sessionEnded' }
      },
    },
    'end-others': {
      fields: {},
      anytime: true,
      async submit(context) {
        const { services, session } = context
        const now = services.clock.now()
        return {
          ok: true,
          member: (member) => signOut(member, now, session.uid),
          after: () => endOtherSessions(context, context.facts.member.id, session.uid),
          done: 'sessionsEnded',
        }
      },
    },
  },
}
