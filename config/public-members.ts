import type { Member, MemberId } from '../accounts/member.ts'
import type { MemberStore } from '../accounts/ports.ts'
import { CONFORMANCE_MEMBERS, memberIdOf } from './conformance/members.ts'
import { DEMO_MEMBERS, demoMemberId } from './demo-members.ts'

const PUBLIC_IDS: readonly MemberId[] = [
  ...DEMO_MEMBERS.map(demoMemberId),
  // The ID of a member, as it was made.
  ...CONFORMANCE_MEMBERS.map(({ loginId }) => memberIdOf(loginId) as MemberId),
]

/**
 * The members of the demo and of the conformance profile in a store, whose passwords anybody can
 * read: told by their ID, so whatever has become of them, by a move or a backup too. Those whom the
 * desk has disabled are left out: nobody can sign in as one.
 */
export const findPublicMembers = async (
  members: Pick<MemberStore, 'findById'>,
): Promise<readonly Member[]> => {
  const found = await Promise.all(PUBLIC_IDS.map((id) => members.findById(id)))
  return found.flatMap((member) =>
    member && member.blocked?.reason !== 'disabled' ? [member] : [],
  )
}
