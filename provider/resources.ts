import { type Client, errors, type KoaContextWithOIDC, type ResourceServer } from 'oidc-provider'
import { termsOf } from './clients.ts'

/** What an API checks by itself cannot be taken back, so it does not live long. */
const JWT_SECONDS = 600

/**
 * The API that a client names (RFC 8707 section 2): one of those it is registered for.
 * @throws InvalidTarget
 */
export const resourceServerOf = (
  _ctx: KoaContextWithOIDC,
  resource: string,
  client: Client,
): ResourceServer => {
  const registered = termsOf(client).resources?.find(({ uri }) => uri === resource)
  if (!registered) {
    throw new errors.InvalidTarget('the client is not registered for this resource')
  }
  return {
    audience: registered.uri,
    scope: registered.scopes.join(' '),
    accessTokenFormat: registered.format,
    ...(registered.format === 'jwt' && { accessTokenTTL: JWT_SECONDS }),
  }
}
