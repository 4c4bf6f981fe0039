import type { Grant, KoaContextWithOIDC } from 'oidc-provider'

/**
 * The grant of a first-party relying party: every client belongs to the member's own society, so
 * what it is registered for is granted without asking.
 */
export const grantFirstParty = async (ctx: KoaContextWithOIDC): Promise<Grant | undefined> => {
  const { provider, session, client, params, requestParamOIDCScopes, requestParamClaims } = ctx.oidc
  if (!session?.accountId || !client || !params) return undefined
  const held = session.grantIdFor(client.clientId)
  const grant =
    (held && (await provider.Grant.find(held))) ||
    new provider.Grant({ clientId: client.clientId, accountId: session.accountId })
  grant.addOIDCScope([...requestParamOIDCScopes].join(' '))
  grant.addOIDCClaims([...requestParamClaims])
  await grant.save()
  return grant
}
