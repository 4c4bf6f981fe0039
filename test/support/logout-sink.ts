import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import {
  createRemoteJWKSet,
  type JWTHeaderParameters,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'

/** A logout token that the sink has accepted. */
export type AcceptedLogout = Readonly<{ header: JWTHeaderParameters; claims: JWTPayload }>

/** How the sink answers: as the token deserves, never, or with this status. */
export type SinkAnswer = 'honest' | 'silence' | number

export interface LogoutSink {
  /** Register it as `backchannel_logout_uri`. */
  readonly uri: string
  /** Requests that have come in, whatever the answer. */
  readonly asked: number
  /** What was accepted, in the order of arrival. */
  readonly logouts: readonly AcceptedLogout[]
  /** Why tokens were refused. */
  readonly refusals: readonly string[]
  answer: SinkAnswer
  /** Tokens are checked as this client of the issuer's would. */
  trust(issuer: string, clientId: string): void
  /** Waits until one like this has been accepted. @throws after ten seconds */
  accepted(like: Readonly<{ sid?: string; sub?: string }>): Promise<AcceptedLogout>
  /** Connections are refused from here on … */
  pause(): Promise<void>
  /** … until here, at the same address. */
  resume(): Promise<void>
  close(): Promise<void>
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'

const bodyOf = async (request: IncomingMessage): Promise<string> => {
  let body = ''
  for await (const chunk of request) body += String(chunk)
  return body
}

/**
 * A relying party's back-channel logout endpoint: real HTTP, and each token checked by jose against
 * the provider's own keys (OpenID Connect Back-Channel Logout 1.0 section 2.6).
 */
export const startLogoutSink = async (): Promise<LogoutSink> => {
  const logouts: AcceptedLogout[] = []
  const refusals: string[] = []
  let asked = 0
  let trusted: { issuer: string; clientId: string; keys: JWTVerifyGetKey } | undefined

  const check = async (request: IncomingMessage): Promise<AcceptedLogout> => {
    const body = await bodyOf(request)
    if (request.method !== 'POST') throw new Error(`method ${request.method}`)
    const type = request.headers['content-type']
    if (type !== 'application/x-www-form-urlencoded') throw new Error(`content type ${type}`)
    if (!trusted) throw new Error('the sink trusts no issuer yet')
    const { issuer, clientId, keys } = trusted
    const { payload, protectedHeader } = await jwtVerify(
      new URLSearchParams(body).get('logout_token') ?? '',
      keys,
      {
        issuer,
        audience: clientId,
        typ: 'logout+jwt',
        requiredClaims: ['iat', 'exp', 'jti', 'events'],
        maxTokenAge: 120,
      },
    )
    const events = payload.events as Record<string, unknown> | undefined
    if (typeof events?.[EVENT] !== 'object') throw new Error('no logout event')
    if ('nonce' in payload) throw new Error('a nonce')
    if (payload.sub === undefined && payload.sid === undefined) throw new Error('whose?')
    return { header: protectedHeader, claims: payload }
  }

  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    asked += 1
    if (sink.answer === 'silence') return
    if (typeof sink.answer === 'number') {
      response.writeHead(sink.answer, { Location: '/elsewhere' }).end('x'.repeat(100_000))
      return
    }
    try {
      logouts.push(await check(request))
      response.writeHead(200, { 'Cache-Control': 'no-store' }).end()
    } catch (error) {
      refusals.push(String(error))
      response.writeHead(400).end()
    }
  }

  const server = createServer((request, response) => void handle(request, response))
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, '127.0.0.1', resolve)
    })
  const pause = async () => {
    if (!server.listening) return
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    server.closeAllConnections()
    await closed
  }
  await listen(0)
  const { port } = server.address() as AddressInfo // TCP, so no path

  const until = async (what: string, enough: () => boolean) => {
    for (let waited = 0; !enough(); waited += 10) {
      if (waited > 10_000) {
        throw new Error(`no ${what}: asked ${asked}, accepted ${logouts.length}, ${refusals}`)
      }
      await delay(10)
    }
  }

  const sink: LogoutSink = {
    answer: 'honest',
    uri: `http://localhost:${port}/logout`,
    logouts,
    refusals,
    trust(issuer, clientId) {
      trusted = { issuer, clientId, keys: createRemoteJWKSet(new URL(`${issuer}/jwks`)) }
    },
    async accepted(like) {
      const find = () =>
        logouts.find(({ claims }) =>
          Object.entries(like).every(([name, value]) => claims[name] === value),
        )
      await until(`logout of ${JSON.stringify(like)}`, () => find() !== undefined)
      return find() as AcceptedLogout // found just now
    },
    pause,
    resume: () => listen(port),
    close: pause,
    get asked() {
      return asked
    },
  }
  return sink
}
