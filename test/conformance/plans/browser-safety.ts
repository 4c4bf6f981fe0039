import { parse } from 'node-html-parser'
import type { Context } from '../context.ts'
import type { Page } from '../drivers/driver.ts'
import { authorize, placeAt } from '../flows.ts'
import type { Module, Plan } from '../module.ts'
import { aClient, members, seesPages } from '../needs.ts'
import { randomText } from '../relying-party.ts'

const usual = [aClient, members(1), seesPages] as const

const signInPage = async (t: Context): Promise<Page> => {
  const authorization = await authorize(t, { browser: await t.newBrowser(), stopAt: ['sign-in'] })
  const { arrival } = authorization
  return t.expect(
    ['the sign-in page is shown', 'ログイン画面が出る'],
    arrival.kind === 'page' && arrival.page.asking === 'sign-in' && arrival.page,
    placeAt(authorization),
  )
}

const errorPage = async (t: Context, params: Record<string, string>): Promise<Page> => {
  const authorization = await authorize(t, { browser: await t.newBrowser(), params })
  const { arrival } = authorization
  return t.expect(
    ['an error page is shown', 'エラーの画面が出る'],
    arrival.kind === 'page' && arrival.page,
    placeAt(authorization),
  )
}

const isFramable = ({ headers }: Page): boolean => {
  const ancestors = /frame-ancestors\s+([^;]*)/.exec(headers['content-security-policy'] ?? '')?.[1]
  if (ancestors !== undefined) return !/^\s*'(none|self)'\s*$/.test(ancestors)
  return !/^(deny|sameorigin)$/i.test(headers['x-frame-options'] ?? '')
}

const UNREGISTERED = 'https://attacker.example/callback'

const frames: Module = {
  id: 'frame-deny',
  title: ['No page can be put into a frame', 'どの画面もフレームに入れられない'],
  section: ['RFC 9700 4.16'],
  requires: [...usual],
  async run(t) {
    const { arrival } = await t.session()
    const pages = [
      await signInPage(t),
      await errorPage(t, { redirect_uri: UNREGISTERED }),
      ...arrival.pages,
    ]
    for (const page of pages) {
      const name = page.asking ?? 'error'
      t.must(
        [`${name} page: framing is forbidden`, `${name} 画面: フレームを禁じている`],
        !isFramable(page),
        {
          'content-security-policy': page.headers['content-security-policy'],
          'x-frame-options': page.headers['x-frame-options'],
        },
      )
    }
  },
}

const noRepeat: Module = {
  id: 'no-307',
  title: ['A typed password is never sent on', '入力されたパスワードを転送先へ送らせない'],
  section: ['RFC 9700 4.12'],
  requires: [...usual],
  async run(t) {
    const { arrival } = await t.session()
    const posts = arrival.hops.filter((hop) => hop.method === 'POST' && hop.status >= 300)
    const redirects = posts.filter((hop) => hop.status < 400)
    t.must(
      ['no form is answered with 307 or 308', '307や308で応じない'],
      !redirects.some((hop) => hop.status === 307 || hop.status === 308),
      redirects.map((hop) => [hop.url, hop.status]),
    )
    t.should(
      ['forms are answered with 303', '303で応じる'],
      redirects.every((hop) => hop.status === 303),
      redirects.map((hop) => [hop.url, hop.status]),
    )
  },
}

const LEAKY = new Set(['unsafe-url', 'no-referrer-when-downgrade'])

const referrer: Module = {
  id: 'referrer',
  title: ['No code or state leaks by the Referer header', 'Refererからコードやstateが漏れない'],
  section: ['RFC 9700 4.2.4'],
  requires: [...usual],
  async run(t) {
    const state = randomText()
    for (const page of [
      await signInPage(t),
      await errorPage(t, { redirect_uri: UNREGISTERED, state }),
    ]) {
      const root = parse(page.html)
      const policy =
        page.headers['referrer-policy'] ??
        root.querySelector('meta[name=referrer]')?.getAttribute('content')
      const last = policy?.split(',').at(-1)?.trim() ?? ''
      t.must(['the policy is not a leaky one', '漏れるポリシーでない'], !LEAKY.has(last), policy)
      t.should(
        ['there is a policy', 'Referrer-Policyがある'],
        policy !== undefined,
        `none at ${page.url.pathname}`,
      )
      const foreign = root
        .querySelectorAll('script[src], img[src], link[rel=stylesheet][href], iframe[src]')
        .map((one) => one.getAttribute('src') ?? one.getAttribute('href') ?? '')
        .filter((address) => new URL(address, page.url).origin !== page.url.origin)
        .filter((address) => !address.startsWith('data:'))
      t.must(
        ['the page loads nothing from elsewhere', 'ほかのサイトから何も読み込まない'],
        foreign.length === 0,
        foreign,
      )
    }
  },
}

const bound: Module = {
  id: 'interaction-bound',
  title: [
    'A sign-in page belongs to the browser that asked for it',
    'ログイン画面は始めたブラウザだけのもの',
  ],
  section: ['RFC 9700 4.7'],
  requires: [...usual],
  async run(t) {
    const authorization = await authorize(t, { browser: await t.newBrowser(), stopAt: ['sign-in'] })
    const { arrival } = authorization
    const page = t.expect(
      ['the sign-in page is shown', 'ログイン画面が出る'],
      arrival.kind === 'page' && arrival.page.asking === 'sign-in' && arrival.page,
      placeAt(authorization),
    )
    if (page.url.searchParams.has('client_id')) {
      t.skip([
        'the sign-in page is at the authorization request itself',
        'ログイン画面が認可要求のアドレスそのもの',
      ])
    }
    const stranger = await t.newBrowser()
    const elsewhere = await stranger.walk(
      { url: page.url.href },
      { origin: page.url.origin, isBack: () => false, stopAt: ['sign-in', 'consent', 'code'] },
    )
    t.must(
      ['in another browser it is refused', '別のブラウザでは断られる'],
      elsewhere.kind === 'page' && elsewhere.page.asking === undefined,
      placeAt({ arrival: elsewhere }),
    )
    if (elsewhere.kind !== 'page' || elsewhere.page.status === undefined) return
    t.must(['with an error', 'エラーになる'], elsewhere.page.status >= 400, elsewhere.page.status)
  },
}

/** Name, value and attributes of a Set-Cookie line. */
const cookieOf = (line: string) => {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim())
  const has = (name: string) =>
    attributes.some((one) => one.toLowerCase().split('=')[0] === name.toLowerCase())
  const value = pair.slice(pair.indexOf('=') + 1)
  const expires = attributes.find((one) => /^expires=/i.test(one))?.slice('expires='.length)
  const isDeleted = value === '' || (expires !== undefined && Date.parse(expires) < Date.now())
  return { name: pair.split('=')[0] ?? '', has, isDeleted }
}

const cookies: Module = {
  id: 'cookies',
  title: ['Cookies are kept from scripts, other sites and plain http', 'Cookieの属性が正しい'],
  section: ['RFC 6265 8.3'],
  requires: [...usual],
  async run(t) {
    const { arrival } = await t.session()
    const set = arrival.hops
      .flatMap(({ setCookies }) => setCookies)
      .map(cookieOf)
      .filter(({ isDeleted }) => !isDeleted)
    t.must(['signing in sets a cookie', 'ログインでCookieが付く'], set.length > 0)
    const isHttps = t.settings.issuer.startsWith('https:')
    for (const name of new Set(set.map((one) => one.name))) {
      const all = set.filter((one) => one.name === name)
      const every = (attribute: string) => all.every((one) => one.has(attribute))
      t.must([`${name}: HttpOnly`, `${name}: HttpOnly`], every('HttpOnly'), 'missing')
      t.must([`${name}: SameSite`, `${name}: SameSite`], every('SameSite'), 'missing')
      if (isHttps) t.must([`${name}: Secure`, `${name}: Secure`], every('Secure'), 'missing')
    }
    t.should(
      [
        'they are Secure (plain http on loopback cannot be)',
        'Secureが付く（ループバックのhttpでは付けられない）',
      ],
      isHttps,
      t.settings.issuer,
    )
  },
}

const MARKUP = '"><script>alert(1)</script><b x="'

const reflect: Module = {
  id: 'error-reflect',
  title: ['Markup in a parameter is not run', 'パラメータのマークアップが実行されない'],
  section: ['RFC 9110 17.13'],
  requires: [...usual],
  async run(t) {
    const faulty: readonly Record<string, string>[] = [
      { client_id: MARKUP },
      { redirect_uri: `https://attacker.example/${MARKUP}` },
      { redirect_uri: UNREGISTERED, state: MARKUP, scope: MARKUP, ui_locales: MARKUP },
      { redirect_uri: UNREGISTERED, response_type: MARKUP, prompt: MARKUP },
    ]
    for (const params of faulty) {
      const page = await errorPage(t, params)
      t.must(
        ['it is escaped', 'エスケープされる'],
        !page.html.includes('<script>alert(1)'),
        Object.keys(params),
      )
    }
    const hinted = await authorize(t, {
      browser: await t.newBrowser(),
      params: { login_hint: MARKUP, ui_locales: MARKUP },
      stopAt: ['sign-in'],
    })
    if (hinted.arrival.kind !== 'page') return
    t.must(
      ['on the sign-in page too', 'ログイン画面でも'],
      !hinted.arrival.page.html.includes('<script>alert(1)'),
      'login_hint',
    )
  },
}

export const browserSafety: Plan = {
  id: 'browser-safety',
  title: ['Safety in the browser', 'ブラウザでの安全'],
  modules: [frames, noRepeat, referrer, bound, cookies, reflect],
}
