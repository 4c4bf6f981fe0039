import { type Condition, type Result, Skip, Stop, type Text } from './module.ts'
import type { Target } from './needs.ts'
import type { AuthMethod, Client } from './relying-party.ts'
import type { Browser, Member, MemberSession } from './session.ts'
import type { Section } from './specifications.ts'
import type { Answer, Ask, Wire } from './wire.ts'

export type Settings = Readonly<{
  issuer: string
  /** Seconds after which a code must be dead. */
  codeLifetime: number
  /** For registration; undefined: registration is open, or not used. */
  initialAccessToken: string | undefined
}>

/** A call that the provider made to the suite. */
export type Call = Readonly<{ path: string; method: string; body: string }>

/** The suite's own address, where the provider can reach it. */
export interface Listener {
  /** A new address, answered with this. */
  serve(answer: Readonly<{ status?: number; json?: unknown; hangs?: boolean }>): URL
  /** The next call to that address; undefined where none came within the seconds. */
  called(url: URL, seconds: number): Promise<Call | undefined>
}

/** A value that is there. */
export type Present<T> = Exclude<T, undefined | null | false>

/** What a module asks with, and where it writes down what it found. */
export interface Context {
  readonly settings: Settings
  readonly target: Target
  readonly signal: AbortSignal
  /** A MUST: FAILED where it is not so. `found` says what was there instead. */
  must(text: Text, isSo: boolean, found?: unknown, section?: Section): boolean
  /** A SHOULD, or a rule of RFC 9700: WARNING where it is not so. */
  should(text: Text, isSo: boolean, found?: unknown, section?: Section): boolean
  /** REVIEW: a person must look at this. */
  review(text: Text, evidence: unknown, section?: Section): void
  /** A MUST that the rest stands on; the module ends where the value is missing. */
  expect<T>(text: Text, value: T, found?: unknown, section?: Section): Present<T>
  /** SKIPPED: a need turned out to be missing. */
  skip(reason: Text): never
  send(ask: Ask): Promise<Answer>
  /** An address in the provider's metadata. @throws Skip where there is none */
  endpoint(member: string): string
  /** A client that authenticates this way; any, confidential ones first, where not said. */
  client(method?: AuthMethod): Promise<Client>
  /** Another client than this. */
  otherClient(than: Client): Promise<Client>
  clientWithRole(role: string): Client
  /** A browser in which the first member is signed in; the same for all modules. */
  session(): Promise<MemberSession>
  /** A browser that nobody has used; closed when the module ends. */
  newBrowser(member?: Member, settings?: Readonly<{ language?: string }>): Promise<Browser>
  /** Members, those who have yet to sign in for the first time left out. */
  member(index: 0 | 1): Member
  memberBy(method: string): Member
  readonly listener: Listener
  /** Fetched once more where `fresh`. */
  jwks(fresh?: boolean): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/** Where the conditions of one module are written down. */
export const createNotes = (section: Section, wire: Wire) => {
  const conditions: Condition[] = []
  const textOf = (found: unknown): string => {
    if (typeof found === 'string') return found
    return JSON.stringify(found) ?? String(found)
  }
  const note = (text: Text, result: Result, found: unknown, own: Section | undefined) => {
    const shown = found === undefined ? {} : { found: textOf(found) }
    conditions.push({ section: own ?? section, text, result, ...shown })
  }
  const judge =
    (otherwise: Result) => (text: Text, isSo: boolean, found?: unknown, own?: Section) => {
      note(text, isSo ? 'PASSED' : otherwise, isSo ? undefined : found, own)
      return isSo
    }
  const must = judge('FAILED')
  return {
    must,
    should: judge('WARNING'),
    review: (text: Text, evidence: unknown, own?: Section) => note(text, 'REVIEW', evidence, own),
    expect<T>(text: Text, value: T, found?: unknown, own?: Section): Present<T> {
      const isThere = value !== undefined && value !== null && value !== false && value !== ''
      must(text, isThere, found, own)
      if (!isThere) throw new Stop(text[0])
      return value as Present<T> // just seen
    },
    skip(reason: Text): never {
      throw new Skip(reason)
    },
    /** Masked: call it when the module has ended and all its secrets are known. */
    taken: (): readonly Condition[] =>
      conditions.map((one) =>
        one.found === undefined ? one : { ...one, found: wire.mask.hide(one.found) },
      ),
  }
}
