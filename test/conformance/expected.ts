import { z } from 'zod'
import { RESULTS } from './module.ts'
import type { ModuleReport } from './run.ts'

/** Results that are known and accepted, each with the reason. */
export const expectations = z.array(
  z.strictObject({
    module: z.string(),
    result: z.enum(RESULTS),
    why: z.string().min(1),
    /** YYYY-MM-DD, the last day on which it is accepted. */
    until: z.iso.date().exactOptional(),
  }),
)
export type Expectation = z.output<typeof expectations>[number]

/** How a run differs from what was expected of it. */
export type Difference = Readonly<{
  module: string
  kind: 'unexpected' | 'over' | 'gone'
  text: string
}>

/**
 * Without an entry a module must not be FAILED (with `strict`, must be PASSED or SKIPPED). With one
 * it must come to that very result: an entry that no longer holds is reported, so that the file
 * cannot rot.
 */
export const differences = (
  modules: readonly ModuleReport[],
  entries: readonly Expectation[],
  options: Readonly<{ strict: boolean; today: string }>,
): readonly Difference[] => {
  const found: Difference[] = []
  const add = (module: string, kind: Difference['kind'], text: string) =>
    found.push({ module, kind, text })
  for (const { id, result } of modules) {
    const entry = entries.find(({ module }) => module === id)
    if (!entry) {
      const isBad = result === 'FAILED' || (options.strict && /WARNING|REVIEW/.test(result))
      if (isBad) add(id, 'unexpected', result)
    } else if (entry.until !== undefined && entry.until < options.today) {
      add(id, 'over', `${result}; accepted until ${entry.until} only`)
    } else if (entry.result !== result) {
      add(id, 'unexpected', `${result} instead of ${entry.result}`)
    }
  }
  const run = new Set(modules.map(({ id }) => id))
  for (const { module } of entries) {
    if (!run.has(module)) add(module, 'gone', 'in the expected-results file, but not in this run')
  }
  return found
}
