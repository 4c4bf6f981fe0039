import { INTERACTION_SECONDS } from '../../accounts/policy.ts'
import { normalizeCode } from '../../factors/email-code.ts'
import type { Verdict } from '../../factors/factor.ts'
import type { TotpRegistration } from '../../factors/totp.ts'
import { memberKey } from '../account-key.ts'
import { countedField } from '../csrf.ts'
import { readForm } from '../form.ts'
import { ceremonyOf, fault, type StepContext, type StepResult } from '../step.ts'
import { tooMany } from '../too-many.ts'
import { countAttempt, forgetAttempts } from './attempts.ts'
import type { Method } from './method.ts'
import { proved, registered } from './outcome.ts'

const QUIET_ZONE_MODULES = 4
const QR_PIXELS = 480
/** Rows are written as their difference to the one above (PNG section 9.2, Up), which suits a QR code
 * and is found at once: trying every filter on every row takes ten times as long. */
const PNG_OPTIONS = { filterType: 2, deflateStrategy: 0 }

const registrationKey = ({ uid, facts }: StepContext): string =>
  `totp-registration:${uid}:${facts.member.id}`

/** The secret being registered: the same through wrong codes, reloads and second tabs. */
const pending = async (context: StepContext): Promise<TotpRegistration> => {
  const { transient } = context.services
  const key = registrationKey(context)
  const kept = await transient.get<TotpRegistration>(key)
  if (kept) return kept
  const begun = await context.factors.totp.beginRegistration(
    context.facts.member,
    ceremonyOf(context),
  )
  if (await transient.replace(key, undefined, begun.kept, INTERACTION_SECONDS)) return begun.kept
  return pending(context)
}

const limits = (uid: string, member: string) =>
  [
    ['totpPerRequest', uid],
    ['totp', member],
    ['totpInARow', member],
  ] as const

const countedOf = ({ services, facts }: StepContext): string =>
  memberKey(services.settings, facts.member.id)

const limitsOf = (context: StepContext) => limits(context.uid, countedOf(context))

const CODE = { code: { max: 100 } } as const
const SIX_DIGITS = /^\d{6}$/u

/** What is no code at all costs no attempt. */
const attempt = async (context: StepContext, typed: string): Promise<StepResult | number> => {
  if (!SIX_DIGITS.test(normalizeCode(typed))) return Number.POSITIVE_INFINITY
  const counted = await countAttempt(context, limitsOf(context))
  return counted.ok ? counted.left : { ok: false, faults: [counted.fault] }
}

/** Why a code was not taken; of a wrong one, how many tries are left, or what to do without any. */
const refused = async (
  context: StepContext,
  { reason, values }: Extract<Verdict<never>, { ok: false }>,
  left: number,
): Promise<StepResult> => {
  if (left === 0) return { ok: false, faults: [await tooMany(context, limitsOf(context))] }
  return {
    ok: false,
    faults: [fault(reason, 'code', reason === 'totp.wrong' ? { left } : values)],
  }
}

/** The authenticator app: manual chapters 2-3, 2-4 and 2-5 on one page. */
export const totp: Method = {
  registration: {
    fields: CODE,
    async show(context) {
      const { facts, factors } = context
      const kept = await pending(context)
      const shown = factors.totp.showRegistration(facts.member, kept, ceremonyOf(context))
      const { default: QRCode } = await import('qrcode')
      const png = await QRCode.toBuffer(shown.uri, {
        margin: QUIET_ZONE_MODULES,
        width: QR_PIXELS,
        errorCorrectionLevel: 'M',
        rendererOpts: PNG_OPTIONS,
      })
      const qr = `data:image/png;base64,${png.toString('base64')}`
      return { view: 'register-totp', locals: { ...shown, qr } }
    },
    async submit(context, form) {
      const { facts, factors, services } = context
      const kept = await pending(context)
      const counted = await attempt(context, form.code ?? '')
      if (typeof counted !== 'number') return counted
      const { member } = facts
      const verdict = await factors.totp.finishRegistration(member, kept, form, ceremonyOf(context))
      if (!verdict.ok) return refused(context, verdict, counted)
      // Taken, so that of two tabs one registers.
      if (!(await services.transient.take(registrationKey(context)))) return { ok: true }
      await forgetAttempts(context, limitsOf(context))
      return registered(context, verdict.value)
    },
  },

  verification: {
    fields: CODE,
    attempt({ uid, counted, body }) {
      const form = readForm(CODE, body)
      const isCode = SIX_DIGITS.test(normalizeCode(form?.code ?? ''))
      return isCode ? { limits: limits(uid, counted) } : undefined
    },
    async show(context) {
      const { cookieKeys } = context.services.settings
      const counted = countedField(cookieKeys, context.uid, `totp.${countedOf(context)}`)
      return { view: 'verify-totp', locals: { counted } }
    },
    async submit(context, form) {
      const { facts, factors } = context
      const counted = await attempt(context, form.code ?? '')
      if (typeof counted !== 'number') return counted
      const verdict = await factors.totp.finishAuthentication(
        facts.member,
        {},
        form,
        ceremonyOf(context),
      )
      if (!verdict.ok) return refused(context, verdict, counted)
      await forgetAttempts(context, limitsOf(context))
      return proved(context, 'totp', verdict.value)
    },
  },
}
