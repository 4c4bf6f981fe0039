import { decodeJwt, decodeProtectedHeader, type JWTPayload } from 'jose'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { masked } from './masking.ts'

/**
 * What of a request may be told, by name: nothing here is a secret or about a member. Values are
 * masked all the same, since whoever errs may put anything anywhere.
 */
const TELLABLE = [
  'client_id',
  'redirect_uri',
  'response_type',
  'response_mode',
  'scope',
  'prompt',
  'max_age',
  'acr_values',
  'code_challenge_method',
  'grant_type',
  'resource',
  'client_assertion_type',
  'post_logout_redirect_uri',
] as const
export type Tellable = (typeof TELLABLE)[number]

/** A request as far as its refusal is explained by it. */
export type Asked = Readonly<{
  /** A parameter's value, masked; undefined: not sent, or sent more than once. */
  sent(name: Tellable, known?: readonly string[]): string | undefined
  /** Not to be told: to be compared with, here and now. */
  raw(name: string): string | undefined
  /** Who it says it is of, proven or not. */
  clientId: string | undefined
  /** How it authenticates the client, in the words of token_endpoint_auth_method. */
  method: string
  /** The claims and header of its client_assertion, unverified. */
  assertion: Readonly<{ claims: JWTPayload; alg: string; kid?: string }> | undefined
  /** The secret that it sends, by whichever method. */
  secret: string | undefined
}>

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

const assertionOf = (jwt: string | undefined): Asked['assertion'] => {
  if (jwt === undefined) return undefined
  try {
    const { alg = '', kid } = decodeProtectedHeader(jwt)
    return { claims: decodeJwt(jwt), alg: String(alg), ...(text(kid) && { kid: String(kid) }) }
  } catch {
    return undefined
  }
}

/** RFC 6749 section 2.3.1: both parts are form-encoded within the header. */
const basicOf = (header: string): Readonly<{ id: string; secret: string }> | undefined => {
  const [, encoded] = /^Basic ([A-Za-z0-9+/]+={0,2})$/i.exec(header) ?? []
  const pair = Buffer.from(encoded ?? '', 'base64').toString('utf8')
  const colon = pair.indexOf(':')
  if (colon === -1) return undefined
  const decoded = (part: string) => decodeURIComponent(part.replaceAll('+', '%20'))
  try {
    return { id: decoded(pair.slice(0, colon)), secret: decoded(pair.slice(colon + 1)) }
  } catch {
    return undefined
  }
}

const methodOf = (
  assertion: string | undefined,
  alg: string | undefined,
  basic: boolean,
  posted: boolean,
): string => {
  if (assertion !== undefined)
    return alg?.startsWith('HS') ? 'client_secret_jwt' : 'private_key_jwt'
  if (basic) return 'client_secret_basic'
  return posted ? 'client_secret_post' : 'none'
}

/** Reads the request that the engine has just refused. */
export const askedOf = (ctx: KoaContextWithOIDC): Asked => {
  // What our own code refuses has not been to the engine.
  const { oidc } = ctx as Partial<Pick<KoaContextWithOIDC, 'oidc'>>
  const params: Readonly<Record<string, unknown>> = { ...(oidc?.params ?? oidc?.body ?? ctx.query) }
  const raw = (name: string) => text(params[name])
  const jwt = raw('client_assertion')
  const assertion = assertionOf(jwt)
  const basic = basicOf(ctx.get('Authorization'))
  const posted = raw('client_secret')
  const { clientId: routed } = (ctx.params ?? {}) as Readonly<{ clientId?: unknown }>
  const { aud } = oidc?.entities.IdTokenHint?.payload ?? {}
  return {
    raw,
    sent: (name, known) => {
      const value = raw(name)
      return value === undefined ? undefined : masked(value, known)
    },
    clientId:
      oidc?.client?.clientId ??
      raw('client_id') ??
      basic?.id ??
      text(assertion?.claims.sub) ??
      text(routed) ??
      text(aud),
    method: methodOf(jwt, assertion?.alg, basic !== undefined, posted !== undefined),
    assertion,
    secret: basic?.secret ?? posted,
  }
}
