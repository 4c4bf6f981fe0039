import { eraYearsOf } from './birthdate.ts'
import { loginKey, type Member } from './member.ts'

/** In code points, both included (manual step 9). */
export const PASSWORD_LENGTH = { shortest: 8, longest: 64 } as const

/** The kinds of character a password must have: contents of a RegExp class. */
const CLASSES = { upper: 'A-Z', lower: 'a-z', digit: '0-9', symbol: '!-/:-@\\[-`{-~' } as const
type CharacterClass = keyof typeof CLASSES

/** A RegExp source: each of the classes occurs. Linear in the length of the value. */
const has = (...classes: CharacterClass[]): string =>
  `^${classes.map((id) => `(?=[^${CLASSES[id]}]*[${CLASSES[id]}])`).join('')}`

/**
 * The rules every password is held to, in the order shown. `pattern` is a RegExp source (flag
 * `u`) that the whole value must match; a browser may test it live, and the server tests the very
 * same. A rule without one depends on the member or on word lists.
 */
export const PASSWORD_RULES = [
  {
    id: 'length',
    pattern: `^[\\s\\S]{${PASSWORD_LENGTH.shortest},${PASSWORD_LENGTH.longest}}$`,
  },
  { id: 'upperLower', pattern: has('upper', 'lower') },
  { id: 'digit', pattern: has('digit') },
  { id: 'symbol', pattern: has('symbol') },
  { id: 'characters', pattern: '^[!-~]+$' },
  { id: 'noLoginId' },
  { id: 'notInitial' },
  { id: 'notPersonal' },
  { id: 'notGuessable' },
] as const satisfies readonly { id: string; pattern?: string }[]
export type PasswordRule = (typeof PASSWORD_RULES)[number]['id']

/** What a password must not be made of. */
export type PasswordContext = Readonly<{
  loginId: string
  /** YYYY-MM-DD */
  birthdate: string
  insured?: Member['insured']
  email?: string
  /** Further words the attacker has: the society's, the employer's. */
  words?: readonly string[]
}>

export type PasswordFault = Readonly<{
  field: 'password'
  reason:
    | 'pw.empty'
    | 'pw.short'
    | 'pw.long'
    | 'pw.classes'
    | 'pw.chars'
    | 'pw.hasid'
    | 'pw.same'
    | 'pw.personal'
    | 'pw.weak'
  /** `n`: its length now. `missing`: of upper, lower, digit, symbol, comma-separated. */
  values?: Readonly<Record<string, string | number>>
}>

export type PasswordVerdict = Readonly<{
  ok: boolean
  rules: readonly Readonly<{ id: PasswordRule; ok: boolean }>[]
  faults: readonly PasswordFault[]
}>

const matches = (pattern: string, value: string): boolean => new RegExp(pattern, 'u').test(value)

/** Matches the letter in either case, and the character itself elsewhere. */
const eitherCase = (character: string): string =>
  /[a-z]/iu.test(character)
    ? `[${character.toLowerCase()}${character.toUpperCase()}]`
    : character.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')

/**
 * A RegExp source for values without the login ID, in any case and with or without hyphens, nor
 * any number of four digits or more in it. IDs of fewer than three characters are let be.
 */
const withoutLoginId = (loginId: string): string => {
  const key = loginKey(loginId)
  const parts = [key.replaceAll('-', ''), ...(key.match(/\d{4,}/gu) ?? [])].filter(
    (part) => part.length >= 3,
  )
  if (parts.length === 0) return '^'
  const spelt = parts.map((part) => [...part].map(eitherCase).join('-*'))
  return `^(?![\\s\\S]*(?:${spelt.join('|')}))`
}

/**
 * The rules with the patterns that depend on the member, for the page's checklist. The birth date
 * and the insurer's numbers stay on the server: `notPersonal` has no pattern.
 */
export const passwordRules = (
  context: Pick<PasswordContext, 'loginId'>,
): readonly Readonly<{ id: PasswordRule; pattern?: string }>[] =>
  PASSWORD_RULES.map((rule) =>
    rule.id === 'noLoginId' ? { ...rule, pattern: withoutLoginId(context.loginId) } : rule,
  )

/** The birth date as people write it into passwords: lower-case letters and digits only. */
const spellingsOfDate = (birthdate: string): readonly string[] => {
  const [year = '', month = '', day = ''] = birthdate.split('-')
  const [m, d] = [String(Number(month)), String(Number(day))]
  const short = year.slice(2)
  return [
    ...[year + month + day, year + m + d, short + month + day],
    ...[month + day + year, day + month + year, m + d + year, d + m + year],
    ...[month + day + short, day + month + short],
    ...eraYearsOf(birthdate).flatMap(({ era, year: count }) => [
      String(count).padStart(2, '0') + month + day,
      era.slice(0, 1) + count + month + day,
      era.slice(0, 1) + count + m + d,
      era + count,
      era + String(count).padStart(2, '0'),
    ]),
  ].filter((spelling) => spelling.length >= 5)
}

const hasBirthdate = (password: string, birthdate: string): boolean => {
  const [year = '', month = '', day = ''] = birthdate.split('-')
  const bare = password.toLowerCase().replace(/[^a-z0-9]/gu, '')
  return (
    spellingsOfDate(birthdate).some((spelling) => bare.includes(spelling)) ||
    (bare.includes(year) && bare.replace(year, ' ').includes(month + day))
  )
}

/** Runs of three digits and more of the insurer's symbol and number, with and without leading zeros. */
const insuredNumbers = (insured: PasswordContext['insured']): readonly string[] => {
  if (!insured) return []
  const runs = [insured.symbol, insured.number].flatMap(
    (text) => text.normalize('NFKC').match(/\d+/gu) ?? [],
  )
  return [...runs, ...runs.map((run) => run.replace(/^0+/u, ''))].filter((run) => run.length >= 3)
}

const isPersonal = (password: string, { birthdate, insured }: PasswordContext): boolean => {
  const bare = password.replaceAll('-', '')
  return (
    hasBirthdate(password, birthdate) || insuredNumbers(insured).some((run) => bare.includes(run))
  )
}

/** Its word lists are loaded with the first password: about 0.1 s. */
const isGuessable = async (password: string, context: PasswordContext): Promise<boolean> =>
  (await import('./guessable.ts')).isGuessable(password, context)

const faultsOf = (
  password: string,
  broken: ReadonlySet<PasswordRule>,
  judged: boolean,
): readonly PasswordFault[] => {
  const length = [...password].length
  const missing = (['upper', 'lower', 'digit', 'symbol'] as const).filter(
    (id) => !matches(has(id), password),
  )
  const field = 'password'
  const faults: PasswordFault[] = []
  if (length < PASSWORD_LENGTH.shortest) {
    faults.push({ field, reason: 'pw.short', values: { n: length } })
  }
  if (length > PASSWORD_LENGTH.longest) faults.push({ field, reason: 'pw.long' })
  if (missing.length > 0) {
    faults.push({ field, reason: 'pw.classes', values: { missing: missing.join(',') } })
  }
  if (broken.has('characters')) faults.push({ field, reason: 'pw.chars' })
  if (broken.has('noLoginId')) faults.push({ field, reason: 'pw.hasid' })
  if (broken.has('notInitial')) faults.push({ field, reason: 'pw.same' })
  if (broken.has('notPersonal')) faults.push({ field, reason: 'pw.personal' })
  if (judged && broken.has('notGuessable')) faults.push({ field, reason: 'pw.weak' })
  return faults
}

/**
 * Holds a new password to every rule and tells all faults at once, in the order of the rules. The
 * password is taken as typed: nothing is trimmed, normalised or cut (ASVS 5.0 6.2.8). Up to about
 * 60 ms of work; one too short, too long or of other characters is not judged for guessability.
 *
 * @param isInitialVariant the initial password is one of `variantsOf(password)`
 */
export const checkPassword = async (
  password: string,
  context: PasswordContext,
  isInitialVariant: boolean,
): Promise<PasswordVerdict> => {
  const rows = passwordRules(context)
  if (password === '') {
    const rules = rows.map(({ id }) => ({ id, ok: false }))
    return { ok: false, rules, faults: [{ field: 'password', reason: 'pw.empty' }] }
  }
  const broken = new Set<PasswordRule>()
  for (const { id, pattern } of rows) {
    if (pattern !== undefined && !matches(pattern, password)) broken.add(id)
  }
  if (isInitialVariant) broken.add('notInitial')
  const judged = !broken.has('length') && !broken.has('characters')
  if (isPersonal(password, context)) broken.add('notPersonal')
  if (!judged || (await isGuessable(password, context))) broken.add('notGuessable')
  return {
    ok: broken.size === 0,
    rules: rows.map(({ id }) => ({ id, ok: !broken.has(id) })),
    faults: faultsOf(password, broken, judged),
  }
}

const swapCase = (text: string): string =>
  text.replace(/[a-z]/giu, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  )

/**
 * The password itself and at most seven others it may have been made from, to be verified against
 * the hash of the initial password: a small change to what stood on a postcard, or to symbol,
 * number and birth date, keeps nobody out.
 */
export const variantsOf = (password: string): readonly string[] => {
  const variants = [
    password,
    swapCase(password),
    password.toLowerCase(),
    password.slice(0, -1),
    password.replace(/[^a-z]+$/iu, ''),
    password.replaceAll('-', ''),
    password.replace(/\D/gu, ''),
    [...password].reverse().join(''),
  ]
  return [...new Set(variants)].filter((variant) => variant.length > 0)
}
