import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { type Idp, startIdp } from '../support/idp.ts'
import { codeIn } from '../support/smtp-sink.ts'
import {
  aJourney,
  aJourneyOf,
  anOldHand,
  codeMails,
  csrfOf,
  type Journey,
  mailsTo,
  PAGE,
  settled,
  theDate,
} from './support.ts'

/** Another six digits than these. */
const wrong = (code: string, by = 1): string =>
  String((Number(code) + by) % 1_000_000).padStart(6, '0')

describe('The manual’s chapter 2-6, signing in with a mailed code', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  const addressOf = ({ member }: Journey) => member.email?.address ?? ''

  /** A member at the page that asks for the code. */
  const asked = async (): Promise<Journey> => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    await journey.walkTo(PAGE.emailCode)
    return journey
  }
  const type = (journey: Journey, code: string) => journey.visitor.submit('verifyFactor', { code })

  test('password, code, portal: the mail names the portal and the device, the page masks the address', async () => {
    const journey = await asked()
    const { page } = journey.visitor
    expect(page.body).not.toContain(addressOf(journey))
    const [mail] = await codeMails(idp, addressOf(journey))
    expect(mail?.text).toContain('健康ポータル')
    expect(mail?.text).toContain('Chrome')
    expect(mail?.subject).not.toMatch(/\d{6}/u)
    expect(mail?.text).not.toContain(`${idp.issuer}/`)
    expect((await type(journey, mail ? codeIn(mail) : '')).heading).toBe(PAGE.signedIn)
    expect((await journey.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  })

  test('the password alone gives the portal nothing', async () => {
    const journey = await asked()
    expect((await journey.visitor.visit(`${idp.issuer}/me`)).status).toBeGreaterThanOrEqual(400)
    const page = await journey.start({ prompt: 'none' })
    expect(page.url.searchParams.get('error')).toBe('login_required')
  })

  test('looking at the page again sends nothing', async () => {
    const journey = await asked()
    const { url } = journey.visitor.page
    await settled(idp)
    for (let look = 0; look < 5; look += 1) await journey.visitor.visit(url)
    expect(await codeMails(idp, addressOf(journey))).toHaveLength(1)
  })

  test('a resend within a minute sends nothing and says from when; after it, the same code comes', async () => {
    const journey = await asked()
    idp.clock.advance(30)
    const early = await journey.visitor.submit('email-resend')
    expect(early.status).toBe(200)
    expect(early.faults.join()).toContain('次は')
    expect(await codeMails(idp, addressOf(journey))).toHaveLength(1)
    idp.clock.advance(31)
    const again = await journey.visitor.submit('email-resend')
    expect(again.text).toContain('もう一度送りました')
    const codes = (await codeMails(idp, addressOf(journey))).map(codeIn)
    expect(codes).toHaveLength(2)
    expect(codes[0]).toBe(codes[1])
    expect((await type(journey, codes[0] ?? '')).heading).toBe(PAGE.signedIn)
  })

  test('a code is good for ten minutes and not for a second more; then a new one comes', async () => {
    const journey = await asked()
    const old = await journey.newestCode()
    idp.clock.advance(600)
    const page = await type(journey, old)
    expect(page.status).toBe(422)
    expect(page.faults).toEqual(['コードの期限（10分）が切れました。新しいコードを送りました'])
    const codes = (await codeMails(idp, addressOf(journey))).map(codeIn)
    expect(codes).toHaveLength(2)
    expect(codes[1]).not.toBe(old)
    idp.clock.advance(599)
    expect((await type(journey, codes[1] ?? '')).heading).toBe(PAGE.signedIn)
  })

  test('five wrong codes, then a pause: no resend and no right code lifts it', async () => {
    const journey = await asked()
    const code = await journey.newestCode()
    for (let tries = 1; tries <= 5; tries += 1) {
      const page = await type(journey, wrong(code, tries))
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain(`あと${5 - tries}回`)
    }
    expect((await type(journey, code)).faults.join()).toContain('回数が多いため')
    idp.clock.advance(61)
    await journey.visitor.submit('email-resend')
    const paused = await type(journey, code)
    expect(paused.status).toBe(422)
    expect(paused.faults.join()).toContain('回数が多いため')
    expect((await codeMails(idp, addressOf(journey))).map(codeIn)).toEqual([code, code])
    idp.clock.advance(901)
    // The challenge is over by then, and a new code comes.
    await type(journey, code)
    expect((await type(journey, await journey.newestCode())).heading).toBe(PAGE.signedIn)
  })

  test('spellings of one code are one code, and count as one try each', async () => {
    const journey = await asked()
    const code = await journey.newestCode()
    const bad = wrong(code)
    await type(journey, `${bad.slice(0, 3)} ${bad.slice(3)}`)
    const page = await type(
      journey,
      bad.replace(/\d/gu, (digit) => '０１２３４５６７８９'.charAt(Number(digit))),
    )
    expect(page.faults.join()).toContain('あと3回')
    const spelt = `${code.slice(0, 3)}-${code.slice(3)} `
    expect((await type(journey, spelt)).heading).toBe(PAGE.signedIn)
  })

  test.each(['', ' ', '12345', '1234567', '+12345', '12345a', '1e5', '0x1234', '-12345'])(
    '%j is no code and costs no try',
    async (typed) => {
      const journey = await asked()
      const code = await journey.newestCode()
      const page = await type(journey, typed)
      expect(page.status).toBe(422)
      expect(page.faults).toHaveLength(1)
      expect((await type(journey, wrong(code))).faults.join()).toContain('あと4回')
    },
  )

  test('the code of one request is wrong in another', async () => {
    const journey = await asked()
    const first = await journey.newestCode()
    idp.clock.advance(61)
    const other = await aJourney(idp, journey.member)
    await other.start()
    await other.walkTo(PAGE.emailCode)
    const second = await other.newestCode()
    expect(second).not.toBe(first)
    expect((await type(other, first)).faults.join()).toContain('コードが違います')
    expect((await type(journey, second)).faults.join()).toContain('コードが違います')
    expect((await type(other, second)).heading).toBe(PAGE.signedIn)
  })

  test('asked for within the minute, a second request says that nothing was sent, and sends later', async () => {
    const journey = await asked()
    const other = await aJourney(idp, journey.member)
    await other.start()
    await other.walkTo(PAGE.emailCode)
    expect(other.visitor.page.text).toContain('コードはまだ送っていません')
    expect(other.visitor.page.text).toContain('今はメールを送れません')
    expect(other.visitor.page.text).not.toContain('前に届いたコード')
    expect(other.visitor.page.root.querySelector('input[name="code"]')).toBeNull()
    await settled(idp)
    expect(mailsTo(idp, addressOf(journey))).toHaveLength(1)
    idp.clock.advance(61)
    await other.visitor.submit('コードを送る')
    expect((await type(other, await other.newestCode())).heading).toBe(PAGE.signedIn)
  })

  test('tries are counted over all requests of the member', async () => {
    const journey = await asked()
    const { throttle } = idp.services
    for (let tries = 0; tries < 20; tries += 1) {
      await throttle.count('emailCodePerMember', journey.member.id)
    }
    const page = await type(journey, await journey.newestCode())
    expect(page.status).toBe(422)
    expect(page.faults.join()).toContain('回数が多いため')
  })

  test('twenty posts of the right code at once sign in once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const journey = await asked()
      const { url } = journey.visitor.page
      const form = { csrf: csrfOf(journey.visitor.page), code: await journey.newestCode() }
      const cookie = await journey.visitor.jar.getCookieString(url.href)
      const answers = await Promise.all(
        Array.from({ length: 20 }, () =>
          fetch(`${url.href}/verifyFactor`, {
            method: 'POST',
            redirect: 'manual',
            headers: { cookie, 'Sec-Fetch-Site': 'same-origin' },
            body: new URLSearchParams(form),
          }),
        ),
      )
      // Those after the fifth are over the limit of tries: refused, never accepted.
      for (const { status } of answers) expect([303, 422]).toContain(status)
      const proofs = idp.log.filter(
        ({ msg, memberId }) => msg === 'second step proven' && memberId === journey.member.id,
      )
      expect(proofs).toHaveLength(1)
      expect((await journey.visitor.visit(url)).heading).toBe(PAGE.signedIn)
      expect((await journey.finish()).claims()?.amr).toEqual(['pwd', 'otp', 'mca'])
    }
  })

  test('five mails an hour to one member, whatever is pressed; the sixth waits', async () => {
    const journey = await asked()
    for (let mail = 2; mail <= 5; mail += 1) {
      await settled(idp)
      idp.clock.advance(61)
      await journey.visitor.submit('email-resend')
    }
    // A mail that is being sent while a minute passes would be taken up again.
    await settled(idp)
    idp.clock.advance(61)
    const limited = await journey.visitor.submit('email-resend')
    expect(limited.faults.join()).toContain('今はメールを送れません')
    const other = await aJourney(idp, journey.member)
    await other.start()
    const page = await other.walkTo(PAGE.emailCode)
    expect(page.faults.join()).toContain('今はメールを送れません')
    expect(page.root.querySelector('input[name="code"]')).toBeNull()
    await settled(idp)
    expect(mailsTo(idp, addressOf(journey))).toHaveLength(5)
    idp.clock.advance(3600)
    const fresh = await aJourney(idp, journey.member)
    await fresh.start()
    await fresh.walkTo(PAGE.emailCode)
    expect((await fresh.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  })
})
