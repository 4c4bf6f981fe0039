import type { AuditAct, AuditTrail, Clock, RandomBytes } from '../accounts/ports.ts'
import type { RegistrationLimits } from './client.ts'
import { type RegistrationTokenStore, StaleRecordError } from './ports.ts'
import { ClientRefusedError, checked, refused } from './refusal.ts'
import { type Actor, UnknownClientError } from './registry.ts'
import type { ClientEntry, ClientRules } from './schema.ts'
import { isUsable, makeToken, type RegistrationToken, tokenId, tokenSchema } from './tokens.ts'
import { isLoopbackHost } from './uris.ts'

type Ports = Readonly<{
  tokens: RegistrationTokenStore
  rules: ClientRules
  audit: AuditTrail
  clock: Clock
  randomBytes: RandomBytes
}>

const TRIES = 20

/**
 * What software that registers itself may have, whatever the schema lets pass: its own hosts and
 * scopes, and only sign-ins of members. @throws ClientRefusedError
 */
export const requireWithin = (entry: ClientEntry, { hosts, scopes }: RegistrationLimits): void => {
  const faults = (['redirect_uris', 'post_logout_redirect_uris'] as const).flatMap((parameter) =>
    (entry[parameter] ?? []).flatMap((uri, index) => {
      const { host, hostname, protocol } = new URL(uri)
      // An app's own scheme can have any host in it.
      const isWeb = protocol === 'https:' || protocol === 'http:'
      // The port of an app on the member's device is found when it runs (RFC 8252 section 7.3).
      const known = isLoopbackHost(hostname) ? hosts.includes(hostname) : false
      if (isWeb && (known || hosts.includes(host))) return []
      return [
        {
          parameter: `${parameter}[${index}]`,
          value: JSON.stringify(uri),
          rule: 'is at a host that the registration token does not allow',
          fix: `Use one of: ${hosts.join(', ')}; or ask the operator for another token.`,
        },
      ]
    }),
  )
  if (faults.length > 0) throw new ClientRefusedError(faults)
  const scope = entry.scope?.split(' ').find((one) => !scopes.includes(one))
  if (scope !== undefined) {
    const fix = `Use some of: ${scopes.join(' ')}.`
    throw refused('scope', `has "${scope}", which the registration token does not allow`, fix)
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
      const record = await tokens.save(made.record)
      await tell('registrationTokenCreated', record, actor)
      return { record, token: made.token }
    },

    list: (): Promise<readonly RegistrationToken[]> => tokens.list(),

    /** Registers nobody any more; whom it has registered stays. @throws UnknownClientError */
    revoke: async (id: string, actor: Actor): Promise<RegistrationToken> => {
      const record = await tokens.find(id)
      if (!record) throw new UnknownClientError(id, 'nowhere')
      const revoked = await tokens.save({ ...record, revokedAt: record.revokedAt ?? clock.now() })
      await tell('registrationTokenRevoked', revoked, actor)
      return revoked
    },

    /** The token's record, while it may register one more client. */
    usable,

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
