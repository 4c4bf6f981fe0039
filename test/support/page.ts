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

/** An element's text as read aloud: blocks a space apart; furigana, scripts and styles left out. */
export const textOf = (element: HTMLElement | null): string => {
  if (!element) return ''
  const copy = parse(element.toString())
  for (const silent of copy.querySelectorAll('rt, rp, script, style, template')) silent.remove()
  return copy.structuredText.replace(/\s+/gu, ' ').trim()
}

/** The error summary's rows; on a page without one, the messages at the fields. */
const SUMMARY_ROWS = '[role="alert"] li'
const FIELD_MESSAGES = '.err'

const faultsOf = (root: HTMLElement): readonly string[] => {
  const rows = root.querySelectorAll(SUMMARY_ROWS)
  const shown = rows.length > 0 ? rows : root.querySelectorAll(FIELD_MESSAGES)
  return [...new Set(shown.map(textOf))]
}

/** Makes a page of a response. */
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
  const root = parse(isHtml ? response.body : '')
  return {
    ...response,
    root,
    title: textOf(root.querySelector('title')),
    heading: textOf(root.querySelector('h1')),
    faults: faultsOf(root),
    text: textOf(root.querySelector('main') ?? root.querySelector('body')),
  }
}
