import { maskEmailAddress } from '../../accounts/email-address.ts'
import { provenAddresses } from '../../accounts/member.ts'
import type { Pages } from '../../views/pages.ts'
import {
  answerCode,
  challengeLocals,
  findChallenge,
  isLive,
  type KeptChallenge,
  openChallenge,
  pausedFaults,
  resendChallenge,
} from '../email-challenge.ts'
import { type Act, fault, type StepContext } from '../step.ts'
import type { Method } from './method.ts'
import { proved } from './outcome.ts'

/** An unanswered challenge of this sign-in, to an address that is still the member's. */
const unanswered = async (
  { services, facts }: StepContext,
  id: string | undefined,
): Promise<KeptChallenge | undefined> => {
  const challenge = await findChallenge(services, id)
  if (challenge?.purpose !== 'signIn' || challenge.answeredAt !== undefined) return undefined
  return provenAddresses(facts.member).includes(challenge.address) ? challenge : undefined
}

const live = (context: StepContext) => unanswered(context, context.flow.challengeId)

/** The proven address that the code has not gone to. */
const otherAddress = (
  { facts }: StepContext,
  challenge: KeptChallenge | undefined,
): string | undefined => {
  const current = challenge?.address ?? facts.member.email?.address
  return provenAddresses(facts.member).find((address) => address !== current)
}

/**
 * The code to the other address instead: a challenge of its own, under the member's same limits. A
 * code that is already on its way there is waited for again, and nothing is sent.
 */
const sendToOther: Act = {
  fields: {},
  async submit(context) {
    const { flow, services } = context
    const challenge = await live(context)
    const address = otherAddress(context, challenge)
    if (address === undefined) return { ok: true }
    const aside = await unanswered(context, flow.otherChallengeId)
    const otherChallengeId = challenge?.id
    if (aside?.address === address && isLive(aside, services.clock.now())) {
      return {
        ok: true,
        flow: {
          challengeId: aside.id,
          otherChallengeId,
          notice: undefined,
          mailsPausedUntil: undefined,
        },
      }
    }
    const opened = await openChallenge(context, 'signIn', address)
    return {
      ok: true,
      flow: { ...opened, ...(opened.challengeId !== undefined && { otherChallengeId }) },
    }
  },
}

/** The network's rule, where it is why a code is asked for and not the member's own method. */
const ruleOf = ({ facts: { member, network } }: StepContext): Pages['email-code']['rule'] => {
  const barred = member.credentials.some(
    ({ factor }) =>
      (factor === 'passkey' || factor === 'totp') && !network.factors.includes(factor),
  )
  return barred && network.name !== ''
    ? { network: network.name, permitted: network.factors }
    : undefined
}

/** Manual chapter 2-6: a code sent to the proven address, bound to this authorization request. */
export const emailCode: Method = {
  verification: {
    fields: { code: { max: 100 } },

    async prepare(context) {
      const { flow, services, facts } = context
      if (await live(context)) return undefined
      const paused = flow.mailsPausedUntil ?? 0
      if (paused > services.clock.now()) return undefined
      return openChallenge(context, 'signIn', facts.member.email?.address ?? '')
    },

    async show(context) {
      const { services, flow } = context
      const challenge = await live(context)
      const now = services.clock.now()
      const rule = ruleOf(context)
      const locals = challenge
        ? await challengeLocals(context, challenge, { masked: true })
        : {
            address: '',
            sentAt: '',
            reference: '',
            delayed: false,
            resendInSeconds: Math.max(0, (flow.mailsPausedUntil ?? 0) - now),
            senderAddress: services.settings.mailFrom,
          }
      const other = otherAddress(context, challenge)
      return {
        view: 'email-code',
        locals: {
          ...locals,
          ...(other !== undefined && { other: maskEmailAddress(other) }),
          ...(rule && { rule }),
        },
        faults: pausedFaults(context, 'resend', challenge ? 'mail.limit' : 'mail.paused'),
      }
    },

    async submit(context, form) {
      const challenge = await live(context)
      const verdict = await answerCode(context, challenge, form.code ?? '')
      if (!challenge || verdict.kind === 'moot') return { ok: true }
      if (verdict.kind === 'wrong') return { ok: false, faults: [verdict.fault] }
      if (verdict.kind === 'expired') {
        const reopened = await resendChallenge(context, challenge)
        return { ok: false, faults: [fault('code.expired', 'code')], flow: reopened }
      }
      const result = proved(context, 'emailCode')
      return { ...result, flow: { ...result.flow, otherChallengeId: undefined } }
    },

    acts: {
      'email-other': sendToOther,
      'email-resend': {
        fields: {},
        async submit(context) {
          const challenge = await live(context)
          return { ok: true, flow: challenge ? await resendChallenge(context, challenge) : {} }
        },
      },
    },
  },
}
