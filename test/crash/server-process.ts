import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Member } from '../../accounts/member.ts'
import { type Adapters, openAdapters } from '../../adapters/index.ts'
import { systemClock } from '../../adapters/system.ts'
import type { RegisteredClient } from '../support/rp.ts'
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const LOADER = new URL('../adapters/embedded/register-typescript.mjs', import.meta.url).href
const START_MS = 60_000

/** server.ts as an operator runs it, in a process of its own that can die. */
export interface ServerProcess {
  readonly issuer: string
  readonly client: RegisteredClient
  readonly mails: SmtpSink
  /** Lines of its log since the start, all processes. */
  readonly lines: readonly string[]
  start(): Promise<void>
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>
  /** Into the store itself: while the server is not running. */
  addMember(member: Member): Promise<Member>
  /** From the store itself: while the server is not running. */
  memberOf(member: Pick<Member, 'id'>): Promise<Member>
  close(): Promise<void>
}

/** As an operator sets them: every process of the server has the same. */
const secrets = () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'crash', alg: 'RS256', use: 'sig' }
  return {
    IDP_COOKIE_KEYS: 'cookie-key-0123456789-of-the-crash-tests',
    IDP_CODE_KEY: 'code-key-0123456789-of-the-crash-tests-0',
    IDP_PAIRWISE_SALT: 'salt-0123456789-of-the-crash-tests-0000',
    IDP_JWKS: JSON.stringify({ keys: [key] }),
  }
}

/** A port that was free a moment ago. */
const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // TCP, so no path
  server.close()
  await once(server, 'close')
  return port
}

export const aServerProcess = async (): Promise<ServerProcess> => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-crash-'))
  const mails = await startSmtpSink()
  const callback = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html')
    response.end('<h1>Signed in to the relying party</h1>')
  }).listen(0, '127.0.0.1')
  await once(callback, 'listening')
  const { port: callbackPort } = callback.address() as AddressInfo // TCP, so no path
  const redirectUri = `http://localhost:${callbackPort}/cb`
  const client = {
    clientId: 'health-portal',
    clientSecret: 'a-secret-of-the-portal-for-the-crash-tests',
    redirectUri,
  }
  const clientsFile = join(folder, 'clients.json')
  writeFileSync(
    clientsFile,
    JSON.stringify([
      {
        client_id: client.clientId,
        client_name: '健康ポータル',
        client_secret: client.clientSecret,
        redirect_uris: [redirectUri],
        policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' },
      },
    ]),
  )
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const dataDir = join(folder, 'data')
  const kept = secrets()
  const lines: string[] = []
  let child: ChildProcess | undefined

  const withStore = async <T>(work: (store: Adapters) => Promise<T>) => {
    const store = await openAdapters({ dataDir }, systemClock)
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  }

  const kill = async () => {
    const dying = child
    child = undefined
    if (!dying || dying.exitCode !== null) return
    const gone = once(dying, 'exit')
    dying.kill('SIGKILL')
    await gone
  }

  return {
    issuer,
    client,
    mails,
    lines,
    async start() {
      const started = spawn(process.execPath, ['--import', LOADER, 'server.ts'], {
        cwd: ROOT,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          PATH: process.env.PATH,
          NODE_ENV: 'development',
          IDP_ISSUER: issuer,
          IDP_HOST: '127.0.0.1',
          IDP_PORT: String(port),
          IDP_DATA_DIR: dataDir,
          IDP_DEMO: 'off',
          ...kept,
          IDP_SMTP_URL: mails.url,
          IDP_CLIENTS_FILE: clientsFile,
        },
      })
      child = started
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => reject(new Error('the server did not start')), START_MS)
        const errors: string[] = []
        started.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
        started.once('exit', (code) => reject(new Error(`exited ${code}: ${errors.join('')}`)))
        createInterface({ input: started.stdout }).on('line', (line) => {
          lines.push(line)
          if (!line.includes('"listening"')) return
          clearTimeout(late)
          resolve()
        })
      })
    },
    kill,
    addMember: (member) => withStore(({ members }) => members.save(member)),
    memberOf: ({ id }) =>
      withStore(async ({ members }) => {
        const member = await members.findById(id)
        if (!member) throw new Error(`no member ${id} is stored`)
        return member
      }),
    async close() {
      await kill()
      await mails.close()
      callback.close()
      callback.closeAllConnections()
      rmSync(folder, { recursive: true })
    },
  }
}
