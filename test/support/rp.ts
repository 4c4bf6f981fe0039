import * as client from 'openid-client'

/** How a relying party is registered. */
export type RegisteredClient = Readonly<{
  clientId: string
  /** Undefined: a public client. */
  clientSecret?: string
  redirectUri: string
  /** How it proves itself, unless by its secret in client_secret_basic or not at all. */
  authentication?: client.ClientAuth
}>

export type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers

export interface RelyingParty {
  readonly config: client.Configuration
  /** A new authorization request (PKCE S256, state, nonce, scope openid unless `params` say). */
  authorizationUrl(params?: Readonly<Record<string, string>>): Promise<string>
  /**
   * Redeems the response that came to the redirect URI and checks state, nonce, iss, signature.
   * @throws what openid-client throws: AuthorizationResponseError, ResponseBodyError …
   */
  finish(callbackUrl: string | URL): Promise<Tokens>
  userInfo(tokens: Tokens): Promise<client.UserInfoResponse>
}

/** A certified relying party (openid-client) that speaks with the provider over HTTP alone. */
export const aRelyingParty = async (
  { issuer }: Readonly<{ issuer: string }>,
  { clientId, clientSecret, redirectUri, authentication }: RegisteredClient,
): Promise<RelyingParty> => {
  const config = await client.discovery(
    new URL(issuer),
    clientId,
    clientSecret,
    authentication ??
      (clientSecret === undefined ? client.None() : client.ClientSecretBasic(clientSecret)),
    { execute: [client.allowInsecureRequests] },
  )
  const requests = new Map<string, { pkceCodeVerifier: string; expectedNonce: string }>()

  return {
    config,
    async authorizationUrl(params = {}) {
      const pkceCodeVerifier = client.randomPKCECodeVerifier()
      const expectedNonce = params.nonce ?? client.randomNonce()
      const state = params.state ?? client.randomState()
      requests.set(state, { pkceCodeVerifier, expectedNonce })
      return client.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'openid',
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        ...params,
        state,
        nonce: expectedNonce,
      }).href
    },
    async finish(callbackUrl) {
      const url = new URL(callbackUrl)
      const expectedState = url.searchParams.get('state') ?? ''
      const request = requests.get(expectedState)
      if (!request) throw new Error(`no authorization request was made with state ${expectedState}`)
      return client.authorizationCodeGrant(config, url, { ...request, expectedState })
    },
    userInfo(tokens) {
      const subject = tokens.claims()?.sub
      if (subject === undefined) throw new Error('no ID Token, so no subject to compare')
      return client.fetchUserInfo(config, tokens.access_token, subject)
    },
  }
}
