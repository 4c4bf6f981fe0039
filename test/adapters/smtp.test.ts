import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { WrittenMail } from '../../accounts/ports.ts'
import { createSmtpMailer, MailNotSentError } from '../../adapters/smtp.ts'
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts'

const MAIL: WrittenMail = {
  id: 'mail-1',
  to: 'hanako@example.jp',
  from: { name: 'さくら健康保険組合', address: 'no-reply@id.example.jp' },
  subject: 'メールアドレスの確認',
  text: '確認コード：123456\n',
  html: '<p>確認コード：123456</p>',
}

const caught = async (work: Promise<void>): Promise<MailNotSentError> => {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!(error instanceof MailNotSentError)) throw new Error(`not a MailNotSentError: ${error}`)
  return error
}

describe('A mail that is taken', () => {
  let sink: SmtpSink
  let mailer: ReturnType<typeof createSmtpMailer>
  beforeEach(async () => {
    sink = await startSmtpSink()
    mailer = createSmtpMailer(sink.url, { requireTls: false })
  })
  afterEach(async () => {
    mailer.close()
    await sink.close()
  })

  test('arrives in Japanese, as text and HTML, from the society', async () => {
    await mailer.send(MAIL)
    const [mail] = sink.mails
    expect(mail?.to).toBe(MAIL.to)
    expect(mail?.subject).toBe(MAIL.subject)
    expect(mail?.from).toContain('さくら健康保険組合')
    expect(mail?.text).toContain('確認コード：123456')
    expect(mail?.html).toContain('<p>確認コード：123456</p>')
  })

  test('says that nobody should answer, and has the same Message-ID each time it is sent', async () => {
    await mailer.send(MAIL)
    await mailer.send(MAIL)
    const headers = sink.mails.map((mail) => mail.headers)
    expect(headers.map((one) => one['auto-submitted'])).toEqual([
      'auto-generated',
      'auto-generated',
    ])
    expect(headers.map((one) => one['message-id'])).toEqual([
      '<mail-1@id.example.jp>',
      '<mail-1@id.example.jp>',
    ])
  })

  test('goes to the one address, whatever the case of its domain', async () => {
    await mailer.send({ ...MAIL, to: 'Hanako@EXAMPLE.jp' })
    expect(sink.mails.map(({ to }) => to.toLowerCase())).toEqual(['hanako@example.jp'])
  })

  test.each([
    'a@example.jp,b@evil.example',
    'a@example.jp;b@evil.example',
    'friends:b@evil.example;',
    '<b@evil.example>a@example.jp',
    'a@example.jp <b@evil.example>',
    'a@example.jp\r\nBcc: b@evil.example',
    'a@example.jp\nRCPT TO:<b@evil.example>',
    '"a@example.jp"@evil.example',
    'a(comment)@example.jp',
    'a@[192.0.2.1]',
    'a@b@evil.example',
    '@example.jp',
    'a@',
    '',
    `${'a'.repeat(250)}@example.jp`,
  ])('is not sent at all to %j', async (to) => {
    const error = await caught(mailer.send({ ...MAIL, to }))
    expect(error.permanent).toBe(true)
    expect(sink.mails).toEqual([])
  })

  test('carries no header that was hidden in its subject', async () => {
    await mailer.send({ ...MAIL, subject: 'Hello\r\nBcc: b@evil.example' })
    expect(sink.mails[0]?.to).toBe(MAIL.to)
    expect(sink.mails[0]?.headers).not.toHaveProperty('bcc')
  })
})

describe('A mail that is not taken', () => {
  let server: Server
  let replies: Record<string, string>
  let heard: string[]

  /** A server that answers each command with what the test says, or as a good one would. */
  beforeEach(async () => {
    replies = {}
    heard = []
    const usual: Record<string, string> = {
      EHLO: '250 here',
      DATA: '354 go on',
      '.': '250 taken',
      QUIT: '221 bye',
    }
    server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write(`${replies.greeting ?? '220 here'}\r\n`)
      let inData = false
      let rest = ''
      socket.on('data', (chunk) => {
        const lines = `${rest}${chunk}`.split('\r\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          if (inData && line !== '.') continue
          const command = line.split(' ')[0] ?? ''
          heard.push(command)
          inData = command === 'DATA' && replies.DATA === undefined
          socket.write(`${replies[command] ?? usual[command] ?? '250 fine'}\r\n`)
        }
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  const urlOf = (): string => {
    const address = server.address()
    return `smtp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  }
  const sendOnce = async (url = urlOf(), requireTls = false) => {
    const mailer = createSmtpMailer(url, { requireTls })
    try {
      return await caught(mailer.send(MAIL))
    } finally {
      mailer.close()
    }
  }

  test.each([
    ['RCPT', '450 try later', 450, false],
    ['RCPT', '550 no such member', 550, true],
    ['.', '451 try later', 451, false],
    ['.', '554 refused', 554, true],
    ['greeting', '554 not here', 554, false],
  ])('%s answered with %s: final is %s', async (command, reply, replyCode, permanent) => {
    replies[command] = reply
    const error = await sendOnce()
    expect({ replyCode: error.replyCode, permanent: error.permanent }).toEqual({
      replyCode,
      permanent,
    })
  })

  test('a login that the server refuses is the operator’s fault, not the mail’s', async () => {
    replies.EHLO = '250-here\r\n250 AUTH PLAIN'
    replies.AUTH = '535 wrong password'
    const error = await sendOnce(urlOf().replace('//', '//user:secret-password@'))
    expect({ replyCode: error.replyCode, permanent: error.permanent }).toEqual({
      replyCode: 535,
      permanent: false,
    })
    expect(`${error.message} ${error.detail}`).not.toContain('secret-password')
  })

  test('a port where nobody listens can be tried again', async () => {
    const error = await sendOnce('smtp://127.0.0.1:1')
    expect(error.permanent).toBe(false)
    expect(error.replyCode).toBeUndefined()
  })

  test('nothing is said to a server without TLS where TLS is required', async () => {
    replies.STARTTLS = '502 no TLS here'
    const error = await sendOnce(urlOf(), true)
    expect(error.permanent).toBe(false)
    expect(heard).not.toContain('MAIL')
    heard = []
    await sendOnce(`${urlOf()}?requireTLS=true`)
    expect(heard).not.toContain('MAIL')
  })
})
