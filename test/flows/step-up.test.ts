import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Acr } from '../../accounts/assurance.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { holding } from './keys.ts'
import { aJourney, aJourneyOf, anOldHand, type Journey, PAGE, theDate } from './support.ts'

const PWD = 'urn:kenpo-id:acr:pwd'
const EMAIL = 'urn:kenpo-id:acr:email'
const MFA = 'https://refeds.org/profile/mfa'
const PHR = 'phr'
const UNMET = 'unmet_authentication_requirements'

const accepting = (clientId: string, requiredAcr: Acr, maxAge?: number) => ({
  client_id: clientId,
  client_name: clientId,
  client_secret: 'a-secret-of-a-relying-party-of-this-test',
  policy: { society: 'sakura', requiredAcr, ...(maxAge !== undefined && { maxAge }) },
})

const acrClaim = (claim: Readonly<Record<string, unknown>>) => ({
  claims: JSON.stringify({ id_token: { acr: claim } }),
})

describe('An application that asks for more than a session has shown', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({
      clock: theDate(),
      env: { IDP_TRUSTED_PROXY_HOPS: '1' },
      clients: [
        accepting('takes-pwd', PWD),
        accepting('takes-email', EMAIL),
        accepting('takes-mfa', MFA),
        accepting('takes-phr', PHR),
        accepting('forgets-fast', EMAIL, 300),
      ],
    })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  const told = async (journey: Journey) => {
    const claims = (await journey.finish()).claims()
    return { acr: claims?.acr, amr: claims?.amr, at: claims?.auth_time }
  }

  /** The same member in the same browser, in front of another application. */
  const at = (journey: Journey, clientId: string): Promise<Journey> => {
    const { member, visitor, keys } = journey
    return aJourney(idp, member, { clientId, visitor, keys })
  }

  /** A member signed in to an application. */
  const signedIn = async (
    clientId: string,
    methods: Parameters<typeof holding>[1],
    options: Readonly<{ headers?: Record<string, string>; chosen?: 'emailCode' }> = {},
  ): Promise<Journey> => {
    const held = await holding(idp, methods, anOldHand(idp.clock.now()))
    const member = { ...held.member, ...(options.chosen && { chosenFactor: options.chosen }) }
    const visitor = aVisitor({ headers: options.headers ?? {} })
    const journey = await aJourneyOf(idp, member, { clientId, visitor, keys: held.keys })
    await journey.start()
    await journey.finish()
    return journey
  }

  describe('asks only for what is missing', () => {
    test.each([
      [['totp'], 'takes-mfa', PAGE.verifyTotp, MFA, ['pwd', 'otp', 'mfa']],
      [['passkey'], 'takes-mfa', PAGE.verifyPasskey, PHR, ['pwd', 'swk', 'user', 'mfa']],
      [['totp', 'passkey'], 'takes-phr', PAGE.verifyPasskey, PHR, ['pwd', 'swk', 'user', 'mfa']],
      [['emailCode'], 'takes-email', PAGE.emailCode, EMAIL, ['pwd', 'otp', 'mca']],
    ] as const)(
      'of a password’s session with %j at %s: %s',
      async (methods, client, page, acr, amr) => {
        const journey = await signedIn('takes-pwd', methods)
        const since = idp.clock.now()
        await idp.clock.advance(120)
        const stricter = await at(journey, client)
        expect((await stricter.start()).heading).toBe(page)
        expect(await told(stricter)).toEqual({ acr, amr, at: since })
        await stricter.start()
        expect(await stricter.rp.userInfo(await stricter.finish())).toMatchObject({ acr, amr })
      },
    )

    test('of a mailed code’s session with an app, where the app is wished for', async () => {
      const journey = await signedIn('takes-email', ['totp'], { chosen: 'emailCode' })
      for (const wish of [
        { acr_values: MFA },
        acrClaim({ value: MFA }),
        acrClaim({ values: [PHR, MFA] }),
      ]) {
        const again = await at(journey, 'takes-email')
        await idp.clock.advance(30)
        await again.start(wish)
        expect([PAGE.verifyTotp, PAGE.signedIn]).toContain(again.visitor.page.heading)
        expect(await told(again)).toMatchObject({ acr: MFA, amr: ['pwd', 'otp', 'mfa'] })
      }
    })

    test('of a session that was begun anew with less in another tab, while the page was open', async () => {
      const journey = await signedIn('takes-mfa', ['totp'])
      await idp.clock.advance(100)
      // Too old a proof for this one: it asks for everything.
      const open = await at(journey, 'takes-mfa')
      const page = await open.start({ max_age: '60' })
      expect(page.heading).toBe(PAGE.password)
      const otherTab = await at(journey, 'takes-pwd')
      await idp.clock.advance(1)
      await otherTab.start({ prompt: 'login' })
      expect(await told(otherTab)).toMatchObject({ acr: PWD, at: idp.clock.now() })
      // The password is new by now; the app's digits are as old as they were.
      expect((await journey.visitor.visit(page.url)).heading).toBe(PAGE.verifyTotp)
      await idp.clock.advance(30)
      expect(await told(open)).toMatchObject({ acr: MFA, amr: ['pwd', 'otp', 'mfa'] })
    })

    test('of a session from a company network, once the member is at home', async () => {
      const headers = { 'X-Forwarded-For': '192.0.2.7' }
      const journey = await signedIn('takes-email', ['passkey'], { headers })
      const stricter = await at(journey, 'takes-phr')
      expect((await stricter.start()).heading).toBe(PAGE.stopped)
      headers['X-Forwarded-For'] = '203.0.113.7'
      expect((await stricter.start()).heading).toBe(PAGE.verifyPasskey)
      expect(await told(stricter)).toMatchObject({ acr: PHR, amr: ['pwd', 'swk', 'user', 'mfa'] })
    })

    test('and offers no other way that would not be enough', async () => {
      const journey = await signedIn('takes-pwd', ['totp', 'passkey', 'recoveryCode'])
      const ways = (one: Journey) =>
        one.visitor.page.root
          .querySelectorAll('input[name="method"]')
          .map((way) => way.getAttribute('value'))
      const phr = await at(journey, 'takes-phr')
      await phr.start()
      expect(ways(phr)).toEqual([])
      const mfa = await at(journey, 'takes-mfa')
      await mfa.start()
      expect(mfa.visitor.page.heading).toBe(PAGE.verifyTotp)
      expect(ways(mfa)).toEqual(['passkey', 'recoveryCode'])
    })

    test('a passkey without a password is enough everywhere, and asks nothing more', async () => {
      const { member, keys } = await holding(idp, ['passkey'], anOldHand(idp.clock.now()))
      const journey = await aJourneyOf(idp, member, { clientId: 'takes-pwd', keys })
      const page = await journey.start()
      const options = JSON.parse(page.root.querySelector('#passkey-options')?.text ?? '')
      await journey.visitor.submit('passkey', {
        response: keys.passkey?.authenticate(options) ?? '',
      })
      expect(await told(journey)).toMatchObject({ acr: PHR, amr: ['swk', 'user', 'mfa'] })
      for (const client of ['takes-email', 'takes-mfa', 'takes-phr']) {
        const next = await at(journey, client)
        expect((await next.start()).heading).toBe(PAGE.signedIn)
        expect(await told(next)).toMatchObject({ acr: PHR, amr: ['swk', 'user', 'mfa'] })
      }
    })
  })

  describe('is told the truth', () => {
    test('what has been proven stays proven for applications that ask for less', async () => {
      const journey = await signedIn('takes-mfa', ['totp'])
      for (const client of ['takes-pwd', 'takes-email', 'takes-mfa']) {
        const next = await at(journey, client)
        expect((await next.start({ prompt: 'none' })).heading).toBe(PAGE.signedIn)
        expect(await told(next)).toMatchObject({ acr: MFA, amr: ['pwd', 'otp', 'mfa'] })
      }
    })

    test('a weaker acr told to one, because it asked for that, is not told to the next', async () => {
      const journey = await signedIn('takes-mfa', ['totp'])
      const modest = await at(journey, 'takes-email')
      const page = await modest.start({ ...acrClaim({ essential: true, value: EMAIL }) })
      expect(page.heading).toBe(PAGE.signedIn)
      expect((await told(modest)).acr).toBe(EMAIL)
      const strict = await at(journey, 'takes-mfa')
      expect((await strict.start()).heading).toBe(PAGE.signedIn)
      expect((await told(strict)).acr).toBe(MFA)
    })

    test('also where nothing may be asked', async () => {
      const journey = await signedIn('takes-mfa', ['totp'])
      const modest = await at(journey, 'takes-email')
      await modest.start({ prompt: 'none', ...acrClaim({ essential: true, value: EMAIL }) })
      expect((await told(modest)).acr).toBe(EMAIL)
      const strict = await at(journey, 'takes-mfa')
      await strict.start({ prompt: 'none', ...acrClaim({ essential: true, value: MFA }) })
      expect((await told(strict)).acr).toBe(MFA)
      await strict.start({ prompt: 'none' })
      expect((await told(strict)).acr).toBe(MFA)
    })

    test('auth_time is the oldest proof’s, and new when everything is proven anew', async () => {
      const journey = await signedIn('takes-email', ['emailCode'])
      const since = idp.clock.now()
      await idp.clock.advance(200)
      await journey.start()
      expect((await told(journey)).at).toBe(since)
      await journey.start({ prompt: 'login' })
      expect(journey.visitor.page.heading).toBe(PAGE.password)
      expect((await told(journey)).at).toBe(since + 200)
    })

    test('a session too old for one application is asked for everything there, and serves the others', async () => {
      const journey = await signedIn('takes-email', ['totp'])
      await idp.clock.advance(301)
      const other = await at(journey, 'takes-email')
      expect((await other.start()).heading).toBe(PAGE.signedIn)
      const strict = await at(journey, 'forgets-fast')
      const silent = await strict.start({ prompt: 'none' })
      expect(silent.url.searchParams.get('error')).toBe('login_required')
      expect((await strict.start()).heading).toBe(PAGE.password)
      expect((await told(strict)).at).toBe(idp.clock.now())
    })
  })

  describe('and cannot have it', () => {
    test.each([
      ['a value of its own', { value: PHR }],
      ['values none of which the member has', { values: [PHR, MFA] }],
      ['a value that nobody knows', { value: 'urn:nobody:knows' }],
    ])('gets the error for it, once, where %s is essential', async (_what, claim) => {
      const journey = await signedIn('takes-email', ['emailCode'])
      for (let round = 0; round < 2; round += 1) {
        const page = await journey.start(acrClaim({ essential: true, ...claim }))
        expect(page.heading).toBe(PAGE.signedIn)
        expect(page.url.searchParams.get('error')).toBe(UNMET)
        expect(page.url.searchParams.get('error_description')).toBeTruthy()
        expect(page.url.searchParams.get('code')).toBeNull()
        expect(page.hops.length).toBeLessThan(8)
        await expect(journey.rp.finish(page.url)).rejects.toMatchObject({ error: UNMET })
      }
      expect((await journey.start({ prompt: 'none' })).url.searchParams.has('code')).toBe(true)
    })

    test('gets the error where its own minimum is out of the member’s reach', async () => {
      const journey = await signedIn('takes-email', ['totp'])
      const strict = await at(journey, 'takes-phr')
      expect((await strict.start()).url.searchParams.get('error')).toBe(UNMET)
      expect((await journey.start()).url.searchParams.has('code')).toBe(true)
    })

    test('is told so without a page where it forbids pages', async () => {
      const journey = await signedIn('takes-pwd', ['totp'])
      const strict = await at(journey, 'takes-mfa')
      const errors = ['login_required', 'interaction_required', UNMET]
      const page = await strict.start({ prompt: 'none' })
      expect(errors).toContain(page.url.searchParams.get('error'))
      const essential = await journey.start({
        prompt: 'none',
        ...acrClaim({ essential: true, value: MFA }),
      })
      expect(errors).toContain(essential.url.searchParams.get('error'))
    })

    test('succeeds with what there is, where it only wished and forbids pages', async () => {
      const journey = await signedIn('takes-pwd', ['totp'])
      for (const wish of [{ acr_values: `${PHR} ${MFA}` }, acrClaim({ value: MFA })]) {
        await journey.start({ prompt: 'none', ...wish })
        expect(await told(journey)).toMatchObject({ acr: PWD, amr: ['pwd'] })
      }
    })

    test('gets access_denied where the member goes back, and the session stays as it was', async () => {
      const journey = await signedIn('takes-pwd', ['totp'])
      const strict = await at(journey, 'takes-mfa')
      await strict.start()
      const page = await strict.visitor.submit('abort')
      expect(page.url.searchParams.get('error')).toBe('access_denied')
      await journey.start({ prompt: 'none' })
      expect(await told(journey)).toMatchObject({ acr: PWD, amr: ['pwd'] })
    })
  })
})
