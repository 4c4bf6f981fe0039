import type { Facts } from '../../accounts/enrolment.ts'
import type { Member } from '../../accounts/member.ts'
import type { Answer, Rejection } from '../../factors/factor.ts'
import {
  memberIdIn,
  PASSKEY_SECONDS,
  type PasskeyHint,
  type PasskeyKept,
} from '../../factors/passkey.ts'
import type { Fault } from '../../views/pages.ts'
import { type Act, ceremonyOf, fault, type StepContext } from '../step.ts'
import { inAppBrowserOf } from '../wording.ts'
import type { Method } from './method.ts'
import { proved, registered } from './outcome.ts'

const keptKey = (kind: PasskeyKept['kind'], { uid, facts }: StepContext): string =>
  `passkey-${kind}:${uid}:${facts.member.id}`

/** A browser tells its script why a ceremony ended; the member gets one of these. */
const CEREMONY_FAULTS = ['pk.cancel', 'pk.dup', 'pk.unsupported', 'pk.nolock'] as const

/** The hidden fields webauthn.js fills: the response, or why there is none. */
export const PASSKEY_FIELDS = {
  response: { max: 16_384, optional: true },
  failure: { max: 40, optional: true },
} as const

/** What the script reported instead of a response; without script both fields are empty. */
export const ceremonyFault = (form: Readonly<Record<string, string>>) => {
  if (form.response) return undefined
  return fault(CEREMONY_FAULTS.find((reason) => reason === form.failure) ?? 'pk.unsupported')
}

/** Whom the answer's user handle leads to, in any society. */
export const passkeyOwner = async (
  { services, factors }: StepContext<Facts>,
  form: Answer,
): Promise<Member | undefined> => {
  const handle = factors.passkey.userHandleOf(form)
  return handle === undefined ? undefined : services.members.findById(memberIdIn(handle))
}

/**
 * Why a passkey was not taken. Of one that no account has any more the browser is told which, so
 * that it can forget it (WebAuthn Level 3, signalUnknownCredential); never of one that leads to
 * somebody else, who may still have it.
 */
export const passkeyFault = (
  { factors }: StepContext<Facts>,
  form: Answer,
  reason: Rejection,
  isAnothers: boolean,
): Fault => {
  if (reason !== 'pk.gone') return fault(reason)
  if (isAnothers) return fault('pk.failed')
  const credential = factors.passkey.credentialIdOf(form)
  return fault(reason, undefined, credential === undefined ? undefined : { credential })
}

const useHint = (passkeyHint: PasskeyHint): Act => ({
  fields: {},
  submit: async () => ({ ok: true, flow: { passkeyHint } }),
})

/** The passkey: manual chapters 2-1, 2-2 and, with a phone beside a PC, its star section. */
export const passkey: Method = {
  registration: {
    fields: { ...PASSKEY_FIELDS, label: { max: 200, optional: true } },
    async show(context) {
      const { facts, factors, services, flow, device } = context
      const hint = flow.passkeyHint ?? 'localDevice'
      const begun = await factors.passkey.beginRegistration(facts.member, ceremonyOf(context), hint)
      await services.transient.put(keptKey('registration', context), begun.kept, PASSKEY_SECONDS)
      return {
        view: 'register-passkey',
        locals: {
          optionsJson: JSON.stringify(begun.shown),
          where: hint === 'remoteDevice' ? 'phone' : 'here',
          ...(inAppBrowserOf(context.userAgent) && { inAppBrowser: true }),
        },
        values: { label: device },
      }
    },
    async submit(context, form) {
      const { facts, factors, services, device } = context
      const values = { label: form.label ?? device }
      const failed = ceremonyFault(form)
      if (failed) return { ok: false, faults: [failed], values }
      const kept = await services.transient.take<PasskeyKept>(keptKey('registration', context))
      if (!kept) return { ok: false, faults: [fault('pk.failed')], values }
      const answer = { ...form, device }
      const verdict = await factors.passkey.finishRegistration(
        facts.member,
        kept,
        answer,
        ceremonyOf(context),
      )
      if (!verdict.ok) return { ok: false, faults: [fault(verdict.reason)], values }
      return registered(context, verdict.value, factors.passkey.syncOf(verdict.value))
    },
    acts: { 'passkey-phone': useHint('remoteDevice'), 'passkey-here': useHint('localDevice') },
  },

  verification: {
    fields: PASSKEY_FIELDS,
    async show(context) {
      const { facts, factors, services } = context
      const begun = await factors.passkey.beginAuthentication(facts.member, ceremonyOf(context))
      await services.transient.put(keptKey('authentication', context), begun.kept, PASSKEY_SECONDS)
      return {
        view: 'verify-passkey',
        locals: {
          optionsJson: JSON.stringify(begun.shown),
          ...(inAppBrowserOf(context.userAgent) && { inAppBrowser: true }),
        },
      }
    },
    async submit(context, form) {
      const { facts, factors, services } = context
      const failed = ceremonyFault(form)
      if (failed) return { ok: false, faults: [failed] }
      const kept = await services.transient.take<PasskeyKept>(keptKey('authentication', context))
      if (!kept) return { ok: false, faults: [fault('pk.failed')] }
      const verdict = await factors.passkey.finishAuthentication(
        facts.member,
        kept,
        form,
        ceremonyOf(context),
      )
      if (!verdict.ok) {
        const owner = await passkeyOwner(context, form)
        const isAnothers = owner !== undefined && owner.id !== facts.member.id
        return { ok: false, faults: [passkeyFault(context, form, verdict.reason, isAnothers)] }
      }
      return proved(context, 'passkey', verdict.value)
    },
  },
}
