import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { aDesktop, aPhone, closeBrowser, look } from '../support/browser.ts'
import { nameOf, SAMPLES } from '../views/samples.ts'
import { aSite, serve } from '../views/site.ts'

const { app, site } = aSite()
const served = serve(app)
const address = async (name: string, query = '') => `${(await served).origin}/${name}?${query}`

afterAll(async () => {
  await closeBrowser()
  const { server } = await served
  server.closeAllConnections()
  server.close()
})

const WIDTHS = [
  { width: 390, locale: 'ja', open: () => aPhone('ja-JP', { deviceScaleFactor: 1 }) },
  { width: 1280, locale: 'en', open: () => aDesktop('en-GB') },
] as const

describe.each(WIDTHS)('at $width px in $locale', ({ width, locale, open }) => {
  let page: Page
  beforeAll(async () => {
    page = await open()
  })
  afterAll(() => page.context().close())

  const lookAt = async (name: string, faulty: string) => {
    await page.goto(await address(name, `idp_locale=${locale}&faulty=${faulty}`))
    const picture = `views/${width}/${name}-${locale}${faulty === 'yes' ? '-faults' : ''}`
    expect({ picture, wrong: await look(page, picture) }).toEqual({ picture, wrong: [] })
  }

  test.each(SAMPLES.map((sample) => ({ name: nameOf(sample), faulty: 'faults' in sample })))(
    '$name is accessible, quiet and fits',
    async ({ name, faulty }) => {
      if (!faulty || width === 390) await lookAt(name, 'no')
      if (faulty) await lookAt(name, 'yes')
    },
  )

  test('a page with furigana is as good', async () => {
    await page.goto(await address('birthdate-asked', 'furigana=on&faulty=yes'))
    await expect(look(page, `views/${width}/birthdate-furigana`)).resolves.toEqual([])
    await page.goto(await address('email-wait-sent', 'furigana=on'))
    await expect(look(page, `views/${width}/email-wait-furigana`)).resolves.toEqual([])
  })
})

describe('on the smallest phones', () => {
  let page: Page
  beforeAll(async () => {
    page = await aPhone('ja-JP', { viewport: { width: 320, height: 640 } })
  })
  afterAll(() => page.context().close())

  const names = SAMPLES.map(nameOf)
  const half = Math.ceil(names.length / 2)
  const PARTS = ['ja', 'en'].flatMap((locale) => [
    { locale, part: 'first', some: names.slice(0, half) },
    { locale, part: 'second', some: names.slice(half) },
  ])

  test.each(PARTS)(
    'no page of the $part half scrolls sideways at 320 px in $locale, and everything to press is large enough',
    async ({ locale, some }) => {
      for (const name of some) {
        await page.goto(await address(name, `idp_locale=${locale}&faulty=yes&furigana=on`))
        const { overflow, small } = await page.evaluate<{ overflow: number; small: string[] }>(`({
          overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
          small: [...document.querySelectorAll('button, summary, select, input:not([type=hidden]):not([type=radio]):not([type=checkbox]), footer a, .lang a, .btn')]
            .filter((each) => each.offsetParent && each.getBoundingClientRect().height < 47.5)
            .map((each) => each.outerHTML.slice(0, 80)),
        })`)
        expect({ name, locale, overflow, small }).toEqual({ name, locale, overflow: 0, small: [] })
      }
    },
    60_000,
  )
})

describe('scripts', () => {
  let page: Page
  beforeAll(async () => {
    page = await aPhone()
  })
  afterAll(() => page.context().close())

  test('a page with faults puts the focus on their summary, which leads to the field', async () => {
    await page.goto(await address('birthdate-asked', 'faulty=yes'))
    await expect(page.evaluate('document.activeElement.getAttribute("role")')).resolves.toBe(
      'alert',
    )
    await page.getByRole('alert').getByRole('link').click()
    await expect(page.evaluate('document.activeElement.id')).resolves.toBe('year')
  })

  test('a password can be shown, and is hidden again when it is sent', async () => {
    await page.goto(await address('password-first'))
    const password = page.locator('#password')
    await password.fill('secret')
    await page.getByRole('button', { name: 'パスワードを表示する' }).click()
    await expect(password.getAttribute('type')).resolves.toBe('text')
    await expect(page.getByRole('status').first().textContent()).resolves.toBe(
      'パスワードを表示しています',
    )
    await page.getByRole('button', { name: 'ログイン' }).first().click()
    await expect(password.getAttribute('type')).resolves.toBe('password')
  })

  test('a form pressed twice is sent once', async () => {
    await page.goto(await address('password-first'))
    site.posts.length = 0
    const button = page.getByRole('button', { name: 'ログイン', exact: true })
    const answered = page.waitForResponse((response) => response.request().method() === 'POST')
    await button.dblclick()
    await answered
    await page.waitForLoadState('networkidle')
    expect(site.posts).toEqual(['/interaction/abc/password'])
  })

  test('a password made for the member is shown and meets every rule checked here', async () => {
    await page.goto(await address('new-password-asked'))
    await page.getByRole('button', { name: 'パスワードを作る' }).click()
    const password = page.locator('#password')
    await expect(password.getAttribute('type')).resolves.toBe('text')
    const first = await password.inputValue()
    expect(first).toMatch(/^[A-Za-z2-9]{5}(?:-[A-Za-z2-9]{5}){3}$/u)
    await expect(page.locator('#rules li[data-pattern]:not(.ok)').count()).resolves.toBe(0)
    await page.getByRole('button', { name: 'パスワードを作る' }).click()
    expect(await password.inputValue()).not.toBe(first)
  })

  test('the checklist follows what is typed', async () => {
    await page.goto(await address('new-password-asked'))
    await page.locator('#password').fill('sakura')
    const met = () => page.locator('#rules li.ok').allTextContents()
    await expect(met()).resolves.toEqual([
      '半角の英数字と記号だけ（できています）',
      'ユーザIDを含まない（できています）',
    ])
    await page.locator('#password').fill('Sakura-7-umi')
    await expect(page.locator('#rules li[data-pattern]:not(.ok)').count()).resolves.toBe(0)
  })

  test('the waiting page moves on by itself once the address is confirmed elsewhere', async () => {
    site.confirmed = false
    await page.goto(await address('email-wait-sent'))
    await page.waitForResponse((response) => response.url().endsWith('/email-status'))
    await page.locator('#code').fill('123')
    expect(new URL(page.url()).pathname).toBe('/email-wait-sent')
    await expect(page.locator('#code').inputValue()).resolves.toBe('123')
    site.confirmed = true
    await page.waitForURL('**/interaction/abc')
  })
})

test('every page can be used without script', async () => {
  const page = await aPhone('ja-JP', { javaScriptEnabled: false })
  await page.goto(await address('email-wait-sent'))
  await expect(page.getByRole('link', { name: '確認しました' }).isVisible()).resolves.toBe(true)
  await page.goto(await address('new-password-asked'))
  await expect(page.getByText('パスワードを作る', { exact: true }).isVisible()).resolves.toBe(false)
  await page.goto(await address('password-first'))
  await expect(page.getByText('表示', { exact: true }).isVisible()).resolves.toBe(false)
  await page.context().close()
})
