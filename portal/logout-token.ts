import { createRemoteJWKSet, type JWTPayload, jwtVerify } from 'jose'

/** Whose sign-in is over: the one session `sid`, or where only `sub` is named, all of theirs. */
export type EndedSignIn = Readonly<{ sub?: string; sid?: string }>

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA']
const CLOCK_TOLERANCE_SECONDS = 10

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const endedBy = ({ sub, sid, events, nonce }: JWTPayload): EndedSignIn => {
  if (!isObject(events) || !isObject(events[EVENT])) throw new Error('no logout event')
  // With one it could be an ID token, given out for something else.
  if (nonce !== undefined) throw new Error('nonce in a logout token')
  if (sid !== undefined && typeof sid !== 'string') throw new Error('sid is no string')
  if (sub === undefined && sid === undefined) throw new Error('neither sub nor sid')
  return { ...(sub !== undefined && { sub }), ...(sid !== undefined && { sid }) }
}

/**
 * Reads the provider's logout tokens (OpenID Connect Back-Channel Logout 1.0 section 2.6).
 * The reader throws where a token is not the provider's, not for this client or not a logout token.
 */
export const createLogoutTokenReader = (
  provider: Readonly<{ issuer: string; jwksUri: string }>,
  clientId: string,
) => {
  const keys = createRemoteJWKSet(new URL(provider.jwksUri))
  return async (token: string): Promise<EndedSignIn> => {
    const { payload } = await jwtVerify(token, keys, {
      issuer: provider.issuer,
      audience: clientId,
      typ: 'logout+jwt',
      algorithms: ALGORITHMS,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['iat', 'exp', 'jti', 'events'],
    })
    return endedBy(payload)
  }
}
