import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { aNewcomer, newestMail } from '../flows/support.ts'
import { aDesktop, closeBrowser } from '../support/browser.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { AS_IN_PRODUCTION, type PortalAndIdp, startPortalAndIdp } from '../support/portal.ts'
import { codeIn } from '../support/smtp-sink.ts'
import { aKeyboard, type Keyboard } from './keyboard.ts'
import { aWalk, type Walk } from './walk.ts'

const ADDRESS = 'taro@example.jp'
const NEW_PASSWORD = 'Kingyo_no_Hachi-39'

describe('A member at a desktop, in English, with the keyboard alone', () => {
  let site: PortalAndIdp
  let page: Page
  let walk: Walk
  let keyboard: Keyboard
  const newcomer = aNewcomer({ email: { address: ADDRESS } })

  beforeAll(async () => {
    site = await startPortalAndIdp(AS_IN_PRODUCTION)
    await site.idp.services.members.save(newcomer)
    page = await aDesktop('en-GB')
    walk = aWalk(page, 'first-login-en-desktop')
    keyboard = aKeyboard(page)
  })
  afterAll(async () => {
    await closeBrowser()
    await site.close()
  })

  const focusIsOnSummary = async () => {
    await expect(page.evaluate("document.activeElement.matches('[role=alert]')")).resolves.toBe(
      true,
    )
  }

  test('the portal in English leads to a login page in English', async () => {
    await page.goto(site.portalUrl)
    await keyboard.press('English')
    await walk.see('portal', 'Health Portal')
    await keyboard.press('Sign in')
    await walk.see('login', 'Log in')
  })

  test('the first stop is a way past the header', async () => {
    await keyboard.to('Skip to')
    await walk.see('skip-link', 'Log in')
    await page.keyboard.press('Enter')
    await expect(page.evaluate('document.activeElement.id')).resolves.toBe('main')
  })

  test('faults take the focus, and lead to their field by Enter', async () => {
    await keyboard.press('Log in')
    await focusIsOnSummary()
    await walk.see('login-empty', 'Log in')
    await expect(walk.faults()).resolves.toEqual(['Enter your user ID', 'Enter your password'])
    await keyboard.to('Enter your password')
    await page.keyboard.press('Enter')
    await expect(page.evaluate('document.activeElement.id')).resolves.toBe('password')
  })

  test('a wrong password is explained without saying which of the two is wrong', async () => {
    await keyboard.type('User ID', newcomer.loginId)
    await keyboard.type('Password', 'wrong')
    await keyboard.press('Log in')
    await focusIsOnSummary()
    await walk.see('login-wrong', 'Log in')
  })

  test('the password typed, Enter sends the form', async () => {
    await keyboard.type('Password', A_PASSWORD)
    const loaded = page.waitForEvent('load')
    await page.keyboard.press('Enter')
    await loaded
    await walk.see('birthdate', 'Enter your date of birth')
  })

  const typeBirthdate = async (year: string, month: string, day: string) => {
    await keyboard.type('Year', year)
    await keyboard.type('Month', month)
    await keyboard.type('Day', day)
    await keyboard.press('Continue')
  }

  test('a date of birth left empty, impossible or another person’s is explained', async () => {
    await keyboard.press('Continue')
    await focusIsOnSummary()
    await walk.see('birthdate-empty', 'Enter your date of birth')
    await keyboard.to('Era')
    await page.keyboard.type('Showa')
    await typeBirthdate('64', '2', '1')
    await focusIsOnSummary()
    await walk.see('birthdate-impossible', 'Enter your date of birth')
    await expect(walk.faults()).resolves.toEqual([
      '1 February Showa 64 is not in the calendar. Check the era and the date',
    ])
    await typeBirthdate('1985', '13', '1')
    await walk.see('birthdate-month', 'Enter your date of birth')
    await typeBirthdate('1986', '4', '1')
    await walk.see('birthdate-mismatch', 'Enter your date of birth')
  })

  test('a western year is taken whatever the era says', async () => {
    await typeBirthdate('1985', '4', '1')
    await walk.see('terms', 'Terms of use')
  })

  test('the terms are agreed to with the space bar', async () => {
    await keyboard.press('Agree and continue')
    await focusIsOnSummary()
    await walk.see('terms-unticked', 'Terms of use')
    await keyboard.press('I do not agree')
    await walk.see('terms-declined', 'If you do not agree')
    await keyboard.press('Back to the terms')
    await keyboard.to('Read the full terms')
    await page.keyboard.press('Enter')
    await walk.see('terms-full', 'Terms of use')
    await keyboard.to('I have read')
    await page.keyboard.press('Space')
    await keyboard.press('Agree and continue')
    await walk.see('email', 'Confirm your email address')
  })

  test('a mistyped address is asked about, a malformed one explained', async () => {
    await keyboard.type('Email address', 'taro@example')
    await keyboard.press('Send confirmation')
    await focusIsOnSummary()
    await walk.see('email-malformed', 'Confirm your email address')
    await keyboard.type('Email address', 'taro@gmial.com')
    await keyboard.press('Send confirmation')
    await focusIsOnSummary()
    await walk.see('email-typo', 'Confirm your email address')
    await keyboard.type('Email address', ADDRESS)
    await keyboard.press('Send confirmation')
    await walk.see('waiting', 'Check your email')
  })

  test('the language can be changed in the middle, there and back, and keeps the place', async () => {
    await keyboard.press('日本語')
    await walk.see('waiting-ja', 'メールを確認してください')
    await keyboard.press('ふりがなをつける')
    await walk.see('waiting-furigana', 'メールを確認してください')
    await expect(page.locator('main rt').count()).resolves.toBeGreaterThan(5)
    await keyboard.press('ふりがなを消す')
    await expect(page.locator('rt').count()).resolves.toBe(0)
    await keyboard.press('English')
    await walk.see('waiting-again', 'Check your email')
  })

  test('a code left empty or wrong is explained, and the right one moves on', async () => {
    const code = codeIn(await newestMail(site.idp, ADDRESS))
    await keyboard.press('Continue')
    await focusIsOnSummary()
    await walk.see('code-empty', 'Check your email')
    await keyboard.type(
      'Code',
      code.replace(/\d$/u, (last) => String(9 - Number(last))),
    )
    await keyboard.press('Continue')
    await focusIsOnSummary()
    await walk.see('code-wrong', 'Check your email')
    await keyboard.type('Code', code)
    await keyboard.press('Continue')
    await walk.see('place', 'Where will you log in?')
  })

  test('places are ticked with the space bar', async () => {
    await keyboard.press('Continue')
    await focusIsOnSummary()
    await walk.see('place-empty', 'Where will you log in?')
    await keyboard.to('My own computer')
    await page.keyboard.press('Space')
    await keyboard.press('Continue')
    await walk.see('choice', 'Choose how you will log in')
  })

  test('the method is chosen with the arrows and Enter, the new password made or typed', async () => {
    await keyboard.to('Passkey')
    await page.keyboard.press('ArrowUp')
    await expect(page.getByLabel(/^\s*Email/u).isChecked()).resolves.toBe(true)
    await walk.see('choice-made', 'Choose how you will log in')
    await keyboard.press('Choose')
    await walk.see('new-password', 'Choose a new password')
    await keyboard.type('New password', newcomer.loginId)
    await keyboard.press('Set password')
    await focusIsOnSummary()
    await walk.see('new-password-weak', 'Choose a new password')
    await keyboard.to('Make a password')
    await page.keyboard.press('Enter')
    await walk.see('new-password-made', 'Choose a new password')
    await keyboard.type('New password', NEW_PASSWORD)
    await keyboard.press('Set password')
    await walk.see('done', 'All set')
  })

  test('the portal’s top page follows, signed in and in English', async () => {
    await keyboard.press('Continue to')
    await walk.see('portal-signed-in', 'Welcome')
    await keyboard.to('About this sign-in')
    await page.keyboard.press('Enter')
    await walk.see('portal-claims', 'Welcome')
    await expect(page.locator('table').textContent()).resolves.toContain('urn:kenpo-id:acr:email')
  })

  test('signing out, and a later sign-in with a code, by keyboard too', async () => {
    await keyboard.press('Sign out')
    await walk.see('logout', 'Log out?')
    await keyboard.press('Log out')
    await walk.see('signed-out', 'You are signed out')
    await keyboard.press('Sign in')
    await keyboard.type('User ID', newcomer.loginId)
    await keyboard.type('Password', NEW_PASSWORD)
    await keyboard.press('Log in')
    await walk.see('email-code', 'Enter the code')
    await keyboard.type('Code', codeIn(await newestMail(site.idp, ADDRESS)))
    await keyboard.press('Log in')
    await walk.see('portal-again', 'Welcome')
  })
})
