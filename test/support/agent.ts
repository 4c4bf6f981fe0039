import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { CookieJar } from 'tough-cookie'
import { type FieldValues, submissionOf } from './html-form.ts'
import { aPage, type Hop, type Page, textOf } from './page.ts'

export type VisitorOptions = Readonly<{
  /** Accept-Language; 'ja' unless said. */
  language?: string
  /** An address in 127.0.0.0/8 to come from, to stand in another network. */
  from?: string
  /** The port that answers for every https address, as a server behind a TLS front does. */
  httpsPort?: number
  /** Sent with each request, e.g. User-Agent or X-Forwarded-For. */
  headers?: Readonly<Record<string, string>>
}>

/** A browser without script: a cookie jar, a current page, links and forms. */
export interface Visitor {
  readonly jar: CookieJar
  /** The page last arrived at. @throws before the first visit */
  readonly page: Page
  /** Types an address into the address bar. */
  visit(url: string | URL): Promise<Page>
  /** Presses the link with these words, or whose path ends with them. */
  follow(link: string): Promise<Page>
  /** Fills fields of the current page in; they go with the next `submit`. @returns this visitor */
  fill(values: FieldValues): Visitor
  /** Presses a button: see `submissionOf`. */
  submit(button?: string, values?: FieldValues): Promise<Page>
  /** Any POST at all, as a forger or a broken client makes it: `headers` replace the browser's. */
  post(
    url: string | URL,
    fields: Readonly<Record<string, string>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Page>
}

/** What came back for one request. */
export type Answer = Readonly<{ status: number; headers: IncomingHttpHeaders; body: string }>
type Asked = Readonly<{
  method: string
  url: URL
  body?: string
  /** The page whose link or form was used; undefined: the address bar. */
  initiator?: URL
  headers?: Readonly<Record<string, string>>
}>

const MAX_HOPS = 20

/** Milliseconds: an idle connection ends before any server would end it. */
const IDLE = 1000
const connections = new Agent({ keepAlive: true, timeout: IDLE })

export type Request = Readonly<{
  /** 'GET' unless said. */
  method?: string
  /** All there are, but Connection; Host is the address's unless said. */
  headers?: Readonly<Record<string, string>>
  body?: string
}>

/**
 * One request to this machine, exactly as it is given; a redirect is not followed. `fetch` sets
 * Sec-Fetch-Mode and Host by itself, so this is one step below it.
 */
export const ask = (
  url: URL,
  { method = 'GET', headers = {}, body }: Request = {},
  way: Pick<VisitorOptions, 'from' | 'httpsPort'> = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { from = '127.0.0.1', httpsPort } = way
    const port = url.protocol === 'https:' ? httpsPort : url.port
    const address = { host: '127.0.0.1', port, localAddress: from, agent: connections }
    const path = `${url.pathname}${url.search}`
    const host = { Host: url.host, ...headers }
    const sent = request({ ...address, path, method, headers: host }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      )
    })
    sent.on('error', (error: NodeJS.ErrnoException) => {
      // An idle connection may be closed just as it is used again: a browser takes another then.
      if (sent.reusedSocket && error.code === 'ECONNRESET') {
        resolve(ask(url, { method, headers, ...(body !== undefined && { body }) }, way))
      } else reject(error)
    })
    sent.end(body)
  })

/** Fetch Metadata section 2.3: over a chain of redirects the farthest relation counts. */
const fetchSite = (initiator: URL | undefined, chain: readonly URL[]): string => {
  if (!initiator) return 'none'
  if (chain.every((url) => url.origin === initiator.origin)) return 'same-origin'
  return chain.every((url) => url.hostname === initiator.hostname) ? 'same-site' : 'cross-site'
}

/** After these a browser goes on by GET and without a body (RFC 9110 section 15.4). */
const becomesGet = (status: number, method: string): boolean =>
  status === 303 || ((status === 301 || status === 302) && method === 'POST')

/**
 * A member at a browser without script. It speaks to servers on this machine only: every host name
 * is 127.0.0.1.
 */
export const aVisitor = (options: VisitorOptions = {}): Visitor => {
  const jar = new CookieJar()
  let current: Page | undefined
  let filled: FieldValues = {}

  const page = (): Page => {
    if (!current) throw new Error('the visitor has not been anywhere yet')
    return current
  }

  const go = async (asked: Asked): Promise<Page> => {
    const hops: Hop[] = []
    const chain: URL[] = []
    let { method, url, body } = asked
    while (hops.length < MAX_HOPS) {
      chain.push(url)
      const cookie = jar.getCookieStringSync(url.href)
      const headers = {
        'User-Agent': 'Mozilla/5.0 (Linux; Android 10; K) Chrome/140.0.0.0 Mobile Safari/537.36',
        Accept: 'text/html,application/xhtml+xml',
        'Accept-Language': options.language ?? 'ja',
        'Sec-Fetch-Dest': 'document',
        'Sec-Fetch-Mode': 'navigate',
        'Sec-Fetch-Site': fetchSite(asked.initiator, chain),
        'Sec-Fetch-User': '?1',
        ...(asked.initiator ? { Referer: asked.initiator.href } : {}),
        ...(cookie === '' ? {} : { Cookie: cookie }),
        ...(method === 'POST' && asked.initiator ? { Origin: asked.initiator.origin } : {}),
        ...(body === undefined
          ? {}
          : {
              'Content-Type': 'application/x-www-form-urlencoded',
              'Content-Length': String(Buffer.byteLength(body)),
            }),
        ...options.headers,
        ...asked.headers,
      }
      const answer = await ask(
        url,
        { method, headers, ...(body === undefined ? {} : { body }) },
        options,
      )
      for (const line of answer.headers['set-cookie'] ?? []) {
        jar.setCookieSync(line, url.href, { ignoreError: true })
      }
      const { location } = answer.headers
      const redirects = answer.status >= 300 && answer.status < 400 && location !== undefined
      hops.push({ method, url: url.href, status: answer.status, ...(location ? { location } : {}) })
      if (!redirects) {
        filled = {}
        current = aPage({ ...answer, url, hops })
        return current
      }
      url = new URL(location, url)
      if (becomesGet(answer.status, method)) {
        method = 'GET'
        body = undefined
      }
    }
    throw new Error(`more than ${MAX_HOPS} redirects: ${hops.map((hop) => hop.url).join(' → ')}`)
  }

  const visitor: Visitor = {
    jar,
    get page() {
      return page()
    },
    visit: (url) => go({ method: 'GET', url: new URL(url) }),
    follow(words) {
      const links = page().root.querySelectorAll('a[href]')
      const isMeant = (href: string) => href.split(/[?#]/)[0]?.endsWith(words) ?? false
      const link =
        links.find((one) => textOf(one) === words) ??
        links.find((one) => isMeant(one.getAttribute('href') ?? ''))
      if (!link) throw new Error(`no link "${words}" on "${page().heading}" (${page().url.href})`)
      const url = new URL(link.getAttribute('href') ?? '', page().url)
      return go({ method: 'GET', url, initiator: page().url })
    },
    fill(values) {
      filled = { ...filled, ...values }
      return visitor
    },
    submit(button, values = {}) {
      const { method, url, fields } = submissionOf(page(), button, { ...filled, ...values })
      const body = method === 'POST' ? { body: fields.toString() } : {}
      return go({ method, url, initiator: page().url, ...body })
    },
    post(url, fields, headers = {}) {
      const body = new URLSearchParams(fields).toString()
      const initiator = current ? { initiator: current.url } : {}
      return go({ method: 'POST', url: new URL(url), body, headers, ...initiator })
    },
  }
  return visitor
}
