import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { askBare, only } from './ask.ts'
import { runCli } from './cli.ts'
import createBareDriver from './drivers/bare-oidc-provider.ts'
import { NO_LISTENER } from './listener.ts'
import { createMask } from './mask.ts'
import { PLANS } from './plans/index.ts'
import { client } from './relying-party.ts'
import { runSuite } from './run.ts'
import { makeBareKey, startBareProvider } from './targets/bare-oidc-provider.ts'
import { createWire } from './wire.ts'

const opened: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of opened.splice(0)) await close()
})

const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  opened.push(close)
  return `http://localhost:${(server.address() as AddressInfo).port}` // TCP, so no path
}

/** The command against an address, and all that it says. */
const ask = async (issuer: string, ...more: readonly string[]) => {
  const said: string[] = []
  const keep = (line: string) => said.push(line)
  const args = ['--issuer', issuer, '--plan', 'discovery', '--timeout', '0.3', ...more]
  const code = await runCli(args, { out: keep, error: keep, isColoured: false })
  return { code, said: said.join('\n') }
}

describe('A deployment in trouble ends the run, with the reason and status 2', () => {
  test('nothing listens there', async () => {
    const issuer = await serve(() => undefined)
    for (const close of opened.splice(0)) await close()
    const { code, said } = await ask(issuer)
    expect(said).toContain('ECONNREFUSED')
    expect(code).toBe(2)
  })

  test('it takes the request and never answers', async () => {
    const { code, said } = await ask(await serve(() => undefined))
    expect(said).toContain('no answer within 0.3 s')
    expect(code).toBe(2)
  })

  test('it answers with a web page', async () => {
    const issuer = await serve((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' })
      response.end('<!doctype html><h1>Welcome</h1>')
    })
    const { code, said } = await ask(issuer)
    expect(said).toContain('answers 200 with text/html')
    expect(code).toBe(2)
  })

  test('its certificate or protocol is not what the address says', async () => {
    const issuer = await serve((_request, response) => response.end())
    const { code } = await ask(issuer.replace('http:', 'https:'))
    expect(code).toBe(2)
  })
})

describe('A deployment that breaks in the middle', () => {
  beforeAll(() => {
    for (const how of ['info', 'warn'] as const) jest.spyOn(console, how).mockReturnValue()
  })

  test('goes away: what was asked is kept, the rest is SKIPPED with the reason', async () => {
    const provider = await startBareProvider(await makeBareKey())
    let isGone = false
    const report = await askBare(
      provider,
      only('disc-document', 'disc-jwks', 'userinfo-no-token'),
      {
        onModule: () => {
          if (!isGone) void provider.close()
          isGone = true
        },
      },
    )
    expect(report.modules.map(({ result }) => result)).toEqual(['PASSED', 'FAILED', 'SKIPPED'])
    expect(report.stopped).toContain('ECONNREFUSED')
    expect(report.modules[2]?.reason?.[0]).toContain('the run was stopped')
  })

  /** A provider of which only the configuration is real. */
  const askHollow = async (
    atAuthorization: RequestListener,
    limits: Readonly<{ moduleSeconds: number; runSeconds?: number }>,
  ) => {
    const issuer = await serve((request, response) => {
      if (!request.url?.startsWith('/.well-known')) return atAuthorization(request, response)
      response.writeHead(200, { 'Content-Type': 'application/json' })
      response.end(
        JSON.stringify({
          issuer,
          authorization_endpoint: `${issuer}/auth`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
        }),
      )
    })
    const wire = createWire({ mask: createMask(), timeoutSeconds: 10 })
    return runSuite({
      plans: PLANS.filter(({ id }) => id === 'pkce' || id === 'prompting'),
      settings: { issuer, codeLifetime: 2, initialAccessToken: undefined },
      wire,
      driver: await createBareDriver({ wire, members: [], pages: undefined }),
      clients: [
        client.parse({ client_id: 'one', redirect_uris: ['https://rp.conformance.example/back'] }),
      ],
      listener: NO_LISTENER,
      inbound: undefined,
      mayRegister: true,
      ...limits,
    })
  }

  test('sends the browser round in circles: each module ends by itself', async () => {
    const report = await askHollow(
      (request, response) => {
        response.writeHead(302, { Location: request.url ?? '' })
        response.end()
      },
      { moduleSeconds: 10 },
    )
    const [first] = report.modules
    expect(first?.result).toBe('FAILED')
    expect(first?.error).toContain('the way has no end')
    expect(report.stopped).toBeUndefined()
  })

  test('hangs at every request: the run stops after three modules', async () => {
    const report = await askHollow(() => undefined, { moduleSeconds: 0.3 })
    expect(report.stopped).toContain('3 modules in a row did not end in time')
    const asked = report.modules.filter(({ result }) => result === 'FAILED')
    expect(asked).toHaveLength(3)
    expect(asked[0]?.error).toContain('within 0.3 s')
  })

  test('is slow: the run stops when its own time is over', async () => {
    const report = await askHollow(() => undefined, { moduleSeconds: 0.3, runSeconds: 0.1 })
    expect(report.stopped).toContain('it took longer than 0.1 s')
  })
})
