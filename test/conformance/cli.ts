import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander'
import type { CreateDriver, Driver } from './drivers/driver.ts'
import type { Member } from './drivers/page-rules.ts'
import { differences, expectations } from './expected.ts'
import { clientsFile, membersFile, readJson, UsageError } from './files.ts'
import { NO_LISTENER, startListener } from './listener.ts'
import { createMask } from './mask.ts'
import type { Plan } from './module.ts'
import { PLANS } from './plans/index.ts'
import type { Client } from './relying-party.ts'
import { html } from './reports/html.ts'
import { junit } from './reports/junit.ts'
import { moduleTable } from './reports/markdown.ts'
import { moduleLine, summaryTable } from './reports/table.ts'
import { runSuite, UnreachableError } from './run.ts'
import { startKenpoId } from './targets/kenpo-id.ts'
import { createWire } from './wire.ts'

/** Where the command writes. */
export type Terminal = Readonly<{
  out(line: string): void
  error(line: string): void
  isColoured: boolean
}>

/** 0: nothing FAILED, and all as expected; 1: otherwise; 2: wrong usage, or nothing to talk to. */
export type ExitCode = 0 | 1 | 2

const REPORTS = ['table', 'json', 'junit', 'html'] as const

const positive = (text: string): number => {
  const value = Number(text)
  if (!(value > 0)) throw new InvalidArgumentError('must be a number of seconds above 0')
  return value
}

const command = () =>
  new Command('conformance')
    .description(
      'Asks an OpenID Provider rule by rule. Without --issuer it starts Kenpo ID with its demo members and asks that.',
    )
    .option('--issuer <url>', 'the provider, exactly as it calls itself')
    .option('--plan <names...>', 'only these plans')
    .option('--module <patterns...>', 'only modules whose id matches; * stands for anything')
    .option('--client <file>', 'JSON: the relying parties as they are registered, with secrets')
    .option('--initial-access-token <file>', 'a file with the token that registration asks for')
    .option('--no-registration', 'do not register clients for the run')
    .option(
      '--driver <name>',
      'form, chromium, manual, bare-oidc-provider, or a module path',
      'form',
    )
    .option('--member <file>', 'JSON: who signs in, and how pages are answered')
    .option('--rp-base-url <url>', 'where the provider reaches this suite')
    .option(
      '--rp-port <port>',
      'where the suite listens, if not at the port of --rp-base-url',
      Number,
    )
    .option('--rp-key <file>', 'PEM: with --rp-cert the listener speaks https itself')
    .option('--rp-cert <file>', 'PEM')
    .option('--ca <file>', 'PEM: a further authority to trust')
    .option('--expected <file>', 'JSON: results that are known and accepted')
    .option('--out <folder>', 'where reports are written', 'conformance-report')
    .addOption(
      new Option('--report <kinds>', 'comma-separated: table, json, junit, html')
        .default('table,json,junit,html')
        .argParser((text) => {
          const kinds = text.split(',')
          const unknown = kinds.filter((one) => !REPORTS.some((known) => known === one))
          if (unknown.length > 0) throw new InvalidArgumentError(`unknown: ${unknown.join(', ')}`)
          return text
        }),
    )
    .option('--code-lifetime <seconds>', 'after which a code must be dead', positive, 60)
    .option('--timeout <seconds>', 'for one answer', positive, 15)
    .option('--module-timeout <seconds>', 'for one module', positive, 90)
    .option('--run-timeout <seconds>', 'for all of it', positive, 1200)
    .option('--strict', 'WARNING and REVIEW count as unexpected too', false)
    .addOption(
      new Option('--list [form]', 'print the modules and end')
        .choices(['text', 'markdown'])
        .preset('text'),
    )
    .exitOverride()

/** Either ends the provider too that was started for the run. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const

type Options = Readonly<{
  issuer?: string
  plan?: readonly string[]
  module?: readonly string[]
  client?: string
  initialAccessToken?: string
  registration: boolean
  driver: string
  member?: string
  rpBaseUrl?: string
  rpPort?: number
  rpKey?: string
  rpCert?: string
  ca?: string
  expected?: string
  out: string
  report: string
  codeLifetime: number
  timeout: number
  moduleTimeout: number
  runTimeout: number
  strict: boolean
  list?: 'text' | 'markdown'
}>

const text = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

const matches = (pattern: string, id: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(id)

/** The plans and modules asked for. @throws UsageError where a name means nothing */
export const chosen = (
  plans: readonly string[] | undefined,
  modules: readonly string[] | undefined,
): readonly Plan[] => {
  const unknown = plans?.find((name) => !PLANS.some(({ id }) => id === name))
  if (unknown !== undefined) {
    throw new UsageError(
      `there is no plan "${unknown}"; there are: ${PLANS.map(({ id }) => id).join(', ')}`,
    )
  }
  const found = PLANS.filter(({ id }) => plans === undefined || plans.includes(id))
    .map((plan) => ({
      ...plan,
      modules: plan.modules.filter(
        ({ id }) => modules === undefined || modules.some((pattern) => matches(pattern, id)),
      ),
    }))
    .filter((plan) => plan.modules.length > 0)
  if (found.length === 0) throw new UsageError(`no module matches ${modules?.join(', ')}`)
  return found
}

const OWN_DRIVERS = ['form', 'chromium', 'manual', 'bare-oidc-provider']

const loadDriver = async (name: string): Promise<CreateDriver> => {
  const own = fileURLToPath(new URL(`./drivers/${name}.ts`, import.meta.url))
  const path = OWN_DRIVERS.includes(name) ? own : resolve(name)
  if (!existsSync(path)) {
    throw new UsageError(
      `there is no driver "${name}": it is ${OWN_DRIVERS.join(', ')} or the path of a module`,
    )
  }
  const loaded = (await import(pathToFileURL(path).href)) as Readonly<{ default?: unknown }>
  if (typeof loaded.default !== 'function') {
    throw new UsageError(`${path} has no function as its default export`)
  }
  // Whether it keeps to the type is its author's affair.
  return loaded.default as CreateDriver
}

const issuerOf = (address: string): string => {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash) {
    throw new UsageError(`--issuer must be an http or https URL, and not "${address}"`)
  }
  return address.replace(/\/$/, '')
}

const run = async (options: Options, terminal: Terminal): Promise<ExitCode> => {
  const plans = chosen(options.plan, options.module)
  if (options.list === 'markdown') {
    terminal.out(moduleTable(plans))
    return 0
  }
  if (options.list !== undefined) {
    for (const { id, modules } of plans) {
      terminal.out(id)
      for (const one of modules) terminal.out(`  ${one.id.padEnd(28)} ${one.title[0]}`)
    }
    return 0
  }
  const createDriver = await loadDriver(options.driver)
  const entries = options.expected === undefined ? [] : readJson(options.expected, expectations)
  const members = options.member === undefined ? undefined : readJson(options.member, membersFile)
  const named: readonly Client[] =
    options.client === undefined ? [] : readJson(options.client, clientsFile).clients
  const issuer = options.issuer === undefined ? undefined : issuerOf(options.issuer)
  if (issuer !== undefined && options.driver === 'form' && members === undefined) {
    terminal.error('no --member file: modules that need somebody to sign in will be SKIPPED')
  }

  const mask = createMask()
  const token =
    options.initialAccessToken === undefined ? undefined : text(options.initialAccessToken).trim()
  if (token !== undefined) mask.learn('initial access token', token)
  for (const one of named) mask.learnAll(Object.entries(one))
  const ca = options.ca === undefined ? undefined : text(options.ca)
  const wire = createWire({ mask, timeoutSeconds: options.timeout, ca })
  const closing: (() => Promise<void>)[] = []
  const closeAll = async () => {
    for (const close of closing.splice(0).reverse()) await close()
  }
  const interrupted = () => {
    terminal.error('interrupted')
    closeAll().finally(() => process.exit(2))
  }
  for (const signal of SIGNALS) process.once(signal, interrupted)

  try {
    if (issuer === undefined) terminal.out('Starting Kenpo ID with its demo members …')
    const own =
      issuer === undefined
        ? await startKenpoId({ hasPasskeys: options.driver === 'chromium' })
        : undefined
    if (own) {
      closing.push(own.close)
      mask.learn('initial access token', own.initialAccessToken)
    }
    const base = options.rpBaseUrl ?? own?.rpBaseUrl
    if (base !== undefined && !URL.canParse(base)) {
      throw new UsageError(`--rp-base-url must be a URL, and not "${base}"`)
    }
    const inbound = base === undefined ? undefined : { base: new URL(base) }
    const listener = inbound
      ? await startListener(
          {
            ...inbound,
            port: options.rpPort,
            key: options.rpKey === undefined ? undefined : text(options.rpKey),
            cert: options.rpCert === undefined ? undefined : text(options.rpCert),
          },
          wire,
        )
      : undefined
    if (listener) closing.push(listener.close)
    const people: readonly Member[] = members?.members ?? own?.members ?? []
    const driver: Driver = await createDriver({ wire, members: people, pages: members?.pages })
    closing.push(driver.close)

    let plan = ''
    const report = await runSuite({
      plans,
      settings: {
        issuer: issuer ?? own?.issuer ?? '',
        codeLifetime: options.codeLifetime,
        initialAccessToken: token ?? own?.initialAccessToken,
      },
      wire,
      driver,
      clients: [...named, ...(own?.clients ?? [])],
      listener: listener ?? NO_LISTENER,
      inbound,
      mayRegister: options.registration,
      moduleSeconds: options.moduleTimeout,
      runSeconds: options.runTimeout,
      onModule(one) {
        if (one.plan !== plan) terminal.out(one.plan)
        plan = one.plan
        terminal.out(moduleLine(one, terminal.isColoured))
      },
    })

    const today = new Date().toISOString().slice(0, 10)
    const isWhole = options.plan === undefined && options.module === undefined
    const ids = new Set(report.modules.map(({ id }) => id))
    const found = differences(
      report.modules,
      // Of part of the suite only that part of the file is asked for.
      isWhole ? entries : entries.filter(({ module }) => ids.has(module)),
      { strict: options.strict, today },
    )
    const kinds = options.report.split(',')
    mkdirSync(options.out, { recursive: true })
    const write = (name: string, content: string) => {
      const path = join(options.out, name)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, content, { mode: 0o600 })
      terminal.out(`wrote ${path}`)
    }
    const titles = Object.fromEntries(PLANS.map(({ id, title }) => [id, title]))
    if (kinds.includes('json')) {
      write('report.json', `${JSON.stringify({ ...report, differences: found }, undefined, 2)}\n`)
    }
    if (kinds.includes('junit')) write('junit.xml', junit(report))
    if (kinds.includes('html')) write('report.html', html(report, titles, found))
    if (kinds.includes('table')) terminal.out(`\n${summaryTable(report)}`)
    for (const { module, kind, text: words } of found) {
      terminal.out(`${kind === 'unexpected' ? 'not as expected' : kind}: ${module}: ${words}`)
    }
    if (report.stopped !== undefined) {
      terminal.error(`The run was stopped: ${report.stopped}`)
      return 2
    }
    return found.length === 0 ? 0 : 1
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupted)
    await closeAll()
  }
}

/** The command, with its arguments. Never throws: what went wrong is said in one line. */
export const runCli = async (args: readonly string[], terminal: Terminal): Promise<ExitCode> => {
  const parser = command().configureOutput({
    writeOut: (words) => terminal.out(words.trimEnd()),
    writeErr: (words) => terminal.error(words.trimEnd()),
  })
  try {
    parser.parse(args, { from: 'user' })
    return await run(parser.opts<Options>(), terminal)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof UsageError || error instanceof UnreachableError) {
      terminal.error(error.message)
      return 2
    }
    terminal.error(error instanceof Error ? (error.stack ?? error.message) : String(error))
    return 2
  }
}
