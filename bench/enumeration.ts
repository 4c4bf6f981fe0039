/**
 * Whether the time of an answer tells a user ID that exists from one that does not. Starts the built
 * demo in a folder of its own, types wrong passwords for known and for unknown IDs in random order
 * over one connection, and prints how well the two can be told apart by their times: the area under
 * the ROC curve, 0.5 for not at all, with the band that chance alone stays within. Linux only, as it
 * comes from several addresses of 127.0.0.0/8 so that no limit is met.
 *
 * `npm run bench:enumeration`, or with another number of rounds after `--`.
 */
import { spawn } from 'node:child_process'
import { createHash, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ISSUER = 'http://localhost:3900'
const PORTAL = 'http://localhost:3901'
/** Of the demo's members. */
const KNOWN = ['12345-678', '12345-701', '12345-702', '12345-703', '12345-704']
const UNKNOWN = ['12345-679', '12345-711', '12345-712', '12345-713', '12345-714']
/** Below the ten wrong passwords that lock an account, and the sixty that stop an address. */
const TRIES_PER_ID = 8
const TRIES_PER_ADDRESS = 40

type Answer = Readonly<{ status: number; headers: IncomingHttpHeaders; body: string }>

const ask = (
  agent: Agent,
  localAddress: string,
  url: string,
  options: Readonly<{ cookie?: string; body?: string }> = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { cookie, body } = options
    const headers = {
      ...(cookie !== undefined && { cookie }),
      ...(body !== undefined && {
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
        origin: ISSUER,
        'sec-fetch-site': 'same-origin',
      }),
    }
    const method = body === undefined ? 'GET' : 'POST'
    const sent = request(url, { agent, localAddress, family: 4, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      )
    })
    sent.on('error', reject)
    sent.end(body)
  })

/** One browser at the password page: how to send a wrong password for an ID, in milliseconds. */
const aVisitor = async (localAddress: string) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const start = new URL('/auth', ISSUER)
  start.search = new URLSearchParams({
    client_id: 'health-portal',
    redirect_uri: `${PORTAL}/callback`,
    response_type: 'code',
    scope: 'openid',
    code_challenge: createHash('sha256').update('x').digest('base64url'),
    code_challenge_method: 'S256',
  }).toString()
  const cookies = new Map<string, string>()
  const take = ({ headers }: Answer) => {
    for (const line of headers['set-cookie'] ?? []) {
      const [pair = ''] = line.split(';')
      cookies.set(pair.slice(0, pair.indexOf('=')), pair)
    }
    return [...cookies.values()].join('; ')
  }
  const begun = await ask(agent, localAddress, start.href)
  const page = new URL(begun.headers.location ?? '', ISSUER).href
  const shown = await ask(agent, localAddress, page, { cookie: take(begun) })
  const cookie = take(shown)
  const csrf = /name="csrf" value="([^"]+)"/u.exec(shown.body)?.[1]
  if (csrf === undefined) throw new Error(`no password page: ${shown.status} ${page}`)

  return {
    async time(username: string): Promise<number> {
      const body = new URLSearchParams({ csrf, username, password: 'Wrong-1234' }).toString()
      const from = performance.now()
      const { status } = await ask(agent, localAddress, `${page}/password`, { cookie, body })
      const took = performance.now() - from
      if (status !== 422) throw new Error(`a wrong password was answered with ${status}`)
      return took
    },
    close: () => agent.destroy(),
  }
}

const shuffled = <T>(items: readonly T[]): readonly T[] => {
  const left = [...items]
  return items.map(() => left.splice(randomInt(left.length), 1)[0] as T) // one is left each time
}

type Samples = Readonly<{ known: number[]; unknown: number[] }>

/** A fresh demo, every ID `TRIES_PER_ID` times. */
const round = async ({ known, unknown }: Samples): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-bench-'))
  const server = spawn(process.execPath, ['dist/server.js'], {
    env: {
      PATH: process.env.PATH,
      IDP_ISSUER: ISSUER,
      IDP_PORT: new URL(ISSUER).port,
      IDP_PORTAL_PORT: new URL(PORTAL).port,
      IDP_MAILBOX_PORT: '3902',
      IDP_DATA_DIR: join(folder, 'data'),
      IDP_LOG_LEVEL: 'warn',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    let printed = ''
    server.stdout.setEncoding('utf8')
    for await (const chunk of server.stdout.iterator({ destroyOnReturn: false })) {
      printed += chunk
      if (printed.includes('Ctrl+C')) break
    }
    server.stdout.resume()
    const warm = await aVisitor('127.0.0.2')
    for (const id of ['1-1', '1-2', '1-3', '1-4', '1-5']) await warm.time(id)
    warm.close()
    const tries = [...KNOWN, ...UNKNOWN].flatMap((id) => Array<string>(TRIES_PER_ID).fill(id))
    const order = shuffled(tries)
    for (let first = 0; first < order.length; first += TRIES_PER_ADDRESS) {
      const visitor = await aVisitor(`127.0.0.${3 + first / TRIES_PER_ADDRESS}`)
      await visitor.time('1-6') // the connection's first
      for (const id of order.slice(first, first + TRIES_PER_ADDRESS)) {
        const samples = KNOWN.includes(id) ? known : unknown
        samples.push(await visitor.time(id))
      }
      visitor.close()
    }
  } finally {
    server.kill()
    if (server.exitCode === null) await once(server, 'exit')
    rmSync(folder, { recursive: true })
  }
}

const quantile = (values: readonly number[], q: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN

/** The chance that a known ID took longer than an unknown one (Mann-Whitney U over all pairs). */
const areaUnderCurve = ({ known, unknown }: Samples): number => {
  let wins = 0
  for (const a of known) {
    for (const b of unknown) wins += a > b ? 1 : a === b ? 0.5 : 0
  }
  return wins / (known.length * unknown.length)
}

const rounds = Number(process.argv[2] ?? 5)
const samples: Samples = { known: [], unknown: [] }
for (let done = 0; done < rounds; done += 1) await round(samples)
const auc = areaUnderCurve(samples)
const [n, m] = [samples.known.length, samples.unknown.length]
/** 95 % of what equal distributions give. */
const band = 1.96 * Math.sqrt((n + m + 1) / (12 * n * m))

for (const [name, times] of Object.entries(samples)) {
  const [p10, median, p90] = [0.1, 0.5, 0.9].map((q) => quantile(times, q).toFixed(2))
  console.log(`${name.padEnd(8)} n=${times.length}  median ${median} ms  p10 ${p10}  p90 ${p90}`)
}
console.log(`AUC ${auc.toFixed(3)}; by chance alone 0.5 ± ${band.toFixed(3)}`)
