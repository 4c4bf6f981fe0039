import {
  type AdapterFactory,
  type ErrorOut,
  type JWKS,
  type KoaContextWithOIDC,
  Provider,
} from 'oidc-provider'
import { ACR_LADDER } from '../accounts/assurance.ts'
import type { MemberStore, RandomBytes } from '../accounts/ports.ts'
import type { Clients } from '../clients/index.ts'
import type { Fetch } from '../clients/sector.ts'
import { assuranceOfToken, findAccount, pairwiseIdentifier } from './account.ts'
import { acceptLiveSecrets, EXTRA_CLIENT_METADATA, termsOf, withClients } from './clients.ts'
import { grantFirstParty } from './grants.ts'
import { createInteractionPolicy, type PolicyContext } from './interaction-policy.ts'
import { type EndedAtClient, noteLogouts } from './logout-token.ts'
import { createClientRegistration } from './registration.ts'
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
    artifacts: AdapterFactory
    clients: Clients
    randomBytes: RandomBytes
    /** Software may register itself, with a token of the operator's. */
    registration: boolean
    /** Where addresses that clients name are called. */
    fetch: Fetch
    members: MemberStore
    pages: ProviderPages
    /** Somebody signed out at the engine's own page: a relying party is to be told, later. */
    noteLogout(ended: EndedAtClient): Promise<void>
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
  const { clock } = options
  const { known } = options.clients
  const registration = createClientRegistration(options.clients, options.randomBytes)
  const provider = new Provider(options.issuer, {
    adapter: withClients(options.artifacts, { known, clock, registration }),
    extraClientMetadata: { properties: EXTRA_CLIENT_METADATA },
    // Looked at when a client is registered, not each time it is loaded.
    sectorIdentifierUriValidate: () => false,
    fetch: (url, init) => options.fetch(String(url), init ?? {}),
    jwks: options.jwks,
    cookies: {
      keys: [...options.cookieKeys],
      names: cookieNames(secure),
      long: cookie,
      short: cookie,
    },
    findAccount: findAccount(options.members, known),
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
    pkce: { required: (_ctx, client) => termsOf(client).pkce !== 'optional' },
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
      ...registration.features(options.registration),
      clientCredentials: { enabled: true },
      claimsParameter: { enabled: true },
      resourceIndicators: { enabled: false },
      revocation: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx) => options.pages.logout(ctx),
        postLogoutSuccessSource: (ctx) => options.pages.loggedOut(ctx),
      },
    },
    discovery: { ui_locales_supported: ['ja', 'en'], service_documentation: undefined },
    ttl: ttl(() => options.clock.now()),
  })
  acceptLiveSecrets(provider, { known, clock })
  noteLogouts(provider, options.noteLogout)
  return provider
}
