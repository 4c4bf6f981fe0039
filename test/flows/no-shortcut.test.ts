import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Acr } from '../../accounts/assurance.ts'
import type { Member } from '../../accounts/member.ts'
import { accountPages } from '../../interactions/account/index.ts'
import { handlers } from '../../interactions/steps/index.ts'
import { ask, aVisitor } from '../support/agent.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { holding } from './keys.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  csrfOf,
  type Journey,
  PAGE,
  sampled,
  theDate,
} from './support.ts'

const FORM = 'application/x-www-form-urlencoded'

const PWD = 'urn:kenpo-id:acr:pwd'
const EMAIL = 'urn:kenpo-id:acr:email'
const MFA = 'https://refeds.org/profile/mfa'

/** Every act of every step, as a browser can name it; leaving the request is none of them. */
const ACTS: readonly string[] = [
  ...new Set(
    Object.entries(handlers).flatMap(([step, { acts = {} }]) => [step, ...Object.keys(acts)]),
  ),
]

const ACCOUNT_ACTS: readonly string[] = [...accountPages].flatMap(([page, { acts }]) =>
  Object.keys(acts).map((act) => `${page}/${act}`),
)

const accepting = (clientId: string, requiredAcr: Acr) => ({
  client_id: clientId,
  client_name: clientId,
  client_secret: 'a-secret-of-a-relying-party-of-this-test',
  policy: { society: 'sakura', requiredAcr },
})

describe('With fewer factors than required', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({
      clock: theDate(),
      env: { IDP_TRUSTED_PROXY_HOPS: '1' },
      clients: [
        accepting('takes-pwd', PWD),
        accepting('takes-mfa', MFA),
        accepting('takes-phr', 'phr'),
      ],
    })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  /** What the engine has given out in the member’s name: to this client, and as a session. */
  const givenOut = async ({ member }: Journey, clientId: string): Promise<readonly string[]> =>
    (await idp.stores.artifacts()).flatMap(({ model, payload }) => {
      const { accountId, clientId: to, amr } = JSON.parse(payload)
      if (accountId !== member.id) return []
      if (model === 'Session') return [`session ${amr}`]
      // A grant says what a client may be given one day, and gives nothing.
      return !['Interaction', 'Grant'].includes(model) && to === clientId ? [model] : []
    })

  /** What of the account a thief would want to change. */
  const bound = async ({ member }: Journey): Promise<string> => {
    const { password, email, credentials } = await idp.memberOf(member)
    return JSON.stringify([password, email, credentials])
  }

  /** Whatever a form can say that is not the right answer. */
  const nonsense = ({ member }: Journey): Readonly<Record<string, string>> => {
    const userHandle = Buffer.from(member.id).toString('base64url')
    const stranger = createAuthenticator({ origin: idp.issuer })
    const options = { challenge: 'AAAA', rpId: 'localhost' }
    return {
      username: member.loginId,
      password: 'x',
      current: 'x',
      ...{ era: 'seireki', year: '1901', month: '1', day: '1' },
      email: 'no address',
      code: '000000',
      pass: 'ABCD-EFGH-JKMN',
      response: stranger.authenticate(options, { userHandle }),
      failure: 'pk.cancel',
      label: 'x',
      saved: 'no',
      companyPc: 'yes',
      doneSeen: 'true',
    }
  }

  /** Tries every route there is. Returns those that ended at the relying party with a code. */
  const driveEverything = async (
    journey: Journey,
    clientId: string,
  ): Promise<readonly string[]> => {
    const { visitor } = journey
    const { url } = visitor.page
    const csrf = csrfOf(visitor.page)
    const uid = url.pathname.split('/').at(-1) ?? ''
    const opened: string[] = []
    const watch = (route: string) => {
      const { hops } = visitor.page
      if (hops.some(({ url: hop, location = '' }) => /[?&]code=/u.test(`${hop} ${location}`))) {
        opened.push(route)
      }
    }
    const get = async (route: string) => {
      await visitor.visit(route.startsWith('http') ? route : `${idp.issuer}${route}`)
      watch(route)
    }
    const ours = { 'Sec-Fetch-Site': 'same-origin', Origin: idp.issuer }
    const post = async (route: string, fields: Readonly<Record<string, string>>) => {
      await visitor.post(`${idp.issuer}${route}`, { csrf, ...fields }, ours)
      watch(route)
    }
    /** Where the browser is sent by one request of its own; null: it is shown something. */
    const whereTo = async (route: string, fields?: Readonly<Record<string, string>>) => {
      const url = new URL(route, idp.issuer)
      const headers = { ...ours, Cookie: visitor.jar.getCookieStringSync(url.href) }
      const body = fields && new URLSearchParams({ csrf, ...fields }).toString()
      const answer = await ask(
        url,
        body === undefined
          ? { headers }
          : { method: 'POST', headers: { ...headers, 'Content-Type': FORM }, body },
      )
      return answer.headers.location ?? null
    }
    /** An act of this request, then its page; what leads elsewhere is followed. */
    const act = async (name: string, fields: Readonly<Record<string, string>>) => {
      const page = `/interaction/${uid}`
      const places = [await whereTo(`${page}/${name}`, fields), await whereTo(page)]
      for (const place of places) if (place !== null && place !== page) await get(place)
    }

    const wrong = nonsense(journey)
    for (const route of [`/auth/${uid}`, `/interaction/${uid}`, '/auth/of-nobody']) await get(route)
    for (const name of [...ACTS, 'constructor', '__proto__', 'finish']) await act(name, wrong)
    await get(`/auth/${uid}`)
    for (const method of ['password', 'passkey', 'totp', 'emailCode', 'recoveryCode', 'deskPass']) {
      for (const name of ['use-method', 'verifyFactor', 'chooseFactor', 'registerFactor', 'done']) {
        await act(name, { ...wrong, method, factor: method })
      }
    }
    await get(`/auth/${uid}`)
    await post(`/auth/${uid}`, wrong)
    await get(`/interaction/${uid}/email-status`)

    for (const ask of [
      { prompt: 'none' },
      { acr_values: PWD },
      { claims: JSON.stringify({ id_token: { acr: { essential: true, value: PWD } } }) },
      { claims: JSON.stringify({ id_token: { acr: { essential: true, values: [PWD, EMAIL] } } }) },
      { max_age: '999999', login_hint: journey.member.loginId },
      {
        prompt: 'none',
        claims: JSON.stringify({ id_token: { sub: { value: journey.member.id } } }),
      },
    ]) {
      await journey.start(ask)
      watch(JSON.stringify(ask))
    }
    await get('/account/sakura')
    // Which takes a password and a mailed code.
    const mayEnter = (await givenOut(journey, clientId)).some(
      (given) => given === 'session pwd,otp,mca',
    )
    expect(visitor.page.heading === 'ログインの設定').toBe(mayEnter)
    for (const name of mayEnter ? [] : ACCOUNT_ACTS) {
      // Back to the page, which asks to sign in.
      const page = `/account/sakura/${name.split('/', 1)[0]}`
      expect(await whereTo(`/account/sakura/${name}`, wrong)).toBe(page)
    }

    const basic = (secret: string | undefined) =>
      `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`
    const cookies = (await visitor.jar.getCookies(url.href)).map(({ value }) => value)
    const grants = [uid, csrf, journey.member.id, ...cookies].flatMap((secret) => [
      { grant_type: 'authorization_code', code: secret, code_verifier: 'v'.repeat(43) },
      { grant_type: 'refresh_token', refresh_token: secret },
    ])
    for (const grant of [
      ...grants,
      { grant_type: 'client_credentials' },
      { grant_type: 'password', username: journey.member.loginId, password: journey.password },
    ]) {
      const answer = await ask(new URL('/token', idp.issuer), {
        method: 'POST',
        headers: {
          Authorization: basic(idp.client(clientId).clientSecret),
          'Content-Type': FORM,
        },
        body: new URLSearchParams({ ...grant, redirect_uri: idp.redirectUri }).toString(),
      })
      expect(answer.status).toBe(400)
    }
    for (const secret of ['', uid, csrf, journey.member.id]) {
      const headers = { Authorization: `Bearer ${secret}` }
      const answer = await ask(new URL('/me', idp.issuer), { headers })
      expect(answer.status).toBeGreaterThanOrEqual(400)
    }

    await visitor.visit(url)
    await post(`/interaction/${uid}/abort`, {})
    return opened
  }

  /** One more member’s way: each starts at an address of its own, which no other test has used up. */
  let hosts = 0
  const visitorFrom = (network: 'home' | 'office' = 'home') => {
    hosts += 1
    const address = network === 'office' ? `192.0.2.${hosts}` : `203.0.113.${hosts}`
    return aVisitor({ headers: { 'X-Forwarded-For': address } })
  }
  type Start = Readonly<{ journey: Journey; clientId: string }>

  const newcomerAt = async (
    heading: string,
    options: Readonly<{
      method?: 'passkey' | 'totp'
      clientId?: string
      over?: Partial<Member>
    }> = {},
  ): Promise<Start> => {
    const { method = 'emailCode', clientId = 'health-portal', over } = options
    const visitor = visitorFrom()
    const journey = await aJourneyOf(idp, aNewcomer(over), { method, clientId, visitor })
    await journey.start()
    await journey.walkTo(heading)
    return { journey, clientId }
  }

  const memberAt = async (
    heading: string,
    methods: Parameters<typeof holding>[1],
    options: Readonly<{
      clientId?: string
      over?: Partial<Member>
      network?: 'home' | 'office'
    }> = {},
  ): Promise<Start> => {
    const { clientId = 'health-portal', over, network } = options
    const base = anOldHand(idp.clock.now(), over)
    const { member, keys } = await holding(idp, methods, base)
    const visitor = visitorFrom(network)
    const journey = await aJourneyOf(idp, member, { clientId, keys, visitor })
    await journey.start()
    await journey.walkTo(heading)
    return { journey, clientId }
  }

  const SET_BY_MAILBOX = { password: { hash: 'x', changedAt: 0, setByMailbox: true } } as const
  const resetPassword = (): Partial<Member> => {
    const { password } = anOldHand(idp.clock.now())
    return {
      password: { ...SET_BY_MAILBOX.password, hash: password.hash, changedAt: idp.clock.now() },
    }
  }
  const BLOCKED = { blocked: { reason: 'emailChangeUndone', since: 0 } } as const

  const partial: readonly (readonly [string, () => Promise<Start>])[] = [
    ['nothing at all', () => memberAt(PAGE.password, ['emailCode'])],
    ['the password of a member with a mailbox', () => memberAt(PAGE.emailCode, ['emailCode'])],
    ['the password of a member with an app', () => memberAt(PAGE.verifyTotp, ['totp'])],
    ['the password of a member with a passkey', () => memberAt(PAGE.verifyPasskey, ['passkey'])],
    [
      'the password of a member with everything',
      () => memberAt(PAGE.verifyPasskey, ['passkey', 'totp', 'recoveryCode']),
    ],
    [
      'the password, where a passkey alone would do',
      () => memberAt(PAGE.verifyPasskey, ['totp', 'passkey'], { clientId: 'takes-phr' }),
    ],
    [
      'the password, on a company network that shuts the passkey out',
      () => memberAt(PAGE.stopped, ['passkey'], { clientId: 'takes-mfa', network: 'office' }),
    ],
    [
      'the password, on a company network',
      () => memberAt(PAGE.emailCode, ['passkey', 'totp', 'recoveryCode'], { network: 'office' }),
    ],
    [
      'a password set by the mailbox, where the password alone would do',
      () =>
        memberAt(PAGE.verifyPasskey, ['passkey', 'recoveryCode'], {
          clientId: 'takes-pwd',
          over: resetPassword(),
        }),
    ],
    [
      'a password set by the mailbox, and no other method than the mailbox',
      () =>
        memberAt(PAGE.stopped, ['passkey'], {
          network: 'office',
          clientId: 'takes-pwd',
          over: resetPassword(),
        }),
    ],
    [
      'both factors of a blocked member',
      () => memberAt(PAGE.stopped, ['passkey'], { over: BLOCKED }),
    ],
    ['the initial password', () => newcomerAt(PAGE.birthdate)],
    [
      'the initial password, where the password alone would do',
      () => newcomerAt(PAGE.birthdate, { clientId: 'takes-pwd' }),
    ],
    ['the date of birth', () => newcomerAt(PAGE.terms)],
    ['the terms', () => newcomerAt(PAGE.email)],
    ['a code on its way', () => newcomerAt(PAGE.emailWait)],
    ['the mailbox of a newcomer', () => newcomerAt(PAGE.choosePlace)],
    ['a method chosen', () => newcomerAt(PAGE.newPassword, { method: 'passkey' })],
    [
      'a passkey chosen and not registered',
      () => newcomerAt(PAGE.registerPasskey, { method: 'passkey', clientId: 'takes-mfa' }),
    ],
    [
      'an app chosen and not registered',
      () => newcomerAt(PAGE.registerTotp, { method: 'totp', clientId: 'takes-mfa' }),
    ],
    [
      'the first login over, its last page not read',
      () =>
        newcomerAt(PAGE.enrolled, {
          clientId: 'minato-portal',
          over: { societyId: 'minato' },
        }),
    ],
  ]
  test.each(sampled(partial))(
    'no route gives a code, a session or a new method for %s',
    async (_, arrange) => {
      const { journey, clientId } = await arrange()
      const before = await bound(journey)
      expect(await driveEverything(journey, clientId)).toEqual([])
      expect(await givenOut(journey, clientId)).toEqual([])
      expect(await bound(journey)).toBe(before)
    },
  )

  test('a session of the password alone opens no application that asks for more', async () => {
    const { journey } = await memberAt(PAGE.signedIn, ['totp'], { clientId: 'takes-pwd' })
    await journey.finish()
    const { member, visitor } = journey
    const stricter = await aJourney(idp, member, { clientId: 'takes-mfa', visitor })
    expect((await stricter.start()).heading).toBe(PAGE.verifyTotp)
    const before = await bound(journey)
    expect(await driveEverything(stricter, 'takes-mfa')).toEqual([])
    expect(await givenOut(stricter, 'takes-mfa')).toEqual(['session pwd'])
    expect(await bound(journey)).toBe(before)
  })

  test('a session of a mailed code opens no application that asks for more', async () => {
    const { journey } = await memberAt(PAGE.signedIn, ['passkey'], { network: 'office' })
    await journey.finish()
    const { member, visitor } = journey
    const stricter = await aJourney(idp, member, { clientId: 'takes-mfa', visitor })
    expect((await stricter.start()).heading).toBe(PAGE.stopped)
    expect(await driveEverything(stricter, 'takes-mfa')).toEqual([])
    expect(await givenOut(stricter, 'takes-mfa')).toEqual(['session pwd,otp,mca'])
  })

  test('with all factors there is something to be seen: the watch is awake', async () => {
    const { journey, clientId } = await memberAt(PAGE.verifyPasskey, ['passkey'])
    expect(await givenOut(journey, clientId)).toEqual([])
    await journey.walkTo(PAGE.signedIn)
    expect(journey.visitor.page.url.searchParams.has('code')).toBe(true)
    expect(await givenOut(journey, clientId)).toContain('AuthorizationCode')
    expect(await givenOut(journey, clientId)).toContain('session pwd,swk,user,mfa')
    await journey.finish()
    expect(await givenOut(journey, clientId)).toContain('AccessToken')
  })

  test('a request that has been answered gives no second code, however it is taken up', async () => {
    const { journey } = await memberAt(PAGE.verifyPasskey, ['passkey'])
    const { visitor } = journey
    const { url } = visitor.page
    const csrf = csrfOf(visitor.page)
    await journey.walkTo(PAGE.signedIn)
    const uid = url.pathname.split('/').at(-1)
    for (const route of [`/auth/${uid}`, `/interaction/${uid}`]) {
      const page = await visitor.visit(`${idp.issuer}${route}`)
      expect([page.status, page.url.searchParams.has('code')]).toEqual([400, false])
    }
    for (const act of ACTS) {
      const ours = { 'Sec-Fetch-Site': 'same-origin', Origin: idp.issuer }
      const form = { csrf, ...nonsense(journey) }
      const page = await visitor.post(`${url.href}/${act}`, form, ours)
      expect([act, page.status]).toEqual([act, 400])
    }
  })

  test('the proofs of one request are worth nothing in another, in the same browser or elsewhere', async () => {
    const { journey } = await memberAt(PAGE.verifyTotp, ['totp'])
    const again = await aJourney(idp, journey.member, { visitor: journey.visitor })
    expect((await again.start()).heading).toBe(PAGE.password)
    const { url } = again.visitor.page
    const stranger = visitorFrom()
    expect((await stranger.visit(url)).status).toBe(400)
    const forged = await stranger.post(
      `${url.href}/verifyFactor`,
      { csrf: csrfOf(again.visitor.page), code: '000000' },
      { 'Sec-Fetch-Site': 'same-origin', Origin: idp.issuer },
    )
    expect(forged.status).toBe(400)
  })
})
