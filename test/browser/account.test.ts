import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import type { Member } from '../../accounts/member.ts'
import { anOldHand, theDate } from '../flows/support.ts'
import { aDesktop, closeBrowser } from '../support/browser.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { AS_IN_PRODUCTION } from '../support/portal.ts'
import { anAuthenticator, type VirtualAuthenticator } from './authenticators.ts'
import { enterMailedCode, logIn } from './signing-in.ts'
import { aWalk, type Walk } from './walk.ts'

const ACCOUNT = 'ログインの設定'
const HERE = 'この端末にパスキーを登録します'

const clock = theDate()

describe('A member at the account page', () => {
  let idp: Idp
  let page: Page
  let walk: Walk
  let member: Member
  let authenticator: VirtualAuthenticator

  beforeAll(async () => {
    idp = await startIdp({
      ...AS_IN_PRODUCTION,
      clock,
      societies: [{ id: 'sakura', networks: [] }],
    })
    member = await idp.services.members.save(anOldHand(clock.now()))
    page = await aDesktop('ja-JP')
    walk = aWalk(page, 'account')
    authenticator = await anAuthenticator(page, { synced: true })
    // Told to the browser as ever, and written down.
    await page.addInitScript(`
      globalThis.told = {}
      for (const name of ['signalAllAcceptedCredentials', 'signalCurrentUserDetails']) {
        const tell = PublicKeyCredential[name]
        PublicKeyCredential[name] = (details) => {
          told[name] = details
          return tell.call(PublicKeyCredential, details)
        }
      }`)
    await page.goto(`${idp.issuer}/account/sakura`)
    await logIn(page, member)
    await enterMailedCode(page, idp, member)
  })
  afterAll(async () => {
    await closeBrowser()
    await idp.close()
    jest.useRealTimers()
  })

  /** What account.js has told the browser on this page: the passkeys that are good, the name. */
  const told = async () => {
    await page.waitForFunction('Object.keys(told).length === 2')
    return page.evaluate('told')
  }
  /** The passkeys that this browser's authenticator has of the member, and the member's own name. */
  const goodOnes = async (count: number) => {
    const ids = (await authenticator.credentialIds()).map((id) =>
      Buffer.from(id, 'base64').toString('base64url'),
    )
    expect(ids).toHaveLength(count)
    const whose = { rpId: 'localhost', userId: Buffer.from(member.id).toString('base64url') }
    const { loginId } = member
    return {
      signalAllAcceptedCredentials: { ...whose, allAcceptedCredentialIds: ids },
      signalCurrentUserDetails: { ...whose, name: loginId, displayName: loginId },
    }
  }
  const follow = (name: string) => page.getByRole('link', { name, exact: true }).click()
  const cards = () => page.locator('section[aria-labelledby=passkeys] .item b').allTextContents()
  /** From the page that asks for it, by the sign-in pages, to the page that was asked for. */
  const proveWithPasskey = async (picture: string) => {
    await walk.see(picture, 'もう一度ログインしてください')
    await authenticator.isThere(false)
    await follow('ログインへ進む')
    const button = page.getByRole('button', { name: /^パスキーで(?:ログイン|確認する)$/u })
    await button.waitFor()
    await authenticator.isThere(true)
    await button.click()
  }
  const said = (text: string) =>
    expect(page.getByRole('status').first().textContent()).resolves.toContain(text)

  test('sees what they sign in with, and adds a passkey', async () => {
    await walk.see('first', ACCOUNT)
    await follow('パスキーを追加')
    await walk.see('add-passkey', HERE)
    await page.getByLabel('この端末の名前').fill('自宅のPC')
    await walk.press('登録する')
    await page.getByText('自宅のPC').waitFor()
    await walk.see('added', ACCOUNT)
    await said('パスキーを登録しました')
    await expect(cards()).resolves.toEqual(['自宅のPC'])
    await expect(authenticator.credentialIds()).resolves.toHaveLength(1)
  })

  test('proves it before the next change, and is told that this device has one already', async () => {
    await follow('パスキーを追加')
    await proveWithPasskey('prove')
    await walk.press('登録する')
    await page.getByRole('alert').waitFor()
    await walk.see('add-duplicate', HERE)
    await expect(walk.faults()).resolves.toEqual([expect.stringContaining('登録済みです')])
    await page.getByRole('link', { name: 'ログインの設定に戻る' }).click()
  })

  test('gives it another name', async () => {
    await follow('自宅のPCの名前を変える')
    await walk.see('rename', 'パスキーの名前を変えます')
    await page.getByLabel('パスキーの名前').fill('')
    await walk.press('名前を変える')
    await walk.see('rename-empty', 'パスキーの名前を変えます')
    await page.getByLabel('パスキーの名前').fill('居間のPC')
    await walk.press('名前を変える')
    await said('名前を変えました')
    await expect(cards()).resolves.toEqual(['居間のPC'])
    await expect(told()).resolves.toEqual(await goodOnes(1))
  })

  test('proves who they are again, five minutes later, before it is removed everywhere', async () => {
    await clock.advance(301)
    await follow('居間のPCを外す')
    await proveWithPasskey('prove-again')
    await page.getByRole('button', { name: '外す', exact: true }).waitFor()
    await walk.see('remove', 'パスキーを外しますか')
    const forgotten = new Promise((resolve) =>
      authenticator.cdp.on('WebAuthn.credentialDeleted', resolve),
    )
    await walk.press('外す')
    await walk.see('removed', ACCOUNT)
    await said('パスキーを外しました')
    await expect(cards()).resolves.toEqual([])
    await forgotten
    await expect(told()).resolves.toEqual(await goodOnes(0))
  })

  test('looks back on their sign-ins', async () => {
    await follow('ログインの履歴を見る（90日分）')
    await walk.see('history', 'ログインの履歴')
  })
})
