import type { Locale } from '../accounts/member.ts'
import type { TransientStore } from '../accounts/ports.ts'
import type { Localized } from '../accounts/society.ts'
import { dateTimeText } from '../interactions/wording.ts'
import { type FindingView, refusalView } from '../provider/refusals/explanation.ts'
import {
  type Endpoint,
  findRefusal,
  type RefusalRecord,
  readReference,
} from '../provider/refusals/record.ts'
import { misused, refused } from './command-error.ts'

const DOCS = 'docs/errors.md'

const ENDPOINTS: Readonly<Record<Endpoint, Localized>> = {
  authorization: { ja: '認可エンドポイント', en: 'authorization endpoint' },
  pushed_authorization_request: {
    ja: 'PARエンドポイント',
    en: 'pushed authorization request endpoint',
  },
  token: { ja: 'トークンエンドポイント', en: 'token endpoint' },
  userinfo: { ja: 'UserInfoエンドポイント', en: 'UserInfo endpoint' },
  introspection: { ja: 'イントロスペクション', en: 'introspection endpoint' },
  revocation: { ja: 'トークンの取り消し', en: 'revocation endpoint' },
  registration: { ja: 'クライアントの登録', en: 'client registration endpoint' },
  end_session: { ja: 'ログアウト', en: 'logout (end session) endpoint' },
}

const STATES: Readonly<Record<'enabled' | 'disabled' | 'unknown', Localized>> = {
  enabled: { ja: '', en: '' },
  disabled: { ja: '停止中', en: 'disabled' },
  unknown: { ja: '登録なし', en: 'not registered' },
}

const EXPECTED = {
  client: { ja: '登録されている値', en: 'registered' },
  provider: { ja: 'このサーバーが受け付ける値', en: 'taken by this server' },
  request: { ja: '認可要求での値', en: 'in the authorization request' },
} as const satisfies Record<string, Localized>

const WORDS = {
  reference: { ja: '参照番号', en: 'Reference' },
  when: { ja: '日時', en: 'When' },
  where: { ja: '宛先', en: 'Where' },
  answer: { ja: '応答', en: 'Answer' },
  client: { ja: 'アプリ', en: 'Client' },
  noClient: { ja: '名乗っていない', en: 'none was named' },
  rule: { ja: '規則', en: 'Rule' },
  parameter: { ja: 'パラメータ', en: 'Parameter' },
  received: { ja: '受け取った値', en: 'received' },
  none: { ja: '（なし）', en: '(none)' },
  difference: { ja: '違い', en: 'difference' },
  fix: { ja: '直し方', en: 'Fix' },
  also: { ja: 'ほかにも誤りがあります', en: 'Also wrong' },
  more: { ja: 'エラーコードの説明', en: 'The codes are explained in' },
} as const satisfies Record<string, Localized>

type Difference = NonNullable<FindingView['difference']>

const parting = ({ position, received, expected }: Difference, locale: Locale): string => {
  const quoted = (text: string): string => (locale === 'ja' ? `「${text}」` : `"${text}"`)
  if (locale === 'ja') {
    if (received === '') return `${position}文字目から先の${quoted(`${expected}…`)}がありません`
    if (expected === '') return `${position}文字目の${quoted(received)}から先が余分です`
    return `${position}文字目が${quoted(expected)}でなく${quoted(received)}です`
  }
  if (received === '') return `character ${position}: it ends, ${quoted(`${expected}…`)} is missing`
  if (expected === '')
    return `character ${position}: ${quoted(received)} and what follows is too much`
  return `character ${position} is ${quoted(received)}, not ${quoted(expected)}`
}

const findingLines = (finding: FindingView, locale: Locale): readonly string[] => {
  const word = (key: keyof typeof WORDS): string => WORDS[key][locale]
  const { parameter, received, expected, difference } = finding
  const block = (label: string, values: readonly string[]): readonly string[] => [
    `  ${label}:`,
    ...(values.length > 0 ? values : [word('none')]).map((value) => `    ${value}`),
  ]
  return [
    `${word('rule')}: ${finding.text}`,
    `  ${finding.rule} / ${finding.section}`,
    ...(parameter === undefined ? [] : [`${word('parameter')}: ${parameter}`]),
    ...(received === undefined ? [] : block(word('received'), [received])),
    ...(expected ? block(EXPECTED[expected.by][locale], expected.values) : []),
    ...(difference
      ? [
          ...block(`${word('difference')}: ${parting(difference, locale)}`, [
            received ?? '',
            difference.registered,
          ]),
          `    ${' '.repeat(difference.position - 1)}^`,
        ]
      : []),
    `${word('fix')}: ${finding.fix}`,
  ]
}

/** The whole of it for a terminal. */
export const refusalText = (record: RefusalRecord, locale: Locale): string => {
  const word = (key: keyof typeof WORDS): string => WORDS[key][locale]
  const view = refusalView(record, locale)
  const { client } = record
  const named = client
    ? [client.id, client.name ?? '', STATES[client.state][locale]].filter((part) => part !== '')
    : [word('noClient')]
  const [first, ...more] = view.findings.map((finding) => findingLines(finding, locale).join('\n'))
  return [
    `${word('reference')}: ${view.reference}`,
    `${word('when')}: ${dateTimeText(record.at, locale)}`,
    `${word('where')}: ${ENDPOINTS[record.endpoint][locale]}`,
    `${word('client')}: ${named.join(' / ')}`,
    `${word('answer')}: ${[view.error, view.error_description ?? ''].join(' ').trimEnd()}`,
    '',
    first,
    ...(more.length > 0 ? ['', `${word('also')}:`, more.join('\n\n')] : []),
    '',
    `${word('more')}: ${DOCS}`,
  ].join('\n')
}

/**
 * Why the request of this reference number was refused. @throws CommandError, and UsageError where
 * it can be no reference number
 */
export const traceRefusal = async (
  stores: Readonly<{ transient: TransientStore }>,
  { typed, format, locale }: Readonly<{ typed: string; format: 'text' | 'json'; locale: Locale }>,
): Promise<string> => {
  const reference = readReference(typed)
  if (reference === undefined) {
    throw misused({
      ja: '参照番号は 7F3K-92QD のような8文字です。エラー画面、error_description、X-Request-Idにあります。',
      en: 'A reference number has eight characters, as 7F3K-92QD: on the error page, in error_description, in X-Request-Id.',
    })
  }
  const record = await findRefusal(stores, reference)
  if (!record) {
    throw refused({
      ja: `${reference} の記録はありません。7日を過ぎたか、別の環境の番号か、アプリの要求を断った番号ではないか、断った要求が多すぎて残さなかったものです。ログの reqId でこの番号を探します。`,
      en: `There is no record of ${reference}: it is over 7 days old, of another deployment, not of an app's request that was refused, or one of too many to be kept. Look in the log for this number as reqId.`,
    })
  }
  return format === 'json'
    ? JSON.stringify(refusalView(record, locale), null, 2)
    : refusalText(record, locale)
}
