import type { Facts } from '../../accounts/enrolment.ts'
import { countInOrder } from '../../accounts/throttle.ts'
import { checkCode, normalizeCode } from '../../factors/email-code.ts'
import {
  answerOnce,
  COOLDOWN_SECONDS,
  findChallenge,
  isLive,
  isSpent,
  type KeptChallenge,
  mailTrace,
  queueMail,
} from '../email-challenge.ts'
import { type Act, fault, type Page, type StepContext, type StepResult } from '../step.ts'
import { tooMany } from '../too-many.ts'
import { timeText, untilText } from '../wording.ts'
import { countMail, openReset } from './request.ts'
import { resetAddress } from './resettable.ts'

const SIX_DIGITS = /^\d{6}$/u

const challengeOf = ({ services, flow }: StepContext<Facts>): Promise<KeptChallenge | undefined> =>
  findChallenge(services, flow.reset?.challengeId)

/** The page that waits for the code. It tells neither the address nor how the mail fares. */
export const showCode = async (context: StepContext<Facts>): Promise<Page | undefined> => {
  const { services, locale, flow } = context
  const challenge = await challengeOf(context)
  if (!challenge) return undefined
  const { mailedAt } = await mailTrace(services, challenge)
  return {
    view: 'reset-code',
    locals: {
      sentAt: timeText(mailedAt, locale),
      resendInSeconds: Math.max(0, mailedAt + COOLDOWN_SECONDS - services.clock.now()),
      senderAddress: services.settings.mailFrom,
      ...(flow.notice && { notice: flow.notice }),
    },
  }
}

/** The same code once more while it lives, else a new one: for nobody as for a member. */
const sendAgain = async (
  context: StepContext<Facts>,
  challenge: KeptChallenge,
): Promise<StepResult> => {
  const { services, flow } = context
  const { reset } = flow
  if (!reset) return { ok: true }
  const cooldown = await services.throttle.count('mailCooldown', `reset|${challenge.id}`)
  if (!cooldown.ok) {
    const time = untilText(cooldown.until, context.locale)
    return { ok: false, faults: [fault('mail.limit', undefined, { time })] }
  }
  const refused = await countMail(context, reset.account)
  if (refused) return refused
  if (isLive(challenge, services.clock.now()) && !(await isSpent(services, challenge))) {
    const { mails } = await mailTrace(services, challenge)
    await queueMail(context, challenge, mails + 1)
    return { ok: true, flow: { notice: 'resent' } }
  }
  const reopened = await openReset(context, challenge)
  return { ok: true, flow: { reset: { ...reset, challengeId: reopened.id }, notice: 'resent' } }
}

export const resendReset: Act<Facts> = {
  fields: {},
  async submit(context) {
    const challenge = await challengeOf(context)
    return challenge ? sendAgain(context, challenge) : { ok: true }
  },
}

const limitsOf = ({ id }: KeptChallenge, account: string) =>
  [
    ['emailCode', id],
    ['resetCode', account],
  ] as const

/** Counts an attempt before the code is looked at; how many are left, or what to say. */
const countGuess = async (
  context: StepContext<Facts>,
  challenge: KeptChallenge,
  account: string,
): Promise<StepResult | number> => {
  const counted = await countInOrder(context.services.throttle, limitsOf(challenge, account))
  return counted.ok
    ? counted.left
    : { ok: false, faults: [await tooMany(context, limitsOf(challenge, account))] }
}

/** A challenge that is nobody's has a code like any other, which no answer matches. */
export const answerReset: Act<Facts> = {
  fields: { code: { max: 100 } },
  async submit(context, form) {
    const { services, flow } = context
    const { reset } = flow
    const challenge = await challengeOf(context)
    if (!reset || !challenge || challenge.answeredAt !== undefined) return { ok: true }
    const typed = form.code ?? ''
    const counted = SIX_DIGITS.test(normalizeCode(typed))
      ? await countGuess(context, challenge, reset.account)
      : undefined
    if (counted !== undefined && typeof counted !== 'number') return counted

    const { codeKey } = services.settings
    const verdict = checkCode(codeKey, challenge, typed, services.clock.now())
    const member = await services.members.findById(challenge.memberId)
    if (!verdict.ok && verdict.reason === 'code.expired') {
      const again = await sendAgain(context, challenge)
      if (!again.ok) return again
      return {
        ok: false,
        faults: [fault('code.expired', 'code')],
        ...(again.flow && { flow: { ...again.flow, notice: undefined } }),
      }
    }
    if (!verdict.ok && verdict.reason !== 'code.wrong') {
      return { ok: false, faults: [fault(verdict.reason, 'code', verdict.values)] }
    }
    if (!verdict.ok || !member || resetAddress(member) !== challenge.address) {
      if (counted === 0) {
        return { ok: false, faults: [await tooMany(context, limitsOf(challenge, reset.account))] }
      }
      const values = counted === undefined ? undefined : { left: counted }
      return { ok: false, faults: [fault('code.wrong', 'code', values)] }
    }
    if (!(await answerOnce(services, challenge))) return { ok: true }
    await services.throttle.forget('resetCode', reset.account)
    services.log.info({ memberId: member.id }, 'mailbox proven for a password reset')
    const proven = { memberId: member.id, passwordChangedAt: member.password.changedAt }
    return { ok: true, flow: { reset: { ...reset, proven }, notice: undefined } }
  },
}
