import type { Configuration } from 'oidc-provider'
import type { EpochSeconds } from '../accounts/member.ts'
import { INTERACTION_SECONDS, SESSION_IDLE_SECONDS, sessionEnd } from '../accounts/policy.ts'

/**
 * Lifetimes of what the engine issues, in seconds. A session ends when idle or, however often it is
 * used, twelve hours after sign-in; a code lives a minute (OAuth 2.1 section 4.1.2 asks for short).
 */
export const ttl = (now: () => EpochSeconds): NonNullable<Configuration['ttl']> => ({
  AuthorizationCode: 60,
  AccessToken: 3600,
  ClientCredentials: 3600,
  IdToken: 3600,
  RefreshToken: 30 * 86_400,
  Grant: 30 * 86_400,
  Interaction: INTERACTION_SECONDS,
  Session: (_ctx, session) =>
    session.loginTs === undefined
      ? SESSION_IDLE_SECONDS
      : Math.max(1, sessionEnd(session.loginTs, now()) - now()),
})
