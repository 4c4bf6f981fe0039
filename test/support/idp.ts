import type { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Member } from '../../accounts/member.ts'
import { type Adapters, keepSetting, openAdapters } from '../../adapters/index.ts'
import { startOutboxWorker } from '../../adapters/outbox-worker.ts'
import { createSmtpMailer } from '../../adapters/smtp.ts'
import { createLog, systemRandom } from '../../adapters/system.ts'
import { type AppServices, createApp } from '../../app.ts'
import { type Environment, loadConfig } from '../../config/index.ts'
import { hashPassword } from '../../factors/password.ts'
import { createMailWriter } from '../../interactions/mails.ts'
import { aClock, type TestClock } from './clock.ts'
import type { RegisteredClient } from './rp.ts'
import { type SmtpSink, startSmtpSink } from './smtp-sink.ts'

/** One line of the operator's log, parsed. */
export type LogLine = Readonly<Record<string, unknown> & { level: string; msg?: string }>

type Entry = Readonly<Record<string, unknown>>

export type IdpOptions = Readonly<{
  /** Entries of the societies file laid over the demo's by `id`; a new id is a new society. */
  societies?: readonly (Entry & { id: string })[]
  /** Entries of the clients file, likewise by `client_id`. */
  clients?: readonly (Entry & { client_id: string })[]
  /** More environment variables, as the operator would set them. */
  env?: Environment
  clock?: TestClock
}>

export interface Idp {
  /** http://localhost:port, unless `env` says otherwise */
  readonly issuer: string
  /** Where it listens, whatever its issuer. */
  readonly port: number
  /** Where every client's members are sent back to: http://localhost:port/cb, which says 200. */
  readonly redirectUri: string
  /** What the running application works with: new after `restart`. */
  readonly services: AppServices & Pick<Adapters, 'sweepExpired'>
  readonly clock: TestClock
  readonly mails: SmtpSink
  /** Since the start, restarts included. */
  readonly log: readonly LogLine[]
  /** The embedded store's folder. */
  readonly dataDir: string
  /** Stores the member with this password's hash in place of their own. */
  addMember(member: Member, password: string): Promise<Member>
  /** The member as stored now. */
  memberOf(member: Pick<Member, 'id'>): Promise<Member>
  /** A registered client, for `aRelyingParty`; the demo's health-portal unless said. */
  client(clientId?: string): RegisteredClient
  /** Closes and opens again: same address, same data, same clock. */
  restart(): Promise<void>
  close(): Promise<void>
}

const DEMO = new URL('../../config/demo/', import.meta.url)

const demoEntries = (file: string): readonly Entry[] =>
  // The demo files are lists of entries, which loadConfig checks.
  JSON.parse(readFileSync(new URL(file, DEMO), 'utf8')) as Entry[]

const laidOver = (
  entries: readonly Entry[],
  key: string,
  over: readonly Entry[] = [],
): readonly Entry[] => [
  ...entries.map((entry) => ({ ...entry, ...over.find((one) => one[key] === entry[key]) })),
  ...over.filter((one) => !entries.some((entry) => entry[key] === one[key])),
]

const listen = async (port: number, listener: RequestListener): Promise<Server> => {
  const server = createServer(listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return server
}

const shut = async (server: Server): Promise<void> => {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeAllConnections()
  await closed
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port // TCP, so no path

const CALLBACK_PAGE =
  '<!doctype html><html lang="en"><head><title>Callback</title><link rel="icon" href="data:,"></head>' +
  '<body><main><h1>Signed in to the relying party</h1></main></body></html>'

/**
 * The whole product on this machine, put together as server.ts does: the real application on a port
 * of its own, the embedded store in a folder of its own, mails through SMTP into a sink. Two things
 * differ: the clock stands still until advanced, and the log is kept.
 */
export const startIdp = async (options: IdpOptions = {}): Promise<Idp> => {
  const clock = options.clock ?? aClock()
  const mails = await startSmtpSink()
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-idp-'))
  const dataDir = join(folder, 'data')
  const log: LogLine[] = []

  const callback = await listen(0, (_request, response) => {
    response.setHeader('Content-Type', 'text/html; charset=utf-8')
    response.end(CALLBACK_PAGE)
  })
  const redirectUri = `http://localhost:${portOf(callback)}/cb`

  const write = (name: string, entries: readonly Entry[]): string => {
    const path = join(folder, name)
    writeFileSync(path, JSON.stringify(entries))
    return path
  }
  const clientEntries = laidOver(
    demoEntries('clients.json').map((entry) => ({ ...entry, redirect_uris: [redirectUri] })),
    'client_id',
    options.clients,
  )
  const files = {
    IDP_SOCIETIES_FILE: write(
      'societies.json',
      laidOver(demoEntries('societies.json'), 'id', options.societies),
    ),
    IDP_CLIENTS_FILE: write(
      'clients.json',
      clientEntries.map((entry) => ({ redirect_uris: [redirectUri], ...entry })),
    ),
  }

  const open = async (wantedPort: number) => {
    // The port must be known before the issuer is: the application comes in once it is.
    let handle: RequestListener | undefined
    const server = await listen(wantedPort, (request, response) => handle?.(request, response))
    const config = loadConfig(
      {
        NODE_ENV: 'test',
        IDP_ISSUER: `http://localhost:${portOf(server)}`,
        IDP_DATA_DIR: dataDir,
        IDP_DEMO: 'off',
        IDP_SMTP_URL: mails.url,
        ...files,
        ...options.env,
      },
      undefined,
      keepSetting,
    )
    const adapters = await openAdapters(config, clock)
    const mailer = createSmtpMailer(mails.url, { requireTls: false })
    const lines = createLog({
      level: 'info',
      pretty: false,
      // Only this log writes here, and it writes such lines.
      destination: { write: (line) => void log.push(JSON.parse(line) as LogLine) },
    })
    const services = {
      settings: config,
      ...adapters,
      outbox: {
        ...adapters.outbox,
        add: async (mail: Parameters<typeof adapters.outbox.add>[0]) => {
          await adapters.outbox.add(mail)
          worker.nudge()
        },
      },
      clock,
      randomBytes: systemRandom,
      log: lines,
    }
    const worker = startOutboxWorker({
      outbox: adapters.outbox,
      write: createMailWriter(services),
      mailer,
      clock,
      log: lines,
    })
    const app = createApp(services)
    // The engine's types list its own events only; this one is koa's.
    const events: EventEmitter = app
    events.on('error', (error: unknown) => lines.error({ err: error }, 'request_failed'))
    handle = app.callback()

    const close = async () => {
      await shut(server)
      await worker.stop()
      mailer.close()
      await adapters.close()
    }
    return { issuer: config.issuer, port: portOf(server), services, close }
  }

  let running = await open(0)
  const { issuer, port } = running

  return {
    issuer,
    port,
    redirectUri,
    get services() {
      return running.services
    },
    clock,
    mails,
    log,
    dataDir,
    async addMember(member, password) {
      const hash = await hashPassword(password)
      return running.services.members.save({
        ...member,
        password: { ...member.password, hash },
      })
    },
    async memberOf({ id }) {
      const member = await running.services.members.findById(id)
      if (!member) throw new Error(`no member ${id} is stored`)
      return member
    },
    client(clientId = 'health-portal') {
      const entry = clientEntries.find((one) => one.client_id === clientId)
      if (!entry) throw new Error(`no client ${clientId} is registered`)
      const secret = entry.client_secret
      return {
        clientId,
        redirectUri,
        ...(typeof secret === 'string' ? { clientSecret: secret } : {}),
      }
    },
    async restart() {
      await running.close()
      running = await open(port)
    },
    async close() {
      await running.close()
      await shut(callback)
      await mails.close()
      rmSync(folder, { recursive: true })
    },
  }
}
