import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo, Server } from 'node:net'
import { dirname } from 'node:path'
import { simpleParser } from 'mailparser'
import { SMTPServer } from 'smtp-server'
import type { Clock } from '../accounts/ports.ts'
import { MAILBOX_CSS, MAILBOX_SCRIPT, renderMailbox } from './mailbox-page.ts'

/** A mail as it came in. */
export type KeptMail = Readonly<{
  id: string
  /** Milliseconds since 1970, by whole seconds. */
  receivedAt: number
  messageId: string
  /** The envelope's recipients: who really got it. */
  to: readonly string[]
  from: string
  subject: string
  text: string
  html: string
  /** The http(s) addresses in the text, in order. */
  links: readonly string[]
}>

export type Mailbox = Readonly<{
  /** Where mails are taken in: smtp://localhost:port */
  smtpUrl: string
  /** The page: http://localhost:port */
  url: string
  close(): Promise<void>
}>

const MAX_MAILS = 200
const MAX_MAIL_BYTES = 1024 * 1024
const LINK = /https?:\/\/[^\s<>"'、。）」]+/g

/** No other site's page may read the mails through a name that it points at this machine. */
const OWN_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]'])

const load = (path: string): readonly KeptMail[] =>
  // Only `save` writes the file.
  existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as readonly KeptMail[]) : []

const save = (path: string, mails: readonly KeptMail[]): void => {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.new`, JSON.stringify(mails), { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

const parse = async (raw: Buffer, to: readonly string[], clock: Clock): Promise<KeptMail> => {
  const mail = await simpleParser(raw)
  const text = mail.text ?? ''
  return {
    id: randomUUID(),
    receivedAt: clock.now() * 1000,
    messageId: mail.messageId ?? '',
    to,
    from: mail.from?.text ?? '',
    subject: mail.subject ?? '',
    text,
    html: mail.html || '',
    links: text.match(LINK) ?? [],
  }
}

const listening = (server: Server, port: number) =>
  new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, 'localhost', () => resolve())
  })

const answer = (response: ServerResponse, type: string, body: string, status = 200): void => {
  response.writeHead(status, {
    'Content-Type': `${type}; charset=utf-8`,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy':
      "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  })
  response.end(body)
}

/** A mail's own HTML, shown as a mail program would: no script, no form, nothing loaded. */
const answerHtml = (response: ServerResponse, html: string): void => {
  response.writeHead(200, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy':
      "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
  })
  response.end(html)
}

/**
 * The mailbox of a developer's machine: an SMTP server on loopback that sends nothing on, and a
 * page with what it was given. The last 200 mails are kept in `file`. Never for production.
 * @throws the listening error where `port` is in use
 */
export const startMailbox = async (options: {
  readonly file: string
  readonly port: number
  readonly clock: Clock
}): Promise<Mailbox> => {
  const { file, port, clock } = options
  let mails = load(file)

  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: MAX_MAIL_BYTES,
    closeTimeout: 1000,
    onData(stream, { envelope }, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const to = envelope.rcptTo.map(({ address }) => address)
        parse(Buffer.concat(chunks), to, clock)
          .then((mail) => {
            mails = [mail, ...mails].slice(0, MAX_MAILS)
            save(file, mails)
          })
          .then(() => callback(), callback)
      })
    },
  })

  const pages = createServer((request, response) => {
    const { pathname, searchParams, hostname } = new URL(
      request.url ?? '/',
      URL.canParse(`http://${request.headers.host}`)
        ? `http://${request.headers.host}`
        : 'http://x',
    )
    const html = /^\/mails\/([\w-]+)$/.exec(pathname)
    const mail = html && mails.find(({ id }) => id === html[1])
    if (!OWN_HOSTS.has(hostname)) return answer(response, 'text/plain', 'Not this host\n', 421)
    if (request.method !== 'GET') return answer(response, 'text/plain', 'GET only\n', 405)
    if (pathname === '/') return answer(response, 'text/html', renderMailbox(mails))
    if (pathname === '/mailbox.css') return answer(response, 'text/css', MAILBOX_CSS)
    if (pathname === '/mailbox.js') return answer(response, 'text/javascript', MAILBOX_SCRIPT)
    if (pathname === '/api/mails') {
      const to = searchParams.get('to')
      const found = to === null ? mails : mails.filter((one) => one.to.includes(to))
      return answer(response, 'application/json', JSON.stringify(found))
    }
    if (mail) return answerHtml(response, mail.html)
    answer(response, 'text/plain', 'Not found\n', 404)
  })

  await listening(pages, port)
  await listening(smtp.server, 0)
  // A client that goes away in the middle is its own affair.
  smtp.on('error', () => undefined)
  // Listening servers of ours have a port, not a pipe's name.
  const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port

  return {
    smtpUrl: `smtp://localhost:${portOf(smtp.server)}`,
    url: `http://localhost:${portOf(pages)}`,
    async close() {
      await new Promise<void>((resolve) => smtp.close(() => resolve()))
      pages.closeAllConnections()
      await new Promise<void>((resolve) => pages.close(() => resolve()))
    },
  }
}
