import { createHash, timingSafeEqual } from 'node:crypto'
import {
  type Adapter,
  type AdapterFactory,
  type AdapterPayload,
  type Client,
  errors,
  Provider,
} from 'oidc-provider'
import type { Clock, Log, RandomBytes } from '../accounts/ports.ts'
import type { KnownClient, KnownClients } from '../clients/directory.ts'
import type { Feature, Features } from '../clients/features.ts'
import { type ClientMetadata, type PolicyEntry, usesSecret } from '../clients/schema.ts'
import { scopesAllowed } from '../clients/scopes.ts'
import type { ClientRegistration } from './registration.ts'

/** What of a client the engine keeps without knowing it. */
export const EXTRA_CLIENT_METADATA = ['policy', 'client_name#ja', 'client_name#en', 'request_uris']

/** Our own terms with a client that the engine has loaded. */
export const termsOf = (client: Client): Readonly<PolicyEntry> =>
  // Every client comes through the adapter below, which puts it there.
  (client as unknown as Readonly<{ policy: PolicyEntry }>).policy

/** Where a client proves itself; one that cannot is told so by 401 (RFC 6749 section 5.2). */
const PROVING_ROUTES: ReadonlySet<string> = new Set([
  'pushed_authorization_request',
  'token',
  'introspection',
  'revocation',
  'device_authorization',
  'backchannel_authentication',
])

/** Where a client itself is told why it is refused; elsewhere one that is stopped is not there. */
const TELLING_ROUTES: ReadonlySet<string> = new Set([
  ...PROVING_ROUTES,
  'authorization',
  'resume',
  'client',
  'client_update',
  'client_delete',
])

/** Where a client is told its secret, or stores the one it was told. */
const SECRET_ROUTES: ReadonlySet<string> = new Set(['client', 'client_update'])

/** The engine's own type leaves out the name of the route. */
const routeNow = (): string | undefined =>
  (Provider.ctx?.oidc as Readonly<{ route?: string }> | undefined)?.route

/** What holds a client to more, and is nothing to hold it to while its feature is off. */
const HOLDS: readonly (readonly [name: keyof ClientMetadata, feature: Feature])[] = [
  ['require_signed_request_object', 'request-objects'],
  ['require_pushed_authorization_requests', 'pushed-authorization'],
  ['dpop_bound_access_tokens', 'dpop'],
]

/** Why nobody may be this client now; undefined: it is served. Features are switched off later than
 * it was registered. */
const stopOf = ({ client }: KnownClient, features: Features): string | undefined => {
  if (client.disabled) return 'client is disabled: ask the operator of this provider'
  const { metadata } = client
  const held = HOLDS.find(([name, feature]) => metadata[name] === true && !features.has(feature))
  if (held) return `${held[0]} needs ${held[1]}, which is switched off`
  // The engine takes a client without scopes for one that may ask for any.
  if (scopesAllowed(client, features).length === 0) {
    return 'scope names only what is switched off'
  }
  return undefined
}

const refusalAt = (route: string, reason: string): Error => {
  const refusal = new errors.InvalidClient(reason)
  return PROVING_ROUTES.has(route)
    ? Object.assign(refusal, { statusCode: 401, status: 401 })
    : refusal
}

const isServed = (known: KnownClient, features: Features): boolean => {
  const reason = stopOf(known, features)
  if (reason === undefined) return true
  const route = routeNow() ?? ''
  if (!TELLING_ROUTES.has(route)) return false
  throw refusalAt(route, reason)
}

/** What of the client's registration is of no use while its feature is off. */
const switchedOn = (client: KnownClient['client'], features: Features) => {
  const { grant_types: grants, response_modes: modes } = client.metadata
  return {
    scope: scopesAllowed(client, features).join(' '),
    grant_types: grants.filter(
      (grant) => grant !== 'client_credentials' || features.has('client-credentials'),
    ),
    // The engine cannot switch it off, but for a client.
    ...(!features.has('form-post') && {
      response_modes: (modes ?? ['query', 'fragment']).filter((mode) => mode !== 'form_post'),
    }),
  }
}

/** The one who is proving itself now is the first client that the request asks for. */
const isProving = (route: string): boolean =>
  PROVING_ROUTES.has(route) && Provider.ctx?.oidc.client === undefined

/**
 * What the engine takes for the client's secret. `nobodys` stands in for those that cannot be read, so
 * that its members can go on: it is never told, and no client proves itself by it.
 * @throws where the client has nothing to prove itself by
 */
const secretOf = (
  { client, secretsAt, unreadableAt }: KnownClient,
  now: number,
  nobodys: string,
): string | undefined => {
  const [secret] = secretsAt(now)
  const { token_endpoint_auth_method: method } = client.metadata
  if (secret !== undefined || !usesSecret(method) || unreadableAt(now).length === 0) return secret
  const route = routeNow() ?? ''
  if (!isProving(route) && !SECRET_ROUTES.has(route)) return nobodys
  throw refusalAt(route, 'client secret cannot be read: ask the operator of this provider')
}

/** The client as the engine takes it. It knows an initiate_login_uri by https only; our pages use
 * one on this machine too. */
const payloadOf = (
  { client }: KnownClient,
  secret: string | undefined,
  features: Features,
): AdapterPayload => {
  const { initiate_login_uri: start, ...metadata } = client.metadata
  const payload = {
    client_id: client.id,
    ...(client.registeredAt > 0 && { client_id_issued_at: client.registeredAt }),
    ...metadata,
    ...switchedOn(client, features),
    ...(start?.startsWith('https:') && { initiate_login_uri: start }),
    ...(secret !== undefined && { client_secret: secret, client_secret_expires_at: 0 }),
    policy: client.policy,
  }
  // Our schema takes such algorithms and response types as the configuration knows.
  return payload as AdapterPayload
}

/** One line for each client with such a secret, again after the seconds for which it is kept. */
const createUnreadableNews = (log: Log) => {
  const told = new WeakSet<KnownClient>()
  return (known: KnownClient, now: number): void => {
    const unreadable = known.unreadableAt(now)
    if (unreadable.length === 0 || told.has(known)) return
    told.add(known)
    const [{ reason, encryptionKey } = {}] = unreadable
    const facts = { clientId: known.client.id, reason: `${reason} (${encryptionKey})` }
    if (known.secretsAt(now).length > 0) log.warn(facts, 'client_secret_unreadable')
    else log.error(facts, 'client_secret_unreadable')
  }
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
export const withClients = (
  artifacts: AdapterFactory,
  {
    known,
    clock,
    log,
    randomBytes,
    registration,
    features,
  }: Readonly<{
    known: KnownClients
    clock: Clock
    log: Log
    randomBytes: RandomBytes
    registration: ClientRegistration
    features: Features
  }>,
): AdapterFactory => {
  const nobodys = randomBytes(32).toString('base64url')
  const tellUnreadable = createUnreadableNews(log)
  return (model) => {
    if (model === 'Client') {
      return partly({
        find: async (id) => {
          const found = await known.find(id)
          if (!found || !isServed(found, features)) return undefined
          const now = clock.now()
          tellUnreadable(found, now)
          return payloadOf(found, secretOf(found, now, nobodys), features)
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
