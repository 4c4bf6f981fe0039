import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  jest,
  test,
} from '@jest/globals'
import type { Page } from 'playwright-core'
import { type Member, replaceCredential } from '../../accounts/member.ts'
import { createFactors } from '../../factors/index.ts'
import { holding, type Keyring } from '../flows/keys.ts'
import { anOldHand, mailsTo, newestMail, settled, theDate } from '../flows/support.ts'
import { appCode } from '../support/authenticator-app.ts'
import { aPhone, closeBrowser } from '../support/browser.ts'
import { ON_A_CLUSTER, type PortalAndIdp, startPortalAndIdp } from '../support/portal.ts'
import { codeIn } from '../support/smtp-sink.ts'
import { NEW_PASSWORD, PAGE } from './first-login.ts'
import { claimsAt, logIn, press, saveCodes } from './signing-in.ts'
import { aWalk, type Walk } from './walk.ts'

const APP = '認証アプリの数字を入力してください'
const RECOVERY = '回復コードを入力してください'
const MFA = 'https://refeds.org/profile/mfa'

const clock = theDate()
let site: PortalAndIdp
let page: Page
let member: Member
let keys: Keyring

beforeAll(async () => {
  site = await startPortalAndIdp({ ...ON_A_CLUSTER, clock })
})
beforeEach(async () => {
  const held = await holding(site.idp, ['totp', 'recoveryCode'], anOldHand(clock.now()))
  keys = held.keys
  member = await site.idp.services.members.save(held.member)
  page = await aPhone('ja-JP')
  await page.goto(`${site.portalUrl}/login`)
})
afterEach(() => page.context().close())
afterAll(async () => {
  await closeBrowser()
  await site.close()
  jest.useRealTimers()
})

/** These recovery codes have been used before. */
const useUp = async (codes: readonly string[]) => {
  const { settings, randomBytes, members } = site.idp.services
  const { recoveryCode } = createFactors(settings, randomBytes)
  const ceremony = { now: clock.now(), origin: site.idp.issuer, rpId: '', issuerName: '' }
  for (const code of codes) {
    const verdict = await recoveryCode.finishAuthentication(member, {}, { code }, ceremony)
    if (!verdict.ok || !verdict.value.credential) throw new Error('a code was refused')
    member = replaceCredential(member, verdict.value.credential)
  }
  member = await members.save(member)
}

const subjects = async () => {
  await settled(site.idp)
  return mailsTo(site.idp, member.email?.address ?? '').map(({ subject }) => subject)
}

describe('A member without their phone', () => {
  const enterRecoveryCode = async (code: string) => {
    await page.getByRole('textbox', { name: '回復コード' }).fill(code)
    await press(page, 'ログイン')
  }
  const atRecoveryCode = async (walk: Walk) => {
    await logIn(page, member)
    await press(page, 'スマートフォンをなくした・使えない')
    await walk.see('lost', 'スマートフォンをなくした・使えないとき')
    await press(page, '回復コード')
  }

  test('reads what they can do, and signs in with a recovery code, which is used up', async () => {
    const walk = aWalk(page, 'recovery-code')
    await atRecoveryCode(walk)
    await walk.see('code', RECOVERY)
    await enterRecoveryCode('7K2M')
    await walk.see('code-short', RECOVERY)
    const [code = ''] = keys.recoveryCodes ?? []
    await enterRecoveryCode(code.toLowerCase())
    expect((await claimsAt(page)).acr).toBe(MFA)
    expect(await subjects()).toEqual([expect.stringContaining('回復コード')])
  })

  test('is given new codes when few are left', async () => {
    const walk = aWalk(page, 'recovery-codes-few')
    await useUp(keys.recoveryCodes?.slice(4) ?? [])
    await atRecoveryCode(walk)
    await walk.see('code', RECOVERY)
    await expect(page.getByText('あと4個').isVisible()).resolves.toBe(true)
    await enterRecoveryCode(keys.recoveryCodes?.[0] ?? '')
    await page.locator('#codes').waitFor()
    await walk.see('codes', '回復コードを保存してください')
    const codes = await saveCodes(page, 'このコードに切り替える')
    expect(codes).toHaveLength(10)
    expect((await claimsAt(page)).acr).toBe(MFA)
  })
})

describe('A member who has forgotten the password', () => {
  test('sets a new one by mail and date of birth, and still shows the second factor', async () => {
    const walk = aWalk(page, 'forgot-password')
    await walk.press('パスワードを忘れたとき')
    await walk.see('ask', 'パスワードを忘れたとき')
    await walk.press('確認コードを送る')
    await walk.see('ask-empty', 'パスワードを忘れたとき')
    await page.getByLabel('ユーザID').fill(member.loginId)
    await page.getByLabel('元号').selectOption({ label: '昭和' })
    await page.getByLabel('年', { exact: true }).fill('60')
    await page.getByLabel('月', { exact: true }).fill('4')
    await page.getByLabel('日', { exact: true }).fill('1')
    await walk.press('確認コードを送る')
    await walk.see('code', '届いたコードを入力してください')
    const mail = await newestMail(site.idp, member.email?.address ?? '')
    await page.getByLabel('確認コード').fill(codeIn(mail))
    await walk.press('次へ')
    await walk.see('new-password', 'パスワードを新しくします')
    await page.getByLabel('新しいパスワード').fill(NEW_PASSWORD)
    await walk.press('設定する')
    await walk.see('login', PAGE.login)
    await expect(page.getByText('パスワードを新しくしました').isVisible()).resolves.toBe(true)
    await logIn(page, member, NEW_PASSWORD)
    await walk.see('app', APP)
    const code = appCode(keys.appSecret ?? Buffer.alloc(0), clock.now())
    await page.getByLabel('アプリの6桁の数字').fill(code)
    await walk.press('ログイン')
    expect((await claimsAt(page)).acr).toBe(MFA)
    expect(await subjects()).toHaveLength(2)
  })
})
