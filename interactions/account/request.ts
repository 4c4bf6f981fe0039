import { createHash } from 'node:crypto'
import type { Context } from 'koa'
import { accountCallbackPath, accountClientId, accountPath } from '../../accounts/account-client.ts'
import type { Acr } from '../../accounts/assurance.ts'
import { ForgedRequestError } from '../../accounts/errors.ts'
import { INTERACTION_SECONDS } from '../../accounts/policy.ts'
import { FRESH_PROOF_SECONDS } from '../../accounts/sign-ins.ts'
import type { Society } from '../../accounts/society.ts'
import { pathCookie } from '../cookie-names.ts'
import type { FlowDependencies } from '../flow.ts'
import { localeOf } from '../locale.ts'

/** One cookie a request, so that two tabs do not take each other's. */
const cookieName = (ctx: Context, state: string): string => pathCookie(ctx, `idp_account_${state}`)

const STRONG: Acr = 'https://refeds.org/profile/mfa'

const STATE = /^[A-Za-z0-9_-]{22}$/u

/**
 * Sends the browser to our own authorization endpoint, to come back to `to`, a path below the
 * account page. `fresh`: an older sign-in will not do (OIDC Core section 3.1.2.1, max_age).
 */
export const startRequest = (
  { provider, services }: FlowDependencies,
  ctx: Context,
  society: Society,
  { to, fresh }: Readonly<{ to: string; fresh: boolean }>,
): void => {
  const { settings, randomBytes } = services
  const state = randomBytes(16).toString('base64url')
  // Never empty: a cookie without a value is one that is deleted.
  ctx.cookies.set(cookieName(ctx, state), `${accountPath(society.id)}${to}`, {
    signed: true,
    httpOnly: true,
    sameSite: 'lax',
    overwrite: true,
    path: accountPath(society.id),
    maxAge: INTERACTION_SECONDS * 1000,
  })
  const url = new URL(provider.urlFor('authorization'))
  url.search = new URLSearchParams({
    client_id: accountClientId(society.id),
    response_type: 'code',
    scope: 'openid',
    redirect_uri: `${settings.issuer}${accountCallbackPath(society.id)}`,
    state,
    // The verifier is known to nobody: the code that comes back cannot be redeemed.
    code_challenge: createHash('sha256').update(randomBytes(32)).digest('base64url'),
    code_challenge_method: 'S256',
    ui_locales: localeOf(ctx),
    // As strong as the member can: an account is not changed on less than what protects it.
    ...(fresh && { max_age: String(FRESH_PROOF_SECONDS), acr_values: STRONG }),
  }).toString()
  ctx.redirect(url.href)
  ctx.status = 303
}

/** What came back: the path to go on at, or the error of RFC 6749 section 4.1.2.1. */
export type AccountResponse = Readonly<{ to: string; error?: string }>

/**
 * Takes the authorization response. The sign-in is the engine's session, which the page looks at
 * by itself; the response only says that this browser's request has ended.
 * @throws ForgedRequestError unless this browser made the request, within the hour
 */
export const takeResponse = (
  { services }: FlowDependencies,
  ctx: Context,
  society: Society,
): AccountResponse => {
  const { state, iss, error } = ctx.query
  const held =
    typeof state === 'string' && STATE.test(state)
      ? ctx.cookies.get(cookieName(ctx, state), { signed: true })
      : undefined
  if (typeof state !== 'string' || held === undefined) {
    throw new ForgedRequestError('no request of this browser has this state')
  }
  // RFC 9207 section 2.4
  if (iss !== services.settings.issuer) throw new ForgedRequestError('response of another issuer')
  ctx.cookies.set(cookieName(ctx, state), null, { path: accountPath(society.id) })
  return { to: held, ...(typeof error === 'string' && { error }) }
}
