import { type Consent, namesOf } from '../accounts/consents.ts'
import { maskEmailAddress } from '../accounts/email-address.ts'
import { type KnownFacts, next } from '../accounts/enrolment.ts'
import { heldMethods } from '../accounts/held-methods.ts'
import type { EpochSeconds, FactorId, Locale, Member } from '../accounts/member.ts'
import type { AuditEvent } from '../accounts/ports.ts'
import { HISTORY_SECONDS, type SignIn } from '../accounts/sign-ins.ts'
import type { Localized, Society } from '../accounts/society.ts'
import { standingConsents } from '../clients/consents.ts'
import { dateText, dateTimeText } from '../interactions/wording.ts'
import { catalogue } from '../views/messages/index.ts'
import { countersOf } from './counters.ts'
import {
  audited,
  type Desk,
  findMember,
  findSociety,
  type MemberRequest,
  operatorName,
} from './desk.ts'

const NEWEST = 5

const FACTORS: Readonly<Record<FactorId, Localized>> = {
  password: { ja: 'パスワード', en: 'password' },
  passkey: { ja: 'パスキー', en: 'passkey' },
  totp: { ja: '認証アプリ', en: 'authenticator app' },
  emailCode: { ja: 'メールのコード', en: 'e-mail code' },
  recoveryCode: { ja: '回復コード', en: 'recovery codes' },
  deskPass: { ja: '窓口の番号', en: 'desk pass' },
}

const BLOCKS: Readonly<Record<NonNullable<Member['blocked']>['reason'], Localized>> = {
  emailChangeUndone: {
    ja: 'メールアドレスの変更が取り消されたため',
    en: 'a change of address was undone',
  },
  disabled: { ja: '窓口が止めたため', en: 'disabled by the desk' },
}

const WORDS = {
  member: { ja: 'ユーザID', en: 'User ID' },
  society: { ja: '健保組合', en: 'Society' },
  email: { ja: 'メールアドレス', en: 'E-mail' },
  noEmail: { ja: 'なし', en: 'none' },
  unproven: { ja: '未確認', en: 'not confirmed' },
  firstLogin: { ja: '初回ログイン', en: 'First login' },
  done: { ja: '完了', en: 'complete' },
  notYet: { ja: 'まだ', en: 'not yet' },
  begun: { ja: '途中', en: 'under way' },
  initial: { ja: '初期パスワード', en: 'Initial password' },
  random: { ja: 'はがき', en: 'postcard' },
  derived: { ja: '記号+番号+生年月日', en: 'symbol + number + birthdate' },
  until: { ja: '期限', en: 'until' },
  noEnd: { ja: '期限なし', en: 'no end' },
  expired: { ja: '期限切れ', en: 'expired' },
  methods: { ja: '認証方法', en: 'Methods' },
  preferred: { ja: '最初に使う方法', en: 'asked for first' },
  stopped: { ja: 'ログインできない理由', en: 'Sign-in stops' },
  paused: { ja: '試行回数による一時停止', en: 'Paused by attempts' },
  pass: { ja: '窓口の番号', en: 'Desk pass' },
  sessions: { ja: 'ログイン中の端末', en: 'Signed-in browsers' },
  connections: { ja: '連携しているアプリ', en: 'Connected apps' },
  signIns: { ja: '最近のログイン', en: 'Last sign-ins' },
  events: { ja: '最近の操作の記録', en: 'Last audit events' },
  none: { ja: 'なし', en: 'none' },
} as const satisfies Record<string, Localized>

/** Where a member who has just typed the right password would stand, at home. */
const standing = (member: Member, society: Society, now: EpochSeconds): KnownFacts => ({
  now,
  member,
  request: { requiredAcr: 'urn:kenpo-id:acr:pwd', proofsSince: 0 },
  network: { name: '', factors: society.factors },
  society: {
    id: society.id,
    termsVersion: society.terms.version,
    registerFactor: society.registerFactor,
  },
  session: {
    proofs: [{ factor: 'password', at: now }],
    enrolledHere: false,
    doneSeen: false,
    offerDevice: false,
  },
})

/** The manual's steps after the password, and whether each is behind the member. */
const progress = (member: Member, society: Society): readonly boolean[] => [
  member.birthdateConfirmedAt !== undefined,
  member.acceptedTerms.at(-1)?.version === society.terms.version,
  member.email?.verifiedAt !== undefined,
  member.chosenFactor !== undefined,
  member.password.initial === undefined,
  member.chosenFactor !== undefined &&
    heldMethods(member, society.factors).includes(member.chosenFactor),
]

/** What the desk sees of the member: no secret, and of an address its beginning and its domain. */
const describe = (
  {
    member,
    society,
    now,
    locale,
  }: { member: Member; society: Society; now: number; locale: Locale },
  found: Readonly<{
    paused: readonly Readonly<{ limit: string; until: EpochSeconds }>[]
    sessions: number
    consents: readonly Consent[]
    signIns: readonly SignIn[]
    events: readonly AuditEvent[]
  }>,
): string => {
  const word = (key: keyof typeof WORDS): string => WORDS[key][locale]
  const at = (seconds: EpochSeconds): string => dateTimeText(seconds, locale)
  const factor = (id: FactorId): string => FACTORS[id][locale]
  const line = (key: keyof typeof WORDS, ...parts: readonly string[]): string =>
    `${word(key)}: ${parts.filter((part) => part !== '').join(' / ') || word('none')}`
  const { email, password, blocked, deskPass } = member
  const { initial, initialExpiresAt: end } = password
  const steps = catalogue(locale).steps.slice(1)
  const due = next(standing(member, society, now))
  const state =
    member.enrolledAt === undefined ? word('begun') : `${word('done')} ${at(member.enrolledAt)}`
  const ended = end !== undefined && end <= now
  const life =
    end === undefined
      ? word('noEnd')
      : `${word(ended ? 'expired' : 'until')} ${dateText(end - 1, locale)}`
  return [
    line('society', society.name[locale]),
    line('member', member.loginId),
    line(
      'email',
      email ? maskEmailAddress(email.address) : word('noEmail'),
      email && email.verifiedAt === undefined ? word('unproven') : '',
    ),
    line('firstLogin', member.birthdateConfirmedAt === undefined ? word('notYet') : state),
    ...progress(member, society).map(
      (done, index) => `  ${done ? '✓' : '－'} ${steps[index] ?? ''}`,
    ),
    ...(initial ? [line('initial', word(initial), life)] : []),
    ...(member.credentials.length === 0 ? [line('methods')] : [`${word('methods')}:`]),
    ...member.credentials.map(
      ({ factor: id, label, registeredAt }) =>
        `  ${factor(id)}${label === undefined ? '' : ` (${label})`} ${at(registeredAt)}`,
    ),
    ...(member.chosenFactor ? [`  ${word('preferred')}: ${factor(member.chosenFactor)}`] : []),
    ...(blocked ? [line('stopped', BLOCKS[blocked.reason][locale], at(blocked.since))] : []),
    ...(!blocked && due.kind === 'stop' ? [line('stopped', due.reason)] : []),
    line('paused', ...found.paused.map(({ limit, until }) => `${limit} → ${at(until)}`)),
    ...(deskPass && deskPass.expiresAt > now
      ? [line('pass', `${word('until')} ${at(deskPass.expiresAt)}`)]
      : []),
    line('sessions', String(found.sessions)),
    line('connections', ...(found.consents.length > 0 ? [String(found.consents.length)] : [])),
    ...found.consents.map(
      (consent) => `  ${at(consent.since)} ${consent.clientId} ${namesOf(consent).join(', ')}`,
    ),
    line('signIns', ...(found.signIns.length > 0 ? [String(found.signIns.length)] : [])),
    ...found.signIns.map(
      (one) => `  ${at(one.at)} ${one.device} ${one.clientId} ${one.factors.map(factor).join('+')}`,
    ),
    line('events', ...(found.events.length > 0 ? [String(found.events.length)] : [])),
    ...found.events.map((one) => `  ${at(one.at)} ${one.act} ${one.operator ?? ''}`.trimEnd()),
  ].join('\n')
}

/** Shows where the member stands. Looking is an act, too. @throws CommandError */
export const showMember = async (
  desk: Desk,
  request: MemberRequest & Readonly<{ locale: Locale }>,
): Promise<string> => {
  const operator = operatorName(request.operator)
  const society = findSociety(desk, request.societyId)
  const member = await findMember(desk, request)
  const now = desk.clock.now()
  const counters = await Promise.all(
    countersOf(desk.settings, member).map(async ([limit, key]) => {
      const allowance = await desk.throttle.look(limit, key)
      return allowance.ok ? [] : [{ limit, until: allowance.until }]
    }),
  )
  const [sessions, consents, signIns, events] = await Promise.all([
    desk.sessions.list(member.id),
    standingConsents(desk.consents, desk.clients, member.id),
    desk.signIns.list(member.id, now - HISTORY_SECONDS),
    desk.audit.eventsOf(member.id),
  ])
  await audited(desk, member, { act: 'memberShown', operator })
  return describe(
    { member, society, now, locale: request.locale },
    {
      paused: counters.flat(),
      sessions: sessions.filter(({ endsAt }) => endsAt > now).length,
      consents: consents.map(({ consent }) => consent),
      signIns: signIns.slice(0, NEWEST),
      events: events.slice(-NEWEST),
    },
  )
}
