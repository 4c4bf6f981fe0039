import type { ModuleReport, Report } from '../run.ts'

const escaped = (text: string): string =>
  text
    // What XML 1.0 has no place for.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are the ones
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')

const notes = (report: ModuleReport, result: string): string =>
  report.conditions
    .filter((one) => one.result === result)
    .map(({ section, text, found }) => `${text[0]} [${section}]${found ? `: ${found}` : ''}`)
    .join('\n')

const testCase = (report: ModuleReport): string => {
  const { id, plan, title, result, reason, error, milliseconds } = report
  const properties = [
    ['result', result],
    ['section', report.section.join('; ')],
    ...(['WARNING', 'REVIEW'] as const)
      .map((one) => [one.toLowerCase(), notes(report, one)] as const)
      .filter(([, text]) => text !== ''),
  ].map(([name, value]) => `<property name="${name}" value="${escaped(value ?? '')}"/>`)
  const failed = [error ?? '', notes(report, 'FAILED')].filter(Boolean).join('\n')
  const inside = [
    `<properties>${properties.join('')}</properties>`,
    ...(result === 'SKIPPED' ? [`<skipped message="${escaped(reason?.[0] ?? '')}"/>`] : []),
    ...(result === 'FAILED'
      ? [`<failure message="${escaped(failed.split('\n')[0] ?? '')}">${escaped(failed)}</failure>`]
      : []),
  ]
  const name = escaped(`${id}: ${title[0]}`)
  const seconds = (milliseconds / 1000).toFixed(3)
  return `<testcase classname="conformance.${plan}" name="${name}" time="${seconds}">${inside.join('')}</testcase>`
}

/** JUnit's XML: a plan is a suite; REVIEW and WARNING are properties of a test that passed. */
export const junit = (report: Report): string => {
  const plans = [...new Set(report.modules.map(({ plan }) => plan))]
  const suites = plans.map((plan) => {
    const modules = report.modules.filter((one) => one.plan === plan)
    const count = (result: string) => modules.filter((one) => one.result === result).length
    return `<testsuite name="${plan}" tests="${modules.length}" failures="${count('FAILED')}" skipped="${count('SKIPPED')}">${modules.map(testCase).join('')}</testsuite>`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="conformance ${escaped(report.issuer)}">${suites.join('\n')}</testsuites>\n`
}
