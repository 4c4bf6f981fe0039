import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { Secret } from 'otpauth'
import type { Member } from '../../accounts/member.ts'
import { createFactors } from '../../factors/index.ts'
import { aVisitor } from '../support/agent.ts'
import { appCode } from '../support/authenticator-app.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import {
  accountSteps,
  addressOf,
  csrfOf,
  keys,
  optionsOn,
  theAccountPages,
} from './account-support.ts'
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
  nextMail,
  accountUrl,
  atAccount,
  open,
  press,
  addPasskey,
  addApp,
  passkeysOf,
} = accountSteps(() => idp, clock)

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
    expect(told.subject).toContain('認証方法が外されました')

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
    expect(visitor.page.text).toContain('YubiKey 登録した端末でだけ使えます')
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
    keys.set(visitor, async () => {
      await clock.advance(30) // a code is taken once
      return { code: appCode(secret, clock.now()) }
    })
    await press(visitor, '外す')
    expect(visitor.page.text).toContain('仕事の電話')
    await visitor.submit('yes')
    expect((await idp.memberOf(member)).credentials).toEqual([])
    const told = await idp.mails.waitFor(
      ({ to, subject }) => to === addressOf(member) && subject.includes('外されました'),
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
    expect((await afterPassword(member)).heading).toBe('確認コードを送ります')
  })

  test('changes with a proof of the last five minutes only', async () => {
    const member = await aMemberHere()
    const visitor = await atAccount(member)
    await addPasskey(visitor, 'iPhone')
    await open(visitor, '/method')
    await clock.advance(301)
    const page = await visitor.submit('choose', { factor: 'emailCode' })
    expect(page.heading).toBe('もう一度ログインしてください')
    expect(await chosen(member)).toBe('passkey')
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
