import {
  endOfDayIn,
  generateInitialPassword,
  reissuePassword,
} from '../accounts/initial-password.ts'
import { hashPassword } from '../factors/password.ts'
import { sendNotice } from '../interactions/notice.ts'
import { updateMember } from '../interactions/update-member.ts'
import { dateText } from '../interactions/wording.ts'
import {
  audited,
  type Desk,
  endingSessions,
  findMember,
  type MemberRequest,
  operatorName,
  refuseDisabled,
} from './desk.ts'

/**
 * Gives the member another initial password and returns what is shown of it, once: it opens a first
 * login that stands still, or takes the place of a forgotten password; the member sets their own at
 * the next sign-in, after a method they hold. A member whose first login is behind them is told by
 * mail. @throws CommandError
 */
export const reissueInitialPassword = async (
  desk: Desk,
  request: MemberRequest & Readonly<{ days: number }>,
): Promise<string> => {
  const { clock, randomBytes } = desk
  const operator = operatorName(request.operator)
  const member = await findMember(desk, request)
  refuseDisabled(member)
  const at = clock.now()
  const expiresAt = endOfDayIn(request.days, at)
  const password = generateInitialPassword(randomBytes)
  const hash = await hashPassword(password)
  const change = async (): Promise<void> => {
    await audited(desk, member, {
      act: 'initialPasswordIssued',
      operator,
      facts: { days: String(request.days) },
    })
    await sendNotice(desk, member, {
      template: 'passwordChanged',
      id: `reissued-${member.id}-${member.revision}`,
      locale: member.locale,
    })
    await updateMember(desk, member, (current) => {
      refuseDisabled(current)
      return reissuePassword(current, { hash, initial: 'random', at, expiresAt })
    })
  }
  const last = expiresAt - 1
  const shown = [
    `初期パスワード / Initial password:  ${password}`,
    `期限：${dateText(last, 'ja')} まで。加入者はログインのあと、自分のパスワードに変えます。`,
    `Valid until the end of ${dateText(last, 'en')}. After signing in, the member sets a password of their own.`,
    '登録済みの認証方法はそのままです。なくした加入者には member pass で番号も発行してください。',
    'Registered methods stay. If the member has lost them, issue a pass as well (member pass).',
    ...(member.blocked
      ? [
          'ログインは止められたままです。ご本人と話したあと、member unlock で再開してください。',
          'Sign-in is still blocked: once you have spoken with the member, lift it (member unlock).',
        ]
      : []),
    'このパスワードは二度と表示できません。ご本人にだけ伝えてください。',
    'It cannot be shown again. Tell it to the member only.',
  ].join('\n')
  await endingSessions(desk, member, {
    change,
    shown,
    remedy: {
      ja: '上のパスワードは有効です。member disable のあと member enable を実行すると、残りもログアウトします。',
      en: 'The password above is good. To end the others, run member disable, then member enable.',
    },
  })
  return shown
}
