import type { EventEmitter } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AggregatorRegistry } from 'prom-client'
import type { Member } from '../../accounts/member.ts'
import type { Outbox } from '../../accounts/ports.ts'
import { type Adapters, keepSetting, openAdapters } from '../../adapters/index.ts'
import { createLogoutDelivery } from '../../adapters/logout-delivery.ts'
import { createMailDelivery } from '../../adapters/mail-delivery.ts'
import { createMetrics } from '../../adapters/metrics.ts'
import { nudging, startOutboxWorker } from '../../adapters/outbox-worker.ts'
import { createSmtpMailer } from '../../adapters/smtp.ts'
import { createLog, systemRandom } from '../../adapters/system.ts'
import { type AppServices, createApp } from '../../app.ts'
import {
  type AppConfig,
  type Environment,
  loadConfig,
  type ServeProfile,
  type StoreConfig,
} from '../../config/index.ts'
import { hashingLoad, hashPassword } from '../../factors/password.ts'
import { createMailWriter } from '../../interactions/mails.ts'
import { sweepSessions } from '../../interactions/session-sweep.ts'
import type { MakeKey } from '../../keys/make.ts'
import { createLogoutCalls } from '../../provider/logout-token.ts'
import { openClients } from '../../relying-parties.ts'
import { replaceable } from '../../runtime/replaceable.ts'
import { openSigningKeys } from '../../signing-keys.ts'
import { aClock, type TestClock } from './clock.ts'
import { type Clusters, openClusters } from './clusters.ts'
import { keysMadeBefore } from './made-keys.ts'
import { startRoundRobin } from './round-robin.ts'
import type { RegisteredClient } from './rp.ts'
import { type SmtpSink, startSmtpSink } from './smtp-sink.ts'
import { embeddedStores, type TestStores } from './stores.ts'

/** One line of the operator's log, parsed. */
export type LogLine = Readonly<Record<string, unknown> & { level: string; msg?: string }>

/** The product's log writes nothing else. */
const lineOf = (line: string): LogLine => JSON.parse(line) as LogLine

type Entry = Readonly<Record<string, unknown>>

export type IdpOptions = Readonly<{
  /** Entries of the societies file laid over the demo's by `id`; a new id is a new society. */
  societies?: readonly (Entry & { id: string })[]
  /** Entries of the clients file, likewise by `client_id`. */
  clients?: readonly (Entry & { client_id: string })[]
  /** More environment variables, as the operator would set them. */
  env?: Environment
  /** As `kenpo-idp serve --profile` would have it, its members included. */
  profile?: ServeProfile
  clock?: TestClock
  /** Stores in place of those that the configuration opens. */
  over?: Partial<Adapters> & Pick<AppServices, 'unitOfWork'>
  /** So many of them, sharing one store behind a balancer without stickiness that has the issuer's
   * port; one without a balancer unless said here or by KENPO_TEST_INSTANCES. `cluster`: the
   * processes of `npm run cluster -- 2` behind it, or as many as are said here where
   * KENPO_TEST_INSTANCES is `cluster`. */
  instances?: number | 'cluster'
  /** Why the test needs the product in its own process, whatever KENPO_TEST_INSTANCES says. */
  inThisProcess?: string
  /** Where everything is kept: an embedded file unless said here or by KENPO_TEST_STORE. */
  store?: StoreConfig['kind']
  /** Stores of the test's own making, which end with the product. */
  stores?: TestStores
}>

export interface Idp {
  /** http://localhost:port, unless `env` says otherwise */
  readonly issuer: string
  /** Where it listens, whatever its issuer: the balancer's, of several instances. */
  readonly port: number
  /** Where every client's members are sent back to: http://localhost:port/cb, which says 200. */
  readonly redirectUri: string
  /** What the running application works with, the first of several: new after `restart`. */
  readonly services: AppServices &
    Pick<
      Adapters,
      'sweepExpired' | 'unreachable' | 'signingKeys' | 'clientStore' | 'registrationTokens'
    >
  readonly clock: TestClock
  readonly mails: SmtpSink
  /** How its signing keys are made. */
  readonly makeKey: MakeKey
  /** Since the start, restarts included. */
  readonly log: readonly LogLine[]
  /** The embedded store's folder. */
  readonly dataDir: string
  /** The clients file, which the running server watches. */
  readonly clientsFile: string
  readonly stores: TestStores
  /** Stores the member with this password's hash in place of their own. */
  addMember(member: Member, password: string): Promise<Member>
  /** The member as stored now. */
  memberOf(member: Pick<Member, 'id'>): Promise<Member>
  /** A registered client, for `aRelyingParty`; the demo's health-portal unless said. */
  client(clientId?: string): RegisteredClient
  /** What the management port tells, of all instances together since the start or `restart`. */
  figures(): Promise<string>
  /** What the server does every minute: tells of sessions whose time has come. */
  sweepSessions(): Promise<number>
  /** Closes and opens again: same address, same data, same clock. */
  restart(whileDown?: () => Promise<void>): Promise<void>
  close(): Promise<void>
}

/** Why this must be one process, the test's own; undefined: it need not. */
const reasonAgainstProcesses = (options: IdpOptions): string | undefined => {
  if (options.inThisProcess !== undefined) return options.inThisProcess
  if (options.over) return 'it has stores in place of those that the configuration opens'
  if (options.profile) return 'a cluster has no profile'
  return options.instances === 1 ? 'it asks for one instance' : undefined
}

/** How many, and whether as the processes of a cluster. */
const instancesFor = (options: IdpOptions): Readonly<{ count: number; isCluster: boolean }> => {
  const { KENPO_TEST_INSTANCES: told = '1' } = process.env
  const { instances } = options
  const count = Number(instances === 'cluster' ? 2 : (instances ?? (told === 'cluster' ? 2 : told)))
  if (instances !== 'cluster' && told !== 'cluster') return { count, isCluster: false }
  const reason = reasonAgainstProcesses(options)
  if (reason === undefined) return { count, isCluster: true }
  process.stderr.write(`[test] in the test's own process, no cluster: ${reason}\n`)
  return { count, isCluster: false }
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

const listen = async (port: number, listener?: RequestListener): Promise<Server> => {
  const server = listener ? createServer(listener) : createServer()
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

/** What other processes send has been sent, where a mail server is there to take it. */
const emptied = async (outbox: Outbox, { isUp }: Pick<SmtpSink, 'isUp'>): Promise<void> => {
  for (let tries = 0; isUp() && tries < 100; tries += 1) {
    if ((await outbox.count()) === 0) return
    await delay(20)
  }
}

/**
 * The whole product on this machine, put together as server.ts does: the real application on a port
 * of its own, the embedded store in a folder of its own, mails through SMTP into a sink. Three
 * things differ: the clock stands still until advanced, sessions are swept when a test says so, and
 * the log is kept. Several instances have one clock and one log, and adapters, mailers and workers
 * of their own. A cluster is the real one, whose processes have the date of that clock; `services`
 * are then the test's own, on the same stores.
 */
export const startIdp = async (options: IdpOptions = {}): Promise<Idp> => {
  const clock = options.clock ?? aClock()
  const mails = await startSmtpSink()
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-idp-'))
  const dataDir = join(folder, 'data')
  const stores =
    options.stores ??
    ((options.store ?? process.env.KENPO_TEST_STORE ?? 'embedded') === 'embedded'
      ? embeddedStores(dataDir)
      : await (await import('./server-stores.ts')).serverStores())
  clock.followers.add(stores.age)
  const make = keysMadeBefore()
  const log: LogLine[] = []
  /** Nobody has asked for these yet. */
  const unread: string[] = []

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
    demoEntries('clients.json').map(({ backchannel_logout_uri: _, ...entry }) => ({
      ...entry,
      redirect_uris: [redirectUri],
      backchannel_logout_session_required: false,
    })),
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

  const { count, isCluster } = instancesFor(options)

  const environmentFor = (port: number): Environment => ({
    NODE_ENV: 'test',
    IDP_ISSUER: `http://localhost:${port}`,
    IDP_DATA_DIR: dataDir,
    ...stores.env,
    IDP_DEMO: 'off',
    IDP_SMTP_URL: mails.url,
    ...files,
    ...options.env,
    // The balancer is one more.
    ...((count > 1 || isCluster) && {
      IDP_TRUSTED_PROXY_HOPS: String(Number(options.env?.IDP_TRUSTED_PROXY_HOPS ?? 0) + 1),
    }),
  })
  const configOf = (environment: Environment) =>
    loadConfig(environment, undefined, keepSetting, options.profile)

  /** Everything but what serves and sends. */
  const openServices = async (config: AppConfig) => {
    const opened = await openAdapters(config, clock)
    await opened.migrate()
    const metrics = createMetrics(hashingLoad)
    const adapters = metrics.stores(options.over ? { ...opened, ...options.over } : opened)
    const { conformance } = config
    if (conformance) {
      const ports = { members: adapters.members, clock, randomBytes: systemRandom }
      const { startConformance } = await import('../../conformance.ts')
      await startConformance({ ...config, conformance }, ports)
    }
    const lines = metrics.log(
      createLog({
        level: 'info',
        pretty: false,
        destination: { write: (line) => void unread.push(line) },
      }),
    )
    const relyingParties = openClients(config, adapters, {
      clock,
      randomBytes: systemRandom,
      log: lines,
    })
    const { clients, fetch } = relyingParties
    const signing = await openSigningKeys(config, adapters, {
      clock,
      randomBytes: systemRandom,
      log: lines,
      make,
    })
    const services = {
      settings: { ...config, jwks: signing.jwks() },
      ...adapters,
      clients,
      fetch,
      clock,
      randomBytes: systemRandom,
      log: lines,
    }
    const close = async () => {
      relyingParties.close()
      await signing.close()
      await adapters.close()
    }
    metrics.keys(signing.ages)
    return { services, signing, metrics, close }
  }

  /** An instance in this process. */
  const start = async (server: Server, config: AppConfig) => {
    const { services: opened, signing, metrics, close: closeServices } = await openServices(config)
    const { fetch, log: lines } = opened
    const mailer = createSmtpMailer(mails.url, { requireTls: false })
    const services = {
      ...opened,
      outbox: nudging(opened.outbox, () => worker.nudge()),
      logouts: nudging(opened.logouts, () => logoutWorker.nudge()),
    }
    const worker = startOutboxWorker({
      outbox: opened.outbox,
      delivery: createMailDelivery({
        write: createMailWriter(services),
        mailer: metrics.mailer(mailer),
      }),
      clock,
      log: lines,
    })
    const app = replaceable(() => {
      const made = createApp({ ...services, settings: { ...config, jwks: signing.jwks() } })
      // The engine's types list its own events only; this one is koa's.
      const events: EventEmitter = made
      events.on('error', (error: unknown) => lines.error({ err: error }, 'request_failed'))
      return made
    })
    signing.onChange(app.replace)
    const logoutWorker = startOutboxWorker({
      outbox: opened.logouts,
      delivery: createLogoutDelivery({ callFor: createLogoutCalls(app.current), fetch, clock }),
      clock,
      log: lines,
    })
    server.on('request', app.listener)

    const rest = async () => {
      await worker.idle()
      await logoutWorker.idle()
    }
    const close = async () => {
      await shut(server)
      await worker.stop()
      await logoutWorker.stop()
      mailer.close()
      await closeServices()
    }
    return {
      services,
      sweepSessions: () => sweepSessions({ provider: app.current(), services }),
      registry: metrics.registry,
      rest,
      close,
    }
  }

  const clusters = isCluster ? openClusters(folder, clock) : undefined

  /** Processes, and beside them what tests look into the stores with. */
  const openCluster = async (wantedPort: number, { start: run }: Clusters) => {
    const front = await startRoundRobin(wantedPort)
    try {
      const { port } = front
      const environment = environmentFor(port)
      const config = configOf(environment)
      const { services, close: closeServices } = await openServices(config)
      const cluster = await run(count, environment).catch(async (error: unknown) => {
        await closeServices()
        throw error
      })
      front.use([cluster.port])
      const close = async () => {
        await front.close()
        await cluster.stop()
        await closeServices()
      }
      return {
        services,
        sweepSessions: () => sweepSessions({ provider: createApp(services), services }),
        figures: cluster.figures,
        rest: () => emptied(services.outbox, mails),
        issuer: config.issuer,
        port,
        close,
      }
    } catch (error) {
      await front.close()
      throw error
    }
  }

  const openHere = async (wantedPort: number) => {
    // The port must be known before the issuer is: the application comes in once it is.
    const front = count > 1 ? await startRoundRobin(wantedPort) : undefined
    const servers: Server[] = []
    try {
      for (let number = 1; number <= count; number += 1) {
        servers.push(await listen(front ? 0 : wantedPort))
      }
      const [first] = servers
      if (!first) throw new Error('there is no instance to start')
      const port = front?.port ?? portOf(first)
      const config = configOf(environmentFor(port))
      const main = await start(first, config)
      const others = await Promise.all(servers.slice(1).map((server) => start(server, config)))
      front?.use(servers.map(portOf))
      const all = [main, ...others]
      const figures = async () => {
        const each = all.map(({ registry }) => registry.getMetricsAsJSON())
        return AggregatorRegistry.aggregate(await Promise.all(each)).metrics()
      }
      const rest = async () => {
        for (const instance of all) await instance.rest()
      }
      const close = async () => {
        await front?.close()
        for (const instance of all) await instance.close()
      }
      return { ...main, figures, rest, issuer: config.issuer, port, close }
    } catch (error) {
      await front?.close()
      await Promise.all(servers.map(shut))
      throw error
    }
  }

  const open = (wantedPort: number) =>
    clusters ? openCluster(wantedPort, clusters) : openHere(wantedPort)

  const closeRest = async () => {
    clusters?.close()
    await shut(callback)
    await mails.close()
    clock.followers.delete(stores.age)
    clock.rests.delete(rest)
    await stores.stop()
    rmSync(folder, { recursive: true })
  }

  const rest = () => running.rest()
  let running = await open(0).catch(async (error: unknown) => {
    await closeRest()
    throw error
  })
  const { issuer, port } = running
  clock.rests.add(rest)

  return {
    issuer,
    port,
    redirectUri,
    get services() {
      return running.services
    },
    clock,
    mails,
    makeKey: make,
    get log() {
      unread.push(...(clusters?.newLines() ?? []))
      for (const line of unread.splice(0)) log.push(lineOf(line))
      return log
    },
    dataDir,
    clientsFile: files.IDP_CLIENTS_FILE,
    stores,
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
    figures: () => running.figures(),
    sweepSessions: () => running.sweepSessions(),
    async restart(whileDown) {
      await running.close()
      await whileDown?.()
      running = await open(port)
    },
    async close() {
      await running.close()
      await closeRest()
    },
  }
}
