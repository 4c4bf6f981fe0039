import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, extname } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import Koa from 'koa'
import { catalogue } from '../../views/messages/index.ts'
import { render, viewsMiddleware } from '../../views/render.ts'
import { commonOf, nameOf, SAMPLES, type Sample } from './samples.ts'

const STATIC = fileURLToPath(new URL('../../views/static/', import.meta.url))

const WEBAUTHN_BUNDLE = new URL(
  '../dist/bundle/index.umd.min.js',
  import.meta.resolve('@simplewebauthn/browser'),
)

/** An application's picture, as the product would serve it. */
const LOGO = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAMAAACdt4HsAAAACVBMVEX///8Zekv///+lQftOAAAAA3RSTlMA//9EUNYh' +
    'AAAAmUlEQVR42u3X0QqAIAyFYc/e/6ELuoiSpu7XRHDX7YtiE09Kj1JFpY9SU8H2nJCYIDFBYoLEBAkKFJCgsAHYfwr/' +
    'AHZVFLC7QoCZJ6S2/lwYD5j5wgaWAOYPEt+F0Da+H288D9w3VgD+N5eBwl8fD5QmbwNLAPMHie8C30Z///vfUPY9sQcw' +
    'Py/wyMNDF499PHjy6MvDdzj+H+nlEP9+4eSPAAAAAElFTkSuQmCC',
  'base64',
)

/** The policy the product's pages are served under. */
export const PAGE_CSP =
  "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"

const renderSample = (ctx: Koa.Context, sample: Sample, faulty: boolean) => {
  const locale = ctx.query.idp_locale === 'en' ? 'en' : 'ja'
  const furigana = ctx.query.furigana === 'on'
  return render(ctx, sample.view, commonOf(sample, { locale, furigana, faulty }), sample.locals)
}

/**
 * The pages alone: GET /<view>-<state>?idp_locale=&furigana=&faulty= shows a sample; its style,
 * its scripts and a status that can be set come from here too, nothing else does.
 */
export const aSite = () => {
  const app = new Koa()
  const site = { confirmed: false, posts: [] as string[], forms: [] as URLSearchParams[] }
  app.use(viewsMiddleware())
  app.use(async (ctx) => {
    ctx.set('Content-Security-Policy', PAGE_CSP)
    if (ctx.method === 'POST') {
      site.posts.push(ctx.path)
      site.forms.push(new URLSearchParams(await text(ctx.req)))
      ctx.status = 204
      return
    }
    if (ctx.path.startsWith('/assets/')) ctx.set('Cache-Control', 'public, max-age=3600')
    if (ctx.path.startsWith('/assets/society/')) {
      ctx.type = 'css'
      ctx.body = ':root { --society: #0f5ba7 }'
      return
    }
    if (ctx.path === '/logos/an-app') {
      ctx.type = 'png'
      ctx.body = LOGO
      return
    }
    if (ctx.path === '/assets/simplewebauthn-browser.js') {
      ctx.type = 'js'
      ctx.body = await readFile(WEBAUTHN_BUNDLE)
      return
    }
    if (ctx.path === '/assets/form-post.js') {
      // It would leave the page before anybody has looked at it.
      ctx.type = 'js'
      ctx.body = ''
      return
    }
    if (ctx.path.startsWith('/assets/')) {
      ctx.type = extname(ctx.path)
      ctx.body = await readFile(STATIC + basename(ctx.path))
      return
    }
    if (ctx.path.endsWith('/email-status')) {
      ctx.body = { confirmed: site.confirmed, delayed: false }
      return
    }
    if (ctx.path === '/interaction/abc') {
      ctx.body = `<!doctype html><html lang="ja"><title>next</title><h1>${catalogue('ja').next}</h1></html>`
      return
    }
    const sample = SAMPLES.find((each) => `/${nameOf(each)}` === ctx.path)
    if (!sample) return
    await renderSample(ctx, sample, ctx.query.faulty === 'yes')
  })
  return { app, site }
}

/** Serves an app on a free port of this machine. */
export const serve = async (app: Koa): Promise<{ origin: string; server: Server }> => {
  const server = createServer(app.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server's address is never a string
  return { origin: `http://127.0.0.1:${port}`, server }
}
