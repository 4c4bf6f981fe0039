import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { keepSetting, openAdapters } from './adapters/index.ts'
import { createLog, systemClock, systemRandom } from './adapters/system.ts'
import { type AppConfig, type Demo, loadConfig } from './config/index.ts'
import { createManagementApp } from './management/app.ts'
import { createReadiness } from './management/readiness.ts'
import { metricsOfWorkers, missingOfWorkers } from './management/workers.ts'
import { openAdmin } from './relying-parties.ts'
import { explain, StartError } from './runtime/explain.ts'
import { listen } from './runtime/http-server.ts'
import { superviseWorkers, type Workers } from './runtime/workers.ts'

/** Workers stop within 15 seconds and the configured delay; then they are killed. */
const STOP_MS = 17_000
const MAX_WORKERS = 64

/** server.ts, built or not as this file is. */
const SERVER = fileURLToPath(
  new URL(`./server${extname(fileURLToPath(import.meta.url))}`, import.meta.url),
)

const workersAskedFor = (argument: string | undefined): number => {
  if (argument === undefined) return availableParallelism()
  const count = /^\d{1,2}$/.test(argument) ? Number(argument) : 0
  if (count >= 1 && count <= MAX_WORKERS) return count
  throw new StartError(
    `The number of workers must be from 1 to ${MAX_WORKERS}: npm run cluster -- 2`,
  )
}

/** The demo runs once, here; the workers only need to know where their mails go. */
const startDemoOnce = async (config: AppConfig & { readonly demo: Demo }) => {
  const stores = await openAdapters(config, systemClock)
  try {
    const { startDemo } = await import('./demo.ts')
    const { members } = stores
    return await startDemo(config, { members, clock: systemClock })
  } finally {
    await stores.close()
  }
}

/** The primary process on its way up, up, or on its way down; `up` fails where it cannot come up. */
const start = (config: AppConfig, count: number) => {
  const log = createLog({
    level: config.logLevel,
    pretty: !config.production && process.stdout.isTTY === true,
  })
  const readiness = createReadiness()
  const stopping = new AbortController()
  let workers: Workers | undefined
  /** Undone last to first. */
  const opened: (() => void | Promise<void>)[] = []
  const close = async () => {
    for (const undo of opened.splice(0).reverse()) await undo()
  }

  const open = async () => {
    const ports = { clock: systemClock, randomBytes: systemRandom, log }
    const admin = config.adminTokens.length > 0 ? await openAdmin(config, ports) : undefined
    if (admin) opened.push(admin.close)
    const management = createManagementApp({
      missing: readiness.missing,
      metrics: metricsOfWorkers(),
      ...(admin && { admin: () => admin.routes }),
    })
    opened.push((await listen(management.callback(), config.management)).close)
    const { demo } = config
    const running = demo && (await startDemoOnce({ ...config, demo }))
    if (running) opened.push(running.close)
    // Told to stop meanwhile: there is nobody to work for.
    if (stopping.signal.aborted) return
    workers = superviseWorkers({
      script: SERVER,
      count,
      env: {
        ...(running && { IDP_DEMO: 'off' }),
        ...(running?.smtpUrl && { IDP_SMTP_URL: running.smtpUrl }),
      },
      log,
    })
    readiness.serve(missingOfWorkers)
    workers.started.then(
      () => running && console.log(running.announcement),
      () => {},
    )
  }

  const opening = open()
  const stop = async () => {
    readiness.stop()
    stopping.abort()
    const late = new AbortController()
    const deadline = STOP_MS + config.stopDelaySeconds * 1000
    delay(deadline, undefined, { signal: late.signal }).then(
      () => workers?.kill(),
      () => {},
    )
    await opening.catch(() => {})
    const clean = (await workers?.stop()) ?? true
    late.abort()
    await close()
    return clean
  }
  return {
    log,
    up: opening.then(() => workers?.started),
    /** True where every worker ended as it was told. */
    stop,
    /** kill -9 of all workers. */
    kill: () => workers?.kill(),
  }
}

const main = async () => {
  let config: AppConfig | undefined
  try {
    const count = workersAskedFor(process.argv[2])
    config = loadConfig(process.env, undefined, keepSetting)
    const { log, up, stop, kill } = start(config, count)

    let stopping = false
    const leave = async (signal: string) => {
      if (stopping) {
        // A second signal means now.
        kill()
        process.exit(1)
      }
      stopping = true
      log.info({ signal }, 'stopping')
      const clean = await stop()
      log.info({ signal }, 'stopped')
      process.exit(clean ? 0 : 1)
    }
    const die = (error: unknown) => {
      log.error({ err: error }, 'uncaught')
      kill()
      process.exit(1)
    }
    process.on('SIGTERM', leave).on('SIGINT', leave)
    process.on('uncaughtException', die).on('unhandledRejection', die)
    await up.catch(async (error: unknown) => {
      if (stopping) return
      stopping = true
      await stop()
      throw error
    })
  } catch (error) {
    console.error(explain(error, config))
    process.exit(1)
  }
}

await main()
