import { disable, enable, unblock } from '../accounts/member.ts'
import { updateMember } from '../interactions/update-member.ts'
import { countersOf } from './counters.ts'
import {
  audited,
  type Desk,
  endingSessions,
  findMember,
  type MemberRequest,
  operatorName,
  refuseDisabled,
} from './desk.ts'

const said = (ja: string, en: string): string => `${ja}\n${en}`

/**
 * Forgets the wrong attempts that stand against the member and lifts a block, after the desk has
 * spoken with them. @throws CommandError where the desk itself has stopped the account
 */
export const unlockMember = async (desk: Desk, request: MemberRequest): Promise<string> => {
  const operator = operatorName(request.operator)
  const member = await findMember(desk, request)
  refuseDisabled(member)
  const counters = countersOf(desk.settings, member)
  const looked = await Promise.all(
    counters.map(async ([limit, key]) =>
      (await desk.throttle.look(limit, key)).ok ? [] : [limit],
    ),
  )
  const paused = looked.flat()
  await audited(desk, member, {
    act: 'memberUnlocked',
    operator,
    facts: {
      ...(paused.length > 0 && { paused: paused.join(' ') }),
      ...(member.blocked && { lifted: member.blocked.reason }),
    },
  })
  for (const [limit, key] of counters) await desk.throttle.forget(limit, key)
  await updateMember(desk, member, (current) => (current.blocked ? unblock(current) : current))
  if (!member.blocked) {
    return said(
      '試行の回数を消しました。',
      'The attempts counted against the member are forgotten.',
    )
  }
  return said(
    '試行の回数を消し、ログインを再開しました。パスワードや認証方法をほかの人が知っているおそれがあるときは、member password と member pass を続けてください。',
    'The attempts are forgotten and sign-in is open again. If somebody else may know the password or hold a method, go on with member password and member pass.',
  )
}

/** Stops the account: nobody signs in, and every session and token of the member dies. Doing it again
 * ends what may have been left. @throws CommandError */
export const disableMember = async (desk: Desk, request: MemberRequest): Promise<string> => {
  const operator = operatorName(request.operator)
  const member = await findMember(desk, request)
  const already = member.blocked?.reason === 'disabled'
  const done = already
    ? said('すでに止められています。', 'The member was disabled already.')
    : said('利用を止めました。', 'The member is disabled.')
  await endingSessions(desk, member, {
    change: async () => {
      if (!already) await audited(desk, member, { act: 'memberDisabled', operator })
      const at = desk.clock.now()
      await updateMember(desk, member, (current) => disable(current, at))
    },
    shown: done,
    remedy: {
      ja: 'member disable をもう一度実行してください。',
      en: 'Run member disable again.',
    },
  })
  return already
    ? done
    : said(
        '利用を止めました。ログイン中の端末もすべてログアウトしました。',
        'The member is disabled and signed out everywhere.',
      )
}

/** Opens again what `disableMember` has stopped; sign-ins that it ended stay ended. @throws CommandError */
export const enableMember = async (desk: Desk, request: MemberRequest): Promise<string> => {
  const operator = operatorName(request.operator)
  const member = await findMember(desk, request)
  if (member.blocked?.reason !== 'disabled') {
    return said('止められていません。', 'The member is not disabled.')
  }
  await audited(desk, member, { act: 'memberEnabled', operator })
  await updateMember(desk, member, enable)
  return member.blocked.under
    ? said(
        '利用を再開しましたが、メールアドレスの変更が取り消されたため、ログインはまだ止まっています。ご本人と話したあと、member unlock を使ってください。',
        'The member is enabled, but sign-in is still blocked because a change of address was undone: speak with the member, then use member unlock.',
      )
    : said('利用を再開しました。', 'The member is enabled.')
}
