import type { EpochSeconds } from './member.ts'
import type { LogoutRequest } from './ports.ts'

/** A relying party that cannot be reached is tried for this long, then given up. */
export const LOGOUT_SECONDS = 3600

/** One relying party to be told of one session's end, however often that is asked for. */
export const logoutRequest = (
  { clientId, memberId, sid }: Pick<LogoutRequest, 'clientId' | 'memberId' | 'sid'>,
  now: EpochSeconds,
): LogoutRequest => ({
  // The engine gives a `sid` to one session and one client, and never again.
  id: `logout:${clientId}:${sid}`,
  clientId,
  memberId,
  sid,
  requestedAt: now,
  expiresAt: now + LOGOUT_SECONDS,
})
