import type { Credential, EpochSeconds, FactorId, Member } from '../accounts/member.ts'

/** A challenge as two halves: what the page shows and what the server keeps until the answer. */
export type Challenge<Shown, Kept> = Readonly<{
  shown: Shown
  kept: Kept
  expiresInSeconds: number
}>

/** Why an answer was not taken; each has a text `code.*` or `pk.*` in the catalogue. */
export type Rejection = 'code.empty' | 'code.len' | 'code.digits' | 'code.wrong' | 'code.expired'

export type Verdict<T> =
  | Readonly<{ ok: true; value: T }>
  | Readonly<{ ok: false; reason: Rejection; values?: Readonly<Record<string, string | number>> }>

/** Where and when a ceremony takes place. */
export type Ceremony = Readonly<{ now: EpochSeconds; origin: string }>

/**
 * One way of proving who one is. Factors compute and never store: attempts are counted, challenges
 * kept and used once, members saved by the caller.
 */
export interface AuthenticationFactor<Shown = unknown, Kept = unknown> {
  readonly id: FactorId
  beginAuthentication(member: Member, ceremony: Ceremony): Promise<Challenge<Shown, Kept>>
  /** The credential as it must be stored next, or undefined where nothing changes. */
  finishAuthentication(
    member: Member,
    kept: Kept,
    answer: string,
    ceremony: Ceremony,
  ): Promise<Verdict<Credential | undefined>>
}
