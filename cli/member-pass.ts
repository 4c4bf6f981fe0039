import { issueDeskPass, type Member } from '../accounts/member.ts'
import { DESK_PASS_MINUTES } from '../accounts/policy.ts'
import { generateDeskPass } from '../factors/desk-pass.ts'
import { updateMember } from '../interactions/update-member.ts'
import { dateTimeText } from '../interactions/wording.ts'
import { refused } from './command-error.ts'
import {
  audited,
  type DeskPorts,
  findMember,
  type MemberRequest,
  operatorName,
  refuseDisabled,
  wholeNumber,
} from './desk.ts'

export type PassRequest = MemberRequest & Readonly<{ minutes: number }>

const requireUseful = (member: Member): void => {
  refuseDisabled(member)
  if (member.enrolledAt !== undefined || member.blocked) return
  throw refused({
    ja: 'この加入者は初回ログインが終わっていないため、番号は役に立ちません。member password で初期パスワードを再発行してください。',
    en: 'This member has not finished the first login, so a pass would not help: issue a new initial password (member password).',
  })
}

/**
 * Issues a member's one-use pass and returns what is shown of it, once. The act is in the audit
 * trail before the pass is good. @throws CommandError
 */
export const issuePass = async (ports: DeskPorts, request: PassRequest): Promise<string> => {
  const { clock, randomBytes } = ports
  const operator = operatorName(request.operator)
  const minutes = wholeNumber('--minutes', String(request.minutes), [1, DESK_PASS_MINUTES])
  const member = await findMember(ports, request)
  requireUseful(member)
  const expiresAt = clock.now() + minutes * 60
  const { pass, kept } = await generateDeskPass(randomBytes, expiresAt)
  await audited(ports, member, {
    act: 'deskPassIssued',
    operator,
    facts: { minutes: String(minutes) },
  })
  await updateMember(ports, member, (current) => {
    refuseDisabled(current)
    return issueDeskPass(current, kept)
  })
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
