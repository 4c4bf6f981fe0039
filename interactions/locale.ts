import type { Context } from 'koa'
import type { Locale } from '../accounts/member.ts'
import { hostCookie, pathCookie } from './cookie-names.ts'

/** Of our own pages; what else a visitor can put into a path has no place in a cookie. */
const PLAIN_PATH = /^\/[\w./~-]*$/u
const YEAR_MS = 365 * 86_400_000
const one = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value[0] : value

/** The first of the request's BCP 47 tags that we speak (OIDC Core section 3.1.2.1, ui_locales). */
export const preferredLocale = (tags: unknown): Locale | undefined => {
  if (typeof tags !== 'string') return undefined
  for (const tag of tags.toLowerCase().split(/\s+/u)) {
    if (/^ja\b/u.test(tag)) return 'ja'
    if (/^en\b/u.test(tag)) return 'en'
  }
  return undefined
}

/**
 * The page's language: the switch just pressed, else the one pressed earlier in this interaction,
 * else what the relying party asked for, else the last one pressed at all, else the browser's, else
 * Japanese. A pressed switch is remembered; what a relying party asks for is for its request alone.
 */
export const localeOf = (ctx: Context, uiLocales: unknown = ctx.query.ui_locales): Locale => {
  const pressed = preferredLocale(one(ctx.query.idp_locale))
  if (pressed) {
    const options = { httpOnly: true, sameSite: 'lax', overwrite: true } as const
    ctx.cookies.set(hostCookie(ctx, 'idp_locale'), pressed, { ...options, maxAge: YEAR_MS })
    if (PLAIN_PATH.test(ctx.path)) {
      ctx.cookies.set(pathCookie(ctx, 'idp_locale_here'), pressed, { ...options, path: ctx.path })
    }
    return pressed
  }
  return (
    preferredLocale(ctx.cookies.get(pathCookie(ctx, 'idp_locale_here'))) ??
    preferredLocale(uiLocales) ??
    preferredLocale(ctx.cookies.get(hostCookie(ctx, 'idp_locale'))) ??
    (ctx.acceptsLanguages('ja', 'en') === 'en' ? 'en' : 'ja')
  )
}

/** Whether readings stand over hard words; off until the member turns them on. */
export const furiganaOf = (ctx: Context): boolean => {
  const pressed = one(ctx.query.furigana)
  if (pressed === 'on' || pressed === 'off') {
    ctx.cookies.set(hostCookie(ctx, 'idp_furigana'), pressed, {
      httpOnly: true,
      sameSite: 'lax',
      overwrite: true,
      maxAge: YEAR_MS,
    })
    return pressed === 'on'
  }
  return ctx.cookies.get(hostCookie(ctx, 'idp_furigana')) === 'on'
}
