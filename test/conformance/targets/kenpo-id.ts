import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { exportJWK, generateKeyPair } from 'jose'
import { z } from 'zod'
import type { Member } from '../drivers/page-rules.ts'
import { type Client, client, RP_ORIGIN } from '../relying-party.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const START_MS = 60_000
const STOP_MS = 20_000

/** A provider in a process of its own, and what the suite needs to know of it. */
export type RunningTarget = Readonly<{
  issuer: string
  clients: readonly Client[]
  members: readonly Member[]
  /** Lets the suite register clients. */
  initialAccessToken: string
  /** Where the provider reaches the suite: a port of this machine. */
  rpBaseUrl: string
  close(): Promise<void>
}>

const NODE = ['--disable-warning=DEP0040']
const KENPO_IDP = 'bin/kenpo-idp.js'
const OUR_ENVIRONMENT = { PATH: process.env.PATH, HOME: process.env.HOME }

/**
 * Runs an entry of the product's until it answers at its issuer; its folder goes with it.
 * @throws with its own words where it does not start
 */
const startProcess = async (
  entry: readonly string[],
  { env, issuer, folder }: Readonly<{ env: NodeJS.ProcessEnv; issuer: string; folder: string }>,
): Promise<() => Promise<void>> => {
  const child = spawn(process.execPath, [...NODE, ...entry], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      said = (said + chunk.toString()).slice(-4000)
    })
  }
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const gone = once(child, 'exit')
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
      await gone
      clearTimeout(late)
    }
    rmSync(folder, { recursive: true, force: true })
  }
  const end = performance.now() + START_MS
  for (;;) {
    const answers = await fetch(`${issuer}/.well-known/openid-configuration`).then(
      ({ ok }) => ok,
      () => false,
    )
    if (answers) return close
    if (child.exitCode !== null || performance.now() > end) {
      await close()
      throw new Error(`Kenpo ID did not start:\n${said}`)
    }
    await delay(200)
  }
}

/** Ports that were free a moment ago, all different. */
const freePorts = async (count: number): Promise<readonly number[]> => {
  const servers = Array.from({ length: count }, () => createServer().listen(0, 'localhost'))
  const ports: number[] = []
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening')
    ports.push((server.address() as AddressInfo).port) // TCP, so no path
  }
  for (const server of servers) {
    server.close()
    await once(server, 'close')
  }
  return ports
}

const secret = () => randomBytes(32).toString('base64url')

const PWD = 'urn:kenpo-id:acr:pwd'

/** One client of each kind, of the demo's first society; its file holds public keys only. */
const makeClients = async () => {
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const named = { kid: 'conformance', alg: 'RS256', use: 'sig' }
  const usual = {
    redirect_uris: [`${RP_ORIGIN}/callback`],
    post_logout_redirect_uris: [`${RP_ORIGIN}/signed-out`],
    grant_types: ['authorization_code', 'refresh_token'],
  }
  const made = (
    id: string,
    method: string,
    requiredAcr = PWD,
    more: Readonly<{ server?: object; own?: object }> = {},
  ) => {
    const hasSecret = method.startsWith('client_secret')
    const metadata = {
      client_id: `conformance-${id}`,
      client_name: `Conformance ${id}`,
      token_endpoint_auth_method: method,
      ...(hasSecret && { client_secret: secret() }),
      ...usual,
    }
    const policy = { society: 'sakura', requiredAcr }
    return {
      server: { ...metadata, ...more.server, policy },
      own: client.parse({ ...metadata, ...more.own }),
    }
  }
  return [
    made('basic', 'client_secret_basic'),
    made('basic-2', 'client_secret_basic'),
    made('post', 'client_secret_post'),
    made('public', 'none'),
    made('key', 'private_key_jwt', PWD, {
      server: { jwks: { keys: [{ ...(await exportJWK(publicKey)), ...named }] } },
      own: { jwks: { keys: [{ ...(await exportJWK(privateKey)), ...named }] } },
    }),
    made('stronger', 'client_secret_basic', 'urn:kenpo-id:acr:email', {
      own: { role: 'stronger' },
    }),
    made('strongest', 'client_secret_basic', 'phr', { own: { role: 'strongest' } }),
  ]
}

/** An operator's word for the suite: so many clients, content with a password. */
const TOKEN_COMMAND = [
  ['client', 'token', 'create', '--format', 'json', '--society', 'sakura', '--uses', '200'],
  ['--acr', PWD, '--host', new URL(RP_ORIGIN).host, '--host', '127.0.0.1'],
].flat()
const tokenAnswer = z.looseObject({ token: z.string() })

/** The demo's members of that society (config/demo-members.ts; printed by `npm start`). */
const demoMembers = (mailbox: string, hasPasskeys: boolean): readonly Member[] => {
  const of = (address: string) => ({
    address,
    mailbox: `${mailbox}/api/mails?to=${encodeURIComponent(address)}`,
  })
  return [
    {
      username: '12345-704',
      password: 'Mikan-no-Ki-27!',
      method: 'email',
      ...of('yuki@example.jp'),
    },
    {
      username: '12345-703',
      password: 'Zp4d-Wm8s-Kc6H',
      newPassword: 'Ringo-to-Budou-58!',
      method: 'totp',
      guess: 'yes',
      birthYear: '1990',
      birthMonth: '2',
      birthDay: '28',
      ...of('jiro@example.jp'),
    },
    {
      username: '12345-678',
      password: 'hN7w-Tq3k-Xe5R',
      newPassword: 'Sakura-ga-Saku-31!',
      method: hasPasskeys ? 'passkey' : 'totp',
      firstLogin: 'yes',
      birthYear: '1985',
      birthMonth: '4',
      birthDay: '1',
      ...of('hanako@example.jp'),
    },
  ]
}

/**
 * Starts Kenpo ID as `npm start` does, from its sources and with its demo members, on free ports and
 * with an empty data directory. Its clients are the demo's and one of each kind for the suite.
 * @throws with the server's own words where it does not start
 */
export const startKenpoId = async (
  options: Readonly<{ hasPasskeys: boolean }>,
): Promise<RunningTarget> => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-conformance-'))
  const [port, portalPort, mailboxPort, managementPort, rpPort] = await freePorts(5)
  const issuer = `http://localhost:${port}`
  const clients = await makeClients()
  const demo: unknown = JSON.parse(readFileSync(join(ROOT, 'config/demo/clients.json'), 'utf8'))
  const file = join(folder, 'clients.json')
  const all = [...(Array.isArray(demo) ? demo : []), ...clients.map(({ server }) => server)]
  writeFileSync(file, JSON.stringify(all), { mode: 0o600 })

  const env = {
    ...OUR_ENVIRONMENT,
    IDP_ISSUER: issuer,
    IDP_PORT: String(port),
    IDP_PORTAL_PORT: String(portalPort),
    IDP_MAILBOX_PORT: String(mailboxPort),
    IDP_MANAGEMENT_PORT: String(managementPort),
    IDP_DATA_DIR: join(folder, 'data'),
    IDP_CLIENTS_FILE: file,
    IDP_LOG_LEVEL: 'warn',
    IDP_REGISTRATION: 'on',
  }
  const close = await startProcess(['dist/server.js'], { env, issuer, folder })
  const made = await promisify(execFile)(process.execPath, [...NODE, KENPO_IDP, ...TOKEN_COMMAND], {
    cwd: ROOT,
    env,
  }).catch(async (error: unknown) => {
    await close()
    throw error
  })
  const { token: initialAccessToken } = tokenAnswer.parse(JSON.parse(made.stdout))
  return {
    issuer,
    clients: clients.map(({ own }) => own),
    members: demoMembers(`http://localhost:${mailboxPort}`, options.hasPasskeys),
    initialAccessToken,
    rpBaseUrl: `http://localhost:${rpPort}`,
    close,
  }
}

/** A provider in the conformance profile, and the files that its own command writes for a suite. */
export type RunningProfile = Readonly<{
  issuer: string
  clientsFile: string
  membersFile: string
  rpBaseUrl: string
  close(): Promise<void>
}>

/** Starts the conformance profile as a tester does: `kenpo-idp serve --profile conformance`. */
export const startProfile = async (): Promise<RunningProfile> => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-profile-'))
  const [port, mailboxPort, managementPort, rpPort] = await freePorts(4)
  const issuer = `http://localhost:${port}`
  const env = {
    ...OUR_ENVIRONMENT,
    IDP_PORT: String(port),
    IDP_MAILBOX_PORT: String(mailboxPort),
    IDP_MANAGEMENT_PORT: String(managementPort),
    IDP_DATA_DIR: join(folder, 'data'),
    IDP_LOG_LEVEL: 'warn',
  }
  const command = [KENPO_IDP, 'serve', '--profile', 'conformance', '--issuer', issuer]
  const close = await startProcess(command, { env, issuer, folder })
  await promisify(execFile)(
    process.execPath,
    [...NODE, KENPO_IDP, 'conformance-plan', '--issuer', issuer, '--out', folder],
    { cwd: ROOT, env },
  ).catch(async (error: unknown) => {
    await close()
    throw error
  })
  return {
    issuer,
    clientsFile: join(folder, 'own-suite-clients.json'),
    membersFile: join(folder, 'own-suite-members.json'),
    rpBaseUrl: `http://localhost:${rpPort}`,
    close,
  }
}
