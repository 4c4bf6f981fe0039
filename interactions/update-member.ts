import { StaleMemberError } from '../accounts/errors.ts'
import type { Member } from '../accounts/member.ts'
import type { Services } from './services.ts'

const ATTEMPTS = 3

/**
 * Applies a change to the member, and again to what another request left where that was first.
 * @throws StaleMemberError after three lost races
 */
export const updateMember = async (
  { members }: Pick<Services, 'members'>,
  member: Member,
  change: (member: Member) => Member,
): Promise<void> => {
  let current: Member | undefined = member
  for (let attempt = 1; current; attempt += 1) {
    const changed = change(current)
    if (changed === current) return
    try {
      await members.save(changed)
      return
    } catch (error) {
      if (!(error instanceof StaleMemberError) || attempt === ATTEMPTS) throw error
      current = await members.findById(member.id)
    }
  }
}
