import { type Consent, holdsFor } from '../accounts/consents.ts'
import type { EpochSeconds, MemberId } from '../accounts/member.ts'
import type { ClientPolicy } from '../accounts/policy.ts'
import type { ClientDirectory, ConsentStore } from '../accounts/ports.ts'
import { SCOPE_CLAIMS } from './scopes.ts'

/** The claims that these scopes stand for. */
export const claimsOfScopes = (scopes: readonly string[]): readonly string[] =>
  Object.entries(SCOPE_CLAIMS).flatMap(([scope, claims]) => (scopes.includes(scope) ? claims : []))

/** What the member has allowed the client that has this ID now. */
export const heldConsent = async (
  consents: Pick<ConsentStore, 'find'>,
  memberId: MemberId,
  client: Readonly<{ id: string; registeredAt?: EpochSeconds }>,
): Promise<Consent | undefined> => {
  const consent = await consents.find(memberId, client.id)
  return holdsFor(consent, client) ? consent : undefined
}

/** A consent with the client it holds for; absent: that one is gone, or disabled. */
export type StandingConsent = Readonly<{ consent: Consent; client?: ClientPolicy }>

/** All that the member has allowed, the newest first, but for what an earlier client of the same ID
 * was allowed. */
export const standingConsents = async (
  consents: Pick<ConsentStore, 'list'>,
  clients: Pick<ClientDirectory, 'find'>,
  memberId: MemberId,
): Promise<readonly StandingConsent[]> => {
  const found = await Promise.all(
    (await consents.list(memberId)).map(async (consent) => ({
      consent,
      client: await clients.find(consent.clientId),
    })),
  )
  return found.flatMap(({ consent, client }): readonly StandingConsent[] => {
    if (!client) return [{ consent }]
    return holdsFor(consent, client) ? [{ consent, client }] : []
  })
}
