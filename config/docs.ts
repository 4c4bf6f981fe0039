import type { Locale } from '../accounts/member.ts'
import { OPTIONS, type Option } from './options.ts'

const START = '<!-- config:start -->'
const END = '<!-- config:end -->'

const HEADS = {
  en: ['Variable', 'Value', 'Default', 'Why change it'],
  ja: ['変数', '値', '既定値', '変える理由'],
} as const satisfies Record<Locale, readonly string[]>

const options: readonly (readonly [string, Option])[] = Object.entries(OPTIONS)

/** What holds where the variable is not set. */
const defaultOf = (option: Option, locale: Locale): string => {
  if (option.fallback !== undefined) return `\`${option.fallback}\``
  const parts = [
    ...(option.development === undefined ? [] : [`\`${option.development}\``]),
    ...(option.absent === undefined ? [] : [option.absent[locale]]),
  ]
  return parts.join(locale === 'ja' ? '、' : ', ')
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`

/** The README's table of every option, in Markdown. */
export const configTable = (locale: Locale): string => {
  const rows = options.map(([name, option]) =>
    row([
      `\`${name}\`${option.secret ? ` (\`_FILE\`)` : ''}`,
      option.unit[locale],
      defaultOf(option, locale),
      option.why[locale],
    ]),
  )
  return [row(HEADS[locale]), row(HEADS[locale].map(() => '---')), ...rows].join('\n')
}

/** The document with its table written anew between the markers; undefined where it has none. */
export const withConfigTable = (document: string, locale: Locale): string | undefined => {
  const start = document.indexOf(START)
  const end = document.indexOf(END, start)
  if (start < 0 || end < 0) return undefined
  const before = document.slice(0, start + START.length)
  return `${before}\n${configTable(locale)}\n${document.slice(end)}`
}

const envLines = ([name, option]: readonly [string, Option]): readonly string[] => [
  `# ${option.why.en.replaceAll('`', '')}`,
  `# Value: ${option.unit.en.replaceAll('`', '')}. Default: ${defaultOf(option, 'en').replaceAll('`', '')}.`,
  ...(option.secret ? [`# Or the name of a file that holds it: ${name}_FILE`] : []),
  `#${name}=${option.example ?? option.fallback ?? option.development ?? ''}`,
  '',
]

/** The text of .env.example: every option, commented out. */
export const envExample = (): string =>
  [
    '# Every option of Kenpo ID. Made from config/options.ts by "npm run docs".',
    "# Nothing is required on a developer's machine. Production is NODE_ENV=production.",
    '',
    ...options.flatMap(envLines),
  ].join('\n')
