import {
  answerCode,
  challengeLocals,
  findChallenge,
  type KeptChallenge,
  openChallenge,
  pausedFaults,
  resendChallenge,
} from '../email-challenge.ts'
import type { StepContext, StepHandler } from '../step.ts'
import { fault } from '../step.ts'

const live = async ({ services, flow }: StepContext): Promise<KeptChallenge | undefined> => {
  const challenge = await findChallenge(services, flow.challengeId)
  return challenge?.purpose === 'signIn' && challenge.answeredAt === undefined
    ? challenge
    : undefined
}

/** Manual chapter 2-6: a code sent to the proven address, bound to this authorization request. */
export const verifyFactor: StepHandler = {
  fields: { code: { max: 100 } },

  async prepare(context) {
    const { flow, services, facts } = context
    if (await live(context)) return undefined
    const paused = flow.mailsPausedUntil ?? 0
    if (paused > services.clock.now()) return undefined
    return openChallenge(context, 'signIn', facts.member.email?.address ?? '')
  },

  async show(context) {
    const { facts, services } = context
    const challenge = await live(context)
    const faults = pausedFaults(context)
    const locals = challenge
      ? await challengeLocals(context, challenge, { masked: true })
      : {
          address: '',
          sentAt: '',
          delayed: false,
          resendInSeconds: Math.max(0, (context.flow.mailsPausedUntil ?? 0) - services.clock.now()),
          senderAddress: services.settings.mailFrom,
        }
    return {
      view: 'email-code',
      locals: { ...locals, reference: challenge?.id.slice(0, 6) ?? facts.member.id.slice(0, 6) },
      faults,
    }
  },

  async submit(context, form) {
    const { services, flow, facts } = context
    const challenge = await live(context)
    const verdict = await answerCode(context, challenge, form.code ?? '')
    if (!challenge || verdict.kind === 'moot') return { ok: true }
    if (verdict.kind === 'wrong') return { ok: false, faults: [verdict.fault] }
    if (verdict.kind === 'expired') {
      const reopened = await resendChallenge(context, challenge)
      return { ok: false, faults: [fault('code.expired', 'code')], flow: reopened }
    }
    services.log.info({ memberId: facts.member.id, factor: 'emailCode' }, 'second step proven')
    return {
      ok: true,
      flow: {
        proofs: [...flow.proofs, { factor: 'emailCode', at: services.clock.now() }],
        challengeId: undefined,
        notice: undefined,
      },
    }
  },

  acts: {
    'email-resend': {
      fields: {},
      async submit(context) {
        const challenge = await live(context)
        return { ok: true, flow: challenge ? await resendChallenge(context, challenge) : {} }
      },
    },
  },
}
