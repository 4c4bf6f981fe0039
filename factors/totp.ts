import { z } from 'zod'
import { StaleInteractionError } from '../accounts/errors.ts'
import type { Credential, EpochSeconds, Member } from '../accounts/member.ts'
import { INTERACTION_SECONDS } from '../accounts/policy.ts'
import type { RandomBytes } from '../accounts/ports.ts'
import { base32, RFC4648 } from './base32.ts'
import { normalizeCode } from './email-code.ts'
import type {
  Answer,
  Ceremony,
  Challenge,
  RegistrableFactor,
  Rejection,
  Verdict,
} from './factor.ts'
import type { Seal } from './seal.ts'
import { CODE_DIGITS, SECRET_BYTES, STEP_SECONDS, stepOf } from './totp-code.ts'

/** How far from now a right code is still recognized, to say that the phone's clock is off. */
const SKEW_STEPS = 20
const LABEL_CHARACTERS = 40

/** A registration under way. The same one is kept through wrong codes and reloads. */
export type TotpRegistration = Readonly<{ sealedSecret: string; issuedAt: EpochSeconds }>

/** What the registration page shows; holds the secret, so it is for that page alone. */
export type TotpShown = Readonly<{
  /** `otpauth://totp/…`, for the QR code and for the link on a phone. */
  uri: string
  /** The secret in base 32, groups of four: "ABCD EFGH …". */
  secretGroups: string
  /** The names under which the app will list it. */
  account: string
  issuerName: string
}>

const dataSchema = z.object({ sealedSecret: z.string(), lastStep: z.int() })
/** `lastStep`: the newest accepted time step; no code of this step or before is taken again. */
type TotpData = z.output<typeof dataSchema>

/** The place a secret is bound to: sealed for one member, it opens for no other. */
const placeOf = ({ id }: Pick<Member, 'id'>): string => `totp|${id}`

/** The data of an app whose secret is known already, as a registration leaves it. */
export const sealTotpSecret = (
  seal: Seal,
  member: Pick<Member, 'id'>,
  secret: Buffer,
): TotpData => ({ sealedSecret: seal.seal(secret, placeOf(member)), lastStep: 0 })

/** Neither name may hold the colon that stands between them in the label. */
const nameIn = (name: string): string => encodeURIComponent(name.replaceAll(':', ' '))

/** The Key URI Format of authenticator apps. */
const uriOf = (secret: string, account: string, issuer: string): string =>
  `otpauth://totp/${nameIn(issuer)}:${nameIn(account)}?secret=${secret}&issuer=${nameIn(issuer)}` +
  `&algorithm=SHA1&digits=${CODE_DIGITS}&period=${STEP_SECONDS}`

type Refusal = Extract<Verdict<never>, { ok: false }>

/** Six digits out of what was typed. */
const codeIn = (answer: Answer): Verdict<string> => {
  const code = normalizeCode(answer.code ?? '')
  if (code === '') return { ok: false, reason: 'code.empty' }
  if (!/^\d+$/.test(code)) return { ok: false, reason: 'code.digits' }
  if (code.length !== CODE_DIGITS) {
    return { ok: false, reason: 'code.len', values: { n: code.length } }
  }
  return { ok: true, value: code }
}

/** The member's name for the app, on one line; empty where there is none. */
const labelIn = ({ label = '' }: Answer): string =>
  Array.from(label.replace(/[\p{C}\u2028\u2029]/gu, '').trim())
    .slice(0, LABEL_CHARACTERS)
    .join('')

/** The step further away than the window, up to `SKEW_STEPS`, whose code this is. */
const strayStepOf = (
  secret: Buffer,
  code: string,
  now: EpochSeconds,
  directions: readonly (1 | -1)[],
): number | undefined => {
  for (let distance = 2; distance <= SKEW_STEPS; distance += 1) {
    for (const direction of directions) {
      const step = stepOf(secret, code, now + direction * distance * STEP_SECONDS, 0)
      if (step !== undefined) return step
    }
  }
  return undefined
}

/** The most telling reason first. */
const REFUSALS = ['totp.used', 'totp.skew', 'totp.wrong'] as const satisfies readonly Rejection[]
const mostTelling = (reasons: readonly Rejection[]): Refusal => ({
  ok: false,
  reason: REFUSALS.find((reason) => reasons.includes(reason)) ?? 'totp.wrong',
})

/**
 * The step to store after this code, which is newer than any accepted before (RFC 6238 section 5.2).
 * A code of a slow clock is told apart from a wrong one but never accepted. A code of a fast clock
 * only where `hintAhead`: at sign-in it would tell a guesser which code is about to become valid.
 */
const accept = (
  secret: Buffer,
  code: string,
  now: EpochSeconds,
  { lastStep, hintAhead }: Readonly<{ lastStep: number; hintAhead: boolean }>,
): Verdict<number> => {
  const step = stepOf(secret, code, now, 1)
  if (step !== undefined && step > lastStep) return { ok: true, value: step }
  const stray = step ?? strayStepOf(secret, code, now, hintAhead ? [-1, 1] : [-1])
  if (stray === undefined) return { ok: false, reason: 'totp.wrong' }
  return { ok: false, reason: stray <= lastStep ? 'totp.used' : 'totp.skew' }
}

export type TotpFactor = RegistrableFactor<
  TotpShown,
  TotpRegistration,
  Record<string, never>,
  Record<string, never>
> &
  Readonly<{
    /** What the page shows of a registration under way, again. @throws UnreadableSecretError */
    showRegistration(member: Member, kept: TotpRegistration, ceremony: Ceremony): TotpShown
  }>

/**
 * An authenticator app: RFC 6238 with SHA-1, six digits and steps of 30 seconds, one step of
 * tolerance either way. Secrets are at rest only sealed, bound to their member, and are shown by the
 * registration alone. A finished authentication returns the credential with its `lastStep` moved on:
 * only if that is saved while the stored one is still the one checked here is a code accepted once.
 * `answer.code` is the code, `answer.label` the member's name for the app, which may be missing.
 */
export const createTotpFactor = ({
  seal,
  randomBytes,
}: Readonly<{ seal: Seal; randomBytes: RandomBytes }>): TotpFactor => {
  const secretOf = (member: Member, sealedSecret: string) =>
    seal.open(sealedSecret, placeOf(member))

  /** Sealed anew each time, so that a key put in front comes into use. */
  const dataOf = (member: Member, secret: Buffer, lastStep: number): TotpData => ({
    sealedSecret: seal.seal(secret, placeOf(member)),
    lastStep,
  })

  const showRegistration: TotpFactor['showRegistration'] = (member, kept, { issuerName }) => {
    const secret = base32(secretOf(member, kept.sealedSecret), RFC4648)
    const account = member.loginId
    return {
      uri: uriOf(secret, account, issuerName),
      secretGroups: secret.replace(/.{4}(?=.)/g, '$& '),
      account,
      issuerName,
    }
  }

  return {
    id: 'totp',
    showRegistration,

    async beginRegistration(member, ceremony): Promise<Challenge<TotpShown, TotpRegistration>> {
      const sealedSecret = seal.seal(randomBytes(SECRET_BYTES), placeOf(member))
      const kept = { sealedSecret, issuedAt: ceremony.now }
      return {
        shown: showRegistration(member, kept, ceremony),
        kept,
        expiresInSeconds: INTERACTION_SECONDS,
      }
    },

    async finishRegistration(member, kept, answer, { now }): Promise<Verdict<Credential>> {
      if (now - kept.issuedAt >= INTERACTION_SECONDS) {
        throw new StaleInteractionError('the registration of an app took too long')
      }
      const code = codeIn(answer)
      if (!code.ok) return code
      const secret = secretOf(member, kept.sealedSecret)
      const accepted = accept(secret, code.value, now, { lastStep: 0, hintAhead: true })
      if (!accepted.ok) return accepted
      const label = labelIn(answer)
      return {
        ok: true,
        value: {
          id: randomBytes(16).toString('base64url'),
          factor: 'totp',
          ...(label && { label }),
          registeredAt: now,
          data: dataOf(member, secret, accepted.value),
        },
      }
    },

    /** The app makes its codes by itself: nothing is kept and nothing expires. */
    async beginAuthentication() {
      return { shown: {}, kept: {}, expiresInSeconds: INTERACTION_SECONDS }
    },

    async finishAuthentication(member, _kept, answer, { now }) {
      const code = codeIn(answer)
      if (!code.ok) return code
      const reasons: Rejection[] = []
      for (const credential of member.credentials) {
        if (credential.factor !== 'totp') continue
        const { sealedSecret, lastStep } = dataSchema.parse(credential.data)
        const secret = secretOf(member, sealedSecret)
        const accepted = accept(secret, code.value, now, { lastStep, hintAhead: false })
        if (accepted.ok) {
          const data = dataOf(member, secret, accepted.value)
          return { ok: true, value: { credential: { ...credential, data } } }
        }
        reasons.push(accepted.reason)
      }
      return mostTelling(reasons)
    },
  }
}
