import type { Wire } from '../wire.ts'
import type { Member, PageRules } from './page-rules.ts'

/** What a page of the provider asks the member for. */
export type Asking = 'sign-in' | 'code' | 'consent' | 'logout' | 'enrolment' | 'passkey'

/** Where a relying party sends the browser; with a form it goes by POST. */
export type Start = Readonly<{ url: string; form?: Readonly<Record<string, string>> }>

/** One response to the browser on its way. */
export type Hop = Readonly<{
  method: string
  url: string
  status: number
  location: string | undefined
  setCookies: readonly string[]
}>

export type Page = Readonly<{
  url: URL
  /** Undefined where the driver cannot see it. */
  status: number | undefined
  headers: Readonly<Record<string, string>>
  html: string
  /** Undefined: no rule knows the page. */
  asking: Asking | undefined
}>

type Way = Readonly<{
  hops: readonly Hop[]
  /** Every page on the way, the last included. */
  pages: readonly Page[]
}>

/** Where a walk ended: at the relying party, or at a page of the provider. */
export type Arrival = Way &
  (
    | Readonly<{
        kind: 'back'
        url: URL
        mode: 'query' | 'fragment' | 'form_post'
        params: URLSearchParams
      }>
    | Readonly<{ kind: 'page'; page: Page }>
  )

export type WalkOptions = Readonly<{
  /** Addresses of the relying party: the browser is stopped there, they are never fetched. */
  isBack(url: URL): boolean
  /** The site that the browser comes from. */
  origin: string
  /** Stops at such a page instead of answering it. */
  stopAt?: readonly Asking[]
  /** At the first page that can be left without signing in, leaves it. */
  cancel?: boolean
}>

/** A browser of one person, with its own cookies. */
export interface Browser {
  readonly member: Member
  /**
   * Walks from the relying party until it is back there, or a page comes that no rule answers.
   * @throws NoAnswerError, and WalkError where the way has no end
   */
  walk(start: Start, options: WalkOptions): Promise<Arrival>
  close(): Promise<void>
}

/** Stands in for the people at their browsers. */
export interface Driver {
  readonly name: string
  readonly members: readonly Member[]
  /** Whether it can use passkeys, and whether it sees the headers of pages. */
  readonly can: Readonly<{ passkey: boolean; headers: boolean }>
  open(member: Member, settings?: Readonly<{ language?: string }>): Promise<Browser>
  close(): Promise<void>
}

/** What a driver is made of; a driver of one's own is a module whose default export takes this. */
export type DriverKit = Readonly<{
  wire: Wire
  /** From the member file; empty: the driver's own. */
  members: readonly Member[]
  /** From the member file; undefined: the driver's own. */
  pages: PageRules | undefined
}>
export type CreateDriver = (kit: DriverKit) => Driver | Promise<Driver>

/** The way goes in circles, or a page comes again and again whatever is answered. */
export class WalkError extends Error {}
