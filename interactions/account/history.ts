import { clientName } from '../../accounts/policy.ts'
import { HISTORY_SECONDS } from '../../accounts/sign-ins.ts'
import { dateTimeText } from '../wording.ts'
import type { AccountPage } from './page.ts'

/** The sign-ins of 90 days, for the member to look through. */
export const history: AccountPage = {
  anytime: async () => true,
  async show({ services, facts, locale }) {
    const signIns = await services.signIns.list(facts.member.id, facts.now - HISTORY_SECONDS)
    return {
      view: 'account-history',
      locals: {
        signIns: signIns.map(({ at, device, clientId, factors }) => {
          const client = services.settings.clients.get(clientId)
          return {
            at: dateTimeText(at, locale),
            device,
            ...(client && { app: clientName(client, locale) }),
            factors,
          }
        }),
      },
    }
  },
  acts: {},
}
