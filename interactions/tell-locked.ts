import type { Facts } from '../accounts/enrolment.ts'
import type { EpochSeconds, Member } from '../accounts/member.ts'
import type { StepContext } from './step.ts'
import { japaneseDay, untilText } from './wording.ts'

const NOTICE_SECONDS = 86_400

/**
 * Tells a member by mail, once a day, that too many wrong passwords have paused the sign-in. A mail
 * to nobody is queued for an ID that is nobody's: the same work, and nothing is sent.
 */
export const tellLocked = async (
  { services, society, locale }: StepContext<Facts>,
  account: string,
  member: Member | undefined,
  until: EpochSeconds,
): Promise<void> => {
  const now = services.clock.now()
  const told = member?.email?.verifiedAt === undefined ? undefined : member
  await services.outbox.add({
    id: `locked-${account}-${japaneseDay(now)}`,
    to: told?.email?.address ?? '',
    template: 'locked',
    locale: told?.locale ?? locale,
    societyId: society.id,
    facts: { until: untilText(until, told?.locale ?? locale) },
    requestedAt: now,
    expiresAt: now + NOTICE_SECONDS,
  })
}
