import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { codeIn, linkIn } from '../support/smtp-sink.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  type Journey,
  NEW_PASSWORD,
  newestMail,
  PAGE,
  settled,
  theDate,
} from './support.ts'

const referenceOn = (page: Page): string | undefined =>
  /[0-9A-Z]{4}-[0-9A-Z]{4}/u.exec(page.root.querySelector('.ref')?.text ?? '')?.[0]

describe('A member who stops', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  /** The member at another browser, past the password. */
  const elsewhere = async (journey: Journey): Promise<Journey> => {
    const other = await aJourney(idp, journey.member, { password: journey.password })
    await other.start()
    await other.visitor.submit('password', {
      username: journey.member.loginId,
      password: journey.password,
    })
    return other
  }

  test('is told on each page until when it can be used, and so it is', async () => {
    const journey = await aJourneyOf(idp, aNewcomer())
    const page = await journey.start()
    const inJapan = new Date((idp.clock.now() + 3600 + 9 * 3600) * 1000)
    const [hour, minute] = [inJapan.getUTCHours(), inJapan.getUTCMinutes()]
    const until = `この画面は${hour}時${String(minute).padStart(2, '0')}分まで使えます`
    expect(page.text).toContain(until)
    await idp.clock.advance(1800)
    const terms = await journey.walkTo(PAGE.terms)
    expect(terms.text).toContain(until)
    expect(terms.text).toContain('続きから進めます')
    await idp.clock.advance(1799)
    expect((await journey.visitor.visit(terms.url)).heading).toBe(PAGE.terms)
    await idp.clock.advance(2)
    expect((await journey.visitor.submit('terms', { agree: true })).heading).toBe(PAGE.stale)
  })

  describe('and comes back in another browser is asked what is still due, after the password', () => {
    test.each([
      [PAGE.birthdate, PAGE.birthdate],
      [PAGE.terms, PAGE.terms],
      [PAGE.termsDeclined, PAGE.terms],
      [PAGE.email, PAGE.email],
      [PAGE.emailWait, PAGE.emailWait],
      // From here on the mailbox is theirs: a stolen password alone goes no further.
      [PAGE.choosePlace, PAGE.emailCode],
      [PAGE.chooseFactor, PAGE.emailCode],
      [PAGE.newPassword, PAGE.emailCode],
      [PAGE.done, PAGE.emailCode],
    ])('stopped at "%s", goes on at "%s"', async (stopped, resumed) => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      if (stopped === PAGE.termsDeclined) {
        await journey.walkTo(PAGE.terms)
        await journey.visitor.submit('terms-decline')
      } else {
        await journey.walkTo(stopped)
      }
      // Two hours later a mail that has not gone out is not sent any more.
      await settled(idp)
      await idp.clock.advance(7200)
      const other = await elsewhere(journey)
      expect(other.visitor.page.heading).toBe(resumed)
      const claims = (await other.finish()).claims()
      expect(claims?.amr).toEqual(['pwd', 'otp', 'mca'])
      expect((await idp.memberOf(journey.member)).enrolledAt).toBeDefined()
    })

    test('a code mailed to the first browser is good in the second', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const mail = await newestMail(idp, journey.member.email?.address ?? '')
      const other = await elsewhere(journey)
      expect(other.visitor.page.heading).toBe(PAGE.emailWait)
      const next = await other.visitor.submit('email', { code: codeIn(mail) })
      expect(next.heading).toBe(PAGE.choosePlace)
    })

    test('a link mailed to the first browser confirms the address for the second', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const mail = await newestMail(idp, journey.member.email?.address ?? '')
      const other = await elsewhere(journey)
      expect(other.visitor.page.text).toContain('比べる番号は、ここには出ません')
      const phone = aVisitor()
      expect((await phone.visit(linkIn(mail))).text).toContain('番号が出ていないときは')
      const pressed = await phone.submit()
      expect(pressed.heading).toBe(PAGE.linkConfirmed)
      expect(pressed.text).toContain('別の確認コードをメールで送ります')
      expect(pressed.text).not.toContain('自動で次へ進みます')
      // The proof belongs to the request that asked; the second browser is asked for a code.
      const shown = await other.visitor.visit(other.visitor.page.url)
      expect(shown.heading).toBe(PAGE.emailCode)
      expect(shown.text).toContain('メールアドレスは確認できました')
      expect(shown.root.querySelector('nav.steps')?.text).toContain('ステップ4／7')
      expect(shown.faults).toEqual([])
    })

    test('with the new password set, the initial one opens nothing', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      const initial = journey.password
      await journey.start()
      await journey.walkTo(PAGE.done)
      expect(journey.password).toBe(NEW_PASSWORD)
      const other = await aJourney(idp, journey.member, { password: initial })
      await other.start()
      const page = await other.visitor.submit('password', {
        username: journey.member.loginId,
        password: initial,
      })
      expect(page.status).toBe(422)
    })

    test('after thirty days is sent to the society’s desk', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      await journey.walkTo(PAGE.terms)
      await idp.clock.advance(30 * 86_400 + 1)
      const other = await elsewhere(journey)
      expect(other.visitor.page.heading).toBe(PAGE.stopped)
      expect(other.visitor.page.status).toBe(403)
      expect(referenceOn(other.visitor.page)).toBeDefined()
    })
  })

  describe('for too long, or at an address that is not theirs', () => {
    const expectStale = (page: Page) => {
      expect(page.status).toBe(400)
      expect(page.heading).toBe(PAGE.stale)
      const reference = referenceOn(page)
      expect(page.headers['x-request-id']).toBe(reference)
      expect(idp.log.filter(({ reqId }) => reqId === reference).length).toBeGreaterThan(1)
    }
    const wayBack = (page: Page) => page.root.querySelector('main a.btn')?.getAttribute('href')

    test('an expired request shows the way back to the portal', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const page = await journey.walkTo(PAGE.birthdate)
      await idp.clock.advance(3601)
      const late = await journey.visitor.submit('birthdate', {
        era: 'seireki',
        year: '1985',
        month: '4',
        day: '1',
      })
      expectStale(late)
      expect(wayBack(late)).toBe(
        `http://localhost:3001/login?iss=${encodeURIComponent(idp.issuer)}`,
      )
      expectStale(await journey.visitor.visit(page.url))
      expect((await journey.start()).heading).toBe(PAGE.password)
    })

    test('another browser’s request is not opened by its address', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const page = await journey.walkTo(PAGE.birthdate)
      const stranger = aVisitor()
      for (const path of ['', '/email-status']) {
        const shown = await stranger.visit(`${page.url.href}${path}`)
        expectStale(shown)
        expect(wayBack(shown)).toBeUndefined()
      }
      expectStale(await stranger.post(`${page.url.href}/birthdate`, { year: '1985' }))
    })

    test('one’s own cookie does not open another’s request', async () => {
      const journey = await aJourneyOf(idp, aNewcomer())
      await journey.start()
      const page = await journey.walkTo(PAGE.birthdate)
      const thief = await aJourneyOf(idp, aNewcomer())
      await thief.start()
      for (const cookie of await thief.visitor.jar.getCookies(thief.visitor.page.url.href)) {
        await thief.visitor.jar.setCookie(
          `${cookie.key}=${cookie.value}; path=${page.url.pathname}`,
          page.url.href,
        )
      }
      expectStale(await thief.visitor.visit(page.url))
    })

    test.each([
      'unknown',
      '..%2f',
      '%00',
      '%E0%A4%A',
      '%0d%0aSet-Cookie:x=y',
      'a'.repeat(5000),
      '__proto__',
      '<script>',
      "'; DROP TABLE transient; --",
    ])('an address that nobody gave out (%j) is answered by a page', async (uid) => {
      const visitor = aVisitor()
      for (const path of [`/interaction/${uid}`, `/interaction/${uid}/email-status`]) {
        const page = await visitor.visit(`${idp.issuer}${path}`)
        expect([400, 404]).toContain(page.status)
        expect(page.heading).not.toBe('')
        expect(page.body).not.toContain('<script>alert')
      }
      const posted = await visitor.post(`${idp.issuer}/interaction/${uid}/password`, {})
      expect(posted.status).toBeGreaterThanOrEqual(400)
      expect(posted.status).toBeLessThan(500)
    })

    test('cookies that nobody signed open nothing', async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      const { url } = await journey.start()
      const names = ['idp_interaction', 'idp_session', 'idp_resume', 'idp_app', 'idp_locale']
      const values = ['', 'x', 'a|b', '%00', '"', '={}', 'A'.repeat(4000), '__proto__', 'null']
      for (const name of names) {
        for (const value of values) {
          const visitor = aVisitor({
            headers: { Cookie: `${name}=${value}; ${name}.sig=${value}` },
          })
          expect((await visitor.visit(url)).status).toBe(400)
          const asked = await visitor.visit(await journey.rp.authorizationUrl({ prompt: 'none' }))
          expect(asked.url.searchParams.get('error')).toBe('login_required')
        }
      }
    })
  })

  test('while the server is restarted between any two steps goes on where they were', async () => {
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    const way = [
      PAGE.birthdate,
      PAGE.terms,
      PAGE.email,
      PAGE.emailWait,
      PAGE.choosePlace,
      PAGE.chooseFactor,
      PAGE.newPassword,
      PAGE.done,
    ]
    for (const heading of way) {
      const page = await journey.walkTo(heading)
      await idp.restart()
      expect((await journey.visitor.visit(page.url)).heading).toBe(heading)
    }
    const tokens = await journey.finish()
    await idp.restart()
    expect((await journey.rp.userInfo(tokens)).sub).toBe(tokens.claims()?.sub)
    expect((await journey.start({ prompt: 'none' })).url.searchParams.get('code')).not.toBeNull()
  }, 180_000)
})
