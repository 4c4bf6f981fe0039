import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { StoreUnavailableError } from '../../accounts/errors.ts'
import type { MailRequest, Throttle, TransientStore } from '../../accounts/ports.ts'
import type { LimitId } from '../../accounts/throttle.ts'
import { openEmbedded } from '../../adapters/embedded/index.ts'
import { memberKey } from '../../interactions/account-key.ts'
import { flowKey } from '../../interactions/flow.ts'
import type { FlowFacts } from '../../interactions/step.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { codeIn } from '../support/smtp-sink.ts'
import {
  aJourney,
  aJourneyOf,
  anOldHand,
  codeMails,
  countedOf,
  csrfOf,
  type Journey,
  mailsTo,
  PAGE,
  settled,
  theDate,
} from './support.ts'

const SPENT = 'このコードは使えなくなりました'

/** Another six digits than these. */
const wrong = (code: string, by = 1): string =>
  String((Number(code) + by) % 1_000_000).padStart(6, '0')

/** Posts of one form of the page, sent together. */
const atOnce = async (
  { visitor: { page, jar } }: Journey,
  act: string,
  fields: Readonly<Record<string, string>>,
  posts: number,
): Promise<readonly Response[]> => {
  const cookie = await jar.getCookieString(page.url.href)
  return Promise.all(
    Array.from({ length: posts }, () =>
      fetch(`${page.url.href}/${act}`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, 'Sec-Fetch-Site': 'same-origin' },
        body: new URLSearchParams({ csrf: csrfOf(page), ...fields }),
      }),
    ),
  )
}

const keyOf = ({ visitor }: Journey) => flowKey(visitor.page.url.pathname.split('/').at(-1) ?? '')

/** The page has yet to send a code, as where a session has proven the password. */
const forgetCode = async (idp: Idp, journey: Journey): Promise<void> => {
  const { transient } = idp.services
  const { signInCode: _, ...facts } = (await transient.get<FlowFacts>(keyOf(journey))) ?? {}
  await transient.put(keyOf(journey), facts, 3600)
}

/** Something to wait for until somebody gives it. */
const aSignal = () => {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give }
}

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
    await idp.clock.advance(30)
    const early = await journey.visitor.submit('email-resend')
    expect(early.status).toBe(200)
    expect(early.faults.join()).toContain('次は')
    expect(await codeMails(idp, addressOf(journey))).toHaveLength(1)
    await idp.clock.advance(31)
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
    await idp.clock.advance(600)
    const page = await type(journey, old)
    expect(page.status).toBe(422)
    expect(page.faults).toEqual(['コードの期限（10分）が切れました。新しいコードを送りました'])
    const codes = (await codeMails(idp, addressOf(journey))).map(codeIn)
    expect(codes).toHaveLength(2)
    expect(codes[1]).not.toBe(old)
    await idp.clock.advance(599)
    expect((await type(journey, codes[1] ?? '')).heading).toBe(PAGE.signedIn)
  })

  test('where no mail may go any more, a code too old says from when a new one can', async () => {
    const journey = await asked()
    for (let mails = 2; mails <= 5; mails += 1) {
      await idp.clock.advance(61)
      await journey.visitor.submit('email-resend')
    }
    const old = await journey.newestCode()
    const mails = (await codeMails(idp, addressOf(journey))).length
    await idp.clock.advance(600)
    const page = await type(journey, old)
    expect(page.status).toBe(422)
    expect(page.faults.join()).toMatch(
      /^コードの期限（10分）が切れました。新しいコードは\d+時\d+分から/u,
    )
    expect(await codeMails(idp, addressOf(journey))).toHaveLength(mails)
  })

  test('the right code too late after four wrong ones is the fifth try, and a new one comes', async () => {
    const journey = await asked()
    const old = await journey.newestCode()
    await idp.clock.advance(590)
    for (let tries = 1; tries <= 4; tries += 1) await type(journey, wrong(old, tries))
    await idp.clock.advance(10)
    expect((await type(journey, old)).faults.join()).toContain('新しいコードを送りました')
    const code = await journey.newestCode()
    expect(code).not.toBe(old)
    expect((await type(journey, code)).heading).toBe(PAGE.signedIn)
  })

  test('the fifth wrong code ends the code, which no right one mends; asked for again, a new one comes', async () => {
    const journey = await asked()
    const code = await journey.newestCode()
    for (let tries = 1; tries <= 4; tries += 1) {
      const page = await type(journey, wrong(code, tries))
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain(`あと${5 - tries}回`)
    }
    for (const typed of [wrong(code, 5), code]) {
      const page = await type(journey, typed)
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain(SPENT)
      expect(page.faults.join()).toContain('「もう一度送る」')
      expect(page.faults.join()).not.toMatch(/あと0回|\d時\d\d分/u)
    }
    const early = await journey.visitor.submit('email-resend')
    expect(early.faults.join()).toContain('今はメールを送れません')
    expect(early.faults.join()).not.toContain('前に届いたコード')
    await idp.clock.advance(61)
    await journey.visitor.submit('email-resend')
    expect((await type(journey, code)).faults.join()).toContain('あと4回')
    const codes = (await codeMails(idp, addressOf(journey))).map(codeIn)
    expect(codes).toEqual([code, expect.not.stringMatching(code)])
    expect((await type(journey, codes[1] ?? '')).heading).toBe(PAGE.signedIn)
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
    await idp.clock.advance(61)
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
    await other.walkTo(PAGE.emailCodeUnsent)
    expect(other.visitor.page.text).toContain('しばらくお待ちください')
    expect(other.visitor.page.text).toContain('コードはまだ送っていません')
    expect(other.visitor.page.text).toContain('今はメールを送れません')
    expect(other.visitor.page.text).not.toContain('前に届いたコード')
    expect(other.visitor.page.root.querySelector('input[name="code"]')).toBeNull()
    await settled(idp)
    expect(mailsTo(idp, addressOf(journey))).toHaveLength(1)
    await idp.clock.advance(61)
    await other.visitor.submit('コードを送る')
    expect((await type(other, await other.newestCode())).heading).toBe(PAGE.signedIn)
  })

  test('tries are counted over all requests of the member', async () => {
    const journey = await asked()
    const { throttle, settings } = idp.services
    for (let tries = 0; tries < 20; tries += 1) {
      await throttle.count('emailCodePerMember', memberKey(settings, journey.member.id))
    }
    const page = await type(journey, await journey.newestCode())
    expect(page.status).toBe(422)
    expect(page.faults.join()).toContain('回数が多いため')
  })

  test.each([
    ['as its page posts it', countedOf],
    ['posted without what its page says of it', () => ''],
  ])('twenty posts of the right code at once sign in once, %s', async (_how, counted) => {
    for (let round = 0; round < 5; round += 1) {
      const journey = await asked()
      const { url } = journey.visitor.page
      const form = { counted: counted(journey.visitor.page), code: await journey.newestCode() }
      const answers = await atOnce(journey, 'verifyFactor', form, 20)
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

  test('twenty wrong codes at once are five tries', async () => {
    const journey = await asked()
    const code = await journey.newestCode()
    const form = { counted: countedOf(journey.visitor.page), code: wrong(code) }
    const answers = await atOnce(journey, 'verifyFactor', form, 20)
    const pages = await Promise.all(answers.map((answer) => answer.text()))
    expect(pages.filter((page) => page.includes('コードが違います'))).toHaveLength(4)
    expect(pages.filter((page) => page.includes(SPENT))).toHaveLength(16)
    expect((await type(journey, code)).faults.join()).toContain(SPENT)
  })

  test('what another code’s page said takes no code, and spends none', async () => {
    const journey = await asked()
    const other = await asked()
    const [code, others] = [await journey.newestCode(), await other.newestCode()]
    const form = { counted: countedOf(other.visitor.page), code: others }
    for (let post = 0; post < 3; post += 1) {
      const [answer] = await atOnce(journey, 'verifyFactor', form, 1)
      expect(answer?.status).toBe(422)
    }
    expect((await type(other, others)).heading).toBe(PAGE.signedIn)
    expect((await type(journey, wrong(code))).faults.join()).toContain('あと1回')
    expect((await type(journey, code)).heading).toBe(PAGE.signedIn)
  })

  test('the password given several times at once sends one code, which signs in', async () => {
    for (let round = 0; round < 5; round += 1) {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      const { url } = await journey.start()
      const form = {
        counted: countedOf(journey.visitor.page),
        username: journey.member.loginId,
        password: journey.password,
      }
      const answers = await atOnce(journey, 'password', form, 3)
      expect(answers.map(({ status }) => status)).toEqual([303, 303, 303])
      const page = await journey.visitor.visit(url)
      expect(page.heading).toBe(PAGE.emailCode)
      expect(page.faults).toEqual([])
      const mails = await codeMails(idp, addressOf(journey))
      expect(mails).toHaveLength(1)
      expect((await type(journey, mails[0] ? codeIn(mails[0]) : '')).heading).toBe(PAGE.signedIn)
    }
  })

  test('the readings turned on at a page that has yet to send a code stand on the one that has', async () => {
    const journey = await asked()
    await settled(idp)
    await forgetCode(idp, journey)
    await idp.clock.advance(61)
    const page = await journey.visitor.visit(`${journey.visitor.page.url.href}?furigana=on`)
    expect(page.root.querySelector('input[name="code"]')).not.toBeNull()
    expect(page.body).toContain('<ruby>')
  })

  test('twenty looks at a page that has yet to send a code send one, which signs in', async () => {
    for (let round = 0; round < 5; round += 1) {
      const journey = await asked()
      await settled(idp)
      await forgetCode(idp, journey)
      await idp.clock.advance(61)
      const { url } = journey.visitor.page
      const cookie = await journey.visitor.jar.getCookieString(url.href)
      const looks = await Promise.all(
        Array.from({ length: 20 }, () => fetch(url, { headers: { cookie } })),
      )
      expect(new Set(looks.map(({ status }) => status))).toEqual(new Set([200]))
      const bodies = await Promise.all(looks.map((look) => look.text()))
      expect(bodies.map((body) => body.includes('name="code"'))).toEqual(bodies.map(() => true))
      expect((await journey.visitor.visit(url)).faults).toEqual([])
      expect(await codeMails(idp, addressOf(journey))).toHaveLength(2)
      expect((await type(journey, await journey.newestCode())).heading).toBe(PAGE.signedIn)
    }
  })

  test('a right code whose sign-in a crash cut short is taken no more, and another comes', async () => {
    const journey = await asked()
    const { transient, throttle } = idp.services
    const facts = await transient.get<FlowFacts>(keyOf(journey))
    await throttle.count('emailCodeOnce', facts?.signInCode?.id ?? '')
    const code = await journey.newestCode()
    expect((await type(journey, code)).heading).toBe(PAGE.emailCode)
    await idp.clock.advance(30)
    const waiting = await type(journey, code)
    expect(waiting.status).toBe(422)
    expect(waiting.faults.join()).toContain('1分ほど待ってから')
    await idp.clock.advance(32)
    const page = await type(journey, code)
    expect(page.status).toBe(422)
    expect(page.faults.join()).toContain('新しいコードを送りました')
    const codes = (await codeMails(idp, addressOf(journey))).map(codeIn)
    expect(codes).toHaveLength(2)
    expect((await type(journey, codes[1] ?? '')).heading).toBe(PAGE.signedIn)
  })

  test('five mails an hour to one member, whatever is pressed; the sixth waits', async () => {
    const journey = await asked()
    for (let mail = 2; mail <= 5; mail += 1) {
      await settled(idp)
      await idp.clock.advance(61)
      await journey.visitor.submit('email-resend')
    }
    // A mail that is being sent while a minute passes would be taken up again.
    await settled(idp)
    await idp.clock.advance(61)
    const limited = await journey.visitor.submit('email-resend')
    expect(limited.faults.join()).toContain('今はメールを送れません')
    const other = await aJourney(idp, journey.member)
    await other.start()
    const page = await other.walkTo(PAGE.emailCodeUnsent)
    expect(page.faults.join()).toContain('今はメールを送れません')
    expect(page.root.querySelector('input[name="code"]')).toBeNull()
    await settled(idp)
    expect(mailsTo(idp, addressOf(journey))).toHaveLength(5)
    await idp.clock.advance(3600)
    const fresh = await aJourney(idp, journey.member)
    await fresh.start()
    await fresh.walkTo(PAGE.emailCode)
    expect((await fresh.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  })
})

describe('A mailed code where a store is slow or fails', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-stores-'))
  let lasting: ReturnType<typeof openEmbedded>
  /** What happens before a mail is queued, an attempt is counted, the flow facts are replaced. */
  let beforeMail = async () => {}
  let beforeCount = async (_limit: LimitId) => {}
  let beforeReplace = async () => {}
  let idp: Idp
  beforeAll(async () => {
    const clock = theDate()
    lasting = openEmbedded(folder, clock)
    const { outbox, throttle, transient } = lasting
    const add = async (mail: MailRequest) => {
      await beforeMail()
      await outbox.add(mail)
    }
    const count: Throttle['count'] = async (limit, key) => {
      await beforeCount(limit)
      return throttle.count(limit, key)
    }
    const { look, forget } = throttle
    const replace: TransientStore['replace'] = async (...replacement) => {
      await beforeReplace()
      return transient.replace(...replacement)
    }
    const over = {
      outbox: { ...outbox, add },
      throttle: { count, look, forget },
      transient: { ...transient, replace },
    }
    idp = await startIdp({ clock, over })
  })
  afterEach(() => {
    beforeMail = async () => {}
    beforeCount = async () => {}
    beforeReplace = async () => {}
  })
  afterAll(async () => {
    await idp.close()
    await lasting.close()
    rmSync(folder, { recursive: true })
    jest.useRealTimers()
  })

  const addressOf = ({ member }: Journey) => member.email?.address ?? ''

  test('is not waited for where it cannot be sent: the page says so, and sends one when it can', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    const { url } = await journey.start()
    beforeMail = async () => {
      throw new StoreUnavailableError('the queue does not answer')
    }
    expect((await journey.answer()).status).toBe(503)
    beforeMail = async () => {}
    const page = await journey.visitor.visit(url)
    expect(page.heading).toBe(PAGE.emailCodeUnsent)
    expect(page.text).toContain('コードはまだ送っていません')
    await idp.clock.advance(61)
    await journey.visitor.submit('コードを送る')
    expect(await codeMails(idp, addressOf(journey))).toHaveLength(1)
    const code = await journey.newestCode()
    expect((await journey.visitor.submit('verifyFactor', { code })).heading).toBe(PAGE.signedIn)
  })

  test('of two looks at once the one whose mail is sent has its way, whichever was first', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    const { url } = await journey.walkTo(PAGE.emailCode)
    await settled(idp)
    await forgetCode(idp, journey)
    await idp.clock.advance(61)
    // Each has read what the other has not changed yet; whose code stands there first is counted last.
    const [read, sent] = [aSignal(), aSignal()]
    let [readers, senders] = [0, 0]
    beforeReplace = async () => {
      readers += 1
      if (readers === 2) read.give()
      await read.given
    }
    beforeCount = async (limit) => {
      if (limit !== 'mailCooldown') return
      senders += 1
      if (senders === 1) await sent.given
    }
    beforeMail = async () => sent.give()
    const cookie = await journey.visitor.jar.getCookieString(url.href)
    const looks = await Promise.all([0, 1].map(() => fetch(url, { headers: { cookie } })))
    expect(looks.map(({ status }) => status)).toEqual([200, 200])
    expect((await journey.visitor.visit(url)).faults).toEqual([])
    expect(await codeMails(idp, addressOf(journey))).toHaveLength(2)
    const code = await journey.newestCode()
    expect((await journey.visitor.submit('verifyFactor', { code })).heading).toBe(PAGE.signedIn)
  })

  test('of two presses of a code that is over, the new one is waited for that was mailed', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    await journey.walkTo(PAGE.emailCode)
    const old = await journey.newestCode()
    await idp.clock.advance(600)
    // The mail of the one is on its way until the other has been told that no more may be sent.
    const answered = aSignal()
    beforeMail = () => answered.given
    const press = async () => {
      const [answer] = await atOnce(journey, 'verifyFactor', { code: old }, 1)
      answered.give()
      return answer
    }
    const answers = await Promise.all([press(), press()])
    expect(answers.map((answer) => answer?.status)).toEqual([422, 422])
    const codes = (await codeMails(idp, addressOf(journey))).map(codeIn)
    expect(codes).toHaveLength(2)
    const code = codes[1] ?? ''
    expect((await journey.visitor.submit('verifyFactor', { code })).heading).toBe(PAGE.signedIn)
  })
})
