import type { AdapterFactory, JWKS, Provider, ResponseType } from 'oidc-provider'
import { logoutRequest } from './accounts/logouts.ts'
import type { MemberId } from './accounts/member.ts'
import type { UnitOfWork } from './accounts/ports.ts'
import type { Features } from './clients/features.ts'
import type { Clients } from './clients/index.ts'
import type { Fetch } from './clients/sector.ts'
import { createFactors } from './factors/index.ts'
import { accountRouter } from './interactions/account/router.ts'
import { requestsByPost, requestsByReference } from './interactions/authorization-requests.ts'
import { emailLinkRouter } from './interactions/email-link.ts'
import { errorPages } from './interactions/errors.ts'
import { publishedKeys, securityHeaders } from './interactions/headers.ts'
import { createLogos } from './interactions/logos.ts'
import { providerPages } from './interactions/provider-pages.ts'
import { requestLog } from './interactions/request-log.ts'
import { interactionRouter } from './interactions/router.ts'
import type { Services, Settings } from './interactions/services.ts'
import { trackSessions } from './interactions/sessions.ts'
import { staticRouter } from './interactions/static-pages.ts'
import { trackVisits } from './interactions/track-visits.ts'
import { addressOf, networkOf, pinHost } from './interactions/trust.ts'
import { unitsOfWork } from './interactions/unit-of-work.ts'
import { JWKS_MAX_AGE_SECONDS } from './keys/ring.ts'
import { termsOf } from './provider/clients.ts'
import { discoveryFacts } from './provider/discovery.ts'
import { signedOutForm } from './provider/form-post.ts'
import { createProvider } from './provider/index.ts'
import { knowExpiredCodes } from './provider/refusals/expired-codes.ts'
import { explainRefusals } from './provider/refusals/listen.ts'
import type { OpenTerms } from './provider/registration.ts'
import { rememberUses } from './provider/single-use.ts'
import { viewsMiddleware } from './views/render.ts'

/** What the application runs on: configuration and ports, opened by the caller. */
export type AppServices = Services &
  Readonly<{
    settings: Settings &
      Readonly<{
        jwks: JWKS
        pairwiseSalt: string
        features: Features
        responseTypes: readonly ResponseType[]
        registration: boolean
        openRegistration: OpenTerms['policy'] | undefined
        /** Set in the conformance profile. */
        conformance?: object | undefined
      }>
    artifacts: AdapterFactory
    clients: Clients
    /** Where addresses that relying parties name are called. */
    fetch: Fetch
    /** Around every request that may touch a store; absent: each write is made as it is asked for. */
    unitOfWork?: UnitOfWork
  }>

const required = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(`${what} is not configured`)
  return value
}

/** One line for each answer of the token endpoint; those that refuse have theirs (refusals/). */
const logTokens = (provider: Provider, { log }: Services): void => {
  provider.on('grant.success', ({ state, oidc }) => {
    const grant = oidc.params?.grant_type
    const facts = { reqId: state.reference, clientId: oidc.client?.clientId, grant }
    log.info(facts, 'tokens issued')
  })
}

/**
 * The whole product as one Koa application, which is the OpenID Provider itself: trust boundary,
 * our pages, then the engine's routes. Opens nothing and listens to nothing.
 */
export const createApp = (services: AppServices): Provider => {
  const {
    settings,
    members,
    consents,
    clients,
    logouts,
    clock,
    log,
    randomBytes,
    artifacts,
    fetch,
  } = services
  const societyOf = (id: string) => required(settings.societies.get(id), `society ${id}`)
  const pages = providerPages(services)
  const provider = createProvider({
    ...settings,
    artifacts: knowExpiredCodes(rememberUses(artifacts)),
    members,
    consents,
    clock,
    clients,
    log,
    randomBytes,
    fetch,
    clientOf: termsOf,
    societyOf: (id) => {
      const { terms, registerFactor } = societyOf(id)
      return { id, termsVersion: terms.version, registerFactor }
    },
    networkOf: (ctx, id) => networkOf(societyOf(id), addressOf(ctx)),
    pages,
    noteLogout: ({ clientId, accountId, sid }) =>
      // The engine's account IDs are ours.
      logouts.add(logoutRequest({ clientId, memberId: accountId as MemberId, sid }, clock.now())),
  })
  provider.proxy = settings.trustedProxyHops > 0
  provider.maxIpsCount = settings.trustedProxyHops
  logTokens(provider, services)

  const factors = createFactors(settings, randomBytes)
  provider.use(requestLog(log, randomBytes, () => performance.now()))
  provider.use(pinHost(settings.issuer))
  provider.use(securityHeaders(settings.issuer))
  provider.use(publishedKeys(provider.pathFor('jwks'), JWKS_MAX_AGE_SECONDS))
  provider.use(viewsMiddleware())
  if (settings.conformance) {
    // Every page says so.
    provider.use((ctx, next) => {
      ctx.state.conformance = true
      return next()
    })
  }
  provider.use(errorPages(services, log))
  const logos = createLogos({ transient: services.transient, fetch, log })
  provider.use(staticRouter(settings).routes())
  provider.use(logos.router().routes())
  provider.use(explainRefusals(provider, { ...services, addressOf }))
  const { features } = settings
  provider.use(requestsByPost(services, features).routes())
  if (features.has('request-uri')) {
    provider.use(requestsByReference(services, { known: clients.known, fetch, features }))
  }
  provider.use(discoveryFacts(features))
  if (services.unitOfWork) provider.use(unitsOfWork(services.unitOfWork, provider))
  const dependencies = { services, factors, provider, logos }
  provider.use(emailLinkRouter(dependencies).routes())
  provider.use(interactionRouter(dependencies).routes())
  provider.use(accountRouter(dependencies).routes())
  provider.use(trackSessions(dependencies))
  provider.use(trackVisits(dependencies))
  provider.use(signedOutForm(pages.formPost))
  return provider
}
