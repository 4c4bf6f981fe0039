import { emailKey } from '../../accounts/email-address.ts'
import type { EpochSeconds, Member } from '../../accounts/member.ts'
import type { ColumnId } from '../columns.ts'
import { mergeProfile } from './profile.ts'
import type { Row } from './rows.ts'
import type { NoteId, Remark } from './rules.ts'

export type Merged = Readonly<{
  /** The same object where nothing is to be saved. */
  member: Member
  changed: readonly ColumnId[]
  notes: readonly Remark<NoteId>[]
}>

/**
 * What the row changes of a member who is there already: what the society knows better than the
 * member. A proven address, the password, the methods and the language are the member's own. An
 * empty cell says nothing. A first login under way begins anew with another birthdate.
 */
export const merge = (member: Member, row: Row, now: EpochSeconds): Merged => {
  const changed: ColumnId[] = []
  const notes: Remark<NoteId>[] = []
  let merged = member

  if (row.birthdate !== member.birthdate) {
    changed.push('birthdate')
    const { birthdateConfirmedAt: confirmed, ...rest } = merged
    const kept = member.enrolledAt !== undefined && confirmed !== undefined
    merged = {
      ...rest,
      birthdate: row.birthdate,
      ...(kept && { birthdateConfirmedAt: confirmed }),
    }
  }
  const { insured } = row
  const numbers = (['symbol', 'number'] as const).filter(
    (part) => insured && insured[part] !== member.insured?.[part],
  )
  if (insured && numbers.length > 0) {
    changed.push(...numbers)
    merged = { ...merged, insured }
  }
  if (changed.length > 0 && member.password.initial === 'derived') {
    notes.push({ rule: 'password.kept' })
  }
  if (row.email !== undefined && emailKey(row.email) !== emailKey(member.email?.address ?? '')) {
    if (member.email?.verifiedAt === undefined) {
      changed.push('email')
      merged = { ...merged, email: { address: row.email } }
    } else notes.push({ column: 'email', rule: 'email.proven' })
  }
  if (row.profile) {
    const { profile, changed: cells } = mergeProfile(member, row.profile)
    changed.push(...cells)
    if (cells.length > 0) merged = { ...merged, profile: { ...profile, updated_at: now } }
  }
  if (row.locale !== undefined && row.locale !== member.locale) {
    notes.push({ column: 'locale', rule: 'locale.own' })
  }
  return { member: merged, changed, notes }
}
