import { type Acr, assuranceOf, type Proof } from './assurance.ts'
import {
  type ChosenFactor,
  completeEnrolment,
  type EpochSeconds,
  type FactorId,
  type Member,
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
  proofs: readonly Proof[]
  /** The first login was completed in this authorization request. */
  enrolledHere: boolean
  /** The page that says so was answered. */
  doneSeen: boolean
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

const counted = (facts: Facts): readonly Proof[] =>
  facts.session.proofs.filter((proof) => proof.at >= facts.request.proofsSince)

const proven = (facts: Facts, factors: readonly FactorId[]): boolean =>
  counted(facts).some((proof) => factors.includes(proof.factor))

const firstFactorDue = (facts: Facts): boolean =>
  facts.member === undefined || !proven(facts, ['password', 'passkey'])

/** Whether the proofs, with perhaps one more, are worth what the request asks. */
const reached = (facts: KnownFacts, oneMore?: FactorId): boolean => {
  const more: readonly Proof[] = oneMore ? [{ factor: oneMore, at: facts.now }] : []
  const assurance = assuranceOf([...counted(facts), ...more])
  return assurance !== undefined && reportedAcr(assurance.acr, facts.request) !== undefined
}

/**
 * The second factors this member could prove now: what they registered, permitted on this network;
 * where the request asks for more than is proven, only those that are worth it, if there are any.
 */
export const secondFactors = (facts: KnownFacts): readonly ChosenFactor[] => {
  const { member, network } = facts
  const held = network.factors.filter((factor) =>
    factor === 'emailCode'
      ? member.email?.verifiedAt !== undefined &&
        (member.chosenFactor === 'emailCode' || !member.credentials.some(isStrong))
      : member.credentials.some((credential) => credential.factor === factor),
  )
  const enough = reached(facts) ? [] : held.filter((factor) => reached(facts, factor))
  return enough.length > 0 ? enough : held
}

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

/**
 * A member who holds a second factor proves it where the request asks for it, be it a stronger one
 * than the session has seen, and before anything that would change the account: a stolen password
 * must not bind a method or a mailbox.
 */
const secondFactorDue = (facts: KnownFacts): boolean => {
  const held = secondFactors(facts)
  if (held.length === 0) return false
  if (!reached(facts) && held.some((factor) => reached(facts, factor))) return true
  if (proven(facts, ['passkey', 'totp', 'emailCode', 'recoveryCode'])) return false
  return (
    !reached(facts) ||
    emailDue(facts) ||
    chooseFactorDue(facts) ||
    newPasswordDue(facts) ||
    registerFactorDue(facts)
  )
}

/**
 * A member's whole way through first login and sign-in, in order: the step asked is the first row
 * that is due. No step is stored anywhere; a crash, a second tab or another device ends up at the
 * same row. Everything that changes the account stands below `verifyFactor`.
 */
export const STEPS = [
  { id: 'password', due: firstFactorDue },
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
  {
    id: 'done',
    due: (facts: KnownFacts) => facts.session.enrolledHere && !facts.session.doneSeen,
  },
] as const satisfies readonly { id: string; due: (facts: KnownFacts) => boolean }[]
export type StepId = (typeof STEPS)[number]['id']

/** Why a member who proved the password still cannot go on, and must speak to the society. */
export type StopReason = 'blocked' | 'enrolmentExpired' | 'registrationExpired'

export type Next =
  | Readonly<{ kind: 'ask'; step: StepId }>
  | Readonly<{ kind: 'finish'; acr: Acr; amr: readonly string[] }>
  | Readonly<{ kind: 'stop'; reason: StopReason }>
  | Readonly<{ kind: 'deny'; error: 'unmet_authentication_requirements' }>

const stopReason = (facts: KnownFacts): StopReason | undefined => {
  const { member, now } = facts
  if (member.blocked) return 'blocked'
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
    now - member.enrolledAt > REGISTRATION_WINDOW_SECONDS
  ) {
    return 'registrationExpired'
  }
  return undefined
}

const isKnown = (facts: Facts): facts is KnownFacts => facts.member !== undefined

/**
 * What to do now, computed from facts alone: the pages ask it, and so does the engine's
 * interaction policy before it issues a code, so no route gets round a step.
 */
export const next = (facts: Facts): Next => {
  if (!isKnown(facts) || firstFactorDue(facts)) return { kind: 'ask', step: 'password' }
  const reason = stopReason(facts)
  if (reason) return { kind: 'stop', reason }
  const row = STEPS.find((step) => step.due(facts))
  if (row) return { kind: 'ask', step: row.id }
  const assurance = assuranceOf(counted(facts))
  const acr = assurance && reportedAcr(assurance.acr, facts.request)
  return assurance && acr
    ? { kind: 'finish', acr, amr: assurance.amr }
    : { kind: 'deny', error: 'unmet_authentication_requirements' }
}

/**
 * The facts after a step, with the first login marked complete where its last row has just been
 * met. Under `nextLogin` the method's registration is no part of it (manual step 10).
 */
export const settle = (facts: KnownFacts): KnownFacts => {
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
    member: completeEnrolment(facts.member, facts.now),
    session: { ...facts.session, enrolledHere: true },
  }
}
