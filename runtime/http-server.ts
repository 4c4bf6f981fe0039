import { createServer, type RequestListener, type ServerResponse } from 'node:http'

/** A listening server that can be stopped without cutting anybody off. */
export type HttpServer = Readonly<{
  /** Goes on answering, but keeps no connection alive: each client hears it with its next answer. */
  announceStop(): void
  /** Accepts nothing more, lets requests under way end, then cuts what is left after ten seconds. */
  close(): Promise<void>
}>

/** Requests under way get this long to end when the server is told to stop. */
const DRAIN_MS = 10_000
/** Limits on slow clients: header block, whole request, silence on an open connection. */
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 }
const SILENCE_MS = 30_000
/** Longer than proxies keep theirs (nginx: 60 s), so that none sends on one that closes just then. */
const KEEP_ALIVE_MS = 65_000
const IDLE_CHECK_MS = 100

/** @throws the listening error where the address cannot be had */
export const listen = async (
  listener: RequestListener,
  at: Readonly<{ host: string; port: number }>,
): Promise<HttpServer> => {
  let stopping = false
  const unanswered = new Set<ServerResponse>()
  const server = createServer({ ...TIMEOUTS, keepAliveTimeout: KEEP_ALIVE_MS })
  server.setTimeout(SILENCE_MS)
  server.on('request', (_request, response: ServerResponse) => {
    if (stopping) response.setHeader('Connection', 'close')
    unanswered.add(response)
    response.once('close', () => unanswered.delete(response))
  })
  server.on('request', listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(at.port, at.host, () => {
      server.off('error', reject)
      resolve()
    })
  })

  const announceStop = () => {
    stopping = true
    for (const response of unanswered) {
      if (!response.headersSent) response.setHeader('Connection', 'close')
    }
  }
  return {
    announceStop,
    async close() {
      announceStop()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      // An answer that was already on its way keeps its connection: idle once it has ended.
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS)
      const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
      await closed
      clearInterval(idle)
      clearTimeout(cut)
    },
  }
}
