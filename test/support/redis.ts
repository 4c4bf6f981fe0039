import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Cluster } from 'ioredis'
import type { RedisClient, RedisConnection } from '../../adapters/redis/connect.ts'

const run = promisify(execFile)

/** A real redis-server in a folder of its own. */
export interface RedisServer {
  readonly host: string
  readonly port: number
  readonly url: string
  /** What the server's own client prints for a command. */
  cli(...args: readonly string[]): Promise<string>
  /** SIGKILL ends it like a crash, SIGSTOP makes it hang until SIGCONT. */
  signal(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): Promise<void>
  /** Starts it again after a SIGKILL, on the same port and files; resolves when it serves. */
  restart(): Promise<void>
  /** Ends it and deletes its folder. */
  stop(): Promise<void>
}

/** redis.conf's directives; a list where one stands on several lines. */
export type Directives = Readonly<Record<string, string | readonly string[]>>

const HOST = '127.0.0.1'
const POLL_MS = 20
/** What a server logs once it serves. */
const READY = 'Ready to accept connections'
const PATIENCE_MS = 20_000

/** What a production server is to be set to. */
export const DURABLE: Directives = {
  appendonly: 'yes',
  appendfsync: 'everysec',
  'maxmemory-policy': 'noeviction',
}

/** Until `check` is true; an error counts as not yet. @throws the last one when patience ends */
export const eventually = async (
  what: string,
  check: () => boolean | Promise<boolean>,
): Promise<void> => {
  let cause: unknown
  for (let waited = 0; waited < PATIENCE_MS; waited += POLL_MS) {
    try {
      if (await check()) return
    } catch (error) {
      cause = error
    }
    await sleep(POLL_MS)
  }
  throw new Error(`not within ${PATIENCE_MS} ms: ${what}`, { cause })
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  // It listens on a port, not on a pipe.
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** A cluster's nodes talk to each other 10,000 ports higher. */
const freeClusterPort = async (): Promise<number> => {
  for (;;) {
    const port = await freePort()
    if (port + 10_000 > 65_535) continue
    const server = createServer().listen(port + 10_000, HOST)
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    await new Promise((resolve) => server.close(resolve))
    if (isFree) return port
  }
}

const configuration = (directives: Directives): string =>
  Object.entries(directives)
    .flatMap(([name, values]) => [values].flat().map((value) => `${name} ${value}\n`))
    .join('')

const SAFE: Directives = { bind: HOST, daemonize: 'no' }

/** A server with a certificate speaks nothing but TLS. */
const isTls = (directives: Directives): boolean => directives['tls-cert-file'] !== undefined
const portOf = (port: number, directives: Directives): Directives =>
  isTls(directives) ? { port: '0', 'tls-port': `${port}` } : { port: `${port}` }
const tlsFlags = (directives: Directives): readonly string[] =>
  isTls(directives) ? ['--tls', '--cacert', String(directives['tls-ca-cert-file'])] : []

const startServer = async (
  port: number,
  directives: Directives,
  ...args: readonly string[]
): Promise<RedisServer> => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-redis-'))
  const file = join(folder, 'redis.conf')
  writeFileSync(
    file,
    configuration({ ...portOf(port, directives), ...SAFE, dir: folder, ...directives }),
  )
  const cli = async (...command: readonly string[]) => {
    const where = [...tlsFlags(directives), '-h', HOST, '-p', `${port}`]
    const { stdout } = await run('redis-cli', [...where, ...command], { timeout: 5000 })
    return stdout.trim()
  }

  const isSentinel = args.includes('--sentinel')
  let child: ChildProcess
  let log: string
  const launch = async () => {
    log = ''
    child = spawn('redis-server', [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    child.on('error', (error) => {
      log += `${error}`
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk) => {
        log += chunk
      })
    }
    const process = child
    await eventually(`redis-server serves at ${port}`, async () => {
      if (process.exitCode !== null) throw new Error(`redis-server ended: ${log}`)
      // A Sentinel does not say so.
      return isSentinel ? (await cli('PING')) === 'PONG' : log.includes(READY)
    })
  }
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  // A test run that is cut short leaves no server behind.
  const endNow = () => child?.kill('SIGKILL')
  process.once('exit', endNow)

  await launch()
  return {
    host: HOST,
    port,
    url: `redis://${HOST}:${port}`,
    cli,
    async signal(signal) {
      if (signal === 'SIGKILL') await end()
      else child.kill(signal)
    },
    restart: launch,
    async stop() {
      await end()
      process.off('exit', endNow)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** One server, durable unless told otherwise. */
export const startRedis = async (directives: Directives = {}): Promise<RedisServer> =>
  startServer(await freePort(), { save: '""', ...DURABLE, ...directives })

export type RedisCluster = Readonly<{
  nodes: readonly RedisServer[]
  stop(): Promise<void>
}>

/** Three primaries, a third of the slots each. */
export const startRedisCluster = async (directives: Directives = {}): Promise<RedisCluster> => {
  const nodes: RedisServer[] = []
  for (let node = 0; node < 3; node++) {
    nodes.push(
      await startServer(await freeClusterPort(), {
        save: '""',
        ...DURABLE,
        'cluster-enabled': 'yes',
        'cluster-node-timeout': '2000',
        ...directives,
      }),
    )
  }
  const addresses = nodes.map(({ host, port }) => `${host}:${port}`)
  await run('redis-cli', [
    ...tlsFlags(directives),
    ...['--cluster', 'create', ...addresses, '--cluster-yes'],
  ])
  for (const node of nodes) {
    await eventually('the cluster is whole', async () =>
      (await node.cli('CLUSTER', 'INFO')).includes('cluster_state:ok'),
    )
  }
  return {
    nodes,
    stop: async () => {
      for (const node of nodes) await node.stop()
    },
  }
}

export type RedisSentinels = Readonly<{
  name: string
  primary: RedisServer
  replica: RedisServer
  sentinels: readonly RedisServer[]
  stop(): Promise<void>
}>

/** A Sentinel asks and tells every few seconds, and lets an old primary be for four times as long. How
 * often it pings stays: who has not answered five pings is no replica to choose, on a busy machine too. */
const BRISKLY = ['INFO-PERIOD', '1000', 'PUBLISH-PERIOD', '200'] as const

/** A primary, its replica and three Sentinels, two of which decide; a second's silence is enough. */
export const startRedisSentinels = async (): Promise<RedisSentinels> => {
  const name = 'kenpo'
  // A replica that joins need not wait five seconds for others to join with it.
  const atOnce = { 'repl-diskless-sync-delay': '0' }
  const primary = await startRedis(atOnce)
  const replica = await startRedis({
    ...atOnce,
    replicaof: `${primary.host} ${primary.port}`,
  })
  const sentinels: RedisServer[] = []
  for (let sentinel = 0; sentinel < 3; sentinel++) {
    sentinels.push(
      await startServer(
        await freePort(),
        {
          sentinel: [
            `monitor ${name} ${primary.host} ${primary.port} 2`,
            `down-after-milliseconds ${name} 1000`,
            // An election that nobody wins is held again after twice this long.
            `failover-timeout ${name} 2000`,
          ],
        },
        '--sentinel',
      ),
    )
  }
  for (const sentinel of sentinels) {
    await sentinel.cli('SENTINEL', 'DEBUG', ...BRISKLY)
    await eventually('the Sentinels know each other and the replica', async () => {
      const master = await sentinel.cli('SENTINEL', 'MASTER', name)
      return /num-slaves\n1\n/.test(master) && /num-other-sentinels\n2\n/.test(master)
    })
  }
  await eventually('the replica follows', async () =>
    (await replica.cli('INFO', 'replication')).includes('master_link_status:up'),
  )
  return {
    name,
    primary,
    replica,
    sentinels,
    stop: async () => {
      for (const server of [...sentinels, replica, primary]) await server.stop()
    },
  }
}

/** Resolves at the first connection, or at once where one stands. */
export const connected = ({ onReady }: RedisConnection): Promise<void> =>
  new Promise((resolve) => onReady(resolve))

const primariesOf = (client: RedisClient) =>
  client instanceof Cluster ? client.nodes('master') : [client]

/** Empties one server, or every node of a cluster. */
export const flush = async (client: RedisClient): Promise<void> => {
  await Promise.all(primariesOf(client).map((node) => node.flushall()))
}

/** Every key of one server, or of every node of a cluster, and its TTL in seconds (-1: none). */
export const keysIn = async (
  client: RedisClient,
): Promise<readonly Readonly<{ key: string; ttl: number }>[]> => {
  const found: { key: string; ttl: number }[] = []
  for (const node of primariesOf(client)) {
    for await (const keys of node.scanStream({ count: 1000 })) {
      for (const key of keys as string[]) found.push({ key, ttl: await node.ttl(key) })
    }
  }
  return found
}
