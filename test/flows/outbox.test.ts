import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { type Idp, startIdp } from '../support/idp.ts'
import { codeIn } from '../support/smtp-sink.ts'
import {
  aJourneyOf,
  aNewcomer,
  anOldHand,
  codeMails,
  type Journey,
  mailsTo,
  PAGE,
  settled,
  theDate,
} from './support.ts'

const DELAYED = 'メールの送信が混み合っています。届くまで、そのままお待ちください。'

describe('With the mail server down', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  const addressOf = ({ member }: Journey) => member.email?.address ?? ''
  /** Resolves once this many mails have found the server down since it was. */
  const foundDown = async (count: number, before: number) => {
    for (let tries = 0; putOffs() < before + count; tries += 1) {
      if (tries > 500) throw new Error('no mail was tried')
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  const putOffs = () => idp.log.filter(({ msg }) => msg === 'mail_put_off').length

  /** The mail server comes back, and time passes until every mail has gone out. */
  const recovered = async () => {
    await idp.mails.resume()
    for (let tries = 0; tries < 3; tries += 1) {
      await idp.clock.advance(20)
      await new Promise((resolve) => setTimeout(resolve, 1100))
    }
    await settled(idp)
  }

  test('pages answer, say after two seconds that the mail is late, and it comes once, later', async () => {
    const first = await aJourneyOf(idp, aNewcomer())
    const later = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await first.start()
    await first.walkTo(PAGE.email)
    await idp.mails.pause()
    const before = putOffs()

    const waiting = await first.visitor.submit('email', { email: addressOf(first) })
    expect(waiting.heading).toBe(PAGE.emailWait)
    expect(waiting.text).not.toContain(DELAYED)
    await later.start()
    const code = await later.walkTo(PAGE.emailCode)
    expect(code.text).not.toContain(DELAYED)
    await foundDown(2, before)

    await idp.clock.advance(2)
    expect((await first.visitor.visit(waiting.url)).text).toContain(DELAYED)
    expect((await later.visitor.visit(code.url)).text).toContain(DELAYED)
    const status = await first.visitor.visit(`${waiting.url.href}/email-status`)
    expect(JSON.parse(status.body)).toEqual({ confirmed: false, delayed: true })
    await first.visitor.visit(waiting.url)

    await recovered()
    expect(mailsTo(idp, addressOf(first))).toHaveLength(1)
    expect(mailsTo(idp, addressOf(later))).toHaveLength(1)
    expect((await first.visitor.visit(waiting.url)).text).not.toContain(DELAYED)
    expect((await first.walkTo(PAGE.chooseFactor)).heading).toBe(PAGE.chooseFactor)
    await later.visitor.visit(code.url)
    expect((await later.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  })

  test('a mail that waits survives a restart, and asking again meanwhile brings the same code', async () => {
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    await journey.walkTo(PAGE.email)
    await idp.mails.pause()
    const before = putOffs()
    const waiting = await journey.visitor.submit('email', { email: addressOf(journey) })
    await foundDown(1, before)
    await idp.clock.advance(61)
    await journey.visitor.submit('email-resend')
    await foundDown(3, before)
    await idp.clock.advance(2)
    await idp.restart()
    expect((await journey.visitor.visit(waiting.url)).text).toContain(DELAYED)
    await recovered()
    const codes = (await codeMails(idp, addressOf(journey))).map(codeIn)
    expect(codes).toHaveLength(2)
    expect(new Set(codes).size).toBe(1)
    const next = await journey.visitor.submit('email', { code: codes[0] ?? '' })
    expect(next.heading).toBe(PAGE.choosePlace)
  })

  test('a code that died waiting is not mailed any more', async () => {
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    await journey.walkTo(PAGE.email)
    await idp.mails.pause()
    const before = putOffs()
    await journey.visitor.submit('email', { email: addressOf(journey) })
    await foundDown(1, before)
    await idp.clock.advance(601)
    await recovered()
    expect(mailsTo(idp, addressOf(journey))).toEqual([])
  })
})
