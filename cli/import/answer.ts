import { existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import type { Locale } from '../../accounts/member.ts'
import { type ColumnId, columnName } from '../columns.ts'
import { misused } from '../command-error.ts'
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

/**
 * The answers for the operator. Until the import has ended they stand in `<file>.part`: what is called
 * `<file>` is whole.
 */
export type Report = Readonly<{
  add(answer: Answer): Promise<void>
  /** The import has ended: gives the file its name. */
  finish(): Promise<void>
  /** Leaves what there is of it. */
  close(): Promise<void>
}>

const FIRST_LINE = Buffer.from(`\ufeff${HEADER.join()}\r\n`)

/** As far as a report was written that a crash may have cut short anywhere. */
const isReport = async (path: string): Promise<boolean> => {
  const file = await open(path)
  try {
    const head = Buffer.alloc(FIRST_LINE.length)
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    return head.subarray(0, bytesRead).equals(FIRST_LINE.subarray(0, bytesRead))
  } finally {
    await file.close()
  }
}

const createPart = async (path: string, part: string, resume: boolean): Promise<CsvFile> => {
  if (existsSync(path)) {
    throw misused({
      ja: `"${path}" はすでにあります。上書きはしません。別の名前にしてください。`,
      en: `"${path}" exists already and is not overwritten: choose another name.`,
    })
  }
  if (existsSync(part)) {
    if (!resume) {
      throw misused({
        ja: `"${part}" があります。途中で止まった取り込みの続きなら --resume を付けてください。今も動いているなら、終わるまで待ってください。`,
        en: `There is "${part}": to go on with an import that was broken off, add --resume. If it is still running, wait for it.`,
      })
    }
    if (!(await isReport(part))) {
      throw misused({
        ja: `"${part}" は取り込みの報告ではないため、上書きしません。--report を別の名前にしてください。`,
        en: `"${part}" is no report of an import and is not overwritten: choose another name for --report.`,
      })
    }
    // Every row is answered anew.
    await rm(part)
  }
  return createCsvFile(part, HEADER)
}

/**
 * A file with a line for each answer, or for each remark of one; of no file, nothing.
 * @throws UsageError where the file exists, or an import that was broken off is to be resumed
 */
export const openReport = async (
  path: string | undefined,
  { resume, locale }: Readonly<{ resume: boolean; locale: Locale }>,
): Promise<Report> => {
  const part = `${path}.part`
  const file = path === undefined ? undefined : await createPart(path, part, resume)
  let closing: Promise<void> | undefined
  const close = async (): Promise<void> => {
    closing ??= file?.close()
    await closing
  }
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
    finish: async () => {
      await close()
      if (path !== undefined) await rename(part, path)
    },
    close,
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
