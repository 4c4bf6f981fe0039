import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { COLUMN_IDS, columnName } from '../../cli/columns.ts'
import { RESULTS } from '../../cli/import/answer.ts'
import { RULES } from '../../cli/import/rules.ts'
import { sourceText } from '../style/sources.ts'
import { runHere } from './command.ts'
import { aDesk, type TestDesk } from './desk.ts'

const TEXTS = { en: sourceText('docs/members.md'), ja: sourceText('docs/members.ja.md') } as const
const LOCALES = ['en', 'ja'] as const
const prose = (text: string) => text.replace(/^```.*?^```$/gms, '')
const example = (name: string, locale: (typeof LOCALES)[number] = 'en'): string =>
  new RegExp(`<!-- example:${name} -->\n\`\`\`\\w+\n(.*?)\n\`\`\``, 's').exec(TEXTS[locale])?.[1] ??
  ''
/** What stands as code in the first column of a table, row after row. */
const firstCells = (text: string) =>
  [...prose(text).matchAll(/^\| `([^`]+)` \|/gm)].map(([, code = '']) => code)

let desk: TestDesk
beforeAll(() => {
  desk = aDesk()
})
afterAll(() => desk.close())

test('the English and the Japanese text have the same headings, tables and examples', () => {
  const shape = (text: string) => ({
    levels: (prose(text).match(/^#+ /gm) ?? []).join(),
    rows: (prose(text).match(/^\|.*\|$/gm) ?? []).length,
    codes: firstCells(text),
    paragraphs: prose(text).split(/\n{2,}/).length,
  })
  expect(shape(TEXTS.ja)).toEqual(shape(TEXTS.en))
  for (const name of ['file', 'import', 'desk', 'check']) {
    expect(example(name)).not.toBe('')
    expect(example(name, 'ja')).toBe(example(name))
  }
})

test.each(LOCALES)('every column, result and rule of an import is in the text (%s)', (locale) => {
  const told = firstCells(TEXTS[locale])
  const columns = COLUMN_IDS.map((id) => columnName(id, 'ja'))
  expect(told.filter((code) => columns.includes(code)).toSorted()).toEqual(columns.toSorted())
  expect(told.filter((code) => RESULTS.some((result) => result === code))).toEqual([...RESULTS])
  expect(told.filter((code) => /^\w+\.\w+$/.test(code)).toSorted()).toEqual(RULES.toSorted())
})

test('the file of the example is taken in as it stands', async () => {
  const { counts } = await desk.run({ file: desk.write('members.csv', example('file')) })
  expect(counts).toEqual({ created: 3, updated: 0, unchanged: 0, refused: 0 })
  expect((await desk.all()).map(({ loginId, birthdate }) => [loginId, birthdate])).toEqual([
    ['12345-801', '1985-04-01'],
    ['12345-802', '1972-11-03'],
    ['12345-803', '1990-02-28'],
  ])
})

test('every command of the examples is understood', async () => {
  const commands = ['import', 'desk', 'check'].flatMap((name) => example(name).split('\n'))
  expect(commands.length).toBeGreaterThan(8)
  for (const command of commands) {
    const args = [...command.matchAll(/"([^"]*)"|(\S+)/g)]
      .map(([, quoted, bare]) => quoted ?? bare ?? '')
      .map((arg) => (/\.(?:csv|json)$/.test(arg) ? desk.path(`example-${arg}`) : arg))
    expect(args.slice(0, 2)).toEqual(['npx', 'kenpo-idp'])
    const { err } = await runHere(desk.path('data'), ...args.slice(2))
    // On an empty store it finds nobody and no file; it is not misread.
    expect([command, err]).toEqual([command, expect.not.stringMatching(/Usage|error:/u)])
  }
})
