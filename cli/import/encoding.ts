import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import iconv from 'iconv-lite'
import { linesOf } from '../../adapters/lines.ts'
import { misused, refused } from '../command-error.ts'
import { ENCODINGS, type Encoding } from './options.ts'

/** A line longer than this is no member's row, or no text. */
export const LONGEST_LINE = 64 * 1024

/** What iconv-lite makes of bytes that CP932 does not have: U+FFFD, and 0x80 as it is. */
const isCp932 = (bytes: Buffer): boolean =>
  !/[\ufffd\u0080-\u009f]/u.test(iconv.decode(bytes, 'cp932'))
const FITS: Readonly<Record<Encoding, (line: Buffer) => boolean>> = {
  'utf-8': isUtf8,
  cp932: isCp932,
}

/**
 * Which of the two encodings the whole file is in: UTF-8 wherever that is possible, as Japanese in
 * Shift_JIS never reads as UTF-8. No byte is guessed or passed over.
 * @throws CommandError naming the first line that cannot be read
 */
export const detectEncoding = async (path: string, forced?: Encoding): Promise<Encoding> => {
  const candidates = forced ? [forced] : ENCODINGS
  const unreadable = new Map<Encoding, number>()
  let number = 0
  try {
    for await (const line of linesOf(path, LONGEST_LINE)) {
      number += 1
      if (number === 1 && /^(?:fffe|feff)/u.test(line.subarray(0, 2).toString('hex'))) {
        throw refused({
          ja: 'UTF-16（Unicodeテキスト）のファイルです。「CSV UTF-8」か「CSV」で保存し直してください。',
          en: 'The file is UTF-16 (Unicode text): save it as “CSV UTF-8” or as “CSV”.',
        })
      }
      if (line.length > LONGEST_LINE || line.includes(0)) {
        throw refused({
          ja: `${number}行目が長すぎるか、文字でないデータを含みます。CSVファイルではないようです。`,
          en: `Line ${number} is too long or holds data that is no text: this seems to be no CSV file.`,
        })
      }
      for (const encoding of candidates) {
        if (!unreadable.has(encoding) && !FITS[encoding](line)) unreadable.set(encoding, number)
      }
      if (candidates.every((encoding) => unreadable.has(encoding))) break
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined || !/^E[A-Z]+$/u.test(code)) throw error
    throw misused({
      ja: `"${path}" を読めません（${code}）。`,
      en: `"${path}" cannot be read (${code}).`,
    })
  }
  const fitting = candidates.find((encoding) => !unreadable.has(encoding))
  if (fitting) return fitting
  const where = (each: (encoding: string, line: number) => string) =>
    candidates.map((encoding) => each(encoding, unreadable.get(encoding) ?? 0))
  throw refused({
    ja: `文字コードがわかりません：${where((e, n) => `${e} としては${n}行目`).join('、')}が読めません。UTF-8 か Shift_JIS で保存し直してください。`,
    en: `The encoding is neither: ${where((e, n) => `as ${e}, line ${n} cannot be read`).join('; ')}. Save the file as UTF-8 or Shift_JIS.`,
  })
}

/** The file's text, chunk by chunk, without the mark at its beginning. */
export const textOf = (path: string, encoding: Encoding): NodeJS.ReadableStream =>
  createReadStream(path).pipe(iconv.decodeStream(encoding))
