import { createHash } from 'node:crypto'
import { type Context, createNotes, type Listener, type Settings } from './context.ts'
import type { Browser, Driver } from './drivers/driver.ts'
import { authorize } from './flows.ts'
import {
  type Condition,
  type Module,
  type Plan,
  type Result,
  Skip,
  Stop,
  type Text,
  worst,
} from './module.ts'
import type { Target } from './needs.ts'
import { AUTH_METHODS, type AuthMethod, type Client, client, RP_ORIGIN } from './relying-party.ts'
import type { MemberSession } from './session.ts'
import type { Section } from './specifications.ts'
import { type Answer, type Exchange, NoAnswerError, type Wire } from './wire.ts'

/** What one module came to, masked and ready to be shown. */
export type ModuleReport = Readonly<{
  plan: string
  id: string
  title: Text
  section: readonly Section[]
  result: Result
  conditions: readonly Condition[]
  /** Why it was SKIPPED. */
  reason?: Text
  /** What went wrong with the module itself, or with the deployment under it: FAILED. */
  error?: string
  exchanges: readonly Exchange[]
  milliseconds: number
}>

export type Report = Readonly<{
  /** Of this document's form. */
  schema: 1
  issuer: string
  driver: string
  startedAt: string
  milliseconds: number
  /** SHA-256 of the provider's metadata, to tell two runs of one configuration. */
  metadataDigest: string
  /** The Server header, where one is sent. */
  server: string | undefined
  modules: readonly ModuleReport[]
  /** Why the run ended before its time. */
  stopped?: string
}>

/** The provider cannot be talked to at all; the message is for the tester. */
export class UnreachableError extends Error {}

export type RunOptions = Readonly<{
  plans: readonly Plan[]
  settings: Settings
  wire: Wire
  driver: Driver
  clients: readonly Client[]
  listener: Listener
  inbound: Readonly<{ base: URL }> | undefined
  /** Whether the suite may register clients where the provider offers it. */
  mayRegister: boolean
  moduleSeconds?: number
  /** All of it. */
  runSeconds?: number
  onModule?: (report: ModuleReport) => void
}>

const MODULE_SECONDS = 90
const RUN_SECONDS = 20 * 60
/** So many modules in a row that ran out of time: the deployment hangs. */
const MAX_TIMEOUTS = 3

const PREFLIGHT_TRIES = 3

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)

/** @throws UnreachableError with the reason, after a few tries */
const readMetadata = async (wire: Wire, issuer: string): Promise<Answer> => {
  const url = `${issuer}/.well-known/openid-configuration`
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await wire.send({ url })
      const type = answer.headers['content-type'] ?? 'no type'
      if (answer.json && answer.status === 200) return answer
      throw new UnreachableError(
        `${url} answers ${answer.status} with ${type}, not the JSON of a provider; is this the issuer?`,
      )
    } catch (error) {
      if (!(error instanceof NoAnswerError) || attempt === PREFLIGHT_TRIES) {
        throw error instanceof UnreachableError ? error : new UnreachableError(reasonOf(error))
      }
    }
  }
}

const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { Authorization: `Bearer ${token}` }

/** The same key for every client of the suite that signs: it proves nothing to anybody else. */
const makeKey = async () => {
  const { exportJWK, generateKeyPair } = await import('jose')
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
  const named = { kid: 'conformance', alg: 'RS256', use: 'sig' }
  return {
    own: { ...(await exportJWK(privateKey)), ...named, kty: 'RSA' },
    shown: { ...(await exportJWK(publicKey)), ...named },
  }
}

/** Clients of the file, and those registered for the run. */
const createClients = (options: RunOptions, target: Target) => {
  const { settings, wire, clients } = options
  const made = new Map<string, Client>()

  const register = async (name: string, method: AuthMethod): Promise<Client> => {
    const key = method === 'private_key_jwt' ? await makeKey() : undefined
    const offered = [target.metadata.grant_types_supported].flat().map(String)
    const answer = await wire.send({
      url: String(target.metadata.registration_endpoint),
      headers: bearer(settings.initialAccessToken),
      json: {
        client_name: `Conformance ${name}`,
        redirect_uris: [`${RP_ORIGIN}/callback`],
        post_logout_redirect_uris: [`${RP_ORIGIN}/signed-out`],
        response_types: ['code'],
        grant_types: [
          'authorization_code',
          ...(offered.includes('refresh_token') ? ['refresh_token'] : []),
        ],
        token_endpoint_auth_method: method,
        ...(key && { jwks: { keys: [key.shown] } }),
      },
    })
    if (answer.status !== 201) {
      throw new Error(`the provider registers no client by ${method}: ${answer.body.slice(0, 300)}`)
    }
    const registered = client.parse(answer.json)
    return key ? { ...registered, jwks: { keys: [key.own] } } : registered
  }
  const once = async (name: string, method: AuthMethod): Promise<Client> => {
    const found = made.get(name)
    if (found) return found
    const registered = await register(name, method)
    made.set(name, registered)
    return registered
  }

  return {
    async any(method?: AuthMethod): Promise<Client> {
      const wanted = method === undefined ? AUTH_METHODS : [method]
      for (const one of wanted) {
        const found = clients.find(
          (known) => known.token_endpoint_auth_method === one && known.role === undefined,
        )
        if (found) return found
      }
      return once(`by ${wanted[0]}`, wanted[0] ?? 'client_secret_basic')
    },
    async other(than: Client): Promise<Client> {
      const found = clients.find(
        (one) =>
          one.client_id !== than.client_id &&
          one.role === undefined &&
          one.token_endpoint_auth_method !== 'none',
      )
      return found ?? once('another', 'client_secret_basic')
    },
    async forget(): Promise<void> {
      for (const {
        registration_client_uri: url,
        registration_access_token: token,
      } of made.values())
        if (url !== undefined && token !== undefined)
          await wire.send({ url, method: 'DELETE', headers: bearer(token) }).catch(() => undefined)
    },
  }
}

const isReady = (one: Readonly<Record<string, string>>) => one.firstLogin !== 'yes'

/**
 * Asks every module of the plans of one provider, one after another. A module's trouble is its own:
 * it is FAILED with the reason; where the whole deployment is in trouble the run stops.
 * @throws UnreachableError before the first module
 */
export const runSuite = async (options: RunOptions): Promise<Report> => {
  const { plans, settings, wire, driver, listener } = options
  const started = performance.now()
  const startedAt = new Date().toISOString()
  const first = await readMetadata(wire, settings.issuer)
  const metadata = first.json ?? {}
  const target: Target = {
    metadata,
    clients: options.clients,
    registers: options.mayRegister && typeof metadata.registration_endpoint === 'string',
    driver,
    inbound: options.inbound,
  }
  const clients = createClients(options, target)
  const ready = () => driver.members.filter(isReady)
  let session: Promise<MemberSession> | undefined
  let keys: readonly Readonly<Record<string, unknown>>[] | undefined

  const contextOf = (module: Module, signal: AbortSignal, opened: Browser[]) => {
    const notes = createNotes(module.section[0], wire)
    const context: Context = {
      ...notes,
      settings,
      target,
      signal,
      listener,
      send: (ask) => wire.send(ask),
      endpoint(member) {
        const value = metadata[member]
        if (typeof value === 'string' && URL.canParse(value)) return value
        return notes.skip([
          `the feature is off: no "${member}" in the provider's metadata`,
          `機能がオフ: メタデータに "${member}" がない`,
        ])
      },
      client: (method) => clients.any(method),
      otherClient: (than) => clients.other(than),
      clientWithRole(role) {
        const found = options.clients.find((one) => one.role === role)
        if (!found) throw new Error(`no client with role "${role}"`)
        return found
      },
      member(index) {
        const found = ready()[index]
        if (!found) throw new Error('the member file has too few members')
        return found
      },
      memberBy(method) {
        const all = driver.members.filter((one) => one.method === method)
        const found = all.find(isReady) ?? all[0]
        if (!found) throw new Error(`no member with method "${method}"`)
        return found
      },
      session() {
        session ??= (async () => {
          const browser = await driver.open(context.member(0))
          const { arrival } = await authorize(context, { browser })
          return { browser, arrival }
        })()
        session.catch(() => {
          session = undefined
        })
        return session
      },
      async newBrowser(member = context.member(0), how = {}) {
        const browser = await driver.open(member, how)
        opened.push(browser)
        return browser
      },
      async jwks(fresh = false) {
        if (keys && !fresh) return keys
        const answer = await wire.send({ url: context.endpoint('jwks_uri') })
        const list = answer.json?.keys
        keys = Array.isArray(list) ? list : []
        return keys
      },
    }
    return { context, notes }
  }

  const nothing = (plan: Plan, module: Module, reason: Text): ModuleReport => ({
    plan: plan.id,
    id: module.id,
    title: module.title,
    section: module.section,
    result: 'SKIPPED',
    conditions: [],
    reason,
    exchanges: [],
    milliseconds: 0,
  })

  const runModule = async (
    plan: Plan,
    module: Module,
  ): Promise<{ report: ModuleReport; isLate: boolean; isLost: boolean }> => {
    const begun = performance.now()
    const seconds = (options.moduleSeconds ?? MODULE_SECONDS) + (module.waits?.(settings) ?? 0)
    const ending = AbortSignal.timeout(seconds * 1000)
    const opened: Browser[] = []
    const { context, notes } = contextOf(module, ending, opened)
    wire.begin(ending)
    let reason: Text | undefined
    let error: string | undefined
    let isLost = false
    const late = new Promise<never>((_, reject) => {
      ending.addEventListener('abort', () =>
        reject(new NoAnswerError(`the module did not end within ${seconds} s`)),
      )
    })
    try {
      await Promise.race([module.run(context), late])
    } catch (caught) {
      if (caught instanceof Skip) reason = caught.reason
      else if (!(caught instanceof Stop)) {
        error = reasonOf(caught)
        isLost = caught instanceof NoAnswerError
      }
    }
    for (const browser of opened) await browser.close().catch(() => undefined)
    const exchanges = wire.end()
    const conditions = notes.taken()
    const results = conditions.map(({ result }) => result)
    const found = worst(error === undefined ? results : [...results, 'FAILED'])
    return {
      isLate: ending.aborted,
      isLost,
      report: {
        plan: plan.id,
        id: module.id,
        title: module.title,
        section: module.section,
        result: reason && found === 'PASSED' ? 'SKIPPED' : found,
        conditions,
        ...(reason && { reason }),
        ...(error !== undefined && { error: wire.mask.hide(error) }),
        exchanges: exchanges.map((one) => masked(one, wire)),
        milliseconds: Math.round(performance.now() - begun),
      },
    }
  }

  const reports: ModuleReport[] = []
  let stopped: string | undefined
  let lateInARow = 0
  for (const plan of plans) {
    for (const module of plan.modules) {
      const tell = (report: ModuleReport) => {
        reports.push(report)
        options.onModule?.(report)
      }
      if (stopped !== undefined) {
        tell(nothing(plan, module, [`the run was stopped: ${stopped}`, `実行を中止: ${stopped}`]))
        continue
      }
      const missing = module.requires?.map((need) => need.missing(target)).find(Boolean)
      if (missing) {
        tell(nothing(plan, module, missing))
        continue
      }
      const { report, isLate, isLost } = await runModule(plan, module)
      tell(report)
      lateInARow = isLate ? lateInARow + 1 : 0
      if (lateInARow >= MAX_TIMEOUTS) {
        stopped = `${MAX_TIMEOUTS} modules in a row did not end in time`
      } else if (isLost) {
        await readMetadata(wire, settings.issuer).catch((error: unknown) => {
          stopped = `the deployment no longer answers: ${reasonOf(error)}`
        })
      }
      if (performance.now() - started > (options.runSeconds ?? RUN_SECONDS) * 1000) {
        stopped ??= `it took longer than ${options.runSeconds ?? RUN_SECONDS} s`
      }
    }
  }
  await session?.then(
    ({ browser }) => browser.close(),
    () => undefined,
  )
  if (stopped === undefined) await clients.forget()
  const server = first.headers.server
  return {
    schema: 1,
    issuer: settings.issuer,
    driver: driver.name,
    startedAt,
    milliseconds: Math.round(performance.now() - started),
    metadataDigest: createHash('sha256').update(first.body).digest('hex'),
    server: typeof server === 'string' ? server : undefined,
    modules: reports,
    ...(stopped !== undefined && { stopped }),
  }
}

/** Pages are cut to this: what matters of one is near its beginning. */
const LONGEST_SHOWN = 6000

const masked = (exchange: Exchange, { mask }: Wire): Exchange => {
  const hideAll = <T extends Readonly<Record<string, unknown>>>(headers: T): T =>
    // The same keys, and texts for texts.
    JSON.parse(mask.hide(JSON.stringify(headers))) as T
  const cut = (text: string) =>
    text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text
  return {
    ...exchange,
    url: mask.hide(exchange.url),
    requestHeaders: hideAll(exchange.requestHeaders),
    requestBody: cut(mask.hide(exchange.requestBody)),
    responseHeaders: hideAll(exchange.responseHeaders),
    responseBody: cut(mask.hide(exchange.responseBody)),
    ...(exchange.error !== undefined && { error: mask.hide(exchange.error) }),
  }
}
