import type { StopReason } from '../accounts/enrolment.ts'
import type { ChosenFactor, Locale } from '../accounts/member.ts'
import type { Society } from '../accounts/society.ts'

/** A fault the member can mend: a text key of the catalogue's `faults` with its values. */
export type Fault = Readonly<{
  /** The form field it stands at; undefined: the form as a whole. */
  field?: string
  reason: string
  values?: Readonly<Record<string, string | number>>
}>

/** The relying party the member is on the way to. */
export type AppLocals = Readonly<{ name: string; uri?: string }>

/** What every page gets; `render` adds the catalogue and the texts made from these. */
export type CommonLocals = Readonly<{
  locale: Locale
  furigana: boolean
  /** Undefined on pages that belong to no society. */
  society?: Society
  app?: AppLocals
  /** Path and query of this page by GET, to which the language and furigana switches return. */
  self: string
  /** Position in first login: 1–7. */
  step?: number
  faults: readonly Fault[]
  /** What the member typed, shown again; never a password. */
  values: Readonly<Record<string, string>>
  /** Hidden field `csrf` of every form. */
  csrf?: string
  /** Forms post here: `${base}/<step or act>`. E.g. /interaction/abc */
  base?: string
  /** Reference number, as in the log and the X-Request-Id header: 7F3K-92QD */
  reference: string
}>

/** A device as the member knows it ("Chrome・Windows"), a time as they read it. */
export type MailChallengeLocals = Readonly<{
  /** In full on the page of the member who typed it, else masked. */
  address: string
  /** "20時15分" / "20:15", JST. */
  sentAt: string
  /** The mail has waited in the outbox for more than two seconds. */
  delayed: boolean
  /** Seconds until another mail may be asked for; 0: now. */
  resendInSeconds: number
  /** The address mails come from, to be allowed at the carrier. */
  senderAddress: string
  /** What just happened. */
  notice?: 'sent' | 'resent' | 'codeExpired'
}>

/** The pages and what each needs beside the common locals. The key is the view's file name. */
export type Pages = {
  password: { loginIdExample: string; restarted: boolean }
  birthdate: Record<string, never>
  terms: {
    version: string
    effectiveFrom: string
    summary: readonly string[]
    text: readonly string[]
  }
  /** The member pressed "do not agree": what follows from that, back to the terms or to the app. */
  'terms-declined': Record<string, never>
  email: {
    onFile: boolean
    /** "Did you mean …?": offered beside the typed address, accepted by sending the form again. */
    suggestion?: string
    /** A legacy initial password and an address on file: changing it takes a code sent there. */
    changeNeedsOldAddress: boolean
  }
  /** A legacy initial password and no address on file: the society's desk must help. */
  'email-desk': Record<string, never>
  /** A code to the address on file, before it may be changed. */
  'email-old': MailChallengeLocals
  'email-wait': MailChallengeLocals & {
    /** Two digits shown here and on the page the link opens, to be compared. */
    matchNumber: string
    /** GET, JSON {confirmed, delayed}; polled by email-wait.js. */
    statusPath: string
  }
  'choose-factor': {
    options: readonly Readonly<{ id: ChosenFactor; recommended: boolean }>[]
    /** Shown dashed, with its reason. */
    unavailable: readonly Readonly<{
      id: ChosenFactor
      reason: 'network' | 'society'
      network?: string
    }>[]
    address: string
  }
  'new-password': {
    loginId: string
    /** One row of the checklist; `pattern` (a RegExp source, flags "u") is checked live, a row
     * without one on sending. */
    rules: readonly Readonly<{ id: PasswordRuleId; pattern?: string; ok: boolean }>[]
  }
  'email-code': MailChallengeLocals & { reference: string }
  enrolled: { method: ChosenFactor }
  done: { loginId: string; address: string; method: ChosenFactor }
  stopped: { reason: StopReason }
  /** The page a mailed link opens, on any device. */
  'email-link': {
    state: 'ask' | 'confirmed' | 'used' | 'expired' | 'superseded'
    address: string
    matchNumber: string
    requestedAt: string
    requestedFrom: string
    /** Same browser as the waiting page: where to go on. */
    continuePath?: string
    token: string
  }
  'email-undo': {
    state: 'ask' | 'undone' | 'expired'
    formerAddress: string
    changedAt: string
    token: string
  }
  logout: { formAction: string; secret: string }
  'logged-out': Record<string, never>
  help: Record<string, never>
  'terms-text': { version: string; text: readonly string[] }
  error: {
    /** OAuth error code (invalid_request …) or ours (session_expired, overloaded …). */
    code: string
    /** Which words: stale = session.stale, client = oidc.client, sys, busy (503 with wait), notFound, forged. */
    kind: 'stale' | 'client' | 'system' | 'busy' | 'notFound' | 'forged'
    /** Engine's own error_description, for kind client only. */
    description?: string
    retryAfterSeconds?: number
    /** Back to the app, when it is known and its address is proven. */
    backUri?: string
  }
}
export type ViewName = keyof Pages

/** The rows of the password checklist, in the order shown (manual step 9). */
export const PASSWORD_RULE_IDS = [
  'length',
  'upperLower',
  'digit',
  'symbol',
  'characters',
  'noLoginId',
  'notInitial',
  'notPersonal',
  'notGuessable',
] as const
export type PasswordRuleId = (typeof PASSWORD_RULE_IDS)[number]
