import type { Credential, EpochSeconds, FactorId, Member } from '../accounts/member.ts'

/** A challenge as two halves: what the page shows and what the server keeps until the answer. */
export type Challenge<Shown, Kept> = Readonly<{
  shown: Shown
  kept: Kept
  expiresInSeconds: number
}>

/** Why an answer was not taken: a text of the catalogue. */
export type Rejection =
  | 'login.bad'
  | 'code.empty'
  | 'code.len'
  | 'code.digits'
  | 'code.wrong'
  | 'code.expired'
  | 'totp.wrong'
  | 'totp.skew'
  | 'totp.used'
  | 'pk.failed'
  | 'pk.dup'
  | 'pk.gone'
  | 'recovery.format'
  | 'recovery.wrong'
  | 'pass.format'
  | 'pass.wrong'

export type Verdict<T> =
  | Readonly<{ ok: true; value: T }>
  | Readonly<{ ok: false; reason: Rejection; values?: Readonly<Record<string, string | number>> }>

/** Where and when a ceremony takes place. */
export type Ceremony = Readonly<{
  now: EpochSeconds
  /** The issuer's origin: https://id.example.jp */
  origin: string
  /** WebAuthn relying party ID: the issuer's host name. */
  rpId: string
  /** The society's name, as an app or an operating system shows it. */
  issuerName: string
}>

/** What a finished authentication leaves: the credential as it must be stored next, if it changed. */
export type Authentication = Readonly<{
  credential?: Credential
  /** Passkeys: whether the key is synced (`swk`) or of one device (`hwk`). */
  synced?: boolean
  /** Passkeys: the answer came from a phone beside this device, as the browser says. */
  elsewhere?: true
}>

/** A form's fields; a factor reads its own. */
export type Answer = Readonly<Record<string, string>>

/**
 * One way of proving who one is. Factors compute and never store: attempts are counted, challenges
 * kept and used once, members saved by the caller.
 */
export interface AuthenticationFactor<Shown = unknown, Kept = unknown> {
  readonly id: FactorId
  beginAuthentication(member: Member, ceremony: Ceremony): Promise<Challenge<Shown, Kept>>
  finishAuthentication(
    member: Member,
    kept: Kept,
    answer: Answer,
    ceremony: Ceremony,
  ): Promise<Verdict<Authentication>>
}

/** A factor that leaves a credential with the member. */
export interface RegistrableFactor<
  RegistrationShown = unknown,
  RegistrationKept = unknown,
  Shown = unknown,
  Kept = unknown,
> extends AuthenticationFactor<Shown, Kept> {
  beginRegistration(
    member: Member,
    ceremony: Ceremony,
  ): Promise<Challenge<RegistrationShown, RegistrationKept>>
  finishRegistration(
    member: Member,
    kept: RegistrationKept,
    answer: Answer,
    ceremony: Ceremony,
  ): Promise<Verdict<Credential>>
}
