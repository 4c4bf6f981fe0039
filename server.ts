import type { EventEmitter } from 'node:events'
import { createServer, type Server } from 'node:http'
import { keepSetting, openAdapters } from './adapters/index.ts'
import { startOutboxWorker } from './adapters/outbox-worker.ts'
import { createSmtpMailer } from './adapters/smtp.ts'
import { createLog, systemClock, systemRandom } from './adapters/system.ts'
import { createApp } from './app.ts'
import { type AppConfig, ConfigError, loadConfig } from './config/index.ts'
import { createMailWriter } from './interactions/mails.ts'

/** Requests under way get this long to end when the server is told to stop. */
const DRAIN_MS = 10_000
/** … and all of stopping no longer than this: a mail still on its way is sent again later. */
const STOP_MS = 15_000
const SWEEP_MS = 60_000
/** Limits on slow clients: header block, whole request, silence on an open connection. */
const TIMEOUTS = { headersTimeout: 5000, requestTimeout: 10_000, connectionsCheckingInterval: 1000 }
const SILENCE_MS = 30_000

/** A start that failed for a reason the operator can mend; the message says how. */
class StartError extends Error {}

const listen = async (server: Server, host: string, port: number): Promise<void> => {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Stops accepting, lets requests under way end, then cuts what is left. */
const drain = async (server: Server): Promise<void> => {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A kept-alive connection becomes idle only when its request has ended.
  const idle = setInterval(() => server.closeIdleConnections(), 100)
  const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS)
  await closed
  clearInterval(idle)
  clearTimeout(cut)
}

const start = async (config: AppConfig) => {
  const log = createLog({
    level: config.logLevel,
    pretty: !config.production && process.stdout.isTTY === true,
  })
  /** Undone last to first. */
  const opened: (() => void | Promise<void>)[] = []
  const stop = async () => {
    for (const close of opened.splice(0).reverse()) await close()
  }

  try {
    const adapters = await openAdapters(config, systemClock)
    opened.push(adapters.close)
    const { demo } = config
    const running =
      demo === undefined
        ? undefined
        : await (await import('./demo.ts')).startDemo(
            { ...config, demo },
            { members: adapters.members, clock: systemClock, randomBytes: systemRandom },
          )
    if (running) opened.push(running.close)

    const smtpUrl = config.smtpUrl ?? running?.smtpUrl
    if (smtpUrl === undefined) throw new StartError('IDP_SMTP_URL is missing')
    const mailer = createSmtpMailer(smtpUrl, { requireTls: config.production })
    opened.push(mailer.close)

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
      clock: systemClock,
      randomBytes: systemRandom,
      log,
    }
    const worker = startOutboxWorker({
      outbox: adapters.outbox,
      write: createMailWriter(services),
      mailer,
      clock: systemClock,
      log,
    })
    opened.push(worker.stop)

    const sweep = setInterval(() => {
      adapters.sweepExpired().then(
        (count) => log.info({ count }, 'swept'),
        (error: unknown) => log.error({ err: error }, 'sweep_failed'),
      )
    }, SWEEP_MS)
    opened.push(() => clearInterval(sweep))

    const app = createApp(services)
    // The engine's types list its own events only; this one is koa's.
    const events: EventEmitter = app
    events.on('error', (error: unknown) => log.error({ err: error }, 'request_failed'))
    const server = createServer(TIMEOUTS, app.callback())
    server.setTimeout(SILENCE_MS)
    await listen(server, config.host, config.port)
    opened.push(() => drain(server))

    log.info({ issuer: config.issuer, host: config.host, port: config.port }, 'listening')
    if (running) console.log(running.announcement)
  } catch (error) {
    await stop()
    throw error
  }
  return { log, stop }
}

const optionOf = (port: number, { demo }: AppConfig): string => {
  if (port === demo?.portalPort) return 'IDP_PORTAL_PORT'
  return port === demo?.mailboxPort ? 'IDP_MAILBOX_PORT' : 'IDP_PORT'
}

/** The operator's mistakes in words, anything else with its stack. */
const explain = (error: unknown, config: AppConfig | undefined): string => {
  if (error instanceof ConfigError || error instanceof StartError) return error.message
  if (!(error instanceof Error)) return String(error)
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }
  if (config && port !== undefined && (code === 'EADDRINUSE' || code === 'EACCES')) {
    const fault = code === 'EADDRINUSE' ? 'is in use already' : 'may not be opened by this user'
    return `Port ${port} ${fault}. Stop what listens there, or set ${optionOf(port, config)} to another port.`
  }
  return error.stack ?? error.message
}

const main = async () => {
  let config: AppConfig | undefined
  try {
    config = loadConfig(process.env, undefined, keepSetting)
    const { log, stop } = await start(config)

    let stopping = false
    const leave = async (signal: string) => {
      // A second signal means now.
      if (stopping) process.exit(1)
      stopping = true
      log.info({ signal }, 'stopping')
      setTimeout(() => process.exit(1), STOP_MS).unref()
      await stop()
      log.info({ signal }, 'stopped')
      process.exit(0)
    }
    const die = (error: unknown) => {
      log.error({ err: error }, 'uncaught')
      process.exit(1)
    }
    process.on('SIGTERM', leave).on('SIGINT', leave)
    process.on('uncaughtException', die).on('unhandledRejection', die)
  } catch (error) {
    console.error(explain(error, config))
    process.exit(1)
  }
}

await main()
