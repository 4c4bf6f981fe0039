import { maskEmailAddress } from '../accounts/email-address.ts'
import { type EpochSeconds, type Member, UNDO_SECONDS, verifyEmail } from '../accounts/member.ts'
import type { KeptChallenge } from './email-challenge.ts'
import { sendNotice } from './notice.ts'
import type { Services } from './services.ts'

/** A change of address that its former holder may undo; kept under `undo:<id>`. */
export type AddressChange = Readonly<{
  memberId: string
  former: string
  address: string
  changedAt: EpochSeconds
}>
export const undoKey = (id: string) => `undo:${id}`

/**
 * The member with the challenge's address proven. Where another address was on file, its holder is
 * told and can undo; that mail is queued first, so that no change goes unannounced, and only once.
 * The new address is told too, and a second one that stays.
 */
export const confirmAddress = async (
  services: Services,
  challenge: KeptChallenge,
  member: Member,
): Promise<(member: Member) => Member> => {
  const { transient, outbox, clock } = services
  const now = clock.now()
  const former = member.email?.address
  if (former !== undefined && former !== challenge.address) {
    const change: AddressChange = {
      memberId: member.id,
      former,
      address: challenge.address,
      changedAt: now,
    }
    await transient.put(undoKey(challenge.id), change, UNDO_SECONDS)
    await outbox.add({
      id: `changed-${challenge.id}`,
      to: former,
      template: 'addressChanged',
      locale: member.locale,
      societyId: member.societyId,
      challengeId: challenge.id,
      facts: {},
      requestedAt: now,
      expiresAt: now + UNDO_SECONDS,
    })
    const changed = verifyEmail(member, challenge.address, now)
    await sendNotice(services, changed, {
      template: 'addressConfirmed',
      id: `confirmed-${challenge.id}`,
      locale: member.locale,
      facts: { address: maskEmailAddress(challenge.address) },
    })
  }
  return (current) => verifyEmail(current, challenge.address, now)
}
