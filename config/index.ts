import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Society } from '../accounts/society.ts'
import type { FileClient } from '../clients/directory.ts'
import type { Features } from '../clients/features.ts'
import { type ClientRules, signingAlgorithmsOf } from '../clients/schema.ts'
import { isOnThisMachine } from '../clients/uris.ts'
import { SIGNING_ALGORITHMS } from '../keys/ring.ts'
import { readClients } from './clients.ts'
import { conformanceClients } from './conformance/clients.ts'
import {
  CONFORMANCE_FOLDER,
  CONFORMANCE_SETTINGS,
  conformanceProblems,
  type OpenRegistration,
  type ResponseType,
  USUAL_SETTINGS,
} from './conformance/index.ts'
import { CONFORMANCE_SOCIETY } from './conformance/society.ts'
import { DEVELOPMENT_SECRETS, type KeepSecret } from './development-secrets.ts'
import {
  DEVELOPMENT_PREFIX,
  GENERATED_SECRETS,
  OPTIONS,
  type Option,
  type OptionName,
  type OptionValue,
} from './options.ts'
import { ConfigError, type Problem } from './problem.ts'
import { readSocieties } from './societies.ts'
import { readStore, type StoreConfig } from './stores.ts'

export { ConfigError, type Problem } from './problem.ts'
export type { StoreConfig } from './stores.ts'

/** What runs beside the product on a developer's machine, never in production. */
export type Demo = Readonly<{ portalPort: number; mailboxPort: number }>

/** What is never on but by a flag of `kenpo-idp serve`. */
export type ServeProfile = 'conformance'

/** The clients file, if there is one. */
export type ClientFile = Readonly<{
  /** Undefined: there is none, or it is our demo's. */
  path: string | undefined
  clients: ReadonlyMap<string, FileClient>
  /** Reads a later text of it. @throws ConfigError */
  reread(text: string): ReadonlyMap<string, FileClient>
}>

/** The whole configuration: checked as a whole, frozen. `Settings` of interactions/ is part of it. */
export type AppConfig = Readonly<{
  production: boolean
  /** https://id.example.jp, no trailing slash. */
  issuer: string
  /** Listen address and port of the HTTP server, behind the TLS front. */
  host: string
  port: number
  /** Where `/healthz`, `/readyz` and `/metrics` are answered. */
  management: Readonly<{ host: string; port: number }>
  /** How long a stopping server that is no longer ready still takes requests. */
  stopDelaySeconds: number
  store: StoreConfig
  dataDir: string
  /** How many proxies of ours stand before this server; 0: none. */
  trustedProxyHops: number
  societies: ReadonlyMap<string, Society>
  clientFile: ClientFile
  /** What every client is checked against, whichever way it is registered. */
  clientRules: ClientRules
  /** What of the protocol is switched on. */
  features: Features
  /** What relying parties may ask for; `code` alone but in the conformance profile. */
  responseTypes: readonly ResponseType[]
  /** Software may register itself, with a token of the operator's. */
  registration: boolean
  /** Software may register itself without a token too, under these terms. */
  openRegistration: OpenRegistration | undefined
  /** Who may use the admin API; none: there is no such API. SHA-256 of each token. */
  adminTokens: readonly Readonly<{ operator: string; hash: Buffer }>[]
  /** Where this server may call to although it is no public address. */
  outbound: Readonly<{
    ranges: readonly string[]
    hosts: readonly string[]
    loopback: boolean
    /** PEM: authorities to trust beside the public ones. */
    ca: string | undefined
  }>
  /** Newest first. */
  cookieKeys: readonly string[]
  /** At least 32 bytes. */
  codeKey: Buffer
  /** Newest first, 32 bytes each: the first encrypts what is at rest, all of them decrypt. */
  encryptionKeys: readonly Readonly<{ id: string; key: Buffer }>[]
  /** Makes each relying party's `sub` (OIDC Core section 8.1); changing it changes every `sub`. */
  pairwiseSalt: string
  /** Private signing keys that the operator keeps, RS256 among them. Undefined: this installation
   * makes and keeps its own. */
  jwks: OptionValue<'IDP_JWKS'> | undefined
  /** Undefined: the development mailbox takes the mails. */
  smtpUrl: string | undefined
  mailFrom: string
  logLevel: OptionValue<'IDP_LOG_LEVEL'>
  demo: Demo | undefined
  /** The conformance profile is served: every page says so, and its members are public. */
  conformance: Readonly<{ suite: string; mailboxPort: number }> | undefined
}>

export type Environment = Readonly<Record<string, string | undefined>>

const PRODUCTION_STOP_DELAY_SECONDS = 5

/** Where the demo clients are registered to run; replaced where the portal listens elsewhere. */
const DEMO_PORTAL = 'http://localhost:3001'

const isSet = (text: string | undefined): text is string => text !== undefined && text !== ''

const readUtf8 = (path: string): string => readFileSync(path, 'utf8')

/** An address that others may reach. What is no address at all has a rule of its own. */
const isElsewhere = (issuer: string | undefined): boolean =>
  isSet(issuer) && URL.canParse(issuer) && !isOnThisMachine(issuer)

/** A server would be open with members whose passwords are public; a command would work on a store
 * and with keys that no server has. */
const NOT_PRODUCTION: Problem = {
  name: 'IDP_ISSUER',
  rule: 'is not on this machine, and NODE_ENV is not production',
  remedy:
    'Set NODE_ENV=production, and all else that the servers have: docs/operate.md, "Commands".',
}

const isCertificate = (pem: string): boolean => {
  try {
    return new X509Certificate(pem).subject !== undefined
  } catch {
    return false
  }
}

/** The path of a file of the repository's, wherever the process was started. */
const demoFile = (path: string) =>
  fileURLToPath(import.meta.resolve(path.replace('config/demo/', '#demo/')))

/** The text of one variable: its own, its file's, or its fallback; undefined where there is none. */
const textOf = (
  name: OptionName,
  source: Readonly<{
    env: Environment
    production: boolean
    readFile: (path: string) => string
    keep: (name: string, make: () => string) => string
  }>,
  problems: Problem[],
): string | undefined => {
  const { env, production, readFile, keep } = source
  const option: Option = OPTIONS[name]
  const own = env[name]
  const file = option.secret ? env[`${name}_FILE`] : undefined
  if (isSet(own) && isSet(file)) {
    const rule = `is set, and so is ${name}_FILE`
    problems.push({ name, rule, remedy: 'Keep one of the two.' })
  }
  if (isSet(own)) return own
  if (isSet(file)) {
    try {
      return readFile(file).trim()
    } catch {
      const remedy = 'Check the path and that this user may read it.'
      problems.push({ name: `${name}_FILE`, rule: 'names a file that cannot be read', remedy })
      return undefined
    }
  }
  if (option.fallback !== undefined) return option.fallback
  if (!production) {
    const secret = GENERATED_SECRETS.find((known) => known === name)
    return secret ? keep(secret, DEVELOPMENT_SECRETS[secret]) : option.development
  }
  if (!option.optional) {
    const example = option.secret || option.example === undefined ? '' : `, e.g. ${option.example}`
    const place = option.secret ? `it, or ${name}_FILE,` : 'it'
    const remedy = `Set ${place} to: ${option.unit.en}${example}.`
    problems.push({ name, rule: 'is missing', remedy })
  }
  return undefined
}

type Values = { readonly [Name in OptionName]: OptionValue<Name> | undefined }

/** What must not be in production, though each value is well-formed. */
const productionProblems = (env: Environment, values: Values): readonly Problem[] => {
  const problems: Problem[] = []
  const refuse = (name: string, rule: string, remedy: string) =>
    problems.push({ name, rule, remedy })
  if (values.IDP_ISSUER?.startsWith('http:')) {
    refuse('IDP_ISSUER', 'must be https in production', 'Put a TLS front before this server.')
  }
  if (values.IDP_ISSUER?.startsWith('https:') && values.IDP_TRUSTED_PROXY_HOPS === 0) {
    refuse(
      'IDP_TRUSTED_PROXY_HOPS',
      'must be at least 1 in production',
      'This server speaks http behind a TLS front: count that front and any proxy behind it.',
    )
  }
  if (values.IDP_SMTP_URL?.startsWith('smtp:') && !values.IDP_SMTP_URL.includes('requireTLS')) {
    const remedy = 'Use smtps://…, or smtp://…?requireTLS=true for STARTTLS.'
    refuse('IDP_SMTP_URL', 'must ask for TLS in production', remedy)
  }
  if (values.IDP_DEMO) {
    refuse('IDP_DEMO', 'cannot be on in production', 'Remove it: the demo members are public.')
  }
  if (values.IDP_FEATURES?.has('unsigned-request-uri')) {
    const remedy = 'Leave it out: it is for conformance tests, nobody else sends such requests.'
    refuse('IDP_FEATURES', 'cannot have unsigned-request-uri in production', remedy)
  }
  if (isSet(env.DEBUG)) {
    refuse('DEBUG', 'must not be set in production', 'Unset it: libraries would print secrets.')
  }
  const secrets: readonly [string, readonly string[]][] = [
    ['IDP_COOKIE_KEYS', values.IDP_COOKIE_KEYS ?? []],
    ['IDP_CODE_KEY', values.IDP_CODE_KEY ? [values.IDP_CODE_KEY.toString('utf8')] : []],
    [
      'IDP_ENCRYPTION_KEYS',
      // An id is no secret, so another secret's may be the same; the mark of development is in it.
      values.IDP_ENCRYPTION_KEYS?.map(({ id, key }) =>
        id.startsWith(DEVELOPMENT_PREFIX) ? id : key.toString('base64url'),
      ) ?? [],
    ],
    ['IDP_PAIRWISE_SALT', values.IDP_PAIRWISE_SALT ? [values.IDP_PAIRWISE_SALT] : []],
  ]
  const seen = new Set<string>()
  for (const [name, parts] of secrets) {
    if (parts.some((part) => part.startsWith(DEVELOPMENT_PREFIX))) {
      refuse(name, 'was made for development', 'Make a new one for production.')
    }
    if (parts.some((part) => seen.has(part))) {
      refuse(name, "repeats another secret's value", 'Make one of its own.')
    }
    for (const part of parts) seen.add(part)
  }
  return problems
}

const portProblems = (
  values: Values,
  beside: Readonly<{ portal: boolean; mailbox: boolean }>,
): readonly Problem[] => {
  const opened: readonly (keyof Values & `${string}_PORT`)[] = [
    'IDP_PORT',
    'IDP_MANAGEMENT_PORT',
    ...(beside.portal ? (['IDP_PORTAL_PORT'] as const) : []),
    ...(beside.mailbox ? (['IDP_MAILBOX_PORT'] as const) : []),
  ]
  const named = opened.map((name) => [name, values[name]] as const)
  return named.flatMap(([name, port], index) => {
    const other = named.slice(0, index).find(([, earlier]) => earlier === port)
    if (!other || port === undefined) return []
    return [{ name, rule: `is the same port as ${other[0]}`, remedy: 'Choose another.' }]
  })
}

/**
 * Reads the whole configuration from the environment and the files that it names. Production is
 * `NODE_ENV=production`. Everything else is development, for an issuer on this machine alone: missing
 * secrets are made, and the same again after a restart where `keepSecret` keeps them. `profile` comes
 * from the command line alone.
 * @throws ConfigError naming every problem at once, never a secret's value
 */
export const loadConfig = (
  env: Environment,
  readFile: (path: string) => string = readUtf8,
  keepSecret: KeepSecret = (_dataDir, _name, make) => make(),
  profile?: ServeProfile,
): AppConfig => {
  const production = env.NODE_ENV === 'production'
  const problems: Problem[] = []
  const conformance = profile === 'conformance'
  const folder = isSet(env.IDP_DATA_DIR) ? env.IDP_DATA_DIR : OPTIONS.IDP_DATA_DIR.fallback
  // Public members never come into the file of others.
  const dataDir = conformance ? join(folder, CONFORMANCE_FOLDER) : folder
  // The profile has a list of its own.
  const isAstray = !production && !conformance && isElsewhere(env.IDP_ISSUER)
  const keep = (name: string, make: () => string) =>
    // What is refused leaves nothing behind.
    isAstray ? make() : keepSecret(dataDir, name, make)

  const read = (name: OptionName): unknown => {
    const text = textOf(name, { env, production, readFile, keep }, problems)
    if (text === undefined) return undefined
    const result = OPTIONS[name].schema.safeParse(text)
    if (result.success) return result.data
    const rule = result.error.issues[0]?.message ?? 'cannot be used'
    const { unit } = OPTIONS[name]
    problems.push({ name, rule, remedy: `Set it to: ${unit.en}.` })
    return undefined
  }
  // Each name's value has passed that name's schema, which is what `Values` says.
  const values = Object.fromEntries(
    Object.keys(OPTIONS).map((name) => [name, read(name as OptionName)]),
  ) as Values

  const readNamed = (
    name: 'IDP_SOCIETIES_FILE' | 'IDP_CLIENTS_FILE' | 'IDP_EXTRA_CA_FILE',
  ): string | undefined => {
    const path = values[name]
    if (path === undefined) return undefined
    try {
      return readFile(isSet(env[name]) ? path : demoFile(path))
    } catch {
      const remedy = 'Check the path and that this user may read it.'
      problems.push({ name, rule: 'names a file that cannot be read', remedy })
      return undefined
    }
  }

  // The profile brings members, clients and a mailbox of its own.
  const demo = !production && !conformance && values.IDP_DEMO === true
  const societiesText = readNamed('IDP_SOCIETIES_FILE')
  const listed =
    societiesText === undefined
      ? new Map<string, Society>()
      : readSocieties(
          { file: basename(values.IDP_SOCIETIES_FILE ?? ''), text: societiesText },
          problems,
        )
  const societies: ReadonlyMap<string, Society> = conformance
    ? new Map([...listed, [CONFORMANCE_SOCIETY.id, CONFORMANCE_SOCIETY]])
    : listed
  const clientsText = readNamed('IDP_CLIENTS_FILE')
  const extraCa = readNamed('IDP_EXTRA_CA_FILE')
  if (extraCa !== undefined && !isCertificate(extraCa)) {
    const remedy = 'It must be PEM: -----BEGIN CERTIFICATE-----.'
    problems.push({ name: 'IDP_EXTRA_CA_FILE', rule: 'names a file without a certificate', remedy })
  }
  // On a developer's machine the address follows the port, unless it is said.
  const issuer = isSet(env.IDP_ISSUER) ? values.IDP_ISSUER : `http://localhost:${values.IDP_PORT}`
  const special = conformance ? CONFORMANCE_SETTINGS : USUAL_SETTINGS
  const features = values.IDP_FEATURES ?? special.features
  const clientRules: ClientRules = {
    features,
    // The profile is open to anybody, and so would be what listens on this machine.
    local: (!production && !conformance) || (issuer !== undefined && isOnThisMachine(issuer)),
    societyIds: societiesText === undefined ? undefined : new Set(societies.keys()),
    responseTypes: special.responseTypes,
    signingAlgorithms: values.IDP_JWKS
      ? signingAlgorithmsOf(values.IDP_JWKS.keys)
      : SIGNING_ALGORITHMS,
  }
  const clientsAreOurs = !isSet(env.IDP_CLIENTS_FILE)
  const portalOrigin = `http://localhost:${values.IDP_PORTAL_PORT}`
  const suite = values.IDP_CONFORMANCE_SUITE ?? OPTIONS.IDP_CONFORMANCE_SUITE.fallback
  const clientsInFile = (text: string, found: Problem[]) =>
    readClients(
      {
        file: basename(values.IDP_CLIENTS_FILE ?? ''),
        text: clientsAreOurs ? text.replaceAll(DEMO_PORTAL, portalOrigin) : text,
        rules: clientRules,
      },
      found,
    )
  const clientsOfProfile = (found: Problem[]) =>
    readClients(
      {
        file: '--profile conformance',
        text: JSON.stringify(conformanceClients(suite)),
        rules: clientRules,
      },
      found,
    )
  const clientsIn = (text: string, found: Problem[]): ReadonlyMap<string, FileClient> =>
    conformance
      ? // Nothing of the demo's runs beside it.
        new Map([...(clientsAreOurs ? [] : clientsInFile(text, found)), ...clientsOfProfile(found)])
      : clientsInFile(text, found)
  const clientFile: ClientFile = {
    path: clientsAreOurs ? undefined : values.IDP_CLIENTS_FILE,
    clients: clientsText === undefined ? new Map() : clientsIn(clientsText, problems),
    reread(text) {
      const found: Problem[] = []
      const clients = clientsIn(text, found)
      if (found.length > 0) throw new ConfigError(found)
      return clients
    },
  }

  const store = readStore(
    values,
    (name) => isSet(env[name]) || isSet(env[`${name}_FILE`]),
    problems,
  )
  if (production) problems.push(...productionProblems(env, values))
  if (isAstray) problems.push(NOT_PRODUCTION)
  if (conformance) {
    const issuers = values.IDP_CONFORMANCE_ISSUERS ?? []
    const { IDP_HOST: host, IDP_STORE: kind } = values
    problems.push(...conformanceProblems({ production, issuer, issuers, host, kind }))
  }
  problems.push(...portProblems(values, { portal: demo, mailbox: demo || conformance }))
  if (!production && !demo && !conformance && values.IDP_SMTP_URL === undefined) {
    const remedy = 'Set it, or leave IDP_DEMO on, which brings a mailbox of its own.'
    problems.push({ name: 'IDP_SMTP_URL', rule: 'is missing', remedy })
  }
  if (problems.length > 0) throw new ConfigError(problems)

  const port = sound(values.IDP_PORT)
  return Object.freeze({
    production,
    issuer: sound(issuer),
    host: sound(values.IDP_HOST),
    port,
    management: {
      host: sound(values.IDP_MANAGEMENT_HOST),
      port: sound(values.IDP_MANAGEMENT_PORT),
    },
    stopDelaySeconds: values.IDP_STOP_DELAY_SECONDS ?? PRODUCTION_STOP_DELAY_SECONDS,
    store: sound(store),
    dataDir,
    trustedProxyHops:
      // The profile's own example is a TLS front on the same machine.
      conformance && sound(issuer).startsWith('https:') && !isSet(env.IDP_TRUSTED_PROXY_HOPS)
        ? 1
        : sound(values.IDP_TRUSTED_PROXY_HOPS),
    societies,
    clientFile,
    clientRules,
    features,
    responseTypes: special.responseTypes,
    registration: conformance || sound(values.IDP_REGISTRATION),
    openRegistration: special.openRegistration,
    adminTokens: values.IDP_ADMIN_TOKENS ?? [],
    outbound: {
      ranges: values.IDP_OUTBOUND_ALLOWED?.ranges ?? [],
      hosts: [
        ...(values.IDP_OUTBOUND_ALLOWED?.hosts ?? []),
        // It registers keys, sectors and addresses to be told of a sign-out, and may be anywhere.
        ...(conformance ? [new URL(suite).host] : []),
      ],
      loopback: clientRules.local,
      ca: extraCa,
    },
    cookieKeys: sound(values.IDP_COOKIE_KEYS),
    codeKey: sound(values.IDP_CODE_KEY),
    encryptionKeys: sound(values.IDP_ENCRYPTION_KEYS),
    pairwiseSalt: sound(values.IDP_PAIRWISE_SALT),
    jwks: values.IDP_JWKS,
    smtpUrl: values.IDP_SMTP_URL,
    mailFrom: sound(values.IDP_MAIL_FROM),
    logLevel: sound(values.IDP_LOG_LEVEL),
    demo: demo
      ? {
          portalPort: sound(values.IDP_PORTAL_PORT),
          mailboxPort: sound(values.IDP_MAILBOX_PORT),
        }
      : undefined,
    conformance: conformance ? { suite, mailboxPort: sound(values.IDP_MAILBOX_PORT) } : undefined,
  })
}

/** A value that cannot be missing once there are no problems. */
const sound = <T>(value: T | undefined): T => {
  if (value === undefined) throw new TypeError('a required option passed unread')
  return value
}
