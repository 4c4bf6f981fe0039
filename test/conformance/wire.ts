import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { Mask } from './mask.ts'

/** One request and its answer, as sent; `Mask.hide` goes over it before anybody reads it. */
export type Exchange = Readonly<{
  by: 'client' | 'browser' | 'provider'
  method: string
  url: string
  requestHeaders: Readonly<Record<string, string>>
  requestBody: string
  /** Undefined: no answer came; `error` says why. */
  status?: number
  responseHeaders: IncomingHttpHeaders
  responseBody: string
  milliseconds: number
  error?: string
}>

export type Ask = Readonly<{
  url: string | URL
  method?: string
  headers?: Readonly<Record<string, string>>
  /** Sent as application/x-www-form-urlencoded; pairs where a name repeats. */
  form?: Readonly<Record<string, string>> | readonly (readonly [string, string])[]
  json?: unknown
  by?: 'client' | 'browser'
}>

export type Answer = Readonly<{
  url: URL
  status: number
  headers: IncomingHttpHeaders
  body: string
  /** The JSON object in the body, if it is one. */
  json: Readonly<Record<string, unknown>> | undefined
}>

/** No answer: the reason is for the tester. */
export class NoAnswerError extends Error {}

/** Sends requests, follows nothing, and keeps every exchange of the module that is running. */
export interface Wire {
  /** @throws NoAnswerError */
  send(ask: Ask): Promise<Answer>
  /** An exchange that went another way (a real browser, the listener). */
  note(exchange: Exchange): void
  /** From now on exchanges are kept, and end when the signal says so. */
  begin(signal: AbortSignal): void
  /** What was kept since, in order. */
  end(): readonly Exchange[]
  readonly mask: Mask
}

const MAX_BODY_BYTES = 1024 * 1024

const objectIn = (body: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(body)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** Secrets that this exchange shows for the first time. */
const learnFrom = (mask: Mask, exchange: Exchange): void => {
  const learnUrl = (text: string | undefined) => {
    if (text === undefined || !URL.canParse(text, exchange.url)) return
    const url = new URL(text, exchange.url)
    mask.learnAll(url.searchParams)
    mask.learnAll(new URLSearchParams(url.hash.slice(1)))
  }
  learnUrl(exchange.url)
  learnUrl(exchange.responseHeaders.location)
  mask.learnAll(new URLSearchParams(exchange.requestBody))
  mask.learnAll(Object.entries(objectIn(exchange.requestBody) ?? {}))
  mask.learnAll(Object.entries(objectIn(exchange.responseBody) ?? {}))
  const [, credential = ''] = exchange.requestHeaders.Authorization?.split(' ') ?? []
  mask.learn('authorization', credential)
  for (const line of exchange.responseHeaders['set-cookie'] ?? []) {
    const [, name = '', value = ''] = /^([^=;]+)=([^;]*)/.exec(line) ?? []
    mask.learn(`cookie ${name}`, value)
  }
  const fields = /<input\b[^>]*>/gi
  for (const [input] of exchange.responseBody.matchAll(fields)) {
    const attribute = (name: string) =>
      new RegExp(`\\b${name}=["']([^"']*)["']`).exec(input)?.[1] ?? ''
    mask.learnAll([[attribute('name'), attribute('value')]])
  }
}

const bodyOf = (ask: Ask): Readonly<{ type: string; text: string }> | undefined => {
  if (ask.json !== undefined) return { type: 'application/json', text: JSON.stringify(ask.json) }
  if (ask.form === undefined) return undefined
  const pairs: readonly (readonly [string, string])[] = Array.isArray(ask.form)
    ? ask.form
    : Object.entries(ask.form)
  const text = new URLSearchParams(
    pairs.map(([name, value]): [string, string] => [name, value]),
  ).toString()
  return { type: 'application/x-www-form-urlencoded', text }
}

/**
 * `timeoutSeconds` holds for one whole exchange; `ca` are PEM certificates trusted beside the
 * system's own.
 */
export const createWire = (
  options: Readonly<{ mask: Mask; timeoutSeconds: number; ca?: string | undefined }>,
): Wire => {
  const { mask, timeoutSeconds, ca } = options
  let kept: Exchange[] = []
  let until: AbortSignal | undefined

  const note = (exchange: Exchange): void => {
    learnFrom(mask, exchange)
    kept.push(exchange)
  }

  const exchange = (ask: Ask, url: URL, headers: Record<string, string>, body: string) =>
    new Promise<Omit<Answer, 'json' | 'url'>>((resolve, reject) => {
      const late = AbortSignal.timeout(timeoutSeconds * 1000)
      const signal = until ? AbortSignal.any([late, until]) : late
      const give = (reason: string) => reject(new NoAnswerError(`${url.origin}: ${reason}`))
      const told = (error: Error & { code?: string }) => {
        if (late.aborted) return give(`no answer within ${timeoutSeconds} s`)
        if (until?.aborted) return give('the time of this module is over')
        give(error.code ?? error.message)
      }
      const method = ask.method ?? (body === '' && ask.json === undefined ? 'GET' : 'POST')
      const settings = { method, headers, signal, agent: false, ...(ca !== undefined && { ca }) }
      const sent = (url.protocol === 'https:' ? httpsRequest : httpRequest)(
        url,
        settings,
        (response) => {
          const chunks: Buffer[] = []
          let size = 0
          response.on('data', (chunk: Buffer) => {
            size += chunk.length
            if (size <= MAX_BODY_BYTES) chunks.push(chunk)
            else response.destroy(new Error(`the answer is longer than ${MAX_BODY_BYTES} bytes`))
          })
          response.on('error', told)
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString('utf8'),
            }),
          )
        },
      )
      sent.on('error', told)
      sent.end(body)
    })

  return {
    mask,
    note,
    begin(signal) {
      kept = []
      until = signal
    },
    end() {
      until = undefined
      return kept.splice(0)
    },
    async send(ask) {
      const url = new URL(ask.url)
      const body = bodyOf(ask)
      const headers = {
        Accept: 'application/json',
        ...(body && {
          'Content-Type': body.type,
          'Content-Length': String(Buffer.byteLength(body.text)),
        }),
        ...ask.headers,
      }
      const start = performance.now()
      const said = {
        by: ask.by ?? ('client' as const),
        method: ask.method ?? (body ? 'POST' : 'GET'),
        url: url.href,
        requestHeaders: headers,
        requestBody: body?.text ?? '',
      }
      const took = () => Math.round(performance.now() - start)
      try {
        const answer = await exchange(
          { ...ask, method: said.method },
          url,
          headers,
          said.requestBody,
        )
        note({
          ...said,
          status: answer.status,
          responseHeaders: answer.headers,
          responseBody: answer.body,
          milliseconds: took(),
        })
        return { ...answer, url, json: objectIn(answer.body) }
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        note({
          ...said,
          responseHeaders: {},
          responseBody: '',
          milliseconds: took(),
          error: reason,
        })
        throw error
      }
    },
  }
}
