import type { ClientMetadata } from 'oidc-provider'
import { ACCOUNT_NAMES, accountCallbackPath, accountClientId } from '../accounts/account-client.ts'

/**
 * The account page as the engine's client. It has no secret and redeems no code: the sign-in itself
 * is what it is after, so the PKCE verifier of its requests is thrown away.
 */
export const accountClientMetadata = (issuer: string, societyId: string) =>
  ({
    client_id: accountClientId(societyId),
    client_name: ACCOUNT_NAMES.ja,
    redirect_uris: [`${issuer}${accountCallbackPath(societyId)}`],
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code'],
    response_types: ['code'],
    require_auth_time: true,
  }) satisfies ClientMetadata
