import type {
  AccessToken,
  Client,
  ClientCredentials,
  KoaContextWithOIDC,
  RefreshToken,
} from 'oidc-provider'
import type { KnownClients } from '../clients/directory.ts'
import type { findAccount } from './account.ts'
import { termsOf } from './clients.ts'

type Token = AccessToken | ClientCredentials | RefreshToken

/** Tokens for an API are that API's business; refresh tokens are nobody's but the client's. */
const isTheirs = (caller: Client, token: Token): boolean => {
  if (token.clientId === caller.clientId) return true
  const audience = 'aud' in token ? token.aud : undefined
  return typeof audience === 'string' && termsOf(caller).introspects?.includes(audience) === true
}

/**
 * Who may learn what a token is worth (RFC 7662 section 4): a client with a secret or keys, of its
 * own tokens and of those for the APIs that it is. A token whose client is gone, was disabled or made
 * anew since, or whose member is blocked or signed out, is worth nothing to anybody.
 */
export const mayIntrospect =
  (known: Pick<KnownClients, 'find'>, account: ReturnType<typeof findAccount>) =>
  async (ctx: KoaContextWithOIDC, caller: Client, token: Token): Promise<boolean> => {
    if (caller.clientAuthMethod === 'none' || !isTheirs(caller, token)) return false
    const issuedTo = await known.find(token.clientId ?? '')
    if (!issuedTo || issuedTo.client.disabled) return false
    if (token.iat < issuedTo.client.tokensSince) return false
    if (!('accountId' in token)) return true
    return (await account(ctx, String(token.accountId), token)) !== undefined
  }
