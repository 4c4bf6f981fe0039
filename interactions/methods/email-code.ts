import { maskEmailAddress } from '../../accounts/email-address.ts'
import { provenAddresses } from '../../accounts/member.ts'
import type { Pages } from '../../views/pages.ts'
import { countedField } from '../csrf.ts'
import { answerSignIn, signInCounted, signInLimits } from '../email-answer.ts'
import {
  codeLocals,
  expiredFault,
  isLive,
  openChallenge,
  openSignIn,
  pausedBeside,
  pausedFaults,
  resendSignIn,
  type SentCode,
} from '../email-challenge.ts'
import { readForm } from '../form.ts'
import type { Act, StepContext } from '../step.ts'
import type { Method } from './method.ts'
import { proved } from './outcome.ts'

/** A code that went to an address that is still the member's. */
const ifOwn = ({ facts }: StepContext, code: SentCode | undefined): SentCode | undefined => {
  const { member } = facts
  const isOwn = code?.memberId === member.id && provenAddresses(member).includes(code.address)
  return isOwn ? code : undefined
}

/** The code that the page waits for. */
const sent = (context: StepContext) => ifOwn(context, context.flow.signInCode)

/** The proven address that the code has not gone to. */
const otherAddress = ({ facts }: StepContext, code: SentCode | undefined): string | undefined => {
  const current = code?.address ?? facts.member.email?.address
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
    const code = sent(context)
    const address = otherAddress(context, code)
    if (address === undefined) return { ok: true }
    const aside = ifOwn(context, flow.otherSignInCode)
    if (aside?.address === address && isLive(aside, services.clock.now())) {
      return {
        ok: true,
        flow: {
          signInCode: aside,
          otherSignInCode: code,
          notice: undefined,
          mailsPausedUntil: undefined,
        },
      }
    }
    const opened = await openChallenge(context, 'signIn', address)
    return { ok: true, flow: { ...opened, ...(opened.signInCode && { otherSignInCode: code }) } }
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

const CODE = { code: { max: 100 } } as const

/** Manual chapter 2-6: a code sent to the proven address, bound to this authorization request. */
export const emailCode: Method = {
  verification: {
    fields: CODE,

    attempt({ settings, counted, body }) {
      const limits = signInLimits(settings, counted, readForm(CODE, body)?.code ?? '')
      return limits && { limits }
    },

    async prepare(context, save) {
      const { flow, services, facts } = context
      if (sent(context) || (flow.mailsPausedUntil ?? 0) > services.clock.now()) return false
      await openSignIn(context, facts.member.email?.address ?? '', save)
      return true
    },

    async show(context) {
      const { services, facts, flow, uid } = context
      const { cookieKeys, mailFrom } = services.settings
      const code = sent(context)
      const now = services.clock.now()
      const rule = ruleOf(context)
      const locals = code
        ? {
            ...(await codeLocals(context, code, code, { masked: true })),
            counted: countedField(cookieKeys, uid, `emailCode.${signInCounted(context, code)}`),
          }
        : {
            address: '',
            sentAt: '',
            reference: '',
            delayed: false,
            resendInSeconds: Math.max(0, (flow.mailsPausedUntil ?? 0) - now),
            senderAddress: mailFrom,
          }
      const other = otherAddress(context, code)
      return {
        view: 'email-code',
        locals: {
          ...locals,
          ...(other !== undefined && { other: maskEmailAddress(other) }),
          ...(facts.member.enrolledAt === undefined &&
            facts.member.chosenFactor === undefined && { enrolling: true as const }),
          ...(rule && { rule }),
        },
        faults: code
          ? await pausedBeside(context, code)
          : pausedFaults(context, 'resend', 'mail.paused'),
      }
    },

    async submit(context, form) {
      const code = sent(context)
      const verdict = code && (await answerSignIn(context, code, form.code ?? ''))
      if (!verdict || verdict.kind === 'moot') return { ok: true }
      if (verdict.kind === 'wrong') return { ok: false, faults: [verdict.fault] }
      if (verdict.kind === 'expired') {
        const flow = await resendSignIn(context, code)
        return { ok: false, faults: [expiredFault(context, flow)], flow }
      }
      return proved(context, 'emailCode')
    },

    acts: {
      'email-other': sendToOther,
      'email-resend': {
        fields: {},
        async submit(context) {
          const code = sent(context)
          return { ok: true, flow: code ? await resendSignIn(context, code) : {} }
        },
      },
    },
  },
}
