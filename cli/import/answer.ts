import type { Locale } from '../../accounts/member.ts'
import { type ColumnId, columnName } from '../columns.ts'
import { type CsvFile, createCsvFile } from '../csv-file.ts'
import { plainText } from './rows.ts'
import { type Remark, remarkText } from './rules.ts'

export const RESULTS = ['created', 'updated', 'unchanged', 'refused'] as const
export type Result = (typeof RESULTS)[number]

/** What became of one row. */
export type Answer = Readonly<{
  line: number
  /** As in the file, made harmless. */
  loginId: string
  result: Result
  /** What an update changed. */
  changed: readonly ColumnId[]
  remarks: readonly Remark[]
}>

const HEADER = ['line', 'login_id', 'result', 'column', 'rule', 'message']

const named = (column: ColumnId): string => columnName(column, 'en')

export type Report = Readonly<{ add(answer: Answer): Promise<void>; close(): Promise<void> }>

/** A file with a line for each answer, or for each remark of one; of no file, nothing. */
export const openReport = async (path: string | undefined, locale: Locale): Promise<Report> => {
  const file: CsvFile | undefined =
    path === undefined ? undefined : await createCsvFile(path, HEADER)
  return {
    add: async ({ line, loginId, result, changed, remarks }) => {
      const about = remarks.length > 0 ? remarks : [undefined]
      for (const remark of about) {
        const columns = remark?.column === undefined ? changed : [remark.column]
        const text = remark ? remarkText(remark, locale) : ''
        await file?.write([
          String(line),
          loginId,
          result,
          columns.map(named).join(' '),
          remark?.rule ?? '',
          text,
        ])
      }
    },
    close: async () => file?.close(),
  }
}

/** The answer as a line for a person: 12行目 12345-678：生年月日：… */
export const answerText = (
  { line, loginId, result, remarks }: Answer,
  locale: Locale,
): readonly string[] =>
  remarks.map((remark) => {
    const text = remarkText(remark, locale)
    const refused = result === 'refused'
    return locale === 'ja'
      ? `${line}行目 ${plainText(loginId)}：${refused ? '取り込みません。' : ''}${text}`
      : `Line ${line} ${plainText(loginId)}: ${refused ? 'refused. ' : ''}${text}`
  })
