import type { Member } from '../../accounts/member.ts'

/**
 * Where a code may be mailed for a forgotten password: the proven address of a member whose first
 * login is behind them. The others must call the society's desk.
 */
export const resetAddress = (member: Member | undefined): string | undefined =>
  member?.enrolledAt !== undefined &&
  member.password.initial === undefined &&
  member.email?.verifiedAt !== undefined
    ? member.email.address
    : undefined

/**
 * Whether the mailbox is all that the member has: then it cannot replace the password by itself, and
 * the desk's pass is the second proof.
 */
export const hasMailboxOnly = (member: Member): boolean =>
  !member.credentials.some(({ factor }) => factor === 'passkey' || factor === 'totp')
