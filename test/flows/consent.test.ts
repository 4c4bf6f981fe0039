import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import Libsql from 'libsql'
import { refreshTokenGrant } from 'openid-client'
import type { Member } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import {
  aJourney,
  aJourneyOf,
  anOldHand,
  csrfOf,
  type Journey,
  mailsTo,
  PAGE,
  settled,
  theDate,
} from './support.ts'

const clock = theDate()
let idp: Idp

const API = 'https://api.example.jp/'
const ASKS = '歩くアプリに情報を渡しますか'
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'

/** Another company's server, with the pictures that its applications name. */
let pictures: Server
let asked: string[] = []
const pictureAt = (path: string): string =>
  `http://localhost:${(pictures.address() as AddressInfo).port}${path}`

const secret = 'a-secret-of-a-third-party-for-the-tests'
const aThirdParty = (client_id: string, client_name: string, more: object = {}) => ({
  client_id,
  client_name,
  client_secret: secret,
  grant_types: ['authorization_code', 'refresh_token'],
  policy: { society: 'sakura', thirdParty: true },
  ...more,
})

beforeAll(async () => {
  pictures = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (request.url === '/logo.png') response.setHeader('Content-Type', 'text/html').end(PNG)
    else if (request.url === '/other.png') response.end(Buffer.concat([PNG, PNG]))
    else if (request.url === '/logo.svg') response.setHeader('Content-Type', 'image/png').end(SVG)
    else response.writeHead(404).end()
  })
  await new Promise<void>((resolve) => pictures.listen(0, '127.0.0.1', resolve))
  idp = await startIdp({
    clock,
    clients: [
      aThirdParty('walk', '歩くアプリ', {
        'client_name#ja': '歩くアプリ',
        'client_name#en': 'Walking app',
        logo_uri: pictureAt('/logo.png'),
        policy_uri: 'https://walk.example.jp/privacy',
        tos_uri: 'https://walk.example.jp/terms',
        policy: {
          society: 'sakura',
          thirdParty: true,
          resources: [{ uri: API, scopes: ['steps:read'], format: 'opaque' }],
        },
      }),
      aThirdParty('site', 'サイト', { redirect_uris: ['https://site.example.jp/cb'] }),
      aThirdParty('diary', '食事日記', { logo_uri: pictureAt('/logo.svg') }),
      aThirdParty('phone-app', '端末のアプリ', {
        client_secret: undefined,
        token_endpoint_auth_method: 'none',
        application_type: 'native',
      }),
      {
        client_id: 'health-portal',
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
  })
})
afterAll(async () => {
  await idp.close()
  pictures.close()
  jest.useRealTimers()
})

const OPERATOR = { operator: 'satou', door: 'cli' } as const

const aMemberHere = () => anOldHand(clock.now())
const aWalker = (member: Member = aMemberHere()) => aJourneyOf(idp, member, { clientId: 'walk' })
/** The same member at the same browser, in front of another application. */
const at = ({ member, visitor, password }: Journey, clientId: string) =>
  aJourney(idp, member, { clientId, visitor, password })

/** What came back to the application. */
const answerOf = ({ visitor }: Journey) => Object.fromEntries(visitor.page.url.searchParams)
const errorOf = (journey: Journey) => answerOf(journey).error

/** What the page lists, each by its title. */
const listed = ({ visitor }: Journey): readonly string[] =>
  visitor.page.root.querySelectorAll('.gives b').map(({ text }) => text)

/** Signs in and comes to the page that asks. */
const toConsent = async (journey: Journey, params?: Readonly<Record<string, string>>) => {
  await journey.start(params)
  return journey.walkTo(ASKS)
}

const allowed = async (journey: Journey, params?: Readonly<Record<string, string>>) => {
  await toConsent(journey, params)
  await journey.visitor.submit('許可する')
  return journey.finish()
}

/** A member in front of a third party that is in the store, not in the file. */
const registered = async (
  name: string,
  { policy, ...entry }: Readonly<{ policy?: object; logo_uri?: string }> = {},
) => {
  const { client, secret: made = '' } = await idp.services.clients.registry.create(
    {
      client_name: name,
      redirect_uris: [idp.redirectUri],
      ...entry,
      policy: { society: 'sakura', thirdParty: true, ...policy },
    },
    OPERATOR,
  )
  const { redirectUri } = idp
  const of = { clientId: client.id, clientSecret: made, redirectUri }
  return { ...(await aJourneyOf(idp, aMemberHere(), { client: of })), clientId: client.id }
}

/** What was changed of a client: every instance knows within five seconds. */
const known = async (isKnown: () => Promise<boolean>): Promise<void> => {
  for (let seen = 0, tries = 0; seen < 4; tries += 1) {
    if (tries === 100) throw new Error('the change was never known')
    seen = (await isKnown()) ? seen + 1 : 0
    if (seen === 0) await delay(100)
  }
}

const consentOf = ({ member }: Journey, clientId = 'walk') =>
  idp.services.consents.find(member.id, clientId)

describe('A third party’s application', () => {
  test('learns nothing before the member has allowed it, and then what was listed', async () => {
    const walker = await aWalker()
    const page = await toConsent(walker, { scope: 'openid email' })
    expect(listed(walker)).toEqual(['ログインしたこと', 'メールアドレス'])
    expect(page.text).toContain('さくら健康保険組合のサービスではありません')
    // A port of the member's own device names nobody.
    expect(page.text).toContain('渡す先：この端末のアプリ')
    expect(await consentOf(walker)).toBeUndefined()

    await walker.visitor.submit('許可する')
    const tokens = await walker.finish()
    expect(tokens.scope).toBe('openid email')
    expect(await walker.rp.userInfo(tokens)).toMatchObject({ email: walker.member.email?.address })
    expect(await consentOf(walker)).toMatchObject({ scopes: ['openid', 'email'] })
  })

  test('is not asked about again, in another browser neither, until it wants more', async () => {
    const walker = await aWalker()
    await allowed(walker, { scope: 'openid email' })
    await walker.start({ scope: 'openid email' })
    expect(walker.visitor.page.heading).toBe(PAGE.signedIn)

    const elsewhere = await aJourney(idp, walker.member, { clientId: 'walk' })
    await clock.advance(61) // one mail a minute
    await elsewhere.start({ scope: 'openid' })
    await elsewhere.finish()

    await toConsent(walker, { scope: 'openid email profile' })
    expect(listed(walker)).toEqual(['プロフィール', 'ログインしたこと', 'メールアドレス'])
    expect(walker.visitor.page.text).toContain('新しく渡す情報')
    await walker.visitor.submit('許可する')
    expect((await walker.finish()).scope).toBe('openid email profile')
    expect(await consentOf(walker)).toMatchObject({ scopes: ['openid', 'email', 'profile'] })
  })

  test('that says what it cannot do without has it marked, and asks for no claim twice', async () => {
    const walker = await aWalker()
    const claims = (...names: readonly string[]) =>
      JSON.stringify({
        userinfo: Object.fromEntries(names.map((name) => [name, { essential: name === 'gender' }])),
      })
    await toConsent(walker, { claims: claims('gender', 'birthdate') })
    expect(listed(walker)).toEqual(['ログインしたこと', '性別', '生年月日'])
    const [marked, ...others] = walker.visitor.page.root.querySelectorAll('.gives .tag')
    expect([marked?.parentNode?.text, others]).toEqual([expect.stringContaining('性別'), []])
    await walker.visitor.submit('許可する')
    const tokens = await walker.finish()
    expect(await walker.rp.userInfo(tokens)).toMatchObject({ birthdate: walker.member.birthdate })

    await toConsent(walker, { scope: 'openid profile', claims: claims('gender', 'birthdate') })
    await walker.visitor.submit('許可する')
    await walker.finish()
    await walker.start({ claims: claims('gender', 'name', 'nickname') })
    expect(walker.visitor.page.heading).toBe(PAGE.signedIn)
  })

  test('names the API that it wants to use, once', async () => {
    const walker = await aWalker()
    const wish = { scope: 'openid steps:read', resource: API }
    await toConsent(walker, wish)
    expect(listed(walker)).toEqual(['ログインしたこと', 'データの利用（steps:read）'])
    expect(walker.visitor.page.text).toContain(API)
    await walker.visitor.submit('許可する')
    expect(walker.visitor.page.heading).toBe(PAGE.signedIn)
    expect(await consentOf(walker)).toMatchObject({ resources: [`${API} steps:read`] })
    await walker.start(wish)
    expect(walker.visitor.page.heading).toBe(PAGE.signedIn)
  })

  test('names the API that it wants a token for without any scope of it, too', async () => {
    const walker = await aWalker()
    const wish = { scope: 'openid', resource: API }
    await toConsent(walker, wish)
    expect(listed(walker)).toEqual(['ログインしたこと', 'データの利用'])
    expect(walker.visitor.page.text).toContain(API)
    await walker.visitor.submit('許可する')
    expect(walker.visitor.page.heading).toBe(PAGE.signedIn)
    expect(await consentOf(walker)).toMatchObject({ resources: [API] })
    await walker.start(wish)
    expect(walker.visitor.page.heading).toBe(PAGE.signedIn)
  })

  test('is told to be sent to its own host, where it has one', async () => {
    const redirectUri = 'https://site.example.jp/cb'
    const site = await aJourneyOf(idp, aMemberHere(), {
      client: { clientId: 'site', clientSecret: secret, redirectUri },
    })
    await site.start()
    const page = await site.walkTo('サイトに情報を渡しますか')
    expect(page.text).toContain('渡す先：site.example.jp')
  })

  test('is told no more than was listed once our terms with it allow more, until that is allowed, too', async () => {
    const journey = await registered('ひろがるアプリ', { policy: { claims: ['birthdate'] } })
    const asks = 'ひろがるアプリに情報を渡しますか'
    const { clientId } = journey
    await journey.start({ scope: 'openid profile' })
    await journey.walkTo(asks)
    expect(journey.visitor.page.text).toContain('生年月日のうち、登録があるもの')
    await journey.visitor.submit('許可する')
    const tokens = await journey.finish()
    const told = { birthdate: journey.member.birthdate }
    expect(await journey.rp.userInfo(tokens)).toMatchObject(told)

    const { registry } = idp.services.clients
    await registry.update(clientId, { policy: { claims: null } }, OPERATOR)
    await known(async () => {
      await journey.start({ scope: 'openid profile', prompt: 'none' })
      return errorOf(journey) === 'consent_required'
    })
    expect(await journey.rp.userInfo(tokens)).not.toHaveProperty('locale')

    await journey.start({ scope: 'openid profile' })
    expect(journey.visitor.page.heading).toBe(asks)
    const [fresh, before] = journey.visitor.page.root.querySelectorAll('.gives')
    expect(fresh?.text).toContain('プロフィール')
    expect(fresh?.text).not.toContain('生年月日')
    expect(before?.text).toContain('生年月日')
    await journey.visitor.submit('許可する')
    const { locale } = journey.member
    expect(await journey.rp.userInfo(await journey.finish())).toMatchObject({ ...told, locale })
  })

  test('has a code of an instance whose clock is behind taken by one that is not', async () => {
    const walker = await aWalker()
    await toConsent(walker)
    await walker.visitor.submit('許可する')
    const { consents } = idp.services
    const consent = await consentOf(walker)
    if (!consent) throw new Error('there is no consent')
    await consents.withdraw(walker.member.id, 'walk')
    await consents.give({ ...consent, since: clock.now() + 5 })
    await walker.finish()
    // A minute is no difference between clocks.
    await walker.start()
    const code = walker.visitor.page.url
    await consents.withdraw(walker.member.id, 'walk')
    await consents.give({ ...consent, since: clock.now() + 90 })
    await expect(walker.rp.finish(code)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test('hears access_denied where the member does not allow it, and nothing is kept', async () => {
    const walker = await aWalker()
    await toConsent(walker)
    await walker.visitor.submit('許可しない')
    expect(answerOf(walker)).toMatchObject({ error: 'access_denied', iss: idp.issuer })
    expect(await consentOf(walker)).toBeUndefined()
  })

  test('hears consent_required where it must not ask (prompt=none), and the tokens once it is allowed', async () => {
    const walker = await aWalker()
    await (await at(walker, 'health-portal')).start()
    await walker.walkTo(PAGE.signedIn)
    await walker.start({ prompt: 'none' })
    expect(errorOf(walker)).toBe('consent_required')
    await allowed(walker)
    await walker.start({ prompt: 'none' })
    await walker.finish()
    await walker.start({ prompt: 'none', scope: 'openid email' })
    expect(errorOf(walker)).toBe('consent_required')
  })

  test('is allowed for itself and no other', async () => {
    const walker = await aWalker()
    await allowed(walker)
    const diary = await at(walker, 'diary')
    const page = await diary.start()
    expect(page.heading).toBe('食事日記に情報を渡しますか')
    await diary.visitor.submit('許可する')
    await diary.finish()
    expect(await consentOf(diary, 'diary')).toBeDefined()
  })

  test('that runs on the member’s device, where any app can pass for it, is asked about each time', async () => {
    const app = await aJourneyOf(idp, aMemberHere(), { clientId: 'phone-app' })
    await app.start()
    await app.walkTo('端末のアプリに情報を渡しますか')
    await app.visitor.submit('許可する')
    await app.finish()
    await app.start()
    expect(app.visitor.page.heading).toBe('端末のアプリに情報を渡しますか')
    await app.start({ prompt: 'none' })
    expect(errorOf(app)).toBe('interaction_required')
  })
})

describe('prompt=consent', () => {
  test('asks for everything once more', async () => {
    const walker = await aWalker()
    await allowed(walker, { scope: 'openid email' })
    await walker.start({ scope: 'openid email', prompt: 'consent' })
    expect(walker.visitor.page.heading).toBe(ASKS)
    expect(listed(walker)).toEqual(['ログインしたこと', 'メールアドレス'])
    await walker.visitor.submit('許可する')
    await walker.finish()
  })

  test('asks about the society’s own application too, which is never asked about otherwise', async () => {
    const portal = await aJourneyOf(idp, aMemberHere())
    await portal.start()
    await portal.finish()
    await portal.start({ prompt: 'consent' })
    expect(portal.visitor.page.heading).toBe('健康ポータルに情報を渡しますか')
    expect(portal.visitor.page.text).not.toContain('のサービスではありません')
    await portal.visitor.submit('許可しない')
    expect(errorOf(portal)).toBe('access_denied')
    await portal.start({ prompt: 'consent' })
    await portal.visitor.submit('許可する')
    await portal.finish()
    expect(await consentOf(portal, 'health-portal')).toBeUndefined()
  })

  test('with prompt=login or max_age=0 asks for the sign-in once, and then for the consent', async () => {
    const walker = await aWalker()
    await allowed(walker)
    await clock.advance(70)
    await walker.start({ prompt: 'login consent' })
    expect(walker.visitor.page.heading).toBe(PAGE.password)
    await walker.walkTo(ASKS)
    await clock.advance(5)
    await walker.visitor.submit('許可する')
    expect((await walker.finish()).claims()?.auth_time).toBeGreaterThan(clock.now() - 60)

    await clock.advance(70)
    await toConsent(walker, { max_age: '0', scope: 'openid email' })
    await clock.advance(5)
    await walker.visitor.submit('許可する')
    expect(walker.visitor.page.heading).toBe(PAGE.signedIn)
  })

  test.each(['walk', 'health-portal'])(
    'is what a refresh token takes, with offline_access: %s gets none else',
    async (clientId) => {
      const journey = await aJourneyOf(idp, aMemberHere(), { clientId })
      await journey.start({ scope: 'openid offline_access' })
      if (clientId === 'walk') {
        await journey.walkTo(ASKS)
        await journey.visitor.submit('許可する')
      }
      const without = await journey.finish()
      expect([without.refresh_token, without.scope]).toEqual([undefined, 'openid'])

      await journey.start({ scope: 'openid offline_access', prompt: 'consent' })
      expect(listed(journey)).toContain('ログインしていない間の利用')
      await journey.visitor.submit('許可する')
      const { refresh_token: token = '' } = await journey.finish()
      const renewed = await refreshTokenGrant(journey.rp.config, token)
      expect(await journey.rp.userInfo(renewed)).toHaveProperty('sub')
    },
  )
})

describe('The page that asks', () => {
  test('takes one answer, however often the button is pressed', async () => {
    const walker = await aWalker()
    await toConsent(walker)
    const { url } = walker.visitor.page
    const csrf = csrfOf(walker.visitor.page)
    const cookie = walker.visitor.jar.getCookieStringSync(url.href)
    const press = () =>
      fetch(`${url.href}/consent`, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, 'Sec-Fetch-Site': 'same-origin' },
        body: new URLSearchParams({ csrf }),
      })
    const answers = await Promise.all([press(), press(), press()])
    expect(answers.map(({ status }) => status)).toEqual([303, 303, 303])
    await walker.visitor.visit(answers[2]?.headers.get('location') ?? '')
    await walker.finish()
    const events = await idp.services.audit.eventsOf(walker.member.id)
    expect(events).toMatchObject([
      { act: 'consentGiven', facts: { client: 'walk', allowed: 'openid' } },
    ])
    await settled(idp)
    const [mail, ...more] = mailsTo(idp, walker.member.email?.address ?? '').filter(({ text }) =>
      text.includes('歩くアプリ」に情報'),
    )
    expect([mail?.subject, more]).toEqual([expect.stringContaining('アプリと連携しました'), []])
  })

  test('is over once it is answered: the back button and its form lead to the way back', async () => {
    const walker = await aWalker()
    const { url } = await toConsent(walker)
    await walker.visitor.submit('許可する')
    await walker.finish()
    expect((await walker.visitor.visit(url)).heading).toBe(PAGE.stale)
    await walker.visitor.post(`${url.href}/consent`, {}, { 'Sec-Fetch-Site': 'same-origin' })
    expect(walker.visitor.page.heading).toBe(PAGE.stale)
  })

  test('takes no answer from another site, and shows itself again to a form without its token', async () => {
    const walker = await aWalker()
    const { url } = await toConsent(walker)
    await walker.visitor.post(`${url.href}/consent`, {}, { 'Sec-Fetch-Site': 'cross-site' })
    expect(walker.visitor.page.heading).toBe(PAGE.forged)
    await walker.visitor.post(`${url.href}/consent`, {}, { 'Sec-Fetch-Site': 'same-origin' })
    expect(walker.visitor.page.heading).toBe(ASKS)
    expect(await consentOf(walker)).toBeUndefined()
  })

  test('gives nothing to an application that was disabled meanwhile', async () => {
    const { registry } = idp.services.clients
    const { client_secret: _secret, client_id: _id, ...entry } = aThirdParty('', 'とまるアプリ')
    const { client, secret: made = '' } = await registry.create(
      { ...entry, redirect_uris: [idp.redirectUri] },
      OPERATOR,
    )
    const { redirectUri } = idp
    const registered = { clientId: client.id, clientSecret: made, redirectUri }
    const journey = await aJourneyOf(idp, aMemberHere(), { client: registered })
    await journey.start()
    await journey.walkTo('とまるアプリに情報を渡しますか')
    const { url } = journey.visitor.page
    const csrf = csrfOf(journey.visitor.page)
    await registry.disable(client.id, {}, OPERATOR)
    // Every instance knows within five seconds.
    for (let refused = 0, tries = 0; refused < 4 && tries < 100; tries += 1) {
      const { status } = await journey.visitor.visit(url)
      refused = status === 400 ? refused + 1 : 0
      if (refused === 0) await delay(100)
    }
    const page = await journey.visitor.post(`${url.href}/consent`, { csrf })
    expect([page.status, page.url.origin]).toEqual([400, idp.issuer])
    expect(await consentOf(journey, client.id)).toBeUndefined()
  })

  test('gives nothing where the member was signed out meanwhile', async () => {
    const walker = await aWalker()
    await toConsent(walker)
    const other = await aJourney(idp, walker.member)
    await clock.advance(61) // one mail a minute
    await other.start()
    await other.walkTo(PAGE.signedIn)
    await other.visitor.visit(`${idp.issuer}/account/sakura`)
    await other.visitor.submit('ほかの端末をすべてログアウトさせる')
    await walker.visitor.submit('許可する')
    expect(walker.visitor.page.heading).toBe(PAGE.stale)
    expect(await consentOf(walker)).toBeUndefined()
  })

  test('speaks English to who wants it', async () => {
    const visitor = aVisitor({ language: 'en' })
    const walker = await aJourneyOf(idp, aMemberHere(), { clientId: 'walk', visitor })
    await walker.start({ ui_locales: 'ja' })
    await walker.walkTo(ASKS)
    await visitor.follow('English')
    expect(visitor.page.heading).toBe('Share your information with Walking app?')
  })
})

describe('On the account page, a connection', () => {
  /** The account page of a member who has allowed the application to go on while they are away. */
  const connected = async () => {
    const walker = await aWalker()
    const tokens = await allowed(walker, {
      scope: 'openid email offline_access',
      prompt: 'consent',
    })
    await walker.visitor.visit(`${idp.issuer}/account/sakura`)
    return { walker, tokens }
  }

  test('is listed with what it receives, and not for who has none', async () => {
    const { walker } = await connected()
    expect(walker.visitor.page.text).toContain('連携しているアプリ')
    expect(walker.visitor.page.text).toMatch(
      /歩くアプリ .+から／渡す情報：ログインしたこと・メールアドレス・ログインしていない間の利用/u,
    )
    const portal = await aJourneyOf(idp, aMemberHere())
    await portal.start()
    await portal.walkTo(PAGE.signedIn)
    await portal.visitor.visit(`${idp.issuer}/account/sakura`)
    expect(portal.visitor.page.text).not.toContain('連携しているアプリ')
  })

  test('once ended gives nothing more: tokens, refresh tokens and codes are dead, and it must ask again', async () => {
    const { walker, tokens } = await connected()
    await walker.start({ scope: 'openid email' })
    const unused = walker.visitor.page.url
    await walker.visitor.visit(`${idp.issuer}/account/sakura`)
    await walker.visitor.submit('連携をやめる')
    expect(walker.visitor.page.text).toContain('連携をやめました')
    expect(walker.visitor.page.text).not.toContain('連携しているアプリ')

    await expect(walker.rp.userInfo(tokens)).rejects.toThrow()
    const refresh = refreshTokenGrant(walker.rp.config, tokens.refresh_token ?? '')
    await expect(refresh).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(walker.rp.finish(unused)).rejects.toMatchObject({ error: 'invalid_grant' })

    expect(await idp.services.audit.eventsOf(walker.member.id)).toMatchObject([
      { act: 'consentGiven' },
      { act: 'consentWithdrawn', facts: { client: 'walk' } },
    ])
    await settled(idp)
    const subjects = mailsTo(idp, walker.member.email?.address ?? '').map(({ subject }) => subject)
    expect(subjects.filter((subject) => subject.includes('連携をやめました'))).toHaveLength(1)

    await walker.start({ prompt: 'none' })
    expect(errorOf(walker)).toBe('consent_required')
    const anew = await allowed(walker)
    expect(await walker.rp.userInfo(anew)).not.toHaveProperty('email')
    await expect(walker.rp.userInfo(tokens)).rejects.toThrow()
  })

  test('ended while a sign-in is under way leaves that without effect', async () => {
    const { walker } = await connected()
    const elsewhere = await aJourney(idp, walker.member, { clientId: 'walk' })
    await clock.advance(61) // one mail a minute
    await elsewhere.start({ scope: 'openid email' })
    await elsewhere.walkTo(PAGE.signedIn)
    const code = elsewhere.visitor.page.url
    // What the list of sessions does not know yet: only the consent that is gone can tell.
    await idp.services.consents.withdraw(walker.member.id, 'walk')
    await expect(elsewhere.rp.finish(code)).rejects.toMatchObject({ error: 'invalid_grant' })
  })

  test('to an application of which there is another by its ID now is none of that one’s', async () => {
    const { walker } = await connected()
    const { consents } = idp.services
    await consents.give({
      memberId: walker.member.id,
      clientId: 'gone-for-good',
      since: clock.now(),
      updatedAt: clock.now(),
      scopes: ['openid', 'email'],
      claims: [],
      resources: [],
    })
    const page = await walker.visitor.visit(`${idp.issuer}/account/sakura`)
    expect(page.text).toContain('登録がなくなったアプリ（gone-for-good）')
    await clock.advance(120)
    const { client, secret: made = '' } = await idp.services.clients.registry.create(
      {
        client_id: 'gone-for-good',
        client_name: '別のアプリ',
        redirect_uris: [idp.redirectUri],
        policy: { society: 'sakura', thirdParty: true },
      },
      OPERATOR,
    )
    await clock.advance(10)
    await known(async () => {
      const { text } = await walker.visitor.visit(`${idp.issuer}/account/sakura`)
      return !text.includes('gone-for-good')
    })
    expect(walker.visitor.page.text).toContain('歩くアプリ')
    expect(walker.visitor.page.text).not.toContain('別のアプリ')
    const { redirectUri } = idp
    const registered = { clientId: client.id, clientSecret: made, redirectUri }
    const { member, visitor } = walker
    const another = await aJourney(idp, member, { client: registered, visitor })
    await another.start()
    await another.walkTo('別のアプリに情報を渡しますか')
    await visitor.submit('許可する')
    await another.finish()
    expect(await consentOf(another, client.id)).toMatchObject({ scopes: ['openid'] })
  })
})

describe('Where something comes in between', () => {
  let failing: Idp
  beforeAll(async () => {
    failing = await startIdp({
      clock,
      store: 'embedded',
      instances: 1,
      clients: [aThirdParty('walk', '歩くアプリ')],
    })
  })
  afterAll(() => failing.close())

  /** From beside it, as a full disk would do. */
  const change = (sql: string): void => {
    const file = new Libsql(join(failing.dataDir, 'kenpo-id.sqlite'))
    file.exec(sql)
    file.close()
  }
  const whileRefused = async (table: string, act: () => Promise<unknown>): Promise<void> => {
    change(
      `CREATE TRIGGER refused BEFORE INSERT ON ${table} BEGIN SELECT RAISE(ABORT, 'full'); END`,
    )
    await act()
    change('DROP TRIGGER refused')
  }

  test.each(['audit_events', 'outbox'])(
    'a consent without a trace in %s is none, nor is an end; both are told once when tried again',
    async (table) => {
      const walker = await aJourneyOf(failing, aMemberHere(), { clientId: 'walk' })
      const { consents, audit } = failing.services
      const held = async () => (await consents.find(walker.member.id, 'walk')) !== undefined
      const { url } = await toConsent(walker)
      await whileRefused(table, () => walker.visitor.submit('許可する'))
      expect([walker.visitor.page.status, await held()]).toEqual([500, false])
      await walker.visitor.visit(url)
      await walker.visitor.submit('許可する')
      await walker.finish()

      const account = `${failing.issuer}/account/sakura`
      await walker.visitor.visit(account)
      await whileRefused(table, () => walker.visitor.submit('連携をやめる'))
      expect([walker.visitor.page.status, await held()]).toEqual([500, true])
      await walker.visitor.visit(account)
      await walker.visitor.submit('連携をやめる')
      expect(await held()).toBe(false)

      const acts = (await audit.eventsOf(walker.member.id)).map(({ act }) => act)
      expect(acts).toEqual(['consentGiven', 'consentWithdrawn'])
      await settled(failing)
      const subjects = mailsTo(failing, walker.member.email?.address ?? '')
        .map(({ subject }) => subject)
        .filter((subject) => subject.includes('連携'))
      expect(subjects).toEqual([
        expect.stringContaining('連携しました'),
        expect.stringContaining('連携をやめました'),
      ])
    },
  )

  test('a consent asked for once more and ended at that moment stays ended, and is asked for anew', async () => {
    const walker = await aJourneyOf(failing, aMemberHere(), { clientId: 'walk' })
    const { consents, audit } = failing.services
    await allowed(walker)
    await toConsent(walker, { prompt: 'consent' })
    // The account page of another browser is as fast as this press.
    const { find } = consents
    consents.find = async (memberId, clientId) => {
      consents.find = find
      const found = await find(memberId, clientId)
      await consents.withdraw(memberId, clientId)
      return found
    }
    await walker.visitor.submit('許可する')
    expect(walker.visitor.page.heading).toBe(ASKS)
    expect(await consents.find(walker.member.id, 'walk')).toBeUndefined()
    await walker.visitor.submit('許可する')
    await walker.finish()
    const given = { act: 'consentGiven', facts: { allowed: 'openid' } }
    expect(await audit.eventsOf(walker.member.id)).toMatchObject([given, given])
  })
})

describe('A logo', () => {
  test('is fetched once, kept, and shown from our own address; so are the links to terms and policy', async () => {
    asked = []
    const walker = await aWalker()
    const page = await walker.start()
    expect(page.heading).toBe(PAGE.password)
    const shown = page.root.querySelector('img.logo')?.getAttribute('src') ?? ''
    expect(shown).toMatch(/^\/logos\/walk\/[\w-]{43}$/u)
    expect(page.body).not.toContain(pictureAt(''))
    for (const address of ['https://walk.example.jp/privacy', 'https://walk.example.jp/terms']) {
      expect(page.root.querySelector(`a[href="${address}"]`)).not.toBeNull()
    }
    const consent = await walker.walkTo(ASKS)
    expect(consent.root.querySelector('img.logo')?.getAttribute('src')).toBe(shown)
    expect(asked.filter((path) => path === '/logo.png').length).toBeLessThanOrEqual(1)

    const picture = await fetch(`${idp.issuer}${shown}`)
    expect(Buffer.from(await picture.arrayBuffer())).toEqual(PNG)
    expect(Object.fromEntries(picture.headers)).toMatchObject({
      'content-type': 'image/png',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; sandbox",
      'cache-control': expect.stringContaining('immutable'),
    })
  })

  test('that is no PNG, JPEG or WebP is left out, and the log says why', async () => {
    const diary = await aJourneyOf(idp, aMemberHere(), { clientId: 'diary' })
    const page = await diary.start()
    expect(page.root.querySelector('img.logo')).toBeNull()
    expect(idp.log).toContainEqual(
      expect.objectContaining({
        msg: 'logo not taken',
        clientId: 'diary',
        reason: 'it is no PNG, JPEG or WebP',
      }),
    )
  })

  test('takes the place of the one before: a client has one at a time', async () => {
    const journey = await registered('きせかえ', { logo_uri: pictureAt('/logo.png') })
    const shown = async () =>
      (await journey.start()).root.querySelector('img.logo')?.getAttribute('src') ?? ''
    const status = async (path: string) => (await fetch(`${idp.issuer}${path}`)).status
    const first = await shown()
    expect(await status(first)).toBe(200)
    const { registry } = idp.services.clients
    await registry.update(journey.clientId, { logo_uri: pictureAt('/other.png') }, OPERATOR)
    await known(async () => ![first, ''].includes(await shown()))
    expect([await status(first), await status(await shown())]).toEqual([404, 200])
  })

  test('of nobody is no page', async () => {
    const name = 'a'.repeat(43)
    for (const path of [name, `walk/${name}`, `nobody/${name}`, '..%2fapp.css', 'walk/..%2fa']) {
      expect((await fetch(`${idp.issuer}/logos/${path}`)).status).toBe(404)
    }
  })
})
