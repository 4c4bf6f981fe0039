import { emailKey, parseEmailAddress } from '../../accounts/email-address.ts'
import { matchNumberOf } from '../../factors/email-code.ts'
import { confirmAddress } from '../confirm-address.ts'
import { answerCode } from '../email-answer.ts'
import {
  challengeLocals,
  expiredFault,
  findChallenge,
  hasProven,
  type KeptChallenge,
  openChallenge,
  pausedBeside,
  pausedFaults,
  pendingKey,
  resendChallenge,
} from '../email-challenge.ts'
import { type FlowPatch, fault } from '../step.ts'
import type { AccountContext, AddressFlow } from './access.ts'
import type { AccountAct, AccountPage, AccountResult } from './page.ts'

/** The flow with a patch of the challenge's on it; nothing else is in such a patch. */
export const patched = (flow: AddressFlow, patch: FlowPatch): AddressFlow => {
  const merged = Object.entries({ ...flow, ...patch }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(merged) as AddressFlow // entries of the two, less the undefined ones
}

/** The challenge this session waits on; one that is answered, or is to a second address, is not it. */
const current = async ({
  services,
  addressFlow,
}: AccountContext): Promise<KeptChallenge | undefined> => {
  const challenge = await findChallenge(services, addressFlow.challengeId)
  const isOurs = challenge?.purpose !== 'confirmSecondAddress'
  return isOurs && challenge?.answeredAt === undefined ? challenge : undefined
}

/** Whether the code to the address on file was answered here: a change meanwhile unmakes it. */
const isProven = ({ addressFlow, facts }: AccountContext): boolean =>
  addressFlow.provenAddress !== undefined &&
  addressFlow.provenAddress === facts.member.email?.address

/** The mailed link of the new address was pressed, on whatever device. */
export const isAddressChanged = ({ addressFlow, facts }: AccountContext): boolean =>
  addressFlow.wantedAddress !== undefined && hasProven(facts.member, addressFlow.wantedAddress)

/** The next code: to the address on file until that is proven, then to the new one. */
const open = async (context: AccountContext, flow: AddressFlow): Promise<AddressFlow> => {
  const onFile = context.facts.member.email?.address ?? ''
  const proven = isProven({ ...context, addressFlow: flow })
  const patch = proven
    ? await openChallenge(context, 'confirmAddress', flow.wantedAddress ?? '')
    : await openChallenge(context, 'proveAddressOnFile', onFile)
  return patched(flow, patch)
}

const change: AccountAct = {
  fields: { email: { max: 1000 } },
  async submit(context, form) {
    const { facts, addressFlow } = context
    const typed = form.email ?? ''
    const parsed = parseEmailAddress(typed)
    if (!parsed.ok) {
      return { ok: false, faults: [fault(parsed.reason, 'email')], values: { email: typed } }
    }
    const { address, suggestion } = parsed
    if (address === facts.member.email?.address) {
      return { ok: false, faults: [fault('mail.same', 'email')], values: { email: address } }
    }
    const { secondEmail } = facts.member
    if (secondEmail && emailKey(secondEmail.address) === emailKey(address)) {
      return { ok: false, faults: [fault('mail.held', 'email')], values: { email: address } }
    }
    if (suggestion !== undefined && addressFlow.typoAskedFor !== address) {
      return {
        ok: false,
        faults: [fault('mail.typo', 'email', { suggest: suggestion })],
        values: { email: address },
        addressFlow: { ...addressFlow, typoAskedFor: address },
      }
    }
    const flow = await open(context, { ...addressFlow, wantedAddress: address })
    return { ok: true, addressFlow: flow, to: '/email' }
  },
}

/** What was begun for an address that is on file no more. */
const forgotten: AccountResult = { ok: true, addressFlow: {}, to: '/email' }

const takeCode = async (
  context: AccountContext,
  challenge: KeptChallenge | undefined,
  typed: string,
): Promise<AccountResult> => {
  const { services, facts, addressFlow } = context
  if (challenge?.purpose === 'confirmAddress' && !isProven(context)) return forgotten
  const verdict = await answerCode(context, challenge, typed)
  if (!challenge || verdict.kind === 'moot') return { ok: true, to: '/email' }
  if (verdict.kind === 'wrong') return { ok: false, faults: [verdict.fault] }
  if (verdict.kind === 'expired') {
    const again = await resendChallenge(context, challenge)
    const faults = [expiredFault(context, again)]
    return { ok: false, faults, addressFlow: patched(addressFlow, again) }
  }
  if (challenge.purpose === 'proveAddressOnFile') {
    const flow = await open(context, { ...addressFlow, provenAddress: challenge.address })
    return { ok: true, addressFlow: flow, to: '/email' }
  }
  await services.transient.take(pendingKey(facts.member.id))
  return {
    ok: true,
    member: await confirmAddress(services, challenge, facts.member),
    addressFlow: {},
    done: 'addressChanged',
  }
}

/** Goes on, for as long as a code lives, with what a fresh proof began. */
const code: AccountAct = {
  fields: { code: { max: 100 } },
  anytime: true,
  submit: async (context, form) => takeCode(context, await current(context), form.code ?? ''),
}

const resend: AccountAct = {
  fields: {},
  anytime: true,
  async submit(context) {
    const challenge = await current(context)
    if (!challenge) return { ok: true, to: '/email' }
    const patch = await resendChallenge(context, challenge)
    return { ok: true, addressFlow: patched(context.addressFlow, patch), to: '/email' }
  },
}

const forget = (to?: string): AccountAct => ({
  fields: {},
  anytime: true,
  async submit({ services, facts }) {
    // The link in the mail on its way goes with it.
    await services.transient.take(pendingKey(facts.member.id))
    return { ok: true, addressFlow: {}, ...(to !== undefined && { to }) }
  },
})

/** The address: changed once a code to the one on file and a code to the new one are answered. */
export const email: AccountPage = {
  anytime: async (context) => isAddressChanged(context) || (await current(context)) !== undefined,
  async show(context) {
    const { facts, services } = context
    if (isAddressChanged(context)) return 'addressChanged'
    const challenge = await current(context)
    const faults = challenge ? await pausedBeside(context, challenge) : pausedFaults(context)
    if (challenge?.purpose === 'proveAddressOnFile') {
      const locals = await challengeLocals(context, challenge, { masked: true })
      return { view: 'email-old', locals, faults }
    }
    if (challenge?.purpose === 'confirmAddress' && isProven(context)) {
      return {
        view: 'email-wait',
        locals: {
          ...(await challengeLocals(context, challenge, { masked: false })),
          matchNumber: matchNumberOf(services.settings.codeKey, challenge.id),
          statusPath: `/account/${context.society.id}/email-status`,
        },
        faults,
      }
    }
    return {
      view: 'account-email',
      locals: { address: facts.member.email?.address ?? '' },
      values: { email: context.addressFlow.wantedAddress ?? '' },
      faults,
    }
  },
  acts: {
    change,
    email: code,
    'email-resend': resend,
    'email-change': forget('/email'),
    'email-keep': forget(),
  },
}
