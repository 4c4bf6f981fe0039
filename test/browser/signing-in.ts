import type { Page } from 'playwright-core'
import type { ChosenFactor, Member } from '../../accounts/member.ts'
import { anOldHand, newestMail } from '../flows/support.ts'
import { A_PASSWORD } from '../support/builders.ts'
import type { Idp } from '../support/idp.ts'
import type { PortalAndIdp } from '../support/portal.ts'
import { codeIn } from '../support/smtp-sink.ts'

export const press = (page: Page, name: string): Promise<void> =>
  page.getByRole('button', { name, exact: true }).click()

/** At the login page: user ID and password. */
export const logIn = async (page: Page, member: Member, password = A_PASSWORD): Promise<void> => {
  await page.getByLabel('ユーザID').fill(member.loginId)
  await page.getByLabel('パスワード', { exact: true }).fill(password)
  await press(page, 'ログイン')
}

/** Answers the page that asks for the code mailed last. */
export const enterMailedCode = async (page: Page, idp: Idp, member: Member): Promise<void> => {
  const field = page.getByLabel('確認コード')
  await field.waitFor()
  await field.fill(codeIn(await newestMail(idp, member.email?.address ?? '')))
  await press(page, 'ログイン')
}

/**
 * A member whose first login is behind them and who has chosen a method without registering it:
 * password and a code by mail lead them to the method's page.
 */
export const aMemberAbout = async (
  { idp }: PortalAndIdp,
  chosenFactor: ChosenFactor,
): Promise<Member> => idp.services.members.save(anOldHand(idp.clock.now(), { chosenFactor }))

/** From the portal to the registration page of such a member. */
export const goToRegistration = async (
  page: Page,
  { idp, portalUrl }: PortalAndIdp,
  member: Member,
): Promise<void> => {
  await page.goto(`${portalUrl}/login`)
  await logIn(page, member)
  await enterMailedCode(page, idp, member)
}

/** The recovery codes' page: they are read, said to be saved, and left. */
export const saveCodes = async (page: Page, button = '次へ'): Promise<readonly string[]> => {
  await page.getByRole('heading', { name: '回復コードを保存してください' }).waitFor()
  const codes = await page.locator('#codes li').allTextContents()
  await page.getByLabel('保存しました').check()
  await press(page, button)
  return codes
}

/** What the portal shows of its ID token. */
export const claimsAt = async (page: Page): Promise<Readonly<Record<string, string>>> => {
  await page.getByRole('heading', { name: 'ようこそ' }).waitFor()
  const rows: readonly (readonly [string, string])[] = await page.evaluate(
    "[...document.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent))",
  )
  return Object.fromEntries(rows)
}

/** Signs out at the portal, everywhere. */
export const signOut = async (page: Page): Promise<void> => {
  await press(page, 'ログアウト')
  await press(page, 'ログアウトする')
  await page.getByRole('heading', { name: 'ログアウトしました' }).waitFor()
}
