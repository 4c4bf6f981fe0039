import type { EventEmitter } from 'node:events'
import type { AdapterFactory, JWKS, Provider } from 'oidc-provider'
import { logoutRequest } from './accounts/logouts.ts'
import type { MemberId } from './accounts/member.ts'
import type { UnitOfWork } from './accounts/ports.ts'
import type { Clients } from './clients/index.ts'
import type { Fetch } from './clients/sector.ts'
import { createFactors, REGISTRY } from './factors/index.ts'
import { accountRouter } from './interactions/account/router.ts'
import { emailLinkRouter } from './interactions/email-link.ts'
import { errorPages } from './interactions/errors.ts'
import { securityHeaders } from './interactions/headers.ts'
import { providerPages } from './interactions/provider-pages.ts'
import { requestLog } from './interactions/request-log.ts'
import { interactionRouter } from './interactions/router.ts'
import type { Services, Settings } from './interactions/services.ts'
import { trackSessions } from './interactions/sessions.ts'
import { staticRouter } from './interactions/static-pages.ts'
import { addressOf, networkOf, pinHost } from './interactions/trust.ts'
import { unitsOfWork } from './interactions/unit-of-work.ts'
import { termsOf } from './provider/clients.ts'
import { createProvider } from './provider/index.ts'
import { viewsMiddleware } from './views/render.ts'

/** What the application runs on: configuration and ports, opened by the caller. */
export type AppServices = Services &
  Readonly<{
    settings: Settings &
      Readonly<{
        jwks: JWKS
        pairwiseSalt: string
        registration: boolean
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

/** The engine tells of refused requests and faults of its own; each becomes one line with its number. */
const logEngine = (provider: Provider, { log }: Services): void => {
  const line =
    (level: 'info' | 'error', event: string) =>
    (
      ctx: { state?: { reference?: string }; oidc?: { client?: { clientId: string } } },
      error: Error,
    ) => {
      const { error_description: reason } = error as { error_description?: string }
      const facts = { reqId: ctx?.state?.reference, clientId: ctx?.oidc?.client?.clientId, reason }
      log[level]({ ...facts, err: error }, event)
    }
  // The engine's typed overloads name one event each; all of these are called alike.
  const engine: EventEmitter = provider
  for (const event of [
    'authorization.error',
    'grant.error',
    'userinfo.error',
    'end_session.error',
    'revocation.error',
  ] as const) {
    engine.on(event, line('info', event))
  }
  engine.on('server_error', line('error', 'server_error'))
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
  const { settings, members, clients, logouts, clock, log, randomBytes, artifacts, fetch } =
    services
  const societyOf = (id: string) => required(settings.societies.get(id), `society ${id}`)
  const provider = createProvider({
    ...settings,
    artifacts,
    members,
    clock,
    clients,
    randomBytes,
    fetch,
    clientOf: termsOf,
    societyOf: (id) => {
      const { terms, registerFactor } = societyOf(id)
      return { id, termsVersion: terms.version, registerFactor }
    },
    networkOf: (ctx, id) => networkOf(societyOf(id), addressOf(ctx), REGISTRY),
    pages: providerPages(services),
    noteLogout: ({ clientId, accountId, sid }) =>
      // The engine's account IDs are ours.
      logouts.add(logoutRequest({ clientId, memberId: accountId as MemberId, sid }, clock.now())),
  })
  provider.proxy = settings.trustedProxyHops > 0
  provider.maxIpsCount = settings.trustedProxyHops
  logEngine(provider, services)

  const factors = createFactors(settings, randomBytes)
  provider.use(requestLog(log, randomBytes, () => performance.now()))
  provider.use(pinHost(settings.issuer))
  provider.use(securityHeaders(settings.issuer))
  provider.use(viewsMiddleware())
  provider.use(errorPages(services, log))
  provider.use(staticRouter(settings).routes())
  if (services.unitOfWork) provider.use(unitsOfWork(services.unitOfWork, provider))
  const dependencies = { services, factors, provider }
  provider.use(emailLinkRouter(dependencies).routes())
  provider.use(interactionRouter(dependencies).routes())
  provider.use(accountRouter(dependencies).routes())
  provider.use(trackSessions(dependencies))
  return provider
}
