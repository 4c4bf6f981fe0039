import { clientName } from '../../accounts/policy.ts'
import { HISTORY_SECONDS } from '../../accounts/sign-ins.ts'
import { dateTimeText } from '../wording.ts'
import type { AccountPage } from './page.ts'

/** The sign-ins of 90 days, for the member to look through. */
export const history: AccountPage = {
  anytime: async () => true,
  async show({ services, facts, locale }) {
    const signIns = await services.signIns.list(facts.member.id, facts.now - HISTORY_SECONDS)
    const named = async (clientId: string) => {
      const client = await services.clients.find(clientId)
      return client && { app: clientName(client, locale) }
    }
    return {
      view: 'account-history',
      locals: {
        signIns: await Promise.all(
          signIns.map(async ({ at, device, clientId, factors }) => ({
            at: dateTimeText(at, locale),
            device,
            ...(await named(clientId)),
            factors,
          })),
        ),
      },
    }
  },
  acts: {},
}
