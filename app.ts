import type { EventEmitter } from 'node:events'
import type { AdapterFactory, JWKS, Provider } from 'oidc-provider'
import { accountClientId, accountClientPolicy } from './accounts/account-client.ts'
import type { ClientMetadata } from './config/clients.ts'
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
import { accountClientMetadata } from './provider/account-client.ts'
import { createProvider } from './provider/index.ts'
import { viewsMiddleware } from './views/render.ts'

/** What the application runs on: configuration and ports, opened by the caller. */
export type AppServices = Services &
  Readonly<{
    settings: Settings &
      Readonly<{
        jwks: JWKS
        pairwiseSalt: string
        clientMetadata: readonly ClientMetadata[]
      }>
    artifacts: AdapterFactory
  }>

const required = <T>(value: T | undefined, what: string): T => {
  if (value === undefined) throw new Error(`${what} is not configured`)
  return value
}

/** The configured relying parties, and each society's account page as one of ours. */
const withAccountPages = <S extends AppServices['settings']>(settings: S): S => {
  const { issuer, societies } = settings
  const taken = settings.clientMetadata.find(({ client_id: id }) =>
    [...societies.keys()].some((society) => accountClientId(society) === id),
  )
  if (taken) throw new Error(`client_id ${taken.client_id} is the account page's own`)
  const ids = [...societies.keys()]
  return {
    ...settings,
    clients: new Map([
      ...settings.clients,
      ...ids.map((id) => [accountClientId(id), accountClientPolicy(issuer, { id })] as const),
    ]),
    clientMetadata: [
      ...settings.clientMetadata,
      ...ids.map((id) => accountClientMetadata(issuer, id)),
    ],
  }
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
}

/**
 * The whole product as one Koa application, which is the OpenID Provider itself: trust boundary,
 * our pages, then the engine's routes. Opens nothing and listens to nothing.
 */
export const createApp = (configured: AppServices): Provider => {
  const settings = withAccountPages(configured.settings)
  const services = { ...configured, settings }
  const { members, clock, log, randomBytes, artifacts } = services
  const societyOf = (id: string) => required(settings.societies.get(id), `society ${id}`)
  const provider = createProvider({
    ...settings,
    artifacts,
    members,
    clock,
    clientOf: (id) => required(settings.clients.get(id), `client ${id}`),
    societyOf: (id) => {
      const { terms, registerFactor } = societyOf(id)
      return { id, termsVersion: terms.version, registerFactor }
    },
    networkOf: (ctx, id) => networkOf(societyOf(id), addressOf(ctx), REGISTRY),
    pages: providerPages(settings),
  })
  provider.proxy = settings.trustedProxyHops > 0
  provider.maxIpsCount = settings.trustedProxyHops
  logEngine(provider, services)

  const factors = createFactors(settings, randomBytes)
  provider.use(requestLog(log, randomBytes, () => performance.now()))
  provider.use(pinHost(settings.issuer))
  provider.use(securityHeaders(settings.issuer))
  provider.use(viewsMiddleware())
  provider.use(errorPages(settings, log))
  provider.use(staticRouter(settings).routes())
  provider.use(emailLinkRouter(services).routes())
  const dependencies = { services, factors, provider }
  provider.use(interactionRouter(dependencies).routes())
  provider.use(accountRouter(dependencies).routes())
  provider.use(trackSessions(dependencies))
  return provider
}
