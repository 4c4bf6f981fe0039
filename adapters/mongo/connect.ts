import { setTimeout as sleep } from 'node:timers/promises'
import type { ConnectionOptions } from 'node:tls'
import mongoose, { type Connection } from 'mongoose'
import { StoreUnavailableError } from '../../accounts/errors.ts'

export type MongoOptions = Readonly<{
  /** mongodb:// or mongodb+srv://, with the database's name (`kenpo` where there is none), a
   * replica set's hosts and its name, and any other of the driver's own parameters. */
  url: string
  /** Where they are not in the URL. */
  username?: string
  password?: string
  /** Speaks TLS; an empty object trusts what Node trusts. */
  tls?: Readonly<Pick<ConnectionOptions, 'ca' | 'cert' | 'key' | 'passphrase'>>
  /** Connections to each server of the set at most, 20 where nothing else is said, here or by the
   * URL's `maxPoolSize`; an operation waits for a free one. */
  poolSize?: number
  /** No operation takes longer, retries and waiting included; 2000. */
  operationTimeoutMs?: number
  /** A server to write to is waited for no longer, an election may take longer than that; 1000, or
   * what the URL says. */
  serverSelectionTimeoutMs?: number
}>

/** How the stores reach their server. */
export type MongoConnection = Readonly<{
  /** Models are made on it; until it is first connected their operations fail at once. */
  connection: Connection
  /** As far as the sockets tell; a server that hangs is found out by `ping`. */
  isReady(): boolean
  /**
   * Makes a call to MongoDB and to nothing else, and answers within `operationTimeoutMs`.
   * @throws StoreUnavailableError when it cannot be served now: a write may have been made all the
   * same. DuplicateKeyError where a unique index refused; RefusedDocumentError where the schema
   * did. The driver's own errors carry documents, so they are not kept as a cause.
   */
  reach<T>(call: () => Promise<T>): Promise<T>
  /** @throws StoreUnavailableError where no server answers that takes writes, within a second */
  ping(): Promise<void>
  /** Calls at every connection made from now on, and at once where one stands. */
  onReady(listener: () => void): void
  /** Calls with each failed attempt to connect and each heartbeat that failed; the message names
   * hosts and reasons, no password. */
  onError(listener: (error: Error) => void): void
  close(): Promise<void>
}>

/** A unique index refused the write (code 11000); which one is its caller's to find out. */
export class DuplicateKeyError extends Error {}

/** A document or a filter that is not as its schema says: a fault of ours, named by its paths. */
export class RefusedDocumentError extends TypeError {}

const DEFAULTS = { poolSize: 20, operationTimeoutMs: 2000, serverSelectionTimeoutMs: 1000 }
const CONNECT_TIMEOUT_MS = 2000
const PING_TIMEOUT_MS = 900
/** A server that is back is seen this soon. */
const HEARTBEAT_MS = 2000
const RETRY_MS = 500

/** Mongoose as we use it: nothing is made, kept back, loosened or interpreted behind our back. */
const strictMongoose = () =>
  new mongoose.Mongoose({
    strict: 'throw',
    strictQuery: 'throw',
    sanitizeFilter: true,
    autoIndex: false,
    autoCreate: false,
    bufferCommands: false,
  })

const DUPLICATE_KEY = 11000
/** Errors of the server that find fault with what we sent; all others are about its own state. */
const OUR_FAULT: ReadonlySet<unknown> = new Set([
  2, 9, 14, 28, 40, 52, 56, 57, 59, 66, 67, 72, 85, 86, 10334, 17280,
])

const { CastError, StrictModeError, ValidationError } = mongoose.Error
const { MongoServerError } = mongoose.mongo

const refused = (error: unknown): RefusedDocumentError | undefined => {
  const paths = () => {
    if (error instanceof ValidationError) return Object.keys(error.errors).join(', ')
    if (error instanceof StrictModeError || error instanceof CastError) return error.path
    return undefined
  }
  const named = paths()
  return named === undefined
    ? undefined
    : new RefusedDocumentError(`mongo: not as the schema says: ${named}`)
}

/** What `reach` throws for what mongoose or the driver threw. */
export const translated = (error: unknown): unknown => {
  const refusal = refused(error)
  if (refusal) return refusal
  if (error instanceof MongoServerError) {
    if (error.code === DUPLICATE_KEY) return new DuplicateKeyError('mongo: duplicate key')
    const name = `${error.codeName ?? 'error'} (${error.code})`
    if (OUR_FAULT.has(error.code)) return new TypeError(`mongo: refused: ${name}`)
    return new StoreUnavailableError(`mongo: ${name}`)
  }
  if (error instanceof mongoose.mongo.MongoError) {
    // Of these the client or the network is the author: they name hosts, no documents.
    return new StoreUnavailableError(`mongo: ${error.message}`)
  }
  // The driver lets some errors of a socket through as they are.
  if (typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error) {
    return new StoreUnavailableError(`mongo: ${error.code}`)
  }
  return error
}

const within = async <T>(ms: number, call: () => Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = () => new StoreUnavailableError(`mongo: no answer within ${ms} ms`)
    timer = setTimeout(() => reject(error()), ms)
  })
  try {
    return await Promise.race([call(), late])
  } catch (error) {
    throw translated(error)
  } finally {
    clearTimeout(timer)
  }
}

/** The URL's own parameters come before our defaults, but never before what a write's word rests on. */
const parametersIn = (url: string): ReadonlySet<string> =>
  new Set([...new URLSearchParams(url.split('?')[1]).keys()].map((name) => name.toLowerCase()))

const defaultsFor = (url: string, operationTimeoutMs: number) => {
  const given = parametersIn(url)
  const defaults = {
    appName: 'kenpo-id',
    maxPoolSize: DEFAULTS.poolSize,
    waitQueueTimeoutMS: operationTimeoutMs,
    serverSelectionTimeoutMS: DEFAULTS.serverSelectionTimeoutMs,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    socketTimeoutMS: operationTimeoutMs,
    heartbeatFrequencyMS: HEARTBEAT_MS,
  }
  return Object.fromEntries(
    Object.entries(defaults).filter(([name]) => !given.has(name.toLowerCase())),
  )
}

const hasDatabase = (url: string): boolean => /^mongodb(\+srv)?:\/\/[^/?]+\/[^?]/.test(url)

/**
 * Connects to MongoDB, 5.0 or later: a replica set in production, a single server in development
 * and tests. Returns at once; it goes on trying for ever, and until it is first connected every
 * operation fails at once.
 *
 * Writes are acknowledged by a majority, from its journal. Reads are the primary's.
 * @throws where the URL or a file it names cannot be read
 */
export const createMongo = (options: MongoOptions): MongoConnection => {
  const { url, username, password, tls, poolSize, serverSelectionTimeoutMs } = options
  const { operationTimeoutMs = DEFAULTS.operationTimeoutMs } = options
  const client = new mongoose.mongo.MongoClient(url, {
    ...defaultsFor(url, operationTimeoutMs),
    ...(!hasDatabase(url) && { dbName: 'kenpo' }),
    ...(username !== undefined && { auth: { username, ...(password && { password }) } }),
    ...(tls && { tls: true, ...tls }),
    ...(poolSize !== undefined && { maxPoolSize: poolSize }),
    ...(serverSelectionTimeoutMs !== undefined && {
      serverSelectionTimeoutMS: serverSelectionTimeoutMs,
    }),
    writeConcern: { w: 'majority', journal: true, wtimeoutMS: operationTimeoutMs },
    // Once more: the URL's own would undo it.
    journal: true,
    readPreference: 'primary',
    ignoreUndefined: true,
  })
  const connection = strictMongoose().createConnection()
  const stopping = new AbortController()
  const errorListeners: ((error: Error) => void)[] = []
  const report = (error: Error) => {
    for (const listener of errorListeners) listener(error)
  }
  client.on('serverHeartbeatFailed', ({ failure }) => report(failure))

  const connect = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        await client.connect()
        connection.setClient(client)
        return
      } catch (error) {
        // What the driver throws is an Error.
        report(error as Error)
        await sleep(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
      }
    }
  }
  const connecting = connect()

  const isReady = () => connection.readyState === mongoose.ConnectionStates.connected
  const reach = async <T>(call: () => Promise<T>): Promise<T> => {
    if (!connection.db) throw new StoreUnavailableError('mongo: not connected yet')
    return within(operationTimeoutMs, call)
  }

  return {
    connection,
    isReady,
    reach,
    ping: async () => {
      const { db } = connection
      if (!db) throw new StoreUnavailableError('mongo: not connected yet')
      await within(PING_TIMEOUT_MS, () => db.command({ ping: 1 }))
    },
    onReady: (listener) => {
      connection.on('connected', listener)
      if (isReady()) listener()
    },
    onError: (listener) => {
      errorListeners.push(listener)
    },
    close: async () => {
      stopping.abort()
      await client.close()
      await connecting
      // It may have connected all the same while it was closing.
      await client.close()
    },
  }
}
