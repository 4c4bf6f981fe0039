import { type Command, Option } from 'commander'
import type { EpochSeconds } from '../accounts/member.ts'
import { keepSetting, openAdapters } from '../adapters/index.ts'
import { systemClock, systemRandom } from '../adapters/system.ts'
import { type AppConfig, type Environment, loadConfig } from '../config/index.ts'
import { sealedUnder, UnreadableSecretError } from '../factors/seal.ts'
import { KeysRefusedError, type SigningKeys } from '../keys/index.ts'
import {
  type KeyRing,
  LEAD_SECONDS,
  type PlacedKey,
  placesOf,
  SPREAD_SECONDS,
} from '../keys/ring.ts'
import { keysAtRest } from '../signing-keys.ts'
import { type Format, json, table } from './client-text.ts'
import { CommandError, UsageError } from './command-error.ts'
import { operatorName, wholeNumber } from './desk.ts'

type Io = Readonly<{ env: Environment; say: (line: string) => void }>
type Rotation = Readonly<{
  operator: string
  leadHours: string
  now?: true
  lost?: true
  format: Format
}>

const HOUR = 3600
/** Apps that keep the keys for longer than a month do not follow any standard. */
const LONGEST_LEAD_HOURS = 720

const dateOf = (at: EpochSeconds): string => new Date(at * 1000).toISOString().replace('.000', '')

const refusalText = ({ reason, detail }: KeysRefusedError): string => {
  switch (reason) {
    case 'none':
      return 'There are no signing keys yet: a server makes them when it first starts.'
    case 'pending':
      return (
        `A rotation is under way: the keys published ahead begin to sign at ${dateOf(Number(detail))}. ` +
        'Wait, or revoke all keys with --now.'
      )
    case 'held':
      return (
        'The store has signing keys of its own already: they sign once IDP_JWKS is gone. ' +
        'Nothing was done.'
      )
    case 'algorithm':
      return `A key in IDP_JWKS is for ${detail}, which is not made here: it cannot be handed over.`
  }
}

const unreadableText = ({ detail }: UnreadableSecretError): string =>
  `The signing keys in the store cannot be read with these IDP_ENCRYPTION_KEYS: ${detail}.\n` +
  'Servers that can read them could not read new ones made here, and would stop: run this with ' +
  'the servers’ own.\n' +
  'Where the key that sealed them is lost, add --now --lost. Nothing was done.'

const withKeys = async (
  env: Environment,
  work: (keys: SigningKeys, config: AppConfig) => Promise<string>,
): Promise<string> => {
  const config = loadConfig(env, undefined, keepSetting)
  const adapters = await openAdapters(config, systemClock)
  const ports = { clock: systemClock, randomBytes: systemRandom }
  try {
    return await work(keysAtRest(config, adapters, ports), config)
  } catch (error) {
    if (error instanceof KeysRefusedError) throw new CommandError(refusalText(error))
    if (error instanceof UnreadableSecretError) throw new CommandError(unreadableText(error))
    throw error
  } finally {
    await adapters.close()
  }
}

/** A key as the operator may see it: nothing of it is secret. */
const view = ({ key, state, until }: PlacedKey) => ({
  kid: key.kid,
  alg: key.alg,
  state,
  created_at: dateOf(key.createdAt),
  active_at: dateOf(key.activeAt),
  ...(until !== undefined && { until: dateOf(until) }),
  encryption_key: sealedUnder(key.sealed),
})

const ringText = (ring: KeyRing, format: Format): string => {
  const views = placesOf(ring, systemClock.now())
    .filter(({ state }) => state !== 'gone')
    .map(view)
  if (format === 'json') return json({ source: 'store', keys: views })
  return table([
    ['STATE', 'ALG', 'SIGNS FROM', 'UNTIL', 'SEALED BY', 'KID'],
    ...views.map((one) => [
      one.state,
      one.alg,
      one.active_at,
      one.until ?? '-',
      one.encryption_key,
      one.kid,
    ]),
  ])
}

const configuredText = ({ keys }: NonNullable<AppConfig['jwks']>, format: Format): string => {
  const views = keys.map(({ kid, alg }, index) => ({
    kid,
    alg,
    state: keys.findIndex((key) => key.alg === alg) === index ? 'active' : 'published',
  }))
  if (format === 'json') return json({ source: 'IDP_JWKS', keys: views })
  return [
    'These stand in IDP_JWKS; those in the store are not used.',
    table([['STATE', 'ALG', 'KID'], ...views.map(({ state, alg, kid }) => [state, alg, kid])]),
  ].join('\n')
}

const list = async (keys: SigningKeys, { jwks }: AppConfig, format: Format): Promise<string> => {
  if (jwks) return configuredText(jwks, format)
  const ring = await keys.find()
  if (!ring) throw new KeysRefusedError('none')
  return ringText(ring, format)
}

const rotate = async (
  keys: SigningKeys,
  { jwks }: AppConfig,
  { operator: typed, leadHours, now, lost, format }: Rotation,
): Promise<string> => {
  const operator = operatorName(typed)
  const hours = wholeNumber('--lead-hours', leadHours, [1, LONGEST_LEAD_HOURS])
  if (jwks) {
    throw new CommandError(
      'The signing keys stand in IDP_JWKS: change them there, or hand them over with ' +
        '"kenpo-idp keys adopt" and start the servers without IDP_JWKS.',
    )
  }
  if (lost && !now) throw new UsageError('--lost goes with --now: lost keys cannot sign on.')
  const held = now && !lost ? await keys.find() : undefined
  if (held) keys.open(held, systemClock.now())
  const ring = now ? await keys.revoke(operator) : await keys.rotate(operator, hours * HOUR)
  const text = ringText(ring, format)
  if (format === 'json') return text
  if (lost) {
    return `${text}\nAll former keys are revoked, and those that nobody can read are gone. Start the servers with these IDP_ENCRYPTION_KEYS.`
  }
  return now
    ? `${text}\nAll former keys are revoked. Every server signs with the new ones in ${SPREAD_SECONDS} seconds.`
    : `${text}\nThe new keys are published within ${SPREAD_SECONDS} seconds, and take over by themselves.`
}

const adopt = async (
  keys: SigningKeys,
  { jwks }: AppConfig,
  { operator: typed, format }: Readonly<{ operator: string; format: Format }>,
): Promise<string> => {
  const operator = operatorName(typed)
  if (!jwks) throw new CommandError('IDP_JWKS is not set: there is nothing to hand over.')
  const text = ringText(await keys.adopt(operator, jwks.keys), format)
  if (format === 'json') return text
  return `${text}\nNow start the servers without IDP_JWKS, one by one.`
}

/** `keys list|rotate|adopt`: what ID tokens and sign-out notices are signed with. */
export const addKeyCommands = (program: Command, { env, say }: Io): void => {
  const keys = program.command('keys').description('the keys that sign ID tokens')
  const formatOption = (): Option =>
    new Option('--format <format>', 'of the answer').choices(['text', 'json']).default('text')
  const operatorOption = (): Option =>
    new Option('--operator <name>', 'who does this, for the audit trail').makeOptionMandatory()

  keys
    .command('list')
    .description('list the keys: signing, published ahead, retired; nothing secret')
    .addOption(formatOption())
    .action(async ({ format }: { format: Format }) => {
      say(await withKeys(env, (atRest, config) => list(atRest, config, format)))
    })
  keys
    .command('rotate')
    .description('publish new keys now; they sign later, and the former ones retire by themselves')
    .addOption(operatorOption())
    .option(
      '--lead-hours <n>',
      'how long apps have to fetch the new keys before they sign',
      `${LEAD_SECONDS / HOUR}`,
    )
    .option('--now', 'a key is in wrong hands: revoke all keys at once, and sign with new ones')
    .option('--lost', 'with --now: the key that sealed them is lost, so nobody can read them')
    .addOption(formatOption())
    .action(async (given: Rotation) => {
      say(await withKeys(env, (atRest, config) => rotate(atRest, config, given)))
    })
  keys
    .command('adopt')
    .description('take the keys in IDP_JWKS into the store, so that they can be rotated here')
    .addOption(operatorOption())
    .addOption(formatOption())
    .action(async (given: { operator: string; format: Format }) => {
      say(await withKeys(env, (atRest, config) => adopt(atRest, config, given)))
    })
}
