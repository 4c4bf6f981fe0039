import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { aRelyingParty } from '../support/rp.ts'
import { aJourney, aJourneyOf, anOldHand, type Journey, PAGE, theDate } from './support.ts'

const LEAST_TWO_FACTORS = 'https://refeds.org/profile/mfa'

const essential = (...values: string[]): string =>
  JSON.stringify({ id_token: { acr: { essential: true, values } } })

const errorOf = (page: Page): string | null => page.url.searchParams.get('error')

describe('As an OpenID Provider', () => {
  let idp: Idp
  /** Another relying party's own server. */
  const elsewhere = createServer((_request, response) => response.end())
  let bystander: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    bystander = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}` // TCP, so no path
    idp = await startIdp({
      clock: theDate(),
      clients: [
        {
          client_id: 'health-portal',
          post_logout_redirect_uris: [`${bystander}/signed-out`],
        },
        {
          client_id: 'walking-app',
          client_name: 'ウォーキング',
          client_secret: 'a-secret-of-the-walking-app-for-this-test',
          redirect_uris: [`${bystander}/cb`],
          policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' },
        },
        {
          client_id: 'kiosk',
          client_name: '窓口',
          token_endpoint_auth_method: 'none',
          policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email', maxAge: 300 },
        },
      ],
    })
  })
  afterAll(async () => {
    await idp.close()
    elsewhere.close()
    jest.useRealTimers()
  })

  /** A member who has just signed in at the portal. */
  const signedIn = async (over = {}): Promise<Journey> => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now(), over))
    await journey.start()
    await journey.walkTo(PAGE.signedIn)
    return journey
  }

  describe('prompt', () => {
    test('none without a session is login_required', async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      expect(errorOf(await journey.start({ prompt: 'none' }))).toBe('login_required')
    })

    test('none with a session gives a code without a page of ours', async () => {
      const journey = await signedIn()
      const page = await journey.start({ prompt: 'none' })
      expect(page.hops).toHaveLength(2)
      const claims = (await journey.rp.finish(page.url)).claims()
      expect(claims?.acr).toBe('urn:kenpo-id:acr:email')
      expect(claims?.amr).toEqual(['pwd', 'otp', 'mca'])
    })

    test('login asks for password and code again, and auth_time is the new one', async () => {
      const journey = await signedIn()
      const first = (await journey.rp.finish(journey.visitor.page.url)).claims()
      await idp.clock.advance(90)
      expect((await journey.start({ prompt: 'login' })).heading).toBe(PAGE.password)
      expect((await journey.walkTo(PAGE.emailCode)).heading).toBe(PAGE.emailCode)
      const again = (await journey.finish()).claims()
      expect(again?.auth_time).toBe(Number(first?.auth_time) + 90)
      expect(again?.sub).toBe(first?.sub)
    })

    test.each(['create', 'select_account', 'none login', 'consent none'])(
      '%j is refused at the portal',
      async (prompt) => {
        const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
        const page = await journey.start({ prompt })
        expect(page.heading).toBe(PAGE.signedIn)
        expect(errorOf(page)).toBe('invalid_request')
      },
    )
  })

  describe('max_age', () => {
    test('is met by a session that is young enough, and not by an older one', async () => {
      const journey = await signedIn()
      const first = (await journey.rp.finish(journey.visitor.page.url)).claims()
      await idp.clock.advance(100)
      expect((await journey.start({ max_age: '120' })).heading).toBe(PAGE.signedIn)
      expect((await journey.start({ max_age: '60' })).heading).toBe(PAGE.password)
      const again = (await journey.finish()).claims()
      expect(again?.auth_time).toBe(Number(first?.auth_time) + 100)
    })

    test('0 asks anew each time and is then met', async () => {
      const journey = await signedIn()
      await idp.clock.advance(61)
      expect((await journey.start({ max_age: '0' })).heading).toBe(PAGE.password)
      await idp.clock.advance(30)
      expect((await journey.finish()).claims()?.auth_time).toBe(idp.clock.now())
    })

    test('with prompt=none is login_required once exceeded', async () => {
      const journey = await signedIn()
      await idp.clock.advance(100)
      expect(errorOf(await journey.start({ prompt: 'none', max_age: '60' }))).toBe('login_required')
    })

    test('of the client’s own registration holds without the parameter', async () => {
      const journey = await signedIn()
      const kiosk = await aJourney(idp, journey.member, {
        clientId: 'kiosk',
        visitor: journey.visitor,
      })
      await idp.clock.advance(299)
      expect((await kiosk.start()).heading).toBe(PAGE.signedIn)
      await idp.clock.advance(2)
      expect((await kiosk.start()).heading).toBe(PAGE.password)
    })

    test('a session ends after half an hour unused', async () => {
      const journey = await signedIn()
      await idp.clock.advance(1799)
      expect((await journey.start()).heading).toBe(PAGE.signedIn)
      await idp.clock.advance(1801)
      expect((await journey.start()).heading).toBe(PAGE.password)
    })

    test('a session ends after twelve hours, however busy', async () => {
      const journey = await signedIn()
      for (let half = 0; half < 23; half += 1) {
        await idp.clock.advance(1799)
        await journey.start({ prompt: 'none' })
        expect(errorOf(journey.visitor.page)).toBeNull()
      }
      await idp.clock.advance(12 * 3600 - 23 * 1799 + 1)
      expect(errorOf(await journey.start({ prompt: 'none' }))).toBe('login_required')
    })
  })

  describe('hints', () => {
    test('login_hint stands in the ID field', async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      const page = await journey.start({ login_hint: journey.member.loginId })
      expect(page.root.querySelector('#username')?.getAttribute('value')).toBe(
        journey.member.loginId,
      )
    })

    test('a login_hint that is markup is shown as text', async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      const page = await journey.start({ login_hint: '"><script>alert(1)</script>' })
      expect(page.root.querySelectorAll('script:not([src])')).toEqual([])
      expect(page.root.querySelector('#username')?.getAttribute('value')).toContain('<script>')
    })

    test.each([
      ['en', 'en'],
      ['fr-CA en-GB ja', 'en'],
      ['fr', 'ja'],
      ['ja-JP', 'ja'],
    ])('ui_locales %j gives pages in %s', async (tags, lang) => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      const page = await journey.start({ ui_locales: tags })
      expect(page.root.querySelector('html')?.getAttribute('lang')).toBe(lang)
    })

    test('what one portal asked for is no choice of the member’s, on pages of the engine’s either', async () => {
      const visitor = aVisitor()
      const refused = `${idp.issuer}/auth?client_id=nobody`
      for (const address of [`${refused}&ui_locales=en`, `${idp.issuer}/session/end?ui_locales=en`])
        expect(
          (await visitor.visit(address)).root.querySelector('html')?.getAttribute('lang'),
        ).toBe('en')
      expect((await visitor.visit(refused)).root.querySelector('html')?.getAttribute('lang')).toBe(
        'ja',
      )
      await visitor.follow('English')
      expect((await visitor.visit(refused)).root.querySelector('html')?.getAttribute('lang')).toBe(
        'en',
      )
    })

    test('the switch on the page outranks what the portal asked for', async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await journey.start({ ui_locales: 'en' })
      await journey.visitor.follow('日本語')
      expect(journey.visitor.page.heading).toBe(PAGE.password)
      const faulty = await journey.visitor.submit('password')
      expect(faulty.root.querySelector('html')?.getAttribute('lang')).toBe('ja')
    })

    test('an id_token_hint of the member signed in changes nothing', async () => {
      const journey = await signedIn()
      const { id_token } = await journey.rp.finish(journey.visitor.page.url)
      const page = await journey.start({ prompt: 'none', id_token_hint: id_token ?? '' })
      expect(errorOf(page)).toBeNull()
    })

    test('an id_token_hint of another member never gives this one’s code', async () => {
      const other = await signedIn()
      const { id_token } = await other.rp.finish(other.visitor.page.url)
      const journey = await signedIn()
      const hint = { id_token_hint: id_token ?? '' }
      expect(errorOf(await journey.start({ ...hint, prompt: 'none' }))).toBe('login_required')
      expect((await journey.start(hint)).heading).toBe(PAGE.password)
      await idp.clock.advance(61)
      const page = await journey.walkTo(PAGE.signedIn)
      expect(page.url.searchParams.get('code')).toBeNull()
      expect(errorOf(page)).toBe('login_required')
    })
  })

  describe('the authentication context', () => {
    test('an essential acr that was reached is reported', async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await journey.start({ claims: essential('urn:kenpo-id:acr:pwd', 'urn:kenpo-id:acr:email') })
      expect((await journey.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
    })

    test.each([[LEAST_TWO_FACTORS], ['phr'], ['urn:example:unheard-of']])(
      'an essential acr that cannot be reached (%s) ends at the portal, once',
      async (acr) => {
        const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
        await journey.start({ claims: essential(acr) })
        const page = await journey.walkTo(PAGE.signedIn)
        expect(errorOf(page)).toBe('unmet_authentication_requirements')
        expect(page.url.searchParams.get('code')).toBeNull()
        expect(page.hops.length).toBeLessThan(6)
      },
    )

    test('a voluntary acr that cannot be reached is answered with the one reached', async () => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await journey.start({ acr_values: LEAST_TWO_FACTORS })
      expect((await journey.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
    })
  })

  describe('the authorization request', () => {
    const bend = async (change: (url: URL) => void): Promise<Page> => {
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      const url = new URL(await journey.rp.authorizationUrl())
      change(url)
      return aVisitor().visit(url)
    }

    test('needs PKCE', async () => {
      const page = await bend((url) => url.searchParams.delete('code_challenge'))
      expect(errorOf(page)).toBe('invalid_request')
    })

    test('refuses plain PKCE', async () => {
      const page = await bend((url) => url.searchParams.set('code_challenge_method', 'plain'))
      expect(errorOf(page)).toBe('invalid_request')
    })

    test.each(['token', 'id_token', 'code id_token', 'none'])(
      'refuses response_type %j',
      async (type) => {
        const page = await bend((url) => url.searchParams.set('response_type', type))
        expect(page.url.href).toContain('error=')
        expect(page.url.href).not.toContain('code=')
      },
    )

    test.each([
      'http://evil.example/cb',
      'http://localhost:1/cb',
      '//evil.example/cb',
      'javascript:alert(1)',
      'REGISTERED/../cb',
      'REGISTERED@evil.example/cb',
      'REGISTERED?next=evil',
      'REGISTERED#fragment',
      'REGISTERED/',
      'REGISTERED%2e',
    ])('to redirect_uri %s ends on our page, never at that address', async (to) => {
      const uri = to.replace('REGISTERED', idp.redirectUri)
      const page = await bend((url) => url.searchParams.set('redirect_uri', uri))
      expect(page.hops).toHaveLength(1)
      expect(page.status).toBe(400)
      expect(page.heading).toBe(PAGE.clientError)
      expect(page.text).toMatch(/invalid_redirect_uri|invalid_request/u)
      expect(page.root.querySelectorAll('a[href*="evil"]')).toEqual([])
    })

    test('that fails shows a reference number, which stands in the log', async () => {
      const page = await bend((url) => url.searchParams.set('redirect_uri', 'http://evil.example'))
      const reference = page.root.querySelector('.ref strong, .ref b')?.text ?? ''
      expect(reference).toMatch(/^[0-9A-Z]{4}-[0-9A-Z]{4}$/u)
      expect(page.headers['x-request-id']).toBe(reference)
      const lines = idp.log.filter(({ reqId }) => reqId === reference)
      expect(lines.map(({ msg }) => msg)).toEqual(['authorization.error', 'request'])
      expect(lines[0]?.clientId).toBe('health-portal')
    })

    test('of an unknown client ends on our page', async () => {
      const page = await bend((url) => url.searchParams.set('client_id', 'nobody'))
      expect(page.status).toBe(400)
      expect(page.text).toContain('invalid_client')
    })

    test.each([
      '/auth/xyz?client_id=health-portal',
      '/auth?client_id=health-portal',
      '/auth',
      '/auth?client_id=health-portal&client_id=health-portal',
      '/auth/%00?client_id=health-portal',
      '/auth?client_id[]=health-portal',
      '/auth?scope=%E0%A4%A',
    ])('%s is no fault of ours', async (path) => {
      const page = await aVisitor().visit(`${idp.issuer}${path}`)
      expect(page.status).toBeGreaterThanOrEqual(400)
      expect(page.status).toBeLessThan(500)
      expect(page.heading).not.toBe('')
    })
  })

  describe('tokens', () => {
    const redeem = (code: string, verifier: string, secret: string) =>
      fetch(`${idp.issuer}/token`, {
        method: 'POST',
        headers: {
          authorization: `Basic ${Buffer.from(`health-portal:${secret}`).toString('base64')}`,
        },
        body: new URLSearchParams({
          grant_type: 'authorization_code',
          code,
          redirect_uri: idp.redirectUri,
          code_verifier: verifier,
        }),
      })

    test('one code gives tokens once, and used twice it takes them back', async () => {
      const journey = await signedIn()
      const verifier = 'v'.repeat(43)
      const { clientSecret = '' } = idp.client()
      for (let round = 0; round < 5; round += 1) {
        const url = new URL(await journey.rp.authorizationUrl({ prompt: 'none' }))
        url.searchParams.set('code_challenge', await challengeOf(verifier))
        const page = await journey.visitor.visit(url)
        const code = page.url.searchParams.get('code') ?? ''
        expect(code).not.toBe('')
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => redeem(code, verifier, clientSecret)),
        )
        const statuses = answers.map(({ status }) => status).sort()
        expect(statuses).toEqual([200, ...Array(9).fill(400)])
        const winner = answers.find(({ status }) => status === 200)
        const { access_token } = (await (winner as Response).json()) as { access_token: string }
        const after = await fetch(`${idp.issuer}/me`, {
          headers: { authorization: `Bearer ${access_token}` },
        })
        expect(after.status).toBe(401)
      }
    })

    test('a code lives a minute', async () => {
      const journey = await signedIn()
      const { url } = journey.visitor.page
      await idp.clock.advance(61)
      await expect(journey.rp.finish(url)).rejects.toThrow()
    })

    test('a code is nothing without its verifier', async () => {
      const journey = await signedIn()
      const code = journey.visitor.page.url.searchParams.get('code') ?? ''
      const { clientSecret = '' } = idp.client()
      expect((await redeem(code, 'w'.repeat(43), clientSecret)).status).toBe(400)
    })

    test('two portals of different sectors cannot tell that it is one member', async () => {
      const journey = await signedIn()
      const here = (await journey.rp.finish(journey.visitor.page.url)).claims()
      const other = await aRelyingParty(idp, {
        ...idp.client('walking-app'),
        redirectUri: `${bystander}/cb`,
      })
      const page = await journey.visitor.visit(await other.authorizationUrl({ prompt: 'none' }))
      const there = (await other.finish(page.url)).claims()
      expect(there?.aud).toBe('walking-app')
      expect(there?.sub).not.toBe(here?.sub)
      expect([here?.sub, there?.sub]).not.toContain(journey.member.id)
    })

    test('a member who is blocked gets nothing for tokens or codes given before', async () => {
      const journey = await signedIn()
      const tokens = await journey.rp.finish(journey.visitor.page.url)
      const pending = (await journey.start({ prompt: 'none' })).url
      const stored = await idp.memberOf(journey.member)
      await idp.services.members.save({
        ...stored,
        blocked: { reason: 'emailChangeUndone', since: idp.clock.now() },
      })
      await expect(journey.rp.userInfo(tokens)).rejects.toThrow()
      await expect(journey.rp.finish(pending)).rejects.toThrow()
      expect(errorOf(await journey.start({ prompt: 'none' }))).toBe('login_required')
    })
  })

  describe('discovery', () => {
    test('tells what is served, and nothing that is not', async () => {
      const response = await fetch(`${idp.issuer}/.well-known/openid-configuration`)
      const found = (await response.json()) as Record<string, unknown>
      expect(found).toMatchObject({
        issuer: idp.issuer,
        authorization_endpoint: `${idp.issuer}/auth`,
        token_endpoint: `${idp.issuer}/token`,
        userinfo_endpoint: `${idp.issuer}/me`,
        jwks_uri: `${idp.issuer}/jwks`,
        end_session_endpoint: `${idp.issuer}/session/end`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        ui_locales_supported: ['ja', 'en'],
        authorization_response_iss_parameter_supported: true,
      })
      expect(found.acr_values_supported).toEqual([
        'urn:kenpo-id:acr:pwd',
        'urn:kenpo-id:acr:email',
        LEAST_TWO_FACTORS,
        'phr',
      ])
      expect(found.registration_endpoint).toBeUndefined()
      expect(found.grant_types_supported).not.toContain('implicit')
      expect(found.subject_types_supported).toContain('pairwise')
      expect(found.scopes_supported).not.toContain('insured')
      expect(JSON.stringify(found.claims_supported)).not.toMatch(/insured/u)
    })

    test('shows public keys only', async () => {
      const { keys } = (await (await fetch(`${idp.issuer}/jwks`)).json()) as {
        keys: Record<string, string>[]
      }
      expect(keys.length).toBeGreaterThan(0)
      for (const key of keys) {
        expect(Object.keys(key)).toEqual(expect.not.arrayContaining(['d', 'p', 'q', 'k']))
      }
    })

    test.each(['/interaction/x/login', '/device', '/reg', '/backchannel', '/challenge'])(
      'what is not part of the product (%s) is not there',
      async (path) => {
        const page = await aVisitor().visit(`${idp.issuer}${path}`)
        expect([400, 404]).toContain(page.status)
        expect(page.body).not.toContain('Sign-in')
      },
    )
  })

  describe('signing out from the portal', () => {
    const endSession = async (journey: Journey, over: Record<string, string> = {}) => {
      const { id_token = '' } = await journey.rp.finish(journey.visitor.page.url)
      const url = new URL(`${idp.issuer}/session/end`)
      url.search = new URLSearchParams({
        id_token_hint: id_token,
        post_logout_redirect_uri: `${bystander}/signed-out`,
        state: 'st',
        ...over,
      }).toString()
      return journey.visitor.visit(url)
    }

    test('asks on our page, and then the session is gone', async () => {
      const journey = await signedIn()
      const asked = await endSession(journey)
      expect(asked.status).toBe(200)
      expect(asked.heading).toBe('ログアウトしますか')
      const left = await journey.visitor.submit('ログアウトする')
      expect(left.url.href).toBe(`${bystander}/signed-out?state=st`)
      expect(errorOf(await journey.start({ prompt: 'none' }))).toBe('login_required')
    })

    test('staying signed in keeps the session', async () => {
      const journey = await signedIn()
      await endSession(journey)
      await journey.visitor.submit('ログインしたままにする')
      expect(errorOf(await journey.start({ prompt: 'none' }))).toBeNull()
    })

    test('who stays signed in, where the app named no way back, is told so', async () => {
      const journey = await signedIn()
      const { visitor } = journey
      await visitor.visit(`${idp.issuer}/session/end?client_id=health-portal`)
      const left = await visitor.submit('ログインしたままにする')
      expect(left.heading).toBe('ログインしたままです')
      expect(left.text).toContain('健康ポータルからはログアウトしました')
      await visitor.visit(`${idp.issuer}/session/end`)
      const stayed = await visitor.submit('ログインしたままにする')
      expect(stayed.heading).toBe('ログインしたままです')
      expect(stayed.text).not.toContain('ログアウトしました')
      await visitor.follow('ログアウトへ進む')
      const done = await visitor.submit('ログアウトする')
      expect(done.heading).toBe('ログアウトしました')
      expect(errorOf(await journey.start({ prompt: 'none' }))).toBe('login_required')
    })

    test('who is signed in nowhere is led to its end by a page of ours', async () => {
      const visitor = aVisitor()
      const page = await visitor.visit(`${idp.issuer}/session/end`)
      expect(page.heading).toBe('次の画面へ進みます')
      expect((await visitor.submit('次へ進む')).heading).toBe('ログアウトしました')
    })

    test('a link alone signs nobody out', async () => {
      const journey = await signedIn()
      await journey.visitor.visit(`${idp.issuer}/session/end`)
      expect(errorOf(await journey.start({ prompt: 'none' }))).toBeNull()
    })

    test('without an address to return to it ends on our page', async () => {
      const journey = await signedIn()
      await journey.visitor.visit(`${idp.issuer}/session/end?client_id=health-portal`)
      const page = await journey.visitor.submit('ログアウトする')
      expect(page.heading).toBe('ログアウトしました')
      expect(page.url.origin).toBe(idp.issuer)
    })

    test('never to an address that is not registered', async () => {
      const journey = await signedIn()
      const page = await endSession(journey, { post_logout_redirect_uri: 'https://evil.example/' })
      expect(page.status).toBe(400)
      expect(page.root.querySelectorAll('[href*="evil"], [action*="evil"]')).toEqual([])
    })
  })

  describe('one browser, several people', () => {
    test('the second member gets their own session and ends the first one’s', async () => {
      const first = await signedIn()
      const tokens = await first.rp.finish(first.visitor.page.url)
      const second = await aJourneyOf(idp, anOldHand(idp.clock.now()), { visitor: first.visitor })
      await second.start({ prompt: 'login' })
      const claims = (await second.finish()).claims()
      expect(claims?.sub).not.toBe(tokens.claims()?.sub)
      await expect(first.rp.userInfo(tokens)).rejects.toThrow()
      const silent = await second.start({ prompt: 'none' })
      expect((await second.rp.finish(silent.url)).claims()?.sub).toBe(claims?.sub)
    })

    test('a session of one society never satisfies a client of another', async () => {
      const sakura = await signedIn()
      const minato = await aJourney(idp, sakura.member, {
        clientId: 'minato-portal',
        visitor: sakura.visitor,
      })
      expect(errorOf(await minato.start({ prompt: 'none' }))).toBe('login_required')
      const page = await minato.start()
      expect(page.heading).toBe(PAGE.password)
      expect(page.text).not.toContain('さくら')
      const refused = await minato.visitor.submit('password', {
        username: sakura.member.loginId,
        password: sakura.password,
      })
      expect(refused.status).toBe(422)
      expect(refused.faults.join()).toContain('ユーザIDかパスワードが違います')
    })

    test('two societies may give the same user ID to two people', async () => {
      const now = idp.clock.now()
      const sakura = await signedIn({ loginId: '777-1' })
      const minato = await aJourneyOf(idp, {
        ...anOldHand(now, { loginId: '777-1', societyId: 'minato' }),
      })
      await minato.start()
      const claims = (await minato.finish()).claims()
      expect(claims?.aud).toBe('minato-portal')
      const ours = (await sakura.rp.finish(sakura.visitor.page.url)).claims()
      expect(claims?.sub).not.toBe(ours?.sub)
    })
  })
})

const challengeOf = async (verifier: string): Promise<string> => {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier))
  return Buffer.from(digest).toString('base64url')
}
