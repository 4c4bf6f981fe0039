import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import { ForgedRequestError } from '../accounts/errors.ts'

/** The token of one interaction's forms: the interaction's ID under our cookie key. */
export const csrfToken = (cookieKeys: readonly string[], uid: string): string =>
  createHmac('sha256', cookieKeys[0] ?? '')
    .update(`csrf|${uid}`)
    .digest('base64url')

const equal = (a: string, b: string): boolean => {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}

/**
 * A POST comes from a page of ours: by Sec-Fetch-Site where the browser sends it, else by Origin.
 * A browser too old for either sends neither and is held by SameSite=Lax cookies and the token.
 * @throws ForgedRequestError
 */
export const refuseCrossSite = (ctx: Context, issuer: string): void => {
  const site = ctx.get('Sec-Fetch-Site')
  const origin = ctx.get('Origin')
  if (site && site !== 'same-origin') throw new ForgedRequestError(`Sec-Fetch-Site: ${site}`)
  if (origin && origin !== new URL(issuer).origin) throw new ForgedRequestError('foreign Origin')
}

/** Whether `given` is the interaction's token under a current key. */
export const hasCsrfToken = (cookieKeys: readonly string[], uid: string, given: unknown): boolean =>
  cookieKeys.some((key) => typeof given === 'string' && equal(given, csrfToken([key], uid)))

/** @throws ForgedRequestError unless the browser itself says that the form is of our own page */
export const requireSameOrigin = (ctx: Context): void => {
  if (ctx.get('Sec-Fetch-Site') !== 'same-origin') {
    throw new ForgedRequestError('the form lacks this interaction’s token')
  }
}
