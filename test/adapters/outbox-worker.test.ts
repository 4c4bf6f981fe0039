import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { SMTPServer } from 'smtp-server'
import type { DeliveryState, Log, MailRequest, Outbox, WrittenMail } from '../../accounts/ports.ts'
import { type Database, openDatabase } from '../../adapters/embedded/database.ts'
import { createOutbox } from '../../adapters/embedded/outbox.ts'
import { createMailDelivery } from '../../adapters/mail-delivery.ts'
import { type OutboxWorker, startOutboxWorker } from '../../adapters/outbox-worker.ts'
import { createSmtpMailer } from '../../adapters/smtp.ts'
import { aClock, type TestClock } from '../support/clock.ts'
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts'

const aRequest = (clock: TestClock, change: Partial<MailRequest> = {}): MailRequest => ({
  id: 'mail-1',
  to: 'hanako@example.jp',
  template: 'signInCode',
  locale: 'ja',
  societyId: 'sakura',
  facts: {},
  requestedAt: clock.now(),
  expiresAt: clock.now() + 600,
  ...change,
})

const written = ({ id, to }: MailRequest): WrittenMail => ({
  id,
  to,
  from: { name: 'さくら健康保険組合', address: 'no-reply@id.example.jp' },
  subject: `subject ${id}`,
  text: 'secret-code 123456',
  html: '<p>secret-code 123456</p>',
})

describe('The outbox worker', () => {
  let folder: string
  let db: Database
  let outbox: Outbox
  let clock: TestClock
  let sink: SmtpSink
  let lines: string[]
  let worker: OutboxWorker
  let mailer: ReturnType<typeof createSmtpMailer>

  const log: Log = {
    info: (facts, event) => lines.push(`info ${event} ${JSON.stringify(facts)}`),
    warn: (facts, event) => lines.push(`warn ${event} ${JSON.stringify(facts)}`),
    error: (facts, event) => lines.push(`error ${event} ${JSON.stringify(facts)}`),
  }
  const begin = (
    url: string,
    write: (mail: MailRequest) => Promise<WrittenMail | undefined> = async (mail) => written(mail),
  ) => {
    mailer = createSmtpMailer(url, { requireTls: false })
    worker = startOutboxWorker({
      outbox,
      delivery: createMailDelivery({ write, mailer }),
      clock,
      log,
    })
  }
  /** Waits until the worker has said so of a mail. */
  const said = async (event: string, times = 1) => {
    const count = () => lines.filter((line) => line.split(' ')[1] === event).length
    for (let waited = 0; count() < times; waited += 10) {
      if (waited > 10_000) throw new Error(`no ${times} × ${event}: ${lines.join('\n')}`)
      await delay(10)
    }
  }
  const add = async (...mails: readonly MailRequest[]) => {
    for (const mail of mails) await outbox.add(mail)
    worker.nudge()
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kenpo-id-outbox-'))
    db = openDatabase(join(folder, 'test.sqlite'))
    outbox = createOutbox(db)
    clock = aClock()
    sink = await startSmtpSink()
    lines = []
  })
  afterEach(async () => {
    await worker.stop()
    mailer.close()
    await sink.close()
    db.close()
    rmSync(folder, { recursive: true })
  })

  test('sends what is added, once, and notes it', async () => {
    begin(sink.url)
    await add(aRequest(clock))
    await said('mail_sent')
    worker.nudge()
    await add(aRequest(clock, { id: 'mail-2' }))
    await said('mail_sent', 2)
    expect(sink.mails.map(({ subject }) => subject)).toEqual(['subject mail-1', 'subject mail-2'])
    expect(await outbox.stateOf('mail-1')).toBe('sent')
  })

  test('is idle once what was added has been sent, and with what it put off waiting', async () => {
    begin(sink.url)
    await add(aRequest(clock), aRequest(clock, { id: 'mail-2' }))
    await worker.idle()
    expect(sink.mails).toHaveLength(2)
    await sink.pause()
    await add(aRequest(clock, { id: 'mail-3' }))
    await worker.idle()
    await said('mail_put_off', 1)
    expect(await outbox.stateOf('mail-3')).toBe('queued')
  })

  test('sends what was left over from before a restart', async () => {
    await outbox.add(aRequest(clock))
    begin(sink.url)
    await said('mail_sent')
    expect(sink.mails).toHaveLength(1)
  })

  test('finds by itself what nobody has told it about', async () => {
    begin(sink.url)
    await delay(50)
    await outbox.add(aRequest(clock))
    await said('mail_sent')
    expect(sink.mails).toHaveLength(1)
  })

  test('waits longer each time while the mail server is away, and sends when it is back', async () => {
    begin(sink.url)
    await sink.pause()
    await add(aRequest(clock))
    await said('mail_put_off', 1)
    expect(await outbox.stateOf('mail-1')).toBe('queued')
    for (const times of [2, 3]) {
      await clock.advance(30)
      worker.nudge()
      await said('mail_put_off', times)
    }
    const waits = lines
      .filter((line) => line.startsWith('warn mail_put_off'))
      .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as { attempts: number })
    expect(waits.map(({ attempts }) => attempts)).toEqual([1, 2, 3])
    await sink.resume()
    await clock.advance(30)
    worker.nudge()
    await said('mail_sent')
    expect(sink.mails).toHaveLength(1)
  })

  test('gives up when the code in the mail would have expired', async () => {
    begin(sink.url)
    await sink.pause()
    await add(aRequest(clock, { expiresAt: clock.now() + 1 }))
    await said('mail_failed')
    expect(await outbox.stateOf('mail-1')).toBe('failed')
    expect(lines.at(-1)).toMatch(/^error mail_failed .*"mailId":"mail-1","template":"signInCode"/u)
  })

  test('tells the operator of a mail that nobody could send in time', async () => {
    await outbox.add(aRequest(clock))
    await clock.advance(600)
    begin(sink.url)
    await said('mail_failed')
    expect(lines).toEqual([
      'error mail_failed {"mailId":"mail-1","template":"signInCode","attempts":0,"reason":"expired"}',
    ])
    expect(sink.mails).toEqual([])
  })

  test('drops a mail that is not worth writing any more', async () => {
    begin(sink.url, async () => undefined)
    await add(aRequest(clock))
    await said('mail_dropped')
    expect(await outbox.stateOf('mail-1')).toBe('failed')
    expect(sink.mails).toEqual([])
  })

  test('tries again when a mail could not be written', async () => {
    let broken = true
    begin(sink.url, async (mail) => {
      if (broken) throw new Error('store away')
      return written(mail)
    })
    await add(aRequest(clock))
    await said('mail_put_off')
    broken = false
    await clock.advance(30)
    worker.nudge()
    await said('mail_sent')
    expect(sink.mails).toHaveLength(1)
  })

  test('sends a burst completely, each mail once', async () => {
    begin(sink.url)
    const ids = Array.from({ length: 40 }, (_, index) => `burst-${index}`)
    await add(...ids.map((id) => aRequest(clock, { id })))
    await said('mail_sent', 40)
    expect(sink.mails.map(({ subject }) => subject).sort()).toEqual(
      ids.map((id) => `subject ${id}`).sort(),
    )
  })

  test('two servers on one outbox send each mail once', async () => {
    begin(sink.url)
    const second = openDatabase(join(folder, 'test.sqlite'))
    const other = startOutboxWorker({
      outbox: createOutbox(second),
      delivery: createMailDelivery({ write: async (mail) => written(mail), mailer }),
      clock,
      log,
    })
    const ids = Array.from({ length: 20 }, (_, index) => `shared-${index}`)
    for (const id of ids) await outbox.add(aRequest(clock, { id }))
    worker.nudge()
    other.nudge()
    await said('mail_sent', 20)
    await other.stop()
    second.close()
    expect(sink.mails).toHaveLength(20)
  })

  test('writes no address and no content to the log', async () => {
    begin(sink.url)
    await add(aRequest(clock))
    await said('mail_sent')
    await sink.pause()
    await add(aRequest(clock, { id: 'mail-2' }))
    await said('mail_put_off')
    const all = lines.join('\n')
    expect(all).toContain('signInCode')
    expect(all).not.toMatch(/hanako|example\.jp|123456|subject/)
  })

  describe('with a mail server that', () => {
    let server: SMTPServer
    let got: string[]
    let refuse: ((times: number) => { responseCode: number } | undefined) | undefined
    let release: (() => void) | undefined
    let slow: Promise<void> | undefined

    beforeEach(async () => {
      got = []
      refuse = undefined
      slow = undefined
      let times = 0
      server = new SMTPServer({
        authOptional: true,
        disabledCommands: ['AUTH', 'STARTTLS'],
        disableReverseLookup: true,
        closeTimeout: 0,
        onRcptTo(_address, _session, callback) {
          times += 1
          const refusal = refuse?.(times)
          callback(refusal && Object.assign(new Error('refused'), refusal))
        },
        onData(stream, session, callback) {
          stream.resume()
          stream.on('end', () => {
            Promise.resolve(slow).then(() => {
              got.push(session.envelope.rcptTo[0]?.address ?? '')
              callback()
            })
          })
        },
      })
      server.on('error', () => undefined)
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.server.address()
      begin(`smtp://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`)
    })
    afterEach(async () => {
      await worker.stop()
      mailer.close()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    })

    const stateAfter = async (event: string): Promise<DeliveryState | undefined> => {
      await said(event)
      return outbox.stateOf('mail-1')
    }

    test('says “later” gets the mail later', async () => {
      refuse = (times) => (times === 1 ? { responseCode: 451 } : undefined)
      await add(aRequest(clock))
      expect(await stateAfter('mail_put_off')).toBe('queued')
      expect(lines.join('\n')).toContain('"status":451')
      await clock.advance(30)
      worker.nudge()
      expect(await stateAfter('mail_sent')).toBe('sent')
      expect(got).toEqual(['hanako@example.jp'])
    })

    test('says “never” is not asked again', async () => {
      refuse = () => ({ responseCode: 550 })
      await add(aRequest(clock))
      expect(await stateAfter('mail_failed')).toBe('failed')
      expect(lines.join('\n')).toContain('"attempts":1')
      expect(lines.join('\n')).toContain('"status":550')
    })

    test('is slow holds up nobody, and a stop waits for its yes', async () => {
      slow = new Promise((resolve) => {
        release = resolve
      })
      await add(aRequest(clock))
      // The page that asked has long gone on: adding does not wait.
      expect(await outbox.stateOf('mail-1')).toBe('queued')
      let stopped = false
      const stopping = worker.stop().then(() => {
        stopped = true
      })
      await delay(100)
      expect(stopped).toBe(false)
      release?.()
      await stopping
      expect(await outbox.stateOf('mail-1')).toBe('sent')
    })
  })
})
