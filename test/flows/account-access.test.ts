import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { aRelyingParty } from '../support/rp.ts'
import {
  AT_OFFICE,
  accountSteps,
  addressOf,
  csrfOf,
  keys,
  theAccountPages,
} from './account-support.ts'
import { requestOptionsOn, withPasskey } from './keys.ts'
import { theDate } from './support.ts'

const clock = theDate()
let idp: Idp
beforeAll(async () => {
  idp = await startIdp(theAccountPages(clock))
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})
const {
  aMemberHere,
  mailsTo,
  nextCode,
  signIn,
  accountUrl,
  atAccount,
  open,
  addPasskey,
  passkeysOf,
  stored,
} = accountSteps(() => idp, clock)

describe('Who gets to the account page', () => {
  test('a visitor is sent through our own authorization endpoint and comes back signed in', async () => {
    const member = await aMemberHere()
    const visitor = aVisitor()
    const first = await visitor.visit(accountUrl('/history'))
    expect(first.heading).toBe('ログイン')
    const request = first.hops
      .map(({ url }) => new URL(url))
      .find((url) => url.pathname === '/auth')
    expect(request?.searchParams.get('client_id')).toBe('account-sakura')
    expect(request?.searchParams.get('code_challenge_method')).toBe('S256')
    expect(first.text).toContain('ログインの設定')
    const back = await signIn(visitor, member)
    expect(back.url.href).toBe(accountUrl('/history'))
    expect(back.heading).toBe('ログインの履歴')
  })

  test('a session of the portal opens it without asking anything', async () => {
    const member = await aMemberHere()
    const rp = await aRelyingParty(idp, idp.client())
    const visitor = aVisitor()
    await visitor.visit(await rp.authorizationUrl())
    await signIn(visitor, member)
    const page = await visitor.visit(accountUrl())
    expect(page.heading).toBe('ログインの設定')
    expect(page.hops).toHaveLength(1)
  })

  test('a member of another society is asked to sign in, and sees nothing', async () => {
    const visitor = await atAccount(await aMemberHere())
    const page = await visitor.visit(`${idp.issuer}/account/minato`)
    expect(page.heading).toBe('ログイン')
    expect(page.url.pathname).toMatch(/^\/interaction\//u)
  })

  test('a member who was blocked meanwhile sees nothing and changes nothing', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const token = csrfOf(await visitor.visit(accountUrl('/email')))
    await idp.services.members.save({
      ...(await idp.memberOf(member)),
      blocked: { reason: 'emailChangeUndone', since: clock.now() },
    })
    const before = await stored(member)
    const posted = await visitor.post(accountUrl('/email/change'), {
      csrf: token,
      email: 'thief@example.jp',
    })
    expect(posted.heading).not.toBe('今のメールアドレスを確認します')
    const page = await visitor.visit(accountUrl())
    expect(page.url.pathname).toMatch(/^\/interaction\//u)
    expect(await stored(member)).toBe(before)
  })

  test('a session unused for half an hour is asked to sign in again', async () => {
    const visitor = await atAccount(await aMemberHere())
    await clock.advance(30 * 60 + 1)
    expect((await visitor.visit(accountUrl())).heading).toBe('ログイン')
  })

  test('a response to a request that this browser did not make leads nowhere', async () => {
    const visitor = await atAccount(await aMemberHere())
    const callback = new URL(accountUrl('/callback'))
    callback.search = new URLSearchParams({
      code: 'x',
      iss: idp.issuer,
      state: 'AAAAAAAAAAAAAAAAAAAAAA',
    }).toString()
    const page = await visitor.visit(callback)
    expect(page.status).toBe(403)
    expect(page.heading).toBe('この操作は受け付けられませんでした')
  })

  test('a place to go on at that this browser was not given by us leads nowhere', async () => {
    const visitor = await atAccount(await aMemberHere())
    const state = 'AAAAAAAAAAAAAAAAAAAAAA'
    const callback = new URL(accountUrl('/callback'))
    callback.search = new URLSearchParams({ code: 'x', iss: idp.issuer, state }).toString()
    const planted = `idp_account_${state}=https://evil.example/; path=/account/sakura`
    await visitor.jar.setCookie(planted, callback.href)
    const page = await visitor.visit(callback)
    expect([page.status, page.url.href]).toEqual([403, callback.href])
  })

  test('a response that names another issuer leads nowhere', async () => {
    const visitor = aVisitor()
    await visitor.visit(accountUrl())
    const cookies = await visitor.jar.getCookies(accountUrl())
    const state = cookies
      .find(({ key }) => /^idp_account_[\w-]{22}$/u.test(key))
      ?.key.slice('idp_account_'.length)
    const callback = (iss: string) =>
      accountUrl(`/callback?${new URLSearchParams({ code: 'x', iss, state: state ?? '' })}`)
    expect((await visitor.visit(callback('https://evil.example'))).status).toBe(403)
    // It is the issuer alone that was wrong about it.
    expect((await visitor.visit(callback(idp.issuer))).status).not.toBe(403)
  })

  test('a member who breaks the sign-in off is not sent into it again', async () => {
    const visitor = aVisitor()
    await visitor.visit(accountUrl())
    const page = await visitor.submit('abort')
    expect(page.heading).toBe('ログインを中止しました')
    expect((await visitor.follow('もう一度ログインする')).heading).toBe('ログイン')
  })

  test('an unknown society or page is not found', async () => {
    const visitor = await atAccount(await aMemberHere())
    expect((await visitor.visit(`${idp.issuer}/account/nowhere`)).status).toBe(404)
    expect((await visitor.visit(accountUrl('/nothing'))).status).toBe(404)
  })

  test('everything is reached with two presses', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await addPasskey(visitor, '自宅のPC')
    await open(visitor, '/password')
    await visitor.visit(accountUrl())
    const links = visitor.page.root
      .querySelectorAll('main a[href]')
      .map((link) => link.getAttribute('href') ?? '')
    expect(links.map((href) => href.split('/')[3])).toEqual([
      ...['rename', 'remove', 'add-passkey', 'add-app', 'email', 'second-email'],
      ...['recovery-codes', 'password', 'method', 'history'],
    ])
    for (const href of links) {
      const page = await visitor.visit(`${idp.issuer}${href}`)
      expect([href, page.status, page.url.pathname]).toEqual([href, 200, href])
    }
  })

  test('it speaks English to who reads English', async () => {
    const visitor = await atAccount(await aMemberHere())
    const page = await visitor.visit(`${accountUrl()}?idp_locale=en`)
    expect(page.heading).toBe('Login settings')
    expect(page.text).not.toMatch(/undefined|[ぁ-ん]/u)
  })
})

describe('A change needs a proof of the last five minutes', () => {
  test('an older one is renewed on our own pages, which lead back to the same place', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await addPasskey(visitor, '自宅のPC')
    const [passkey] = await passkeysOf(member)
    await clock.advance(301)
    const place = `/rename/${passkey?.id}`
    const asked = await visitor.visit(accountUrl(place))
    expect(asked.heading).toBe('もう一度ログインしてください')
    expect(asked.text).toContain('この続きに戻ります')
    expect((await visitor.follow('ログインへ進む')).heading).toBe('ログイン')
    await visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
    expect(visitor.page.heading).toBe('パスキーで確認します')
    const back = await visitor.submit('verifyFactor', (await keys.get(visitor)?.()) ?? {})
    expect(back.url.href).toBe(accountUrl(place))
    expect(back.heading).toBe('パスキーの名前を変えます')
    await visitor.submit('save', { label: '居間のPC' })
    expect((await passkeysOf(member))[0]?.label).toBe('居間のPC')
  })

  test('a form opened in time and sent too late changes nothing', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await visitor.visit(accountUrl('/password'))
    visitor.fill({ current: A_PASSWORD, password: 'Kingyo_no_Hachi-39' })
    await clock.advance(301)
    const page = await visitor.submit('change')
    expect(page.heading).toBe('もう一度ログインしてください')
    expect((await idp.memberOf(member)).password).toEqual(member.password)
  })

  test('what comes back leads to pages of ours only', async () => {
    const visitor = await atAccount(await aMemberHere())
    for (const to of ['//evil.example', 'https://evil.example', '../../auth', 'password/../../x']) {
      const page = await visitor.visit(`${accountUrl('/prove')}?${new URLSearchParams({ to })}`)
      expect(page.url.href).toBe(accountUrl())
    }
  })
})

describe('On a company network that takes codes by mail only', () => {
  const NOT_HERE = 'ここでは設定を変えられません'

  test('a member with a passkey sees the account and changes nothing, until they are at home', async () => {
    const { member, passkey } = await withPasskey(idp, await aMemberHere())
    await idp.services.members.save(member)
    await atAccount(member)
    const headers = { ...AT_OFFICE.headers }
    const visitor = await atAccount(member, { headers })
    const before = await stored(member)
    for (const place of ['/email', '/password', '/method', `/remove/${passkey.id}`]) {
      const page = await visitor.visit(accountUrl(place))
      expect([place, page.heading]).toEqual([place, NOT_HERE])
      expect(page.text).toContain('さくら電機')
      expect(page.text).not.toContain('ログインへ進む')
      expect(page.root.querySelectorAll('main form')).toEqual([])
    }
    // The token of the form that ends other sessions.
    const csrf = csrfOf(await visitor.visit(accountUrl()))
    expect(csrf).not.toBe('')
    for (const [act, fields] of [
      ['/email/change', { email: 'thief@example.jp' }],
      ['/password/change', { current: A_PASSWORD, password: 'Kingyo_no_Hachi-39' }],
      ['/method/choose', { factor: 'emailCode' }],
      ['/recovery-codes/recoveryCodes', { saved: 'yes' }],
      ['/add-app/registerFactor', { code: '123456' }],
      [`/remove/${passkey.id}/yes`, {}],
    ] as const) {
      for (const token of [csrf, '']) {
        const page = await visitor.post(accountUrl(act), { csrf: token, ...fields })
        expect([act, page.heading]).toEqual([act, NOT_HERE])
      }
    }
    expect(await stored(member)).toBe(before)
    expect(mailsTo('thief@example.jp')).toEqual([])

    headers['X-Forwarded-For'] = '203.0.113.7'
    keys.set(visitor, async () => ({
      response: passkey.authenticate(requestOptionsOn(visitor.page)),
    }))
    expect((await open(visitor, '/email')).heading).toBe('メールアドレスを変えます')
  })

  test('a member whose method is the mail changes what they like', async () => {
    const visitor = await atAccount(await aMemberHere(), AT_OFFICE)
    expect((await visitor.visit(accountUrl('/email'))).heading).toBe('メールアドレスを変えます')
  })
})

describe('A sign-in that is under way elsewhere', () => {
  /** Past the password, in front of the code that was mailed. */
  const halfIn = async (member: Member) => {
    const visitor = aVisitor()
    await visitor.visit(accountUrl())
    await clock.advance(61)
    const seen = mailsTo(addressOf(member)).length
    await visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
    expect(visitor.page.heading).toBe('確認コードを入力してください')
    const code = await nextCode(addressOf(member), seen)
    return { visitor, finish: () => visitor.submit('verifyFactor', { code }) }
  }

  test.each<[string, (visitor: Visitor) => Promise<Page>]>([
    [
      'the password is changed',
      async (visitor) => {
        await visitor.visit(accountUrl('/password'))
        const fields = { current: A_PASSWORD, password: 'Kingyo_no_Hachi-39' }
        return visitor.submit('change', fields)
      },
    ],
    ['all other sessions are ended', (visitor) => visitor.submit('end-others')],
  ])('ends when %s, however right its code', async (_what, act) => {
    const member = await aMemberHere()
    await atAccount(member)
    const visitor = await atAccount(member)
    const { finish } = await halfIn(member)
    await clock.advance(1)
    expect((await act(visitor)).heading).toBe('ログインの設定')
    expect((await finish()).heading).toBe('ログイン')
    expect((await visitor.visit(accountUrl())).heading).toBe('ログインの設定')
  })

  test('goes on where nothing of that happens', async () => {
    const member = await aMemberHere()
    await atAccount(member)
    const { finish } = await halfIn(member)
    await clock.advance(1)
    expect((await finish()).heading).toBe('ログインの設定')
  })
})

describe('Forms of other sites and of other sessions', () => {
  test('are refused, and nothing is changed', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const token = csrfOf(await visitor.visit(accountUrl('/password')))
    const stranger = await atAccount(await aMemberHere())
    const foreign = csrfOf(await stranger.visit(accountUrl('/password')))
    const before = await stored(member)
    const fields = { current: A_PASSWORD, password: 'Kingyo_no_Hachi-39' }
    const url = accountUrl('/password/change')

    const crossSite = { 'Sec-Fetch-Site': 'cross-site' }
    expect((await visitor.post(url, { ...fields, csrf: token }, crossSite)).status).toBe(403)
    await visitor.visit(accountUrl('/password'))
    const elsewhere = { Origin: 'https://evil.example' }
    expect((await visitor.post(url, { ...fields, csrf: token }, elsewhere)).status).toBe(403)
    await visitor.visit(accountUrl('/password'))
    expect((await visitor.post(url, { ...fields, csrf: foreign })).status).toBe(422)
    expect((await visitor.post(url, fields)).status).toBe(422)
    const old = { 'Sec-Fetch-Site': '' }
    expect((await visitor.post(url, { ...fields, csrf: foreign }, old)).status).toBe(403)
    expect(await stored(member)).toBe(before)
  })
})

describe('Addresses that password managers know', () => {
  test('lead to adding and managing passkeys', async () => {
    const read = async (path: string) => (await fetch(`${idp.issuer}${path}`)).json()
    expect(await read('/.well-known/passkey-endpoints')).toEqual({
      enroll: `${idp.issuer}/account?page=add-passkey`,
      manage: `${idp.issuer}/account`,
    })
    expect(await read('/.well-known/webauthn')).toEqual({ origins: [idp.issuer] })
    const stranger = aVisitor()
    expect((await stranger.visit(`${idp.issuer}/account`)).heading).toBe('どの健康保険組合ですか')
    const visitor = await atAccount(await aMemberHere())
    const page = await visitor.visit(`${idp.issuer}/account?page=add-passkey`)
    expect(page.url.href).toBe(accountUrl('/add-passkey'))
  })
})
