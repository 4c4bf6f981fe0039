import type { Middleware } from 'koa'
import type { Log, RandomBytes } from '../accounts/ports.ts'
import { base32, CROCKFORD } from '../factors/base32.ts'

/** Forty random bits as 7F3K-92QD: no I, L, O, U, so that read out over the phone it is heard right. */
const referenceNumber = (randomBytes: RandomBytes): string => {
  const letters = base32(randomBytes(5), CROCKFORD)
  return `${letters.slice(0, 4)}-${letters.slice(4)}`
}

declare module 'koa' {
  interface DefaultState {
    /** The request's reference number: X-Request-Id, log lines, error pages. */
    reference: string
    /** The step whose page was shown or whose form was taken. */
    step?: string
  }
}

/**
 * Gives the request its number and writes one line when it is answered. The line names the route,
 * never the path, since paths hold interaction IDs and mailed tokens.
 */
export const requestLog =
  (log: Log, randomBytes: RandomBytes, elapsed: () => number): Middleware =>
  async (ctx, next) => {
    ctx.state.reference = referenceNumber(randomBytes)
    ctx.set('X-Request-Id', ctx.state.reference)
    const start = elapsed()
    try {
      await next()
    } finally {
      const oidcRoute: unknown = (ctx as { oidc?: { route?: string } }).oidc?.route
      log.info(
        {
          reqId: ctx.state.reference,
          method: ctx.method,
          route: ctx._matchedRoute ?? oidcRoute ?? 'none',
          status: ctx.status,
          ...(ctx.state.step !== undefined && { step: ctx.state.step }),
          durationMs: Math.round(elapsed() - start),
        },
        'request',
      )
    }
  }
