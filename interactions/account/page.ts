import type { Member } from '../../accounts/member.ts'
import type { AccountDone, Fault } from '../../views/pages.ts'
import type { Fields, Form } from '../form.ts'
import type { Page } from '../step.ts'
import type { AccountContext, AddressFlow } from './access.ts'

export type AccountResult =
  | Readonly<{
      ok: true
      member?: (member: Member) => Member
      /** After the member is saved. */
      after?: () => Promise<void>
      addressFlow?: AddressFlow
      done?: AccountDone
      /** Below the account page; absent: the overview. */
      to?: string
    }>
  | Readonly<{
      ok: false
      faults: readonly Fault[]
      values?: Readonly<Record<string, string>>
      addressFlow?: AddressFlow
    }>

/** Something a form of an account page can ask for. */
export type AccountAct = Readonly<{
  fields: Fields
  /** Taken without a fresh proof: it changes nothing, or goes on with what began with one. */
  anytime?: true
  submit(context: AccountContext, form: Form): Promise<AccountResult>
}>

/** One page below the account page; its forms are sent to `<its own address>/<act>`. */
export type AccountPage = Readonly<{
  /** Whether it is shown without a fresh proof; absent: never. Its acts say for themselves. */
  anytime?(context: AccountContext): Promise<boolean>
  /** Safe to repeat. No page: back to the overview, which says what is done where that is known. */
  show(context: AccountContext): Promise<Page | AccountDone | undefined>
  acts: Readonly<Record<string, AccountAct>>
}>

/** An act that only leads elsewhere. */
export const goTo = (to?: string): AccountAct => ({
  fields: {},
  anytime: true,
  submit: async () => ({ ok: true, ...(to !== undefined && { to }) }),
})
