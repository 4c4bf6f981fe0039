import type SMTPPool from 'nodemailer/lib/smtp-pool'
import { IdentityError } from '../accounts/errors.ts'
import type { Mailer } from '../accounts/ports.ts'

/** A mail that was not taken. Its `cause` may quote the address: never log it as it is. */
export class MailNotSentError extends IdentityError {
  /** The server's reply (RFC 5321 section 4.2), where it came to one. */
  readonly replyCode: number | undefined
  /** This mail will never be taken: sending it again is no use. */
  readonly permanent: boolean

  constructor(
    code: string,
    replyCode: number | undefined,
    permanent: boolean,
    options?: ErrorOptions,
  ) {
    super('mail_not_sent', 503, code, options)
    this.replyCode = replyCode
    this.permanent = permanent
  }
}

export type SmtpOptions = Readonly<{
  /** Nothing is said to a server that offers no TLS. */
  requireTls: boolean
}>

/** A whole mail, from connecting to the server's last word, takes no longer. */
const SEND_TIMEOUT_MS = 30_000

/** One addr-spec without quoting, comments or literals, so that no parser can see two in it. */
const ADDR_SPEC = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$/
const MAX_ADDRESS_CHARACTERS = 254

const assertOneAddress = (address: string): void => {
  if (address.length <= MAX_ADDRESS_CHARACTERS && ADDR_SPEC.test(address)) return
  throw new MailNotSentError('EADDRESS', undefined, true)
}

/** What nodemailer's errors may carry; each is narrowed where it is used. */
const describe = (error: unknown): MailNotSentError => {
  if (error instanceof MailNotSentError) return error
  const { code, responseCode, permanent } = error as Readonly<Record<string, unknown>>
  // Only what a server says to this mail can be final: its word on our login or greeting is not.
  const aboutTheMail = code === 'EENVELOPE' || code === 'EMESSAGE'
  return new MailNotSentError(
    typeof code === 'string' ? code : 'EUNKNOWN',
    typeof responseCode === 'number' ? responseCode : undefined,
    aboutTheMail && permanent === true,
    { cause: error },
  )
}

/** Loaded with the first mail. */
const openTransport = async (options: SMTPPool.Options) => {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport(options)
  // The last look before the wire: whatever the headers were parsed into, one recipient is left.
  transport.use('stream', (mail, done) => {
    // nodemailer writes the domain in lower case.
    const lower = (addresses: unknown) => String(addresses).toLowerCase()
    const { to } = mail.message.getEnvelope()
    const same = to.length === 1 && lower(to) === lower(mail.data.envelope?.to)
    done(same ? null : new MailNotSentError('EENVELOPE', undefined, true))
  })
  return transport
}

/**
 * Sends through the SMTP server at `url`, on up to five connections that are kept open. Each mail
 * goes to exactly the one address asked for. `send` throws MailNotSentError only.
 */
export const createSmtpMailer = (
  url: string,
  { requireTls }: SmtpOptions,
): Mailer & { close(): Promise<void> } => {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url)
  const secure = protocol === 'smtps:'
  const options: SMTPPool.Options = {
    pool: true,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? (secure ? 465 : 587) : Number(port),
    secure,
    requireTLS: !secure && (requireTls || searchParams.get('requireTLS') === 'true'),
    ...(username === ''
      ? {}
      : { auth: { user: decodeURIComponent(username), pass: decodeURIComponent(password) } }),
    connectionTimeout: 5000,
    greetingTimeout: 5000,
    socketTimeout: 10_000,
    // The outbox tries again; here a mail cut off on its way would be sent twice unseen.
    maxRequeues: 0,
    disableFileAccess: true,
    disableUrlAccess: true,
    maxRecipients: 1,
  }
  let opened: ReturnType<typeof openTransport> | undefined

  return {
    async send({ id, to, from, subject, text, html }) {
      assertOneAddress(to)
      try {
        opened ??= openTransport(options)
        const transport = await opened
        await transport.sendMail({
          envelope: { from: from.address, to: [to] },
          from,
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${id}@${from.address.split('@').at(-1)}>`,
          // RFC 3834 section 5: so that no auto-responder answers.
          headers: { 'Auto-Submitted': 'auto-generated' },
          signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
        })
      } catch (error) {
        throw describe(error)
      }
    },
    async close() {
      const transport = await opened?.catch(() => undefined)
      transport?.close()
    },
  }
}
