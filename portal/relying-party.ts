import * as client from 'openid-client'
import { createLogoutTokenReader, type EndedSignIn } from './logout-token.ts'

/** How the portal is registered at the provider. */
export type Registration = Readonly<{
  issuer: string
  clientId: string
  clientSecret: string
  redirectUri: string
  postLogoutRedirectUri: string
}>

/** A sign-in under way, kept by the member's browser until the answer comes. */
export type StartedSignIn = Readonly<{
  state: string
  nonce: string
  codeVerifier: string
  maxAge?: number | undefined
}>

/** A finished sign-in. */
export type SignIn = Readonly<{ idToken: string; claims: Readonly<Record<string, unknown>> }>

const TIMEOUT_SECONDS = 10
/** How the member signed in (OIDC Core section 5.5), to be shown. */
const WANTED_CLAIMS = JSON.stringify({ id_token: { acr: null, amr: null } })

/**
 * One relying party: authorization code flow with PKCE, state and nonce (OIDC Core section 3.1).
 * The provider is looked up at the first sign-in, and again after a lookup that failed.
 */
export const createRelyingParty = (registration: Registration) => {
  let discovered: Promise<client.Configuration> | undefined
  let reader: ReturnType<typeof createLogoutTokenReader> | undefined

  const discover = (): Promise<client.Configuration> => {
    const issuer = new URL(registration.issuer)
    discovered ??= client
      .discovery(
        issuer,
        registration.clientId,
        undefined,
        client.ClientSecretBasic(registration.clientSecret),
        {
          timeout: TIMEOUT_SECONDS,
          // On a developer's machine the provider speaks http.
          execute: issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [],
        },
      )
      .catch((error: unknown) => {
        discovered = undefined
        throw error
      })
    return discovered
  }

  return {
    /** @throws when the provider cannot be reached */
    async start(
      extra: Readonly<Record<string, string>>,
    ): Promise<{ url: string; started: StartedSignIn }> {
      const configuration = await discover()
      const codeVerifier = client.randomPKCECodeVerifier()
      const started: StartedSignIn = {
        state: client.randomState(),
        nonce: client.randomNonce(),
        codeVerifier,
        // What is no number of seconds the provider refuses.
        ...(/^\d+$/.test(extra.max_age ?? '') && { maxAge: Number(extra.max_age) }),
      }
      const url = client.buildAuthorizationUrl(configuration, {
        claims: WANTED_CLAIMS,
        ...extra,
        redirect_uri: registration.redirectUri,
        scope: 'openid',
        state: started.state,
        nonce: started.nonce,
        code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
        code_challenge_method: 'S256',
      })
      return { url: url.href, started }
    },

    /**
     * Redeems the provider's answer, whose state, nonce, iss, signature and auth_time are checked.
     * @throws client.AuthorizationResponseError where the provider answered with an error
     */
    async finish(callbackUrl: URL, started: StartedSignIn): Promise<SignIn> {
      const tokens = await client.authorizationCodeGrant(await discover(), callbackUrl, {
        expectedState: started.state,
        expectedNonce: started.nonce,
        pkceCodeVerifier: started.codeVerifier,
        idTokenExpected: true,
        ...(started.maxAge === undefined ? {} : { maxAge: started.maxAge }),
      })
      return { idToken: tokens.id_token ?? '', claims: { ...tokens.claims() } }
    },

    /**
     * Whose sign-in the provider's logout token ends.
     * @throws where it is no good, or the provider's keys cannot be had
     */
    async endedBy(logoutToken: string): Promise<EndedSignIn> {
      const { issuer, jwks_uri: jwksUri } = (await discover()).serverMetadata()
      if (jwksUri === undefined) throw new Error('the provider names no jwks_uri')
      reader ??= createLogoutTokenReader({ issuer, jwksUri }, registration.clientId)
      return reader(logoutToken)
    },

    /** Where the browser signs out at the provider as well (RP-Initiated Logout section 2). */
    async endSessionUrl(idToken: string): Promise<string> {
      return client.buildEndSessionUrl(await discover(), {
        id_token_hint: idToken,
        post_logout_redirect_uri: registration.postLogoutRedirectUri,
      }).href
    },
  }
}
