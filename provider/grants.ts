import type { Grant, KoaContextWithOIDC } from 'oidc-provider'
import { allowedBy, isAlwaysTold, isNothing, type Permissions } from '../accounts/consents.ts'
import type { MemberId } from '../accounts/member.ts'
import { claimsGranted } from './claims.ts'
import { termsOf } from './clients.ts'
import { askedBy, type FindConsent } from './consents.ts'

const add = (
  grant: Grant,
  { scopes, claims, resources }: Permissions,
  { oidc }: KoaContextWithOIDC,
): void => {
  grant.addOIDCScope(scopes.join(' '))
  const told = oidc.client ? claimsGranted(oidc.requestParamClaims, oidc.client) : []
  grant.addOIDCClaims(told.filter((claim) => claims.includes(claim) || isAlwaysTold(claim)))
  for (const one of resources) {
    const [indicator = '', scope] = one.split(' ')
    if (scope !== undefined) grant.addResourceScope(indicator, scope)
  }
}

/**
 * The grant that this session holds for the client, with what the request asks for. The society's
 * own client is granted it without asking; a third party's what the member has allowed it, and not
 * more: what is missing, `consent` in the policy asks for.
 */
export const createGrants =
  (findConsent: FindConsent) =>
  async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
    const { provider, session, client } = ctx.oidc
    if (!session?.accountId || !client) return undefined
    const { accountId } = session
    const { clientId } = client
    const held = session.grantIdFor(clientId)
    const former = held === undefined ? undefined : await provider.Grant.find(held)
    const asked = askedBy(ctx)

    if (termsOf(client).thirdParty !== true) {
      const grant = former ?? new provider.Grant({ clientId, accountId })
      add(grant, asked, ctx)
      await grant.save()
      return grant
    }
    // The engine's account IDs are ours.
    const consent = await findConsent(accountId as MemberId, clientId)
    const allowed = allowedBy(consent, asked)
    if (!consent || isNothing(allowed)) return undefined
    // One from before the consent that there is now may hold what nobody allows any more.
    const isOfConsent = former !== undefined && (former.iat ?? 0) >= consent.since
    const grant = isOfConsent ? former : new provider.Grant({ clientId, accountId })
    add(grant, allowed, ctx)
    await grant.save()
    return grant
  }
