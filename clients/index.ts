import type { AuditTrail, ClientDirectory, Clock, RandomBytes } from '../accounts/ports.ts'
import type { EncryptionKey } from '../factors/seal.ts'
import { createSeal } from '../factors/seal.ts'
import { policyOf, type RegisteredClient } from './client.ts'
import { createKnownClients, type FileClient, type KnownClients } from './directory.ts'
import type { ClientStore, RegistrationTokenStore } from './ports.ts'
import { createRegistrationTokens, type RegistrationTokens } from './registration.ts'
import { type ClientRegistry, createClientRegistry } from './registry.ts'
import type { ClientRules } from './schema.ts'
import type { OpenSecret } from './secrets.ts'
import type { Fetch } from './sector.ts'

/** Everything about relying parties: look-up, registration, and who may register themselves. */
export type Clients = ClientDirectory &
  Readonly<{
    known: KnownClients
    registry: ClientRegistry
    tokens: RegistrationTokens
    rules: ClientRules
  }>

export type ClientsOptions = Readonly<{
  /** Registered by us; nobody can take their IDs. */
  own: readonly RegisteredClient[]
  /** As the clients file is now. */
  file: () => ReadonlyMap<string, FileClient>
  rules: ClientRules
  /** Newest first. */
  encryptionKeys: readonly EncryptionKey[]
  store: ClientStore
  tokens: RegistrationTokenStore
  audit: AuditTrail
  clock: Clock
  randomBytes: RandomBytes
  /** Where addresses that a client names are called. */
  fetch: Fetch
  /** Milliseconds, of any beginning. */
  stopwatch?: () => number
}>

const aad = (id: string): string => `client|${id}`

/** Puts the clients of all sources together, with the one way of changing those of the store. */
export const createClients = (options: ClientsOptions): Clients => {
  const { own, file, rules, encryptionKeys, store, audit, clock, randomBytes, fetch } = options
  const seal = createSeal(encryptionKeys, randomBytes)
  const openSecret: OpenSecret = ({ id }, sealed) => seal.open(sealed, aad(id)).toString('utf8')
  const known = createKnownClients({
    own: new Map(own.map((client) => [client.id, client])),
    file,
    store,
    openSecret,
    ...(options.stopwatch && { stopwatch: options.stopwatch }),
  })
  return {
    known,
    rules,
    registry: createClientRegistry({
      known,
      store,
      rules,
      audit,
      clock,
      randomBytes,
      fetch,
      sealSecret: (id, secret) => seal.seal(Buffer.from(secret), aad(id)),
      openSecret,
    }),
    tokens: createRegistrationTokens({ tokens: options.tokens, rules, audit, clock, randomBytes }),
    find: async (id) => {
      const found = await known.find(id)
      return found && !found.client.disabled ? policyOf(found.client) : undefined
    },
  }
}
