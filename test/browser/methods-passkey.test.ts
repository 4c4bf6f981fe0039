import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Member } from '../../accounts/member.ts'
import { passkeysOf } from '../../factors/passkey.ts'
import { aRegistrant, theDate } from '../flows/support.ts'
import { aDesktop, aPhone, closeBrowser } from '../support/browser.ts'
import { ON_A_CLUSTER, type PortalAndIdp, startPortalAndIdp } from '../support/portal.ts'
import { anAuthenticator, noAuthenticator, type VirtualAuthenticator } from './authenticators.ts'
import { NEW_PASSWORD, PAGE, walkTo } from './first-login.ts'
import {
  aMemberAbout,
  claimsAt,
  enterMailedCode,
  goToRegistration,
  logIn,
  press,
  saveCodes,
  signOut,
} from './signing-in.ts'
import { aWalk, headingOf, type Walk } from './walk.ts'

const HERE = 'この端末にパスキーを登録します'
const ON_PHONE = 'スマートフォンにパスキーを登録します'
const CONFIRM = 'パスキーで確認します'
const CODES = '回復コードを保存してください'
const NOT_FINISHED = expect.stringContaining('まだ終わっていません')

const clock = theDate()
let site: PortalAndIdp
beforeAll(async () => {
  site = await startPortalAndIdp({ ...ON_A_CLUSTER, clock })
})
afterAll(async () => {
  await closeBrowser()
  await site.close()
  jest.useRealTimers()
})

describe('Manual 2-1: a passkey registered in the first login, on a phone that syncs it', () => {
  let page: Page
  let walk: Walk
  let authenticator: VirtualAuthenticator
  /** Somebody who stopped before the method was chosen, and goes on there. */
  const { chosenFactor: _none, ...begun } = aRegistrant(clock.now(), 'passkey')
  const newcomer: Member = { ...begun, password: { ...begun.password, initial: 'random' } }
  const asked: string[] = []

  beforeAll(async () => {
    await site.idp.services.members.save(newcomer)
    page = await aPhone('ja-JP')
    page.on('request', (request) => {
      if (request.method() === 'POST') asked.push(new URL(request.url()).pathname)
    })
    walk = aWalk(page, 'manual-2-1-passkey')
    authenticator = await anAuthenticator(page, { synced: true })
    // A passkey that is there would be taken by the login page before anybody has pressed.
    await authenticator.isThere(false)
  })
  afterAll(() => page.context().close())

  /** The login page, reached from the portal. */
  const arrive = async () => {
    await page.goto(site.portalUrl)
    await page.getByRole('link', { name: 'ログイン', exact: true }).tap()
    await page.getByRole('button', { name: 'パスキーでログイン' }).waitFor()
  }
  /** How often the login page has sent what a passkey ceremony came to. */
  const ceremonies = () => asked.filter((path) => path.endsWith('/passkey')).length

  test('is recommended to a member who will use a phone, and registered on the spot', async () => {
    await arrive()
    await logIn(page, newcomer)
    await enterMailedCode(page, site.idp, newcomer)
    await page.getByRole('heading', { name: PAGE.place }).waitFor()
    await walkTo(page, newcomer, site.idp, PAGE.choice)
    await expect(page.getByLabel(/^\s*パスキー/u).isChecked()).resolves.toBe(true)
    await walk.see('choice', PAGE.choice)
    await walk.press('決定')
    await page.getByLabel('新しいパスワード').fill(NEW_PASSWORD)
    await walk.press('設定する')
    await walk.see('register', HERE)
    await expect(page.getByLabel('この端末の名前').inputValue()).resolves.toMatch(/^Chrome・/u)
    for (const summary of await page.locator('summary').all()) await summary.tap()
    await walk.see('register-help', HERE)
    await page.getByLabel('この端末の名前').fill('わたしのスマホ')
    await authenticator.isThere(true)
    await walk.press('登録する')
  })

  test('recovery codes follow, and are said to be saved before going on', async () => {
    await page.locator('#codes').waitFor()
    await walk.see('codes', CODES)
    await expect(page.locator('#codes li').count()).resolves.toBe(10)
    const codes = await page.locator('#codes li').allTextContents()
    await walk.press('次へ')
    await walk.see('codes-unsaved', CODES)
    await expect(walk.faults()).resolves.toEqual([expect.stringContaining('保存してから')])
    await expect(page.locator('#codes li').allTextContents()).resolves.toEqual(codes)
    await page.getByLabel('保存しました').check()
    await walk.press('次へ')
    await walk.see('done', PAGE.done)
    await expect(page.locator('.facts').textContent()).resolves.toContain(
      'パスキー（わたしのスマホ）',
    )
  })

  test('the portal is told of a phishing-resistant sign-in with a synced key', async () => {
    await walk.press('健康ポータルへ進む')
    const { acr, amr } = await claimsAt(page)
    expect({ acr, amr: JSON.parse(amr ?? '') }).toEqual({
      acr: 'phr',
      amr: ['pwd', 'swk', 'user', 'mfa'],
    })
    await signOut(page)
  })

  test('the next sign-in takes the password, then the passkey', async () => {
    await authenticator.isThere(false)
    await arrive()
    await logIn(page, newcomer, NEW_PASSWORD)
    await walk.see('verify', CONFIRM)
    await authenticator.verifies(false)
    await authenticator.isThere(true)
    await walk.press('パスキーで確認する')
    await page.getByRole('alert').waitFor()
    await walk.see('verify-cancelled', CONFIRM)
    await expect(walk.faults()).resolves.toEqual([NOT_FINISHED])
    await authenticator.verifies(true)
    await walk.press('パスキーで確認する')
    expect((await claimsAt(page)).acr).toBe('phr')
    await signOut(page)
  })

  test('a passkey picked in the user ID field signs in with nothing typed', async () => {
    await authenticator.isThere(true)
    await page.goto(`${site.portalUrl}/login`)
    const { acr, amr } = await claimsAt(page)
    expect({ acr, amr: JSON.parse(amr ?? '') }).toEqual({
      acr: 'phr',
      amr: ['swk', 'user', 'mfa'],
    })
    await signOut(page)
  })

  test('the button takes over from the field; closed, it can be pressed again, without a loop', async () => {
    await authenticator.isThere(false)
    await arrive()
    const before = ceremonies()
    await authenticator.verifies(false)
    await authenticator.isThere(true)
    await walk.press('パスキーでログイン')
    await page.getByRole('alert').waitFor()
    await walk.see('login-cancelled', PAGE.login)
    await expect(walk.faults()).resolves.toEqual([NOT_FINISHED])
    const loaded = page.waitForEvent('load')
    await walk.press('パスキーでログイン')
    await loaded
    await page.getByRole('alert').waitFor()
    await expect(walk.faults()).resolves.toEqual([NOT_FINISHED])
    expect(ceremonies() - before).toBe(2)
    await authenticator.verifies(true)
    await walk.press('パスキーでログイン')
    expect((await claimsAt(page)).acr).toBe('phr')
    expect(ceremonies() - before).toBe(3)
    await signOut(page)
  })

  test('a passkey that was removed here is refused with the reason, and forgotten by the browser', async () => {
    const { members } = site.idp.services
    const stored = await site.idp.memberOf(newcomer)
    await members.save({
      ...stored,
      credentials: stored.credentials.filter(({ factor }) => factor !== 'passkey'),
    })
    await authenticator.isThere(true)
    await page.goto(`${site.portalUrl}/login`)
    await page.getByRole('alert').waitFor()
    await walk.see('login-gone', PAGE.login)
    await expect(walk.faults()).resolves.toEqual([
      expect.stringContaining('登録から外されています'),
    ])
    await expect(authenticator.credentialIds()).resolves.toEqual([])
  })
})

describe('Manual 2-2: a passkey on a PC, kept on it alone', () => {
  let page: Page
  afterEach(() => page.context().close())

  test('is registered once the device has accepted its user, and says so to the portal', async () => {
    const member = await aMemberAbout(site, 'passkey')
    page = await aDesktop('ja-JP')
    const walk = aWalk(page, 'manual-2-2-passkey')
    const authenticator = await anAuthenticator(page, { isUserVerified: false })
    await goToRegistration(page, site, member)
    await walk.see('register', HERE)
    await page.getByLabel('この端末の名前').fill('自宅のPC')
    await walk.press('登録する')
    await page.getByRole('alert').waitFor()
    await walk.see('register-cancelled', HERE)
    await expect(walk.faults()).resolves.toEqual([NOT_FINISHED])
    await expect(page.getByLabel('この端末の名前').inputValue()).resolves.toBe('自宅のPC')
    await authenticator.verifies(true)
    await walk.press('登録する')
    await page.locator('#codes').waitFor()
    await walk.see('codes', CODES)
    await saveCodes(page)
    const { acr, amr } = await claimsAt(page)
    expect({ acr, amr: JSON.parse(amr ?? '') }).toEqual({
      acr: 'phr',
      amr: ['pwd', 'hwk', 'user', 'mfa'],
    })
    const [passkey] = passkeysOf(await site.idp.memberOf(member))
    expect(passkey).toMatchObject({
      label: '自宅のPC',
      data: { deviceType: 'singleDevice', transports: ['internal'] },
    })
  })

  test('a PC that can keep none is told to set up its lock, or leads to another method', async () => {
    const member = await aMemberAbout(site, 'passkey')
    page = await aDesktop('ja-JP')
    const walk = aWalk(page, 'manual-2-2-no-authenticator')
    // Nothing answers, so the browser gives up when the time is over: sooner than after five minutes.
    await page.addInitScript(`const create = navigator.credentials.create.bind(navigator.credentials)
      navigator.credentials.create = ({ publicKey, ...rest }) =>
        create({ ...rest, publicKey: { ...publicKey, timeout: 1000 } })`)
    await noAuthenticator(page)
    await goToRegistration(page, site, member)
    await page.getByText('準備ができていないようです').waitFor()
    await walk.see('register', HERE)
    await walk.press('登録する')
    await page.getByRole('alert').waitFor()
    await walk.see('register-no-lock', HERE)
    await expect(walk.faults()).resolves.toEqual([expect.stringContaining('端末の画面ロック')])
    await walk.press('別の方法にする')
    await expect(headingOf(page)).resolves.toBe(PAGE.place)
  })
})

/** As a desktop Chromium with Bluetooth says; the one at hand may have none. */
const CAN_REACH_PHONES = `PublicKeyCredential.getClientCapabilities = async () =>
  ({ hybridTransport: true, userVerifyingPlatformAuthenticator: true, conditionalGet: true })`

describe('Manual 2-2, the star section: from a PC to something beside it', () => {
  test.each([
    { by: 'phone', transport: 'cable', transports: ['ble', 'hybrid'], synced: true },
    { by: 'security key', transport: 'usb', transports: ['usb'], synced: false },
  ] as const)('a passkey on a $by', async ({ by, transport, transports, synced }) => {
    const member = await aMemberAbout(site, 'passkey')
    const page = await aDesktop('ja-JP')
    const walk = aWalk(page, `manual-2-star-${by.replace(' ', '-')}`)
    await page.addInitScript(CAN_REACH_PHONES)
    const authenticator = await anAuthenticator(page, { transport, synced })
    await goToRegistration(page, site, member)
    await press(page, 'スマートフォンに登録する')
    await walk.see('register', ON_PHONE)
    await walk.press('この端末に登録する')
    await expect(headingOf(page)).resolves.toBe(HERE)
    await walk.press('スマートフォンに登録する')
    await walk.press('QRを表示する')
    await saveCodes(page)
    expect((await claimsAt(page)).acr).toBe('phr')
    const [passkey] = passkeysOf(await site.idp.memberOf(member))
    expect([...(passkey?.data.transports ?? [])].sort()).toEqual([...transports].sort())
    expect(passkey?.data.deviceType).toBe(synced ? 'multiDevice' : 'singleDevice')

    await signOut(page)
    await authenticator.isThere(false)
    await page.goto(`${site.portalUrl}/login`)
    await logIn(page, member)
    await walk.see('verify', CONFIRM)
    await page.locator('summary').first().click()
    await walk.see('verify-help', CONFIRM)
    await authenticator.isThere(true)
    await walk.press('パスキーで確認する')
    if (by === 'phone') {
      await page.getByRole('button', { name: 'あとで' }).waitFor()
      await walk.see('add-this-device', 'この端末でも、パスキーを使えるようにしますか')
      await walk.press('あとで')
    }
    expect(JSON.parse((await claimsAt(page)).amr ?? '')).toContain(synced ? 'swk' : 'hwk')
    await page.context().close()
  })
})
