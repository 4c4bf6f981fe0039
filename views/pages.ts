import type { StopReason } from '../accounts/enrolment.ts'
import type { ChosenFactor, FactorId, Locale } from '../accounts/member.ts'
import type { Society } from '../accounts/society.ts'

/** A fault the member can mend: a text key of the catalogue's `faults` with its values. */
export type Fault = Readonly<{
  /** The form field it stands at; undefined: the form as a whole. */
  field?: string
  reason: string
  values?: Readonly<Record<string, string | number>>
}>

/** The relying party the member is on the way to. */
export type AppLocals = Readonly<{
  name: string
  uri?: string
  /** A picture at our own address. */
  logo?: string
  policyUri?: string
  tosUri?: string
}>

/** One thing that an application asks for, or is allowed. */
export type ConsentItem =
  | Readonly<{ kind: 'scope'; id: string /** What it brings along. */; claims: readonly string[] }>
  | Readonly<{ kind: 'claim'; id: string; essential?: true }>
  /** A scope of an API, `at` its address; '': the API, by no scope of it. */
  | Readonly<{ kind: 'resource'; id: string; at: string }>

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
  /** At a challenge: other methods, each a form to `${base}/use-method` with field `method`. */
  otherWays?: readonly (ChosenFactor | 'recoveryCode')[]
  /** Hidden field `csrf` of every form. */
  csrf?: string
  /** Forms post here: `${base}/<step or act>`. E.g. /interaction/abc */
  base?: string
  /** Until when this page's forms are taken: "20時15分" / "20:15", JST. */
  until?: string
  /** The page that this one is a part of: a link at the end. */
  back?: string
  /** This is the conformance profile: a banner says so. */
  conformance?: true
  /** Reference number, as in the log and the X-Request-Id header: 7F3K-92QD */
  reference: string
}>

/** A device as the member knows it ("Chrome・Windows"), a time as they read it. */
export type MailChallengeLocals = Readonly<{
  /** In full on the page of the member who typed it, else masked. */
  address: string
  /** "20時15分" / "20:15", JST. */
  sentAt: string
  /** AB12CD, as in the mail; empty while none can be sent. */
  reference: string
  /** The mail has waited in the outbox for more than two seconds. */
  delayed: boolean
  /** Seconds until another mail may be asked for; 0: now. */
  resendInSeconds: number
  /** The address mails come from, to be allowed at the carrier. */
  senderAddress: string
  /** What just happened. */
  notice?: 'resent'
}>

/** The pages and what each needs beside the common locals. The key is the view's file name. */
export type Pages = {
  password: {
    loginIdExample: string
    /** Under what the answer counts, for the form to tell. */
    counted: string
    /** A forgotten password was just replaced. */
    passwordReset?: true
    /** For passkeys: autofill and button; webauthn.js posts base/passkey with hidden `response`. */
    passkeyOptionsJson?: string
    /** The network whose rule is why there is no passkey button. */
    noPasskeyOn?: string
    /** Inside another app, where the passkeys fail: a note says so in place of the button. */
    inAppBrowser?: true
  }
  /** A1; user ID and date of birth, posted to base/reset-request. */
  'forgot-password': Record<string, never>
  /** The code of a forgotten password, posted to base/reset-code; the same for known and unknown
   * IDs, so neither the address nor the mail's state is shown. */
  'reset-code': Pick<MailChallengeLocals, 'sentAt' | 'resendInSeconds' | 'senderAddress' | 'notice'>
  /** A2. `needsPass`: the mailbox is all that the member has, so the desk's pass is asked too. */
  'reset-password': Pages['new-password'] & Readonly<{ needsPass: boolean }>
  /** A4; field email posted to base/id-request. `sentTo`: as typed, whether anybody's or not. */
  'forgot-id': { sentTo?: string }
  /** A3: the ways that are left, each a form to base/use-method, and the desk's pass. */
  'lost-factor': { ways: readonly (ChosenFactor | 'recoveryCode')[] }
  /** A member who is stopped, for whom the desk has issued a pass. */
  'desk-pass': Record<string, never>
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
    /** A legacy initial password: the address on file, which a form to base/email-keep keeps; changing
     * it takes a code sent there, and until then nobody is shown it in full. */
    maskedAddress?: string
  }
  /** A legacy initial password and no address on file: the society's desk must help. */
  'email-desk': Record<string, never>
  /** A code to the address on file, before it may be changed. */
  'email-old': MailChallengeLocals
  'email-wait': MailChallengeLocals & {
    /** Two digits shown here and on the page the link opens, to be compared; empty: another request
     * asked for this mail, and only its code leads on here. */
    matchNumber: string
    /** GET, JSON {confirmed, delayed}; polled by email-wait.js. */
    statusPath: string
  }
  /** F6: checkboxes companyPc, ownPc, phone (value yes), posted to base/choose-place. `atWork`: this
   * is a company network, so companyPc is ticked to begin with. */
  'choose-place': { atWork: boolean }
  /** F6b. Back to the places: a form to base/change-place, where `atWork` is on any option. */
  'choose-factor': {
    options: readonly Readonly<{
      id: ChosenFactor
      recommended: boolean
      /** Also usable on a company PC: a tag, where that differs between the methods. */
      atWork: boolean
    }>[]
    /** Shown dashed, with its reason. */
    unavailable: readonly Readonly<{
      id: ChosenFactor
      reason: 'network' | 'society' | 'place'
      network?: string
    }>[]
    address: string
    /** The member will sign in on a company PC too: a note says that e-mail is used there. */
    companyPc: boolean
  }
  'new-password': {
    loginId: string
    /** One row of the checklist; `pattern` (a RegExp source, flags "u") is checked live, a row
     * without one on sending. */
    rules: readonly Readonly<{ id: PasswordRuleId; pattern?: string; ok: boolean }>[]
  }
  'email-code': MailChallengeLocals & {
    /** As of `verify-totp`, where a code has been sent. */
    counted?: string
    /** The member's other address, masked: a form to base/email-other sends a code there instead. */
    other?: string
    /** The first login goes on with it, the address being confirmed. */
    enrolling?: true
    /** The rule that shuts the member's own method out here, so that a code is asked for instead. */
    rule?: Readonly<{ network: string; permitted: readonly ChosenFactor[] }>
  }
  /** Passkey registration (R1 here, R2 on a phone by QR). webauthn.js reads `optionsJson`, runs the
   * ceremony and posts base/registerFactor with hidden `response` or `failure` and field `label`.
   * `offer`: this device beside the phone just used; posts base/addDevice or base/device-later. */
  'register-passkey': {
    optionsJson: string
    where: 'here' | 'phone'
    inAppBrowser?: true
    offer?: true
  }
  /** webauthn.js posts base/verifyFactor with hidden `response` or `failure`. */
  'verify-passkey': { optionsJson: string; inAppBrowser?: true }
  /** R3–R6 on one page. `qr` is a data: URI of a PNG, for <img> and for the download. */
  'register-totp': {
    qr: string
    uri: string
    secretGroups: string
    account: string
    issuerName: string
    /** A name for it is asked too: optional field `label`. */
    named?: true
  }
  /** `counted`: under what the answer counts, for the form to tell. */
  'verify-totp': Readonly<{ counted: string }>
  /** F9; field saved=yes posted to base/recoveryCodes. `left`: of the earlier ones, which the member
   * may keep for now: a form to base/codes-later. */
  'recovery-codes': {
    codes: readonly string[]
    madeAt: string
    left?: number
    /** Earlier ones still work, until these are saved. */
    replaces?: true
    /** Others were shown before, and never saved. */
    shownBefore?: true
  }
  'verify-recovery-code': { remaining: number }
  /** O1. Allow: a form to base/consent; do not allow: to base/abort. */
  consent: {
    client: string
    /** Not the society's own application. */
    thirdParty: boolean
    society: string
    /** The host that the member is sent to; absent: an app on their device. */
    site?: string
    items: readonly ConsentItem[]
    /** What the member has allowed it before. */
    before: readonly ConsentItem[]
  }
  enrolled: { method: ChosenFactor }
  done: {
    loginId: string
    address: string
    /** The one chosen. */
    method: ChosenFactor
    /** What the member can sign in with now, by the names they gave; absent: `method` alone. */
    registered?: readonly Readonly<{ id: ChosenFactor; label?: string }>[]
    /** Recovery codes are saved. */
    codes?: true
    /** This network does not permit registering `method`: to be done elsewhere within these days. */
    later?: Readonly<{ network: string; days: number }>
    /** One more can be registered here: a form to base/register-another. */
    another?: true
  }
  /** Which one more: each a form to base/another-method with field `method`; base/another-later. */
  'another-method': { ways: readonly ('passkey' | 'totp')[] }
  /** `network`: the one whose rule stops the member, where it has a name. */
  stopped: { reason: StopReason; network?: string }
  /** The page a mailed link opens, on any device. */
  'email-link': {
    state: 'ask' | 'confirmed' | 'used' | 'expired' | 'superseded'
    address: string
    matchNumber: string
    requestedAt: string
    requestedFrom: string
    /** A page without the number waits for the mail's code: the link proves the address and no more. */
    shared?: true
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
  /** A5. `root`: the account page's own path, below which the others are. */
  account: {
    root: string
    loginId: string
    passkeys: readonly Readonly<{
      id: string
      label: string
      registered: string
      used?: string
      synced: boolean
    }>[]
    apps: readonly Readonly<{ id: string; label: string; registered: string }>[]
    /** What can be added here, or why not. */
    adding: readonly Readonly<{
      factor: ChosenFactor
      obstacle?: 'society' | 'network'
      network?: string
    }>[]
    /** Masked. */
    address: string
    secondAddress?: string
    /** The method asked for first, where the member has several. */
    preferred?: ChosenFactor
    /** Undefined: of no use to a member without passkey or app. */
    recoveryCodes: Readonly<{ left: number; made: boolean }> | undefined
    passwordChanged: string
    /** This browser's first. A form with field `uid` to root/sessions/end. */
    sessions: readonly Readonly<{
      uid: string
      device: string
      current: boolean
      since: string
      seen: string
    }>[]
    /** What the member has allowed third parties. A form with field `client` to
     * root/connections/end. */
    connections: readonly Readonly<{
      clientId: string
      /** Absent: it is registered no more. */
      name?: string
      logo?: string
      since: string
      items: readonly ConsentItem[]
    }>[]
    done?: AccountDone
    /** JSON for account.js, after a change of the passkeys. */
    signals?: string
  }
  /** Whose member one is, where nothing says it. */
  'account-choose': { societies: readonly Readonly<{ name: string; href: string }>[] }
  /** Before a change, where the last sign-in is too long ago; `href` starts another. */
  /** `network`: it permits none of the stronger methods the account holds, so nothing is changed here. */
  'account-prove': { href: string; network?: string }
  /** The member broke the sign-in off. */
  'account-closed': { href: string }
  /** Field `label` to base/save. */
  'account-rename': { label: string }
  /** `next`: what the member signs in with afterwards; absent: it is the last, and stays. */
  'account-remove': {
    factor: 'passkey' | 'totp'
    label: string
    registered: string
    next?: ChosenFactor
  }
  /** Field `email` to base/change. */
  'account-email': { address: string }
  /** Field `email` to base/add; with a `second` one, masked: a form to base/remove. */
  'account-second-email': { second?: string }
  /** A code to the second address. */
  'account-second-code': MailChallengeLocals
  /** Field `factor` to base/choose. */
  'account-method': { methods: readonly ChosenFactor[] }
  /** Fields `current` and `password` to base/change. */
  'account-password': {
    loginId: string
    rules: Pages['new-password']['rules']
  }
  'account-history': {
    signIns: readonly Readonly<{
      at: string
      device: string
      app?: string
      factors: readonly FactorId[]
    }>[]
  }
  /** On the way to another address, which these fields are posted to. */
  'form-post': { action: string; fields: Readonly<Record<string, string>> }
  logout: { formAction: string; secret: string }
  /** `stayed`: they stay logged in, but for this app where one asked. */
  'logged-out': { stayed?: Readonly<{ app?: string }> }
  /** The address of the service itself, which a member may open by hand: `href`, a society's help.
   * `demo`: what a developer's machine has beside it. */
  front: {
    societies: readonly Readonly<{ name: string; href: string }>[]
    demo?: Readonly<{ portal: string; mailbox?: string }>
  }
  /** `backPath`: where it was pressed. */
  help: { backPath?: string }
  'terms-text': { version: string; text: readonly string[] }
  error: {
    /** OAuth error code (invalid_request …) or ours (session_expired, overloaded …). */
    code: string
    /** Which words: stale = session.stale, client = oidc.client, logout (a refused one), sys, busy (503 with
     * wait), notFound, forged. */
    kind: 'stale' | 'client' | 'logout' | 'system' | 'busy' | 'notFound' | 'forged'
    /** Engine's own error_description, for the kinds client and logout only. */
    description?: string
    retryAfterSeconds?: number
    /** Of a refused sign-out: this browser is still signed in. */
    signedIn?: true
    /** Back to the app, when it is known and its address is proven. */
    backUri?: string
  }
}
export type ViewName = keyof Pages
export type AccountViewName = Extract<ViewName, 'account' | `account-${string}`>

/** What has just been done at the account page. */
export const ACCOUNT_DONE = [
  'passkeyAdded',
  'passkeyRenamed',
  'passkeyRemoved',
  'appAdded',
  'appRemoved',
  'addressChanged',
  'secondAddressAdded',
  'secondAddressRemoved',
  'methodPreferred',
  'codesRenewed',
  'passwordChanged',
  'sessionEnded',
  'sessionsEnded',
  'connectionEnded',
] as const
export type AccountDone = (typeof ACCOUNT_DONE)[number]

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
