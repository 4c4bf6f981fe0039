import cluster from 'node:cluster'
import type { EventEmitter } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { Middleware } from 'koa'
import { StoreUnavailableError } from './accounts/errors.ts'
import { type Adapters, keepSetting, openAdapters } from './adapters/index.ts'
import { createLogoutDelivery } from './adapters/logout-delivery.ts'
import { createMailDelivery } from './adapters/mail-delivery.ts'
import { createMetrics } from './adapters/metrics.ts'
import { nudging, startOutboxWorker } from './adapters/outbox-worker.ts'
import { createSmtpMailer } from './adapters/smtp.ts'
import { createLog, systemClock, systemRandom } from './adapters/system.ts'
import { createApp } from './app.ts'
import { type AppConfig, loadConfig } from './config/index.ts'
import { hashingLoad } from './factors/password.ts'
import { createMailWriter } from './interactions/mails.ts'
import { sweepSessions } from './interactions/session-sweep.ts'
import { createAdminRoutes } from './management/admin.ts'
import { createManagementApp } from './management/app.ts'
import { createReadiness } from './management/readiness.ts'
import { answerPrimary } from './management/workers.ts'
import { createLogoutCalls } from './provider/logout-token.ts'
import { openClients } from './relying-parties.ts'
import { explain, StartError } from './runtime/explain.ts'
import { listen } from './runtime/http-server.ts'
import { persist } from './runtime/persist.ts'

/** All of stopping takes no longer, beside the configured delay: a mail on its way is sent again. */
const STOP_MS = 15_000
const SWEEP_MS = 60_000

/** A plain sentence for each thing that stands between these stores and a request. */
const missingOf = async (adapters: Adapters): Promise<readonly string[]> => {
  const silent = await adapters.unreachable()
  // Whether they are fit, only stores that answer can tell.
  if (silent.length > 0) return silent.map((name) => `${name} does not answer`)
  return adapters.unfit()
}

/** Servers that answer but may not be trusted with this end the start; silent ones are waited for. */
const refuseUnfit = async (adapters: Adapters): Promise<void> => {
  const faults = await adapters.unfit().catch((error: unknown) => {
    if (!(error instanceof StoreUnavailableError)) throw error
    return []
  })
  if (faults.length > 0) throw new StartError(['The stores are not fit:', ...faults].join('\n  - '))
}

/** A server on its way up, up, or on its way down; `up` fails where it cannot come up. */
const start = (config: AppConfig) => {
  const output = createLog({
    level: config.logLevel,
    pretty: !config.production && process.stdout.isTTY === true,
  })
  const metrics = createMetrics(hashingLoad)
  const log = metrics.log(output)
  const readiness = createReadiness()
  const stopping = new AbortController()
  /** Told of the stop while requests are still taken. */
  const warned: (() => void)[] = []
  /** Undone last to first. */
  const opened: (() => void | Promise<void>)[] = []
  const stop = async () => {
    for (const close of opened.splice(0).reverse()) await close()
  }

  let admin: Middleware | undefined
  const open = async () => {
    if (cluster.isWorker) answerPrimary(readiness.missing, metrics.registry)
    else {
      const management = createManagementApp({
        missing: readiness.missing,
        metrics: async () => ({
          contentType: metrics.registry.contentType,
          text: await metrics.registry.metrics(),
        }),
        ...(config.adminTokens.length > 0 && { admin: () => admin }),
      })
      opened.push((await listen(management.callback(), config.management)).close)
    }

    const stores = await openAdapters(config, systemClock, log)
    opened.push(stores.close)
    if (config.production) await refuseUnfit(stores)
    const adapters = metrics.stores(stores)
    const { demo } = config
    const running =
      demo === undefined
        ? undefined
        : await persist(
            async () =>
              (await import('./demo.ts')).startDemo(
                { ...config, demo },
                { members: adapters.members, clock: systemClock, randomBytes: systemRandom },
              ),
            { log, signal: stopping.signal },
          )
    if (running) opened.push(running.close)

    const smtpUrl = config.smtpUrl ?? running?.smtpUrl
    if (smtpUrl === undefined) throw new StartError('IDP_SMTP_URL is missing')
    const mailer = createSmtpMailer(smtpUrl, { requireTls: config.production })
    opened.push(mailer.close)

    const relyingParties = openClients(config, adapters, {
      clock: systemClock,
      randomBytes: systemRandom,
      log,
    })
    opened.push(relyingParties.close)
    const { clients, fetch } = relyingParties
    admin = createAdminRoutes({ clients, tokens: config.adminTokens, log })

    const services = {
      settings: config,
      ...adapters,
      clients,
      fetch,
      outbox: nudging(adapters.outbox, () => worker.nudge()),
      logouts: nudging(adapters.logouts, () => logoutWorker.nudge()),
      clock: systemClock,
      randomBytes: systemRandom,
      log,
    }
    const worker = startOutboxWorker({
      outbox: adapters.outbox,
      delivery: createMailDelivery({
        write: createMailWriter(services),
        mailer: metrics.mailer(mailer),
      }),
      clock: systemClock,
      log,
    })
    opened.push(worker.stop)

    const app = createApp(services)
    const logoutWorker = startOutboxWorker({
      outbox: adapters.logouts,
      delivery: createLogoutDelivery({
        callFor: createLogoutCalls(app),
        fetch,
        clock: systemClock,
      }),
      clock: systemClock,
      log,
    })
    opened.push(logoutWorker.stop)

    const sweep = setInterval(() => {
      Promise.all([adapters.sweepExpired(), sweepSessions({ provider: app, services })]).then(
        ([count, sessions]) => log.info({ count, sessions }, 'swept'),
        (error: unknown) => log.error({ err: error }, 'sweep_failed'),
      )
    }, SWEEP_MS)
    opened.push(() => clearInterval(sweep))

    // The engine's types list its own events only; this one is koa's.
    const events: EventEmitter = app
    events.on('error', (error: unknown) => log.error({ err: error }, 'request_failed'))
    const server = await listen(app.callback(), config)
    warned.push(server.announceStop)
    opened.push(server.close)
    readiness.serve(() => missingOf(adapters))

    log.info({ issuer: config.issuer, host: config.host, port: config.port }, 'listening')
    if (running) console.log(running.announcement)
  }

  const up = open()
  return {
    log,
    up: up.catch(async (error: unknown) => {
      await stop()
      throw error
    }),
    /** Not ready first, so that the balancer sends no more; then all that was asked is answered. */
    async stop() {
      readiness.stop()
      stopping.abort()
      for (const warn of warned) warn()
      const isUp = await up.then(
        () => true,
        () => false,
      )
      if (isUp) await delay(config.stopDelaySeconds * 1000)
      await stop()
    },
  }
}

const main = async () => {
  let config: AppConfig | undefined
  try {
    config = loadConfig(process.env, undefined, keepSetting)
    const { log, up, stop } = start(config)

    let stopping = false
    const stopMs = STOP_MS + config.stopDelaySeconds * 1000
    const leave = async (signal: string) => {
      if (stopping) {
        // A second signal means now; a worker may hear of one from its group and its primary.
        if (!cluster.isWorker) process.exit(1)
        return
      }
      stopping = true
      log.info({ signal }, 'stopping')
      setTimeout(() => process.exit(1), stopMs).unref()
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
    await up.catch((error: unknown) => {
      if (!stopping) throw error
    })
  } catch (error) {
    console.error(explain(error, config))
    process.exit(1)
  }
}

await main()
