import type { Context, Middleware } from 'koa'
import type { Provider } from 'oidc-provider'
import { StoreUnavailableError } from '../accounts/errors.ts'
import type { Foreseen, UnitOfWork } from '../accounts/ports.ts'
import { flowKey } from './flow.ts'
import { addressOf } from './trust.ts'
import { endedVisitKey, heldVisit } from './visit.ts'

/** What the browser's cookies say that the request is about. They are hints here: whoever reads the
 * artifact itself checks the signature first. */
const foresee = (ctx: Context, provider: Provider): Foreseen => {
  const named = (cookie: string) => ctx.cookies.get(provider.cookieName(cookie), { signed: false })
  const interaction = named('interaction') ?? named('resume')
  const session = named('session')
  const visit = heldVisit(ctx)
  return {
    artifacts: [
      ...(interaction === undefined ? [] : [['Interaction', interaction] as const]),
      ...(session === undefined ? [] : [['Session', session] as const]),
    ],
    values:
      interaction === undefined
        ? []
        : [flowKey(interaction), ...(visit === undefined ? [] : [endedVisitKey(visit)])],
    looks:
      ctx.method === 'POST' && ctx.path.endsWith('/password')
        ? [['passwordPerAddress', addressOf(ctx)]]
        : [],
  }
}

/** The engine's own routes answer applications in JSON. */
const answerInJson = (ctx: Context, error: StoreUnavailableError): void => {
  ctx.status = error.status
  ctx.set('Retry-After', String(error.retryAfterSeconds))
  ctx.body = { error: 'temporarily_unavailable', error_description: 'please try again shortly' }
}

/**
 * Each request's work as one unit: it is answered once all that it saved is stored, and where that
 * fails by a 503 in place of whatever answer there was, without that answer's cookies.
 */
export const unitsOfWork =
  (run: UnitOfWork, provider: Provider): Middleware =>
  async (ctx, next) => {
    try {
      await run(foresee(ctx, provider), next)
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      ctx.remove('Location')
      ctx.remove('Set-Cookie')
      if (!('oidc' in ctx) || ctx.accepts('json', 'html') === 'html') throw error
      answerInJson(ctx, error)
    }
  }
