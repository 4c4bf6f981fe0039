import type { Allowance } from '../accounts/ports.ts'
import { countInOrder, LIMITS, type LimitId } from '../accounts/throttle.ts'
import { answerMarkOf, codeOf, type EmailChallenge, normalizeCode } from '../factors/email-code.ts'
import type { Verdict } from '../factors/factor.ts'
import type { Fault } from '../views/pages.ts'
import { memberKey } from './account-key.ts'
import {
  answerOnce,
  COOLDOWN_SECONDS,
  dropChallenge,
  isAnswered,
  type KeptChallenge,
  type SentCode,
} from './email-challenge.ts'
import type { Settings } from './services.ts'
import { ceremonyOf, fault, type StepContext } from './step.ts'
import { tooMany } from './too-many.ts'

export type CodeVerdict =
  | Readonly<{ kind: 'right' }>
  /** Another request was first, or there is nothing to answer: show the page that is due. */
  | Readonly<{ kind: 'moot' }>
  | Readonly<{ kind: 'expired' }>
  | Readonly<{ kind: 'wrong'; fault: Fault }>

const SIX_DIGITS = /^\d{6}$/u
type Limits = readonly (readonly [LimitId, string])[]

const limitsOf = (challengeId: string, member: string): Limits => [
  ['emailCode', challengeId],
  ['emailCodePerMember', member],
]

const onceOf = (challengeId: string) => ['emailCodeOnce', challengeId] as const
const onceMore = (limits: Limits, challengeId: string): Limits => [...limits, onceOf(challengeId)]

/** What is no code at all costs no attempt. */
const countCode = async (
  { services }: StepContext,
  limits: Limits,
  typed: string,
): Promise<Allowance> =>
  SIX_DIGITS.test(normalizeCode(typed))
    ? countInOrder(services.throttle, limits)
    : { ok: true, left: Number.POSITIVE_INFINITY }

const noneLeft = async (context: StepContext, limits: Limits): Promise<CodeVerdict> => ({
  kind: 'wrong',
  fault: await tooMany(context, limits),
})

/** Why a code is not taken; of a wrong one, how many tries are left, or what to do without any. */
const refusal = async (
  context: StepContext,
  limits: Limits,
  { reason, values }: Extract<Verdict<never>, { ok: false }>,
  left: number,
): Promise<CodeVerdict> => {
  if (reason === 'code.expired') return { kind: 'expired' }
  if (reason !== 'code.wrong') return { kind: 'wrong', fault: fault(reason, 'code', values) }
  if (left === 0) return noneLeft(context, limits)
  return { kind: 'wrong', fault: fault(reason, 'code', { left }) }
}

const check = (context: StepContext, challenge: EmailChallenge, code: string) =>
  context.factors.emailCode.finishAuthentication(
    context.facts.member,
    challenge,
    { code },
    ceremonyOf(context),
  )

/** Takes a typed code: counted before it is compared, accepted once. */
export const answerCode = async (
  context: StepContext,
  challenge: KeptChallenge | undefined,
  typed: string,
): Promise<CodeVerdict> => {
  const { services, facts } = context
  if (!challenge || isAnswered(challenge)) return { kind: 'moot' }
  const limits = limitsOf(challenge.id, memberKey(services.settings, facts.member.id))
  const counted = await countCode(context, limits, typed)
  if (!counted.ok) return noneLeft(context, limits)
  const verdict = await check(context, challenge, typed)
  if (!verdict.ok) return refusal(context, limits, verdict, counted.left)
  if (!(await answerOnce(services, challenge))) return { kind: 'moot' }
  await Promise.all(limits.map(([limit, key]) => services.throttle.forget(limit, key)))
  return { kind: 'right' }
}

/** An answer that was taken this long ago and still proves nothing was cut short: by a crash, or by a
 * reply of the store that did not come in time. By then another mail may go. */
const CUT_SHORT_SECONDS = COOLDOWN_SECONDS
/** Until then it may well be at work: whoever pressed twice finds out on the page that is due. */
const AT_WORK_SECONDS = 5

/**
 * `answerCode` for a sign-in. Its right answer counts against a limit of one, in one step with the
 * limits of all answers: that it is right takes effect only where it was counted, and once.
 */
export const answerSignIn = async (
  context: StepContext,
  code: SentCode,
  typed: string,
): Promise<CodeVerdict> => {
  const { throttle, settings, clock } = context.services
  const limits = limitsOf(code.id, memberKey(settings, context.facts.member.id))
  const verdict = await check(context, code, typed)
  const wanted = verdict.ok ? onceMore(limits, code.id) : limits
  const counted = await countCode(context, wanted, typed)
  if (!counted.ok) {
    // Right or wrong, to take as long.
    const once = await throttle.look(...onceOf(code.id))
    if (once.ok) return noneLeft(context, limits)
    const takenAt = once.until - LIMITS.emailCodeOnce.seconds
    const age = clock.now() - takenAt
    if (age < AT_WORK_SECONDS) return { kind: 'moot' }
    if (age <= CUT_SHORT_SECONDS) return { kind: 'wrong', fault: fault('code.checking', 'code') }
    await dropChallenge(context.services, code.id)
    return { kind: 'expired' }
  }
  if (!verdict.ok) return refusal(context, limits, verdict, counted.left)
  await Promise.all(limits.map(([limit, key]) => throttle.forget(limit, key)))
  await dropChallenge(context.services, code.id)
  return { kind: 'right' }
}

/** What the page of a sign-in's code says ahead of the answer: under what it counts, and of which
 * answer it is the right one. */
export const signInCounted = ({ services, facts }: StepContext, code: SentCode): string => {
  const { settings } = services
  const mark = answerMarkOf(settings.codeKey, code.id, codeOf(settings.codeKey, code))
  return [memberKey(settings, facts.member.id), code.id, mark].join('.')
}

/** The limits that `answerSignIn` will ask for, from what its page has said. */
export const signInLimits = (
  { codeKey }: Pick<Settings, 'codeKey'>,
  counted: string,
  typed: string,
): Limits | undefined => {
  const [member, id, mark] = counted.split('.')
  const code = normalizeCode(typed)
  if (member === undefined || id === undefined || !SIX_DIGITS.test(code)) return undefined
  const limits = limitsOf(id, member)
  return mark === answerMarkOf(codeKey, id, code) ? onceMore(limits, id) : limits
}
