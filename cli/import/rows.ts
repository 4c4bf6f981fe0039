import { parse } from 'csv-parse'
import { parseBirthdate } from '../../accounts/birthdate.ts'
import { parseEmailAddress } from '../../accounts/email-address.ts'
import { deriveInitialPassword } from '../../accounts/initial-password.ts'
import {
  type InitialPassword,
  type Locale,
  loginKey,
  type Member,
  type Profile,
} from '../../accounts/member.ts'
import {
  COLUMN_IDS,
  COLUMNS,
  type ColumnId,
  columnKey,
  columnName,
  EXPORTED,
  EXPORTED_IDS,
} from '../columns.ts'
import { misused, refused } from '../command-error.ts'
import { LONGEST_LINE, textOf } from './encoding.ts'
import type { Encoding } from './options.ts'
import { type ProfileColumn, profileOf, readPhone, readPostalCode } from './profile.ts'
import { LONGEST_CELL, type RefusalId, type Remark } from './rules.ts'

/** One line of the file as it stands, with the number of the line on which it ends. */
export type RawRow = Readonly<{ line: number; cells: readonly string[] }>

/** A member as the society describes one. */
export type Row = Readonly<{
  societyId: string
  loginId: string
  birthdate: string
  insured?: NonNullable<Member['insured']>
  email?: string
  /** What the address is probably meant to be. */
  emailSuggestion?: string
  locale?: Locale
  profile?: Profile
}>

export type CheckedRow =
  | Readonly<{ ok: true; row: Row }>
  | Readonly<{ ok: false; remarks: readonly Remark<RefusalId>[] }>

/** Where each column stands, and how many there are. */
export type Header = Readonly<{ positions: ReadonlyMap<ColumnId, number>; width: number }>

export type RowContext = Readonly<{
  header: Header
  societies: ReadonlyMap<string, unknown>
  /** Of every row, where the command says so. */
  societyId?: string
  passwords: InitialPassword
  /** YYYY-MM-DD in Japan. */
  today: string
}>

/**
 * The file's rows, header first; blank lines are passed over.
 * @throws CommandError where quotes do not close: from there on nothing is certain
 */
export async function* rawRows(path: string, encoding: Encoding): AsyncGenerator<RawRow> {
  const parser = textOf(path, encoding).pipe(
    parse({
      bom: true,
      info: true,
      record_delimiter: ['\r\n', '\n'],
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      max_record_size: LONGEST_LINE,
    }),
  )
  try {
    for await (const { info, record } of parser) yield { line: info.lines, cells: record }
  } catch (error) {
    const { code, lines } = error as { code?: string; lines?: number }
    if (!code?.startsWith('CSV_')) throw error
    throw refused({
      ja: `${lines ?? '?'}行目で引用符（"）が正しく閉じていません。取り込みは始めていません。`,
      en: `The quotes (") do not close rightly at line ${lines ?? '?'}. Nothing was imported.`,
    })
  }
}

const NAMES: ReadonlyMap<string, ColumnId> = new Map(
  COLUMN_IDS.flatMap((id) =>
    [...COLUMNS[id].ja, ...COLUMNS[id].en].map((name) => [columnKey(name), id] as const),
  ),
)
const PASSED_OVER = EXPORTED_IDS.flatMap((id) => Object.values(EXPORTED[id]).map(columnKey))

/** @throws CommandError where a column is unknown, missing or there twice */
export const readHeader = (
  cells: readonly string[],
  options: Readonly<{ skip: readonly string[]; needsSociety: boolean }>,
): Header => {
  const skipped = [...options.skip.map(columnKey), ...PASSED_OVER]
  const positions = new Map<ColumnId, number>()
  for (const [index, cell] of cells.entries()) {
    const key = columnKey(cell)
    if (skipped.includes(key)) continue
    const id = NAMES.get(key)
    const shown = key === '' ? `#${index + 1}` : `"${plainText(cell)}"`
    if (id === undefined) {
      const known = COLUMN_IDS.map((one) => `${columnName(one, 'ja')} (${columnName(one, 'en')})`)
      throw refused({
        ja: `見出しの ${shown} は知らない列です。読まない列は --skip-column で指定してください。\n使える列：${known.join('、')}`,
        en: `The column ${shown} is unknown; name columns that are not to be read with --skip-column.`,
      })
    }
    if (positions.has(id)) {
      throw refused({
        ja: `見出しに同じ列が2つあります：${shown}`,
        en: `The header names a column twice: ${shown}`,
      })
    }
    positions.set(id, index)
  }
  for (const id of ['loginId', 'birthdate'] as const) {
    if (positions.has(id)) continue
    throw refused({
      ja: `見出しに「${columnName(id, 'ja')}」の列がありません。1行目は見出しです。`,
      en: `The header has no column "${columnName(id, 'en')}". The first line is the header.`,
    })
  }
  if (options.needsSociety && !positions.has('society')) {
    throw misused({
      ja: '--society で健保組合を指定するか、「健保組合」の列を入れてください。',
      en: 'Name the society with --society, or in a column "society".',
    })
  }
  return { positions, width: cells.length }
}

/** Nothing of it moves a cursor or forges a line on a terminal. */
export const plainText = (text: string): string =>
  [...text.replace(/[\p{C}\u2028\u2029]/gu, '?')].slice(0, 64).join('')

const FORMULA = /^[=+\-@\t\r\n]/u
/** A cell that an export has kept from being a formula. */
const ESCAPED = /^'[=+\-@\t\r]/u
/** Control and format characters: line breaks, zero-width and direction marks. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/u

/** The cell, tidied, or why it cannot be taken whatever its column. */
const readCell = (raw: string): Readonly<{ text: string } | { rule: RefusalId }> => {
  const escaped = ESCAPED.test(raw)
  const written = escaped ? raw.slice(1) : raw
  const text = written.normalize('NFKC').trim()
  if (!escaped && (FORMULA.test(raw) || FORMULA.test(text))) return { rule: 'cell.formula' }
  if (INVISIBLE.test(written)) return { rule: 'cell.control' }
  return [...text].length > LONGEST_CELL ? { rule: 'cell.long' } : { text }
}

const DASHES = /[\u2010-\u2015\u2212\u30fc]/gu
const LOGIN_ID = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/u
const INSURED = /^[\p{L}\p{N}][\p{L}\p{N}-]{0,19}$/u
const TYPEABLE = /^[A-Za-z0-9-]+$/u
/** The eras by number, as the insurers' systems write dates: 3600401 is 昭和60年4月1日. */
const ERA_LETTERS: Readonly<Record<string, string>> = { 1: 'm', 2: 't', 3: 's', 4: 'h', 5: 'r' }

const readBirthdate = (
  text: string,
  today: string,
): Readonly<{ date: string } | { remark: Remark<RefusalId> }> => {
  const of = (rule: RefusalId, values?: Readonly<Record<string, string>>) => ({
    remark: { column: 'birthdate' as const, rule, ...(values && { values }) },
  })
  const numbered = /^([1-5])(\d{6})$/u.exec(text)
  const year = numbered ? `${ERA_LETTERS[numbered[1] ?? '']}${numbered[2]}` : text
  const parsed = parseBirthdate({ era: '', year, month: '', day: '' }, today)
  if (parsed.ok) return { date: parsed.date }
  const [fault] = parsed.faults
  switch (fault?.reason) {
    case 'bday.empty':
      return of('birthdate.empty')
    case 'bday.impossible':
      return of('birthdate.impossible', fault.values)
    case 'bday.future':
      return of('birthdate.future')
    default:
      return of('birthdate.form')
  }
}

const readInsured = (
  symbol: string,
  number: string,
  passwords: InitialPassword,
): Readonly<{ insured?: Row['insured']; remarks: readonly Remark<RefusalId>[] }> => {
  const wrong = (
    [
      ['symbol', symbol],
      ['number', number],
    ] as const
  ).flatMap(([column, text]) =>
    text === '' || INSURED.test(text) ? [] : [{ column, rule: 'insured.form' as const }],
  )
  if (wrong.length > 0) return { remarks: wrong }
  if ((symbol === '') !== (number === '')) {
    return { remarks: [{ column: symbol === '' ? 'symbol' : 'number', rule: 'insured.both' }] }
  }
  if (passwords === 'derived' && !TYPEABLE.test(symbol + number)) {
    return { remarks: [{ column: 'symbol', rule: 'insured.derived' }] }
  }
  return symbol === '' ? { remarks: [] } : { insured: { symbol, number }, remarks: [] }
}

const readProfile = (
  text: (column: ProfileColumn) => string,
): Readonly<{ profile?: Profile; remarks: readonly Remark<RefusalId>[] }> => {
  const dashed = (column: ProfileColumn) => text(column).replace(DASHES, '-')
  const remarks = (
    [
      ['phone', readPhone],
      ['postalCode', readPostalCode],
    ] as const
  ).flatMap(([column, read]) =>
    dashed(column) === '' || read(dashed(column)) !== undefined
      ? []
      : [{ column, rule: `${column}.form` as const }],
  )
  if (remarks.length > 0) return { remarks }
  const profile = profileOf({
    name: text('name'),
    kana: text('kana'),
    phone: dashed('phone'),
    postalCode: dashed('postalCode'),
    address: text('address'),
  })
  return { ...(profile && { profile }), remarks }
}

const LANGUAGES: Readonly<Record<string, Locale>> = {
  ja: 'ja',
  日本語: 'ja',
  en: 'en',
  英語: 'en',
  english: 'en',
}

/** The row as a member, or everything that is wrong with it. */
export const checkRow = ({ cells }: RawRow, context: RowContext): CheckedRow => {
  const { header } = context
  if (cells.length !== header.width) {
    const values = { found: String(cells.length), wanted: String(header.width) }
    return { ok: false, remarks: [{ rule: 'row.cells', values }] }
  }
  const remarks: Remark<RefusalId>[] = []
  const texts = new Map<ColumnId, string>()
  for (const [column, position] of header.positions) {
    const read = readCell(cells[position] ?? '')
    if ('rule' in read) remarks.push({ column, rule: read.rule })
    else texts.set(column, read.text)
  }
  if (remarks.length > 0) return { ok: false, remarks }
  const text = (column: ColumnId): string => texts.get(column) ?? ''

  const said = text('society')
  const societyId = context.societyId ?? said
  if (context.societyId !== undefined && said !== '' && said !== context.societyId) {
    const values = { society: context.societyId }
    remarks.push({ column: 'society', rule: 'society.other', values })
  } else if (societyId === '') remarks.push({ column: 'society', rule: 'society.empty' })
  else if (!context.societies.has(societyId)) {
    remarks.push({ column: 'society', rule: 'society.unknown' })
  }

  const loginId = text('loginId').replace(DASHES, '-')
  if (loginId === '') remarks.push({ column: 'loginId', rule: 'loginId.empty' })
  else if (!LOGIN_ID.test(loginId)) remarks.push({ column: 'loginId', rule: 'loginId.form' })

  const dash = (column: ColumnId) => text(column).replace(DASHES, '-')
  const insured = readInsured(dash('symbol'), dash('number'), context.passwords)
  remarks.push(...insured.remarks)

  const birthdate = readBirthdate(text('birthdate'), context.today)
  if ('remark' in birthdate) remarks.push(birthdate.remark)

  const email = text('email') === '' ? undefined : parseEmailAddress(text('email'))
  if (email && !email.ok) remarks.push({ column: 'email', rule: 'email.form' })

  const profile = readProfile(text)
  remarks.push(...profile.remarks)

  const language = text('locale').toLowerCase()
  const locale = Object.hasOwn(LANGUAGES, language) ? LANGUAGES[language] : undefined
  if (language !== '' && !locale) remarks.push({ column: 'locale', rule: 'locale.unknown' })

  if (remarks.length > 0 || !('date' in birthdate)) return { ok: false, remarks }
  return {
    ok: true,
    row: {
      societyId,
      loginId,
      birthdate: birthdate.date,
      ...(insured.insured && { insured: insured.insured }),
      ...(email?.ok && { email: email.address }),
      ...(email?.ok && email.suggestion && { emailSuggestion: email.suggestion }),
      ...(locale && { locale }),
      ...(profile.profile && { profile: profile.profile }),
    },
  }
}

/** The one form of a row's user ID within all societies. */
export const rowKey = ({ societyId, loginId }: Pick<Row, 'societyId' | 'loginId'>): string =>
  `${societyId}|${loginKey(loginId)}`

/** @throws never for a row that `checkRow` took for derived passwords */
export const derivedPasswordOf = ({ insured, birthdate }: Row): string => {
  if (!insured) throw new TypeError('a row without symbol and number')
  return deriveInitialPassword(insured, birthdate)
}
