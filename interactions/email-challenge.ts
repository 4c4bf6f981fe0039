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
  referenceOf,
} from '../factors/email-code.ts'
import type { Fault, MailChallengeLocals } from '../views/pages.ts'
import type { Services } from './services.ts'
import {
  ceremonyOf,
  type FlowPatch,
  fault,
  type SaveFlow,
  type StepContext,
  signInOf,
} from './step.ts'
import { timeText, untilText } from './wording.ts'

/** A mail that the next server has not taken after this long is said to be late. */
const DELAY_SECONDS = 2
export const COOLDOWN_SECONDS = 60

/** A challenge as kept: who asked for it, and whether it has been answered. */
export type KeptChallenge = EmailChallenge &
  Readonly<{
    uid: string
    /** The sign-in that asked (`signInOf`): its link is a proof there. */
    signIn: string
    societyId: string
    locale: Locale
    requestedFrom: string
    appName: string
    /** Answered: by code or by link, once. */
    answeredAt?: EpochSeconds
  }>

/** The mails sent for a challenge, apart from it so that a resend never races an answer. */
type MailTrace = Readonly<{ mailId: string; mailedAt: EpochSeconds; mails: number }>

/** The challenge of a sign-in and its newest mail: all that its page and its answer need to know, so
 * that it can stand in the flow facts and comes with them. */
export type SentCode = EmailChallenge & MailTrace

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
  { services, facts, address }: StepContext,
  purpose: EmailPurpose,
  mailbox: string,
): Promise<EpochSeconds | undefined> => {
  const { id } = facts.member
  // In this order, and no further than the first that refuses: a mail that is not sent counts nowhere.
  const counted = await countInOrder(services.throttle, [
    ['mailCooldown', `${id}|${purpose}|${mailbox}`],
    ['mailPerHour', id],
    ['mailPerDay', id],
    ['mailPerAddress', address],
  ])
  return counted.ok ? undefined : counted.until
}

/** Keeps a challenge, so that its answer can be checked and its mail written. */
export const keepChallenge = ({ transient }: Services, challenge: KeptChallenge): Promise<void> =>
  transient.put(challengeKey(challenge.id), challenge, LINK_SECONDS)

/** Notes the challenge's mail, the `mails`th of it, that is about to be queued. */
const noteMail = async (
  { transient, clock }: Services,
  { id }: KeptChallenge,
  mails: number,
): Promise<MailTrace> => {
  const trace: MailTrace = { mailId: `${id}-${mails}`, mailedAt: clock.now(), mails }
  await transient.put(mailsKey(id), trace, LINK_SECONDS)
  return trace
}

const addMail = ({ outbox }: Services, challenge: KeptChallenge, trace: MailTrace): Promise<void> =>
  outbox.add({
    id: trace.mailId,
    to: challenge.address,
    template: templateOf[challenge.purpose],
    locale: challenge.locale,
    societyId: challenge.societyId,
    challengeId: challenge.id,
    facts: { requestedFrom: challenge.requestedFrom, appName: challenge.appName },
    requestedAt: trace.mailedAt,
    expiresAt: challenge.createdAt + CODE_SECONDS,
  })

/** Queues the challenge's mail, the `mails`th of it. */
export const queueMail = async (
  { services }: Readonly<{ services: Services }>,
  challenge: KeptChallenge,
  mails: number,
): Promise<MailTrace> => {
  const trace = await noteMail(services, challenge, mails)
  await addMail(services, challenge, trace)
  return trace
}

const newChallenge = async (
  context: StepContext,
  purpose: EmailPurpose,
  address: string,
): Promise<KeptChallenge> => {
  const { factors, client, locale, uid, flow, device, facts } = context
  const { member } = facts
  const { kept } = await factors.emailCode.beginAuthentication(
    { ...member, email: { address } },
    ceremonyOf(context),
  )
  return {
    ...kept,
    purpose,
    uid,
    signIn: signInOf(uid, flow),
    societyId: member.societyId,
    locale,
    requestedFrom: device,
    appName: clientName(client, locale),
  }
}

/** No mail is written of it any more. */
export const dropChallenge = async ({ transient }: Services, id: string): Promise<void> => {
  await Promise.all([challengeKey(id), mailsKey(id)].map((key) => transient.put(key, null, 0)))
}

/** What a flow that waits on the challenge says of it. */
const waitingOn = (
  { id, purpose, memberId, address, createdAt }: EmailChallenge,
  trace: MailTrace,
): FlowPatch => ({
  mailsPausedUntil: undefined,
  ...(purpose === 'signIn'
    ? { signInCode: { id, purpose, memberId, address, createdAt, ...trace } }
    : { challengeId: id }),
})

/**
 * A new code to an address: kept, then queued. Where the limits allow no mail, nothing is made and
 * the patch says until when.
 */
export const openChallenge = async (
  context: StepContext,
  purpose: EmailPurpose,
  address: string,
): Promise<FlowPatch> => {
  const { services, facts } = context
  const until = await mailPausedUntil(context, purpose, address)
  if (until !== undefined) return { mailsPausedUntil: until }
  const challenge = await newChallenge(context, purpose, address)
  await keepChallenge(services, challenge)
  if (purpose === 'confirmAddress') {
    const pending: PendingAddress = { address, challengeId: challenge.id }
    await services.transient.put(pendingKey(facts.member.id), pending, LINK_SECONDS)
  }
  const trace = await queueMail(context, challenge, 1)
  return { ...waitingOn(challenge, trace), notice: undefined }
}

/**
 * `openChallenge` for a sign-in whose flow waits on none, saved by way of `save`. All is asked of the
 * stores before the mail is counted, so that counting takes it along in one round trip; it is taken
 * back where no mail may be sent. Of requests at once the one whose mail is sent has its way.
 */
export const openSignIn = async (
  context: StepContext,
  address: string,
  save: SaveFlow,
): Promise<void> => {
  const { services } = context
  const challenge = await newChallenge(context, 'signIn', address)
  await keepChallenge(services, challenge)
  const trace = await noteMail(services, challenge, 1)
  const patch: FlowPatch = { ...waitingOn(challenge, trace), notice: undefined }
  let isBeaten = false
  await save(patch, ({ signInCode }) => {
    isBeaten = signInCode !== undefined
    return isBeaten
  })
  const takeBack = async (until?: EpochSeconds) => {
    await dropChallenge(services, challenge.id)
    // Another's code stands there, or how that ended.
    if (isBeaten) return
    const back = { signInCode: undefined, notice: undefined, mailsPausedUntil: until }
    await save(back, ({ signInCode }) => signInCode?.id !== challenge.id)
  }
  const until = await mailPausedUntil(context, 'signIn', address)
  if (until !== undefined) return takeBack(until)
  try {
    await addMail(services, challenge, trace)
  } catch (error) {
    await takeBack()
    throw error
  }
  if (isBeaten) await save(patch)
}

/** Whether wrong answers have used the challenge up, so that not even the right one is taken. */
export const isSpent = async ({ throttle }: Services, { id }: EmailChallenge): Promise<boolean> =>
  !(await throttle.look('emailCode', id)).ok

/**
 * The same code once more while it lives and is not spent, else a new one: as of another request, so
 * the member's limits alone hold back who guesses on.
 */
export const resendChallenge = async (
  context: StepContext,
  challenge: KeptChallenge,
): Promise<FlowPatch> => {
  const { services } = context
  if (!isLive(challenge, services.clock.now()) || challenge.answeredAt !== undefined) {
    return openChallenge(context, challenge.purpose, challenge.address)
  }
  if (await isSpent(services, challenge)) {
    const opened = await openChallenge(context, challenge.purpose, challenge.address)
    return opened.mailsPausedUntil === undefined ? { ...opened, notice: 'resent' } : opened
  }
  const until = await mailPausedUntil(context, challenge.purpose, challenge.address)
  if (until !== undefined) return { mailsPausedUntil: until }
  const { mails } = await mailTrace(services, challenge)
  const trace = await queueMail(context, challenge, mails + 1)
  return { ...waitingOn(challenge, trace), notice: 'resent' }
}

/** `resendChallenge` of a sign-in. */
export const resendSignIn = async (context: StepContext, code: SentCode): Promise<FlowPatch> => {
  const challenge = await findChallenge(context.services, code.id)
  return challenge
    ? resendChallenge(context, challenge)
    : openChallenge(context, 'signIn', code.address)
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

/** When the challenge's newest mail was asked for, and how many have been. */
export const mailTrace = async (
  { transient }: Services,
  challenge: KeptChallenge,
): Promise<Readonly<{ mailedAt: EpochSeconds; mails: number }>> =>
  (await transient.get<MailTrace>(mailsKey(challenge.id))) ?? {
    mailedAt: challenge.createdAt,
    mails: 1,
  }

const isDelayed = async ({ clock, outbox }: Services, trace: MailTrace): Promise<boolean> =>
  clock.now() - trace.mailedAt >= DELAY_SECONDS && (await outbox.stateOf(trace.mailId)) !== 'sent'

/** Whether the challenge's newest mail has not gone out within two seconds. */
export const isMailDelayed = async (services: Services, challengeId: string): Promise<boolean> => {
  const trace = await services.transient.get<MailTrace>(mailsKey(challengeId))
  return trace !== undefined && isDelayed(services, trace)
}

/** What every page that waits for a code shows of it. */
export const challengeLocals = async (
  context: StepContext,
  challenge: KeptChallenge,
  { masked }: { masked: boolean },
): Promise<MailChallengeLocals> => {
  const trace = await context.services.transient.get<MailTrace>(mailsKey(challenge.id))
  return codeLocals(context, challenge, trace, { masked })
}

/** `challengeLocals`, of what is at hand. */
export const codeLocals = async (
  { services, flow, locale }: StepContext,
  challenge: EmailChallenge,
  trace: MailTrace | undefined,
  { masked }: { masked: boolean },
): Promise<MailChallengeLocals> => {
  const now = services.clock.now()
  const mailedAt = trace?.mailedAt ?? challenge.createdAt
  return {
    address: masked ? maskEmailAddress(challenge.address) : challenge.address,
    sentAt: timeText(mailedAt, locale),
    reference: referenceOf(services.settings.codeKey, challenge.id),
    delayed: trace !== undefined && (await isDelayed(services, trace)),
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

/** `pausedFaults` beside a code, which can still be used unless it is spent. */
export const pausedBeside = async (
  context: StepContext,
  challenge: EmailChallenge,
): Promise<readonly Fault[]> => {
  const faults = pausedFaults(context)
  return faults.length > 0 && (await isSpent(context.services, challenge))
    ? pausedFaults(context, 'resend', 'mail.paused')
    : faults
}

/** The code is too old: whether another one is on its way, as resending it has told. */
export const expiredFault = ({ locale }: StepContext, { mailsPausedUntil }: FlowPatch): Fault =>
  mailsPausedUntil === undefined
    ? fault('code.expired', 'code')
    : fault('code.expiredHeld', 'code', { time: untilText(mailsPausedUntil, locale) })

/** Whether the member's own record already has this address proven. */
export const hasProven = (member: Member, address: string): boolean =>
  member.email?.address === address && member.email.verifiedAt !== undefined
