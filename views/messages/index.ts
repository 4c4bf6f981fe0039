import type { Locale } from '../../accounts/member.ts'
import type { Fault } from '../pages.ts'
import { en } from './en.ts'
import { ja } from './ja.ts'

/** A text with stressed parts: markup is the mixin's, so values need no escaping here. */
export type Rich = readonly (string | Readonly<{ strong: string }>)[]

export type FaultValues = Readonly<Record<string, string | number>>

/** Every mistake a member can make on a form, with the values its text cannot do without. */
export const FAULT_REASONS = {
  'id.empty': [],
  'id.long': [],
  'pw.empty': [],
  'pw.toolong': [],
  'login.bad': [],
  'login.locked': ['time'],
  'bday.empty': [],
  'bday.part': ['missing'],
  'bday.impossible': ['date'],
  'bday.year': [],
  'bday.month': [],
  'bday.day': [],
  'bday.future': [],
  'bday.mismatch': [],
  'bday.locked': ['time'],
  'terms.required': [],
  'mail.empty': [],
  'mail.format': [],
  'mail.typo': ['suggest'],
  'mail.limit': ['time'],
  'mail.paused': ['time'],
  'code.empty': [],
  'code.len': ['n'],
  'code.digits': [],
  'code.wrong': [],
  'code.expired': [],
  'code.expiredHeld': ['time'],
  'code.checking': [],
  'code.toomany': ['time'],
  'code.spent': [],
  'code.restart': ['app'],
  'choice.empty': [],
  'choice.unavailable': [],
  'pw.short': ['n'],
  'pw.long': [],
  'pw.classes': ['missing'],
  'pw.chars': [],
  'pw.hasid': [],
  'pw.same': [],
  'pw.personal': [],
  'pw.weak': [],
  'form.invalid': [],
  'pw.current': [],
  'mail.same': [],
  'mail.held': [],
  'label.empty': [],
  'method.last': [],
  'place.empty': [],
  'method.place': ['network'],
  'pk.cancel': [],
  'pk.dup': [],
  'pk.unsupported': [],
  'pk.nolock': [],
  'pk.gone': [],
  'pk.failed': [],
  'totp.wrong': [],
  'totp.used': [],
  'totp.skew': [],
  'totp.stopped': [],
  'recovery.format': [],
  'recovery.wrong': ['left'],
  'recovery.unsaved': [],
  'pass.format': [],
  'pass.wrong': [],
  busy: [],
} as const satisfies Record<string, readonly string[]>
export type FaultReason = keyof typeof FAULT_REASONS

/** All texts of one language. A text missing from `en` does not compile. */
export type Catalogue = typeof ja

const CATALOGUES: Readonly<Record<Locale, Catalogue>> = { ja, en }

export const catalogue = (locale: Locale): Catalogue => CATALOGUES[locale]

const isReason = (reason: string): reason is FaultReason => Object.hasOwn(FAULT_REASONS, reason)

/**
 * What a member reads about one fault. A reason the catalogue does not know, or one that came
 * without a value its text needs, reads as form.invalid: a page never shows a key or "undefined".
 */
export const faultText = (t: Catalogue, fault: Fault): string => {
  const values = fault.values ?? {}
  const known =
    isReason(fault.reason) &&
    FAULT_REASONS[fault.reason].every((name) => Object.hasOwn(values, name))
      ? fault.reason
      : 'form.invalid'
  return t.faults[known](values)
}
