import { createHmac } from 'node:crypto'
import { emailKey, parseEmailAddress } from '../../accounts/email-address.ts'
import type { Facts } from '../../accounts/enrolment.ts'
import { countInOrder } from '../../accounts/throttle.ts'
import { type Act, fault } from '../step.ts'
import { untilText } from '../wording.ts'

const REMINDER_SECONDS = 86_400

/**
 * A4: a mail with the user IDs that belong to an address, if any does. The members are looked up
 * when the mail is written, so the answer here is the same, and as quick, for any address.
 */
export const requestLoginId: Act<Facts> = {
  fields: { email: { max: 1000 } },
  async submit(context, form) {
    const { services, society, address: from, locale } = context
    const typed = form.email ?? ''
    const values = { email: typed }
    const parsed = parseEmailAddress(typed)
    if (!parsed.ok) return { ok: false, faults: [fault(parsed.reason, 'email')], values }
    const mailbox = createHmac('sha256', services.settings.codeKey)
      .update(`reminder|${society.id}|${emailKey(parsed.address)}`)
      .digest('base64url')
    const counted = await countInOrder(services.throttle, [
      ['resetPerAddress', from],
      ['reminder', mailbox],
    ])
    if (!counted.ok) {
      const time = untilText(counted.until, locale)
      return { ok: false, faults: [fault('mail.limit', 'email', { time })], values }
    }
    const now = services.clock.now()
    await services.outbox.add({
      id: `reminder-${services.randomBytes(16).toString('base64url')}`,
      to: parsed.address,
      template: 'userIdReminder',
      locale,
      societyId: society.id,
      facts: {},
      requestedAt: now,
      expiresAt: now + REMINDER_SECONDS,
    })
    services.log.info({ societyId: society.id }, 'user ID asked for')
    return { ok: true, flow: { reminded: parsed.address } }
  },
}
