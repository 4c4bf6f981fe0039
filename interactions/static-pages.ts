import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import Router from '@koa/router'
import type { Context } from 'koa'
import type { Society } from '../accounts/society.ts'
import type { Pages } from '../views/pages.ts'
import { render } from '../views/render.ts'
import { commonLocals } from './common.ts'
import { localeOf } from './locale.ts'
import type { Settings } from './services.ts'

const HOUR_SECONDS = 3600

const asset = (type: string, body: string | Buffer) => ({
  type,
  body,
  etag: createHash('sha256').update(body).digest('base64url').slice(0, 20),
})
type Asset = ReturnType<typeof asset>

/** The passkey library as one file, which its package's `exports` do not name. */
const WEBAUTHN_BUNDLE = new URL(
  '../dist/bundle/index.umd.min.js',
  import.meta.resolve('@simplewebauthn/browser'),
)

/** Style sheets and scripts, by name. */
const readFiles = (): ReadonlyMap<string, Asset> => {
  const folder = new URL('./static/', import.meta.resolve('#views/layout.pug'))
  const files = new Map<string, Asset>()
  for (const name of readdirSync(folder)) {
    files.set(name, asset(name.slice(name.lastIndexOf('.')), readFileSync(new URL(name, folder))))
  }
  files.set('simplewebauthn-browser.js', asset('.js', readFileSync(WEBAUTHN_BUNDLE)))
  return files
}

/** Read once at start: neither a request nor another engine with new keys needs a file. */
let files: ReadonlyMap<string, Asset> | undefined

const assetsFor = (societies: Iterable<Society>): ReadonlyMap<string, Asset> => {
  files ??= readFiles()
  const colors = [...societies].map(
    ({ id, color }) => [`society/${id}.css`, asset('.css', `:root{--society:${color}}\n`)] as const,
  )
  return new Map([...files, ...colors])
}

const serve = (ctx: Context, found: Asset | undefined): void => {
  if (!found) return
  ctx.set('Cache-Control', `public, max-age=${HOUR_SECONDS}`)
  ctx.etag = found.etag
  ctx.status = 200
  if (ctx.fresh) {
    ctx.status = 304
    return
  }
  ctx.type = found.type
  ctx.body = found.body
}

/** The page of a sign-in, or of the account, on which help was pressed. */
const cameFrom = (ctx: Context, issuer: string): Pages['help'] => {
  const referrer = URL.canParse(ctx.get('Referer')) ? new URL(ctx.get('Referer')) : undefined
  if (referrer?.origin !== new URL(issuer).origin) return {}
  const backPath = /^\/(?:interaction\/[\w-]+|account\/[\w-]+)/u.exec(referrer.pathname)?.[0]
  return backPath === undefined ? {} : { backPath }
}

/** What a developer's machine has beside the service. */
const demoOf = ({ demo, smtpUrl }: Settings): Pages['front']['demo'] =>
  demo && {
    portal: `http://localhost:${demo.portalPort}/`,
    ...(smtpUrl === undefined && { mailbox: `http://localhost:${demo.mailboxPort}/` }),
  }

/** What needs no sign-in: style sheets, the front page, help, and every version of a society's terms. */
export const staticRouter = (settings: Settings): Router => {
  const assets = assetsFor(settings.societies.values())
  const router = new Router()
  router.get('/assets/:name', (ctx) => serve(ctx, assets.get(String(ctx.params.name))))
  router.get('/assets/society/:name', (ctx) => serve(ctx, assets.get(`society/${ctx.params.name}`)))
  // W3C passkey endpoints: where a password manager sends members to add and to manage passkeys.
  router.get('/.well-known/passkey-endpoints', (ctx) => {
    const manage = `${settings.issuer}/account`
    ctx.body = { enroll: `${manage}?page=add-passkey`, manage }
  })
  // WebAuthn Level 3 section 5.11: no other origin uses our passkeys.
  router.get('/.well-known/webauthn', (ctx) => {
    ctx.body = { origins: [new URL(settings.issuer).origin] }
  })
  // Opened by hand: a sign-in begins at a relying party. `/account` names the societies, too.
  router.get('/', async (ctx) => {
    const locale = localeOf(ctx)
    const societies = [...settings.societies.values()]
    const demo = demoOf(settings)
    const only = societies.length === 1 ? societies[0] : undefined
    await render(ctx, 'front', commonLocals(ctx, locale, { society: only }), {
      societies: societies.map(({ id, name }) => ({ name: name[locale], href: `/help/${id}` })),
      ...(demo && { demo }),
    })
  })
  router.get('/help/:society', async (ctx) => {
    const society = settings.societies.get(String(ctx.params.society))
    if (!society) return
    const common = commonLocals(ctx, localeOf(ctx), { society })
    await render(ctx, 'help', common, cameFrom(ctx, settings.issuer))
  })
  router.get('/terms/:society/:version', async (ctx) => {
    const society = settings.societies.get(String(ctx.params.society))
    const { terms } = society ?? {}
    const found =
      terms && [terms, ...terms.earlier].find(({ version }) => version === ctx.params.version)
    if (!society || !found) return
    const locale = localeOf(ctx)
    await render(ctx, 'terms-text', commonLocals(ctx, locale, { society }), {
      version: found.version,
      text: found.text[locale],
    })
  })
  return router
}
