import type { Mailer, MailRequest, WrittenMail } from '../accounts/ports.ts'
import type { Delivery } from './outbox-worker.ts'
import { MailNotSentError } from './smtp.ts'

type Dependencies = Readonly<{
  /** The mail's words, made when it is sent; undefined: it is not worth sending any more. */
  write: (mail: MailRequest) => Promise<WrittenMail | undefined>
  mailer: Mailer
}>

/** Mails, written and handed to the mail server. */
export const createMailDelivery = ({ write, mailer }: Dependencies): Delivery<MailRequest> => ({
  // As many as the mailer has connections.
  inFlight: 5,
  async send(mail) {
    const written = await write(mail)
    if (!written) return 'dropped'
    await mailer.send(written)
    return 'sent'
  },
  // Server and socket errors quote addresses, so a line carries their codes only.
  faultOf: (error) =>
    error instanceof MailNotSentError
      ? {
          permanent: error.permanent,
          facts: { reason: error.detail, status: error.replyCode },
        }
      : { permanent: false, facts: { reason: 'notWritten', err: error } },
  factsOf: ({ id, template }) => ({ mailId: id, template }),
  events: {
    sent: 'mail_sent',
    putOff: 'mail_put_off',
    failed: 'mail_failed',
    dropped: 'mail_dropped',
  },
})
