import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { PublicKeyCredentialCreationOptionsJSON } from '@simplewebauthn/server'
import { refreshTokenGrant } from 'openid-client'
import { Secret } from 'otpauth'
import type { Member, MemberId } from '../../accounts/member.ts'
import { createFactors } from '../../factors/index.ts'
import { aVisitor, type Visitor, type VisitorOptions } from '../support/agent.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { appCode } from '../support/authenticator-app.ts'
import { A_PASSWORD, anEnrolledMember } from '../support/builders.ts'
import { type Idp, type IdpOptions, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { aRelyingParty } from '../support/rp.ts'
import { codeIn, linkIn, type SunkMail } from '../support/smtp-sink.ts'
import { requestOptionsOn, secretOf, typedKeyOn, withPasskey } from './keys.ts'
import { theDate } from './support.ts'

const clock = theDate()
let idp: Idp

/** A company network, which takes codes by mail only. */
const OFFICE = {
  name: { ja: 'さくら電機', en: 'Sakura Electric' },
  cidrs: ['192.0.2.0/24'],
  factors: ['emailCode'],
}
const AT_OFFICE = { headers: { 'X-Forwarded-For': '192.0.2.7' } }

const HERE: IdpOptions = {
  clock,
  societies: [
    { id: 'sakura', networks: [OFFICE] },
    // A society whose members sign in with passkey or app only.
    {
      id: 'minato',
      networks: [],
      factors: ['passkey', 'totp'],
      registerFactor: 'sameSession',
    },
  ],
  env: { IDP_TRUSTED_PROXY_HOPS: '1' },
  clients: [
    {
      client_id: 'health-portal',
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token'],
    },
  ],
}

beforeAll(async () => {
  idp = await startIdp(HERE)
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

let made = 0
/** A member of sakura whose first login is behind them and whose method is the e-mail code. */
const aMemberHere = async (over: Partial<Member> = {}): Promise<Member> => {
  made += 1
  const now = clock.now()
  return idp.services.members.save(
    anEnrolledMember({
      id: `account-${made}` as MemberId, // a test's own ID
      loginId: `34567-${100 + made}`,
      email: { address: `m${made}@example.jp`, verifiedAt: now - 86_400 },
      ...over,
    }),
  )
}

const mailsTo = (address: string): readonly SunkMail[] =>
  idp.mails.mails.filter(({ to }) => to === address)

/** The next mail to this address after `seen` of them. */
const nextMail = (address: string, seen: number): Promise<SunkMail> =>
  idp.mails.waitFor((mail) => mail.to === address && mailsTo(address).indexOf(mail) >= seen)

/** The next code to this address after `seen` mails. */
const nextCode = async (address: string, seen: number): Promise<string> =>
  codeIn(
    await idp.mails.waitFor(
      (mail) =>
        mail.to === address &&
        mailsTo(address).indexOf(mail) >= seen &&
        /^\s*\d{6}\s*$/mu.test(mail.text),
    ),
  )

const addressOf = (member: Member): string => member.email?.address ?? ''

/** Answers the sign-in pages, password and e-mail code. */
const signIn = async (visitor: Visitor, member: Member): Promise<Page> => {
  clock.advance(61) // one mail a minute
  const seen = mailsTo(addressOf(member)).length
  await visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
  expect(visitor.page.heading).toBe('確認コードを入力してください')
  const code = await nextCode(addressOf(member), seen)
  return visitor.submit('verifyFactor', { code })
}

const accountUrl = (place = ''): string => `${idp.issuer}/account/sakura${place}`

/** A browser that has just signed in to the account page. */
const atAccount = async (member: Member, options: VisitorOptions = {}): Promise<Visitor> => {
  const visitor = aVisitor(options)
  await visitor.visit(accountUrl())
  await signIn(visitor, member)
  expect(visitor.page.url.href).toBe(accountUrl())
  return visitor
}

const optionsOn = ({ root }: Page): PublicKeyCredentialCreationOptionsJSON =>
  // What our own page hands to the browser.
  JSON.parse(root.querySelector('#passkey-options')?.text ?? '')

/** What each browser's member can prove since it was registered there. */
const keys = new WeakMap<Visitor, () => Readonly<Record<string, string>>>()

/** Where a page asks for a proof as strong as the account's methods: gives it, and is back there. */
const proven = async (visitor: Visitor): Promise<Page> => {
  if (visitor.page.heading !== 'もう一度ログインしてください') return visitor.page
  await visitor.follow('ログインへ進む')
  return visitor.submit('verifyFactor', keys.get(visitor)?.() ?? {})
}

const open = async (visitor: Visitor, place: string): Promise<Page> => {
  await visitor.visit(accountUrl(place))
  return proven(visitor)
}

const press = async (visitor: Visitor, link: string): Promise<Page> => {
  await visitor.follow(link)
  return proven(visitor)
}

/** Adds a passkey by the account page. */
const addPasskey = async (visitor: Visitor, label: string, synced = true) => {
  await open(visitor, '/add-passkey')
  const authenticator = createAuthenticator({ origin: idp.issuer, synced })
  const response = authenticator.register(optionsOn(visitor.page))
  await visitor.submit('registerFactor', { response, label })
  keys.set(visitor, () => ({
    response: authenticator.authenticate(requestOptionsOn(visitor.page)),
  }))
  return authenticator
}

/** Adds an app by the account page. */
const addApp = async (visitor: Visitor, label = '') => {
  await open(visitor, '/add-app')
  const secret = secretOf(typedKeyOn(visitor.page))
  await visitor.submit('registerFactor', { label, code: appCode(secret, clock.now()) })
  keys.set(visitor, () => {
    clock.advance(30) // a code is taken once
    return { code: appCode(secret, clock.now()) }
  })
}

const passkeysOf = async (member: Member) =>
  (await idp.memberOf(member)).credentials.filter(({ factor }) => factor === 'passkey')

const csrfOf = ({ root }: Page): string =>
  root.querySelector('input[name="csrf"]')?.getAttribute('value') ?? ''

const stored = async (member: Member) => JSON.stringify(await idp.memberOf(member))

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
    clock.advance(30 * 60 + 1)
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

  test('a member who breaks the sign-in off is not sent into it again', async () => {
    const visitor = aVisitor()
    await visitor.visit(accountUrl())
    const page = await visitor.submit('abort')
    expect(page.heading).toBe('ログインを終えませんでした')
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
    const page = await visitor.visit(`${accountUrl()}?ui_locales=en`)
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
    clock.advance(301)
    const place = `/rename/${passkey?.id}`
    const asked = await visitor.visit(accountUrl(place))
    expect(asked.heading).toBe('もう一度ログインしてください')
    expect(asked.text).toContain('この続きに戻ります')
    expect((await visitor.follow('ログインへ進む')).heading).toBe('ログイン')
    await visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
    expect(visitor.page.heading).toBe('パスキーで確認します')
    const back = await visitor.submit('verifyFactor', keys.get(visitor)?.() ?? {})
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
    clock.advance(301)
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
    keys.set(visitor, () => ({ response: passkey.authenticate(requestOptionsOn(visitor.page)) }))
    expect((await open(visitor, '/email')).heading).toBe('メールアドレスを変えます')
  })

  test('a member whose method is the mail changes what they like', async () => {
    const visitor = await atAccount(await aMemberHere(), AT_OFFICE)
    expect((await visitor.visit(accountUrl('/email'))).heading).toBe('メールアドレスを変えます')
  })
})

describe('An account that changes hands while a form is on its way', () => {
  let others: Idp
  beforeAll(async () => {
    others = idp
    idp = await startIdp({
      ...HERE,
      instances: 1,
      inThisProcess: 'another save comes right before each of its own',
    })
  })
  afterAll(async () => {
    await idp.close()
    idp = others
  })

  /** Saves this right before the product saves the member next: a lost race, every time. */
  const overtakeWith = (change: (member: Member) => Member): void => {
    const { members } = idp.services
    const { save } = members
    members.save = async (member) => {
      members.save = save
      const current = await idp.memberOf(member)
      await save(change(current))
      return save(member)
    }
  }

  /** A member about to rename their passkey. */
  const renaming = async () => {
    const { member, passkey } = await withPasskey(idp, await aMemberHere())
    await idp.services.members.save(member)
    const visitor = aVisitor()
    await visitor.visit(accountUrl(`/rename/${passkey.id}`))
    const response = passkey.authenticate(requestOptionsOn(visitor.page))
    await visitor.submit('passkey', { response })
    expect(visitor.page.heading).toBe('パスキーの名前を変えます')
    return { member, visitor, passkey }
  }
  const labelOf = async (member: Member) => (await passkeysOf(member))[0]?.label

  test.each<[string, (member: Member) => Partial<Member>]>([
    ['was blocked', () => ({ blocked: { reason: 'emailChangeUndone', since: clock.now() } })],
    ['was opened anew by the desk', () => ({ methodsClearedAt: clock.now() })],
    ['has another password', ({ password }) => ({ password: { ...password, hash: 'another' } })],
    ['has another address', () => ({ email: { address: 'x@example.jp', verifiedAt: 1 } })],
  ])('is not changed once it %s', async (_what, over) => {
    const { member, visitor } = await renaming()
    const before = await labelOf(member)
    overtakeWith((current) => ({ ...current, ...over(current) }))
    await visitor.submit('save', { label: '泥棒のPC' })
    const after = await idp.memberOf(member)
    expect(after).toMatchObject(over(member))
    expect(await labelOf(member)).toBe(before)
  })

  test('is changed where something else was: both are kept', async () => {
    const { member, visitor } = await renaming()
    overtakeWith((current) => ({ ...current, deviceOfferedAt: 1 }))
    await visitor.submit('save', { label: '居間のPC' })
    expect(visitor.page.text).toContain('パスキーの名前を変えました')
    expect(await labelOf(member)).toBe('居間のPC')
    expect((await idp.memberOf(member)).deviceOfferedAt).toBe(1)
  })
})

describe('A sign-in that is under way elsewhere', () => {
  /** Past the password, in front of the code that was mailed. */
  const halfIn = async (member: Member) => {
    const visitor = aVisitor()
    await visitor.visit(accountUrl())
    clock.advance(61)
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
    clock.advance(1)
    expect((await act(visitor)).heading).toBe('ログインの設定')
    expect((await finish()).heading).toBe('ログイン')
    expect((await visitor.visit(accountUrl())).heading).toBe('ログインの設定')
  })

  test('goes on where nothing of that happens', async () => {
    const member = await aMemberHere()
    await atAccount(member)
    const { finish } = await halfIn(member)
    clock.advance(1)
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

describe('Passkeys', () => {
  test('are added, named, and removed, and the member is told of each by mail', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const seen = mailsTo(addressOf(member)).length
    const authenticator = await addPasskey(visitor, '花子のiPhone')
    expect(visitor.page.text).toContain('パスキーを登録しました')
    expect(visitor.page.text).toContain('花子のiPhone 同期')
    expect((await nextMail(addressOf(member), seen)).text).toContain('パスキー')

    await press(visitor, '名前を変える')
    expect((await visitor.submit('save', { label: ' ' })).status).toBe(422)
    expect(visitor.page.faults).toEqual(['パスキーの名前を入力してください'])
    await visitor.submit('save', { label: '  花子の\u202e電話  ' })
    expect(visitor.page.text).toContain('花子の電話')

    await visitor.follow('外す')
    expect(visitor.page.heading).toBe('パスキーを外しますか')
    expect(visitor.page.text).toContain('メールの確認コードでログインします')
    await visitor.submit('yes')
    expect(visitor.page.text).toContain('パスキーを外しました')
    expect(await passkeysOf(member)).toEqual([])
    const told = await nextMail(addressOf(member), seen + 1)
    expect(told.subject).toContain('認証方法が削除されました')

    const signals = visitor.page.root.querySelector('[data-signals]')?.getAttribute('data-signals')
    expect(JSON.parse(signals ?? '')).toMatchObject({
      rpId: 'localhost',
      userId: Buffer.from(member.id).toString('base64url'),
      allAcceptedCredentialIds: [],
    })
    expect(visitor.page.body).not.toContain(authenticator.id)
    // A reload of the overview itself says nothing again.
    expect((await visitor.visit(accountUrl())).body).not.toContain('data-signals')
  })

  test('a second one is a card of its own, and says that it stays on its device', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await addPasskey(visitor, 'iPhone')
    await addPasskey(visitor, 'YubiKey', false)
    expect(visitor.page.text).toContain('YubiKey この端末だけ')
    expect(await passkeysOf(member)).toHaveLength(2)
  })

  test('the same authenticator is not registered twice', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const authenticator = await addPasskey(visitor, 'iPhone')
    await open(visitor, '/add-passkey')
    const options = optionsOn(visitor.page)
    expect(options.excludeCredentials?.map(({ id }) => id)).toEqual([authenticator.id])
    const page = await visitor.submit('registerFactor', {
      response: authenticator.register(options),
      label: 'iPhone',
    })
    expect(page.faults).toEqual(['この端末は登録済みです。そのままログインに使えます'])
    expect(await passkeysOf(member)).toHaveLength(1)
  })

  test('one on a phone is asked for from the page for phones', async () => {
    const visitor = await atAccount(await aMemberHere())
    await visitor.visit(accountUrl('/add-passkey'))
    await visitor.submit('passkey-phone')
    expect(visitor.page.url.href).toBe(accountUrl('/add-passkey/phone'))
    expect(optionsOn(visitor.page).hints).toEqual(['hybrid'])
    expect((await visitor.submit('choose-again')).url.href).toBe(accountUrl())
  })

  test('another member’s passkey can be neither named nor removed', async () => {
    const owner = await aMemberHere()
    await addPasskey(await atAccount(owner), 'iPhone')
    const [passkey] = await passkeysOf(owner)
    const visitor = await atAccount(await aMemberHere())
    const csrf = csrfOf(await visitor.visit(accountUrl('/email')))
    const place = `/remove/${passkey?.id}`
    expect((await visitor.visit(accountUrl(place))).url.href).toBe(accountUrl())
    await visitor.post(accountUrl(`${place}/yes`), { csrf })
    await visitor.post(accountUrl(`/rename/${passkey?.id}/save`), { csrf, label: 'mine' })
    expect(await passkeysOf(owner)).toEqual([passkey])
  })
})

describe('The last method', () => {
  test('stays, where the society does not take e-mail codes', async () => {
    const member = await aMemberHere({ societyId: 'minato', chosenFactor: 'totp' })
    // An app whose secret the test knows, as the account page registers it.
    const secret = Buffer.alloc(20, 7)
    const { seal } = createFactors(idp.services.settings, idp.services.randomBytes)
    await idp.services.members.save({
      ...member,
      acceptedTerms: [
        {
          version: idp.services.settings.societies.get('minato')?.terms.version ?? '',
          textHash: 'x',
          at: clock.now(),
          clientId: 'minato-portal',
        },
      ],
      credentials: [
        {
          id: 'an-app',
          factor: 'totp',
          registeredAt: clock.now(),
          data: { sealedSecret: seal.seal(secret, `totp|${member.id}`), lastStep: 0 },
        },
      ],
    })
    const visitor = aVisitor()
    await visitor.visit(`${idp.issuer}/account/minato`)
    await visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
    await visitor.submit('verifyFactor', { code: appCode(secret, clock.now()) })
    expect(visitor.page.heading).toBe('ログインの設定')

    await visitor.follow('外す')
    expect(visitor.page.text).toContain('ログインできなくなります')
    expect(visitor.page.root.querySelectorAll('main form')).toEqual([])
    const csrf = csrfOf(await visitor.visit(`${idp.issuer}/account/minato/password`))
    const page = await visitor.post(`${idp.issuer}/account/minato/remove/an-app/yes`, { csrf })
    expect(page.status).toBe(422)
    expect(page.faults).toEqual([
      'これは最後の方法なので外せません。先に、ほかの方法を追加してください',
    ])
    expect((await idp.memberOf(member)).credentials).toHaveLength(1)
  })
})

describe('The authenticator app', () => {
  test('is registered by a right code, and removed', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await visitor.visit(accountUrl('/add-app'))
    const secretOn = ({ root }: Page) => {
      const uri = root.querySelector('a[href^="otpauth:"]')?.getAttribute('href') ?? ''
      const text = new URL(uri).searchParams.get('secret') ?? ''
      return Buffer.from(Secret.fromBase32(text).bytes)
    }
    const secret = secretOn(visitor.page)
    const right = appCode(secret, clock.now())
    const wrong = right === '000000' ? '000001' : '000000'
    await visitor.submit('registerFactor', { label: '仕事の電話', code: wrong })
    expect(visitor.page.status).toBe(422)
    expect(secretOn(visitor.page)).toEqual(secret)
    const named = visitor.page.root.querySelector('#label')?.getAttribute('value')
    expect(named).toBe('仕事の電話')
    await visitor.submit('registerFactor', { code: right })
    expect(visitor.page.text).toContain('認証アプリを登録しました')
    expect(visitor.page.text).toContain('仕事の電話')
    expect((await idp.memberOf(member)).credentials[0]?.label).toBe('仕事の電話')
    keys.set(visitor, () => {
      clock.advance(30) // a code is taken once
      return { code: appCode(secret, clock.now()) }
    })
    await press(visitor, '外す')
    expect(visitor.page.text).toContain('仕事の電話')
    await visitor.submit('yes')
    expect((await idp.memberOf(member)).credentials).toEqual([])
    const told = await idp.mails.waitFor(
      ({ to, subject }) => to === addressOf(member) && subject.includes('削除'),
    )
    expect(told.text).toContain('認証アプリ')
  })
})

describe('The method asked for first', () => {
  const chosen = async (member: Member) => (await idp.memberOf(member)).chosenFactor

  /** The page that comes after the password. */
  const afterPassword = async (member: Member) => {
    const visitor = aVisitor()
    await visitor.visit(accountUrl())
    return visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
  }

  test('is the passkey that a member with e-mail codes adds, from the next sign-in on', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    expect(visitor.page.text).not.toContain('最初に使う方法')
    await addPasskey(visitor, 'iPhone')
    expect(await chosen(member)).toBe('passkey')
    expect(visitor.page.text).toContain('最初に使う方法 パスキー')
    const page = await afterPassword(member)
    expect(page.heading).toBe('パスキーで確認します')
    expect(page.text).not.toContain('メールの確認コード')
  })

  test('is an app that such a member adds, and a passkey added later does not push it aside', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await addApp(visitor)
    expect(await chosen(member)).toBe('totp')
    await addPasskey(visitor, 'iPhone')
    expect(await chosen(member)).toBe('totp')
    expect((await afterPassword(member)).heading).toBe('認証アプリの数字を入力してください')
  })

  test('is what the member prefers of those held, and nothing else', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    expect((await visitor.visit(accountUrl('/method'))).url.href).toBe(accountUrl())
    await addPasskey(visitor, 'iPhone')
    await open(visitor, '/method')
    const csrf = csrfOf(visitor.page)
    const offered = visitor.page.root
      .querySelectorAll('input[name="factor"]')
      .map((option) => [option.getAttribute('value'), option.hasAttribute('checked')])
    expect(offered).toEqual([
      ['passkey', true],
      ['emailCode', false],
    ])
    for (const factor of ['totp', 'recoveryCode', 'constructor']) {
      const page = await visitor.post(accountUrl('/method/choose'), { csrf, factor })
      expect(page.faults).toEqual(['その方法は、今は使えません。別の方法を選んでください'])
    }
    expect(await chosen(member)).toBe('passkey')
    await visitor.visit(accountUrl('/method'))
    await visitor.submit('choose', { factor: 'emailCode' })
    expect(visitor.page.text).toContain('最初に使う方法を変えました')
    expect(await chosen(member)).toBe('emailCode')
    expect((await afterPassword(member)).heading).toBe('確認コードを入力してください')
  })

  test('changes with a proof of the last five minutes only', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await addPasskey(visitor, 'iPhone')
    await open(visitor, '/method')
    clock.advance(301)
    const page = await visitor.submit('choose', { factor: 'emailCode' })
    expect(page.heading).toBe('もう一度ログインしてください')
    expect(await chosen(member)).toBe('passkey')
  })
})

describe('The mail address', () => {
  /** Asks for a change and answers the code to the address on file. */
  const halfway = async (member: Member, visitor: Visitor, wanted: string) => {
    clock.advance(61)
    const seen = mailsTo(addressOf(member)).length
    await visitor.visit(accountUrl('/email'))
    await visitor.submit('change', { email: wanted })
    expect(visitor.page.heading).toBe('今のメールアドレスを確認します')
    expect(mailsTo(wanted)).toEqual([])
    const code = await nextCode(addressOf(member), seen)
    await visitor.submit('email', { code })
    expect(visitor.page.heading).toBe('メールを確認してください')
    return idp.mails.waitFor(({ to }) => to === wanted)
  }

  test('changes once the codes to both addresses are answered, and its former holder is told', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const wanted = `new-${addressOf(member)}`
    const mail = await halfway(member, visitor, wanted)
    expect((await idp.memberOf(member)).email?.address).toBe(addressOf(member))
    await visitor.submit('email', { code: codeIn(mail) })
    expect(visitor.page.text).toContain('メールアドレスを変えました')
    expect((await idp.memberOf(member)).email).toEqual({
      address: wanted,
      verifiedAt: clock.now(),
    })
    const told = await idp.mails.waitFor(
      ({ to, subject }) => to === addressOf(member) && subject.includes('メールアドレスの変更'),
    )
    expect(linkIn(told)).toContain('/email-undo/')
    const welcome = await idp.mails.waitFor(
      ({ to, subject }) => to === wanted && subject.includes('メールアドレスの登録'),
    )
    expect(welcome.text).toContain('n•••••@example.jp')
    expect(welcome.text).not.toContain('http')
  })

  test('does not change by the new address’s code or a wrong one in place of the old', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    clock.advance(61)
    const seen = mailsTo(addressOf(member)).length
    await visitor.visit(accountUrl('/email'))
    await visitor.submit('change', { email: 'thief@example.jp' })
    const right = await nextCode(addressOf(member), seen)
    const page = await visitor.submit('email', { code: right === '123456' ? '123457' : '123456' })
    expect(page.status).toBe(422)
    expect(page.heading).toBe('今のメールアドレスを確認します')
    expect(mailsTo('thief@example.jp')).toEqual([])
    expect((await idp.memberOf(member)).email?.address).toBe(addressOf(member))
  })

  test('changes by the mailed link too, and the waiting page goes on', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const wanted = `link-${addressOf(member)}`
    const mail = await halfway(member, visitor, wanted)
    const status = await visitor.visit(accountUrl('/email-status'))
    expect(JSON.parse(status.body)).toEqual({ confirmed: false, delayed: false })
    const phone = aVisitor()
    await phone.visit(linkIn(mail))
    await phone.submit()
    expect((await idp.memberOf(member)).email?.address).toBe(wanted)
    const after = await visitor.visit(accountUrl('/email-status'))
    expect(JSON.parse(after.body)).toMatchObject({ confirmed: true })
    expect((await visitor.visit(accountUrl('/email'))).text).toContain('メールアドレスを変えました')
  })

  test('is not the one it is already, nor no address at all', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await visitor.visit(accountUrl('/email'))
    await visitor.submit('change', { email: addressOf(member) })
    expect(visitor.page.faults).toEqual(['今と同じアドレスです。別のアドレスを入力してください'])
    expect((await visitor.submit('change', { email: 'nobody' })).status).toBe(422)
  })

  test.each([
    ['given up for another', 'email-change', 'メールアドレスを変えます'],
    ['given up for good', 'email-keep', 'ログインの設定'],
  ])('does not change by the link of a change %s', async (_how, act, heading) => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const mail = await halfway(member, visitor, `gone-${addressOf(member)}`)
    const phone = aVisitor()
    const asked = await phone.visit(linkIn(mail))
    expect(asked.heading).toBe('このメールアドレスを確認します')
    // By whatever button: the waiting page has one of the two only.
    const { url } = visitor.page
    const page = await visitor.post(`${url.href}/${act}`, { csrf: csrfOf(visitor.page) })
    expect(page.heading).toBe(heading)
    await phone.submit()
    expect(phone.page.heading).not.toBe('確認できました')
    expect((await aVisitor().visit(linkIn(mail))).heading).not.toBe(asked.heading)
    expect((await idp.memberOf(member)).email?.address).toBe(addressOf(member))
  })
})

describe('Recovery codes', () => {
  test('are of no use without a passkey or an app, and are not offered', async () => {
    const visitor = await atAccount(await aMemberHere())
    expect(visitor.page.text).not.toContain('回復コード')
    expect((await visitor.visit(accountUrl('/recovery-codes'))).url.href).toBe(accountUrl())
  })

  test('are made and renewed once the member has saved them', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await addPasskey(visitor, 'iPhone')
    const held = async () =>
      (await idp.memberOf(member)).credentials.filter(({ factor }) => factor === 'recoveryCode')
    await press(visitor, '作る')
    expect((await visitor.submit('recoveryCodes')).status).toBe(422)
    expect(await held()).toEqual([])
    await visitor.submit('recoveryCodes', { saved: true })
    expect(visitor.page.text).toContain('あと10個使えます')
    const [first] = await held()
    await visitor.follow('新しく作り直す')
    await visitor.submit('recoveryCodes', { saved: true })
    const after = await held()
    expect(after).toHaveLength(1)
    expect(after[0]?.id).not.toBe(first?.id)
    const told = () =>
      mailsTo(addressOf(member)).filter(({ text }) => text.includes('認証方法：回復コード'))
    await idp.mails.waitFor(() => told().length === 2)
    expect(told()).toHaveLength(2)
  })
})

describe('The password', () => {
  test('changes with the current one, ends every other session and is told by mail', async () => {
    const member = await aMemberHere()
    const other = await atAccount(member)
    const visitor = await atAccount(member)
    await visitor.visit(accountUrl('/password'))
    await visitor.submit('change', { current: 'not-the-one', password: 'Kingyo_no_Hachi-39' })
    expect(visitor.page.status).toBe(422)
    expect(visitor.page.faults.join()).toContain('今のパスワードが違います')
    await visitor.submit('change', { current: A_PASSWORD, password: 'short' })
    expect(visitor.page.status).toBe(422)
    expect((await idp.memberOf(member)).password).toEqual(member.password)

    await visitor.submit('change', { current: A_PASSWORD, password: 'Kingyo_no_Hachi-39' })
    expect(visitor.page.text).toContain('パスワードを変えました')
    expect((await idp.memberOf(member)).password.hash).not.toBe(member.password.hash)
    expect((await other.visit(accountUrl())).heading).toBe('ログイン')
    expect((await visitor.visit(accountUrl())).heading).toBe('ログインの設定')
    await idp.mails.waitFor(
      ({ to, subject }) => to === addressOf(member) && subject.includes('パスワードが変更'),
    )
  })
})

describe('Signed-in devices', () => {
  const PC = {
    headers: {
      'User-Agent':
        'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    },
  }

  /** One that outlives its session, as the engine would store it under this grant. */
  const aRefreshToken = async (member: Member, grantId: string): Promise<string> => {
    const id = randomBytes(32).toString('base64url')
    const now = clock.now()
    const lifetime = { iat: now, exp: now + 86_400, iiat: now }
    const owner = { accountId: member.id, clientId: 'health-portal', grantId }
    const kind = { kind: 'RefreshToken', jti: id, gty: 'authorization_code', scope: 'openid' }
    const payload = { ...kind, ...owner, ...lifetime }
    await idp.services.artifacts('RefreshToken').upsert(id, payload, 86_400)
    return id
  }

  test('another browser’s session is ended with its tokens at once', async () => {
    const member = await aMemberHere()
    const rp = await aRelyingParty(idp, idp.client())
    const pc = aVisitor(PC)
    await pc.visit(await rp.authorizationUrl())
    const tokens = await rp.finish((await signIn(pc, member)).url)
    expect(await rp.userInfo(tokens)).toHaveProperty('sub')
    const [session] = await idp.services.sessions.list(member.id)
    const refreshToken = await aRefreshToken(member, session?.grantIds[0] ?? '')
    expect(await refreshTokenGrant(rp.config, refreshToken)).toHaveProperty('access_token')

    const visitor = await atAccount(member)
    expect(visitor.page.text).toContain('Chrome・Windows')
    await visitor.submit('ログアウトさせる')
    expect(visitor.page.text).toContain('選んだ端末をログアウトしました')
    expect(visitor.page.text).not.toContain('Chrome・Windows')

    await expect(rp.userInfo(tokens)).rejects.toThrow()
    await expect(refreshTokenGrant(rp.config, refreshToken)).rejects.toThrow()
    expect((await pc.visit(accountUrl())).heading).toBe('ログイン')
    expect((await visitor.visit(accountUrl())).heading).toBe('ログインの設定')
  })

  test('all others are ended together, and the list no longer names them', async () => {
    const member = await aMemberHere()
    const others = [await atAccount(member), await atAccount(member)]
    const visitor = await atAccount(member)
    await visitor.submit('end-others')
    for (const other of others) {
      expect((await other.visit(accountUrl())).heading).toBe('ログイン')
    }
    expect(visitor.page.root.querySelectorAll('form[action$="/sessions/end"]')).toEqual([])
  })

  test('a session that has run out by itself is not listed', async () => {
    const member = await aMemberHere()
    await atAccount(member, PC)
    clock.advance(30 * 60 + 1)
    const visitor = await atAccount(member)
    expect(visitor.page.text).not.toContain('Chrome・Windows')
  })

  test('another member’s session cannot be ended', async () => {
    const owner = await aMemberHere()
    const theirs = await atAccount(owner)
    const visitor = await atAccount(await aMemberHere())
    const [session] = await idp.services.sessions.list(owner.id)
    await visitor.post(accountUrl('/sessions/end'), {
      csrf: csrfOf(await visitor.visit(accountUrl('/email'))),
      uid: session?.uid ?? '',
    })
    expect((await theirs.visit(accountUrl())).heading).toBe('ログインの設定')
  })
})

describe('The history', () => {
  test('shows each sign-in with its time, device, service and methods', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    const rp = await aRelyingParty(idp, idp.client())
    await visitor.visit(await rp.authorizationUrl({ prompt: 'login' }))
    await signIn(visitor, member)
    await visitor.visit(accountUrl('/history'))
    const rows = visitor.page.root.querySelectorAll('.item')
    expect(rows).toHaveLength(2)
    expect(rows[0]?.text).toContain('健康ポータル')
    expect(rows[0]?.text).toContain('パスワード・メールのコード')
    expect(rows[1]?.text).toContain('ログインの設定')
  })

  test('a browser the member has not used before is told by mail, the first one is not', async () => {
    const member = await aMemberHere()
    const isNews = ({ to, subject }: SunkMail) =>
      to === addressOf(member) && subject.includes('新しい端末')
    const visitor = await atAccount(member)
    clock.advance(301)
    await visitor.visit(accountUrl('/email'))
    await visitor.follow('ログインへ進む')
    await signIn(visitor, member)
    expect(idp.mails.mails.filter(isNews)).toEqual([])
    await atAccount(member)
    await idp.mails.waitFor(isNews)
    expect(idp.mails.mails.filter(isNews)).toHaveLength(1)
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
