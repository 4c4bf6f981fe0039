import cluster, { type Worker } from 'node:cluster'
import { EventEmitter, once } from 'node:events'
import type { Log } from '../accounts/ports.ts'
import { StartError } from './explain.ts'

export type Workers = Readonly<{
  /** Resolves once a worker listens. @throws where the first ones end before any has listened */
  started: Promise<void>
  /** Tells every worker to stop and waits for it; true where all ended as told. */
  stop(): Promise<boolean>
  /** kill -9. */
  kill(): void
}>

/** A worker that has lived for so long begins anew: its end is not one of a row. */
const SOUND_MS = 60_000
const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 30_000

/**
 * Keeps `count` workers alive, which share the listening port (node:cluster). One that dies is
 * replaced at once, one that dies again and again a little later each time.
 */
export const superviseWorkers = ({
  script,
  count,
  env,
  log,
}: Readonly<{
  /** Path of what each worker runs. */
  script: string
  count: number
  /** Laid over this process's own environment. */
  env: Readonly<Record<string, string>>
  log: Log
}>): Workers => {
  cluster.setupPrimary({ exec: script, args: [] })
  const alive = new Set<Worker>()
  const waiting = new Set<NodeJS.Timeout>()
  let stopping = false
  let failed = false
  let deaths = 0

  /** `listening`, `unable` and `ended`: what has become of them all together. */
  const news = new EventEmitter()
  const started = new Promise<void>((resolve, reject) => {
    news.once('listening', resolve)
    news.once('unable', reject)
  })
  // A caller that stops first looks no more.
  started.catch(() => {})
  let listened = false

  const start = () => {
    const worker = cluster.fork(env)
    const born = performance.now()
    alive.add(worker)
    worker.once('listening', () => {
      listened = true
      news.emit('listening')
    })
    worker.on('error', (error) => log.error({ worker: worker.id, err: error }, 'worker_error'))
    worker.once('exit', (status, signal) => {
      alive.delete(worker)
      if (stopping) {
        // Still loading, it has nothing open, and ends by the signal itself.
        if (status !== 0 && signal !== 'SIGTERM') failed = true
        if (alive.size === 0) news.emit('ended')
        return
      }
      if (!listened) {
        log.error({ worker: worker.id, status, signal }, 'worker_not_started')
        news.emit('unable', new StartError('No worker could start: see above.'))
        return
      }
      deaths = performance.now() - born < SOUND_MS ? deaths + 1 : 1
      const wait = Math.min(FIRST_WAIT_MS * 2 ** (deaths - 1), LONGEST_WAIT_MS)
      const again = setTimeout(() => {
        waiting.delete(again)
        start()
      }, wait)
      waiting.add(again)
      log.error({ worker: worker.id, status, signal, durationMs: wait }, 'worker_restarted')
    })
  }
  for (let forked = 0; forked < count; forked += 1) start()

  return {
    started,
    async stop() {
      stopping = true
      for (const timer of waiting) clearTimeout(timer)
      const ended = alive.size > 0 && once(news, 'ended')
      for (const worker of alive) worker.process.kill('SIGTERM')
      await ended
      return !failed
    },
    kill() {
      for (const worker of alive) worker.process.kill('SIGKILL')
    },
  }
}
