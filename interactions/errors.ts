import type { Context, Middleware } from 'koa'
import { IdentityError, OverloadedError, StoreUnavailableError } from '../accounts/errors.ts'
import type { ClientPolicy } from '../accounts/policy.ts'
import type { Log } from '../accounts/ports.ts'
import type { Pages } from '../views/pages.ts'
import { render } from '../views/render.ts'
import { commonLocals } from './common.ts'
import { localeOf } from './locale.ts'
import type { PageServices } from './services.ts'
import { rememberedApp, wayBack } from './way-back.ts'

type ErrorLocals = Pages['error']

/** The page that went wrong, or that its form stands on, without what was asked of it. */
const pageOf = (ctx: Context): string => ctx.path.replace(/^[/\\]+/u, '/')

/** One error page: plain words, the code, the reference number, the way back to the application. */
export const showError = async (
  ctx: Context,
  services: PageServices,
  locals: ErrorLocals,
  known?: ClientPolicy,
): Promise<void> => {
  const { settings } = services
  // What is wrong with a request is not the fault of the app that this browser came from before it.
  const ofRequest = locals.kind === 'client' || locals.kind === 'logout'
  const client = known ?? (ofRequest ? undefined : (await rememberedApp(ctx, services)).client)
  const backUri = wayBack(client, settings.issuer)
  const common = commonLocals(ctx, localeOf(ctx), {
    society: client && settings.societies.get(client.societyId),
    client,
    // A refused request of an app is no page to come back to.
    self: ofRequest ? '/' : pageOf(ctx),
  })
  await render(ctx, 'error', common, { ...locals, ...(backUri !== undefined && { backUri }) })
}

const KINDS: Readonly<Record<string, ErrorLocals['kind']>> = {
  session_expired: 'stale',
  forged_request: 'forged',
  overloaded: 'busy',
}

/** A store that does not answer is no fault of the request: to be tried again. */
const describe = (error: unknown): ErrorLocals & { status: number } => {
  if (error instanceof IdentityError) {
    return {
      code: error.code,
      kind: KINDS[error.code] ?? 'system',
      status: error.status,
      ...((error instanceof OverloadedError || error instanceof StoreUnavailableError) && {
        retryAfterSeconds: error.retryAfterSeconds,
      }),
    }
  }
  const status = (error as { status?: unknown } | undefined)?.status
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return { code: 'invalid_request', kind: 'forged', status }
  }
  return { code: 'server_error', kind: 'system', status: 500 }
}

/** Answers whatever our own routes throw, and what no route answers. Never a stack trace. */
export const errorPages =
  (services: PageServices, log: Log): Middleware =>
  async (ctx, next) => {
    try {
      await next()
      if (ctx.status === 404 && ctx.body == null) {
        await showError(ctx, services, { code: 'not_found', kind: 'notFound' })
        ctx.status = 404
      }
    } catch (error) {
      const { status, ...locals } = describe(error)
      const facts = { reqId: ctx.state.reference, error: locals.code, err: error }
      if (status >= 500) log.error(facts, 'request failed')
      else log.info(facts, 'request refused')
      ctx.status = status
      if (locals.retryAfterSeconds !== undefined) {
        ctx.set('Retry-After', String(locals.retryAfterSeconds))
      }
      await showError(ctx, services, locals)
      ctx.status = status
    }
  }
