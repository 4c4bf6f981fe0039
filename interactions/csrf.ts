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

/** A form's hidden field `counted`: under what its answer counts, signed for this interaction. */
export const countedField = (cookieKeys: readonly string[], uid: string, counted: string): string =>
  `${counted}.${csrfToken(cookieKeys, `${uid}|${counted}`)}`

/** What such a field says; undefined where no page of ours, of this interaction, has said so. */
export const readCounted = (
  cookieKeys: readonly string[],
  uid: string,
  given: string,
): string | undefined => {
  const counted = given.slice(0, Math.max(0, given.lastIndexOf('.')))
  const isOurs = cookieKeys.some((key) => equal(given, countedField([key], uid, counted)))
  return isOurs ? counted : undefined
}

/** @throws ForgedRequestError unless the browser itself says that the form is of our own page */
export const requireSameOrigin = (ctx: Context): void => {
  if (ctx.get('Sec-Fetch-Site') !== 'same-origin') {
    throw new ForgedRequestError('the form lacks this interaction’s token')
  }
}
