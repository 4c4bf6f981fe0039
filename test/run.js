// The test command: `npm test`. Finds or installs what the tests need beside npm packages, runs
// the unit, contract and flow tests under this Node, what needs a browser or processes that die under
// the Node of production (24), there the unit, contract and flow tests again as in production (two
// instances on Redis and MongoDB), and ends with one line of totals.
// `npm test -- <path>` runs only the tests under that path, once.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import {
  findMongo,
  MONGO_ADVICE,
  nameOfServerAt,
  STANDIN_PACKAGES,
  startMongoServer,
} from './support/mongo-server.js'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const jest = join(root, 'node_modules/jest/bin/jest.js')
/** Test files are Node's own modules. */
const register = pathToFileURL(join(root, 'test/support/jest/register.js')).href
const RUN_TIMEOUT_MS = 40 * 60_000
const PRODUCTION_NODE = 24

const say = (line) => console.log(`[test] ${line}`)
const giveUp = (lines) => {
  for (const line of lines) say(line)
  console.log('0 passed, 1 failed')
  process.exit(1)
}

/** What a command prints, or undefined where it is missing or fails. */
const output = (command, args, options = {}) => {
  const { status, stdout } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    ...options,
  })
  return status === 0 ? stdout.trim() : undefined
}

// --- Chromium and a Japanese font

const CHROMIUM_PLACES = [
  process.env.CHROMIUM_PATH,
  'chromium',
  'chromium-browser',
  'google-chrome',
  'google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** The first browser that starts: Ubuntu's chromium-browser may be an empty shell around snap. */
const findChromium = () => {
  for (const place of CHROMIUM_PLACES) {
    if (!place) continue
    const path = place.includes('/') ? place : output('which', [place])
    const version = path && existsSync(path) ? output(path, ['--version']) : undefined
    if (version) return { path, version }
  }
  return undefined
}

/** Without one, Japanese pages are rows of empty boxes. Only Linux may lack it. */
const findJapaneseFont = () =>
  process.platform === 'linux'
    ? output('fc-list', [':lang=ja', 'family'])?.split('\n').sort()[0] || undefined
    : 'the system’s own'

// --- Redis

const OLDEST_REDIS = 7

/** The version of the redis-server on the PATH that the tests start; its redis-cli makes clusters. */
const findRedis = () => {
  const version = /v=(\d+)\.\S+/.exec(output('redis-server', ['--version']) ?? '')
  if (!version || Number(version[1]) < OLDEST_REDIS) return undefined
  return output('redis-cli', ['--version']) && version[0].slice('v='.length)
}

// --- MongoDB

/** Undefined: a server was given. Otherwise what one can be started with, or null for nothing. */
const mongoToStart = () => (process.env.MONGO_TEST_URL ? undefined : (findMongo() ?? null))

/** The URL of the server for this run, which ends with it, and what to call it. */
const serveMongo = async (found) => {
  const given = process.env.MONGO_TEST_URL
  try {
    if (given) return { url: given, name: await nameOfServerAt(given) }
    return await startMongoServer(found)
  } catch (error) {
    return giveUp([`MongoDB: ${error.message}`, MONGO_ADVICE])
  }
}

// --- What Debian has of these

const missingPackages = () => [
  ...(findChromium() ? [] : ['chromium']),
  ...(findJapaneseFont() ? [] : ['fontconfig', 'fonts-noto-cjk']),
  ...(findRedis() ? [] : ['redis-server']),
  ...(mongoToStart() === null ? STANDIN_PACKAGES : []),
]

const installPackages = (packages) => {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args) => {
    say(`apt-get ${args.join(' ')}`)
    return spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0
  }
  const install = () =>
    apt('update') && apt('install', '-y', '--no-install-recommends', ...packages)
  if (!install()) {
    say('that failed; once more')
    install()
  }
}

const provision = () => {
  const packages = missingPackages()
  if (packages.length > 0) {
    say(`the tests need what is not here: ${packages.join(', ')}`)
    if (process.getuid?.() === 0 && output('which', ['apt-get'])) installPackages(packages)
  }
  const chromium = findChromium()
  const font = findJapaneseFont()
  const redis = findRedis()
  const mongo = mongoToStart()
  if (!chromium || !font || !redis || mongo === null) {
    const missing = [
      ...(chromium ? [] : ['Chromium']),
      ...(font ? [] : ['a Japanese font']),
      ...(redis ? [] : [`redis-server and redis-cli ${OLDEST_REDIS} or later, on the PATH`]),
      ...(mongo === null ? [MONGO_ADVICE] : []),
    ]
    giveUp([
      `missing: ${missing.join(' and ')}`,
      'on Debian or Ubuntu, as root: apt-get update && apt-get install -y chromium fontconfig fonts-noto-cjk redis-server default-jdk-headless maven',
      'a Chromium or Chrome elsewhere: CHROMIUM_PATH=/path/to/it npm test',
    ])
  }
  say(`Chromium: ${chromium.version} (${chromium.path})`)
  say(`Japanese font: ${font}`)
  say(`Redis: redis-server ${redis}`)
  return { chromium, mongo }
}

// --- Node 24

/**
 * A Node 24 from npm. The platform's own package comes first because it has no install script,
 * which npm may be told not to run; the `node` package fetches the same one by such a script.
 */
const findProductionNode = () => {
  const major = (version) => Number(/^v(\d+)\./.exec(version ?? '')?.[1])
  for (const name of [`node-${process.platform}-${process.arch}`, 'node']) {
    const spec = `${name}@${PRODUCTION_NODE}`
    say(`getting Node ${PRODUCTION_NODE}: npx -y -p ${spec}`)
    const path = output('npx', ['-y', '-p', spec, 'node', '-p', 'process.execPath'])
    const version = path && output(path, ['--version'])
    if (major(version) === PRODUCTION_NODE) return { path, version }
  }
  return undefined
}

// --- Runs

/** What is shown under the Node of production alone: pages in a browser, and what starts or kills
 * processes of the product. */
const AS_DEPLOYED = '/test/(browser|conformance|crash|deploy|faults|server)/'
/** What this Node alone shows: commands, documents, and what has stores of its own. */
const HERE = '/test/(adapters/(mongo|redis|move|fault-proxy)|cli|docs|management|style|views)'

/** Room for what the tests write, in memory where there is some: they wait for a slow disk on every
 * commit otherwise. A `kill -9` takes nothing from either. */
const ROOM_BYTES = 4 * 2 ** 30
const makeRoom = () => {
  const memory = '/dev/shm'
  const stats = existsSync(memory) ? statfsSync(memory) : undefined
  const inMemory = stats !== undefined && stats.bavail * stats.bsize >= ROOM_BYTES
  return mkdtempSync(join(inMemory ? memory : tmpdir(), 'kenpo-id-tests-'))
}

/** Runs jest in its own process; what it counted, with everything that is not a pass a failure. */
const run = ({ path, version }, args, env) => {
  say(`Node ${version} (${path})`)
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-test-'))
  const outputFile = join(folder, 'results.json')
  const { status } = spawnSync(
    path,
    [
      '--import',
      register,
      '--disable-warning=ExperimentalWarning',
      // MB: less of the time goes into clearing up after short-lived objects.
      '--max-semi-space-size=32',
      jest,
      '--maxWorkers=2',
      '--json',
      `--outputFile=${outputFile}`,
      ...args,
    ],
    { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'], timeout: RUN_TIMEOUT_MS },
  )
  const results = existsSync(outputFile) ? JSON.parse(readFileSync(outputFile, 'utf8')) : undefined
  rmSync(folder, { recursive: true })
  const passed = results?.numPassedTests ?? 0
  const skipped = (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0)
  const counted =
    (results?.numFailedTests ?? 0) + (results?.numRuntimeErrorTestSuites ?? 0) + skipped
  const failed = status === 0 && passed > 0 ? counted : Math.max(counted, 1)
  if (!results) say('jest ended without results (a crash, or out of time)')
  else if (results.numTotalTests === 0) say('no test was found: that is a failure')
  if (skipped > 0) say(`${skipped} skipped or todo: each counts as a failure`)
  say(`Node ${version}: ${passed} passed, ${failed} failed`)
  return { passed, failed }
}

const paths = process.argv.slice(2)
const { chromium, mongo } = provision()
const mongoServer = await serveMongo(mongo)
say(`MongoDB: ${mongoServer.name}`)
const room = makeRoom()
say(`what the tests write: ${room}`)
const env = {
  ...process.env,
  TMPDIR: room,
  CHROMIUM_PATH: chromium.path,
  MONGO_RUN_URL: mongoServer.url,
}
const thisNode = { path: process.execPath, version: process.version }

const isOlder = Number(process.versions.node.split('.')[0]) < PRODUCTION_NODE
const node = paths.length === 0 && isOlder ? findProductionNode() : undefined
const totals = []

if (node) {
  const production = { ...env, KENPO_TEST_STORE: 'redis+mongo', KENPO_TEST_INSTANCES: '2' }
  totals.push(run(thisNode, [`--testPathIgnorePatterns=${AS_DEPLOYED}`], env))
  say('now what needs a browser or processes that die')
  totals.push(run(node, [AS_DEPLOYED], env))
  say('now as in production: two instances on Redis and MongoDB behind a balancer')
  const ignored = [AS_DEPLOYED, HERE].map((pattern) => `--testPathIgnorePatterns=${pattern}`)
  totals.push(run(node, ignored, production))
} else {
  totals.push(run(thisNode, paths, env))
  if (paths.length === 0 && isOlder) {
    say(`Node ${PRODUCTION_NODE} could not be had; tested under ${process.version} only`)
    if (process.env.CI === 'true') {
      say('in CI that is a failure')
      totals.push({ passed: 0, failed: 1 })
    }
  }
}

const sum = (key) => totals.reduce((total, one) => total + one[key], 0)
console.log(`${sum('passed')} passed, ${sum('failed')} failed`)
await mongoServer.stop?.()
rmSync(room, { recursive: true, force: true })
process.exitCode = sum('failed') > 0 ? 1 : 0
