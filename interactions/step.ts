import type { Proof } from '../accounts/assurance.ts'
import type { Facts, KnownFacts } from '../accounts/enrolment.ts'
import type { EpochSeconds, Locale, Member, MemberId } from '../accounts/member.ts'
import type { ClientPolicy } from '../accounts/policy.ts'
import type { Society } from '../accounts/society.ts'
import type { Factors } from '../factors/index.ts'
import type { Fault, Pages, ViewName } from '../views/pages.ts'
import type { Fields, Form } from './form.ts'
import type { Services } from './services.ts'

/**
 * What one authorization request remembers beside the member's record; kept in the transient store
 * under `flow:<uid>` and gone with the interaction. It says what happened, never which step is next.
 */
export type FlowFacts = Readonly<{
  memberId?: MemberId
  proofs: readonly Proof[]
  enrolledHere: boolean
  doneSeen: boolean
  /** The login ID to prefill: login_hint, or the one typed last. */
  loginId?: string
  /** A page beside the step: terms declined, or the address being corrected. */
  aside?: 'termsDeclined' | 'changingAddress'
  /** The e-mail challenge this request is waiting on. */
  challengeId?: string
  /** The address asked about with "did you mean …?". */
  typoAskedFor?: string
  /** Manual step 5 with a guessable initial password: the address to take once the one on file is
   * proven, and that proof. */
  wantedAddress?: string
  addressOnFileProven?: true
  notice?: 'sent' | 'resent' | 'codeExpired'
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
  /** The client's network address. */
  address: string
}>

/** A page with what it needs; `faults` and `values` stand on it from the start. */
export type Page = {
  [V in ViewName]: Readonly<{
    view: V
    locals: Pages[V]
    values?: Readonly<Record<string, string>>
    faults?: readonly Fault[]
  }>
}[ViewName]

/** A patch of the flow facts; `undefined` removes a fact. */
export type FlowPatch = { readonly [K in keyof FlowFacts]?: FlowFacts[K] | undefined }

export type StepResult =
  | Readonly<{ ok: true; member?: (member: Member) => Member; flow?: FlowPatch }>
  | Readonly<{
      ok: false
      faults: readonly Fault[]
      /** Shown again in the form; never a password. */
      values?: Readonly<Record<string, string>>
      flow?: FlowPatch
    }>

export const fault = (
  reason: string,
  field?: string,
  values?: Readonly<Record<string, string | number>>,
): Fault => ({
  reason,
  ...(field !== undefined && { field }),
  ...(values && { values }),
})

/** Something a form of the step's page can ask for. */
export type Act<F extends Facts = KnownFacts> = Readonly<{
  fields: Fields
  /** Computes; the router saves the member and the flow, each by compare-and-set. */
  submit(context: StepContext<F>, form: Form): Promise<StepResult>
}>

/** One row of the step table on our pages. */
export interface StepHandler<F extends Facts = KnownFacts> extends Act<F> {
  /** Position in the first login, 1–7; absent on pages outside it. */
  position?(context: StepContext<F>): number | undefined
  /** What must be true before the page is shown (a code sent); undefined: nothing to do. */
  prepare?(context: StepContext<F>): Promise<FlowPatch | undefined>
  /** Safe to repeat. */
  show(context: StepContext<F>): Promise<Page>
  /** Further acts of the page, by the last part of their path. */
  readonly acts?: Readonly<Record<string, Act<F>>>
}
