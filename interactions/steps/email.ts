import { maskEmailAddress, parseEmailAddress } from '../../accounts/email-address.ts'
import { matchNumberOf } from '../../factors/email-code.ts'
import { confirmAddress } from '../confirm-address.ts'
import { answerCode } from '../email-answer.ts'
import {
  challengeLocals,
  expiredFault,
  findChallenge,
  isLive,
  type KeptChallenge,
  openChallenge,
  type PendingAddress,
  pausedBeside,
  pausedFaults,
  pendingKey,
  resendChallenge,
  shareChallenge,
} from '../email-challenge.ts'
import type { Form } from '../form.ts'
import type { FlowPatch, Page, StepContext, StepHandler, StepResult } from '../step.ts'
import { fault } from '../step.ts'

/**
 * A guessable initial password is no ground to change where the codes go, nor to read an address: the
 * one on file is proven first, and where there is none the society's desk must help.
 */
const mustProveAddressOnFile = ({ facts, flow }: StepContext): boolean =>
  facts.member.password.initial === 'derived' && !flow.addressOnFileProven

/** Known from any device: who closed the page to read the mail comes back to the same code. */
const pendingOf = async ({ services, facts }: StepContext): Promise<KeptChallenge | undefined> => {
  const pending = await services.transient.get<PendingAddress>(pendingKey(facts.member.id))
  const challenge = await findChallenge(services, pending?.challengeId)
  return challenge?.answeredAt === undefined ? challenge : undefined
}

/** The challenge whose page is shown: the address on file while it must be proven, else the new one. */
const current = async (context: StepContext): Promise<KeptChallenge | undefined> => {
  const { flow, services } = context
  if (flow.wantedAddress !== undefined) {
    const challenge = await findChallenge(services, flow.challengeId)
    if (challenge?.purpose === 'proveAddressOnFile') return challenge
  }
  return flow.aside === 'changingAddress' ? undefined : pendingOf(context)
}

const show = async (context: StepContext): Promise<Page> => {
  const { facts, services, uid } = context
  const onFile = facts.member.email?.address
  const challenge = await current(context)
  if (challenge) {
    const shown = await challengeLocals(context, challenge, {
      masked: mustProveAddressOnFile(context),
    })
    const faults = await pausedBeside(context, challenge)
    // Two requests wait on one mail: its link shall move neither on, only the code typed here.
    const own = challenge.uid === uid
    if (!own) await shareChallenge(services, challenge)
    if (challenge.purpose === 'proveAddressOnFile') {
      return { view: 'email-old', locals: shown, faults }
    }
    return {
      view: 'email-wait',
      locals: {
        ...shown,
        matchNumber: own ? matchNumberOf(services.settings.codeKey, challenge.id) : '',
        statusPath: `/interaction/${uid}/email-status`,
      },
      faults,
    }
  }
  if (onFile === undefined && mustProveAddressOnFile(context)) {
    return { view: 'email-desk', locals: {} }
  }
  const faults = pausedFaults(context, 'email')
  if (onFile !== undefined && mustProveAddressOnFile(context)) {
    return {
      view: 'email',
      locals: { onFile: true, maskedAddress: maskEmailAddress(onFile) },
      values: { email: context.flow.wantedAddress ?? '' },
      faults,
    }
  }
  return {
    view: 'email',
    locals: { onFile: onFile !== undefined },
    values: { email: (await pendingOf(context))?.address ?? onFile ?? '' },
    faults,
  }
}

/** On to the code of an address, the one that is on its way where there is one. */
const confirm = async (context: StepContext, address: string): Promise<FlowPatch> => {
  const pending = await pendingOf(context)
  const same = pending?.address === address && isLive(pending, context.services.clock.now())
  const opened =
    pending && same
      ? { challengeId: pending.id }
      : await openChallenge(context, 'confirmAddress', address)
  return { ...opened, aside: undefined }
}

const takeAddress = async (context: StepContext, typed: string): Promise<StepResult> => {
  const { facts, flow } = context
  const parsed = parseEmailAddress(typed)
  if (!parsed.ok) {
    return { ok: false, faults: [fault(parsed.reason, 'email')], values: { email: typed } }
  }
  const { address, suggestion } = parsed
  const onFile = facts.member.email?.address
  // Whoever cannot read the address on file does not find it out by guessing: any is answered alike.
  const isHidden = mustProveAddressOnFile(context)
  const isKnown = address === onFile && !isHidden
  if (suggestion !== undefined && !isKnown && flow.typoAskedFor !== address) {
    return {
      ok: false,
      faults: [fault('mail.typo', 'email', { suggest: suggestion })],
      values: { email: address },
      flow: { typoAskedFor: address },
    }
  }
  if (isHidden) {
    if (onFile === undefined) return { ok: true }
    const opened = await openChallenge(context, 'proveAddressOnFile', onFile)
    return { ok: true, flow: { ...opened, wantedAddress: address, aside: undefined } }
  }
  return { ok: true, flow: await confirm(context, address) }
}

const takeCode = async (context: StepContext, typed: string): Promise<StepResult> => {
  const { services, facts, flow } = context
  const challenge = await current(context)
  const verdict = await answerCode(context, challenge, typed)
  if (!challenge || verdict.kind === 'moot') return { ok: true }
  if (verdict.kind === 'wrong') return { ok: false, faults: [verdict.fault] }
  if (verdict.kind === 'expired') {
    const again = await resendChallenge(context, challenge)
    return { ok: false, faults: [expiredFault(context, again)], flow: again }
  }
  // Where the one typed is the one on file, this is its whole proof.
  const isOfAnother = challenge.address !== flow.wantedAddress
  if (challenge.purpose === 'proveAddressOnFile' && isOfAnother) {
    const proven = { ...context, flow: { ...flow, addressOnFileProven: true } as const }
    const opened = await openChallenge(proven, 'confirmAddress', flow.wantedAddress ?? '')
    return {
      ok: true,
      flow: { ...opened, addressOnFileProven: true, wantedAddress: undefined },
    }
  }
  const proof = { factor: 'emailCode', at: services.clock.now() } as const
  await services.transient.take(pendingKey(facts.member.id))
  return {
    ok: true,
    member: await confirmAddress(services, challenge, facts.member),
    proof,
    flow: { challengeId: undefined, wantedAddress: undefined, notice: undefined },
  }
}

/** Manual steps 5 to 7: the address shown, kept or changed, and proven by code or link. */
export const email: StepHandler = {
  fields: { email: { max: 1000, optional: true }, code: { max: 100, optional: true } },
  position: () => 4,
  show,
  submit(context: StepContext, form: Form) {
    const { email: typed, code } = form
    if (code !== undefined) return takeCode(context, code)
    return takeAddress(context, typed ?? '')
  },
  acts: {
    'email-resend': {
      fields: {},
      async submit(context) {
        const challenge = await current(context)
        return { ok: true, flow: challenge ? await resendChallenge(context, challenge) : {} }
      },
    },
    'email-change': {
      fields: {},
      submit: async () => ({ ok: true, flow: { aside: 'changingAddress', notice: undefined } }),
    },
    /** The address on file stays. */
    'email-keep': {
      fields: {},
      async submit(context) {
        const onFile = context.facts.member.email?.address
        const flow = { wantedAddress: undefined, challengeId: undefined, aside: undefined }
        if (onFile === undefined) return { ok: true, flow }
        return { ok: true, flow: { ...flow, ...(await confirm(context, onFile)) } }
      },
    },
  },
}
