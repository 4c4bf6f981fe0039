import type {
  AdapterFactory,
  ErrorOut,
  JWKS,
  KoaContextWithOIDC,
  Provider,
  ResponseType,
} from 'oidc-provider'
import { ACR_LADDER } from '../accounts/assurance.ts'
import type { ConsentStore, Log, MemberStore, RandomBytes } from '../accounts/ports.ts'
import type { Features } from '../clients/features.ts'
import type { Clients } from '../clients/index.ts'
import { scopesOf } from '../clients/scopes.ts'
import type { Fetch } from '../clients/sector.ts'
import { assuranceOfToken, findAccount, pairwiseIdentifier } from './account.ts'
import { claimsByScope } from './claims.ts'
import { acceptLiveSecrets, EXTRA_CLIENT_METADATA, termsOf, withClients } from './clients.ts'
import { createFindConsent } from './consents.ts'
import { allowsOrigin } from './cors.ts'
import { algorithms, assertionRules, clientAuthMethods, engineFeatures } from './features.ts'
import { type FormPage, providerWithFormPage } from './form-post.ts'
import { refuseGrantTypes } from './grant-types.ts'
import { createGrants } from './grants.ts'
import { acceptEarlierAlgorithms } from './id-token-hint.ts'
import { createInteractionPolicy, type PolicyContext } from './interaction-policy.ts'
import { mayIntrospect } from './introspection.ts'
import { type EndedAtClient, noteLogouts } from './logout-token.ts'
import { createClientRegistration, type OpenTerms } from './registration.ts'
import { ttl } from './ttl.ts'

/** The engine's own moments that our pages show. */
export type ProviderPages = Readonly<{
  error(ctx: KoaContextWithOIDC, out: ErrorOut, error: Error): Promise<void>
  logout(ctx: KoaContextWithOIDC): Promise<void>
  formPost: FormPage
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
    log: Log
    randomBytes: RandomBytes
    /** What of the protocol is switched on. */
    features: Features
    /** What relying parties may ask for. */
    responseTypes: readonly ResponseType[]
    /** Software may register itself, with a token of the operator's. */
    registration: boolean
    /** And without one, to be that client. */
    openRegistration: OpenTerms['policy'] | undefined
    /** Where addresses that clients name are called. */
    fetch: Fetch
    members: MemberStore
    /** What members have allowed third parties. */
    consents: ConsentStore
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
  const { features } = options
  const { openRegistration } = options
  const registration = createClientRegistration(
    options.clients,
    options.randomBytes,
    openRegistration && {
      policy: openRegistration,
      scopes: scopesOf(features).filter((scope) => scope !== 'insured'),
    },
  )
  const findConsent = createFindConsent(options.consents, known)
  const account = findAccount(options.members, known, findConsent)
  const provider = new (providerWithFormPage(options.pages.formPost))(options.issuer, {
    adapter: withClients(options.artifacts, { ...options, known, registration }),
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
    findAccount: account,
    subjectTypes: ['pairwise', 'public'],
    pairwiseIdentifier: pairwiseIdentifier(options.pairwiseSalt),
    clientDefaults: { subject_type: 'pairwise' },
    acrValues: [...ACR_LADDER],
    claims: {
      iss: null,
      sid: null,
      // How and when the member signed in is told without being asked for.
      openid: ['sub', 'acr', 'amr', 'auth_time'],
      ...claimsByScope(features),
    },
    scopes: [...scopesOf(features)],
    clientAuthMethods,
    enabledJWA: algorithms,
    assertJwtClientAuthClaimsAndHeader: assertionRules(() => clock.now()),
    rotateRefreshToken: ({ oidc }) => !oidc.entities.RefreshToken?.isSenderConstrained(),
    responseTypes: [...options.responseTypes],
    pkce: { required: (_ctx, client) => termsOf(client).pkce !== 'optional' },
    allowOmittingSingleRegisteredRedirectUri: false,
    clientBasedCORS: (_ctx, origin, client) => allowsOrigin(client, origin),
    interactions: {
      policy: createInteractionPolicy({ ...options, findConsent }),
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    extraTokenClaims: assuranceOfToken,
    loadExistingGrant: createGrants(findConsent),
    renderError: options.pages.error,
    features: {
      devInteractions: { enabled: false },
      ...registration.features(options.registration),
      ...engineFeatures(features, mayIntrospect(known, account)),
      rpInitiatedLogout: {
        enabled: features.has('rp-initiated-logout'),
        logoutSource: (ctx) => options.pages.logout(ctx),
        postLogoutSuccessSource: (ctx) => options.pages.loggedOut(ctx),
      },
    },
    discovery: { ui_locales_supported: ['ja', 'en'], service_documentation: undefined },
    ttl: ttl(() => options.clock.now()),
  })
  acceptLiveSecrets(provider, { known, clock })
  if (openRegistration) provider.use(registration.openDoor)
  acceptEarlierAlgorithms(provider)
  refuseGrantTypes(provider)
  noteLogouts(provider, options.noteLogout)
  return provider
}
