import { createReadStream } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import jsQR from 'jsqr'
import type { Page } from 'playwright-core'
import { PNG } from 'pngjs'
import { secretOf } from '../flows/keys.ts'
import { aRegistrant, theDate } from '../flows/support.ts'
import { appCode } from '../support/authenticator-app.ts'
import { aDesktop, aPhone, closeBrowser } from '../support/browser.ts'
import { ON_A_CLUSTER, type PortalAndIdp, startPortalAndIdp } from '../support/portal.ts'
import { PAGE } from './first-login.ts'
import {
  aMemberAbout,
  claimsAt,
  goToRegistration,
  logIn,
  press,
  saveCodes,
  signOut,
} from './signing-in.ts'
import { aWalk, headingOf, type Walk } from './walk.ts'

const REGISTER = '認証アプリを登録します'
const VERIFY = '認証アプリの数字を入力してください'

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

/** What a camera reads of a picture. @throws where there is no QR code in it */
const readQr = (png: Buffer): string => {
  const { data, width, height } = PNG.sync.read(png)
  const found = jsQR.default(Uint8ClampedArray.from(data), width, height, {
    inversionAttempts: 'dontInvert',
  })
  if (!found) throw new Error(`no QR code in ${width}×${height} pixels`)
  return found.data
}

const AROUND_PX = 60

/** What is on the screen where the QR code is, as an app's camera is pointed at it. */
const screenNearQr = async (page: Page): Promise<Buffer> => {
  const code = page.locator('img.qr')
  await code.scrollIntoViewIfNeeded()
  const { x, y, width, height } = (await code.boundingBox()) ?? { x: 0, y: 0, width: 1, height: 1 }
  const clip = {
    x: Math.max(0, x - AROUND_PX),
    y: Math.max(0, y - AROUND_PX),
    width: width + 2 * AROUND_PX,
    height: height + 2 * AROUND_PX,
  }
  return page.screenshot({ clip })
}

/** The secret that an app takes out of the QR code's address (Key URI Format). */
const secretIn = (uri: string): Buffer => secretOf(new URL(uri).searchParams.get('secret') ?? '')

const linkOn = (page: Page) =>
  page.getByRole('link', { name: 'アプリで開く' }).first().getAttribute('href')

const enter = async (page: Page, code: string): Promise<void> => {
  await page.getByLabel('アプリの6桁の数字').fill(code)
  await page.getByRole('button', { name: /^(?:登録する|ログイン)$/u }).click()
}

/** One number in six that is not the code. */
const notThe = (code: string): string => code.replace(/\d$/u, (last) => String(9 - Number(last)))

describe('Manual 2-3: an authenticator app on the same phone', () => {
  let page: Page
  let walk: Walk
  let uri = ''
  const newcomer = aRegistrant(clock.now(), 'totp')
  const shownNow = () => appCode(secretIn(uri), clock.now())

  beforeAll(async () => {
    await site.idp.services.members.save(newcomer)
    page = await aPhone('ja-JP')
    walk = aWalk(page, 'manual-2-3-app')
  })
  afterAll(() => page.context().close())

  test('is registered in the first login: the page has a link that opens the app', async () => {
    await goToRegistration(page, site, newcomer)
    await page.locator('img.qr').waitFor()
    await walk.see('register', REGISTER)
    uri = (await linkOn(page)) ?? ''
    expect(uri).toMatch(/^otpauth:\/\/totp\//u)
    expect(decodeURIComponent(uri)).toContain(newcomer.loginId)
  })

  test('the key can be typed or copied: in groups of four, with account and kind', async () => {
    for (const summary of await page.locator('summary').all()) await summary.tap()
    await walk.see('register-help', REGISTER)
    const key = await page.locator('#totp-key').textContent()
    expect(key).toMatch(/^(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}$/u)
    expect(secretOf(key ?? '')).toEqual(secretIn(uri))
    await expect(page.locator('dl.facts').textContent()).resolves.toContain('時間ベース')
  })

  test('the QR code is readable in a picture of the page at twice the density', async () => {
    expect(readQr(await screenNearQr(page))).toBe(uri)
  })

  test('a wrong code and a reload leave the same QR code', async () => {
    await enter(page, notThe(shownNow()))
    await walk.see('register-wrong', REGISTER)
    await expect(walk.faults()).resolves.toEqual([expect.stringContaining('数字が違います')])
    await expect(linkOn(page)).resolves.toBe(uri)
    await page.reload()
    await expect(linkOn(page)).resolves.toBe(uri)
    expect(readQr(await page.locator('img.qr').screenshot())).toBe(uri)
  })

  test('the digits are taken with the space that apps show, and codes and the portal follow', async () => {
    await enter(page, shownNow().replace(/^\d{3}/u, '$& '))
    await saveCodes(page)
    await walk.see('done', PAGE.done)
    await expect(page.locator('.facts').textContent()).resolves.toContain('認証アプリ')
    await walk.press('健康ポータルへ進む')
    const { acr, amr } = await claimsAt(page)
    expect({ acr, amr: JSON.parse(amr ?? '') }).toEqual({
      acr: 'https://refeds.org/profile/mfa',
      amr: ['pwd', 'otp', 'mfa'],
    })
    await signOut(page)
  })

  test('the next sign-in takes the password, then the digits, each once', async () => {
    await page.goto(`${site.portalUrl}/login`)
    await logIn(page, newcomer)
    await walk.see('verify', VERIFY)
    await enter(page, shownNow())
    await walk.see('verify-used', VERIFY)
    await expect(walk.faults()).resolves.toEqual([expect.stringContaining('使用済み')])
    await clock.advance(30)
    await enter(page, notThe(shownNow()))
    await walk.see('verify-wrong', VERIFY)
    await enter(page, shownNow())
    expect((await claimsAt(page)).acr).toBe('https://refeds.org/profile/mfa')
    await signOut(page)
  })

  test('other ways stand below the digits, and lead there and back', async () => {
    await page.goto(`${site.portalUrl}/login`)
    await logIn(page, newcomer)
    await press(page, '回復コード')
    await walk.see('by-recovery-code', '回復コードを入力してください')
    await press(page, '認証アプリの数字')
    await expect(headingOf(page)).resolves.toBe(VERIFY)
    // Mail is no way down from a method that can be used.
    await expect(page.getByRole('button', { name: 'メールの確認コード' }).count()).resolves.toBe(0)
  })
})

describe('Manual 2-4 and 2-5: an authenticator app by the QR code on a PC', () => {
  test('the code is read off the screen and out of the saved picture, which is the same', async () => {
    const member = await aMemberAbout(site, 'totp')
    const page = await aDesktop('ja-JP', { acceptDownloads: true })
    const walk = aWalk(page, 'manual-2-4-app')
    await goToRegistration(page, site, member)
    await walk.see('register', REGISTER)
    const uri = readQr(await screenNearQr(page))
    expect(new URL(uri).protocol).toBe('otpauth:')

    const downloading = page.waitForEvent('download')
    await page.getByRole('link', { name: 'QRコードをPNGで保存' }).click()
    const download = await downloading
    expect(download.suggestedFilename()).toBe('kenpo-totp.png')
    expect(readQr(await buffer(createReadStream(await download.path())))).toBe(uri)
    await expect(page.getByText('保存した画像を消してください').first().isVisible()).resolves.toBe(
      true,
    )

    for (const summary of await page.locator('summary').all()) await summary.click()
    await walk.see('register-help', REGISTER)
    await expect(page.getByText('Open Two-Factor Authenticator').first().isVisible()).resolves.toBe(
      true,
    )
    const wide = appCode(secretIn(uri), clock.now()).replace(/\d/gu, (digit) =>
      String.fromCodePoint(0xff10 + Number(digit)),
    )
    await enter(page, wide)
    await saveCodes(page)
    expect((await claimsAt(page)).acr).toBe('https://refeds.org/profile/mfa')
    await page.context().close()
  })
})
