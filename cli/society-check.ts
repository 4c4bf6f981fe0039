import { heldMethods } from '../accounts/held-methods.ts'
import type { EpochSeconds, Locale, Member } from '../accounts/member.ts'
import { ENROLMENT_WINDOW_SECONDS } from '../accounts/policy.ts'
import type { MemberStore } from '../accounts/ports.ts'
import { type Localized, type Society, termsHash } from '../accounts/society.ts'

const SOON_SECONDS = 14 * 86_400

/** What is counted of a society's members; the last few are problems. */
const COUNTS = {
  members: { ja: '加入者', en: 'members' },
  enrolled: { ja: '初回ログイン完了', en: 'first login complete' },
  notBegun: { ja: '初回ログイン前', en: 'first login not begun' },
  unfinished: { ja: '初回ログインの途中', en: 'first login under way' },
  unfinishedTooLate: {
    ja: '初回ログインの期限（30日）切れ → member password',
    en: 'first login not finished in time (30 days) → member password',
  },
  initialExpired: {
    ja: '初期パスワードの期限切れ → member password',
    en: 'initial password expired → member password',
  },
  initialExpiresSoon: {
    ja: '14日以内に初期パスワードの期限',
    en: 'initial password expires within 14 days',
  },
  initialDerived: {
    ja: '記号+番号+生年月日の初期パスワードのまま',
    en: 'initial password still of symbol + number + birthdate',
  },
  termsDue: { ja: '次のログインで規約の同意', en: 'terms to be accepted at the next sign-in' },
  blocked: { ja: 'ログイン停止（窓口の確認待ち）', en: 'blocked, waiting for the desk' },
  disabled: { ja: '利用停止（窓口が止めた）', en: 'disabled by the desk' },
  noMethodLeft: {
    ja: '組合の設定で使える認証方法がない',
    en: 'no method that the society permits',
  },
  termsUnknown: {
    ja: '問題：同意した規約の版が設定にない（terms.earlier に入れてください）',
    en: 'problem: accepted a version of the terms that the file no longer has (put it in terms.earlier)',
  },
  termsTextChanged: {
    ja: '問題：同意した規約の文章が、同じ版のまま書き換えられている',
    en: 'problem: the text of the accepted version was changed without a new version',
  },
  missingSociety: {
    ja: '問題：新しい設定にない健保組合の加入者',
    en: 'problem: members of a society that the new file does not have',
  },
} as const satisfies Record<string, Localized>
export type CountId = keyof typeof COUNTS
export type SocietyCounts = Readonly<Record<CountId, number>>
const PROBLEMS = ['termsUnknown', 'termsTextChanged', 'missingSociety'] as const

/** The hashes under which a version of the terms may have been accepted, by version. */
const hashesOf = ({ terms }: Society): ReadonlyMap<string, readonly string[]> =>
  new Map(
    [terms, ...terms.earlier].map(({ version, text }) => [
      version,
      [termsHash(text.ja), termsHash(text.en)],
    ]),
  )

const factsOf = (
  member: Member,
  society: Society,
  hashes: ReadonlyMap<string, readonly string[]>,
  now: EpochSeconds,
): readonly CountId[] => {
  const { password, birthdateConfirmedAt: begun, enrolledAt, blocked, acceptedTerms } = member
  const accepted = acceptedTerms.at(-1)
  const known = accepted && hashes.get(accepted.version)
  const left = (password.initialExpiresAt ?? Number.POSITIVE_INFINITY) - now
  const open = password.initial !== undefined
  const unfinished = enrolledAt === undefined && begun !== undefined
  const facts: Readonly<Record<CountId, boolean>> = {
    members: true,
    enrolled: enrolledAt !== undefined,
    notBegun: enrolledAt === undefined && begun === undefined,
    unfinished,
    unfinishedTooLate: unfinished && now - begun > ENROLMENT_WINDOW_SECONDS,
    initialExpired: open && left <= 0,
    initialExpiresSoon: open && left > 0 && left <= SOON_SECONDS,
    initialDerived: password.initial === 'derived',
    termsDue: enrolledAt !== undefined && accepted?.version !== society.terms.version,
    blocked: blocked?.reason === 'emailChangeUndone',
    disabled: blocked?.reason === 'disabled',
    noMethodLeft: enrolledAt !== undefined && heldMethods(member, society.factors).length === 0,
    termsUnknown: accepted !== undefined && known === undefined,
    termsTextChanged: known !== undefined && !known.includes(accepted?.textHash ?? ''),
    missingSociety: false,
  }
  // Object.keys widens to string.
  return (Object.keys(facts) as CountId[]).filter((id) => facts[id])
}

const noCounts = (): Record<CountId, number> =>
  // Every key of COUNTS, each with a number.
  Object.fromEntries(Object.keys(COUNTS).map((id) => [id, 0])) as Record<CountId, number>

/** How the society's members stand against its entry of the societies file. Counts only: no member
 * is named. */
const checkSociety = async (
  { members }: Readonly<{ members: MemberStore }>,
  society: Society,
  now: EpochSeconds,
): Promise<SocietyCounts> => {
  const counts = noCounts()
  const hashes = hashesOf(society)
  for await (const member of members.ofSociety(society.id)) {
    for (const id of factsOf(member, society, hashes, now)) counts[id] += 1
  }
  return counts
}

/**
 * Every society of `societies` against the store, and those that a new file leaves out though they
 * have members. `problems`: how many of them must be mended before members meet them.
 */
export const checkSocieties = async (
  { members }: Readonly<{ members: MemberStore }>,
  request: Readonly<{
    societies: ReadonlyMap<string, Society>
    /** Those of the file in use, where another is checked. */
    inUse: ReadonlyMap<string, Society>
    now: EpochSeconds
    locale: Locale
  }>,
): Promise<Readonly<{ text: string; problems: number }>> => {
  const { societies, inUse, now, locale } = request
  const lines: string[] = []
  let problems = 0
  const add = (name: string, counts: SocietyCounts) => {
    lines.push(name)
    for (const [id, text] of Object.entries(COUNTS) as [CountId, Localized][]) {
      if (counts[id] > 0) lines.push(`  ${text[locale]}: ${counts[id]}`)
    }
    problems += PROBLEMS.filter((id) => counts[id] > 0).length
  }
  for (const society of societies.values()) {
    add(`${society.id} ${society.name[locale]}`, await checkSociety({ members }, society, now))
  }
  for (const society of inUse.values()) {
    if (societies.has(society.id)) continue
    const counts = noCounts()
    for await (const _ of members.ofSociety(society.id)) counts.missingSociety += 1
    if (counts.missingSociety > 0) add(`${society.id} ${society.name[locale]}`, counts)
  }
  return { text: lines.join('\n'), problems }
}
