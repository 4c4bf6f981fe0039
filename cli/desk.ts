import { IdentityError } from '../accounts/errors.ts'
import type { Member, MemberId } from '../accounts/member.ts'
import type { AuditAct } from '../accounts/ports.ts'
import type { Localized, Society } from '../accounts/society.ts'
import type { Services } from '../interactions/services.ts'
import { misused, reasonOf, refused, UnfinishedError } from './command-error.ts'

/** What every command on a member works with. */
export type DeskPorts = Pick<Services, 'members' | 'audit' | 'clock' | 'randomBytes'> &
  Readonly<{ societies: ReadonlyMap<string, Society> }>

/** All that the commands work with: the ports of the stores, and the engine where sessions end. */
export type Desk = DeskPorts &
  Pick<Services, 'throttle' | 'signIns' | 'sessions' | 'consents' | 'outbox' | 'transient'> &
  Readonly<{
    settings: Pick<Services['settings'], 'codeKey'>
    clients: Pick<Services['clients'], 'find'>
    /** Opens all that it takes to end the member's sessions, and finds them; the function that it
     * gives ends them, with every token that was issued in them. */
    openSessions: (memberId: MemberId) => Promise<() => Promise<void>>
  }>

/** Whom a command is about, and who gives it. */
export type MemberRequest = Readonly<{
  societyId: string
  loginId: string
  /** As the audit trail will name them. */
  operator: string
}>

/** A new initial password from the society's desk lives no longer than this. */
export const REISSUED_MAX_DAYS = 90

const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/u

/** The operator's name, trimmed. @throws UsageError */
export const operatorName = (typed: string): string => {
  const operator = typed.trim()
  if (operator === '' || [...operator].length > 100 || UNPRINTABLE.test(operator)) {
    throw misused({
      ja: '担当者の名前（--operator）は1から100文字で、改行や制御文字を含みません。',
      en: 'The operator’s name (--operator) has 1 to 100 characters, on one line.',
    })
  }
  return operator
}

/** @throws UsageError */
export const wholeNumber = (
  option: string,
  typed: string,
  [least, most]: readonly [number, number],
): number => {
  const number = /^\d{1,6}$/u.test(typed) ? Number(typed) : Number.NaN
  if (number >= least && number <= most) return number
  throw misused({
    ja: `${option} は${least}から${most}までの整数です。`,
    en: `${option} is a whole number from ${least} to ${most}.`,
  })
}

/** @throws CommandError */
export const findSociety = (
  { societies }: Pick<DeskPorts, 'societies'>,
  societyId: string,
): Society => {
  const society = societies.get(societyId)
  if (society) return society
  const known = [...societies.keys()].join(', ')
  throw refused({
    ja: `健保組合 "${societyId}" はありません（あるもの：${known}）。`,
    en: `There is no society "${societyId}"; there are: ${known}.`,
  })
}

/** @throws CommandError */
export const findMember = async (
  ports: Pick<DeskPorts, 'societies' | 'members'>,
  { societyId, loginId }: MemberRequest,
): Promise<Member> => {
  const society = findSociety(ports, societyId)
  const member = await ports.members.findByLoginId(societyId, loginId)
  if (member) return member
  throw refused({
    ja: `${society.name.ja}に、ユーザID "${loginId}" の加入者はいません。`,
    en: `${society.name.en} has no member with the user ID "${loginId}".`,
  })
}

export const refuseDisabled = (member: Member): void => {
  if (member.blocked?.reason !== 'disabled') return
  throw refused({
    ja: 'この加入者の利用は止められています。先に member enable で再開してください。',
    en: 'This member is disabled: enable the member first (member enable).',
  })
}

/** Writes down what the operator does to the member, once per call. */
export const audited = (
  { audit, clock, randomBytes }: Pick<DeskPorts, 'audit' | 'clock' | 'randomBytes'>,
  member: Pick<Member, 'id' | 'societyId'>,
  event: Readonly<{
    act: AuditAct
    operator: string
    facts?: Readonly<Record<string, string>>
    /** Of two events with one ID the first is kept; another one each time where absent. */
    id?: string
  }>,
): Promise<void> =>
  audit.append({
    id: event.id ?? `${event.act}-${randomBytes(16).toString('base64url')}`,
    at: clock.now(),
    act: event.act,
    societyId: member.societyId,
    memberId: member.id,
    operator: event.operator,
    facts: event.facts ?? {},
  })

/**
 * Changes the member and then ends every session of theirs. What that takes is opened first, so that
 * nothing is changed where it cannot be. @throws UnfinishedError with `shown` where the change is made
 * and sessions may be left; its message ends with `remedy`
 */
export const endingSessions = async (
  desk: Pick<Desk, 'openSessions'>,
  member: Pick<Member, 'id'>,
  {
    change,
    shown,
    remedy,
  }: Readonly<{
    change: () => Promise<void>
    shown: string
    remedy: Localized
  }>,
): Promise<void> => {
  const end = await desk.openSessions(member.id).catch((cause: unknown) => {
    if (!(cause instanceof IdentityError)) throw cause
    throw refused({
      ja: `何も変えていません。ログイン中の端末をログアウトする準備ができません（${reasonOf(cause)}）。サーバーと同じ設定で、もう一度実行してください。`,
      en: `Nothing was changed: what it takes to end sessions cannot be opened (${reasonOf(cause)}). Run this again with the servers’ own settings.`,
    })
  })
  await change()
  try {
    await end()
  } catch (cause) {
    const text = {
      ja: `変更は済みましたが、ログイン中の端末をすべてはログアウトできませんでした（${reasonOf(cause)}）。${remedy.ja}`,
      en: `The change is made, but not every session could be ended (${reasonOf(cause)}). ${remedy.en}`,
    }
    throw new UnfinishedError(shown, text, { cause })
  }
}
