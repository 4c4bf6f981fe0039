import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Adapters, openAdapters } from '../../adapters/index.ts'
import { systemClock } from '../../adapters/system.ts'
import { loadConfig } from '../../config/index.ts'
import type { RegisteredClient } from './rp.ts'
import { type SmtpSink, startSmtpSink } from './smtp-sink.ts'
import { embeddedStores, type TestStores } from './stores.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const START_MS = 60_000
const POLL_MS = 20

/** A process of the product, as an operator starts it. */
export interface RunningProcess {
  readonly pid: number
  /** http://127.0.0.1:port of its management port. */
  readonly management: string
  readonly child: ChildProcess
  /** How it ended, once it has. */
  readonly exited: Promise<Readonly<{ code: number | null; signal: string | null }>>
  /** The answer of the management port; status 0 where nobody answers. */
  probe(path: string): Promise<Readonly<{ status: number; text: string }>>
  /** The first line of its log, come already or within the minute, that holds these words. */
  said(words: string, times?: number): Promise<void>
}

/** One of the product's entry points, run as a process. */
export type Command = Readonly<{
  entry: 'server.ts' | 'cluster.ts'
  args?: readonly string[]
  /** Of Node itself. */
  nodeArgs?: readonly string[]
  /** All that it knows of the environment but PATH, TMPDIR and its management port. */
  env: Readonly<Record<string, string | undefined>>
  /** Nothing unless said; a pipe ends, at the latest, when this process does. */
  stdin?: 'pipe'
  /** A file's descriptor; a pipe unless said. */
  stdout?: number
}>

/** A process just started, and how to wait for it. */
export type StartedProcess = Pick<RunningProcess, 'management' | 'child' | 'exited' | 'probe'> &
  Readonly<{
    /** Resolves once this holds. @throws with what it complained of, where it ends before that or
     * does not get there within the minute */
    until(what: string, holds: () => boolean | Promise<boolean>): Promise<void>
  }>

/** What processes of one deployment have in common, and the members' store between them. */
export interface Deployment {
  /** Where members come: the server's own address, or a balancer's before several. */
  readonly issuer: string
  readonly port: number
  readonly client: RegisteredClient
  readonly mails: SmtpSink
  /** Lines of all logs since the start. */
  readonly lines: readonly string[]
  /** Starts a process; resolves once it is ready, unless `wait` says otherwise. */
  run(
    options?: Readonly<{
      entry?: 'server.ts' | 'cluster.ts'
      args?: readonly string[]
      /** Listening port; the issuer's unless said. */
      port?: number
      env?: Readonly<Record<string, string>>
      /** Of Node itself. */
      nodeArgs?: readonly string[]
      wait?: boolean
    }>,
  ): Promise<RunningProcess>
  withStore<T>(work: (store: Adapters) => Promise<T>): Promise<T>
  readonly stores: TestStores
  /** kill -9 of what still runs, and everything gone. */
  close(): Promise<void>
}

/** As an operator sets them: every process has the same. */
const SECRETS = {
  IDP_COOKIE_KEYS: 'cookie-key-0123456789-of-the-process-tests',
  IDP_CODE_KEY: 'code-key-0123456789-of-the-process-tests-0',
  IDP_ENCRYPTION_KEYS: 'test:ZW5jcnlwdGlvbi1rZXktb2YtdGhlLXRlc3QtMDEyMzQ',
  IDP_PAIRWISE_SALT: 'salt-0123456789-of-the-process-tests-0000',
}

/** A port that was free a moment ago. */
export const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // TCP, so no path
  server.close()
  await once(server, 'close')
  return port
}

const probe = async (url: string) => {
  try {
    const response = await fetch(url, { headers: { connection: 'close' } })
    return { status: response.status, text: await response.text() }
  } catch {
    return { status: 0, text: '' }
  }
}

/** Starts a process and waits for nothing. */
export const startProcess = async (command: Command): Promise<StartedProcess> => {
  const { entry, args = [], nodeArgs = [], env, stdin = 'ignore', stdout = 'pipe' } = command
  const managementPort = await freePort()
  const management = `http://127.0.0.1:${managementPort}`
  const child = spawn(
    process.execPath,
    ['--no-warnings', ...nodeArgs, `dist/${entry.replace('.ts', '.js')}`, ...args],
    {
      cwd: ROOT,
      stdio: [stdin, stdout, 'pipe'],
      env: {
        PATH: process.env.PATH,
        TMPDIR: process.env.TMPDIR,
        IDP_MANAGEMENT_HOST: '127.0.0.1',
        IDP_MANAGEMENT_PORT: String(managementPort),
        ...env,
      },
    },
  )
  const errors: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  return {
    management,
    child,
    exited: once(child, 'exit').then(([code, signal]) => ({ code, signal })),
    probe: (path) => probe(`${management}${path}`),
    async until(what, holds) {
      for (const end = performance.now() + START_MS; performance.now() < end; ) {
        if (await holds()) return
        if (child.exitCode !== null || child.signalCode !== null) break
        await delay(POLL_MS)
      }
      throw new Error(`never ${what} (exit ${child.exitCode}): ${errors.join('')}`)
    },
  }
}

/** One store (an embedded file unless said), one set of secrets, one mail server, for processes that
 * run and die. */
export const aDeployment = async (
  publicPort?: number,
  stores?: TestStores,
): Promise<Deployment> => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-deployment-'))
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
    clientSecret: 'a-secret-of-the-portal-for-the-process-tests',
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
  const port = publicPort ?? (await freePort())
  const issuer = `http://localhost:${port}`
  const common = {
    NODE_ENV: 'development',
    IDP_ISSUER: issuer,
    IDP_HOST: '127.0.0.1',
    IDP_DATA_DIR: join(folder, 'data'),
    ...stores?.env,
    IDP_DEMO: 'off',
    ...SECRETS,
    IDP_SMTP_URL: mails.url,
    IDP_CLIENTS_FILE: clientsFile,
  }
  const lines: string[] = []
  const children = new Set<ChildProcess>()

  return {
    issuer,
    port,
    client,
    mails,
    lines,
    stores: stores ?? embeddedStores(join(folder, 'data')),
    async run({ entry = 'server.ts', args = [], env = {}, nodeArgs = [], ...options } = {}) {
      const { management, child, exited, probe, until } = await startProcess({
        entry,
        args,
        nodeArgs,
        env: { ...common, IDP_PORT: String(options.port ?? port), ...env },
      })
      children.add(child)
      exited.then(() => children.delete(child))
      const own: string[] = []
      if (!child.stdout) throw new Error('its output is no pipe')
      createInterface({ input: child.stdout }).on('line', (line) => {
        own.push(line)
        lines.push(line)
      })
      const running: RunningProcess = {
        pid: child.pid ?? 0,
        management,
        child,
        exited,
        probe,
        said: (words, times = 1) =>
          until(words, () => own.filter((line) => line.includes(words)).length >= times),
      }
      if (options.wait !== false) {
        await until('ready', async () => (await running.probe('/readyz')).status === 200)
      }
      return running
    },
    async withStore(work) {
      const store = await openAdapters(loadConfig(common), systemClock)
      try {
        return await work(store)
      } finally {
        await store.close()
      }
    },
    async close() {
      const gone = [...children].map((child) => {
        const exit = once(child, 'exit')
        child.kill('SIGKILL')
        return exit
      })
      await Promise.all(gone)
      await mails.close()
      await stores?.stop()
      callback.close()
      callback.closeAllConnections()
      rmSync(folder, { recursive: true, maxRetries: 5 })
    },
  }
}
