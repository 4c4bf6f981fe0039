import type { Context } from './context.ts'
import type { Need } from './needs.ts'
import type { Section } from './specifications.ts'

/** The same words in both languages of the reports. */
export type Text = readonly [en: string, ja: string]

/**
 * PASSED; WARNING: a SHOULD, or weaker than RFC 9700; REVIEW: a person must look at the evidence;
 * SKIPPED: a feature or a need is missing; FAILED: a MUST.
 */
export const RESULTS = ['PASSED', 'SKIPPED', 'WARNING', 'REVIEW', 'FAILED'] as const
export type Result = (typeof RESULTS)[number]

/** One rule as it was met. */
export type Condition = Readonly<{
  section: Section
  text: Text
  result: Result
  /** What the provider answered instead; shown with secrets masked. */
  found?: string
}>

/** One question put to a provider. */
export type Module = Readonly<{
  /** Stable: expected-results files name it. */
  id: string
  title: Text
  /** Where the rule stands; the first is the one of a condition that names none. */
  section: readonly [Section, ...Section[]]
  /** What a provider or tester must offer; without it the module is SKIPPED with the reason. */
  requires?: readonly Need[]
  /** Seconds beyond the usual deadline, for a module that must wait. */
  waits?: (settings: Readonly<{ codeLifetime: number }>) => number
  run(t: Context): Promise<void>
}>

export type Plan = Readonly<{ id: string; title: Text; modules: readonly Module[] }>

/** A module's result is its worst condition. */
export const worst = (results: readonly Result[]): Result =>
  results.reduce<Result>(
    (found, one) => (RESULTS.indexOf(one) > RESULTS.indexOf(found) ? one : found),
    'PASSED',
  )

/** Nothing more can be asked: an expectation that the rest of the module stands on was not met. */
export class Stop extends Error {}

/** A need turned out to be missing in the middle of a module. */
export class Skip extends Error {
  readonly reason: Text
  constructor(reason: Text) {
    super(reason[0])
    this.reason = reason
  }
}
