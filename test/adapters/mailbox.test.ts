import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { type KeptMail, type Mailbox, startMailbox } from '../../adapters/mailbox.ts'
import { createSmtpMailer } from '../../adapters/smtp.ts'
import { aClock } from '../support/clock.ts'

const LINK = 'http://localhost:3000/email/abc-DEF_123'

describe('The development mailbox', () => {
  let folder: string
  let mailbox: Mailbox
  const open = () =>
    startMailbox({ file: join(folder, 'mailbox.json'), port: 0, clock: aClock(1_790_000_000) })

  const deliver = async (...subjects: readonly string[]) => {
    const mailer = createSmtpMailer(mailbox.smtpUrl, { requireTls: false })
    for (const subject of subjects) {
      await mailer.send({
        id: 'mail-1',
        to: 'hanako@example.jp',
        from: { name: 'さくら健康保険組合', address: 'no-reply@id.example.jp' },
        subject,
        text: `確認する：${LINK}\n期限は1時間です。<b>`,
        html: `<p>確認する</p><script>document.title = 'run'</script>`,
      })
    }
    mailer.close()
  }
  const mails = async (query = ''): Promise<readonly KeptMail[]> =>
    (await (await fetch(`${mailbox.url}/api/mails${query}`)).json()) as readonly KeptMail[]

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kenpo-id-mailbox-'))
    mailbox = await open()
  })
  afterEach(async () => {
    await mailbox.close()
    rmSync(folder, { recursive: true })
  })

  test('gives every mail as JSON, the newest first, with its links', async () => {
    await deliver('一通目', '二通目')
    const [newest, older] = await mails()
    expect(newest).toMatchObject({
      subject: '二通目',
      to: ['hanako@example.jp'],
      messageId: '<mail-1@id.example.jp>',
      links: [LINK],
    })
    expect(older?.subject).toBe('一通目')
  })

  test('can be asked for one address', async () => {
    await deliver('一通目')
    expect(await mails('?to=hanako@example.jp')).toHaveLength(1)
    expect(await mails('?to=taro@example.jp')).toEqual([])
  })

  test('shows a mail’s text as it is, with its link to click', async () => {
    await deliver('件名<script>')
    const page = parse(await (await fetch(mailbox.url)).text())
    expect(page.querySelector('article h2')?.text).toBe('件名<script>')
    expect(page.querySelector('.text a')?.getAttribute('href')).toBe(LINK)
    expect(page.querySelector('.text')?.text).toContain('期限は1時間です。<b>')
  })

  test('says so when there is no mail yet', async () => {
    const page = parse(await (await fetch(mailbox.url)).text())
    expect(page.querySelector('.empty')?.text).toContain('まだメールはありません')
  })

  test('shows a mail’s HTML where no script can run', async () => {
    await deliver('一通目')
    const [mail] = await mails()
    const response = await fetch(`${mailbox.url}/mails/${mail?.id}`)
    expect(await response.text()).toContain('<p>確認する</p>')
    const policy = response.headers.get('Content-Security-Policy') ?? ''
    expect(policy).toMatch(/^sandbox /)
    expect(policy).not.toContain('allow-scripts')
  })

  test('still has its mails after a restart, in a file of its owner’s', async () => {
    await deliver('一通目')
    await mailbox.close()
    mailbox = await open()
    expect((await mails()).map(({ subject }) => subject)).toEqual(['一通目'])
    expect(statSync(join(folder, 'mailbox.json')).mode & 0o777).toBe(0o600)
  })

  test('answers to no other name, so that no site can point one at it', async () => {
    const status = await new Promise((resolve, reject) => {
      const url = `${mailbox.url}/api/mails`
      const asked = request(url, { headers: { host: 'evil.example' } }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asked.on('error', reject).end()
    })
    expect(status).toBe(421)
  })

  test('cannot be written to by a page', async () => {
    expect((await fetch(`${mailbox.url}/api/mails`, { method: 'POST' })).status).toBe(405)
  })

  test('says which port is in use and leaves nothing listening', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve))
    const address = other.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const starting = startMailbox({ file: join(folder, 'b.json'), port, clock: aClock() })
    await expect(starting).rejects.toMatchObject({ code: 'EADDRINUSE', port })
    await new Promise((resolve) => other.close(resolve))
  })
})
