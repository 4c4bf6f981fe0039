import type { Plan } from '../module.ts'
import { linkTo } from '../specifications.ts'

/** The modules as the table of docs/conformance.md. */
export const moduleTable = (plans: readonly Plan[]): string => {
  const rows = plans.flatMap(({ id: plan, modules }) =>
    modules.map(({ id, title, section, requires = [] }) => {
      const links = section.map((one) => {
        const link = linkTo(one)
        return link === '' ? one : `[${one}](${link})`
      })
      const needs = [...new Set(requires.map(({ name }) => name))].join(', ')
      return `| ${plan} | \`${id}\` | ${title[0]} | ${links.join(', ')} | ${needs} |`
    }),
  )
  return [
    '| Plan | Module | What is asked | Section | Needs |',
    '|---|---|---|---|---|',
    ...rows,
  ].join('\n')
}
