import { createHash, timingSafeEqual } from 'node:crypto'
import {
  type Adapter,
  type AdapterFactory,
  type AdapterPayload,
  type Client,
  errors,
  Provider,
} from 'oidc-provider'
import type { Clock } from '../accounts/ports.ts'
import type { KnownClient, KnownClients } from '../clients/directory.ts'
import type { PolicyEntry } from '../clients/schema.ts'
import type { ClientRegistration } from './registration.ts'

/** What of a client the engine keeps without knowing it. */
export const EXTRA_CLIENT_METADATA = ['policy', 'client_name#ja', 'client_name#en']

/** Our own terms with a client that the engine has loaded. */
export const termsOf = (client: Client): Readonly<PolicyEntry> =>
  // Every client comes through the adapter below, which puts it there.
  (client as unknown as Readonly<{ policy: PolicyEntry }>).policy

/** Where a client itself is told why it is refused; elsewhere a disabled one is not there. */
const TELLING_ROUTES: ReadonlySet<string> = new Set([
  'authorization',
  'resume',
  'pushed_authorization_request',
  'token',
  'introspection',
  'revocation',
  'device_authorization',
  'backchannel_authentication',
  'client',
  'client_update',
  'client_delete',
])

/** The engine's own type leaves out the name of the route. */
const routeNow = (): string | undefined =>
  (Provider.ctx?.oidc as Readonly<{ route?: string }> | undefined)?.route

const isLive = ({ client }: KnownClient): boolean => {
  if (!client.disabled) return true
  if (!TELLING_ROUTES.has(routeNow() ?? '')) return false
  throw new errors.InvalidClient('client is disabled: ask the operator of this provider')
}

/** The client as the engine takes it. It knows an initiate_login_uri by https only; our pages use
 * one on this machine too. */
const payloadOf = ({ client, secretsAt }: KnownClient, now: number): AdapterPayload => {
  const { initiate_login_uri: start, ...metadata } = client.metadata
  const [secret] = secretsAt(now)
  const payload = {
    client_id: client.id,
    ...(client.registeredAt > 0 && { client_id_issued_at: client.registeredAt }),
    ...metadata,
    ...(start?.startsWith('https:') && { initiate_login_uri: start }),
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    policy: client.policy,
  }
  // Our schema takes such algorithms and response types as the configuration knows.
  return payload as AdapterPayload
}

const unused = (what: string) => async (): Promise<never> => {
  throw new TypeError(`the engine does not ask for ${what}`)
}

/** An adapter of which the engine uses these parts only. */
const partly = (parts: Pick<Adapter, 'find'> & Partial<Adapter>): Adapter => ({
  upsert: unused('upsert'),
  findByUid: unused('findByUid'),
  findByUserCode: unused('findByUserCode'),
  consume: unused('consume'),
  destroy: unused('destroy'),
  revokeByGrantId: unused('revokeByGrantId'),
  ...parts,
})

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** The artifacts under a digest of their ID, so that a look at the store yields no live token. */
const digested = (adapter: Adapter): Adapter => {
  const keyOf = (id: string): string => digest(id).toString('base64url')
  return {
    ...adapter,
    upsert: (id, payload, expiresIn) =>
      adapter.upsert(keyOf(id), { ...payload, jti: keyOf(id) }, expiresIn),
    find: async (id) => {
      const payload = await adapter.find(keyOf(id))
      return payload && { ...payload, jti: id }
    },
    destroy: (id) => adapter.destroy(keyOf(id)),
  }
}

/**
 * The engine's artifacts with its clients from where they are registered: it has none of its own, so
 * a change is seen without a restart. `registration` is asked when software registers itself.
 */
export const withClients =
  (
    artifacts: AdapterFactory,
    {
      known,
      clock,
      registration,
    }: Readonly<{ known: KnownClients; clock: Clock; registration: ClientRegistration }>,
  ): AdapterFactory =>
  (model) => {
    if (model === 'Client') {
      return partly({
        find: async (id) => {
          const found = await known.find(id)
          return found && isLive(found) ? payloadOf(found, clock.now()) : undefined
        },
        upsert: registration.save,
        destroy: registration.remove,
      })
    }
    if (model === 'InitialAccessToken') return partly({ find: registration.initialAccessToken })
    if (model !== 'RegistrationAccessToken') return artifacts(model)
    const stored = digested(artifacts(model))
    return {
      ...stored,
      // It reads the client's secret: it dies with the client that it was given to, and when that
      // is disabled.
      find: async (id) => {
        const payload = await stored.find(id)
        const found = payload?.clientId && (await known.find(payload.clientId))
        const holds =
          found &&
          found.origin === 'store' &&
          found.client.registration !== undefined &&
          (payload?.iat ?? 0) >= found.client.tokensSince
        return holds ? payload : undefined
      },
    }
  }

/** A key store of the engine's, as far as it is used here. */
type KeyStore = Iterable<Readonly<{ kty: string; alg?: string; use?: string; k?: string }>> & {
  add(key: object): void
  clear(): void
}

/**
 * While one secret takes another's place the engine takes both: for client_secret_basic and _post it
 * asks `Client#compareClientSecret`, for client_secret_jwt it tries each key of the client's
 * symmetric key store. @throws where the engine no longer has these
 */
export const acceptLiveSecrets = (
  provider: Provider,
  { known, clock }: Readonly<{ known: KnownClients; clock: Clock }>,
): void => {
  const { Client } = provider
  if (!('compareClientSecret' in Client.prototype)) {
    throw new Error('the engine has no Client#compareClientSecret: see provider/clients.ts')
  }
  const secretsOf = async (id: string): Promise<readonly string[]> =>
    (await known.find(id))?.secretsAt(clock.now()) ?? []

  Object.defineProperty(Client.prototype, 'compareClientSecret', {
    async value(this: Client, actual: string) {
      const given = digest(actual)
      const secrets = await secretsOf(this.clientId)
      return secrets.map((secret) => timingSafeEqual(digest(secret), given)).includes(true)
    },
  })

  /** What is in a client's key store beside what the engine put there. */
  const added = new WeakMap<object, Readonly<{ secrets: string; keys: ReadonlySet<object> }>>()
  const addFormerKeys = async (client: Client): Promise<void> => {
    const [, ...former] = await secretsOf(client.clientId)
    const secrets = former.join('\n')
    const before = added.get(client)
    if ((before?.secrets ?? '') === secrets) return
    const { symmetricKeyStore: store } = client as unknown as Readonly<{
      symmetricKeyStore: KeyStore
    }>
    const own = [...store].filter((key) => !before?.keys.has(key))
    const keys = own
      .filter(({ use }) => use === 'sig')
      .flatMap((key) =>
        former.map((one) => ({ ...key, k: Buffer.from(one).toString('base64url') })),
      )
    // Nothing else runs between the two: no request sees the store empty.
    store.clear()
    for (const key of [...own, ...keys]) store.add(key)
    added.set(client, { secrets, keys: new Set(keys) })
  }

  const find = Client.find.bind(Client)
  Object.defineProperty(Client, 'find', {
    value: async (id: string) => {
      const client = await find(id)
      if (client?.tokenEndpointAuthMethod === 'client_secret_jwt') await addFormerKeys(client)
      return client
    },
  })
}
