import type { ConnectionOptions } from 'node:tls'
import { Cluster, type CommonRedisOptions, Redis, ReplyError } from 'ioredis'
import { StoreUnavailableError } from '../../accounts/errors.ts'

export type RedisClient = Redis | Cluster

type Node = Readonly<{ host: string; port: number }>
export type RedisOptions = Readonly<
  (
    | {
        /** redis:// or rediss://, with user, password and database where needed. */
        url: string
      }
    | {
        sentinels: readonly Node[]
        /** What the Sentinels call the group of servers. */
        name: string
        sentinelUsername?: string
        sentinelPassword?: string
      }
    | {
        /** Some of the cluster's nodes: they name the others. */
        cluster: readonly Node[]
      }
  ) & {
    /** Speaks TLS, to the Sentinels too; an empty object trusts what Node trusts. */
    tls?: ConnectionOptions
    /** An ACL user; it needs `ACL_RULES`. */
    username?: string
    password?: string
    /** No command waits longer for its reply. */
    commandTimeoutMs?: number
  }
>

export type RedisConnection = Readonly<{
  client: RedisClient
  /** As far as the sockets tell; a server that hangs is found out by `ping`. */
  isReady(): boolean
  /** Asks the server, of a Cluster every primary. @throws StoreUnavailableError within a second
   * where one does not answer */
  ping(): Promise<void>
  /** Calls at every connection made from now on, and at once where one stands: at start, after an
   * outage, and when a cluster's nodes have changed. */
  onReady(listener: () => void): void
  /** Calls with each failed attempt to connect and each broken connection. */
  onError(listener: (error: Error) => void): void
  /** Lets commands under way finish where the server answers. */
  close(): Promise<void>
}>

/** What the product asks of Redis and no more, as the rules of `ACL SETUSER` (without the password). */
export const ACL_RULES = [
  'resetkeys',
  '~kenpo:*',
  'resetchannels',
  '-@all',
  // The stores, scripts included.
  ...['get', 'set', 'del', 'exists', 'getdel', 'incrby', 'expire'],
  ...['ttl', 'pttl', 'pexpiretime', 'multi', 'exec', 'eval', 'evalsha'],
  // Readiness, and whether what is acknowledged lasts.
  ...['ping', 'info', 'config|get'],
  // On a Cluster.
  ...['mget', 'cluster|slots', 'cluster|info', 'client|setname'],
].map((rule) => (/^[a-z|]+$/.test(rule) && !rule.startsWith('reset') ? `+${rule}` : rule))

/** Unless told otherwise. */
const COMMAND_TIMEOUT_MS = 500
/** A socket silent for so long under a command is given up and connected anew. */
const SOCKET_TIMEOUT_MS = 2000
const MAX_RETRY_DELAY_MS = 1000

const retryDelay = (attempts: number): number => Math.min(attempts * 50, MAX_RETRY_DELAY_MS)

/**
 * Fail fast (security.md S10). A command that was under way when its connection broke is not sent
 * again: its caller was told that it failed, and the member may have moved on by then.
 */
const FAIL_FAST = {
  connectTimeout: SOCKET_TIMEOUT_MS,
  socketTimeout: SOCKET_TIMEOUT_MS,
  maxRetriesPerRequest: 1,
  autoResendUnfulfilledCommands: false,
  // A failover behind a fixed address leaves us with the old primary.
  reconnectOnError: (error) => error.message.startsWith('READONLY'),
} satisfies CommonRedisOptions

const open = (options: RedisOptions): RedisClient => {
  const { tls, username, password, commandTimeoutMs = COMMAND_TIMEOUT_MS } = options
  const settings = {
    ...FAIL_FAST,
    commandTimeout: commandTimeoutMs,
    ...(tls && { tls }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  }
  if ('cluster' in options) {
    return new Cluster([...options.cluster], {
      enableOfflineQueue: false,
      // In all less than a command's time, so that no retry outlives its caller's patience.
      retryDelayOnFailover: 100,
      retryDelayOnClusterDown: 100,
      maxRedirections: 5,
      clusterRetryStrategy: retryDelay,
      redisOptions: settings,
      // A certificate names hosts: what the cluster announces is not to be made an address first.
      ...(tls && { dnsLookup: (host, found) => found(null, host) }),
    })
  }
  const single = { ...settings, enableOfflineQueue: false, retryStrategy: retryDelay }
  if ('url' in options) return new Redis(options.url, single)
  const { sentinels, name, sentinelUsername, sentinelPassword } = options
  return new Redis({
    ...single,
    sentinels: [...sentinels],
    name,
    sentinelRetryStrategy: retryDelay,
    sentinelCommandTimeout: commandTimeoutMs,
    ...(tls && { enableTLSForSentinelMode: true, sentinelTLS: tls }),
    ...(sentinelUsername !== undefined && { sentinelUsername }),
    ...(sentinelPassword !== undefined && { sentinelPassword }),
  })
}

/**
 * Connects to Redis 7 or Valkey: one server, a group under Sentinels, or a Cluster. Returns at
 * once; it goes on trying for ever, and until it is connected every command fails at once.
 */
export const createRedis = (options: RedisOptions): RedisConnection => {
  const client = open(options)
  const isReady = () => client.status === 'ready'
  // Without a listener ioredis writes to the console.
  client.on('error', () => undefined)
  return {
    client,
    isReady,
    ping: async () => {
      const nodes = client instanceof Cluster ? client.nodes('master') : [client]
      if (nodes.length === 0) throw new StoreUnavailableError('redis: no node is known yet')
      await Promise.all(nodes.map((node) => reach(() => node.ping())))
    },
    onReady: (listener) => {
      client.on('ready', listener)
      client.on('+node', () => isReady() && listener())
      if (isReady()) listener()
    },
    onError: (listener) => {
      client.on('error', listener)
    },
    close: async () => {
      await client.quit().catch(() => undefined)
      // Ends what goes on trying where there was no server to say goodbye to.
      client.disconnect()
    },
  }
}

/** Replies that find fault with what we sent; every other one is about the server's own state
 * (READONLY, LOADING, CLUSTERDOWN, OOM, MISCONF, NOAUTH …). */
const OUR_FAULT = /^(ERR|WRONGTYPE|CROSSSLOT)\b/

/**
 * Makes a call to Redis and to nothing else.
 * @throws StoreUnavailableError when it cannot be served now. ioredis' own errors carry the
 * command's arguments, so they are not kept as its cause.
 */
export const reach = async <T>(call: () => Promise<T>): Promise<T> => {
  try {
    return await call()
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error
    if (error instanceof ReplyError && OUR_FAULT.test(error.message)) throw error
    throw new StoreUnavailableError(`redis: ${error.message}`)
  }
}

/** A Lua script as a function of its keys and arguments, before them how many keys there are where
 * that is not always the same; its text is sent once per connection. */
export const defineScript = (
  redis: RedisClient,
  name: string,
  numberOfKeys: number | undefined,
  lua: string,
): ((...keysAndArguments: readonly (string | number)[]) => Promise<unknown>) => {
  redis.defineCommand(name, { lua, ...(numberOfKeys !== undefined && { numberOfKeys }) })
  // ioredis has just added the method, which its types cannot know.
  const methods = redis as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>
  return (...keysAndArguments) => reach(async () => methods[name]?.(...keysAndArguments))
}

/** A line of INFO. */
const fieldOf = (info: string, name: string): string | undefined =>
  info
    .split('\r\n')
    .find((line) => line.startsWith(`${name}:`))
    ?.slice(name.length + 1)

/** A managed service may not let CONFIG be read: then its own promise has to do. */
const appendFsync = async (node: Redis): Promise<string | undefined> => {
  try {
    const reply = await node.config('GET', 'appendfsync')
    return Array.isArray(reply) ? String(reply[1]) : undefined
  } catch (error) {
    if (error instanceof ReplyError) return undefined
    throw error
  }
}

const problemsOf = async (node: Redis): Promise<readonly string[]> => {
  const [persistence, memory, fsync] = await Promise.all([
    node.info('persistence'),
    node.info('memory'),
    appendFsync(node),
  ])
  const policy = fieldOf(memory, 'maxmemory_policy')
  const { remoteAddress, remotePort } = node.stream
  const at = `Redis at ${remoteAddress}:${remotePort}`
  return [
    ...(fieldOf(persistence, 'aof_enabled') === '1'
      ? []
      : [
          `${at}: "appendonly" is not yes, so a crash brings used codes and tokens back to life; ` +
            'set "appendonly yes" and "appendfsync everysec".',
        ]),
    ...(fsync === 'no'
      ? [
          `${at}: "appendfsync" is no, so a power cut may lose half a minute of used codes; ` +
            'set "appendfsync everysec".',
        ]
      : []),
    ...(policy === 'noeviction'
      ? []
      : [
          `${at}: "maxmemory-policy" is ${policy}, so a full server forgets used codes and ` +
            'revoked tokens; set "maxmemory-policy noeviction".',
        ]),
  ]
}

/**
 * Why what Redis has acknowledged may not last (security.md S11, F6): a sentence each, naming the
 * server, its setting and the fix; empty where all is well. Asks every node of a Cluster, and of a
 * group under Sentinels the present primary. @throws StoreUnavailableError
 */
export const checkDurability = (redis: RedisClient): Promise<readonly string[]> =>
  reach(async () => {
    const nodes = redis instanceof Cluster ? redis.nodes('all') : [redis]
    return (await Promise.all(nodes.map(problemsOf))).flat()
  })

/**
 * Checks whenever Redis is connected, and reports each result, the good ones too. A check that Redis
 * does not answer is made again at the next connection.
 */
export const watchDurability = (
  { client, onReady }: RedisConnection,
  report: (problems: readonly string[]) => void,
): void => {
  onReady(() => {
    checkDurability(client).then(report, (error: unknown) => {
      if (!(error instanceof StoreUnavailableError)) throw error
    })
  })
}
