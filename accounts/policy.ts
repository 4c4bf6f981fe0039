import type { Acr } from './assurance.ts'
import type { ChosenFactor, EpochSeconds } from './member.ts'

/** What one authorization request asks of the member's proofs. */
export type RequestPolicy = Readonly<{
  /** The weakest acr the client accepts. */
  requiredAcr: Acr
  /** Proofs older than this do not count (prompt=login, max_age, the session's absolute end). */
  proofsSince: EpochSeconds
}>

/** What may be used from where: `factors` are those permitted on this network. */
export type NetworkPolicy = Readonly<{ name: string; factors: readonly ChosenFactor[] }>

/**
 * `sameSession`: the method is registered within the first login. `nextLogin`: the manual's own
 * shape, a completion page and registration at the next sign-in (manual steps 10 and 11).
 */
export type SocietyPolicy = Readonly<{
  id: string
  termsVersion: string
  registerFactor: 'sameSession' | 'nextLogin'
}>

/** An unfinished enrolment can be taken up again for this long, then the society's desk reopens it. */
export const ENROLMENT_WINDOW_SECONDS = 30 * 86_400
/** A chosen but unregistered method must be registered within this time of the first login. */
export const REGISTRATION_WINDOW_SECONDS = 14 * 86_400
/** No session outlives this, however often it is used. */
export const SESSION_SECONDS = 12 * 3600
/** A session unused for this long has ended. */
export const SESSION_IDLE_SECONDS = 30 * 60
/** Time to complete one authorization request on our pages. */
export const INTERACTION_SECONDS = 3600
