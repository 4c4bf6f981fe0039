import {
  type AdapterFactory,
  type ClientMetadata,
  type ErrorOut,
  type JWKS,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider'
import { ACR_LADDER } from '../accounts/assurance.ts'
import type { MemberStore } from '../accounts/ports.ts'
import { assuranceOfToken, findAccount, pairwiseIdentifier } from './account.ts'
import { grantFirstParty } from './grants.ts'
import { createInteractionPolicy, type PolicyContext } from './interaction-policy.ts'
import { ttl } from './ttl.ts'

/** The engine's own moments that our pages show. */
export type ProviderPages = Readonly<{
  error(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): Promise<void>
  logout(ctx: KoaContextWithOIDC): Promise<void>
  loggedOut(ctx: KoaContextWithOIDC): Promise<void>
}>

export type ProviderOptions = PolicyContext &
  Readonly<{
    issuer: string
    jwks: JWKS
    cookieKeys: readonly string[]
    pairwiseSalt: string
    clientMetadata: readonly ClientMetadata[]
    artifacts: AdapterFactory
    members: MemberStore
    pages: ProviderPages
  }>

/** On https the session cookie is bound to this host and path; koa refuses `Secure` on plain http. */
const cookieNames = (secure: boolean) => ({
  session: secure ? '__Host-idp_session' : 'idp_session',
  interaction: secure ? '__Secure-idp_interaction' : 'idp_interaction',
  resume: secure ? '__Secure-idp_resume' : 'idp_resume',
})

/** The OpenID Provider: oidc-provider with our policy, accounts and pages. */
export const createProvider = (options: ProviderOptions): Provider => {
  const secure = options.issuer.startsWith('https:')
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax', overwrite: true, secure } as const
  return new Provider(options.issuer, {
    adapter: options.artifacts,
    clients: [...options.clientMetadata],
    jwks: options.jwks,
    cookies: {
      keys: [...options.cookieKeys],
      names: cookieNames(secure),
      long: cookie,
      short: cookie,
    },
    findAccount: findAccount(options.members),
    subjectTypes: ['pairwise', 'public'],
    pairwiseIdentifier: pairwiseIdentifier(options.pairwiseSalt),
    clientDefaults: { subject_type: 'pairwise' },
    acrValues: [...ACR_LADDER],
    claims: {
      iss: null,
      sid: null,
      // How and when the member signed in is told without being asked for.
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      profile: ['locale'],
      email: ['email', 'email_verified'],
    },
    scopes: ['openid', 'offline_access'],
    responseTypes: ['code'],
    pkce: { required: () => true },
    allowOmittingSingleRegisteredRedirectUri: false,
    interactions: {
      policy: createInteractionPolicy(options),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    extraTokenClaims: assuranceOfToken,
    loadExistingGrant: grantFirstParty,
    renderError: options.pages.error,
    features: {
      devInteractions: { enabled: false },
      claimsParameter: { enabled: true },
      resourceIndicators: { enabled: false },
      revocation: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx) => options.pages.logout(ctx),
        postLogoutSuccessSource: (ctx) => options.pages.loggedOut(ctx),
      },
    },
    discovery: { ui_locales_supported: ['ja', 'en'], service_documentation: undefined },
    ttl: ttl(() => options.clock.now()),
  })
}
