import type { Proof } from '../accounts/assurance.ts'
import type { Facts, KnownFacts, SecondFactor } from '../accounts/enrolment.ts'
import type { EpochSeconds, Locale, Member, MemberId } from '../accounts/member.ts'
import type { ClientPolicy } from '../accounts/policy.ts'
import type { Society } from '../accounts/society.ts'
import type { LimitId } from '../accounts/throttle.ts'
import type { Ceremony } from '../factors/factor.ts'
import type { Factors } from '../factors/index.ts'
import type { PasskeyHint } from '../factors/passkey.ts'
import type { Fault, Pages, ViewName } from '../views/pages.ts'
import type { SentCode } from './email-challenge.ts'
import type { Fields, Form } from './form.ts'
import type { Services, Settings } from './services.ts'

/** Where a member means to sign in (F6). */
export const PLACES = ['companyPc', 'ownPc', 'phone'] as const
export type Place = (typeof PLACES)[number]

/** A forgotten password on its way to a new one: what was claimed, and what has been proven of it. */
export type ResetFacts = Readonly<{
  /** The account as throttles know it, be there such a member or not. */
  account: string
  challengeId: string
  /** The code was right: whose mailbox it was, and which password is to be replaced. */
  proven?: Readonly<{ memberId: MemberId; passwordChangedAt: EpochSeconds }>
}>

/**
 * What one authorization request remembers beside the member's record; kept in the transient store
 * under `flow:<uid>` and gone with the interaction. It says what happened, never which step is next.
 */
export type FlowFacts = Readonly<{
  memberId?: MemberId
  /** The visit in which all of this happened; in another one none of it counts. */
  visit?: string
  /** Which sign-in this is: another one each time somebody begins; see `signInOf`. */
  signIn?: string
  proofs: readonly Proof[]
  /** The engine's session that the first proofs came from. */
  sessionUid?: string
  doneSeen: boolean
  /** The login ID to prefill: login_hint, or the one typed last. */
  loginId?: string
  /** A page beside the step: terms declined, the address being corrected, what was lost or forgotten,
   * one more method. */
  aside?:
    | 'termsDeclined'
    | 'changingAddress'
    | 'forgotPassword'
    | 'forgotLoginId'
    | 'lostFactor'
    | 'anotherMethod'
  /** At the end of the first login: which one more is being registered. */
  another?: 'passkey' | 'totp'
  reset?: ResetFacts
  /** The password was just replaced: said at the password page. */
  passwordReset?: true
  /** The address that a reminder of the user ID was asked for. */
  reminded?: string
  /** The e-mail challenge this request is waiting on, other than a sign-in's. */
  challengeId?: string
  /** The mailed code that the sign-in is waiting on. */
  signInCode?: SentCode
  /** The one to the member's other address, put aside: either can be gone back to while it lives. */
  otherSignInCode?: SentCode
  /** The address asked about with "did you mean …?". */
  typoAskedFor?: string
  /** Manual step 5 with a guessable initial password: the address to take once the one on file is
   * proven, and that proof. */
  wantedAddress?: string
  addressOnFileProven?: true
  notice?: 'resent'
  /** A passkey on a phone was used to sign in on this device. */
  offerDevice?: true
  /** Where the member means to sign in. */
  places?: readonly Place[]
  /** Where the passkey being registered is to live. */
  passkeyHint?: PasskeyHint
  /** The method chosen under "another way"; absent: the first that is useful. */
  method?: SecondFactor
  /** No more mails before this. */
  mailsPausedUntil?: EpochSeconds
}>

/** Everything a step may look at. */
export type StepContext<F extends Facts = KnownFacts> = Readonly<{
  facts: F
  flow: FlowFacts
  services: Services
  factors: Factors
  client: ClientPolicy
  society: Society
  locale: Locale
  uid: string
  /** "Chrome・Windows" */
  device: string
  userAgent: string
  /** The client's network address. */
  address: string
  /** A page of the account's own, for which no authorization request is waiting. */
  atAccount?: true
}>

/** The sign-in under way in a request, by which the member's record tells what was done in it; the
 * one that an existing session stands for until somebody begins has the request's own ID. */
export const signInOf = (uid: string, { signIn = uid }: FlowFacts): string => signIn

/** The ceremony of a factor, here and now. */
export const ceremonyOf = ({ services, society, locale }: StepContext<Facts>): Ceremony => {
  const { issuer } = services.settings
  return {
    now: services.clock.now(),
    origin: issuer,
    rpId: new URL(issuer).hostname,
    issuerName: society.name[locale],
  }
}

/** A page with what it needs; `faults` and `values` stand on it from the start. */
export type Page = {
  [V in ViewName]: Readonly<{
    view: V
    locals: Pages[V]
    values?: Readonly<Record<string, string>>
    faults?: readonly Fault[]
    /** At a challenge: the member's other methods that would do. */
    otherWays?: readonly SecondFactor[]
  }>
}[ViewName]

/** A patch of the flow facts; `undefined` removes a fact. */
export type FlowPatch = { readonly [K in keyof FlowFacts]?: FlowFacts[K] | undefined }

/**
 * Saves a patch of the flow facts by the time the request is answered. Where another request of this
 * interaction has written meanwhile it is made to what that one left, unless `isMoot` says of that
 * that there is no need.
 */
export type SaveFlow = (patch: FlowPatch, isMoot?: (now: FlowFacts) => boolean) => Promise<void>

export type StepResult =
  | Readonly<{
      ok: true
      member?: (member: Member) => Member
      flow?: FlowPatch
      /** What has been proven: it joins the request's proofs, and is told on the member's record in the
       * write that `member` makes. */
      proof?: Proof
      /** Whose sessions end with this, in every other browser. */
      endSessionsOf?: MemberId
      /** A line of the log, once all of this is saved: of two that race, one is so. */
      said?: Readonly<{ facts: object; event: string }>
    }>
  | Readonly<{
      ok: false
      faults: readonly Fault[]
      /** Shown again in the form; never a password. */
      values?: Readonly<Record<string, string>>
      flow?: FlowPatch
    }>

/** Where the member is, in two words that name no network: for the log. */
export const placeOf = ({ facts }: StepContext<Facts>): 'companyNetwork' | 'elsewhere' =>
  facts.network.name === '' ? 'elsewhere' : 'companyNetwork'

export const fault = (
  reason: string,
  field?: string,
  values?: Readonly<Record<string, string | number>>,
): Fault => ({
  reason,
  ...(field !== undefined && { field }),
  ...(values && { values }),
})

/** Limits in order, each with what is counted, and what is looked at beside them. */
export type Attempt = Readonly<{
  limits: readonly (readonly [LimitId, string])[]
  looks?: readonly (readonly [LimitId, string])[]
}>

/** What is known of a form before anything is read. */
export type AttemptTold = Readonly<{
  settings: Settings
  uid: string
  /** As our own page of this interaction has said: see `countedField`. */
  counted: string
  body: unknown
}>

/** Something a form of the step's page can ask for. */
export type Act<F extends Facts = KnownFacts> = Readonly<{
  fields: Fields | ((context: StepContext<F>) => Fields)
  /** Computes; the router saves the member and the flow, each by compare-and-set. */
  submit(context: StepContext<F>, form: Form): Promise<StepResult>
  /** What it proves beside a password, by which the log tells of a form of it that is refused. */
  proves?(context: StepContext<F>): Proof['factor']
}>

/** One row of the step table on our pages. */
export interface StepHandler<F extends Facts = KnownFacts> extends Act<F> {
  /** Position in the first login, 1–7; absent on pages outside it. */
  position?(context: StepContext<F>): number | undefined
  /**
   * What a form counts as, where that is known before anything is read: by the form and what its
   * page has said in the field `counted`. A guess: what is not counted so in the end is given back.
   */
  attempt?(told: AttemptTold): Attempt | undefined
  /** Makes true what must be before the page is shown (a code sent); false: nothing to do. */
  prepare?(context: StepContext<F>, save: SaveFlow): Promise<boolean>
  /** Safe to repeat. */
  show(context: StepContext<F>): Promise<Page>
  /** Further acts of the page, by the last part of their path. */
  readonly acts?: Readonly<Record<string, Act<F>>>
}
