import type { AuditAct, AuditTrail, Clock, RandomBytes } from '../accounts/ports.ts'
import type { RegistrationLimits } from './client.ts'
import { type RegistrationTokenStore, StaleRecordError } from './ports.ts'
import { ClientRefusedError, checked, refused } from './refusal.ts'
import { type Actor, UnknownClientError } from './registry.ts'
import type { ClientEntry, ClientRules } from './schema.ts'
import {
  isUsable,
  makeToken,
  type RegistrationToken,
  type TokenState,
  tokenId,
  tokenSchema,
  tokenState,
} from './tokens.ts'
import { isLoopbackHost } from './uris.ts'

type Ports = Readonly<{
  tokens: RegistrationTokenStore
  rules: ClientRules
  audit: AuditTrail
  clock: Clock
  randomBytes: RandomBytes
}>

const TRIES = 20

/** In place of hosts: the conformance profile alone lets software come from anywhere. */
export const ANY_HOST = '*'

/** Where members are sent, or what they are shown as the client's own (RFC 7591 section 5). */
const MEMBERS_SEE = [
  'client_uri',
  'initiate_login_uri',
  'logo_uri',
  'policy_uri',
  'tos_uri',
] as const

/** Every address of the entry that members may come to, under its parameter's name. */
const addressesIn = (
  entry: ClientEntry,
): readonly (readonly [parameter: string, uri: string])[] => [
  ...(['redirect_uris', 'post_logout_redirect_uris'] as const).flatMap((parameter) =>
    (entry[parameter] ?? []).map((uri, index) => [`${parameter}[${index}]`, uri] as const),
  ),
  ...MEMBERS_SEE.flatMap((parameter) => {
    const uri = entry[parameter]
    return uri === undefined ? [] : [[parameter, uri] as const]
  }),
]

/**
 * What software that registers itself may have, whatever the schema lets pass: its own hosts and
 * scopes, only sign-ins of members, and a name of its own for each. @throws ClientRefusedError
 */
export const requireWithin = (entry: ClientEntry, { hosts, scopes }: RegistrationLimits): void => {
  const faults = addressesIn(entry).flatMap(([parameter, uri]) => {
    const { host, hostname, protocol } = new URL(uri)
    // An app's own scheme can have any host in it.
    const isWeb = protocol === 'https:' || protocol === 'http:'
    // The port of an app on the member's device is found when it runs (RFC 8252 section 7.3).
    const known = isLoopbackHost(hostname) ? hosts.includes(hostname) : false
    if (isWeb && (known || hosts.includes(host) || hosts.includes(ANY_HOST))) return []
    return [
      {
        parameter,
        value: JSON.stringify(uri),
        rule: 'is at a host that the registration token does not allow',
        fix: `Use one of: ${hosts.join(', ')}; or ask the operator for another token.`,
      },
    ]
  })
  if (faults.length > 0) throw new ClientRefusedError(faults)
  const scope = entry.scope?.split(' ').find((one) => !scopes.includes(one))
  if (scope !== undefined) {
    const fix = `Use some of: ${scopes.join(' ')}.`
    throw refused('scope', `has "${scope}", which the registration token does not allow`, fix)
  }
  if (entry.subject_type === 'public' && !hosts.includes(ANY_HOST)) {
    const fix = 'Use "pairwise", or ask the operator to register the client.'
    throw refused('subject_type', 'is not one that software may register for', fix, 'public')
  }
  if (entry.grant_types.includes('client_credentials')) {
    const fix = 'Ask the operator to register the client.'
    throw refused('grant_types', 'has "client_credentials"', fix, entry.grant_types)
  }
}

/** Initial access tokens (RFC 7591 section 3): made, listed and taken back by operators. */
export const createRegistrationTokens = (ports: Ports) => {
  const { tokens, rules, audit, clock, randomBytes } = ports

  const tell = (act: AuditAct, { id, policy }: RegistrationToken, { operator, door }: Actor) =>
    audit.append({
      id: `${act}-${randomBytes(16).toString('base64url')}`,
      at: clock.now(),
      act,
      societyId: policy.society,
      memberId: `registration:${id}`,
      operator,
      facts: { door },
    })

  const usable = async (token: string): Promise<RegistrationToken | undefined> => {
    const id = tokenId(token)
    const record = id === undefined ? undefined : await tokens.find(id)
    return record && isUsable(record, token, clock.now()) ? record : undefined
  }

  return {
    /** The token is told this once. @throws ClientRefusedError */
    create: async (input: unknown, actor: Actor) => {
      const entry = checked(tokenSchema(rules), input)
      const made = makeToken(entry, { now: clock.now(), randomBytes })
      // Told first: a token that was stored is shown, whatever fails.
      await tell('registrationTokenCreated', made.record, actor)
      const record = await tokens.save(made.record)
      return { record, token: made.token }
    },

    list: (): Promise<readonly RegistrationToken[]> => tokens.list(),

    /** Registers nobody any more; whom it has registered stays. @throws UnknownClientError */
    revoke: async (id: string, actor: Actor): Promise<RegistrationToken> => {
      for (let tried = 1; ; tried += 1) {
        const record = await tokens.find(id)
        if (!record) throw new UnknownClientError(id, 'nowhere')
        if (record.revokedAt !== undefined) return record
        try {
          const revoked = await tokens.save({ ...record, revokedAt: clock.now() })
          await tell('registrationTokenRevoked', revoked, actor)
          return revoked
        } catch (error) {
          if (!(error instanceof StaleRecordError) || tried === TRIES) throw error
        }
      }
    },

    /** The token's record, while it may register one more client. */
    usable,

    /** Why a token registers nobody, for whoever looks after it: a made-up one is `unknown`. */
    stateOf: async (token: string): Promise<TokenState> => {
      const id = tokenId(token)
      const record = id === undefined ? undefined : await tokens.find(id)
      return record ? tokenState(record, token, clock.now()) : 'unknown'
    },

    /** Uses it once: of many callers at once no more than it allows are told true. */
    spend: async (token: string): Promise<boolean> => {
      for (let tried = 1; ; tried += 1) {
        const record = await usable(token)
        if (!record) return false
        try {
          await tokens.save({ ...record, used: record.used + 1 })
          return true
        } catch (error) {
          if (!(error instanceof StaleRecordError) || tried === TRIES) throw error
        }
      }
    },
  }
}
export type RegistrationTokens = ReturnType<typeof createRegistrationTokens>
