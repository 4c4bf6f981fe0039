import {
  ACCOUNT_NAMES,
  accountCallbackPath,
  accountClientId,
  accountClientPolicy,
} from '../accounts/account-client.ts'
import type { RegisteredClient } from '../clients/client.ts'

/**
 * The account page as a relying party of ours. It has no secret and redeems no code: the sign-in
 * itself is what it is after, so the PKCE verifier of its requests is thrown away.
 */
export const accountClient = (issuer: string, societyId: string): RegisteredClient => {
  const { uri, requiredAcr } = accountClientPolicy(issuer, { id: societyId })
  return {
    id: accountClientId(societyId),
    metadata: {
      client_name: ACCOUNT_NAMES.ja,
      'client_name#ja': ACCOUNT_NAMES.ja,
      'client_name#en': ACCOUNT_NAMES.en,
      application_type: 'web',
      redirect_uris: [`${issuer}${accountCallbackPath(societyId)}`],
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'none',
      require_auth_time: true,
      ...(uri !== undefined && { client_uri: uri }),
    },
    policy: { society: societyId, requiredAcr },
    secrets: [],
    registeredAt: 0,
    updatedAt: 0,
    tokensSince: 0,
    revision: 0,
  }
}
