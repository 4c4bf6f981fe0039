import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import { decodeProtectedHeader, type JWTPayload, UnsecuredJWT } from 'jose'
import type { Context, Middleware } from 'koa'
import { countInOrder } from '../accounts/throttle.ts'
import type { RegisteredClient } from '../clients/client.ts'
import type { KnownClients } from '../clients/directory.ts'
import type { Features } from '../clients/features.ts'
import type { Fetch } from '../clients/sector.ts'
import { showError } from './errors.ts'
import type { Services } from './services.ts'
import { addressOf } from './trust.ts'

const AUTHORIZATION = '/auth'
const END_SESSION = '/session/end'
/** Of a form, and of the address that it becomes: servers on the way take no longer one. */
const LONGEST = 8192
const FORM = 'application/x-www-form-urlencoded'
/** Belong to the token endpoint; what is sent here by mistake stands in no address. */
const SECRETS = ['client_secret', 'client_assertion', 'access_token']
/** RFC 9126 section 2.2 */
const PUSHED = 'urn:ietf:params:oauth:request_uri:'
const JWS = /^[\w-]+\.[\w-]+\.[\w-]*$/
/** OpenID Connect Core section 6.1: a request object stands in no other. */
const NESTED = ['request', 'request_uri']

/** Our page, since nobody has proven yet where the member may be sent. */
const refuse = async (
  ctx: Context,
  services: Services,
  {
    status = 400,
    code,
    reason,
    cause,
    retryAfterSeconds,
  }: Readonly<{
    status?: number
    code: string
    reason: string
    /** Not for the page: it may tell of our own network. */
    cause?: string
    /** The request is not at fault: it may be tried again then. */
    retryAfterSeconds?: number
  }>,
): Promise<void> => {
  ctx.state.refused = {
    ...(ctx.path === END_SESSION && { event: 'end_session.error' }),
    error: code,
    description: reason,
    ...(cause !== undefined && { cause }),
  }
  ctx.status = status
  if (retryAfterSeconds === undefined) {
    await showError(ctx, services, { code, kind: 'client', description: reason })
  } else {
    ctx.set('Retry-After', String(retryAfterSeconds))
    await showError(ctx, services, { code, kind: 'busy', retryAfterSeconds })
  }
  ctx.status = status
}

/**
 * An authorization request by POST (OpenID Connect Core section 3.1.2.1), or a request to sign out
 * (RP-Initiated Logout 1.0 section 2), sent on as one by GET: no browser adds our cookies, which are
 * SameSite=Lax, to what another site posts.
 */
export const requestsByPost = (services: Services, features: Features): Router => {
  const router = new Router()
  const parse = bodyParser({
    enableTypes: ['form'],
    formLimit: LONGEST,
    encoding: 'utf-8',
    onError: (error, ctx) => {
      const { status } = error as { status?: number }
      ctx.throw(status === 413 ? 413 : 400)
    },
  })
  const sendOn = (path: string, instead: string) => async (ctx: Context) => {
    const invalid = (reason: string, status?: number) =>
      refuse(ctx, services, { code: 'invalid_request', reason, ...(status && { status }) })
    const isLonger = () =>
      invalid(`the body is longer than ${LONGEST} characters in an address${instead}`, 413)
    if (!ctx.is(FORM)) return invalid(`the body must be ${FORM}`)
    try {
      await parse(ctx, async () => {})
    } catch (error) {
      const isLong = (error as { status?: number }).status === 413
      return isLong ? isLonger() : invalid('the body cannot be read')
    }
    const parameters = new URLSearchParams(ctx.request.rawBody)
    for (const name of SECRETS) parameters.delete(name)
    const query = parameters.toString()
    if (query.length > LONGEST) return isLonger()
    ctx.status = 303
    ctx.redirect(`${path}?${query}`)
  }
  if (features.has('authorization-post')) {
    router.post(AUTHORIZATION, sendOn(AUTHORIZATION, ': push it (RFC 9126)'))
  }
  if (features.has('rp-initiated-logout')) router.post(END_SESSION, sendOn(END_SESSION, ''))
  return router
}

/** Registered as it is, or without the hash that follows it. */
const isRegistered = (registered: readonly string[], uri: string): boolean =>
  registered.includes(uri) || registered.includes(uri.replace(/#.*$/s, ''))

const requestObjectAt = async (fetch: Fetch, uri: string): Promise<string> => {
  const response = await fetch(uri.replace(/#.*$/s, ''), {
    headers: { accept: 'application/oauth-authz-req+jwt, application/jwt' },
  })
  if (response.status !== 200) throw new Error(`it answers ${response.status}`)
  const text = (await response.text()).trim()
  if (!JWS.test(text)) throw new Error('there is no JWT')
  return text
}

/** The parameters of a request object, in the form of a query. */
const parametersIn = (claims: JWTPayload): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(claims)
      .filter(([name]) => !NESTED.includes(name))
      .map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]),
  )

/**
 * The request that an unsigned object makes of the one it came with: what stands in it counts
 * (OpenID Connect Core section 6.1). Undefined: it is signed, or not taken without.
 * @throws where it is another client's, or over
 */
const unsigned = (
  object: string,
  { id, metadata }: RegisteredClient,
  features: Features,
): Readonly<Record<string, string>> | undefined => {
  const demanded = metadata.require_signed_request_object || metadata.request_object_signing_alg
  if (demanded || !features.has('unsigned-request-uri')) return undefined
  if (decodeProtectedHeader(object).alg !== 'none') return undefined
  const { payload } = UnsecuredJWT.decode(object)
  if (payload.client_id !== undefined && payload.client_id !== id) {
    throw new Error('it is another client’s')
  }
  return parametersIn(payload)
}

/**
 * A request object by reference (OpenID Connect Core section 6.2), where the client has registered
 * the address: it is fetched under the outbound guard, so often and no more, since anybody can ask
 * for it, and goes on as one by value. Any other
 * request_uri is the engine's, which knows its own (RFC 9126) and refuses the rest.
 */
export const requestsByReference =
  (
    services: Services,
    {
      known,
      fetch,
      features,
    }: Readonly<{ known: Pick<KnownClients, 'find'>; fetch: Fetch; features: Features }>,
  ): Middleware =>
  async (ctx, next) => {
    const { request_uri: uri, client_id: clientId, ...others } = ctx.query
    const isReference =
      ctx.method === 'GET' &&
      ctx.path === AUTHORIZATION &&
      typeof uri === 'string' &&
      typeof clientId === 'string' &&
      others.request === undefined &&
      !uri.startsWith(PUSHED)
    if (!isReference) return next()
    const found = await known.find(clientId)
    if (!found || found.client.disabled) return next()
    if (!isRegistered(found.client.metadata.request_uris ?? [], uri)) return next()
    const allowance = await countInOrder(services.throttle, [
      ['requestUriPerAddress', `${clientId}/${addressOf(ctx)}`],
      ['requestUri', clientId],
    ])
    if (!allowance.ok) {
      const reason = 'too many requests by request_uri for the moment'
      const retryAfterSeconds = Math.max(1, allowance.until - services.clock.now())
      const code = 'temporarily_unavailable'
      return refuse(ctx, services, { status: 429, code, reason, retryAfterSeconds })
    }
    try {
      const request = await requestObjectAt(fetch, uri)
      const inside = unsigned(request, found.client, features) ?? { request }
      ctx.query = { ...others, ...inside, client_id: clientId }
    } catch (error) {
      const cause = error instanceof Error ? error.message : 'no answer'
      const reason = 'the request object at request_uri cannot be read'
      return refuse(ctx, services, { code: 'invalid_request_uri', reason, cause })
    }
    await next()
  }
