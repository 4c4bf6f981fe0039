import { type Acr, acrReaches, assuranceOf, type Proof } from './assurance.ts'
import {
  CHOSEN_FACTORS,
  type ChosenFactor,
  completeEnrolment,
  type EpochSeconds,
  type FactorId,
  type Member,
  trustPassword,
} from './member.ts'
import {
  ENROLMENT_WINDOW_SECONDS,
  type NetworkPolicy,
  REGISTRATION_WINDOW_SECONDS,
  type RequestPolicy,
  reportedAcr,
  type SocietyPolicy,
} from './policy.ts'

/** What has happened in this authorization request, beside what the member's record says. */
export type SessionFacts = Readonly<{
  /** The engine's session that the proofs came from, if they did. */
  id?: string
  proofs: readonly Proof[]
  /** This sign-in, by which the record tells what was done in it (`provenIn`, `enrolledIn`). */
  signIn?: string
  /** The first login was completed in this sign-in. */
  enrolledHere: boolean
  /** The page that says so was answered. */
  doneSeen: boolean
  /** A passkey on a phone was used to sign in on this device. */
  offerDevice: boolean
}>

export type Facts = Readonly<{
  now: EpochSeconds
  member: Member | undefined
  request: RequestPolicy
  network: NetworkPolicy
  society: SocietyPolicy
  session: SessionFacts
}>
export type KnownFacts = Facts & Readonly<{ member: Member }>

/**
 * What was proven before the mailbox set a new password says nothing about who asked for it, and
 * what was proven before the member ended all other sign-ins, or went on in one alone, ended with them.
 */
const countedSince = ({ member, request, session }: Facts): EpochSeconds => {
  const { signedOut, password, begunAnew } = member ?? {}
  return Math.max(
    request.proofsSince,
    password?.setByMailbox ? password.changedAt : 0,
    begunAnew?.at ?? 0,
    signedOut && (signedOut.except === undefined || signedOut.except !== session.id)
      ? signedOut.at
      : 0,
  )
}

const counted = (facts: Facts): readonly Proof[] => {
  const since = countedSince(facts)
  return facts.session.proofs.filter((proof) => proof.at >= since)
}

const proven = (facts: Facts, factors: readonly FactorId[]): boolean =>
  counted(facts).some((proof) => factors.includes(proof.factor))

const firstFactorDue = (facts: Facts): boolean =>
  facts.member === undefined || !proven(facts, ['password', 'passkey'])

const holds = (member: Member, factor: FactorId): boolean =>
  member.credentials.some((credential) => credential.factor === factor)

/**
 * The second factors this member could prove now, in the order offered. A code to the proven
 * address is one for those who chose it or hold nothing stronger, and for everybody on a network
 * whose policy shuts out what they hold: never a way down from a method that can be used, and none
 * at all while the password itself rests on that mailbox.
 */
export const secondFactors = ({ member, network }: KnownFacts): readonly SecondFactor[] => {
  const strong = network.factors.filter((factor) => factor !== 'emailCode' && holds(member, factor))
  const byEmail =
    member.email?.verifiedAt !== undefined &&
    !member.password.setByMailbox &&
    network.factors.includes('emailCode') &&
    (member.chosenFactor === 'emailCode' || strong.length === 0)
  const chosen = member.chosenFactor
  const methods: SecondFactor[] = [...strong, ...(byEmail ? (['emailCode'] as const) : [])]
  methods.sort((a, b) => Number(b === chosen) - Number(a === chosen))
  return holds(member, 'recoveryCode') && strong.length > 0 ? [...methods, 'recoveryCode'] : methods
}
export type SecondFactor = ChosenFactor | 'recoveryCode'

const isStrong = ({ factor }: { factor: FactorId }) => factor === 'passkey' || factor === 'totp'

const birthdateDue = (facts: KnownFacts) => facts.member.birthdateConfirmedAt === undefined
const termsDue = (facts: KnownFacts) =>
  facts.member.acceptedTerms.at(-1)?.version !== facts.society.termsVersion
const emailDue = (facts: KnownFacts) => facts.member.email?.verifiedAt === undefined
const chooseFactorDue = (facts: KnownFacts) => facts.member.chosenFactor === undefined
const newPasswordDue = (facts: KnownFacts) => facts.member.password.initial !== undefined

/** The proven address is the e-mail code's registration, so that method is never due. */
const registerFactorDue = ({ member, network }: KnownFacts): boolean => {
  const { chosenFactor } = member
  if (chosenFactor === undefined || chosenFactor === 'emailCode') return false
  if (!network.factors.includes(chosenFactor)) return false
  return !member.credentials.some((credential) => credential.factor === chosenFactor)
}

const SECOND: readonly SecondFactor[] = ['passkey', 'totp', 'emailCode', 'recoveryCode']

/** The acr after proving one more factor. */
const acrWith = (facts: Facts, factor: FactorId): Acr | undefined =>
  assuranceOf([...counted(facts), { factor, at: facts.now }])?.acr

/** The acr to aim at: what is required, or of what was asked for the first that can be reached. */
const targetAcr = (facts: KnownFacts): Acr => {
  const { requiredAcr, voluntaryAcrs = [] } = facts.request
  if (voluntaryAcrs.length === 0) return requiredAcr
  const now = assuranceOf(counted(facts))?.acr
  const reachable = [now, ...secondFactors(facts).map((factor) => acrWith(facts, factor))]
  return (
    voluntaryAcrs.find(
      (acr) => acrReaches(acr, requiredAcr) && reachable.some((reach) => acrReaches(reach, acr)),
    ) ?? requiredAcr
  )
}

/** The factors to ask for now, in the order offered: those that are enough, if any is. */
export const usefulFactors = (facts: KnownFacts): readonly SecondFactor[] => {
  const target = targetAcr(facts)
  const unproven = secondFactors(facts).filter((factor) => !proven(facts, [factor]))
  if (acrReaches(assuranceOf(counted(facts))?.acr, target)) return unproven
  const enough = unproven.filter((factor) => acrReaches(acrWith(facts, factor), target))
  return enough.length > 0 ? enough : unproven
}

/**
 * Recovery codes are shown to who has just proven what they stand in for, or one of them. The first
 * ones are not put off; later ones are until the next such proof.
 */
const recoveryCodesDue = (facts: KnownFacts): boolean => {
  const { member } = facts
  if (member.recoveryCodesDue !== true || !member.credentials.some(isStrong)) return false
  const putOffAt = holds(member, 'recoveryCode') ? member.recoveryCodesPutOffAt : undefined
  return counted(facts).some(
    ({ factor, at }) => (isStrong({ factor }) || factor === 'recoveryCode') && at > (putOffAt ?? 0),
  )
}

/**
 * Whether one more method may be added in the request that completed the first login: a second
 * factor was proven in it, and no weaker one than the strongest the account holds.
 */
export const mayAddMethod = (facts: KnownFacts): boolean =>
  proven(
    facts,
    facts.member.credentials.some(isStrong) ? ['passkey', 'totp', 'recoveryCode'] : SECOND,
  )

/** Something that changes what the account can be signed in to with. */
const accountChangeDue = (facts: KnownFacts): boolean =>
  emailDue(facts) || chooseFactorDue(facts) || newPasswordDue(facts) || registerFactorDue(facts)

/** The account is about to change, and nothing but the password could be proven before it. */
const passwordAlone = (facts: KnownFacts): boolean =>
  accountChangeDue(facts) &&
  secondFactors(facts).length === 0 &&
  !proven(facts, ['deskPass', ...SECOND])

/** The password was set on the word of the mailbox, and nothing else has been proven since. */
const mailboxAlone = (facts: KnownFacts): boolean =>
  facts.member.password.setByMailbox === true && !proven(facts, ['passkey', 'totp', 'recoveryCode'])

/**
 * A member who holds a second factor proves it where the request asks for it, be it a stronger one
 * than the session has seen, and before anything that would change the account: a stolen password
 * must not bind a method or a mailbox.
 */
const secondFactorDue = (facts: KnownFacts): boolean => {
  const useful = usefulFactors(facts)
  if (useful.length === 0) return false
  if (mailboxAlone(facts)) return true
  // The desk has sent the member here to register a method, which will be the proof.
  const byDesk = proven(facts, ['deskPass'])
  if (byDesk && (chooseFactorDue(facts) || registerFactorDue(facts))) return false
  const target = targetAcr(facts)
  if (
    !acrReaches(assuranceOf(counted(facts))?.acr, target) &&
    useful.some((factor) => acrReaches(acrWith(facts, factor), target))
  ) {
    return true
  }
  return !proven(facts, SECOND) && accountChangeDue(facts)
}

/** Once in a member's life, and never at a company PC, which is not theirs to bind a passkey to. */
const addDeviceDue = ({ member, network, session }: KnownFacts): boolean =>
  session.offerDevice &&
  member.deviceOfferedAt === undefined &&
  network.name === '' &&
  network.factors.includes('passkey')

/**
 * A member's whole way through first login and sign-in, in order: the step asked is the first row
 * that is due. No step is stored anywhere; a crash, a second tab or another device ends up at the
 * same row. Everything that changes the account stands below `verifyFactor`.
 */
export const STEPS = [
  { id: 'password', due: firstFactorDue },
  { id: 'deskPass', due: (facts: KnownFacts) => deskPassDue(facts) },
  {
    id: 'enrolled',
    due: (facts: KnownFacts) =>
      facts.session.enrolledHere && facts.society.registerFactor === 'nextLogin',
  },
  { id: 'verifyFactor', due: secondFactorDue },
  { id: 'birthdate', due: birthdateDue },
  { id: 'terms', due: termsDue },
  { id: 'email', due: emailDue },
  { id: 'chooseFactor', due: chooseFactorDue },
  { id: 'newPassword', due: newPasswordDue },
  { id: 'registerFactor', due: registerFactorDue },
  { id: 'recoveryCodes', due: recoveryCodesDue },
  { id: 'addDevice', due: addDeviceDue },
  {
    id: 'done',
    due: (facts: KnownFacts) => facts.session.enrolledHere && !facts.session.doneSeen,
  },
] as const satisfies readonly { id: string; due: (facts: KnownFacts) => boolean }[]
export type StepId = (typeof STEPS)[number]['id']

/** Why a member who proved the password still cannot go on, and must speak to the society. */
export type StopReason =
  | 'blocked'
  /** By the society's desk. */
  | 'disabled'
  /** The initial password was right, and too late. */
  | 'initialPasswordExpired'
  | 'enrolmentExpired'
  | 'registrationExpired'
  /** What the application asks for cannot be reached with what this network permits. */
  | 'networkForbids'

export type Next =
  | Readonly<{ kind: 'ask'; step: StepId }>
  | Readonly<{ kind: 'finish'; acr: Acr; amr: readonly string[] }>
  | Readonly<{ kind: 'stop'; reason: StopReason }>
  | Readonly<{ kind: 'deny'; error: 'unmet_authentication_requirements' }>

/** Nothing but an initial password says who it is, and it was proven after its end. */
const initialPasswordExpired = (facts: KnownFacts): boolean => {
  const { initial, initialExpiresAt } = facts.member.password
  if (initial === undefined || initialExpiresAt === undefined) return false
  return !counted(facts).some(
    ({ factor, at }) => factor === 'passkey' || (factor === 'password' && at < initialExpiresAt),
  )
}

const stopReason = (facts: KnownFacts): StopReason | undefined => {
  const { member, now } = facts
  if (member.blocked) return member.blocked.reason === 'disabled' ? 'disabled' : 'blocked'
  if (initialPasswordExpired(facts)) return 'initialPasswordExpired'
  if (
    member.enrolledAt === undefined &&
    member.birthdateConfirmedAt !== undefined &&
    now - member.birthdateConfirmedAt > ENROLMENT_WINDOW_SECONDS
  ) {
    return 'enrolmentExpired'
  }
  if (
    member.enrolledAt !== undefined &&
    registerFactorDue(facts) &&
    !member.credentials.some(isStrong) &&
    now - Math.max(member.enrolledAt, member.methodsClearedAt ?? 0) > REGISTRATION_WINDOW_SECONDS
  ) {
    return 'registrationExpired'
  }
  if (mailboxAlone(facts) && secondFactors(facts).length === 0) return 'networkForbids'
  if (passwordAlone(facts)) {
    // After a desk pass nothing stands yet: only another pass leads on. Else the address is proven,
    // and this network takes no code sent to it.
    if (member.methodsClearedAt !== undefined) return 'registrationExpired'
    if (member.email?.verifiedAt !== undefined) return 'networkForbids'
  }
  return undefined
}

/** What the society's desk mends by a one-use pass, once it has issued one. */
const deskPassDue = (facts: KnownFacts): boolean => {
  const { deskPass } = facts.member
  if (!deskPass || deskPass.expiresAt <= facts.now) return false
  const reason = stopReason(facts)
  return reason === 'blocked' || reason === 'registrationExpired'
}

/** Whether a method the member has would be enough, and it is this network that forbids it. */
const isShutOut = (facts: KnownFacts): boolean => {
  const { member, network, request } = facts
  const byEmail = member.email?.verifiedAt !== undefined && !member.password.setByMailbox
  return CHOSEN_FACTORS.some(
    (factor) =>
      !network.factors.includes(factor) &&
      (factor === 'emailCode' ? byEmail : holds(member, factor)) &&
      acrReaches(acrWith(facts, factor), request.requiredAcr),
  )
}

const isKnown = (facts: Facts): facts is KnownFacts => facts.member !== undefined

/**
 * What to do now, computed from facts alone: the pages ask it, and so does the engine's
 * interaction policy before it issues a code, so no route gets round a step.
 */
export const next = (facts: Facts): Next => {
  if (!isKnown(facts) || firstFactorDue(facts)) return { kind: 'ask', step: 'password' }
  const reason = stopReason(facts)
  if (reason && !deskPassDue(facts)) return { kind: 'stop', reason }
  const row = STEPS.find((step) => step.due(facts))
  if (row) return { kind: 'ask', step: row.id }
  const assurance = assuranceOf(counted(facts))
  const acr = assurance && reportedAcr(assurance.acr, facts.request)
  if (assurance && acr) return { kind: 'finish', acr, amr: assurance.amr }
  return isShutOut(facts) && !facts.request.essentialAcrs
    ? { kind: 'stop', reason: 'networkForbids' }
    : { kind: 'deny', error: 'unmet_authentication_requirements' }
}

/**
 * The facts with a reset password trusted again once another method than the mailbox is proven beside
 * it: who signs in by a passkey alone has not said that this password is theirs.
 */
const settlePassword = (facts: KnownFacts): KnownFacts =>
  facts.member.password.setByMailbox && proven(facts, ['password']) && !mailboxAlone(facts)
    ? { ...facts, member: trustPassword(facts.member) }
    : facts

/**
 * The facts after a step, with the first login marked complete where its last row has just been
 * met. Under `nextLogin` the method's registration is no part of it (manual step 10).
 */
export const settle = (before: KnownFacts): KnownFacts => {
  const facts = settlePassword(before)
  const complete =
    facts.member.enrolledAt === undefined &&
    !birthdateDue(facts) &&
    !termsDue(facts) &&
    !emailDue(facts) &&
    !chooseFactorDue(facts) &&
    !newPasswordDue(facts) &&
    (facts.society.registerFactor === 'nextLogin' || !registerFactorDue(facts))
  if (!complete) return facts
  return {
    ...facts,
    member: completeEnrolment(facts.member, facts.now, facts.session.signIn),
    session: { ...facts.session, enrolledHere: true },
  }
}
