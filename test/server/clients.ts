import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import type { Deployment } from '../support/deployment.ts'

const DISCOVERY = '/.well-known/openid-configuration'

const asked = async (
  port: number,
  host: string,
  agent: Agent | false,
): Promise<IncomingMessage> => {
  const headers = { Host: host }
  const sent = request({ host: '127.0.0.1', port, path: DISCOVERY, headers, agent }).end()
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  answer.resume()
  await once(answer, 'end')
  return answer
}

/** The status of one request to the server. */
export const ask = async ({ issuer, port }: Pick<Deployment, 'issuer' | 'port'>): Promise<number> =>
  (await asked(port, new URL(issuer).host, false)).statusCode ?? 0

/** Clients that ask as fast as they are answered; half of them keep their connection. */
export const underLoad = ({ issuer, port }: Pick<Deployment, 'issuer' | 'port'>) => {
  const { host } = new URL(issuer)
  const agent = new Agent({ keepAlive: true })
  const tally = { answered: 0, closing: 0, failed: [] as string[] }
  let going = true
  const client = async (kept: boolean) => {
    while (going) {
      try {
        const { statusCode, headers } = await asked(port, host, kept ? agent : false)
        if (statusCode !== 200) throw new Error(`status ${statusCode}`)
        tally.answered += 1
        if (kept && headers.connection === 'close') tally.closing += 1
      } catch (error) {
        tally.failed.push(String(error))
      }
    }
  }
  const clients = Array.from({ length: 12 }, (_, index) => client(index % 2 === 0))
  return {
    tally,
    /** Sends nothing more and waits for what was asked. */
    async end() {
      going = false
      await Promise.all(clients)
      agent.destroy()
    },
  }
}

/** A POST whose header has arrived and whose body has not. */
export const aRequestUnderWay = async ({ issuer, port }: Pick<Deployment, 'issuer' | 'port'>) => {
  const body = new URLSearchParams({ grant_type: 'authorization_code' }).toString()
  const sent = request({
    host: '127.0.0.1',
    port,
    path: '/token',
    method: 'POST',
    agent: false,
    headers: {
      Host: new URL(issuer).host,
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': body.length,
      // Its answer tells that the server has the request.
      Expect: '100-continue',
    },
  })
  sent.flushHeaders()
  await once(sent, 'continue')
  return {
    /** Sends the rest. */
    async finish() {
      sent.end(body)
      const [answer] = (await once(sent, 'response')) as [IncomingMessage]
      answer.resume()
      await once(answer, 'end')
      return { status: answer.statusCode, connection: answer.headers.connection }
    },
  }
}
