import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { exportJWK, SignJWT } from 'jose'
import { type HTMLElement, parse } from 'node-html-parser'
import { Provider } from 'oidc-provider'
import { CookieJar } from 'tough-cookie'
import { createPortal } from '../../portal/index.ts'

type Page = Readonly<{ url: string; status: number; headers: Headers; html: HTMLElement }>

const SECRET = 'a-secret-of-the-portal-for-this-test'

/** A browser without script: cookies, redirects, forms. */
const aBrowser = () => {
  const jar = new CookieJar()
  /** `passed`: is told the addresses that redirects led through. */
  const open = async (
    address: string,
    init: RequestInit = {},
    passed: string[] = [],
  ): Promise<Page> => {
    passed.push(address)
    const response = await fetch(address, {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, cookie: await jar.getCookieString(address) },
    })
    for (const cookie of response.headers.getSetCookie()) {
      await jar.setCookie(cookie, address, { ignoreError: true })
    }
    const location = response.headers.get('location')
    if (location !== null) return open(new URL(location, address).href, {}, passed)
    const { status, headers } = response
    return { url: address, status, headers, html: parse(await response.text()) }
  }
  const submit = (
    page: Page,
    values: Readonly<Record<string, string>> = {},
    passed: string[] = [],
  ): Promise<Page> => {
    const form = page.html.querySelector('form')
    const hidden = form?.querySelectorAll('input[type=hidden]') ?? []
    const body = new URLSearchParams([
      ...hidden.map((input): [string, string] => [
        input.getAttribute('name') ?? '',
        input.getAttribute('value') ?? '',
      ]),
      ...Object.entries(values),
    ])
    const action = new URL(form?.getAttribute('action') ?? '', page.url).href
    return open(action, { method: 'POST', body }, passed)
  }
  return { jar, open, submit }
}

const listening = async (server: Server): Promise<string> => {
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const address = server.address()
  return `http://localhost:${typeof address === 'object' ? address?.port : ''}`
}
const closed = (server: Server) =>
  new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

describe('The demo portal', () => {
  const providerServer = createServer()
  const portalServer = createServer()
  const { privateKey: key } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  let issuer: string
  let portalUrl: string
  let browser: ReturnType<typeof aBrowser>
  /** Another portal, which knows nothing in memory. */
  let restart: () => void

  beforeAll(async () => {
    issuer = await listening(providerServer)
    portalUrl = await listening(portalServer)
    const clients = [
      { path: '/', clientId: 'health-portal', name: { ja: '健康ポータル', en: 'Health Portal' } },
      {
        path: '/minato',
        clientId: 'minato-portal',
        name: { ja: 'みなと健康ナビ', en: 'Minato Health Guide' },
      },
    ]
    // Any OpenID provider will do: here the engine with the login form of its own.
    const provider = new Provider(issuer, {
      clients: clients.map(({ path, clientId }) => ({
        client_id: clientId,
        client_secret: SECRET,
        redirect_uris: [`${portalUrl}${path === '/' ? '' : path}/callback`],
        post_logout_redirect_uris: [`${portalUrl}${path === '/' ? '' : path}/signed-out`],
        // With both, the ID token carries the sid; here the test does the asking.
        backchannel_logout_uri: 'https://rp.example/logout',
        backchannel_logout_session_required: true,
      })),
      jwks: { keys: [await exportJWK(key)] },
      acrValues: ['urn:example:acr'],
      claims: { openid: ['sub'], acr: null, amr: null },
      features: { claimsParameter: { enabled: true }, backchannelLogout: { enabled: true } },
      cookies: { keys: ['a-key-for-this-test'] },
    })
    providerServer.on('request', provider.callback())
    const doors = clients.map((door) => ({ ...door, clientSecret: SECRET }))
    restart = () => {
      portalServer.removeAllListeners('request')
      portalServer.on('request', createPortal({ issuer, portalUrl, clients: doors }).callback())
    }
    restart()
  })
  afterAll(async () => {
    await closed(portalServer)
    await closed(providerServer)
  })
  beforeEach(() => {
    browser = aBrowser()
  })

  const heading = (page: Page) => page.html.querySelector('h1')?.text

  const signIn = async (door = '') => {
    const login = await browser.open(`${portalUrl}${door}/login`)
    const consent = await browser.submit(login, { login: 'hanako', password: 'any' })
    return browser.submit(consent)
  }
  const claimsOn = (page: Page): Record<string, string> =>
    Object.fromEntries(
      page.html
        .querySelectorAll('tbody tr')
        .map((row) => [row.querySelector('th')?.text ?? '', row.querySelector('td')?.text ?? '']),
    )

  test('greets a visitor in Japanese with a way to sign in', async () => {
    const page = await browser.open(portalUrl)
    expect(heading(page)).toBe('健康ポータル')
    expect(page.html.querySelector('html')?.getAttribute('lang')).toBe('ja')
    expect(page.html.querySelector('.hero a')?.getAttribute('href')).toBe('/login')
  })

  test('speaks English once asked to, and asks the provider to', async () => {
    await browser.open(`${portalUrl}/?lang=en`)
    const page = await browser.open(portalUrl)
    expect(page.html.querySelector('.hero a')?.text).toBe('Sign in')
    const response = await fetch(`${portalUrl}/login`, {
      redirect: 'manual',
      headers: { cookie: await browser.jar.getCookieString(portalUrl) },
    })
    expect(new URL(response.headers.get('location') ?? '').searchParams.get('ui_locales')).toBe(
      'en',
    )
  })

  test('signs a member in and shows the ID token’s claims', async () => {
    const page = await signIn()
    expect(heading(page)).toBe('ようこそ')
    expect(page.url).toBe(`${portalUrl}/`)
    expect(claimsOn(page)).toMatchObject({ sub: 'hanako', aud: 'health-portal', iss: issuer })
  })

  test('has a second front door, where the first one’s members are not signed in', async () => {
    await signIn()
    expect(heading(await browser.open(`${portalUrl}/minato`))).toBe('みなと健康ナビ')
    const consent = await browser.open(`${portalUrl}/minato/login`)
    const page = await browser.submit(consent)
    expect(page.url).toBe(`${portalUrl}/minato`)
    expect(claimsOn(page).aud).toBe('minato-portal')
  })

  test('signs out here and at the provider', async () => {
    const confirm = await browser.submit(await signIn())
    expect(confirm.url).toContain(`${issuer}/session/end`)
    const page = await browser.submit(confirm, { logout: 'yes' })
    expect(page.url.startsWith(`${portalUrl}/signed-out`)).toBe(true)
    expect(heading(page)).toBe('ログアウトしました')
    const quiet = await browser.open(`${portalUrl}/login?prompt=none`)
    expect(heading(quiet)).toBe('まだログインしていません')
  })

  test('a new session ID comes with the sign-in', async () => {
    await browser.open(`${portalUrl}/login`)
    const before = await browser.jar.getCookieString(portalUrl)
    await signIn()
    expect(await browser.jar.getCookieString(portalUrl)).not.toBe(before)
  })

  test('a member who cancels is told so and can try again', async () => {
    const login = await browser.open(`${portalUrl}/login`)
    const abort = login.html
      .querySelectorAll('a')
      .map((link) => link.getAttribute('href'))
      .find((href) => href?.endsWith('/abort'))
    const page = await browser.open(new URL(abort ?? '', issuer).href)
    expect(page.status).toBe(200)
    expect(heading(page)).toBe('ログインをやめました')
    expect(page.html.querySelector('.notice a')?.getAttribute('href')).toBe('/login')
  })

  test('an error of the provider’s is shown with its code', async () => {
    const page = await browser.open(`${portalUrl}/login?prompt=unknown`)
    expect(heading(page)).toBe('ログインできませんでした')
    expect(page.html.querySelector('.hint')?.text).toContain('invalid_request')
  })

  test.each(['prompt=login', 'max_age=0', 'login_hint=12345-678', 'acr_values=phr'])(
    'passes %s on to the provider',
    async (query) => {
      const response = await fetch(`${portalUrl}/login?${query}`, { redirect: 'manual' })
      const [name = '', value] = query.split('=')
      const sent = new URL(response.headers.get('location') ?? '').searchParams
      expect(sent.get(name)).toBe(value)
      expect(sent.get('code_challenge_method')).toBe('S256')
      expect(sent.get('nonce')).toBeTruthy()
    },
  )

  test('does not pass on what would change the sign-in itself', async () => {
    const query = 'redirect_uri=https://evil.example&scope=admin&state=known&response_type=token'
    const response = await fetch(`${portalUrl}/login?${query}`, { redirect: 'manual' })
    const sent = new URL(response.headers.get('location') ?? '').searchParams
    expect(sent.get('redirect_uri')).toBe(`${portalUrl}/callback`)
    expect(sent.get('scope')).toBe('openid')
    expect(sent.get('state')).not.toBe('known')
    expect(sent.get('response_type')).toBe('code')
  })

  test('signs in again when the member has just signed in with max_age=0', async () => {
    await signIn()
    const login = await browser.open(`${portalUrl}/login?max_age=0`)
    const page = await browser.submit(login, { login: 'hanako', password: 'any' })
    expect(heading(page)).toBe('ようこそ')
  })

  test('a max_age that is none is refused by the provider, and told', async () => {
    const page = await browser.open(`${portalUrl}/login?max_age=soon`)
    expect(page.status).toBe(502)
    expect(page.html.text).toContain('invalid_request')
  })

  test('a sign-in that the provider starts is for that provider only', async () => {
    const own = await fetch(`${portalUrl}/login?iss=${issuer}`, { redirect: 'manual' })
    expect(own.headers.get('location')).toContain(`${issuer}/auth`)
    const foreign = await browser.open(`${portalUrl}/login?iss=https://evil.example`)
    expect(foreign.status).toBe(400)
  })

  test('an answer that this browser did not ask for signs nobody in', async () => {
    const started = await fetch(`${portalUrl}/login`, { redirect: 'manual' })
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state')
    const page = await browser.open(`${portalUrl}/callback?code=stolen&state=${state}`)
    expect(page.status).toBe(400)
    expect(heading(page)).toBe('もう一度ログインしてください')
  })

  test('a portal restarted in the middle of a sign-in finishes it', async () => {
    const login = await browser.open(`${portalUrl}/login`)
    restart()
    const consent = await browser.submit(login, { login: 'hanako', password: 'any' })
    expect(heading(await browser.submit(consent))).toBe('ようこそ')
  })

  test('sign-ins of two tabs are finished in any order, each once', async () => {
    const first = await browser.open(`${portalUrl}/login`)
    const second = await browser.open(`${portalUrl}/login`)
    const fields = { login: 'hanako', password: 'any' }
    const late = await browser.submit(await browser.submit(second, fields))
    expect(heading(late)).toBe('ようこそ')
    const callbacks: string[] = []
    const page = await browser.submit(first, fields, callbacks)
    expect(heading(page)).toBe('ようこそ')
    const callback = callbacks.find((address) => address.includes('/callback?')) ?? ''
    expect(heading(await browser.open(callback))).toBe('もう一度ログインしてください')
  })

  test.each(['', 'nonsense', 'a.b.c.d.e'])(
    'a cookie that is none of its own, %j, is no sign-in under way',
    async (value) => {
      await browser.jar.setCookie(`portal_health-portal_started=${value}`, portalUrl)
      expect((await browser.open(`${portalUrl}/callback?code=a&state=b`)).status).toBe(400)
      expect(heading(await signIn())).toBe('ようこそ')
    },
  )

  test('a code that is no good signs nobody in', async () => {
    const started = await fetch(`${portalUrl}/login`, { redirect: 'manual' })
    for (const cookie of started.headers.getSetCookie())
      await browser.jar.setCookie(cookie, portalUrl)
    const state = new URL(started.headers.get('location') ?? '').searchParams.get('state')
    const query = `code=wrong&state=${state}&iss=${encodeURIComponent(issuer)}`
    const page = await browser.open(`${portalUrl}/callback?${query}`)
    expect(page.status).toBe(502)
    expect(heading(page)).toBe('ログインできませんでした')
  })

  test('nobody else’s page can sign a member out', async () => {
    await signIn()
    const page = await browser.open(`${portalUrl}/logout`, {
      method: 'POST',
      headers: { 'Sec-Fetch-Site': 'cross-site' },
    })
    expect(page.status).toBe(403)
    expect(heading(await browser.open(portalUrl))).toBe('ようこそ')
  })

  describe('told by the provider that a sign-in is over', () => {
    const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
    const tell = async (token: string | undefined): Promise<number> => {
      const response = await fetch(`${portalUrl}/backchannel-logout`, {
        method: 'POST',
        body: new URLSearchParams(token === undefined ? {} : { logout_token: token }),
      })
      expect(response.headers.get('Cache-Control')).toBe('no-store')
      return response.status
    }
    const aToken = (
      claims: Readonly<Record<string, unknown>>,
      { typ = 'logout+jwt', signedWith = key } = {},
    ): Promise<string> =>
      new SignJWT({ events: { [EVENT]: {} }, jti: randomUUID(), ...claims })
        .setProtectedHeader({ alg: 'RS256', typ })
        .setIssuer(String(claims.iss ?? issuer))
        .setAudience(String(claims.aud ?? 'health-portal'))
        .setIssuedAt()
        .setExpirationTime(typeof claims.exp === 'number' ? claims.exp : '2m')
        .sign(signedWith)
    const isSignedIn = async (one: ReturnType<typeof aBrowser>) =>
      heading(await one.open(portalUrl)) === 'ようこそ'

    test('ends that one sign-in and no other of the member’s', async () => {
      const away = browser
      const { sid } = claimsOn(await signIn())
      browser = aBrowser()
      await signIn()
      expect(await tell(await aToken({ sub: 'hanako', sid }))).toBe(200)
      expect(await isSignedIn(away)).toBe(false)
      expect(await isSignedIn(browser)).toBe(true)
      expect(await tell(await aToken({ sub: 'hanako', sid }))).toBe(200)
    })

    test('ends all of the member’s sign-ins where none is named', async () => {
      const away = browser
      await signIn()
      browser = aBrowser()
      await signIn()
      expect(await tell(await aToken({ sub: 'taro' }))).toBe(200)
      expect(await isSignedIn(away)).toBe(true)
      expect(await tell(await aToken({ sub: 'hanako' }))).toBe(200)
      expect([await isSignedIn(away), await isSignedIn(browser)]).toEqual([false, false])
    })

    test('believes no token that is not a logout token of the provider’s for this portal', async () => {
      await signIn()
      const sub = 'hanako'
      const { privateKey: signedWith } = generateKeyPairSync('rsa', { modulusLength: 2048 })
      const refused = [
        undefined,
        'no token',
        await aToken({}),
        await aToken({ sub, nonce: 'n' }),
        await aToken({ sub, events: {} }),
        await aToken({ sub, events: { [EVENT]: null } }),
        await aToken({ sub, aud: 'minato-portal' }),
        await aToken({ sub, iss: 'https://evil.example' }),
        await aToken({ sub, exp: Math.floor(Date.now() / 1000) - 60 }),
        await aToken({ sub, jti: undefined }),
        await aToken({ sub }, { typ: 'JWT' }),
        await aToken({ sub }, { signedWith }),
      ]
      for (const token of refused) expect(await tell(token)).toBe(400)
      expect(await isSignedIn(browser)).toBe(true)
    })
  })

  test('runs no script, is framed by nobody and loads from itself only', async () => {
    const { headers } = await browser.open(portalUrl)
    const policy = headers.get('Content-Security-Policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(policy).not.toMatch(/script-src|unsafe/)
    expect((await fetch(`${portalUrl}/portal.css`)).headers.get('Content-Type')).toContain('css')
  })

  test('an unknown address is answered with a page', async () => {
    const page = await browser.open(`${portalUrl}/nowhere`)
    expect(page.status).toBe(404)
    expect(heading(page)).toBe('ページが見つかりません')
  })

  test('says so while the provider cannot be reached, and signs in once it can', async () => {
    const late = createServer()
    const lateIssuer = await listening(late)
    await closed(late)
    const server = createServer()
    const url = await listening(server)
    const door = {
      path: '/',
      clientId: 'late',
      clientSecret: SECRET,
      name: { ja: 'ポータル', en: 'Portal' },
    }
    const portal = createPortal({ issuer: lateIssuer, portalUrl: url, clients: [door] })
    server.on('request', portal.callback())
    const page = await browser.open(`${url}/login`)
    expect(page.status).toBe(503)
    expect(heading(page)).toBe('ログインサービスにつながりません')

    const back = createServer(new Provider(lateIssuer, { cookies: { keys: ['k'] } }).callback())
    await new Promise<void>((resolve) => {
      back.listen(Number(new URL(lateIssuer).port), 'localhost', resolve)
    })
    const started = await fetch(`${url}/login`, { redirect: 'manual' })
    expect(started.headers.get('location')).toContain(`${lateIssuer}/auth`)
    await closed(back)
    await closed(server)
  })
})
