import type { Middleware } from 'koa'
import type { Log, RandomBytes } from '../accounts/ports.ts'

/** Crockford base32: no I, L, O, U, so that a number read out over the phone is heard right. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** Forty random bits as 7F3K-92QD. */
export const referenceNumber = (randomBytes: RandomBytes): string => {
  const letters = [...randomBytes(8)].map((byte) => ALPHABET[byte & 31]).join('')
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
