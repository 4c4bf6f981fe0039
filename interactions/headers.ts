import type { Middleware } from 'koa'
import helmet from 'koa-helmet'

/**
 * The same headers on every response, the engine's own pages included. No `form-action`: browsers
 * apply it to the redirect that follows a form, and would stop the member's way to the relying
 * party. `same-origin` referrers keep the Origin header that our forgery check reads.
 */
export const securityHeaders = (issuer: string): Middleware => {
  const secure = issuer.startsWith('https:')
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        connectSrc: ["'self'"],
        baseUri: ["'none'"],
        objectSrc: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: secure && { maxAge: 31_536_000, includeSubDomains: true },
    referrerPolicy: { policy: 'same-origin' },
    crossOriginOpenerPolicy: { policy: 'same-origin' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    xFrameOptions: { action: 'deny' },
  })
  return async (ctx, next) => {
    ctx.set(
      'Permissions-Policy',
      'camera=(), geolocation=(), microphone=(), payment=(), usb=(), publickey-credentials-create=(self), publickey-credentials-get=(self)',
    )
    ctx.set('Cache-Control', 'no-store')
    await protect(ctx, next)
  }
}

/** The published keys may be kept for so many seconds, by everybody (RFC 9111 section 5.2.2). */
export const publishedKeys =
  (path: string, seconds: number): Middleware =>
  async (ctx, next) => {
    await next()
    if (ctx.path === path && ctx.status === 200) {
      ctx.set('Cache-Control', `public, max-age=${seconds}`)
    }
  }
