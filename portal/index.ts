import { bodyParser } from '@koa/bodyparser'
import Router from '@koa/router'
import Koa, { type Context } from 'koa'
import { AuthorizationResponseError } from 'openid-client'
import { z } from 'zod'
import { type Frame, renderHome, renderNotice } from './page.ts'
import { createRelyingParty } from './relying-party.ts'
import { createSessions } from './sessions.ts'
import { createSeal } from './started.ts'
import { STYLE } from './style.ts'
import type { Language, NoticeId } from './texts.ts'

/** One front door: a society's portal, which is a relying party of its own. */
export type FrontDoor = Readonly<{
  /** '/' or '/minato' */
  path: string
  clientId: string
  clientSecret: string
  /** As members know it. */
  name: Readonly<Record<Language, string>>
  /** A login ID for the link that tries login_hint. */
  loginHint?: string
}>

export type PortalOptions = Readonly<{
  issuer: string
  /** The portal's own origin, http://localhost:3001 */
  portalUrl: string
  clients: readonly FrontDoor[]
}>

/** Parameters of an authorization request that a link may ask for. */
const PASSED_ON = ['prompt', 'max_age', 'ui_locales', 'login_hint', 'acr_values', 'claims']

const COOKIE = { httpOnly: true, sameSite: 'lax' } as const

const parseForm = bodyParser({ enableTypes: ['form'], formLimit: '16kb' })
const logoutForm = z.object({ logout_token: z.string() })

const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

const languageOf = (ctx: Context): Language | undefined => {
  const asked = one(ctx.query.lang) ?? ctx.cookies.get('portal_lang')
  return asked === 'ja' || asked === 'en' ? asked : undefined
}

/** What the member reads when the provider answered with an error, or the answer was no good. */
const noticeOf = (error: unknown): { notice: NoticeId; code?: string } => {
  if (!(error instanceof AuthorizationResponseError)) return { notice: 'failed' }
  if (error.error === 'access_denied') return { notice: 'access_denied' }
  const needsPage = ['login_required', 'interaction_required', 'consent_required']
  if (needsPage.includes(error.error)) return { notice: 'login_required', code: error.error }
  return { notice: 'failed', code: error.error }
}

const openFrontDoor = (door: FrontDoor, { issuer, portalUrl }: PortalOptions): Router => {
  const base = door.path === '/' ? '' : door.path
  const router = new Router()
  const sessions = createSessions()
  const { seal, open } = createSeal(door.clientSecret)
  const relyingParty = createRelyingParty({
    issuer,
    clientId: door.clientId,
    clientSecret: door.clientSecret,
    redirectUri: `${portalUrl}${base}/callback`,
    postLogoutRedirectUri: `${portalUrl}${base}/signed-out`,
  })
  const sessionCookie = `portal_${door.clientId}`
  const startedCookie = `portal_${door.clientId}_started`

  const signInOf = (ctx: Context) => sessions.find(ctx.cookies.get(sessionCookie))
  const startedOf = (ctx: Context) => open(ctx.cookies.get(startedCookie))
  const frameOf = (ctx: Context): Frame => {
    const language = languageOf(ctx) ?? 'ja'
    return { language, name: door.name[language], base, loginHint: door.loginHint ?? '12345-678' }
  }
  const show = (ctx: Context, status: number, notice: NoticeId, code?: string) => {
    ctx.status = status
    ctx.body = renderNotice(frameOf(ctx), notice, code)
  }

  router.get(base || '/', (ctx) => {
    const language = languageOf(ctx)
    if (ctx.query.lang !== undefined && language) {
      ctx.cookies.set('portal_lang', language, COOKIE)
    }
    ctx.body = renderHome(frameOf(ctx), signInOf(ctx)?.claims)
  })

  // Also the initiate_login_uri (OIDC Core section 4), so the issuer is checked where it is said.
  router.get(`${base}/login`, async (ctx) => {
    const iss = one(ctx.query.iss)
    if (iss !== undefined && iss !== issuer) return show(ctx, 400, 'issuer')
    const asked = PASSED_ON.flatMap((name) => {
      const value = one(ctx.query[name])
      return value === undefined ? [] : [[name, value] as const]
    })
    const language = languageOf(ctx)
    const extra = { ...(language && { ui_locales: language }), ...Object.fromEntries(asked) }
    try {
      const { url, started } = await relyingParty.start(extra)
      ctx.cookies.set(startedCookie, await seal([...(await startedOf(ctx)), started]), COOKIE)
      ctx.redirect(url)
    } catch {
      show(ctx, 503, 'unreachable')
    }
  })

  router.get(`${base}/callback`, async (ctx) => {
    const all = await startedOf(ctx)
    const started = all.find(({ state }) => state === one(ctx.query.state))
    if (!started) return show(ctx, 400, 'stale')
    ctx.cookies.set(startedCookie, await seal(all.filter((other) => other !== started)), COOKIE)
    try {
      const signIn = await relyingParty.finish(new URL(ctx.url, portalUrl), started)
      sessions.end(ctx.cookies.get(sessionCookie))
      ctx.cookies.set(sessionCookie, sessions.open(signIn), COOKIE)
      ctx.redirect(base || '/')
    } catch (error) {
      const { notice, code } = noticeOf(error)
      show(ctx, notice === 'failed' ? 502 : 200, notice, code)
    }
  })

  router.post(`${base}/logout`, async (ctx) => {
    const from = ctx.get('Sec-Fetch-Site')
    if (from !== '' && from !== 'same-origin') ctx.throw(403)
    const signIn = signInOf(ctx)
    sessions.end(ctx.cookies.get(sessionCookie))
    ctx.cookies.set(sessionCookie, null, COOKIE)
    ctx.status = 303
    if (!signIn) return ctx.redirect(base || '/')
    try {
      ctx.redirect(await relyingParty.endSessionUrl(signIn.idToken))
    } catch {
      ctx.redirect(`${base}/signed-out`)
    }
  })

  // The provider itself asks, so there is no cookie (Back-Channel Logout 1.0 sections 2.6 to 2.8).
  router.post(`${base}/backchannel-logout`, parseForm, async (ctx) => {
    const { logout_token: token } = logoutForm.safeParse(ctx.request.body).data ?? {}
    try {
      if (token === undefined) throw new Error('no logout_token')
      sessions.endSignIns(await relyingParty.endedBy(token))
      ctx.status = 200
      ctx.body = ''
    } catch {
      ctx.status = 400
      ctx.body = { error: 'invalid_request' }
    }
  })

  router.get(`${base}/signed-out`, (ctx) => show(ctx, 200, 'signedOut'))
  return router
}

/**
 * The demo relying party: health portals of fictional societies, to click through and to test the
 * provider with. It knows the provider by public HTTP only and keeps in memory who is signed in.
 */
export const createPortal = (options: PortalOptions): Koa => {
  const portal = new Koa()

  portal.use(async (ctx, next) => {
    ctx.set({
      'Cache-Control': 'no-store',
      // The sign-out form is redirected to the provider, which form-action also speaks about.
      'Content-Security-Policy': `default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' ${options.issuer}`,
      'Referrer-Policy': 'same-origin',
      'X-Content-Type-Options': 'nosniff',
    })
    await next()
    if (ctx.status === 404 && ctx.body === undefined) {
      const door = options.clients[0]
      const language = languageOf(ctx) ?? 'ja'
      const frame = { language, name: door?.name[language] ?? '', base: '' }
      ctx.status = 404
      ctx.body = renderNotice({ ...frame, loginHint: '' }, 'notFound')
    }
  })

  const router = new Router()
  router.get('/portal.css', (ctx) => {
    ctx.type = 'css'
    ctx.set('Cache-Control', 'max-age=300')
    ctx.body = STYLE
  })
  portal.use(router.routes())
  for (const door of options.clients) portal.use(openFrontDoor(door, options).routes())
  return portal
}
