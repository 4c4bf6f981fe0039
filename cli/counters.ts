import type { Member } from '../accounts/member.ts'
import type { LimitId } from '../accounts/throttle.ts'
import { accountKey, memberKey } from '../interactions/account-key.ts'
import type { Settings } from '../interactions/services.ts'

const OF_ACCOUNT = ['password', 'reset', 'resetPerDay', 'resetCode'] as const
/** Those that the member's page tells ahead of the answer stand under a name that is no ID. */
const OF_PAGE = ['totp', 'totpInARow', 'emailCodePerMember'] as const
const OF_MEMBER = [
  'birthdate',
  'recoveryCode',
  'deskPass',
  'newPassword',
  'mailPerHour',
  'mailPerDay',
] as const

/** Every counter that stands against this member alone, with its key. Those of a network address or
 * of the whole society are not theirs to forget. */
export const countersOf = (
  settings: Pick<Settings, 'codeKey'>,
  { id, societyId, loginId }: Member,
): readonly (readonly [LimitId, string])[] => {
  const account = accountKey(settings, societyId, loginId)
  return [
    ...OF_ACCOUNT.map((limit) => [limit, account] as const),
    ...OF_PAGE.map((limit) => [limit, memberKey(settings, id)] as const),
    ...OF_MEMBER.map((limit) => [limit, id] as const),
  ]
}
