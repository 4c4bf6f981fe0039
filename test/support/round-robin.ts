import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A balancer before several instances, which does not care who was where before. */
export interface RoundRobin {
  readonly port: number
  /** Requests answered by each instance, by its port. */
  readonly served: ReadonlyMap<number, number>
  /** From the next request on these ports are used, each in its turn. */
  use(ports: readonly number[]): void
  close(): Promise<void>
}

const bodyOf = async (incoming: IncomingMessage): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer) // no encoding is set
  return Buffer.concat(chunks)
}

/** The ports behind each balancer of this process, by its own. */
const behind = new Map<number, readonly number[]>()

/** The ports of the instances that a balancer on this port of this process has. @throws without one */
export const instancesBehind = (port: number): readonly number[] => {
  const ports = behind.get(port)
  if (!ports) throw new Error(`no balancer is at port ${port}`)
  return ports
}

/** The whole answer, so that one cut off half way is nobody's answer. */
const ask = (
  port: number,
  { method, url, rawHeaders }: IncomingMessage,
  forwarded: readonly string[],
  body: Buffer,
  agent: Agent,
): Promise<{ answer: IncomingMessage; content: Buffer }> =>
  new Promise((resolve, reject) => {
    const length = body.length > 0 ? ['Content-Length', String(body.length)] : []
    const headers = [...withoutHopByHop(rawHeaders), ...forwarded, ...length]
    const to = { host: '127.0.0.1', port, method, path: url, headers, agent }
    const sent = request(to, (answer) => {
      bodyOf(answer).then((content) => resolve({ answer, content }), reject)
    })
    sent.once('error', reject)
    sent.end(body)
  })

/** RFC 9110 section 7.6.1, and what this proxy writes itself. */
const OWN = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
  'x-forwarded-for',
])

const withoutHopByHop = (raw: readonly string[]): readonly string[] =>
  raw.filter((_, index) => !OWN.has((raw[index - (index % 2)] ?? '').toLowerCase()))

const neverSent = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === 'ECONNREFUSED'

/**
 * Each request goes to the next port; one that refuses the connection is passed over. The Host stays
 * as it came, and this proxy adds itself to X-Forwarded-For and X-Forwarded-Proto as a trusted hop.
 */
export const startRoundRobin = async (wantedPort = 0): Promise<RoundRobin> => {
  const served = new Map<number, number>()
  // A connection of its own for each: an idle one may be closed just as a POST goes out on it.
  const agent = new Agent({ keepAlive: false })
  let ports: readonly number[] = []
  let turn = 0

  const answerOf = async (incoming: IncomingMessage) => {
    const body = await bodyOf(incoming)
    const before = incoming.headers['x-forwarded-for']
    const peer = incoming.socket.remoteAddress ?? ''
    const forwarded = [
      'X-Forwarded-For',
      before === undefined ? peer : `${before}, ${peer}`,
      ...(incoming.headers['x-forwarded-proto'] === undefined ? ['X-Forwarded-Proto', 'http'] : []),
    ]
    for (let tries = 1; ; tries += 1) {
      const port = ports[turn++ % ports.length] ?? 0
      try {
        const whole = await ask(port, incoming, forwarded, body, agent)
        served.set(port, (served.get(port) ?? 0) + 1)
        return whole
      } catch (error) {
        if (!neverSent(error) || tries >= ports.length) throw error
      }
    }
  }

  const server: Server = createServer((incoming, response) => {
    answerOf(incoming).then(
      ({ answer, content }) => {
        // Of a HEAD or a 304 the length is said and nothing comes.
        const length = answer.headers['content-length'] ?? String(content.length)
        const headers = [...withoutHopByHop(answer.rawHeaders), 'Content-Length', length]
        response.writeHead(answer.statusCode ?? 502, headers).end(content)
      },
      () => response.writeHead(502).end(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(wantedPort, '127.0.0.1', resolve)
  })

  const { port } = server.address() as AddressInfo // TCP, so no path
  return {
    port,
    served,
    use(next) {
      ports = next
      behind.set(port, next)
    },
    async close() {
      behind.delete(port)
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      agent.destroy()
      await closed
    },
  }
}
