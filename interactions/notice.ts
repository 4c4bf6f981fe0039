import { type Locale, type Member, provenAddresses } from '../accounts/member.ts'
import type { MailTemplate } from '../accounts/ports.ts'
import type { Services } from './services.ts'

const NOTICE_SECONDS = 86_400

/** Tells the member by mail what has happened to the account, at the proven addresses only; each once
 * per `id`. */
export const sendNotice = async (
  { outbox, clock }: Pick<Services, 'outbox' | 'clock'>,
  member: Member,
  notice: Readonly<{
    template: MailTemplate
    id: string
    locale: Locale
    facts?: Readonly<Record<string, string>>
  }>,
): Promise<void> => {
  const now = clock.now()
  for (const [index, to] of provenAddresses(member).entries()) {
    await outbox.add({
      id: `${notice.id.slice(0, 200)}${index === 0 ? '' : `-${index + 1}`}`,
      to,
      template: notice.template,
      locale: notice.locale,
      societyId: member.societyId,
      facts: notice.facts ?? {},
      requestedAt: now,
      expiresAt: now + NOTICE_SECONDS,
    })
  }
}
