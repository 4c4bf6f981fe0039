// Where the tests' MongoDB server comes from, in this order: MONGO_TEST_URL; a mongod on the PATH;
// one that mongodb-memory-server downloads; the stand-in of mongo-standin/, built here once.
//
// The stand-in speaks MongoDB's protocol and keeps its rules for unique, multikey and partial
// indexes, compare-and-set and TTL. It is one server without a replica set, authentication, TLS,
// transactions, change streams, collations, pipeline updates or validators, so no test on it may
// claim any of these: they are in test/mongodb/. Its data is gone when it ends.
//
// `node test/support/mongo-server.js` starts a server in memory or in a folder of its own, prints
// one line of JSON ({ url, pid, name }) and ends it when its standard input ends.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const source = join(here, 'mongo-standin')
/** Left alone by git and by a new build of ours. */
const cache = join(dirname(dirname(here)), 'node_modules/.cache/kenpo-id')

const OLDEST_MONGOD = 5
const OLDEST_JDK = 17
const DOWNLOAD_MS = 30_000
/** A download that failed is not tried again before this long has passed. */
const RETRY_DOWNLOAD_MS = 24 * 60 * 60_000
const START_MS = 30_000
const HOST = '127.0.0.1'

/** What to install where no server can be had. */
export const STANDIN_PACKAGES = ['default-jdk-headless', 'maven']
export const MONGO_ADVICE =
  `a MongoDB server: MONGO_TEST_URL=mongodb://…, or a mongod ${OLDEST_MONGOD} or later on the PATH, ` +
  `or for the stand-in JDK ${OLDEST_JDK} or later and Maven (Debian: ${STANDIN_PACKAGES.join(' ')})`

const output = (command, args, options = {}) => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', ...options })
  return status === 0 ? `${stdout}${stderr}`.trim() : undefined
}

// --- mongod

const versionOf = (mongod) => /db version v(\S+)/.exec(output(mongod, ['--version']) ?? '')?.[1]

const mongodOn = (path) => {
  const version = path && versionOf(path)
  if (!version || Number.parseInt(version, 10) < OLDEST_MONGOD) return undefined
  return { kind: 'mongod', command: path, name: `mongod ${version} (${path})` }
}

/** In a process of its own, so that it can be given up. */
const download = () => {
  const failed = join(cache, 'mongod-download-failed')
  if (existsSync(failed) && Date.now() - statSync(failed).mtimeMs < RETRY_DOWNLOAD_MS) {
    return undefined
  }
  mkdirSync(cache, { recursive: true })
  const script = `
    import memoryServer from 'mongodb-memory-server-core'
    console.log(await memoryServer.MongoBinary.getPath({
      downloadDir: ${JSON.stringify(join(cache, 'mongod'))},
    }))`
  const printed = output(process.execPath, ['--input-type=module', '-e', script], {
    cwd: here,
    stdio: ['ignore', 'pipe', 'ignore'],
    timeout: DOWNLOAD_MS,
  })
  if (printed === undefined) writeFileSync(failed, '')
  else rmSync(failed, { force: true })
  return printed?.replace(/null$/, '').split('\n').at(-1)
}

// --- The stand-in

const standinFolder = () => {
  const sources = ['pom.xml', 'MongoStandin.java'].map((name) => readFileSync(join(source, name)))
  const digest = createHash('sha256').update(sources[0]).update(sources[1]).digest('hex')
  return join(cache, `mongo-standin-${digest.slice(0, 12)}`)
}

const hasJava = (command) =>
  Number(/(\d+)/.exec(output(command, ['-version']) ?? '')?.[1]) >= OLDEST_JDK

/** Built beside its place and moved there whole: two test files may build it at once. */
const buildStandin = (folder) => {
  if (!hasJava('javac') || output('mvn', ['-version']) === undefined) return false
  mkdirSync(cache, { recursive: true })
  const building = mkdtempSync(`${folder}-`)
  for (const name of ['pom.xml', 'MongoStandin.java']) {
    copyFileSync(join(source, name), join(building, name))
  }
  const run = (command, ...args) =>
    spawnSync(command, args, { cwd: building, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  const built =
    run(
      'mvn',
      '-q',
      '-B',
      'dependency:copy-dependencies',
      '-DoutputDirectory=lib',
      '-DincludeScope=runtime',
    ) && run('javac', '-cp', 'lib/*', '-d', 'out', 'MongoStandin.java')
  if (built && !existsSync(folder)) {
    try {
      renameSync(building, folder)
      return true
    } catch (error) {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    }
  }
  rmSync(building, { recursive: true })
  return built
}

const findStandin = () => {
  const folder = standinFolder()
  if (!existsSync(folder) && !buildStandin(folder)) return undefined
  if (!hasJava('java')) return undefined
  const library = /mongo-java-server<\/artifactId>\s*<version>([^<]+)/.exec(
    readFileSync(join(source, 'pom.xml'), 'utf8'),
  )?.[1]
  return {
    kind: 'standin',
    folder,
    name: `the stand-in, mongo-java-server ${library} (a standalone server in memory; no mongod here)`,
  }
}

// --- A server that was given

/** What the server at this URL calls itself, without the URL's secrets. @throws where none answers */
export const nameOfServerAt = async (url) => {
  const { MongoClient } = (await import('mongoose')).default.mongo
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 })
  try {
    const admin = client.db('admin')
    const { version } = await admin.command({ buildInfo: 1 })
    const { setName } = await admin.command({ isMaster: 1 })
    const kind = setName ? `replica set ${setName}` : 'a single server'
    return `${version}, ${kind} (MONGO_TEST_URL)`
  } catch (error) {
    throw new Error(`nothing answers at MONGO_TEST_URL: ${error.name}`)
  } finally {
    await client.close()
  }
}

// --- Either

/** What a server can be started with, building or downloading what that takes; undefined: nothing. */
export const findMongo = () =>
  mongodOn(output('which', ['mongod'])?.split('\n')[0]) ?? mongodOn(download()) ?? findStandin()

const freePort = async () => {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

const commandOf = (found, port, folder) =>
  found.kind === 'mongod'
    ? [
        found.command,
        ...['--dbpath', folder, '--port', `${port}`, '--bind_ip', HOST, '--nounixsocket'],
      ]
    : [
        'java',
        ...['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'],
        ...['-cp', `${join(found.folder, 'out')}:${join(found.folder, 'lib')}/*`],
        // One worker thread: with more, findAndModify answers with another writer's values.
        ...['MongoStandin', `${port}`, '-', '1'],
      ]

const accepts = async (port) => {
  const socket = connect(port, HOST)
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return connected
}

/** Starts what `findMongo` has found, in a folder of its own. */
export const startMongoServer = async (found) => {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-mongo-'))
  const [command, ...args] = commandOf(found, port, folder)
  const log = join(folder, 'log')
  const logFile = openSync(log, 'w')
  const child = spawn(command, args, { stdio: ['ignore', logFile, logFile] })
  closeSync(logFile)
  const gone = () => child.exitCode !== null || child.signalCode !== null
  const endNow = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  }
  process.once('exit', endNow)
  for (let waited = 0; !(await accepts(port)); waited += 20) {
    if (gone() || waited > START_MS) {
      const said = readFileSync(log, 'utf8')
      endNow()
      throw new Error(`${found.name} does not start: ${said}`)
    }
    await sleep(20)
  }
  return {
    url: `mongodb://${HOST}:${port}`,
    pid: child.pid,
    name: found.name,
    stop: async () => {
      const exited = once(child, 'exit')
      process.off('exit', endNow)
      endNow()
      if (!gone()) await exited
    },
  }
}

const main = async () => {
  const found = findMongo()
  if (!found) {
    console.error(`missing: ${MONGO_ADVICE}`)
    process.exit(1)
  }
  const { url, pid, name, stop } = await startMongoServer(found)
  console.log(JSON.stringify({ url, pid, name }))
  process.stdin.resume()
  await once(process.stdin, 'end')
  await stop()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
