import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Call, Listener } from './context.ts'
import { randomText } from './relying-party.ts'
import type { Wire } from './wire.ts'

export type InboundOptions = Readonly<{
  /** How the provider reaches it, e.g. https://suite.example:9443 */
  base: URL
  /** Where it listens, if the base URL's port is that of a front before it. */
  port?: number | undefined
  /** PEM; without them it speaks http, as behind a TLS front. */
  key?: string | undefined
  cert?: string | undefined
}>

type Served = {
  answer: Readonly<{ status?: number; json?: unknown; hangs?: boolean }>
  calls: Call[]
}

/** The suite's own server for what the provider fetches and tells. */
export const startListener = async (
  { base, port, key, cert }: InboundOptions,
  wire: Wire,
): Promise<Listener & { close(): Promise<void> }> => {
  const served = new Map<string, Served>()
  const waiting = new Set<() => void>()

  const onRequest: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = request.url?.split('?')[0] ?? ''
      const one = served.get(path)
      const body = Buffer.concat(chunks).toString('utf8')
      const method = request.method ?? ''
      const status = one ? (one.answer.status ?? 200) : 404
      const said = one?.answer.json === undefined ? '' : JSON.stringify(one.answer.json)
      wire.note({
        by: 'provider',
        method,
        url: new URL(path, base).href,
        requestHeaders: { 'content-type': request.headers['content-type'] ?? '' },
        requestBody: body,
        status,
        responseHeaders: {},
        responseBody: said,
        milliseconds: 0,
      })
      one?.calls.push({ path, method, body })
      for (const wake of waiting) wake()
      if (one?.answer.hangs) return
      response.writeHead(status, {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
      })
      response.end(said)
    })
  }
  const server =
    key !== undefined && cert !== undefined
      ? createHttpsServer({ key, cert }, onRequest)
      : createHttpServer(onRequest)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port ?? Number(base.port), resolve)
  })

  return {
    serve(answer) {
      const url = new URL(`/conformance/${randomText(12)}`, base)
      served.set(url.pathname, { answer, calls: [] })
      return url
    },
    async called(url, seconds) {
      const calls = served.get(url.pathname)?.calls ?? []
      const end = performance.now() + seconds * 1000
      while (calls.length === 0 && performance.now() < end) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            clearTimeout(timer)
            waiting.delete(wake)
            resolve()
          }
          const timer = setTimeout(wake, end - performance.now())
          waiting.add(wake)
        })
      }
      return calls[0]
    },
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** Where nobody can call: modules that need it are SKIPPED before they ask. */
export const NO_LISTENER: Listener = {
  serve() {
    throw new Error('there is no listener: --rp-base-url was not given')
  },
  called: async () => undefined,
}
