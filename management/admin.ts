import { createHash, timingSafeEqual } from 'node:crypto'
import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import type { Context, Middleware } from 'koa'
import { IdentityError } from '../accounts/errors.ts'
import type { Log } from '../accounts/ports.ts'
import type { Clients } from '../clients/index.ts'
import { StaleRecordError } from '../clients/ports.ts'
import { ClientRefusedError } from '../clients/refusal.ts'
import { adminOperations, type ExplainRefusal } from './admin-operations.ts'
import { openApiOf } from './openapi.ts'

/** Who may use the admin API, by the SHA-256 of their token. */
export type AdminToken = Readonly<{ operator: string; hash: Buffer }>

export type AdminOptions = Readonly<{
  clients: Clients
  explainRefusal: ExplainRefusal
  tokens: readonly AdminToken[]
  log: Log
}>

type Refused = Readonly<{ status: number; body: Readonly<Record<string, unknown>> }>

const refusedWith = (status: number, error: string, description: string): Refused => ({
  status,
  body: { error, error_description: description },
})

/** Which of them the request's Bearer token is (RFC 6750 section 2.1); compared with every one. */
const operatorOf = (ctx: Context, tokens: readonly AdminToken[]): string | undefined => {
  const [, token] = /^Bearer ([\x21-\x7e]+)$/i.exec(ctx.get('Authorization')) ?? []
  if (token === undefined) return undefined
  const given = createHash('sha256').update(token).digest()
  const matching = tokens.filter(({ hash }) => timingSafeEqual(hash, given))
  return matching[0]?.operator
}

/** `"3"` of an ETag of ours; undefined where none is asked for. */
const revisionOf = (ctx: Context): number | undefined => {
  const header = ctx.get('If-Match')
  if (header === '' || header === '*') return undefined
  const [, revision] = /^"(\d{1,9})"$/.exec(header) ?? []
  return revision === undefined ? -1 : Number(revision)
}

const describe = (error: unknown, conditional: boolean): Refused | undefined => {
  if (error instanceof ClientRefusedError) {
    const refused = refusedWith(400, 'invalid_client_metadata', error.message)
    return { ...refused, body: { ...refused.body, refusals: error.refusals } }
  }
  if (error instanceof StaleRecordError && conditional) {
    return refusedWith(412, 'precondition_failed', error.detail ?? '')
  }
  if (error instanceof IdentityError) {
    return refusedWith(error.status, error.code, error.status < 500 ? (error.detail ?? '') : '')
  }
  const { status } = (error ?? {}) as { status?: unknown }
  if (status === 413) return refusedWith(413, 'too_long', 'The body is longer than 64 kB.')
  if (status === 400 || status === 415 || status === 422)
    return refusedWith(400, 'invalid_json', 'Not JSON.')
  return undefined
}

const JSON_TYPES = ['application/json', 'application/merge-patch+json']
const METHODS_WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH'])
/** One whose length is not said (RFC 9112 section 7.1) is a body too. */
const hasOtherBody = (ctx: Context): boolean =>
  METHODS_WITH_BODY.has(ctx.method) && ctx.request.length !== 0 && ctx.is(JSON_TYPES) === false

/**
 * The admin API: clients and registration tokens over HTTP and JSON, by the same code as every other
 * door. For operators with a token of their own; its OpenAPI document is for everybody on this port.
 */
export const createAdminRoutes = ({
  clients,
  explainRefusal,
  tokens,
  log,
}: AdminOptions): Middleware => {
  const operations = adminOperations(clients.rules, explainRefusal)
  const document = openApiOf(operations)
  const router = new Router({ prefix: '/admin' })

  const answer: Middleware = async (ctx, next) => {
    const refuse = ({ status, body }: Refused) => {
      ctx.status = status
      ctx.body = body
    }
    try {
      const operator = operatorOf(ctx, tokens)
      if (operator === undefined) {
        ctx.set('WWW-Authenticate', 'Bearer')
        return refuse(refusedWith(401, 'invalid_token', 'Send a token of IDP_ADMIN_TOKENS.'))
      }
      if (hasOtherBody(ctx)) {
        return refuse(refusedWith(415, 'unsupported_media_type', 'Send application/json.'))
      }
      ctx.state.operator = operator
      await next()
      // Who it was stands in the audit trail.
      const facts = { route: ctx.state.operation, method: ctx.method, status: ctx.status }
      if (ctx.method !== 'GET') log.info(facts, 'admin_request')
    } catch (error) {
      const refused = describe(error, ctx.get('If-Match') !== '')
      if (!refused || refused.status >= 500) log.error({ err: error }, 'admin_request_failed')
      refuse(refused ?? refusedWith(500, 'server_error', 'See the log.'))
    }
  }
  const parse = bodyParser({
    enableTypes: ['json'],
    // The parser lays this list over its own.
    extendTypes: { json: JSON_TYPES },
    jsonLimit: '64kb',
    jsonStrict: true,
    // The parser's own answer would hold what was sent.
    onError: (error) => {
      throw error
    },
  })

  router.get('/openapi.json', (ctx) => {
    ctx.body = document
  })
  for (const { method, path, id, act } of operations) {
    router[method](path.replace(/\{(\w+)\}/g, ':$1'), answer, parse, async (ctx) => {
      ctx.state.operation = id
      const { status, body, revision } = await act(clients, {
        actor: { operator: String(ctx.state.operator), door: 'admin' },
        params: ctx.params,
        query: ctx.query,
        body: ctx.request.body,
        revision: revisionOf(ctx),
      })
      ctx.status = status
      if (revision !== undefined) ctx.set('ETag', `"${revision}"`)
      if (body) ctx.body = body
    })
  }
  const routes: unknown = router.routes()
  // It brings what its own types ask of a context.
  return routes as Middleware
}
