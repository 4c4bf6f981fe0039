import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Environment } from '../../config/index.ts'
import type { TestClock } from './clock.ts'
import { freePort, startProcess } from './deployment.ts'

/** What `npm run cluster -- N` starts: a primary process and N that serve, on one port. */
export interface RunningCluster {
  readonly port: number
  /** What its management port tells of all its processes. */
  figures(): Promise<string>
  /** Sends SIGTERM and waits. @throws where they did not all end as they were told */
  stop(): Promise<void>
}

/** Clusters of one deployment, one after another, all with a test's clock. */
export interface Clusters {
  /** Starts so many processes with this environment; resolves once all of them serve. */
  start(count: number, environment: Environment): Promise<RunningCluster>
  /** The lines logged since this was last asked for. Synchronous: what was written before an answer
   * was sent is there for whoever has the answer. */
  newLines(): readonly string[]
  close(): void
}

const CHUNK_BYTES = 65_536

/** Reads what others append to a file, in whole lines. */
const openTail = (path: string) => {
  const file = openSync(path, 'r')
  const chunk = Buffer.alloc(CHUNK_BYTES)
  let unfinished: Buffer = Buffer.alloc(0)
  return {
    newLines(): readonly string[] {
      for (;;) {
        const length = readSync(file, chunk)
        if (length === 0) break
        unfinished = Buffer.concat([unfinished, chunk.subarray(0, length)])
      }
      const end = unfinished.lastIndexOf('\n') + 1
      const whole = unfinished.toString('utf8', 0, end)
      unfinished = unfinished.subarray(end)
      return whole.split('\n').filter((line) => line !== '')
    },
    close: () => closeSync(file),
  }
}

/** Keeps a date in a file at the clock's, for processes with child-of-test.mjs. */
const openDate = (path: string, clock: TestClock) => {
  const file = openSync(path, 'w')
  const bytes = Buffer.alloc(8)
  const set = () => {
    bytes.writeDoubleLE(clock.now() * 1000)
    writeSync(file, bytes, 0, bytes.length, 0)
  }
  set()
  clock.followers.add(set)
  return {
    close() {
      clock.followers.delete(set)
      closeSync(file)
    },
  }
}

/** Clusters whose log and date are files in this folder. */
export const openClusters = (folder: string, clock: TestClock): Clusters => {
  const logPath = join(folder, 'cluster.log')
  const datePath = join(folder, 'cluster.date')
  const written = openSync(logPath, 'a')
  const tail = openTail(logPath)
  const date = openDate(datePath, clock)
  const whole = openTail(logPath)
  let listening = 0

  return {
    newLines: tail.newLines,
    async start(count, environment) {
      const port = await freePort()
      const { child, exited, until, probe } = await startProcess({
        entry: 'cluster.ts',
        args: [String(count)],
        nodeArgs: ['--import', new URL('./child-of-test.mjs', import.meta.url).href],
        env: {
          ...environment,
          KENPO_TEST_DATE_FILE: datePath,
          IDP_HOST: '127.0.0.1',
          IDP_PORT: String(port),
        },
        stdin: 'pipe',
        stdout: written,
      })
      const stop = async () => {
        child.kill('SIGTERM')
        const { code, signal } = await exited
        if (code !== 0) throw new Error(`the cluster ended with ${code ?? signal}`)
      }
      const before = listening
      try {
        await until('listening', () => {
          listening += whole.newLines().filter((line) => line.includes('"listening"')).length
          return listening - before >= count
        })
      } catch (error) {
        await stop().catch(() => undefined)
        throw error
      }
      return { port, figures: async () => (await probe('/metrics')).text, stop }
    },
    close() {
      date.close()
      tail.close()
      whole.close()
      closeSync(written)
    },
  }
}
