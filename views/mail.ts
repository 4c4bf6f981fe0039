import type { ChosenFactor, Locale } from '../accounts/member.ts'
import type { MailTemplate } from '../accounts/ports.ts'
import type { Society } from '../accounts/society.ts'
import { compiled } from './compiled.ts'
import { mailsEn } from './mail/en.ts'
import { mailsJa } from './mail/ja.ts'

/** A code, whose it is and for how long; times and devices as the member reads them. */
type Challenge = Readonly<{
  /** Six digits. */
  code: string
  /** The code's life. */
  minutes: number
  requestedAt: string
  /** "Chrome・Windows" */
  requestedFrom: string
}>

/** A challenge whose page shows the same reference number: AB12CD. */
type Referenced = Challenge & Readonly<{ reference: string }>

/** What each mail says, beside the society's name and desk. */
export type MailValues = {
  confirmAddress: Referenced & Readonly<{ link: string; matchNumber: string }>
  confirmSecondAddress: Referenced
  proveAddressOnFile: Referenced
  signInCode: Referenced & Readonly<{ appName: string }>
  /** To the former address. */
  addressChanged: Readonly<{ changedAt: string /** Undoes the change. */; link: string }>
  /** To the new address and to a second one; `address` is the new one, masked. */
  addressConfirmed: Readonly<{ address: string; at: string }>
  passwordChanged: Readonly<{ at: string }>
  methodAdded: Readonly<{ method: ChosenFactor | 'recoveryCode' | 'secondEmail'; at: string }>
  methodRemoved: Readonly<{ method: ChosenFactor | 'secondEmail'; at: string }>
  /** A sign-in in a browser that the member has not used before. */
  newDevice: Readonly<{ device: string; at: string }>
  recoveryCodeUsed: Readonly<{ /** How many are still good. */ left: string; at: string }>
  resetCode: Challenge
  /** One line each: a family may share the mailbox. */
  userIdReminder: Readonly<{ loginIds: string; at: string }>
  deskPassUsed: Readonly<{ at: string }>
  /** A third party was allowed something for the first time, or nothing any more; by its name. */
  appConnected: Readonly<{ app: string; at: string }>
  appDisconnected: Readonly<{ app: string; at: string }>
  /** Too many wrong passwords; until when nothing is accepted. */
  locked: Readonly<{ until: string; at: string }>
}

/** A mail's words in reading order: a paragraph, a code or a link with what it is for. */
export type MailParts = Readonly<{
  subject: string
  body: readonly (
    | string
    | Readonly<{ label: string; code: string }>
    | Readonly<{ label: string; link: string; button: string }>
  )[]
}>

/** How a language says each mail, and how it signs. */
export type MailTexts = Readonly<{
  letters: { readonly [T in MailTemplate]: (values: MailValues[T], society: string) => MailParts }
  signature: (desk: Readonly<{ name: string; phone: string; hours: string }>) => readonly string[]
}>

const TEXTS: Readonly<Record<Locale, MailTexts>> = { ja: mailsJa, en: mailsEn }

const html = await compiled('mail/mail')

/**
 * One mail in one language: the same content as plain text, first and whole, and as simple HTML.
 * The code stands before the link, and never in the subject, which a locked phone shows.
 */
export const writeMail = <T extends MailTemplate>(
  template: T,
  locale: Locale,
  { society, values }: Readonly<{ society: Society; values: MailValues[T] }>,
): Readonly<{ subject: string; text: string; html: string }> => {
  const texts = TEXTS[locale]
  const name = society.name[locale]
  const parts = texts.letters[template](values, name)
  const signature = texts.signature({
    name,
    phone: society.contact.phone,
    hours: society.contact.hours[locale],
  })
  const blocks = parts.body.map((block) => {
    if (typeof block === 'string') return block
    return 'code' in block ? `${block.label}\n${block.code}` : `${block.label}\n${block.link}`
  })
  return {
    subject: parts.subject,
    text: `${[name, ...blocks, `--\n${signature.join('\n')}`].join('\n\n')}\n`,
    html: html({ locale, name, parts, signature, color: society.color }),
  }
}
