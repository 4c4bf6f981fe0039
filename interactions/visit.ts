import type { Context } from 'koa'
import { INTERACTION_SECONDS } from '../accounts/policy.ts'
import { hostCookie } from './cookie-names.ts'
import type { Services } from './services.ts'

const COOKIE = 'idp_visit'
const VISIT_ID = /^[A-Za-z0-9_-]{22}$/u
const KEPT_MS = 30 * 86_400_000
/** Longer than a sign-in begun in a visit can go on after its end, on servers' clocks a little apart. */
const ENDED_SECONDS = INTERACTION_SECONDS + 60

type VisitServices = Pick<Services, 'transient' | 'randomBytes'>

/** Set once a visit has ended. */
export const endedVisitKey = (visit: string): string => `ended-visit:${visit}`

/** What the browser says its visit is, be it still going on or not. */
export const heldVisit = (ctx: Context): string | undefined => {
  const held = ctx.cookies.get(hostCookie(ctx, COOKIE))
  return held !== undefined && VISIT_ID.test(held) ? held : undefined
}

const beginVisit = (ctx: Context, { randomBytes }: VisitServices): string => {
  const visit = randomBytes(16).toString('base64url')
  ctx.cookies.set(hostCookie(ctx, COOKIE), visit, {
    httpOnly: true,
    sameSite: 'lax',
    overwrite: true,
    maxAge: KEPT_MS,
  })
  ctx.state.visit = visit
  return visit
}

/**
 * The visit that goes on in this browser, a new one where there is none: the time from one end of a
 * sign-in there, by finishing it or by signing out, to the next. What is proven in a visit counts in
 * it alone, whichever cookies come back later. The same all through one request.
 */
export const visitOf = async (ctx: Context, services: VisitServices): Promise<string> => {
  const known: unknown = ctx.state.visit
  if (typeof known === 'string') return known
  const held = heldVisit(ctx)
  if (held === undefined || (await services.transient.get(endedVisitKey(held)))) {
    return beginVisit(ctx, services)
  }
  ctx.state.visit = held
  return held
}

/** Ends the visit in this browser, and with it whatever sign-ins were left half-way there. */
export const endVisit = async (ctx: Context, services: VisitServices): Promise<void> => {
  const held = heldVisit(ctx)
  if (held !== undefined) await services.transient.put(endedVisitKey(held), true, ENDED_SECONDS)
  beginVisit(ctx, services)
}
