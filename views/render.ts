// biome-ignore-all lint/style/noRestrictedImports: the one door between views/ and koa
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Context, Middleware } from 'koa'
import type { Locale } from '../accounts/member.ts'
import { compiled } from './compiled.ts'
import { ruby } from './furigana.ts'
import { catalogue, faultText } from './messages/index.ts'
import type { CommonLocals, ConsentItem, Fault, Pages, ViewName } from './pages.ts'

/** The templates stay where they are when the code is built: the package's `imports` finds them. */
const ROOT = fileURLToPath(new URL('.', import.meta.resolve('#views/layout.pug')))

/** koa-views' engine for `.pug`: the template as `npm run build` has compiled it. */
const pug = async (path: string, locals: object): Promise<string> =>
  (await compiled(basename(path, '.pug')))(locals)

/** Minutes that the first login still takes, by step. */
const MINUTES_LEFT = [10, 9, 8, 7, 5, 4, 3]

/** Loaded with the first request, or by whoever calls this before there is one. */
export const loadViews = () => import('koa-views')

/**
 * Gives `ctx.render`, one per request. Never koa-views' other form, `app.context.render`: it shares
 * one context between requests and hands one member's page to another (security.md S6).
 */
export const viewsMiddleware = (): Middleware => {
  let views: Middleware | undefined
  return async (ctx, next) => {
    views ??= (await loadViews()).default(ROOT, { extension: 'pug', engineSource: { pug } })
    return views(ctx, next)
  }
}

/** `self` with one more parameter. Only ever a path of this server. */
const withParameter = (self: string, name: string, value: string): string => {
  const url = new URL(self.replace(/^[/\\]+/u, '/'), 'http://self.invalid')
  url.searchParams.set(name, value)
  return `${url.pathname.replace(/^\/+/u, '/')}${url.search}`
}

/** An address from the configuration, if it is one of the web's. */
const webAddress = (uri: string | undefined): string | undefined =>
  uri !== undefined && URL.canParse(uri) && /^https?:$/u.test(new URL(uri).protocol)
    ? uri
    : undefined

const telephone = (phone: string): string => `tel:${phone.replace(/[^0-9+]/gu, '')}`

/** A paragraph of the terms: a first line starting with "# " is its heading. */
const section = (paragraph: string) => {
  const [first = '', ...rest] = paragraph.split('\n')
  return first.startsWith('# ')
    ? { heading: first.slice(2), lines: rest }
    : { heading: undefined, lines: [first, ...rest] }
}

/** 2026-04-01 in the member's language. */
const dateText = (locale: Locale, date: string): string => {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
  return catalogue(locale).terms.date(year, month, day)
}

/** The relying party's front page, which LINE opens in the real browser by this parameter. */
const inRealBrowser = (uri: string | undefined): string | undefined => {
  const known = webAddress(uri)
  if (known === undefined) return undefined
  const url = new URL(known)
  url.searchParams.set('openExternalBrowser', '1')
  return url.href
}

/** Lines as a file that a link can save without script; line ends as every editor reads them. */
const textFile = (lines: readonly string[]): string =>
  `data:text/plain;charset=utf-8,${encodeURIComponent(`${lines.join('\r\n')}\r\n`)}`

const SCOPE_ICONS: Readonly<Record<string, string>> = {
  openid: 'shield',
  profile: 'person',
  email: 'emailCode',
  address: 'home',
  phone: 'phone',
  insured: 'card',
  offline_access: 'clock',
}
/** Claims of a profile have none of their own. */
const CLAIM_ICONS: Readonly<Record<string, string>> = {
  email: 'emailCode',
  email_verified: 'emailCode',
  address: 'home',
  phone_number: 'phone',
  phone_number_verified: 'phone',
  insured_symbol: 'card',
  insured_number: 'card',
}
/** The drawing beside one thing that an application is allowed. */
const itemIcon = ({ kind, id }: ConsentItem): string => {
  if (kind === 'claim') return CLAIM_ICONS[id] ?? 'person'
  return (kind === 'scope' ? SCOPE_ICONS[id] : undefined) ?? 'data'
}

/** Faults of what the member did, not of what they entered: they stand at no field. */
const isOfCeremony = ({ reason }: Fault): boolean => /^(?:pk|method)\./u.test(reason)

/** Where a fault of the whole form points: the page's first field. */
const FIRST_FIELD: { readonly [V in ViewName]?: string } = {
  password: 'username',
  'forgot-password': 'username',
  'reset-code': 'code',
  'reset-password': 'password',
  'forgot-id': 'email',
  'lost-factor': 'pass',
  'desk-pass': 'pass',
  birthdate: 'year',
  terms: 'agree',
  email: 'email',
  'email-old': 'code',
  'email-wait': 'code',
  'email-code': 'code',
  'choose-place': 'companyPc',
  'choose-factor': 'factor',
  'new-password': 'password',
  'register-totp': 'code',
  'verify-totp': 'code',
  'verify-recovery-code': 'code',
  'recovery-codes': 'saved',
  'account-rename': 'label',
  'account-email': 'email',
  'account-password': 'current',
}

/** Faults that no other input would mend: the member can only wait. */
const WAIT: ReadonlySet<string> = new Set([
  'login.locked',
  'bday.locked',
  'mail.limit',
  'mail.paused',
  'code.expiredHeld',
  'code.checking',
  'code.toomany',
  'busy',
])

/** Faults that are mended by something else than input. */
const NOTICE: ReadonlySet<string> = new Set(['code.spent', 'code.restart', 'totp.stopped'])

/** Pages of a sign-in where the member reads what they are logging in to. */
const NAMES_APP: ReadonlySet<ViewName> = new Set([
  'password',
  'email-code',
  'verify-passkey',
  'verify-totp',
  'verify-recovery-code',
])

/**
 * Every name a template sees. None is an option of pug's, nor can a request name one: what comes
 * from a request stands inside `values`, `page` and `faults` (security.md N25).
 */
const localsOf = <V extends ViewName>(view: V, common: CommonLocals, page: Pages[V]) => {
  const { locale, society, app, self, step, values, csrf, base, until, back, reference } = common
  const { conformance } = common
  const t = catalogue(locale)
  const first = FIRST_FIELD[view]
  const faults = common.faults.map((fault) => ({
    field: fault.field ?? (isOfCeremony(fault) ? undefined : first),
    target: fault.field ?? (isOfCeremony(fault) ? undefined : first),
    reason: fault.reason,
    suggestion: fault.reason === 'mail.typo' ? fault.values?.suggest : undefined,
    text: faultText(t, fault),
  }))
  const heading = t.headings[view](page)
  const owner = society?.name[locale] ?? t.service
  return {
    t,
    locale,
    furigana: common.furigana && locale === 'ja',
    society,
    app,
    appName: app?.name ?? t.theApp,
    appUri: webAddress(app?.uri),
    appInBrowser: inRealBrowser(app?.uri),
    appLogo: app?.logo,
    appPolicy: webAddress(app?.policyUri),
    appTos: webAddress(app?.tosUri),
    itemIcon,
    toApp: NAMES_APP.has(view) ? app?.name : undefined,
    path: self.split('?', 1)[0],
    selfHref: self,
    step,
    minutesLeft: step === undefined ? undefined : MINUTES_LEFT[step - 1],
    faults,
    alertHeading: faults.every(({ reason }) => WAIT.has(reason))
      ? t.waitHeading
      : common.faults.every((fault) => isOfCeremony(fault) || NOTICE.has(fault.reason))
        ? t.noticeHeading
        : t.errorHeading,
    /** Only another request helps: the way back stands beside the words. */
    restart: faults.some(({ reason }) => reason === 'code.restart'),
    /** A passkey the server no longer knows, for the browser to forget. */
    unknownCredential: common.faults.find(({ reason }) => reason === 'pk.gone')?.values?.credential,
    otherWays: common.otherWays,
    values,
    csrf,
    base,
    until,
    back,
    reference,
    conformance,
    heading,
    documentTitle: `${faults.length > 0 ? t.errorTitle : ''}${heading} | ${owner}`,
    page,
    ruby,
    here: (name: string, value: string) => withParameter(self, name, value),
    faulty: (field: string) => faults.some((fault) => fault.field === field),
    describedBy: (field: string, hint: string | undefined) =>
      [
        faults.some((fault) => fault.field === field) ? `${field}-error` : '',
        hint ? `${field}-hint` : '',
      ]
        .filter(Boolean)
        .join(' ') || undefined,
    webAddress,
    telephone,
    section,
    textFile,
    dateText: (date: string) => dateText(locale, date),
  }
}

/**
 * Answers with one page. Needs `viewsMiddleware`; sets body and type, leaves status and headers.
 * @throws where a template fails, before anything was sent
 */
export const render = async <V extends ViewName>(
  ctx: Context,
  view: V,
  common: CommonLocals,
  locals: Pages[V],
): Promise<void> => {
  await ctx.render(`${view}.pug`, localsOf(view, common, locals))
  ctx.set('Content-Language', common.locale)
}
