import type { EpochSeconds, FactorId, MemberId } from './member.ts'

/** A member can look back on their sign-ins for this long; then they are deleted. */
export const HISTORY_SECONDS = 90 * 86_400
/** A browser not used by a member for this long is new to them again. */
export const DEVICE_SECONDS = 365 * 86_400
/** How long a session is remembered after its last use: what it granted lives no longer. */
export const SESSION_RECORD_SECONDS = 30 * 86_400
/** The account is changed only by who has signed in within this time. */
export const FRESH_PROOF_SECONDS = 300

/** One sign-in on our pages: an authorization request that a session answers by itself is none. */
export type SignIn = Readonly<{
  /** The interaction's, so that a request repeated by the browser is one sign-in. */
  id: string
  memberId: MemberId
  at: EpochSeconds
  /** "Chrome・Windows" */
  device: string
  clientId: string
  /** What was proven, in the order of proving. */
  factors: readonly FactorId[]
}>

/** A browser in which a member is, or was, signed in; the engine's own session says which. */
export type SessionRecord = Readonly<{
  /** The engine's session's `uid`. */
  uid: string
  memberId: MemberId
  /** "Chrome・Windows" */
  device: string
  /** When the member signed in. */
  since: EpochSeconds
  /** Its last authorization request, give or take a minute. */
  seenAt: EpochSeconds
  /** Grants made in it, which may outlive it. */
  grantIds: readonly string[]
  /** The `sid` under which each relying party knows it, by client ID. */
  sids: Readonly<Record<string, string>>
  /** When it is over unless it is used again. */
  endsAt: EpochSeconds
}>

/** A session used again within this time is not written again: authorization requests stay cheap. */
const SEEN_SECONDS = 60

/**
 * What is to be stored of a session seen again; undefined: no news. Another member in the same
 * browser is another session: nothing of the first is kept.
 */
export const newsOf = (
  held: SessionRecord | undefined,
  session: SessionRecord,
): SessionRecord | undefined => {
  if (held?.memberId !== session.memberId) return session
  const grantIds = [...new Set([...held.grantIds, ...session.grantIds])]
  const endsAt = Math.max(held.endsAt, session.endsAt)
  const news =
    grantIds.length > held.grantIds.length ||
    Object.entries(session.sids).some(([clientId, sid]) => held.sids[clientId] !== sid) ||
    session.seenAt - held.seenAt >= SEEN_SECONDS ||
    endsAt - held.endsAt >= SEEN_SECONDS ||
    session.since !== held.since ||
    session.device !== held.device
  return news
    ? { ...session, grantIds, sids: { ...held.sids, ...session.sids }, endsAt }
    : undefined
}
