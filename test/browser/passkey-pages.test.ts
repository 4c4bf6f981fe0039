import { generateKeyPairSync } from 'node:crypto'
import { afterAll, afterEach, describe, expect, test } from '@jest/globals'
import type { Page } from 'playwright-core'
import { aDesktop, aPhone, closeBrowser, heardFrom } from '../support/browser.ts'
import { aSite, serve } from '../views/site.ts'
import { anAuthenticator, type VirtualAuthenticator } from './authenticators.ts'

const { app, site } = aSite()
const served = serve(app)
/** Passkeys belong to a name, never to a number: localhost, where 127.0.0.1 will not do. */
const address = async (name: string, query = '') => {
  const { port } = new URL((await served).origin)
  return `http://localhost:${port}/${name}?${query}`
}

afterAll(async () => {
  await closeBrowser()
  const { server } = await served
  server.closeAllConnections()
  server.close()
})

let page: Page
afterEach(() => page.context().close())

/** A passkey of a member's that the page's options ask for. */
const addPasskey = ({ cdp, id: authenticatorId }: VirtualAuthenticator, id: string) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return cdp.send('WebAuthn.addCredential', {
    authenticatorId,
    credential: {
      credentialId: Buffer.from(id).toString('base64'),
      isResidentCredential: true,
      rpId: 'localhost',
      privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
      userHandle: Buffer.from('member-1').toString('base64'),
      signCount: 1,
    },
  })
}

/** What the page has sent, once it has sent something. */
const sent = async (act: () => Promise<unknown> = async () => {}) => {
  site.posts.length = 0
  site.forms.length = 0
  const answered = page.waitForResponse((response) => response.request().method() === 'POST')
  await act()
  await answered
  const form = site.forms[0] ?? new URLSearchParams()
  return { path: site.posts[0], form, response: form.get('response'), failure: form.get('failure') }
}

const press = (name: string) => page.getByRole('button', { name, exact: true }).click()

describe('registering a passkey', () => {
  test('sends what the device answered, with the name given and the csrf token', async () => {
    page = await aPhone()
    await anAuthenticator(page)
    await page.goto(await address('register-passkey-here'))
    await page.getByLabel('この端末の名前').fill('わたしのiPhone')
    const { path, form, response, failure } = await sent(() => press('登録する'))
    expect(path).toBe('/interaction/abc/registerFactor')
    expect(JSON.parse(response ?? '')).toMatchObject({
      type: 'public-key',
      response: { attestationObject: expect.any(String), transports: ['internal'] },
    })
    expect(failure).toBe('')
    expect(form.get('label')).toBe('わたしのiPhone')
    expect(form.get('csrf')).toBe('csrf-token')
    expect(heardFrom(page)).toEqual([])
  })

  test('says that it is not finished when the device’s screen is closed', async () => {
    page = await aDesktop()
    await anAuthenticator(page, { isUserVerified: false })
    await page.goto(await address('register-passkey-here'))
    const { response, failure } = await sent(() => press('登録する'))
    expect({ response, failure }).toEqual({ response: '', failure: 'pk.cancel' })
  })

  test('the offer of this device goes one way or the other', async () => {
    page = await aDesktop()
    await anAuthenticator(page)
    await page.goto(await address('register-passkey-offer'))
    await expect(page.getByText('準備ができていないようです').isVisible()).resolves.toBe(false)
    expect((await sent(() => press('登録する'))).path).toBe('/interaction/abc/addDevice')
    await page.goto(await address('register-passkey-offer'))
    expect((await sent(() => press('あとで'))).path).toBe('/interaction/abc/device-later')
    expect(heardFrom(page)).toEqual([])
  })

  test('the offer says so where the device is not ready for it', async () => {
    page = await aDesktop()
    await page.goto(await address('register-passkey-offer'))
    await page.getByText('「あとで」を押すと').waitFor({ state: 'visible' })
  })

  test('asks for a screen lock where the device has none, before and after', async () => {
    page = await aDesktop()
    // Chromium as it is here has no authenticator of its own and answers after its timeout.
    await page.addInitScript(`navigator.credentials.create = () =>
      Promise.reject(new DOMException('closed', 'NotAllowedError'))`)
    await page.goto(await address('register-passkey-here'))
    await page.getByText('準備ができていないようです').waitFor({ state: 'visible' })
    const { failure } = await sent(() => press('登録する'))
    expect(failure).toBe('pk.nolock')
  })

  test.each([
    ['InvalidStateError', 'pk.dup'],
    ['ConstraintError', 'pk.nolock'],
    ['SecurityError', 'pk.unsupported'],
    ['AbortError', 'pk.cancel'],
    ['UnknownError', 'pk.cancel'],
  ])('reads %s as %s', async (name, reason) => {
    page = await aDesktop()
    await page.addInitScript(`navigator.credentials.create = () =>
      Promise.reject(new DOMException('', '${name}'))`)
    await page.goto(await address('register-passkey-phone'))
    const { failure } = await sent(() => press('QRを表示する'))
    expect(failure).toBe(reason)
  })

  test('is asked of the device once, however often it is pressed', async () => {
    page = await aDesktop()
    await page.addInitScript(`
      globalThis.asked = 0
      navigator.credentials.create = () => { asked += 1; return new Promise(() => {}) }`)
    await page.goto(await address('register-passkey-here'))
    await page.evaluate(`for (let turn = 0; turn < 3; turn += 1) {
      document.querySelector('button[form=ceremony]').click()
    }`)
    await page.waitForFunction('asked > 0')
    await expect(page.evaluate('asked')).resolves.toBe(1)
  })

  test('offers the phone only where the browser can reach one', async () => {
    for (const [hybridTransport, shown] of [
      [true, true],
      [false, false],
    ] as const) {
      page = await aDesktop()
      await page.addInitScript(`PublicKeyCredential.getClientCapabilities = async () =>
        ({ hybridTransport: ${hybridTransport}, userVerifyingPlatformAuthenticator: true })
        globalThis.ready = false`)
      await page.goto(await address('register-passkey-here'), { waitUntil: 'networkidle' })
      const button = page.getByRole('button', { name: 'スマートフォンに登録する' })
      await button.waitFor({ state: shown ? 'visible' : 'hidden' })
      if (!shown) await page.context().close()
    }
  })
})

describe('choosing a method', () => {
  const WHY = '今お使いのブラウザでは、パスキーを登録できません'

  test('a browser without passkeys is told so at their card, which can still be chosen', async () => {
    page = await aDesktop()
    await page.addInitScript('delete globalThis.PublicKeyCredential')
    await page.goto(await address('choose-factor-all'))
    const card = page.locator('.pick', { hasText: WHY })
    await card.getByText(WHY).waitFor({ state: 'visible' })
    await card.getByRole('radio').check()
    const { form } = await sent(() => press('決定'))
    expect(form.get('factor')).toBe('passkey')
    expect(heardFrom(page)).toEqual([])
  })

  test.each([true, false])('others read nothing of it, script %j', async (javaScriptEnabled) => {
    page = await aDesktop('ja-JP', { javaScriptEnabled })
    await page.goto(await address('choose-factor-all'), { waitUntil: 'networkidle' })
    await expect(page.getByText(WHY).count()).resolves.toBe(1)
    await expect(page.getByText(WHY).isVisible()).resolves.toBe(false)
  })
})

describe('the account page after a change', () => {
  const SIGNALS = ['signalAllAcceptedCredentials', 'signalCurrentUserDetails'] as const
  const told = (answer: string) => `
    globalThis.told = []
    for (const name of ${JSON.stringify(SIGNALS)}) {
      PublicKeyCredential[name] = (details) => { told.push(name); return ${answer} }
    }`

  test.each(['Promise.resolve()', 'Promise.reject(new TypeError())'])(
    'tells the browser of it once, and is silent where that ends in %s',
    async (answer) => {
      page = await aDesktop()
      await page.addInitScript(told(answer))
      await page.goto(await address('account-all'), { waitUntil: 'networkidle' })
      await page.waitForFunction('told.length > 0')
      await expect(page.evaluate('told')).resolves.toEqual(SIGNALS)
      expect(heardFrom(page)).toEqual([])
    },
  )

  test('does without where the browser has no such thing', async () => {
    page = await aDesktop()
    const gone = SIGNALS.map((name) => `PublicKeyCredential.${name} = undefined`)
    await page.addInitScript(gone.join(';'))
    await page.goto(await address('account-all'), { waitUntil: 'networkidle' })
    expect(heardFrom(page)).toEqual([])
  })

  test('has nothing to tell while nothing was changed', async () => {
    page = await aDesktop()
    await page.addInitScript(told('Promise.resolve()'))
    await page.goto(await address('account-company'), { waitUntil: 'networkidle' })
    await expect(page.evaluate('told')).resolves.toEqual([])
  })
})

describe('the login page', () => {
  test('offers passkeys in the user ID field, and sends the one that was picked', async () => {
    page = await aPhone()
    await addPasskey(await anAuthenticator(page), 'a-passkey')
    const at = await address('password-passkey')
    const { path, response } = await sent(() => page.goto(at))
    expect(path).toBe('/interaction/abc/passkey')
    expect(JSON.parse(response ?? '')).toMatchObject({
      id: Buffer.from('a-passkey').toString('base64url'),
      response: { userHandle: Buffer.from('member-1').toString('base64url') },
    })
  })

  test('does not offer them again by itself after a fault', async () => {
    page = await aPhone()
    await page.addInitScript(`
      globalThis.asked = []
      navigator.credentials.get = ({ mediation }) => { asked.push(mediation); return new Promise(() => {}) }`)
    await page.goto(await address('password-passkey', 'faulty=yes'))
    await press('パスキーでログイン')
    await page.waitForFunction('asked.length > 0')
    await expect(page.evaluate('asked')).resolves.toEqual([undefined])
  })

  test('a pending offer in the field gives way to the button, in silence', async () => {
    page = await aPhone()
    await page.addInitScript(`
      globalThis.asked = []
      navigator.credentials.get = ({ mediation, signal }) => new Promise((_, reject) => {
        asked.push(mediation ?? 'button')
        signal.addEventListener('abort', () => { asked.push('ended'); reject(new DOMException('', 'AbortError')) })
        if (!mediation) setTimeout(() => reject(new DOMException('', 'NotAllowedError')), 50)
      })`)
    await page.goto(await address('password-passkey'))
    await page.waitForFunction('asked.length > 0')
    const { failure } = await sent(() => press('パスキーでログイン'))
    expect(failure).toBe('pk.cancel')
    expect(site.posts).toEqual(['/interaction/abc/passkey'])
    await expect(page.evaluate('asked')).resolves.toEqual(['conditional', 'ended', 'button'])
    expect(heardFrom(page)).toEqual([])
  })

  test('asks with a new challenge when the page has been open for too long', async () => {
    page = await aPhone()
    await page.addInitScript(`
      const clock = performance.now.bind(performance)
      performance.now = () => clock() + (globalThis.later ?? 0)
      navigator.credentials.get = () => new Promise(() => {})`)
    await page.goto(await address('password-passkey', 'faulty=yes'))
    await page.evaluate('globalThis.later = 290_000')
    const renewed = page.waitForResponse((response) => response.url().includes('password-passkey'))
    await press('パスキーでログイン')
    expect((await renewed).status()).toBe(200)
  })

  test('shows no passkey button to a browser without passkeys', async () => {
    page = await aPhone()
    await page.addInitScript('delete globalThis.PublicKeyCredential')
    await page.goto(await address('password-passkey'), { waitUntil: 'networkidle' })
    await expect(
      page.getByRole('button', { name: 'パスキーでログイン' }).isVisible(),
    ).resolves.toBe(false)
    await page.goto(await address('verify-passkey-asked'))
    const { failure } = await sent(() => press('パスキーで確認する'))
    expect(failure).toBe('pk.unsupported')
  })

  test('has the browser forget a passkey that the server no longer knows', async () => {
    page = await aPhone()
    const authenticator = await anAuthenticator(page)
    await addPasskey(authenticator, 'some-credential')
    const { cdp } = authenticator
    const forgotten = new Promise((resolve) => cdp.on('WebAuthn.credentialDeleted', resolve))
    await page.goto(await address('password-passkey', 'faulty=yes'))
    await forgotten
    await expect(authenticator.credentialIds()).resolves.toEqual([])
  })
})

describe('keys and codes', () => {
  test('a key is copied without its spaces, codes line by line', async () => {
    page = await aDesktop()
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    const copied = () => page.evaluate<string>('navigator.clipboard.readText()')
    await page.goto(await address('register-totp-asked'))
    await page.getByText('スキャンできませんか？', { exact: true }).click()
    await press('コピー')
    await page.getByText('コピーしました').waitFor()
    await expect(copied()).resolves.toBe('JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP')
    await page.goto(await address('recovery-codes-shown'))
    await press('コピー')
    await page.getByText('コピーしました').waitFor()
    const lines = (await copied()).split('\n')
    expect(lines).toHaveLength(10)
    expect(lines[0]).toBe('7K2M-9QXD')
  })

  test('codes are saved as a file, without script too', async () => {
    page = await aPhone('ja-JP', { javaScriptEnabled: false, acceptDownloads: true })
    await page.goto(await address('recovery-codes-shown'))
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'ファイルに保存' }).click()
    const file = await download
    expect(file.suggestedFilename()).toBe('回復コード.txt')
    const chunks: Buffer[] = []
    for await (const chunk of await file.createReadStream()) chunks.push(Buffer.from(chunk))
    const saved = Buffer.concat(chunks).toString()
    expect(saved).toContain('さくら健康保険組合')
    expect(saved.match(/^[0-9A-Z]{4}-[0-9A-Z]{4}\r$/gmu)).toHaveLength(10)
  })

  test('paper shows the society and the codes, and no button', async () => {
    page = await aDesktop()
    await page.goto(await address('recovery-codes-shown'))
    await page.emulateMedia({ media: 'print' })
    await expect(page.getByText('さくら健康保険組合 ログインサービス').isVisible()).resolves.toBe(
      true,
    )
    await expect(page.getByText('7K2M-9QXD').isVisible()).resolves.toBe(true)
    for (const button of await page.locator('button, main a').all()) {
      await expect(button.isVisible()).resolves.toBe(false)
    }
  })

  test('without script a passkey page says why it cannot go on, and where to', async () => {
    page = await aPhone('ja-JP', { javaScriptEnabled: false })
    await page.goto(await address('register-passkey-here'))
    // Chromium under test control shows no noscript, though it runs no script.
    await expect(page.locator('main noscript').textContent()).resolves.toContain(
      'JavaScriptが必要です',
    )
    await expect(page.getByRole('button', { name: '別の方法にする' }).isVisible()).resolves.toBe(
      true,
    )
    await page.goto(await address('verify-passkey-asked'))
    await expect(page.getByRole('button', { name: '認証アプリの数字' }).isVisible()).resolves.toBe(
      true,
    )
    await page.goto(await address('password-passkey'))
    await expect(page.getByText('パスキーでログイン').isVisible()).resolves.toBe(false)
  })
})
