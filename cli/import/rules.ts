import type { Locale } from '../../accounts/member.ts'
import type { Localized } from '../../accounts/society.ts'
import { type ColumnId, columnName } from '../columns.ts'

type Values = Readonly<Record<string, string>>
type Text = (values: Values) => Localized

/** Longest cell, in characters. */
export const LONGEST_CELL = 256

/** Why a row is refused. */
const REFUSALS = {
  'row.cells': ({ found = '', wanted = '' }) => ({
    ja: `列の数が見出しと違います（見出しは${wanted}列、この行は${found}列）。カンマや引用符を確かめてください。`,
    en: `The row has ${found} cells and the header ${wanted}: check commas and quotes.`,
  }),
  'cell.formula': () => ({
    ja: '= + - @ タブ 改行で始まる値は、表計算ソフトで式として動くため取り込みません。',
    en: 'A value that begins with = + - @, a tab or a line break would run as a formula and is not taken.',
  }),
  'cell.control': () => ({
    ja: '改行・タブ・見えない文字を含んでいます。消してください。',
    en: 'The value holds a line break, a tab or an invisible character: remove it.',
  }),
  'cell.long': () => ({
    ja: `${LONGEST_CELL}文字を超えています。`,
    en: `The value has more than ${LONGEST_CELL} characters.`,
  }),
  'society.empty': () => ({ ja: '健保組合がありません。', en: 'The society is missing.' }),
  'society.unknown': () => ({
    ja: 'この健保組合は設定にありません。',
    en: 'This society is not in the configuration.',
  }),
  'society.other': ({ society = '' }) => ({
    ja: `--society で指定した健保組合（${society}）と違います。`,
    en: `This is another society than --society says (${society}).`,
  }),
  'loginId.empty': () => ({ ja: 'ユーザIDがありません。', en: 'The user ID is missing.' }),
  'loginId.form': () => ({
    ja: 'ユーザIDは英数字で始まる64文字までの英数字と . _ @ - です。',
    en: 'A user ID begins with a letter or digit and has at most 64 letters, digits and . _ @ -.',
  }),
  'loginId.twice': ({ line = '' }) => ({
    ja: `同じユーザIDが${line}行目にあります（大文字と小文字、全角と半角は区別しません）。`,
    en: `The same user ID is in line ${line} (case and width make no difference).`,
  }),
  'insured.form': () => ({
    ja: '記号・番号は20文字までの文字と数字と - です。',
    en: 'A symbol or number has at most 20 letters, digits and -.',
  }),
  'insured.both': () => ({
    ja: '記号と番号は、両方入れるか両方空にしてください。',
    en: 'Give both the symbol and the number, or neither.',
  }),
  'insured.derived': () => ({
    ja: '初期パスワードを記号+番号+生年月日にするには、半角英数字の記号と番号が要ります。',
    en: 'Passwords of symbol + number + birthdate need a symbol and a number of letters and digits.',
  }),
  'birthdate.empty': () => ({ ja: '生年月日がありません。', en: 'The birthdate is missing.' }),
  'birthdate.form': () => ({
    ja: '生年月日は 1985-04-01、1985/4/1、19850401、昭和60年4月1日、S60.4.1、3600401 のどれかの形にしてください。',
    en: 'Write the birthdate like 1985-04-01, 1985/4/1, 19850401, 昭和60年4月1日, S60.4.1 or 3600401.',
  }),
  'birthdate.impossible': ({ date = '' }) => ({
    ja: `${date}は暦にないか、120年より前です。元号と年を確かめてください。`,
    en: `${date} is not in the calendar or over 120 years ago: check the era and the year.`,
  }),
  'birthdate.future': () => ({
    ja: '生年月日が今日か、今日より後です。',
    en: 'The birthdate is today or later.',
  }),
  'email.form': () => ({
    ja: 'メールアドレスの形ではありません（name@example.jp の形で、1つだけ）。',
    en: 'This is no e-mail address (one address like name@example.jp).',
  }),
  'phone.form': () => ({
    ja: '電話番号は市外局番からの数字です（03-1234-5678、090-1234-5678）。',
    en: 'Write the phone number with its area code: 03-1234-5678, 090-1234-5678.',
  }),
  'postalCode.form': () => ({
    ja: '郵便番号は7桁の数字です（100-0001）。',
    en: 'A postal code has seven digits: 100-0001.',
  }),
  'locale.unknown': () => ({ ja: '言語は ja か en です。', en: 'The language is ja or en.' }),
} as const satisfies Record<string, Text>

/** What stays as it is, in a row that is otherwise taken. */
const NOTES = {
  'email.proven': () => ({
    ja: '確認済みのメールアドレスは加入者本人のものなので、変えません。',
    en: 'A confirmed e-mail address is the member’s own and is not changed.',
  }),
  'email.suggestion': ({ suggestion = '' }) => ({
    ja: `もしかして ${suggestion} ではありませんか。書かれたとおりに取り込みます。`,
    en: `Perhaps ${suggestion} is meant. It is taken as written.`,
  }),
  'locale.own': () => ({
    ja: '言語は登録のときだけ使います。変えません。',
    en: 'The language is used for new members only and is not changed.',
  }),
  'password.kept': () => ({
    ja: 'パスワードは変わりません。古い生年月日か番号のままなので、member password で再発行してください。',
    en: 'The password does not change and is still that of the former birthdate or number: issue a new one (member password).',
  }),
} as const satisfies Record<string, Text>

export type RefusalId = keyof typeof REFUSALS
export type NoteId = keyof typeof NOTES
export type RuleId = RefusalId | NoteId

/** One thing to say of a row: of which column, by which rule. */
export type Remark<Rule extends RuleId = RuleId> = Readonly<{
  column?: ColumnId
  rule: Rule
  values?: Values
}>

const TEXTS: Readonly<Record<RuleId, Text>> = { ...REFUSALS, ...NOTES }
export const RULES = Object.keys(TEXTS) as RuleId[] // Object.keys widens to string

/** The remark in words, the column first. */
export const remarkText = ({ column, rule, values = {} }: Remark, locale: Locale): string => {
  const text = TEXTS[rule](values)[locale]
  if (column === undefined) return text
  return locale === 'ja'
    ? `${columnName(column, 'ja')}：${text}`
    : `${columnName(column, 'en')}: ${text}`
}
