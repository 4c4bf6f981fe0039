import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { aNewcomer, newestMail } from '../flows/support.ts'
import { aDesktop, aPhone, closeBrowser } from '../support/browser.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { AS_IN_PRODUCTION, type PortalAndIdp, startPortalAndIdp } from '../support/portal.ts'
import { codeIn, linkIn } from '../support/smtp-sink.ts'
import { tick } from './first-login.ts'
import { aWalk, headingOf, type Walk } from './walk.ts'

const ADDRESS = 'jiro@example.jp'
const NEW_PASSWORD = 'Kingyo_no_Hachi-39'
const WITHOUT = { javaScriptEnabled: false } as const

describe('A member whose browser runs no script', () => {
  let site: PortalAndIdp
  let page: Page
  let walk: Walk
  const newcomer = aNewcomer({ email: { address: ADDRESS } })

  beforeAll(async () => {
    site = await startPortalAndIdp(AS_IN_PRODUCTION)
    await site.idp.services.members.save(newcomer)
    page = await aPhone('ja-JP', WITHOUT)
    walk = aWalk(page, 'without-javascript')
  })
  afterAll(async () => {
    await closeBrowser()
    await site.close()
  })

  test('logs in, and is offered nothing that only a script could do', async () => {
    await page.goto(site.portalUrl)
    await page.getByRole('link', { name: 'ログイン', exact: true }).tap()
    await walk.see('login', 'ログイン')
    await expect(page.getByText('表示', { exact: true }).isVisible()).resolves.toBe(false)
    await walk.press('ログイン')
    await walk.see('login-empty', 'ログイン')
    await page.getByLabel('ユーザID').fill(newcomer.loginId)
    await page.getByLabel('パスワード', { exact: true }).fill(A_PASSWORD)
    await walk.press('ログイン')
  })

  test('gives the date of birth, the consent and the address', async () => {
    await page.getByLabel('元号').selectOption({ label: '昭和' })
    await page.getByLabel('年', { exact: true }).fill('60')
    await page.getByLabel('月', { exact: true }).fill('4')
    await page.getByLabel('日', { exact: true }).fill('1')
    await walk.press('次へ')
    await page.getByText('利用規約の全文を読む').tap()
    await walk.see('terms-full', '利用規約の確認')
    await page.getByLabel('利用規約を読み、同意します').check()
    await walk.press('同意して次へ')
    await walk.press('確認メールを送る')
    await walk.see('waiting', 'メールを確認してください')
  })

  const waitsStill = async () => {
    await expect(headingOf(page)).resolves.toBe('メールを確認してください')
  }
  const pressGoOn = async () => {
    const loaded = page.waitForEvent('load')
    await page.getByRole('link', { name: '確認しました' }).tap()
    await loaded
  }

  test('waits by hand: the page stays until the link is pressed, and then goes on', async () => {
    await pressGoOn()
    await waitsStill()
    await page.reload()
    await waitsStill()

    const computer = await aDesktop('ja-JP', WITHOUT)
    await computer.goto(linkIn(await newestMail(site.idp, ADDRESS)))
    await computer.getByRole('button', { name: '確認する' }).click()
    await walk.see('link-confirmed', '確認できました', computer)
    await computer.context().close()

    await waitsStill()
    await pressGoOn()
    await walk.see('place', 'どこでログインしますか')
    await tick(page, 'スマートフォン')
    await walk.press('次へ')
    await walk.see('choice', '認証方法を選んでください')
  })

  test('chooses a password, told its faults by the page that comes back, and is done', async () => {
    await tick(page, 'メール')
    await walk.press('決定')
    await walk.see('new-password', '新しいパスワードを決めてください')
    await expect(page.getByText('パスワードを作る', { exact: true }).isVisible()).resolves.toBe(
      false,
    )
    await page.getByLabel('新しいパスワード').fill('sakura')
    await walk.press('設定する')
    await walk.see('new-password-weak', '新しいパスワードを決めてください')
    await page.getByLabel('新しいパスワード').fill(NEW_PASSWORD)
    await walk.press('設定する')
    await walk.see('done', '設定が終わりました')
    await walk.press('健康ポータルへ進む')
    await walk.see('portal', 'ようこそ')
  })

  test('signs out and in again with a code', async () => {
    await walk.press('ログアウト')
    await walk.press('ログアウトする')
    await page.getByRole('link', { name: 'ログイン', exact: true }).tap()
    await page.getByLabel('ユーザID').fill(newcomer.loginId)
    await page.getByLabel('パスワード', { exact: true }).fill(NEW_PASSWORD)
    await walk.press('ログイン')
    await walk.see('email-code', '確認コードを入力してください')
    await page.getByLabel('確認コード').fill(codeIn(await newestMail(site.idp, ADDRESS)))
    await walk.press('ログイン')
    await walk.see('portal-again', 'ようこそ')
  })
})
