import { emailKey, maskEmailAddress, parseEmailAddress } from '../../accounts/email-address.ts'
import { addSecondEmail, provenAddresses, removeSecondEmail } from '../../accounts/member.ts'
import { answerCode } from '../email-answer.ts'
import {
  challengeLocals,
  expiredFault,
  findChallenge,
  type KeptChallenge,
  openChallenge,
  pausedBeside,
  pausedFaults,
  resendChallenge,
} from '../email-challenge.ts'
import { sendNotice } from '../notice.ts'
import { fault } from '../step.ts'
import type { AccountContext } from './access.ts'
import { patched } from './email.ts'
import type { AccountAct, AccountPage, AccountResult } from './page.ts'

/** The challenge this session waits on, if it is one to a second address. */
const current = async ({
  services,
  addressFlow,
}: AccountContext): Promise<KeptChallenge | undefined> => {
  const challenge = await findChallenge(services, addressFlow.challengeId)
  const waits = challenge?.purpose === 'confirmSecondAddress' && challenge.answeredAt === undefined
  return waits ? challenge : undefined
}

const add: AccountAct = {
  fields: { email: { max: 1000 } },
  async submit(context, form) {
    const { facts, addressFlow } = context
    const typed = form.email ?? ''
    const parsed = parseEmailAddress(typed)
    if (!parsed.ok) {
      return { ok: false, faults: [fault(parsed.reason, 'email')], values: { email: typed } }
    }
    const { address, suggestion } = parsed
    const values = { email: address }
    if (provenAddresses(facts.member).some((held) => emailKey(held) === emailKey(address))) {
      return { ok: false, faults: [fault('mail.held', 'email')], values }
    }
    if (suggestion !== undefined && addressFlow.typoAskedFor !== address) {
      return {
        ok: false,
        faults: [fault('mail.typo', 'email', { suggest: suggestion })],
        values,
        addressFlow: { ...addressFlow, typoAskedFor: address },
      }
    }
    const opened = await openChallenge(context, 'confirmSecondAddress', address)
    // What was begun on the page of the first address ends here.
    return { ok: true, addressFlow: patched({}, opened), to: '/second-email' }
  },
}

const takeCode = async (context: AccountContext, typed: string): Promise<AccountResult> => {
  const { services, facts, addressFlow, locale } = context
  const challenge = await current(context)
  const verdict = await answerCode(context, challenge, typed)
  if (!challenge || verdict.kind === 'moot') return { ok: true, to: '/second-email' }
  if (verdict.kind === 'wrong') return { ok: false, faults: [verdict.fault] }
  if (verdict.kind === 'expired') {
    const again = await resendChallenge(context, challenge)
    const faults = [expiredFault(context, again)]
    return { ok: false, faults, addressFlow: patched(addressFlow, again) }
  }
  const { id, address } = challenge
  const now = services.clock.now()
  const { member } = facts
  // Both addresses are told, before it is so: nothing is added unannounced.
  await sendNotice(services, addSecondEmail(member, address, now), {
    template: 'methodAdded',
    id: `second-${id}`,
    locale,
    facts: { factor: 'secondEmail' },
  })
  services.log.info({ memberId: member.id }, 'second address added')
  return {
    ok: true,
    member: (stored) => addSecondEmail(stored, address, now),
    addressFlow: {},
    done: 'secondAddressAdded',
  }
}

const remove: AccountAct = {
  fields: {},
  async submit(context) {
    const { services, facts, locale } = context
    const { member } = facts
    if (!member.secondEmail) return { ok: true }
    await sendNotice(services, member, {
      template: 'methodRemoved',
      id: `second-${member.id}-${member.revision}`,
      locale,
      facts: { factor: 'secondEmail' },
    })
    services.log.info({ memberId: member.id }, 'second address removed')
    return { ok: true, member: removeSecondEmail, done: 'secondAddressRemoved' }
  },
}

/** A second address for codes and notices, proven by a code sent there. */
export const secondEmail: AccountPage = {
  anytime: async (context) => (await current(context)) !== undefined,
  async show(context) {
    const challenge = await current(context)
    if (challenge) {
      const locals = await challengeLocals(context, challenge, { masked: false })
      return { view: 'account-second-code', locals, faults: await pausedBeside(context, challenge) }
    }
    const { secondEmail: held } = context.facts.member
    return {
      view: 'account-second-email',
      locals: held ? { second: maskEmailAddress(held.address) } : {},
      faults: held ? [] : pausedFaults(context, 'email'),
    }
  },
  acts: {
    add,
    remove,
    email: {
      fields: { code: { max: 100 } },
      anytime: true,
      submit: (context, form) => takeCode(context, form.code ?? ''),
    },
    'email-resend': {
      fields: {},
      anytime: true,
      async submit(context) {
        const challenge = await current(context)
        if (!challenge) return { ok: true, to: '/second-email' }
        const patch = await resendChallenge(context, challenge)
        return {
          ok: true,
          addressFlow: patched(context.addressFlow, patch),
          to: '/second-email',
        }
      },
    },
    'email-change': {
      fields: {},
      anytime: true,
      submit: async () => ({ ok: true, addressFlow: {}, to: '/second-email' }),
    },
  },
}
