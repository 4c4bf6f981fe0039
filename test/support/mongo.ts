import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { mongo } from 'mongoose'
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts'

/** A server of one test file's own, which may be made to hang. */
export interface MongoServer {
  /** Without a database. */
  readonly url: string
  /** It takes connections and answers nothing, until `wake`. */
  hang(): Promise<void>
  wake(): Promise<void>
  stop(): Promise<void>
}

/** An empty database on the server that this run of the tests has. */
export interface MongoDatabase {
  readonly url: string
  readonly name: string
  /** Deletes every document, but those that tell the schema's version. */
  empty(): Promise<void>
  /** Deletes it. */
  drop(): Promise<void>
}

/** A server that is not ours to stop. */
const given = process.env.MONGO_TEST_URL
/** One that `npm test` has started for all test files, or the same one. */
const running = process.env.MONGO_RUN_URL ?? given

/** A connection string's parts: the URL of the web has one host only. */
const partsOf = (url: string) => {
  const [, scheme = '', user = '', hosts = '', name = '', query = ''] =
    /^(mongodb(?:\+srv)?:\/\/)([^@/]*@)?([^/?]+)\/?([^?]*)\??(.*)$/.exec(url) ?? []
  return { scheme, user, hosts, name, query: new URLSearchParams(query) }
}
const urlOf = ({ scheme, user, hosts, name, query }: ReturnType<typeof partsOf>): string =>
  `${scheme}${user}${hosts}/${name}?${query}`

/** The same server behind another address, spoken to alone, whatever set it belongs to. */
const urlAt = (url: string, address: string): string => {
  const parts = partsOf(url)
  parts.query.delete('replicaSet')
  parts.query.set('directConnection', 'true')
  // The certificate is the server's, not the proxy's.
  if (parts.query.get('tls') === 'true') parts.query.set('tlsAllowInvalidHostnames', 'true')
  return urlOf({ ...parts, scheme: 'mongodb://', hosts: address })
}

const withDatabase = (url: string, name: string): string => {
  const parts = partsOf(url)
  // The user is the server's, or that of the database named first.
  if (parts.user !== '' && !parts.query.has('authSource')) {
    parts.query.set('authSource', parts.name || 'admin')
  }
  return urlOf({ ...parts, name })
}

/** Does something on the server at this URL by the bare driver. */
export const onServer = async <T>(url: string, act: (db: mongo.Db) => Promise<T>): Promise<T> => {
  const client = new mongo.MongoClient(url)
  try {
    return await act(client.db())
  } finally {
    await client.close()
  }
}

const startProcess = async (): Promise<Readonly<{ url: string; pid: number; stop(): void }>> => {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL('./mongo-server.js', import.meta.url))],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  for await (const line of createInterface({ input: child.stdout })) {
    // The one line that mongo-server.js prints.
    const { url, pid } = JSON.parse(line) as { url: string; pid: number }
    // It ends with us, and does not keep us from ending.
    child.unref()
    for (const stream of [child.stdin, child.stdout]) (stream as Socket).unref()
    return { url, pid, stop: () => child.stdin.end() }
  }
  throw new Error('no MongoDB server: see above')
}

/** The address of the server that takes writes. */
const addressOf = async (url: string) => {
  const { primary } = await onServer(url, (db) => db.command({ isMaster: 1 }))
  const { hostname, port } = new URL(`tcp://${primary ?? partsOf(url).hosts}`)
  return { host: hostname, port: Number(port) || 27017 }
}

const proxied = async (url: string) => {
  const proxy = await startFaultProxy(await addressOf(url))
  return { url: urlAt(url, `${proxy.host}:${proxy.port}`), proxy }
}

/** Starts a server of the test's own; where a URL was given, a proxy before that server. */
export const startMongo = async (): Promise<MongoServer> => {
  if (given !== undefined) {
    const { url, proxy } = await proxied(given)
    return {
      url,
      hang: () => proxy.set('blackhole'),
      wake: () => proxy.set('ok'),
      stop: proxy.stop,
    }
  }
  const { url, pid, stop } = await startProcess()
  const signal = async (name: 'SIGSTOP' | 'SIGCONT') => void process.kill(pid, name)
  return {
    url,
    hang: () => signal('SIGSTOP'),
    wake: () => signal('SIGCONT'),
    stop: async () => {
      await signal('SIGCONT')
      stop()
    },
  }
}

let shared: Promise<string> | undefined
/** A test file run without `npm test` starts one of its own, which ends with it. */
const sharedUrl = (): Promise<string> => {
  shared ??=
    running === undefined ? startProcess().then(({ url }) => url) : Promise.resolve(running)
  return shared
}

/** A database that nobody else uses, not made yet. */
export const aMongoDatabase = async (server?: MongoServer): Promise<MongoDatabase> => {
  const name = `kenpo-test-${randomBytes(6).toString('hex')}`
  const url = withDatabase(server?.url ?? (await sharedUrl()), name)
  const drop = async () => void (await onServer(url, (db) => db.dropDatabase()))
  const empty = () =>
    onServer(url, async (db) => {
      for (const { collectionName } of await db.collections()) {
        if (collectionName !== 'migrations') await db.collection(collectionName).deleteMany({})
      }
    })
  return { url, name, empty, drop }
}

/** A way to the database through a proxy that can fail. */
export const throughProxy = (
  database: MongoDatabase,
): Promise<Readonly<{ url: string; proxy: FaultProxy }>> => proxied(database.url)
