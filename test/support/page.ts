import type { IncomingHttpHeaders } from 'node:http'
import { type HTMLElement, parse } from 'node-html-parser'

/** One response on the way to a page. */
export type Hop = Readonly<{ method: string; url: string; status: number; location?: string }>

/** What a visitor sees once the redirects are followed. */
export type Page = Readonly<{
  url: URL
  status: number
  headers: IncomingHttpHeaders
  body: string
  root: HTMLElement
  /** Every request that led here, this one the last. */
  hops: readonly Hop[]
  title: string
  /** The text of the only h1; '' where there is none. */
  heading: string
  /** Each fault shown, once: the rows of the error summary, or the messages at the fields. */
  faults: readonly string[]
  /** What `main` says, without furigana. */
  text: string
}>

const SILENT: ReadonlySet<string> = new Set(['RT', 'RP', 'SCRIPT', 'STYLE', 'TEMPLATE'])

const hasAny = ({ children }: HTMLElement, tags: ReadonlySet<string>): boolean =>
  children.some((child) => tags.has(child.tagName) || hasAny(child, tags))

const aloud = (element: HTMLElement): string => {
  const copy = parse(element.toString())
  for (const silent of copy.querySelectorAll('rt, rp, script, style, template')) silent.remove()
  return copy.structuredText
}

/** An element's text as read aloud: blocks a space apart; furigana, scripts and styles left out. */
export const textOf = (element: HTMLElement | null): string => {
  if (!element) return ''
  const text = hasAny(element, SILENT) ? aloud(element) : element.structuredText
  return text.replace(/\s+/gu, ' ').trim()
}

/** The error summary's rows; on a page without one, the messages at the fields. */
const SUMMARY_ROWS = '[role="alert"] li'
const FIELD_MESSAGES = '.err'

const faultsOf = (root: HTMLElement): readonly string[] => {
  const rows = root.querySelectorAll(SUMMARY_ROWS)
  const shown = rows.length > 0 ? rows : root.querySelectorAll(FIELD_MESSAGES)
  return [...new Set(shown.map(textOf))]
}

const once = <T>(make: () => T): (() => T) => {
  let made: { readonly value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** Makes a page of a response; it is read only when something on it is asked for. */
export const aPage = (
  response: Readonly<{
    url: URL
    status: number
    headers: IncomingHttpHeaders
    body: string
    hops: readonly Hop[]
  }>,
): Page => {
  const isHtml = response.headers['content-type']?.startsWith('text/html') ?? false
  const root = once(() => parse(isHtml ? response.body : ''))
  const text = (selector: string) => textOf(root().querySelector(selector))
  const title = once(() => text('title'))
  const heading = once(() => text('h1'))
  const faults = once(() => faultsOf(root()))
  const main = once(() => text(root().querySelector('main') ? 'main' : 'body'))
  return {
    ...response,
    get root() {
      return root()
    },
    get title() {
      return title()
    },
    get heading() {
      return heading()
    },
    get faults() {
      return faults()
    },
    get text() {
      return main()
    },
  }
}
