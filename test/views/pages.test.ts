import { afterAll, describe, expect, test } from '@jest/globals'
import Koa from 'koa'
import { parse } from 'node-html-parser'
import type { CommonLocals, Pages, ViewName } from '../../views/pages.ts'
import { render, viewsMiddleware } from '../../views/render.ts'
import { sourceFiles } from '../style/sources.ts'
import { commonOf, nameOf, SAMPLES } from './samples.ts'
import { aSite, serve } from './site.ts'

const served = serve(aSite().app)
afterAll(async () => {
  const { server } = await served
  server.closeAllConnections()
  server.close()
})

const get = async (path: string) => {
  const response = await fetch((await served).origin + path)
  return { status: response.status, html: await response.text(), headers: response.headers }
}

/** Renders one page as a step would and hands back its HTML. */
const renderOnce = async <V extends ViewName>(view: V, common: CommonLocals, page: Pages[V]) => {
  const app = new Koa()
  app.use(viewsMiddleware())
  app.use((ctx) => render(ctx, view, common, page))
  const { origin, server } = await serve(app)
  const html = await (await fetch(origin)).text()
  server.closeAllConnections()
  server.close()
  return html
}

const sample = (name: string) => {
  const found = SAMPLES.find((each) => nameOf(each) === name)
  if (!found) throw new Error(`no sample ${name}`)
  return found
}

test('every page of the contract has its template and a sample here', () => {
  const templates = sourceFiles('.pug')
    .filter((path) => /^views\/[^/]+\.pug$/u.test(path))
    .map((path) => path.slice('views/'.length, -'.pug'.length))
    .filter((name) => name !== 'layout' && name !== 'mixins')
    .sort()
  expect([...new Set(SAMPLES.map(({ view }) => view))].sort()).toEqual(templates)
})

const LOCALES = ['ja', 'en'] as const
const CASES = SAMPLES.flatMap((each) =>
  LOCALES.map((locale) => ({ name: nameOf(each), locale, faulty: each.faults !== undefined })),
)

describe.each(CASES)('$name in $locale', ({ name, locale, faulty }) => {
  test('says what it must, with nothing a strict policy refuses', async () => {
    for (const state of faulty ? ['no', 'yes'] : ['no']) {
      for (const furigana of ['off', 'on']) {
        const { status, html } = await get(
          `/${name}?idp_locale=${locale}&faulty=${state}&furigana=${furigana}`,
        )
        const root = parse(html)
        expect(status).toBe(200)
        expect(root.querySelector('html')?.getAttribute('lang')).toBe(locale)
        expect(root.querySelectorAll('main')).toHaveLength(1)
        expect(root.querySelectorAll('h1')).toHaveLength(1)
        expect(html).not.toMatch(/undefined|\[object|NaN|function ?\(|=>/u)
        expect(root.querySelectorAll('[style], style, script:not([src])')).toEqual([])
        expect(html).not.toMatch(/<[^>]+\son[a-z]+=/u)
        const ids = root.querySelectorAll('[id]').map((each) => each.id)
        expect(ids).toEqual([...new Set(ids)])
        // Scripts of testers and of conformance suites name them (docs/conformance.md).
        const named = 'form, select, textarea, input:not([type=hidden]), button[type=submit]'
        const nameless = root
          .querySelectorAll(named)
          .filter((each) => !each.id && !each.closest('form')?.id)
        expect(nameless.map(String)).toEqual([])
      }
    }
  })

  test('every form is a POST with the csrf token and no native checks', async () => {
    const { html } = await get(`/${name}?idp_locale=${locale}`)
    for (const form of parse(html).querySelectorAll('main form')) {
      expect(form.getAttribute('method')).toBe('post')
      const own = form.getAttribute('action') ?? ''
      if (own.startsWith('/interaction/')) {
        expect(form.querySelectorAll('input[name=csrf]')).toHaveLength(1)
      }
    }
  })

  if (faulty) {
    test('a fault is in the title, in the summary and at its field, in the same words', async () => {
      const { html } = await get(`/${name}?idp_locale=${locale}&faulty=yes`)
      const root = parse(html)
      expect(root.querySelector('title')?.text).toMatch(/^(?:エラー：|Error: )/u)
      const { faults = [] } = sample(name)
      const atFields = faults.filter(({ reason }) => !/^(?:pk|method)\./u.test(reason))
      expect(root.querySelectorAll('[role=alert] li')).toHaveLength(faults.length)
      const summary = root.querySelectorAll('[role=alert] a')
      expect(summary).toHaveLength(atFields.length)
      for (const link of summary) {
        const target = root.querySelector(link.getAttribute('href') ?? '')
        expect(target?.tagName).toMatch(/^(?:INPUT|SELECT|BUTTON)$/u)
        expect(root.querySelectorAll('.err p').map((each) => each.text)).toContain(link.text)
      }
    })
  }
})

test('what a member types is shown again as text, never as markup', async () => {
  const typed = `"><script>alert(1)</script><b>{{1}}#{1}`
  const html = await renderOnce(
    'password',
    { ...commonOf(sample('password-first'), { locale: 'ja' }), values: { username: typed } },
    { loginIdExample: typed, counted: typed },
  )
  expect(html).not.toContain('<script>alert')
  expect(parse(html).querySelector('#username')?.getAttribute('value')).toBe(typed)
})

test('a password is never shown again', async () => {
  const common = { ...commonOf(sample('password-first'), { locale: 'ja' }) }
  const html = await renderOnce(
    'password',
    { ...common, values: { username: 'a', password: 'Sakura-umi-7' } },
    { loginIdExample: '1', counted: 'sakura' },
  )
  expect(html).not.toContain('Sakura-umi-7')
})

test.each([
  { self: '/interaction/abc', en: '/interaction/abc?idp_locale=en' },
  { self: '/email/x?k=1&idp_locale=ja', en: '/email/x?k=1&idp_locale=en' },
  { self: '//evil.example/x', en: '/evil.example/x?idp_locale=en' },
  { self: '/.//evil.example/x', en: '/evil.example/x?idp_locale=en' },
  { self: '/\\evil.example', en: '/evil.example?idp_locale=en' },
])('the language switch of $self stays on this server', async ({ self, en }) => {
  const common = { ...commonOf(sample('logged-out-done'), { locale: 'ja' }), self }
  const root = parse(await renderOnce('logged-out', common, {}))
  expect(root.querySelector('.lang a')?.getAttribute('href')?.replaceAll('&amp;', '&')).toBe(en)
})

test.each(['javascript:alert(1)', 'data:text/html,x', 'not an address'])(
  'no page links to %s',
  async (backUri) => {
    const common = commonOf(sample('error-stale'), { locale: 'ja' })
    const html = await renderOnce('error', common, { kind: 'stale', code: 'x', backUri })
    expect(html).not.toContain(backUri)
  },
)

test('the engine reads yes or no from the logout form', async () => {
  const root = parse((await get('/logout-asked')).html)
  const form = root.querySelector('main form')
  expect(form?.getAttribute('action')).toBe('/session/end/confirm')
  expect(form?.querySelector('input[name=xsrf]')?.getAttribute('value')).toBe('engine-secret')
  const buttons = form?.querySelectorAll('button') ?? []
  expect(buttons.map((each) => each.getAttribute('name') ?? '')).toEqual(['logout', ''])
})

test('the unknown reason of a fault and one without its values read as a fault of the form', async () => {
  const common = commonOf(sample('password-first'), { locale: 'en' })
  const faults = [{ reason: 'no.such' }, { reason: 'login.locked' }]
  const html = await renderOnce(
    'password',
    { ...common, faults },
    { loginIdExample: '1', counted: 'sakura' },
  )
  const rows = parse(html).querySelectorAll('[role=alert] li')
  expect(rows.map((row) => row.text)).toEqual(Array(2).fill(rows[0]?.text))
  expect(rows[0]?.text).toMatch(/^We could not read/u)
})

test('fifty members at once each get their own page', async () => {
  const app = new Koa()
  app.use(viewsMiddleware())
  app.use((ctx) => {
    const loginId = String(ctx.query.member)
    const common = { ...commonOf(sample('done-emailCode'), { locale: 'ja' }), reference: loginId }
    return render(ctx, 'done', common, {
      loginId,
      address: `${loginId}@example.jp`,
      method: 'emailCode',
    })
  })
  const { origin, server } = await serve(app)
  const members = Array.from({ length: 500 }, (_, index) => `member-${index}`)
  const wrong: string[] = []
  for (let first = 0; first < members.length; first += 50) {
    await Promise.all(
      members.slice(first, first + 50).map(async (member) => {
        const html = await (await fetch(`${origin}/?member=${member}`)).text()
        const shown = parse(html)
          .querySelectorAll('dd')
          .map((each) => each.text)
        if (shown[0] !== member || shown[1] !== `${member}@example.jp`) wrong.push(member)
      }),
    )
  }
  server.closeAllConnections()
  server.close()
  expect(wrong).toEqual([])
})
