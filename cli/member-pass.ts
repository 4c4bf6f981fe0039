import { StaleMemberError } from '../accounts/errors.ts'
import { issueDeskPass, type Member } from '../accounts/member.ts'
import type { AuditTrail, Clock, MemberStore, RandomBytes } from '../accounts/ports.ts'
import type { Society } from '../accounts/society.ts'
import { DESK_PASS_MINUTES, generateDeskPass } from '../factors/desk-pass.ts'
import { dateTimeText } from '../interactions/wording.ts'

/** The operator asked for something that cannot be done; the message says what, in two languages. */
export class CommandError extends Error {}

export type PassRequest = Readonly<{
  societyId: string
  loginId: string
  /** As the audit trail will name them. */
  operator: string
  minutes: number
}>

type Ports = Readonly<{
  societies: ReadonlyMap<string, Society>
  members: MemberStore
  audit: AuditTrail
  clock: Clock
  randomBytes: RandomBytes
}>

const find = async ({ societies, members }: Ports, { societyId, loginId }: PassRequest) => {
  const society = societies.get(societyId)
  if (!society) {
    const known = [...societies.keys()].join(', ')
    throw new CommandError(
      `健保組合 "${societyId}" はありません（あるもの：${known}）。\nThere is no society "${societyId}"; there are: ${known}.`,
    )
  }
  const member = await members.findByLoginId(societyId, loginId)
  if (!member) {
    throw new CommandError(
      `${society.name.ja}に、ユーザID "${loginId}" の加入者はいません。\n${society.name.en} has no member with the user ID "${loginId}".`,
    )
  }
  if (member.enrolledAt === undefined && !member.blocked) {
    throw new CommandError(
      'この加入者は初回ログインが終わっていないため、番号は役に立ちません。初期パスワードを再発行してください。\nThis member has not finished the first login, so a pass would not help: issue a new initial password.',
    )
  }
  return member
}

const ATTEMPTS = 3

/** The pass on the member's record, whatever a sign-in of theirs saves at the same time. */
const keep = async (
  { members }: Ports,
  member: Member,
  deskPass: NonNullable<Member['deskPass']>,
): Promise<void> => {
  for (let attempt = 1, current: Member | undefined = member; current; attempt += 1) {
    try {
      await members.save(issueDeskPass(current, deskPass))
      return
    } catch (error) {
      if (!(error instanceof StaleMemberError) || attempt === ATTEMPTS) throw error
      current = await members.findById(member.id)
    }
  }
}

/**
 * Issues a member's one-use pass and returns what is shown of it, once. The act is in the audit
 * trail before the pass is good. @throws CommandError
 */
export const issuePass = async (ports: Ports, request: PassRequest): Promise<string> => {
  const { audit, clock, randomBytes } = ports
  const operator = request.operator.trim()
  if (operator === '' || operator.length > 100) {
    throw new CommandError(
      '担当者の名前（--operator）は1から100文字です。\nThe operator’s name (--operator) has 1 to 100 characters.',
    )
  }
  const { minutes } = request
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > DESK_PASS_MINUTES) {
    throw new CommandError(
      `--minutes は1から${DESK_PASS_MINUTES}までの整数です。\n--minutes is a whole number from 1 to ${DESK_PASS_MINUTES}.`,
    )
  }
  const member = await find(ports, request)
  const now = clock.now()
  const expiresAt = now + minutes * 60
  const { pass, kept } = await generateDeskPass(randomBytes, expiresAt)
  await audit.append({
    id: `deskPassIssued-${randomBytes(16).toString('base64url')}`,
    at: now,
    act: 'deskPassIssued',
    societyId: member.societyId,
    memberId: member.id,
    operator,
    facts: { minutes: String(minutes) },
  })
  await keep(ports, member, kept)
  return [
    `一度だけ使える番号 / One-use pass:  ${pass}`,
    `期限：${dateTimeText(expiresAt, 'ja')} まで（1回だけ使えます）`,
    `Valid until: ${dateTimeText(expiresAt, 'en')}, once`,
    '加入者は、パスワードのあとの画面で「スマートフォンをなくした・使えない」を押し、この番号を入れます。',
    'After the password, the member presses “I lost my phone or cannot use it” and enters this pass.',
    'この番号は二度と表示できません。ご本人にだけ伝えてください。',
    'It cannot be shown again. Tell it to the member only.',
  ].join('\n')
}
