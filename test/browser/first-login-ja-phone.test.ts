import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { aNewcomer, newestMail, theDate } from '../flows/support.ts'
import { aDesktop, aPhone, closeBrowser } from '../support/browser.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { ON_A_CLUSTER, type PortalAndIdp, startPortalAndIdp } from '../support/portal.ts'
import { codeIn, linkIn } from '../support/smtp-sink.ts'
import { tick } from './first-login.ts'
import { aWalk, counting, headingOf, type Walk } from './walk.ts'

const clock = theDate()
const ADDRESS = 'hanako@example.jp'
const NEW_PASSWORD = 'Kingyo_no_Hachi-39'

let site: PortalAndIdp
beforeAll(async () => {
  site = await startPortalAndIdp({ ...ON_A_CLUSTER, clock })
})
afterAll(async () => {
  await closeBrowser()
  await site.close()
  jest.useRealTimers()
})

/** One number in six that is not the code. */
const notThe = (code: string): string => code.replace(/\d$/u, (last) => String(9 - Number(last)))

describe('A member with a phone, in Japanese, from the portal and back', () => {
  let page: Page
  let walk: Walk
  const newcomer = aNewcomer({ email: { address: ADDRESS } })

  beforeAll(async () => {
    await site.idp.services.members.save(newcomer)
    page = await aPhone('ja-JP')
    walk = aWalk(page, 'first-login-ja-phone')
  })
  afterAll(() => page.context().close())

  test('the portal leads to the login page, which names the portal', async () => {
    await page.goto(site.portalUrl)
    await walk.see('portal', '健康ポータル')
    await page.getByRole('link', { name: 'ログイン', exact: true }).tap()
    await walk.see('login', 'ログイン')
    await expect(page.locator('main').textContent()).resolves.toContain(
      '健康ポータルへログインします',
    )
  })

  test('help for a first login, a forgotten password and an unknown ID unfolds on the page', async () => {
    for (const summary of await page.locator('summary').all()) await summary.tap()
    await walk.see('login-help', 'ログイン')
  })

  test('an empty login page says what is missing', async () => {
    await walk.press('ログイン')
    await walk.see('login-empty', 'ログイン')
    await expect(walk.faults()).resolves.toEqual([
      'ユーザIDを入力してください',
      'パスワードを入力してください',
    ])
  })

  test('a wrong password blames neither field and keeps the user ID', async () => {
    await page.getByLabel('ユーザID').fill(newcomer.loginId)
    await page.getByLabel('パスワード', { exact: true }).fill('wrong')
    await walk.press('ログイン')
    await walk.see('login-wrong', 'ログイン')
    await expect(walk.faults()).resolves.toEqual([
      expect.stringContaining('ユーザIDかパスワードが違います'),
    ])
    await expect(page.getByLabel('ユーザID').inputValue()).resolves.toBe(newcomer.loginId)
  })

  test('the right password leads to the date of birth', async () => {
    await page.getByLabel('パスワード', { exact: true }).fill(A_PASSWORD)
    await page.getByRole('button', { name: 'パスワードを表示する' }).tap()
    await walk.see('login-shown', 'ログイン')
    await walk.press('ログイン')
    await walk.see('birthdate', '生年月日を入力してください')
  })

  const fillBirthdate = async (era: string, year: string, month: string, day: string) => {
    await page.getByLabel('元号').selectOption({ label: era })
    await page.getByLabel('年', { exact: true }).fill(year)
    await page.getByLabel('月', { exact: true }).fill(month)
    await page.getByLabel('日', { exact: true }).fill(day)
    await walk.press('次へ')
  }

  test('a date left empty, impossible or another person’s is explained', async () => {
    await walk.press('次へ')
    await walk.see('birthdate-empty', '生年月日を入力してください')
    await fillBirthdate('昭和', '64', '2', '1')
    await walk.see('birthdate-impossible', '生年月日を入力してください')
    await expect(walk.faults()).resolves.toEqual([
      '昭和64年2月1日は暦にありません。元号と年月日を確かめてください',
    ])
    await fillBirthdate('昭和', '61', '4', '1')
    await walk.see('birthdate-mismatch', '生年月日を入力してください')
    await expect(walk.faults()).resolves.toEqual([expect.stringContaining('あと4回')])
    await page.locator('summary').tap()
    await walk.see('birthdate-help', '生年月日を入力してください')
  })

  test('full-width digits of an era are taken, and the terms follow', async () => {
    await fillBirthdate('昭和', '６０', '４', '１')
    await walk.see('terms', '利用規約の確認')
  })

  test('terms not ticked are asked for; declining says what follows and leads back', async () => {
    await walk.press('同意して次へ')
    await walk.see('terms-unticked', '利用規約の確認')
    await walk.press('同意しない')
    await walk.see('terms-declined', '同意しない場合')
    await walk.press('利用規約に戻る')
    await page.locator('summary', { hasText: '全文を読む' }).tap()
    await walk.see('terms-full', '利用規約の確認')
    await page.getByLabel('利用規約を読み、同意します').check()
    await walk.press('同意して次へ')
    await walk.see('email', 'メールアドレスの確認')
  })

  test('an address left empty, malformed or mistyped is explained', async () => {
    const address = page.getByLabel('メールアドレス')
    await expect(address.inputValue()).resolves.toBe(ADDRESS)
    await address.fill('')
    await walk.press('確認メールを送る')
    await walk.see('email-empty', 'メールアドレスの確認')
    await address.fill('hanako@example')
    await walk.press('確認メールを送る')
    await walk.see('email-malformed', 'メールアドレスの確認')
    await expect(walk.faults()).resolves.toEqual([
      'メールアドレスは name@example.jp の形で入力してください',
    ])
    await address.fill('hanako@gmial.com')
    await walk.press('確認メールを送る')
    await walk.see('email-typo', 'メールアドレスの確認')
    await expect(page.getByRole('button', { name: 'hanako@gmail.com' }).isVisible()).resolves.toBe(
      true,
    )
    await address.fill(ADDRESS)
    await walk.press('確認メールを送る')
    await walk.see('waiting', 'メールを確認してください')
  })

  test('a code left empty, short or wrong is explained', async () => {
    const code = page.getByLabel('確認コード')
    await walk.press('次へ')
    await walk.see('code-empty', 'メールを確認してください')
    await code.fill('12345')
    await walk.press('次へ')
    await walk.see('code-short', 'メールを確認してください')
    await code.fill(notThe(codeIn(await newestMail(site.idp, ADDRESS))))
    await walk.press('次へ')
    await walk.see('code-wrong', 'メールを確認してください')
    await expect(walk.faults()).resolves.toEqual([
      'コードが違います。いちばん新しいメールの6桁を入力してください（あと4回）',
    ])
  })

  test('a mail is sent again after a minute, and not before', async () => {
    await walk.press('もう一度送る')
    await walk.see('resend-too-soon', 'メールを確認してください')
    await clock.advance(61)
    await walk.press('もう一度送る')
    await walk.see('resent', 'メールを確認してください')
    await expect(page.getByText('もう一度送りました').isVisible()).resolves.toBe(true)
  })

  test('a mail that is late is said to be late, and how to change the address is at hand', async () => {
    await clock.advance(61)
    await site.idp.mails.pause()
    await walk.press('もう一度送る')
    await clock.advance(3)
    await page.getByText('メールの送信が混み合っています').waitFor()
    for (const summary of await page.locator('summary').all()) await summary.tap()
    await walk.see('mail-late', 'メールを確認してください')
    await site.idp.mails.resume()
    await clock.advance(5)
    await page.getByText('メールの送信が混み合っています').waitFor({ state: 'detached' })
  })

  test('the link is pressed on a PC, which shows the same number, and the phone moves on by itself', async () => {
    const number = await page.locator('.match b').textContent()
    const link = linkIn(await newestMail(site.idp, ADDRESS))
    const computer = await aDesktop('ja-JP')
    await computer.goto(link)
    await walk.see('pc-link', 'このメールアドレスを確認します', computer)
    await expect(computer.locator('.number b').textContent()).resolves.toBe(number)
    expect(await headingOf(page)).toBe('メールを確認してください')

    await computer.getByRole('button', { name: '確認する' }).click()
    await walk.see('pc-confirmed', '確認できました', computer)
    await page.getByText('どこでログインしますか').first().waitFor()
    await walk.see('place', 'どこでログインしますか')

    await computer.goto(link)
    await walk.see('pc-link-used', 'このリンクは確認済みです', computer)
    await computer.context().close()
  })

  test('places and a choice not made are asked for', async () => {
    await walk.press('次へ')
    await walk.see('place-empty', 'どこでログインしますか')
    await expect(walk.faults()).resolves.toEqual(['ログインする場所を1つ以上選んでください'])
    await tick(page, '会社のPC')
    await tick(page, 'スマートフォン')
    await walk.press('次へ')
    await walk.see('choice', '認証方法を選んでください')
    await page.evaluate("document.querySelector('input[type=radio]:checked').checked = false")
    await walk.press('決定')
    await walk.see('choice-empty', '認証方法を選んでください')
    await tick(page, 'メール')
    await walk.press('決定')
    await walk.see('new-password', '新しいパスワードを決めてください')
  })

  test('a weak password is told all that is wrong at once', async () => {
    await page.getByLabel('新しいパスワード').fill('さくら')
    await walk.press('設定する')
    await walk.see('new-password-weak', '新しいパスワードを決めてください')
    expect((await walk.faults()).length).toBeGreaterThan(2)
    await page.getByLabel('新しいパスワード').fill(A_PASSWORD)
    await walk.press('設定する')
    await walk.see('new-password-same', '新しいパスワードを決めてください')
    await page.getByRole('button', { name: 'パスワードを作る' }).tap()
    await walk.see('new-password-made', '新しいパスワードを決めてください')
  })

  test('a good one ends the first login, and the portal’s top page follows, signed in', async () => {
    await page.getByLabel('新しいパスワード').fill(NEW_PASSWORD)
    await walk.press('設定する')
    await walk.see('done', '設定が終わりました')
    await walk.press('健康ポータルへ進む')
    await walk.see('portal-signed-in', 'ようこそ')
    expect(new URL(page.url()).origin).toBe(site.portalUrl)
  })

  test('signing out at the portal asks, and says that it is done', async () => {
    await walk.press('ログアウト')
    await walk.see('logout', 'ログアウトしますか')
    await walk.press('ログアウトする')
    await walk.see('signed-out', 'ログアウトしました')
    await page.goto(`${site.idp.issuer}/session/end`)
    await walk.see('logged-out', 'ログアウトしました')
  })

  test('a later sign-in takes the new password and a code by mail', async () => {
    await page.goto(site.portalUrl)
    await page.getByRole('link', { name: 'ログイン', exact: true }).tap()
    await page.getByLabel('ユーザID').fill(newcomer.loginId)
    await page.getByLabel('パスワード', { exact: true }).fill(NEW_PASSWORD)
    await walk.press('ログイン')
    await walk.see('email-code', '確認コードを入力してください')
    const code = codeIn(await newestMail(site.idp, ADDRESS))
    await page.getByLabel('確認コード').fill(notThe(code))
    await walk.press('ログイン')
    await walk.see('email-code-wrong', '確認コードを入力してください')
    await page.getByLabel('確認コード').fill(code)
    await walk.press('ログイン')
    await expect(headingOf(page)).resolves.toBe('ようこそ')
  })
})

test('a first login is one authorization request, no logout, and at most 14 pages', async () => {
  const newcomer = await site.idp.services.members.save(aNewcomer())
  const page = await aPhone('ja-JP')
  const counted = counting(page, site.idp.issuer)
  const press = (name: string) => page.getByRole('button', { name, exact: true }).tap()

  await page.goto(site.portalUrl)
  await page.getByRole('link', { name: 'ログイン', exact: true }).tap()
  await page.getByLabel('ユーザID').fill(newcomer.loginId)
  await page.getByLabel('パスワード', { exact: true }).fill(A_PASSWORD)
  await press('ログイン')
  await page.getByLabel('元号').selectOption({ label: '昭和' })
  await page.getByLabel('年', { exact: true }).fill('60')
  await page.getByLabel('月', { exact: true }).fill('4')
  await page.getByLabel('日', { exact: true }).fill('1')
  await press('次へ')
  await page.getByLabel('利用規約を読み、同意します').check()
  await press('同意して次へ')
  await press('確認メールを送る')
  await page.getByLabel('確認コード').waitFor()
  const mail = await newestMail(site.idp, newcomer.email?.address ?? '')
  await page.getByLabel('確認コード').fill(codeIn(mail))
  await press('次へ')
  await tick(page, '自分のPC')
  await press('次へ')
  await tick(page, 'メール')
  await press('決定')
  await page.getByLabel('新しいパスワード').fill(NEW_PASSWORD)
  await press('設定する')
  await press('健康ポータルへ進む')
  await page.getByText('ようこそ').waitFor()

  expect(counted()).toEqual({ authorizationRequests: 1, logouts: 0, pageLoads: expect.any(Number) })
  expect(counted().pageLoads).toBeLessThanOrEqual(14)
  await page.context().close()
})
