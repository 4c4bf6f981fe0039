import { maskEmailAddress } from '../accounts/email-address.ts'
import type { EpochSeconds, Locale, Member, MemberId } from '../accounts/member.ts'
import { clientName } from '../accounts/policy.ts'
import type { MailTemplate } from '../accounts/ports.ts'
import { countInOrder } from '../accounts/throttle.ts'
import {
  CODE_SECONDS,
  type EmailChallenge,
  type EmailPurpose,
  LINK_SECONDS,
  normalizeCode,
  referenceOf,
} from '../factors/email-code.ts'
import type { Fault, MailChallengeLocals } from '../views/pages.ts'
import type { Services } from './services.ts'
import { ceremonyOf, type FlowPatch, fault, type StepContext } from './step.ts'
import { timeText, untilText } from './wording.ts'

/** A mail that the next server has not taken after this long is said to be late. */
const DELAY_SECONDS = 2
export const COOLDOWN_SECONDS = 60

/** A challenge as kept: who asked for it, and whether it has been answered. */
export type KeptChallenge = EmailChallenge &
  Readonly<{
    uid: string
    societyId: string
    locale: Locale
    requestedFrom: string
    appName: string
    /** Answered: by code or by link, once. */
    answeredAt?: EpochSeconds
  }>

/** The mails sent for a challenge, apart from it so that a resend never races an answer. */
type MailTrace = Readonly<{ mailId: string; mailedAt: EpochSeconds; mails: number }>

/** The address a member is proving, and the challenge under way: known from any device. */
export type PendingAddress = Readonly<{ address: string; challengeId: string }>

const challengeKey = (id: string) => `challenge:${id}`
const mailsKey = (id: string) => `challenge-mails:${id}`
export const pendingKey = (memberId: MemberId) => `pending-email:${memberId}`

export const findChallenge = (
  { transient }: Services,
  id: string | undefined,
): Promise<KeptChallenge | undefined> =>
  id === undefined ? Promise.resolve(undefined) : transient.get<KeptChallenge>(challengeKey(id))

export const isLive = (challenge: EmailChallenge | undefined, now: EpochSeconds): boolean =>
  challenge !== undefined && now - challenge.createdAt < CODE_SECONDS

const templateOf: Record<EmailPurpose, MailTemplate> = {
  confirmAddress: 'confirmAddress',
  confirmSecondAddress: 'confirmSecondAddress',
  proveAddressOnFile: 'proveAddressOnFile',
  signIn: 'signInCode',
  resetPassword: 'resetCode',
}

/** Counts one more mail against every limit; the time from which another may go, where none may. */
const mailPausedUntil = async (
  { services, address }: StepContext,
  memberId: MemberId,
  cooldown: string,
): Promise<EpochSeconds | undefined> => {
  const { throttle } = services
  // In this order, and no further than the first that refuses: a mail that is not sent counts nowhere.
  const counted = await countInOrder(throttle, [
    ['mailCooldown', cooldown],
    ['mailPerHour', memberId],
    ['mailPerDay', memberId],
    ['mailPerAddress', address],
  ])
  return counted.ok ? undefined : counted.until
}

/** Keeps a challenge, so that its answer can be checked and its mail written. */
export const keepChallenge = ({ transient }: Services, challenge: KeptChallenge): Promise<void> =>
  transient.put(challengeKey(challenge.id), challenge, LINK_SECONDS)

/** Queues the challenge's mail, the `mails`th of it. */
export const queueMail = async (
  { services }: Readonly<{ services: Services }>,
  challenge: KeptChallenge,
  mails: number,
): Promise<void> => {
  const now = services.clock.now()
  const mailId = `${challenge.id}-${mails}`
  await services.outbox.add({
    id: mailId,
    to: challenge.address,
    template: templateOf[challenge.purpose],
    locale: challenge.locale,
    societyId: challenge.societyId,
    challengeId: challenge.id,
    facts: { requestedFrom: challenge.requestedFrom, appName: challenge.appName },
    requestedAt: now,
    expiresAt: challenge.createdAt + CODE_SECONDS,
  })
  const trace: MailTrace = { mailId, mailedAt: now, mails }
  await services.transient.put(mailsKey(challenge.id), trace, LINK_SECONDS)
}

/**
 * A new code to an address: kept, then queued. Where the limits allow no mail, nothing is made and
 * the patch says until when.
 */
export const openChallenge = async (
  context: StepContext,
  purpose: EmailPurpose,
  address: string,
): Promise<FlowPatch> => {
  const { services, factors, client, locale, uid, device } = context
  const { member } = context.facts
  const cooldown = `${member.id}|${purpose}|${address}`
  const until = await mailPausedUntil(context, member.id, cooldown)
  if (until !== undefined) return { mailsPausedUntil: until }
  const { kept } = await factors.emailCode.beginAuthentication(
    { ...member, email: { address } },
    ceremonyOf(context),
  )
  const challenge: KeptChallenge = {
    ...kept,
    purpose,
    uid,
    societyId: member.societyId,
    locale,
    requestedFrom: device,
    appName: clientName(client, locale),
  }
  await keepChallenge(services, challenge)
  if (purpose === 'confirmAddress') {
    const pending: PendingAddress = { address, challengeId: challenge.id }
    await services.transient.put(pendingKey(member.id), pending, LINK_SECONDS)
  }
  await queueMail(context, challenge, 1)
  return { challengeId: challenge.id, notice: 'sent', mailsPausedUntil: undefined }
}

/** The same code once more while it lives, else a new one. */
export const resendChallenge = async (
  context: StepContext,
  challenge: KeptChallenge,
): Promise<FlowPatch> => {
  const { services, facts } = context
  if (!isLive(challenge, services.clock.now()) || challenge.answeredAt !== undefined) {
    return openChallenge(context, challenge.purpose, challenge.address)
  }
  const cooldown = `${facts.member.id}|${challenge.purpose}|${challenge.address}`
  const until = await mailPausedUntil(context, facts.member.id, cooldown)
  if (until !== undefined) return { mailsPausedUntil: until }
  const trace = await services.transient.get<MailTrace>(mailsKey(challenge.id))
  await queueMail(context, challenge, (trace?.mails ?? 1) + 1)
  return { challengeId: challenge.id, notice: 'resent', mailsPausedUntil: undefined }
}

/** Whether it has been answered, be it by a request that never came to save what that proved. */
export const isAnswered = ({ answeredAt }: KeptChallenge): boolean => answeredAt !== undefined

/**
 * Marks the challenge answered: of any number of callers, one is told true. It stays readable, so
 * that its link can say that it has been used.
 */
export const answerOnce = (
  { transient, clock }: Services,
  challenge: KeptChallenge,
): Promise<boolean> =>
  isAnswered(challenge)
    ? Promise.resolve(false)
    : transient.replace(
        challengeKey(challenge.id),
        challenge,
        { ...challenge, answeredAt: clock.now() },
        LINK_SECONDS,
      )

const sharedKey = (id: string) => `challenge-shared:${id}`

/** Notes that a request other than the one that asked waits on the challenge too. */
export const shareChallenge = ({ transient }: Services, { id }: EmailChallenge): Promise<void> =>
  transient.put(sharedKey(id), true, LINK_SECONDS)

/** Whether its link could move on somebody who did not ask: then it proves the address and no more. */
export const isShared = async ({ transient }: Services, { id }: EmailChallenge): Promise<boolean> =>
  (await transient.get(sharedKey(id))) === true

export type CodeVerdict =
  | Readonly<{ kind: 'right' }>
  /** Another request was first, or there is nothing to answer: show the page that is due. */
  | Readonly<{ kind: 'moot' }>
  | Readonly<{ kind: 'expired' }>
  | Readonly<{ kind: 'wrong'; fault: Fault }>

const SIX_DIGITS = /^\d{6}$/u

/** Takes a typed code: counted before it is compared, accepted once. */
export const answerCode = async (
  context: StepContext,
  challenge: KeptChallenge | undefined,
  typed: string,
): Promise<CodeVerdict> => {
  const { services, factors, facts, locale } = context
  const { throttle } = services
  if (!challenge || isAnswered(challenge)) return { kind: 'moot' }
  const limits = [
    ['emailCode', challenge.id],
    ['emailCodePerMember', facts.member.id],
  ] as const
  let left: number = Number.POSITIVE_INFINITY
  if (SIX_DIGITS.test(normalizeCode(typed))) {
    const allowance = await countInOrder(throttle, limits)
    if (!allowance.ok) {
      const time = untilText(allowance.until, locale)
      return { kind: 'wrong', fault: fault('code.toomany', 'code', { time }) }
    }
    left = allowance.left
  }
  const ceremony = ceremonyOf(context)
  const verdict = await factors.emailCode.finishAuthentication(
    facts.member,
    challenge,
    { code: typed },
    ceremony,
  )
  if (!verdict.ok) {
    if (verdict.reason === 'code.expired') return { kind: 'expired' }
    const values = verdict.reason === 'code.wrong' ? { left } : verdict.values
    return { kind: 'wrong', fault: fault(verdict.reason, 'code', values) }
  }
  if (!(await answerOnce(services, challenge))) return { kind: 'moot' }
  await Promise.all(limits.map(([limit, key]) => throttle.forget(limit, key)))
  return { kind: 'right' }
}

/** When the challenge's newest mail was asked for, and how many have been. */
export const mailTrace = async (
  { transient }: Services,
  challenge: KeptChallenge,
): Promise<Readonly<{ mailedAt: EpochSeconds; mails: number }>> =>
  (await transient.get<MailTrace>(mailsKey(challenge.id))) ?? {
    mailedAt: challenge.createdAt,
    mails: 1,
  }

/** Whether the challenge's newest mail has not gone out within two seconds. */
export const isMailDelayed = async (services: Services, challengeId: string): Promise<boolean> => {
  const trace = await services.transient.get<MailTrace>(mailsKey(challengeId))
  if (!trace) return false
  if (services.clock.now() - trace.mailedAt < DELAY_SECONDS) return false
  return (await services.outbox.stateOf(trace.mailId)) !== 'sent'
}

/** What every page that waits for a code shows of it. */
export const challengeLocals = async (
  { services, society: _society, flow, locale }: StepContext,
  challenge: KeptChallenge,
  { masked }: { masked: boolean },
): Promise<MailChallengeLocals> => {
  const now = services.clock.now()
  const trace = await services.transient.get<MailTrace>(mailsKey(challenge.id))
  const mailedAt = trace?.mailedAt ?? challenge.createdAt
  return {
    address: masked ? maskEmailAddress(challenge.address) : challenge.address,
    sentAt: timeText(mailedAt, locale),
    reference: referenceOf(services.settings.codeKey, challenge.id),
    delayed: await isMailDelayed(services, challenge.id),
    resendInSeconds: Math.max(0, mailedAt + COOLDOWN_SECONDS - now),
    senderAddress: services.settings.mailFrom,
    ...(flow.notice && { notice: flow.notice }),
  }
}

/** Texts for "no more mails for now", at what would send one. */
export const pausedFaults = (
  { flow, services, locale }: StepContext,
  field: 'resend' | 'email' = 'resend',
  reason: 'mail.limit' | 'mail.paused' = 'mail.limit',
): readonly Fault[] =>
  flow.mailsPausedUntil !== undefined && flow.mailsPausedUntil > services.clock.now()
    ? [fault(reason, field, { time: untilText(flow.mailsPausedUntil, locale) })]
    : []

/** Whether the member's own record already has this address proven. */
export const hasProven = (member: Member, address: string): boolean =>
  member.email?.address === address && member.email.verifiedAt !== undefined
