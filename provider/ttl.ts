import type { AccessToken, Configuration } from 'oidc-provider'
import type { EpochSeconds } from '../accounts/member.ts'
import { INTERACTION_SECONDS, SESSION_IDLE_SECONDS, sessionEnd } from '../accounts/policy.ts'

export const ACCESS_TOKEN_SECONDS = 3600
/** However often it is exchanged for another. */
const REFRESH_TOKEN_SECONDS = 30 * 86_400

/** An API may have set a time of its own. */
const accessToken = (
  _ctx: unknown,
  { resourceServer }: Pick<AccessToken, 'resourceServer'>,
): number => resourceServer?.accessTokenTTL ?? ACCESS_TOKEN_SECONDS

/**
 * Lifetimes of what the engine issues, in seconds. A session ends when idle or, however often it is
 * used, twelve hours after sign-in; a code lives a minute (OAuth 2.1 section 4.1.2 asks for short).
 */
export const ttl = (now: () => EpochSeconds): NonNullable<Configuration['ttl']> => ({
  AuthorizationCode: 60,
  AccessToken: accessToken,
  ClientCredentials: accessToken,
  IdToken: 3600,
  // A rotated one ends when the first would have (RFC 9700 section 4.14.2).
  RefreshToken: (ctx) =>
    Math.max(1, ctx?.oidc?.entities.RotatedRefreshToken?.remainingTTL ?? REFRESH_TOKEN_SECONDS),
  Grant: REFRESH_TOKEN_SECONDS,
  Interaction: INTERACTION_SECONDS,
  Session: (_ctx, session) =>
    session.loginTs === undefined
      ? SESSION_IDLE_SECONDS
      : Math.max(1, sessionEnd(session.loginTs, now()) - now()),
})
