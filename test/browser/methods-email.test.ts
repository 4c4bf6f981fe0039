import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { holding } from '../flows/keys.ts'
import { aNewcomer, anOldHand, theDate } from '../flows/support.ts'
import { aDesktop, closeBrowser } from '../support/browser.ts'
import {
  AS_IN_PRODUCTION,
  ON_A_CLUSTER,
  type PortalAndIdp,
  startPortalAndIdp,
} from '../support/portal.ts'
import { NEW_PASSWORD, PAGE, tick, walkTo } from './first-login.ts'
import { claimsAt, enterMailedCode, logIn, signOut } from './signing-in.ts'
import { aWalk, type Walk } from './walk.ts'

const EMAIL_CODE = '確認コードを入力してください'
const NETWORK = 'さくら電機の社内ネットワーク'

const clock = theDate()
afterAll(async () => {
  await closeBrowser()
  jest.useRealTimers()
})

/** The methods that can be chosen, and what is said of those that cannot. */
const offeredOn = async (page: Page) => ({
  offered: await page.locator('.pick:has(input) .what').allTextContents(),
  shutOut: Object.fromEntries(
    await Promise.all(
      (await page.locator('.pick.off').all()).map(async (card) => [
        (await card.locator('.what').textContent())?.trim(),
        (await card.locator('.about').textContent())?.trim(),
      ]),
    ),
  ),
})

const byEmail = async (page: Page) => {
  const { acr, amr } = await claimsAt(page)
  expect({ acr, amr: JSON.parse(amr ?? '') }).toEqual({
    acr: 'urn:kenpo-id:acr:email',
    amr: ['pwd', 'otp', 'mca'],
  })
}

describe('Manual 2-6: a member who will sign in on a company PC alone', () => {
  let site: PortalAndIdp
  let page: Page
  let walk: Walk
  const newcomer = aNewcomer()

  beforeAll(async () => {
    site = await startPortalAndIdp({ ...ON_A_CLUSTER, clock })
    await site.idp.services.members.save(newcomer)
    page = await aDesktop('ja-JP')
    walk = aWalk(page, 'manual-2-6-email')
    await page.goto(`${site.portalUrl}/login`)
    await walkTo(page, newcomer, site.idp, PAGE.place)
  })
  afterAll(async () => {
    await page.context().close()
    await site.close()
  })

  test('is asked for the place first, and offered mail, the other methods with the reason', async () => {
    await tick(page, '会社のPC')
    await walk.see('place', PAGE.place)
    await walk.press('次へ')
    await walk.see('choice', PAGE.choice)
    const { offered, shutOut } = await offeredOn(page)
    expect(offered).toEqual(['メール'])
    expect(shutOut).toMatchObject({
      パスキー: expect.stringContaining('会社のPC'),
      認証アプリ: expect.stringContaining('会社のPC'),
    })
  })

  test('can name another place, and is then offered all three, with what a company PC takes', async () => {
    await walk.press('場所を選び直す')
    await tick(page, '会社のPC')
    await tick(page, '自分のPC')
    await walk.press('次へ')
    await walk.see('choice-two-places', PAGE.choice)
    const { offered, shutOut } = await offeredOn(page)
    expect(offered).toEqual(['パスキー', '認証アプリ', 'メール'])
    expect(Object.keys(shutOut)).toEqual([expect.stringContaining('会社のPC')])
  })

  test('chooses mail: it is registered at once, without another code', async () => {
    await tick(page, 'メール')
    await walk.press('決定')
    await page.getByLabel('新しいパスワード').fill(NEW_PASSWORD)
    await walk.press('設定する')
    await walk.see('done', PAGE.done)
    await walk.press('健康ポータルへ進む')
    await byEmail(page)
  })

  test('signs in with the password and a code by mail from then on', async () => {
    await signOut(page)
    await clock.advance(61)
    await page.goto(`${site.portalUrl}/login`)
    await logIn(page, newcomer, NEW_PASSWORD)
    await walk.see('code', EMAIL_CODE)
    await enterMailedCode(page, site.idp, newcomer)
    await byEmail(page)
  })
})

describe('Members on a network where the society permits mail alone', () => {
  let site: PortalAndIdp

  beforeAll(async () => {
    const name = { ja: NETWORK, en: 'Sakura Electric office network' }
    const networks = [{ name, cidrs: ['127.0.0.1/32'], factors: ['emailCode'] }]
    site = await startPortalAndIdp({
      ...AS_IN_PRODUCTION,
      clock,
      societies: [{ id: 'sakura', networks }],
    })
  })
  afterAll(() => site.close())

  test('a new one is offered mail alone, the others with the name of the network', async () => {
    const newcomer = await site.idp.services.members.save(aNewcomer())
    const page = await aDesktop('ja-JP')
    const walk = aWalk(page, 'company-network-first-login')
    await page.goto(`${site.portalUrl}/login`)
    await walk.see('login', PAGE.login)
    await expect(page.getByRole('button', { name: 'パスキーでログイン' }).count()).resolves.toBe(0)
    await expect(page.locator('.note').textContent()).resolves.toContain(NETWORK)
    await walkTo(page, newcomer, site.idp, PAGE.choice)
    await walk.see('choice', PAGE.choice)
    expect(await offeredOn(page)).toEqual({
      offered: ['メール'],
      shutOut: {
        パスキー: expect.stringContaining(NETWORK),
        認証アプリ: expect.stringContaining(NETWORK),
      },
    })
    await walkTo(page, newcomer, site.idp, PAGE.portal)
    await byEmail(page)
    await page.context().close()
  })

  test('one with a passkey gets a code by mail there, and may not add a method', async () => {
    const { idp, portalUrl } = site
    const { member } = await holding(idp, ['passkey', 'recoveryCode'], anOldHand(clock.now()))
    await idp.services.members.save(member)
    const page = await aDesktop('ja-JP')
    const walk = aWalk(page, 'company-network-passkey')
    await page.goto(`${portalUrl}/login`)
    await logIn(page, member)
    await walk.see('code', EMAIL_CODE)
    await expect(page.locator('.note').textContent()).resolves.toContain(
      `${NETWORK}では、メールのコードだけ使えます`,
    )
    await enterMailedCode(page, idp, member)
    await byEmail(page)
    await page.goto(`${idp.issuer}/account/sakura`)
    await walk.see('account', 'ログインの設定')
    await expect(page.getByText(NETWORK).count()).resolves.toBeGreaterThan(0)
    await expect(page.getByRole('link', { name: 'パスキーを追加' }).count()).resolves.toBe(0)
    await page.goto(`${idp.issuer}/account/sakura/add-passkey`)
    await walk.see('add-passkey', 'ここでは設定を変えられません')
    await expect(page.locator('main').textContent()).resolves.toContain(NETWORK)
    await page.context().close()
  })
})
