import { clientName } from '../../accounts/policy.ts'
import { tellMember } from '../methods/outcome.ts'
import { revokeGrantsOf } from '../sessions.ts'
import type { AccountContext } from './access.ts'
import type { AccountPage } from './page.ts'

/**
 * Nothing is allowed this application any more: its tokens are dead at once, whatever instance has
 * issued them, and it has to ask again. What a request under way still issues is dead, too: no
 * consent stands behind it, and one given later is younger (`isFromBefore`). It is told before it is
 * done: broken off in between, the connection still stands to be ended again, and is told once.
 */
const end = async (context: AccountContext, clientId: string): Promise<void> => {
  const { services, facts, society } = context
  const { consents, clients, audit, clock, log } = services
  const { member } = facts
  const consent = await consents.find(member.id, clientId)
  if (!consent) return
  await revokeGrantsOf(context, member.id, clientId)
  const id = `${clientId}-${member.id}-${consent.since}`
  await audit.append({
    id: `consent-ended:${id}`,
    at: clock.now(),
    act: 'consentWithdrawn',
    societyId: society.id,
    memberId: member.id,
    facts: { client: clientId },
  })
  const client = await clients.find(clientId)
  const own = { ...context, locale: member.locale }
  const app = client ? clientName(client, member.locale) : clientId
  await tellMember(own, 'appDisconnected', id, { app })
  await consents.withdraw(member.id, clientId)
  // A request may have come in between.
  await revokeGrantsOf(context, member.id, clientId)
  log.info({ memberId: member.id, clientId }, 'consent withdrawn')
}

/** The forms of the list of connected applications, which stands on the overview. */
export const connections: AccountPage = {
  anytime: async () => true,
  show: async () => undefined,
  acts: {
    end: {
      fields: { client: { max: 200 } },
      // Whoever is signed in may take away; to give, the page of the sign-in asks.
      anytime: true,
      async submit(context, form) {
        await end(context, form.client ?? '')
        return { ok: true, done: 'connectionEnded' }
      },
    },
  },
}
