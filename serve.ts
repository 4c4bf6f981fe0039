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
import { tellOfUnsignable } from './clients/unsigned.ts'
import { type AppConfig, type Environment, loadConfig, type ServeProfile } from './config/index.ts'
import { hashingLoad } from './factors/password.ts'
import { UnreadableSecretError } from './factors/seal.ts'
import { createMailWriter } from './interactions/mails.ts'
import { sweepSessions } from './interactions/session-sweep.ts'
import { createAdminRoutes } from './management/admin.ts'
import { createManagementApp } from './management/app.ts'
import { createReadiness } from './management/readiness.ts'
import { answerPrimary } from './management/workers.ts'
import { createLogoutCalls } from './provider/logout-token.ts'
import { explainReference } from './provider/refusals/explanation.ts'
import { openClients } from './relying-parties.ts'
import { explain, StartError } from './runtime/explain.ts'
import { listen } from './runtime/http-server.ts'
import { loadLater } from './runtime/later.ts'
import { persist } from './runtime/persist.ts'
import { replaceable } from './runtime/replaceable.ts'
import { openSigningKeys } from './signing-keys.ts'
import { loadViews } from './views/render.ts'

/** All of stopping takes no longer, beside the configured delay: a mail on its way is sent again. */
const STOP_MS = 15_000
const SWEEP_MS = 60_000

/** What only some requests need. A start does not wait for it, which would take half as long again. */
const LATER = [
  loadViews,
  () => import('nodemailer'),
  () => import('./accounts/guessable.ts'),
  () => import('./factors/webauthn.ts'),
  () => import('qrcode'),
]
/** Those who waited for this server have had their answers by then. */
const LATER_MS = 5000

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

/** A store that the demo has written is open to everybody. */
const refusePublicMembers = async ({ members }: Adapters): Promise<void> => {
  const { findPublicMembers } = await import('./config/public-members.ts')
  const found = await findPublicMembers(members)
  if (found.length === 0) return
  const names = found.map(({ societyId, loginId }) => `${societyId} ${loginId}`)
  throw new StartError(
    `${['The store holds members of the demo, whose passwords are public:', ...names].join('\n  - ')}\n` +
      'Begin with an empty store, or close each of these accounts: ' +
      'npx kenpo-idp member disable SOCIETY USER --operator NAME',
  )
}

/** A store that answers and holds keys which cannot be read ends the start. */
const signingKeysOf: typeof openSigningKeys = async (...given) => {
  try {
    return await openSigningKeys(...given)
  } catch (error) {
    if (!(error instanceof UnreadableSecretError)) throw error
    throw new StartError(
      'The signing keys in the store cannot be read with these IDP_ENCRYPTION_KEYS: ' +
        `${error.detail}.\nAdd the key that sealed them (npx kenpo-idp keys list names it), or make new ` +
        'signing keys: npx kenpo-idp keys rotate --now --lost --operator NAME',
    )
  }
}

/** A server on its way up, up, or on its way down; `up` fails where it cannot come up. */
const start = (config: AppConfig, say: (text: string) => void) => {
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
    await refuseUnfit(stores)
    if (config.production) {
      await persist(() => refusePublicMembers(stores), { log, signal: stopping.signal })
    }
    const adapters = metrics.stores(stores)
    const { demo, conformance } = config
    const ports = { members: adapters.members, clock: systemClock, randomBytes: systemRandom }
    const beside = async () => {
      if (conformance) {
        const { startConformance } = await import('./conformance.ts')
        return startConformance({ ...config, conformance }, ports)
      }
      return demo && (await import('./demo.ts')).startDemo({ ...config, demo }, ports)
    }
    const running = await persist(beside, { log, signal: stopping.signal })
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
    admin = createAdminRoutes({
      clients,
      explainRefusal: explainReference(adapters),
      tokens: config.adminTokens,
      log,
    })

    const signing = await persist(
      () => signingKeysOf(config, adapters, { clock: systemClock, randomBytes: systemRandom, log }),
      { log, signal: stopping.signal },
    )
    opened.push(signing.close)
    metrics.keys(signing.ages)
    await tellOfUnsignable(clients.known, config.clientRules, log)

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

    // An engine takes its keys as it is made, and keeps nothing between two requests.
    const app = replaceable(() => {
      const made = createApp({ ...services, settings: { ...config, jwks: signing.jwks() } })
      // The engine's types list its own events only; this one is koa's.
      const events: EventEmitter = made
      events.on('error', (error: unknown) => log.error({ err: error }, 'request_failed'))
      return made
    })
    signing.onChange(app.replace)
    // Whoever starts it again is told what to do. No request may end with what was revoked.
    signing.onLoss(() => process.exit(1))
    const logoutWorker = startOutboxWorker({
      outbox: adapters.logouts,
      delivery: createLogoutDelivery({
        callFor: createLogoutCalls(app.current),
        fetch,
        clock: systemClock,
      }),
      clock: systemClock,
      log,
    })
    opened.push(logoutWorker.stop)

    const sweep = setInterval(() => {
      Promise.all([
        adapters.sweepExpired(),
        sweepSessions({ provider: app.current(), services }),
      ]).then(
        ([count, sessions]) => log.info({ count, sessions }, 'swept'),
        (error: unknown) => log.error({ err: error }, 'sweep_failed'),
      )
    }, SWEEP_MS)
    opened.push(() => clearInterval(sweep))

    const server = await listen(app.listener, config)
    warned.push(server.announceStop)
    opened.push(server.close)
    readiness.serve(async () => [...signing.missing(), ...(await missingOf(adapters))])

    log.info({ issuer: config.issuer, host: config.host, port: config.port }, 'listening')
    if (running) say(running.announcement)
    const later = setTimeout(() => loadLater(LATER, log), LATER_MS)
    opened.push(() => clearTimeout(later))
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

/** Where a server gets its configuration, and what it tells the terminal. */
export type ServeOptions = Readonly<{
  env: Environment
  /** What the product is otherwise never: asked for by a flag of `kenpo-idp serve` alone. */
  profile?: ServeProfile | undefined
  say: (text: string) => void
  complain: (text: string) => void
}>

/** Serves until a signal says to stop, and ends the process then, or where it cannot come up. */
export const serve = async ({ env, profile, say, complain }: ServeOptions): Promise<void> => {
  let config: AppConfig | undefined
  try {
    config = loadConfig(env, undefined, keepSetting, profile)
    const { log, up, stop } = start(config, say)

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
    complain(explain(error, config))
    process.exit(1)
  }
}
