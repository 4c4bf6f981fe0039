import { RESULTS, type Result } from '../module.ts'
import type { ModuleReport, Report } from '../run.ts'

const COLOURS: Readonly<Record<Result, number>> = {
  PASSED: 32,
  SKIPPED: 90,
  WARNING: 33,
  REVIEW: 36,
  FAILED: 31,
}

const paint = (result: Result, isColoured: boolean): string => {
  const text = result.padEnd(8)
  return isColoured ? `\u001b[${COLOURS[result]}m${text}\u001b[0m` : text
}

/** What is to be said of a module beside its result. */
const remarks = (report: ModuleReport): readonly string[] => [
  ...(report.reason ? [report.reason[0]] : []),
  ...(report.error === undefined ? [] : [`error: ${report.error}`]),
  ...report.conditions
    .filter(({ result }) => result !== 'PASSED')
    .map(({ result, section, text, found }) => {
      const shown = found === undefined ? '' : `; found: ${found.slice(0, 160)}`
      return `${result.toLowerCase()}: ${text[0]} [${section}]${shown}`
    }),
]

/** One module as it ends: the progress of a run. */
export const moduleLine = (report: ModuleReport, isColoured: boolean): string =>
  [
    `  ${paint(report.result, isColoured)} ${report.id.padEnd(28)} ${report.title[0]}`,
    ...remarks(report).map((line) => `             ${line}`),
  ].join('\n')

export const totals = (modules: readonly ModuleReport[]): Readonly<Record<Result, number>> => {
  const count = (result: Result) => modules.filter((one) => one.result === result).length
  return {
    PASSED: count('PASSED'),
    SKIPPED: count('SKIPPED'),
    WARNING: count('WARNING'),
    REVIEW: count('REVIEW'),
    FAILED: count('FAILED'),
  }
}

/** A row per plan, and the sum. */
export const summaryTable = (report: Report): string => {
  const plans = [...new Set(report.modules.map(({ plan }) => plan))]
  const row = (name: string, modules: readonly ModuleReport[]) => {
    const counts = totals(modules)
    return [name.padEnd(18), ...RESULTS.map((one) => String(counts[one]).padStart(8))].join('')
  }
  return [
    ['plan'.padEnd(18), ...RESULTS.map((one) => one.padStart(8))].join(''),
    ...plans.map((plan) =>
      row(
        plan,
        report.modules.filter((one) => one.plan === plan),
      ),
    ),
    row('all', report.modules),
  ].join('\n')
}
