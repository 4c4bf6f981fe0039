import { parse } from 'node-html-parser'
import { CookieJar } from 'tough-cookie'
import type { Answer } from '../wire.ts'
import {
  type Arrival,
  type Browser,
  type CreateDriver,
  type Driver,
  type DriverKit,
  type Hop,
  type Page,
  type Start,
  WalkError,
  type WalkOptions,
} from './driver.ts'
import { submissionOf } from './html-form.ts'
import { KENPO_ID_PAGES } from './kenpo-id-pages.ts'
import { createAnswers, type Member, type PageRules } from './page-rules.ts'

const MAX_HOPS = 60
/** The same rule may meet a member this often on one way: mistakes are shown again. */
const MAX_REPEATS = 3

type Next = Readonly<{
  method: 'GET' | 'POST'
  url: URL
  fields: readonly (readonly [string, string])[]
}>

/** Fetch Metadata section 2.3, by host: over a chain of redirects the farthest counts. */
const siteOf = (origin: string, chain: readonly URL[]): string => {
  if (chain.every((url) => url.origin === origin)) return 'same-origin'
  const { hostname } = new URL(origin)
  return chain.every((url) => url.hostname === hostname) ? 'same-site' : 'cross-site'
}

const flat = (headers: Answer['headers']): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )

/** After these a browser goes on by GET and without a body (RFC 9110 section 15.4). */
const becomesGet = (status: number, method: string): boolean =>
  status === 303 || ((status === 301 || status === 302) && method === 'POST')

/**
 * A browser without script: cookies by their SameSite, redirects, forms. Faster than a real one,
 * and it sees every header.
 */
export const createFormDriver = (
  kit: DriverKit & Readonly<{ pages: PageRules }>,
  name = 'form',
): Driver => {
  const { wire, pages, members } = kit
  const answers = createAnswers(pages, wire)

  const browserOf = (member: Member, language: string): Browser => {
    const jar = new CookieJar()

    const walk = async (start: Start, options: WalkOptions): Promise<Arrival> => {
      const hops: Hop[] = []
      const seen: Page[] = []
      const met = new Map<unknown, number>()
      let from = options.origin
      let referrer = `${options.origin}/`
      let chain: URL[] = []
      let next: Next = {
        method: start.form ? 'POST' : 'GET',
        url: new URL(start.url),
        fields: Object.entries(start.form ?? {}),
      }

      while (hops.length < MAX_HOPS) {
        const { method, url, fields } = next
        if (options.isBack(url)) {
          if (method === 'POST') {
            const params = new URLSearchParams(
              fields.map(([key, value]): [string, string] => [key, value]),
            )
            return { kind: 'back', url, mode: 'form_post', params, hops, pages: seen }
          }
          const inFragment = url.hash.length > 1
          const params = inFragment ? new URLSearchParams(url.hash.slice(1)) : url.searchParams
          const mode = inFragment ? 'fragment' : 'query'
          return { kind: 'back', url, mode, params, hops, pages: seen }
        }
        chain = [...chain, url]
        const site = siteOf(from, chain)
        const sameSite = site !== 'cross-site' ? 'strict' : method === 'GET' ? 'lax' : 'none'
        const cookies = await jar.getCookieString(url.href, { sameSiteContext: sameSite })
        const answer = await wire.send({
          by: 'browser',
          url,
          method,
          ...(method === 'POST' && { form: fields }),
          headers: {
            Accept: 'text/html,application/xhtml+xml',
            'Accept-Language': language,
            'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) conformance-form-driver',
            'Sec-Fetch-Dest': 'document',
            'Sec-Fetch-Mode': 'navigate',
            'Sec-Fetch-Site': site,
            'Sec-Fetch-User': '?1',
            Referer: referrer,
            ...(method === 'POST' && { Origin: from }),
            ...(cookies !== '' && { Cookie: cookies }),
          },
        })
        const setCookies = answer.headers['set-cookie'] ?? []
        for (const line of setCookies) await jar.setCookie(line, url.href, { ignoreError: true })
        const { location } = answer.headers
        hops.push({ method, url: url.href, status: answer.status, location, setCookies })

        if (answer.status >= 300 && answer.status < 400 && location !== undefined) {
          const target = new URL(location, url)
          next = becomesGet(answer.status, method)
            ? { method: 'GET', url: target, fields: [] }
            : { method, url: target, fields }
          continue
        }

        const root = parse(answer.headers['content-type']?.includes('html') ? answer.body : '')
        const rule = answers.ruleFor(root, member)
        const page: Page = {
          url,
          status: answer.status,
          headers: flat(answer.headers),
          html: answer.body,
          asking: rule?.asking,
        }
        seen.push(page)
        const arrived: Arrival = { kind: 'page', page, hops, pages: seen }
        from = url.origin
        referrer = url.href
        chain = []

        // Form Post Response Mode section 2: the page submits itself, by script.
        const post = root
          .querySelectorAll('form')
          .find((form) => options.isBack(new URL(form.getAttribute('action') ?? '', url)))
        if (post && !rule) {
          next = submissionOf(post, root, url, {})
          continue
        }
        if (options.cancel && pages.cancel !== undefined) {
          const leave = root.querySelector(pages.cancel)
          if (leave) {
            next = submissionOf(leave, root, url, {})
            continue
          }
        }
        if (!rule || rule.asking === 'passkey' || options.stopAt?.includes(rule.asking)) {
          return arrived
        }
        const times = (met.get(rule) ?? 0) + 1
        met.set(rule, times)
        if (times > MAX_REPEATS) return arrived
        answers.keep(rule, root, member)
        const values: Record<string, string> = {}
        for (const [field, template] of Object.entries(rule.fill ?? {})) {
          values[field] = await answers.valueOf(template, member)
        }
        const pressed = root.querySelector(rule.press)
        if (!pressed) throw new WalkError(`"${rule.press}" is not on ${url.pathname}`)
        next = submissionOf(pressed, root, url, values)
        await answers.done(rule, member)
      }
      const last = hops.slice(-4).map((hop) => new URL(hop.url).pathname)
      throw new WalkError(`the way has no end: ${MAX_HOPS} responses, at last ${last.join(' → ')}`)
    }

    return { member, walk, close: async () => undefined }
  }

  return {
    name,
    members,
    can: { passkey: false, headers: true },
    open: async (member, { language = 'ja' } = {}) => browserOf(member, language),
    close: async () => undefined,
  }
}

const create: CreateDriver = (kit) =>
  createFormDriver({ ...kit, pages: kit.pages ?? KENPO_ID_PAGES })
export default create
