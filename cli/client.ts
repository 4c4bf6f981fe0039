import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { type Command, Option } from 'commander'
import { ACR_LADDER } from '../accounts/assurance.ts'
import { IdentityError } from '../accounts/errors.ts'
import { PRESETS, type Preset, presetMetadata } from '../clients/presets.ts'
import { ClientRefusedError, refusalText } from '../clients/refusal.ts'
import { type Actor, UnknownClientError } from '../clients/registry.ts'
import { AUTH_METHODS } from '../clients/schema.ts'
import type { Environment } from '../config/index.ts'
import { examineClient, examineIssuer, findingText } from './client-doctor.ts'
import type { ClientDesk, withClients as WithClients } from './client-stores.ts'
import {
  clientText,
  type Format,
  listText,
  outcomeText,
  tokensText,
  tokenText,
} from './client-text.ts'
import { CommandError, UsageError } from './command-error.ts'
import { operatorName, wholeNumber } from './desk.ts'

/** Opening them is loaded with the command that does. */
const withClients: typeof WithClients = async (...args) =>
  (await import('./client-stores.ts')).withClients(...args)

type Io = Readonly<{ env: Environment; say: (line: string) => void; refusedSome: () => void }>
type Common = Readonly<{ operator: string; format: Format }>
type Described = Common &
  Readonly<{
    preset?: Preset
    name?: string
    redirectUri?: readonly string[]
    postLogoutUri?: readonly string[]
    society?: string
    acr?: string
    authMethod?: string
    id?: string
    set?: readonly string[]
    unset?: readonly string[]
  }>

const DAY = 86_400
const OVERLAP_DAYS = 7
const LONGEST_OVERLAP_DAYS = 90

const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
]
const repeatable = (flags: string, description: string): Option =>
  new Option(flags, `${description}; may be repeated`).argParser(collect)

/** `logo_uri=https://…`, `policy.maxAge=300`: JSON where it is, else text. */
const assignment = (text: string): readonly [name: string, value: unknown] => {
  const at = text.indexOf('=')
  if (at < 1) throw new UsageError(`--set takes name=value, not "${text}"`)
  const value = text.slice(at + 1)
  try {
    return [text.slice(0, at), JSON.parse(value)]
  } catch {
    return [text.slice(0, at), value]
  }
}

/** What the flags say, in the words of RFC 7591. */
const entryOf = (given: Described): Readonly<Record<string, unknown>> => {
  const entry: Record<string, unknown> = {
    ...(given.id !== undefined && { client_id: given.id }),
    ...(given.name !== undefined && { client_name: given.name }),
    ...(given.redirectUri && { redirect_uris: given.redirectUri }),
    ...(given.postLogoutUri && { post_logout_redirect_uris: given.postLogoutUri }),
    ...(given.authMethod !== undefined && { token_endpoint_auth_method: given.authMethod }),
  }
  const policy: Record<string, unknown> = {
    ...(given.society !== undefined && { society: given.society }),
    ...(given.acr !== undefined && { requiredAcr: given.acr }),
  }
  const said = [
    ...(given.set ?? []).map(assignment),
    ...(given.unset ?? []).map((name) => [name, null] as const),
  ]
  for (const [name, value] of said) {
    if (name.startsWith('policy.')) policy[name.slice('policy.'.length)] = value
    else entry[name] = value
  }
  return { ...entry, ...(Object.keys(policy).length > 0 && { policy }) }
}

/** With one society, a client is that one's. */
const withSociety = (
  entry: Readonly<Record<string, unknown>>,
  { config }: ClientDesk,
): Readonly<Record<string, unknown>> => {
  const [only, ...more] = config.societies.keys()
  const policy = (entry.policy ?? {}) as Readonly<Record<string, unknown>>
  if (policy.society !== undefined) return entry
  if (only === undefined || more.length > 0) {
    throw new UsageError(`--society is needed: ${[...config.societies.keys()].join(', ')}`)
  }
  return { ...entry, policy: { ...policy, society: only } }
}

const described = (command: Command): Command =>
  command
    .option('--name <name>', 'as members know it')
    .addOption(repeatable('--redirect-uri <uri>', 'where members are sent back to'))
    .addOption(repeatable('--post-logout-uri <uri>', 'where they may be sent after signing out'))
    .option('--society <id>', 'whose members it signs in')
    .addOption(new Option('--acr <acr>', 'the weakest sign-in it takes').choices(ACR_LADDER))
    .addOption(new Option('--auth-method <method>', 'how it proves itself').choices(AUTH_METHODS))
    .addOption(repeatable('--set <name=value>', 'any other metadata, e.g. policy.thirdParty=true'))

const everyClient = async (
  { clients }: ClientDesk,
  id: string | undefined,
): ReturnType<typeof clients.known.list> => {
  if (id === undefined) return clients.known.list()
  const found = await clients.known.find(id)
  if (!found || found.origin === 'own') throw new UnknownClientError(id, 'nowhere')
  return [found]
}

const entriesIn = (file: string): readonly unknown[] => {
  let list: unknown
  try {
    list = JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    throw new CommandError(`${file} cannot be read, or is no JSON`)
  }
  if (Array.isArray(list)) return list
  throw new CommandError(`${file} is no JSON array of clients`)
}

/** A store that failed, or a client of the same ID that was registered meanwhile. */
class BrokenOffError extends CommandError {
  constructor(done: number, all: number, cause: unknown) {
    const reason = cause instanceof IdentityError ? (cause.detail ?? cause.code) : String(cause)
    super(
      `${done} of ${all} clients are registered, as told above. Look with "client list" whether ` +
        `the next one is too, take those out of the file, and import the rest: ${reason}`,
      { cause },
    )
  }
}

/** All or none: every entry is checked before the first is registered. What was registered before a
 * store failed all the same is `say`d. */
const importClients = async (
  { clients, config }: ClientDesk,
  entries: readonly unknown[],
  actor: Actor,
  options: Readonly<{ dryRun: boolean; format: Format; say: Io['say'] }>,
): Promise<string> => {
  const faults: string[] = []
  const seen = new Set<unknown>()
  for (const [index, entry] of entries.entries()) {
    const { client_id: id } = (entry ?? {}) as Readonly<{ client_id?: unknown }>
    const label = id === undefined ? `entry ${index + 1}` : String(id)
    if (id !== undefined && seen.has(id)) faults.push(`${label}: stands in the file twice`)
    seen.add(id)
    try {
      await clients.registry.create(entry, actor, { dryRun: true })
    } catch (error) {
      if (!(error instanceof ClientRefusedError)) throw error
      faults.push(...error.refusals.map((one) => `${label}: ${refusalText(one)}`))
    }
  }
  if (faults.length > 0) throw new CommandError(['Nothing is imported:', ...faults].join('\n  '))
  if (options.dryRun) return `${entries.length} clients can be imported.`
  const told: string[] = []
  const whole = () => (options.format === 'json' ? `[${told.join(',\n')}]` : told.join('\n\n'))
  try {
    for (const entry of entries) {
      const outcome = await clients.registry.create(entry, actor)
      told.push(outcomeText(outcome, config.issuer, options.format))
    }
  } catch (error) {
    // Their secrets are told this once.
    if (told.length > 0) options.say(whole())
    throw new BrokenOffError(told.length, entries.length, error)
  }
  return whole()
}

/** `kenpo-idp client …`: relying parties, and the tokens by which software registers itself. */
export const addClientCommands = (program: Command, { env, say, refusedSome }: Io): void => {
  const group = program.command('client').description('relying parties (docs/clients.md)')
  const common = (command: Command): Command =>
    command
      .addOption(
        new Option('--format <format>', 'of the answer').choices(['text', 'json']).default('text'),
      )
      .option('--operator <name>', 'who does this, for the audit trail', userInfo().username)
  const actorOf = ({ operator }: Common): Actor => ({
    operator: operatorName(operator),
    door: 'cli',
  })

  described(common(group.command('create')))
    .description('register a client; its secret is printed once')
    .addOption(
      new Option('--preset <kind>', 'what kind of software it is').choices(PRESETS).default('web'),
    )
    .option('--id <client_id>', 'one that you choose; made where left out')
    .action(async (given: Described & { preset: Preset }) => {
      const actor = actorOf(given)
      await withClients(env, async (desk) => {
        const under = presetMetadata(given.preset, desk.config.clientRules)
        const entry = { ...under, ...withSociety(entryOf(given), desk) }
        const outcome = await desk.clients.registry.create(entry, actor)
        say(outcomeText(outcome, desk.config.issuer, given.format, { snippets: true }))
      })
    })

  described(common(group.command('update').argument('<client_id>')))
    .description('change what is named and keep the rest')
    .addOption(repeatable('--unset <name>', 'metadata to take out'))
    .option('--allow-new-sub', 'even where every member gets another "sub" there')
    .action(async (id: string, given: Described & { allowNewSub?: true }) => {
      const actor = actorOf(given)
      await withClients(env, async ({ clients, config }) => {
        const options = { newSub: given.allowNewSub === true }
        const outcome = await clients.registry.update(id, entryOf(given), actor, options)
        say(outcomeText(outcome, config.issuer, given.format))
      })
    })

  common(group.command('list'))
    .description('all clients, of the store and of the clients file')
    .action(({ format }: Common) =>
      withClients(env, async (desk) => say(listText(await everyClient(desk, undefined), format))),
    )

  common(group.command('show').argument('<client_id>'))
    .description('one client, without its secrets')
    .action((id: string, { format }: Common) =>
      withClients(env, async (desk) => {
        for (const { client, origin } of await everyClient(desk, id)) {
          say(clientText(client, origin, format))
        }
      }),
    )

  common(group.command('rotate-secret').argument('<client_id>'))
    .description('make a new secret; the one before is taken for a while still')
    .addOption(
      new Option('--overlap-days <n>', 'how long; 0: it ends at once').default(`${OVERLAP_DAYS}`),
    )
    .option('--lost', 'the key that sealed the one before is lost, so nobody can read it')
    .action(async (id: string, given: Common & { overlapDays: string; lost?: true }) => {
      const days = wholeNumber('--overlap-days', given.overlapDays, [0, LONGEST_OVERLAP_DAYS])
      const actor = actorOf(given)
      await withClients(env, async ({ clients, config }) => {
        const options = { overlapSeconds: days * DAY, lost: given.lost === true }
        const outcome = await clients.registry.rotateSecret(id, options, actor)
        say(outcomeText(outcome, config.issuer, given.format))
      })
    })

  common(group.command('disable').argument('<client_id>'))
    .description('refuse it within five seconds; its tokens are dead for good')
    .option('--reason <text>', 'for who looks later')
    .action(async (id: string, given: Common & { reason?: string }) => {
      const actor = actorOf(given)
      await withClients(env, async ({ clients, config }) => {
        const reason = given.reason === undefined ? {} : { reason: given.reason }
        const outcome = await clients.registry.disable(id, reason, actor)
        say(outcomeText(outcome, config.issuer, given.format))
      })
    })

  common(group.command('enable').argument('<client_id>'))
    .description('take its requests again')
    .action(async (id: string, given: Common) => {
      const actor = actorOf(given)
      await withClients(env, async ({ clients, config }) =>
        say(outcomeText(await clients.registry.enable(id, actor), config.issuer, given.format)),
      )
    })

  common(group.command('delete').argument('<client_id>'))
    .description('remove it for good')
    .action(async (id: string, given: Common) => {
      const actor = actorOf(given)
      await withClients(env, async ({ clients }) => {
        await clients.registry.remove(id, actor)
        say(
          given.format === 'json'
            ? JSON.stringify({ client_id: id, deleted: true })
            : `${id} is deleted.`,
        )
      })
    })

  common(
    group.command('import').argument('<file>', 'JSON array of clients, as in the clients file'),
  )
    .description('register many at once, all or none')
    .option('--dry-run', 'check them all and register none')
    .action(async (file: string, given: Common & { dryRun?: true }) => {
      const actor = actorOf(given)
      const entries = entriesIn(file)
      await withClients(env, async (desk) => {
        const options = { dryRun: given.dryRun === true, format: given.format, say }
        say(await importClients(desk, entries, actor, options))
      })
    })

  common(group.command('doctor').argument('[client_id]', 'all of them where left out'))
    .description('look at everything a client needs; exit code 1 where something is wrong')
    .action((id: string | undefined, { format }: Common) =>
      withClients(env, async (desk) => {
        const { config, fetch, now } = desk
        const { issuer, clientRules: rules } = config
        const examination = { issuer, rules, fetch, fetchIssuer: globalThis.fetch, now }
        const examined = [
          { name: issuer, findings: await examineIssuer(examination) },
          ...(await Promise.all(
            (
              await everyClient(desk, id)
            ).map(async (known) => ({
              name: known.client.id,
              findings: await examineClient(known, examination),
            })),
          )),
        ]
        say(
          format === 'json'
            ? JSON.stringify(examined, null, 2)
            : examined
                .flatMap(({ name, findings }) => [name, ...findings.map(findingText)])
                .join('\n'),
        )
        if (examined.some(({ findings }) => findings.some(({ ok }) => !ok))) refusedSome()
      }),
    )

  const token = group.command('token').description('tokens by which software registers itself')
  type TokenOptions = Common &
    Readonly<{
      society?: string
      host?: readonly string[]
      scope?: readonly string[]
      uses: string
      days: string
      acr?: string
      thirdParty?: true
    }>

  common(token.command('create'))
    .description('make one (RFC 7591 initial access token); it is printed once')
    .option('--society <id>', 'whose members its clients sign in')
    .addOption(repeatable('--host <host>', 'where its clients may send members back to'))
    .addOption(repeatable('--scope <scope>', 'what its clients may ask for'))
    .option('--uses <n>', 'how many clients', '1')
    .option('--days <n>', 'how long it is good', '7')
    .addOption(new Option('--acr <acr>', 'the weakest sign-in').choices(ACR_LADDER))
    .option('--third-party', 'its clients are not the society’s own')
    .action(async (given: TokenOptions) => {
      const actor = actorOf(given)
      await withClients(env, async (desk) => {
        const policy = {
          ...(given.society !== undefined && { society: given.society }),
          ...(given.acr !== undefined && { requiredAcr: given.acr }),
          ...(given.thirdParty && { thirdParty: true }),
        }
        const entry = {
          ...withSociety({ policy }, desk),
          hosts: given.host ?? [],
          ...(given.scope && { scopes: given.scope }),
          uses: wholeNumber('--uses', given.uses, [1, 1000]),
          days: wholeNumber('--days', given.days, [1, 365]),
        }
        const made = await desk.clients.tokens.create(entry, actor)
        say(tokenText(made, desk.config.issuer, given.format))
        if (!desk.config.registration && given.format === 'text') {
          say('IDP_REGISTRATION is off here: the server must run with IDP_REGISTRATION=on.')
        }
      })
    })

  common(token.command('list'))
    .description('all of them, without the tokens themselves')
    .action(({ format }: Common) =>
      withClients(env, async ({ clients, now }) =>
        say(tokensText(await clients.tokens.list(), now, format)),
      ),
    )

  common(token.command('revoke').argument('<id>', 'as in the list'))
    .description('let it register nobody any more')
    .action(async (id: string, given: Common) => {
      const actor = actorOf(given)
      await withClients(env, async ({ clients, now }) =>
        say(tokensText([await clients.tokens.revoke(id, actor)], now, given.format)),
      )
    })
}
