import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'

/** A mail as it arrived. */
export type SunkMail = Readonly<{
  /** The envelope's recipients, comma-separated. */
  to: string
  /** The From header, decoded. */
  from: string
  subject: string
  text: string
  html: string
  /** By lower-case name; the last one where a name is repeated. */
  headers: Readonly<Record<string, string>>
  raw: string
}>

export interface SmtpSink {
  /** smtp://127.0.0.1:port, the same through pause and resume. */
  readonly url: string
  /** In order of arrival. */
  readonly mails: readonly SunkMail[]
  /** The first mail of which `predicate` is true, arrived already or within the time. @throws */
  waitFor(predicate: (mail: SunkMail) => boolean, timeoutMs?: number): Promise<SunkMail>
  /** Stops listening and drops open connections, as a mail server that is down. */
  pause(): Promise<void>
  /** Not paused. */
  isUp(): boolean
  resume(): Promise<void>
  close(): Promise<void>
}

/** The six digits on a line of their own. @throws where the mail has none */
export const codeIn = ({ subject, text }: SunkMail): string => {
  const code = /^\s*(\d{6})\s*$/mu.exec(text)?.[1]
  if (code === undefined) throw new Error(`no code in the mail "${subject}"`)
  return code
}

/** The first link. @throws where the mail has none */
export const linkIn = ({ subject, text }: SunkMail): string => {
  const link = /https?:\/\/\S+/u.exec(text)?.[0]
  if (link === undefined) throw new Error(`no link in the mail "${subject}"`)
  return link
}

const POLL_MS = 20

const parsed = async (raw: Buffer, recipients: readonly string[]): Promise<SunkMail> => {
  const mail = await simpleParser(raw)
  const headers = mail.headerLines.map(({ key, line }) => [
    key,
    line
      .slice(key.length + 1)
      .replace(/\r?\n(?=\s)/g, '')
      .trim(),
  ])
  return {
    to: recipients.join(', '),
    from: mail.from?.text ?? '',
    subject: mail.subject ?? '',
    text: mail.text ?? '',
    html: mail.html || '',
    headers: Object.fromEntries(headers),
    raw: raw.toString('utf8'),
  }
}

/** A mail server on loopback that keeps all it is given and sends nothing on. */
export const startSmtpSink = async (): Promise<SmtpSink> => {
  const mails: SunkMail[] = []

  const listen = async (port: number): Promise<SMTPServer> => {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      closeTimeout: 1, // milliseconds; 0 would mean the default of half a minute
      onData(stream, session, callback) {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('end', () => {
          const recipients = session.envelope.rcptTo.map(({ address }) => address)
          parsed(Buffer.concat(chunks), recipients).then((mail) => {
            mails.push(mail)
            callback()
          }, callback)
        })
      },
    })
    // A client that is cut off by `pause` is no fault of the test.
    server.on('error', () => undefined)
    await new Promise<void>((resolve, reject) => {
      server.server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
    return server
  }

  let server: SMTPServer | undefined = await listen(0)
  const { port } = server.server.address() as AddressInfo

  const pause = async () => {
    const closing = server
    server = undefined
    if (closing) await new Promise<void>((resolve) => closing.close(resolve))
  }

  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    async waitFor(predicate, timeoutMs = 20_000) {
      for (let waited = 0; ; waited += POLL_MS) {
        const mail = mails.find(predicate)
        if (mail) return mail
        if (waited >= timeoutMs) {
          const seen = mails.map(({ to, subject }) => `${to}: ${subject}`).join('; ') || 'none'
          throw new Error(`no such mail within ${timeoutMs} ms; arrived: ${seen}`)
        }
        await delay(POLL_MS)
      }
    },
    pause,
    isUp: () => server !== undefined,
    async resume() {
      server ??= await listen(port)
    },
    close: pause,
  }
}
