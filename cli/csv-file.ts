import { createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { type Stringifier, stringify } from 'csv-stringify'
import { misused } from './command-error.ts'

export type CsvFile = Readonly<{
  /** Resolves once the row is on its way and there is room for the next. */
  write(row: readonly string[]): Promise<void>
  /** On disk when it resolves. */
  close(): Promise<void>
}>

/**
 * A new CSV file that its owner alone may read, for a spreadsheet: UTF-8 with its mark, CRLF, and a
 * cell that would be taken for a formula has `'` in front.
 * @throws UsageError where the file exists or cannot be made
 */
export const createCsvFile = async (path: string, header: readonly string[]): Promise<CsvFile> => {
  const file = await createPrivateFile(path)
  const rows: Stringifier = stringify({
    bom: true,
    escape_formulas: true,
    record_delimiter: 'windows',
    quote_record_delimiter: true,
  })
  const output = createWriteStream(path, { fd: file, flush: true })
  rows.pipe(output)
  const write = (row: readonly string[]): Promise<void> =>
    new Promise((resolve, reject) => {
      rows.write([...row], (error) => (error ? reject(error) : resolve()))
    })
  await write(header)
  return {
    write,
    close: async () => {
      rows.end()
      await finished(output)
    },
  }
}

/** A new file of mode 0600. @throws UsageError where the file exists or cannot be made */
export const createPrivateFile = async (path: string) => {
  try {
    return await open(path, 'wx+', 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') {
      throw misused({
        ja: `"${path}" はすでにあります。上書きはしません。別の名前にしてください。`,
        en: `"${path}" exists already and is not overwritten: choose another name.`,
      })
    }
    throw misused({
      ja: `"${path}" を作れません（${code ?? ''}）。フォルダと権限を確かめてください。`,
      en: `"${path}" cannot be made (${code ?? ''}): check the folder and its permissions.`,
    })
  }
}
