import type { Localized } from '../accounts/society.ts'

/** The columns that the society fills in, by their names in a file: the first of each language is
 * written by an export. */
export const COLUMNS = {
  society: { ja: ['健保組合', '健保組合ID'], en: ['society'] },
  loginId: { ja: ['ユーザID', 'ユーザーID'], en: ['login_id', 'user_id'] },
  symbol: { ja: ['記号'], en: ['symbol'] },
  number: { ja: ['番号'], en: ['number'] },
  birthdate: { ja: ['生年月日'], en: ['birthdate', 'date_of_birth'] },
  email: { ja: ['メールアドレス', 'メール'], en: ['email', 'e_mail'] },
  locale: { ja: ['言語'], en: ['language'] },
  name: { ja: ['氏名'], en: ['name'] },
  kana: { ja: ['氏名カナ', 'フリガナ'], en: ['name_kana'] },
  phone: { ja: ['電話番号'], en: ['phone'] },
  postalCode: { ja: ['郵便番号'], en: ['postal_code'] },
  address: { ja: ['住所'], en: ['address'] },
} as const satisfies Record<string, Readonly<{ ja: readonly string[]; en: readonly string[] }>>
export type ColumnId = keyof typeof COLUMNS
// Object.keys widens to string.
export const COLUMN_IDS = Object.keys(COLUMNS) as ColumnId[]

/** What only an export tells: an import passes over these columns. */
export const EXPORTED = {
  state: { ja: '状態', en: 'state' },
  emailConfirmed: { ja: 'メール確認', en: 'email_confirmed' },
  methods: { ja: '認証方法', en: 'methods' },
  enrolledOn: { ja: '初回ログイン完了', en: 'first_login' },
  initialUntil: { ja: '初期パスワードの期限', en: 'initial_password_until' },
} as const satisfies Record<string, Localized>
// Object.keys widens to string.
export const EXPORTED_IDS = Object.keys(EXPORTED) as (keyof typeof EXPORTED)[]

/** The form in which two spellings of a column's name are equal. */
export const columnKey = (name: string): string =>
  name
    .normalize('NFKC')
    .trim()
    .toLowerCase()
    .replace(/[\s_-]+/gu, '_')

export const columnName = (id: ColumnId, locale: 'ja' | 'en'): string => COLUMNS[id][locale][0]
