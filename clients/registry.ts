import { IdentityError } from '../accounts/errors.ts'
import type { EpochSeconds } from '../accounts/member.ts'
import type { AuditAct, AuditTrail, Clock, RandomBytes } from '../accounts/ports.ts'
import { liveSecrets, type RegisteredClient, type RegistrationLimits } from './client.ts'
import type { KnownClients } from './directory.ts'
import { type ClientStore, StaleRecordError } from './ports.ts'
import { checked, refused } from './refusal.ts'
import {
  type ClientEntry,
  type ClientMetadata,
  type ClientRules,
  clientSchema,
  type Door,
  usesSecret,
} from './schema.ts'
import { type OpenSecret, openSecrets, type UnreadableSecret } from './secrets.ts'
import { checkSector, type Fetch, subjectsOf } from './sector.ts'

/** Who changes a client, and how, for the audit trail. */
export type Actor = Readonly<{ operator: string; door: 'cli' | 'admin' | 'registration' }>

/** No such client can be changed: there is none, or it is in the file or our own. */
export class UnknownClientError extends IdentityError {
  constructor(id: string, where: 'nowhere' | 'file' | 'own') {
    const reason = {
      nowhere: 'no such client is registered',
      file: 'it is registered in the clients file: change it there',
      own: 'it is one of ours and cannot be changed',
    }
    super('unknown_client', where === 'nowhere' ? 404 : 409, `client ${id}: ${reason[where]}`)
  }
}

/** A client as it now is; `secret` only where one was made, and only this once. `dropped` is how many
 * former secrets have ended because they could not be read. */
export type Outcome = Readonly<{ client: RegisteredClient; secret?: string; dropped?: number }>

export type RegistryPorts = Readonly<{
  known: KnownClients
  store: ClientStore
  rules: ClientRules
  audit: AuditTrail
  clock: Clock
  randomBytes: RandomBytes
  /** Where addresses that a client names are called. */
  fetch: Fetch
  sealSecret: (id: string, secret: string) => string
  openSecret: OpenSecret
}>

const ID_BYTES = 10
const SECRET_BYTES = 32
/** By so much the clocks of two machines may differ without a new client's tokens being dead. */
const SKEW_SECONDS = 60
/** Two that change one client at once: one of them tries again. */
const TRIES = 5
/** Done only while the client is at this revision; absent: at whichever. */
type Condition = Readonly<{ revision?: number }>
/** What a client that is asked for must say itself: a value may be taken out with null. */
type Patch = Readonly<Record<string, unknown>>

/** What two registrations differ in, by name. */
const changedNames = (before: object, after: object): string =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter(
      (name) =>
        JSON.stringify(Reflect.get(before, name)) !== JSON.stringify(Reflect.get(after, name)),
    )
    .sort()
    .join(', ')

/** A client's own entry, as one would write it to register the same again; without its secrets. */
export const entryOf = ({ id, metadata, policy }: RegisteredClient) => ({
  client_id: id,
  ...metadata,
  policy,
})

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const patched = (client: RegisteredClient, patch: Patch): Patch => {
  const { policy, ...rest } = patch
  if (policy !== undefined && !isObject(policy)) {
    throw refused('policy', 'is no object', 'Name what of it is to change; it cannot be taken out.')
  }
  const merge = (under: object, over: object): Patch =>
    Object.fromEntries(Object.entries({ ...under, ...over }).filter(([, value]) => value !== null))
  return { ...merge(entryOf(client), rest), policy: merge(client.policy, policy ?? {}) }
}

/** Whether members are known there by the same `sub` as before, those whom it knows. Once it signs
 * nobody in, nothing tells any more what their `sub` came from. */
const keepsSubjects = (client: RegisteredClient, metadata: ClientMetadata): boolean => {
  const before = subjectsOf(client.id, client.metadata)
  return before === undefined || before === subjectsOf(client.id, metadata)
}

const newSubjects = (client: RegisteredClient, metadata: ClientMetadata) =>
  refused(
    metadata.subject_type === client.metadata.subject_type ? 'redirect_uris' : 'subject_type',
    `gives every member of this client another "sub": ${subjectsOf(client.id, client.metadata)} becomes ${subjectsOf(client.id, metadata) ?? 'none'}`,
    'Keep a redirect URI, or a sector_identifier_uri, at the former host; or, if the app knows none of its members by "sub", ' +
      'say so: --allow-new-sub of client update, allow_new_sub=true in the query of the admin API.',
  )

const unreadable = ({ reason, encryptionKey }: UnreadableSecret) =>
  refused(
    'client_secret',
    `cannot be read: ${reason} ("${encryptionKey}")`,
    'Do this with the servers’ own IDP_ENCRYPTION_KEYS, or they cannot read the new one. Where that key is lost, ' +
      'say so: --lost of client rotate-secret, "lost": true in the body of the admin API.',
  )

/**
 * The one way in which clients are registered and changed, whichever door they come in by. Every
 * change is checked whole, stored by compare-and-set, and told to the audit trail with the operator.
 */
export const createClientRegistry = (ports: RegistryPorts) => {
  const { known, store, rules, audit, clock, randomBytes, fetch, sealSecret, openSecret } = ports

  const tell = (
    act: AuditAct,
    { id, policy }: Pick<RegisteredClient, 'id' | 'policy'>,
    { operator, door }: Actor,
    facts: Readonly<Record<string, string>> = {},
  ): Promise<void> =>
    audit.append({
      id: `${act}-${randomBytes(16).toString('base64url')}`,
      at: clock.now(),
      act,
      societyId: policy.society,
      memberId: `client:${id}`,
      operator,
      facts: { door, ...facts },
    })

  const check = (input: unknown, door: Door): ClientEntry =>
    checked(clientSchema(rules, door), input)

  const requireFree = async (id: string): Promise<void> => {
    if (!known.atHand(id) && !(await store.find(id))) return
    throw refused('client_id', 'is another client’s', 'Choose another, or leave it out.', id)
  }

  const newSecret = (id: string, now: EpochSeconds, given?: string) => {
    const secret = given ?? randomBytes(SECRET_BYTES).toString('base64url')
    return { secret, kept: { sealed: sealSecret(id, secret), createdAt: now } }
  }

  const find = async (id: string): Promise<RegisteredClient> => {
    const atHand = known.atHand(id)
    if (atHand) throw new UnknownClientError(id, atHand.origin === 'own' ? 'own' : 'file')
    const client = await store.find(id)
    if (!client) throw new UnknownClientError(id, 'nowhere')
    return client
  }

  const save = async (client: RegisteredClient): Promise<RegisteredClient> => {
    const saved = await store.save(client)
    known.forget(client.id)
    return saved
  }

  const requireRevision = ({ id, revision }: RegisteredClient, condition: Condition): void => {
    if (condition.revision === undefined || condition.revision === revision) return
    throw new StaleRecordError(id)
  }

  /** Loads, changes and saves, again where another was faster and that does not matter. */
  const change = async (
    id: string,
    condition: Condition,
    apply: (client: RegisteredClient) => Promise<RegisteredClient>,
  ): Promise<Readonly<{ before: RegisteredClient; after: RegisteredClient }>> => {
    for (let tried = 1; ; tried += 1) {
      const before = await find(id)
      requireRevision(before, condition)
      try {
        return { before, after: await save(await apply(before)) }
      } catch (error) {
        if (!(error instanceof StaleRecordError) || tried === TRIES) throw error
      }
    }
  }

  const create = async (
    input: unknown,
    actor: Actor,
    options: Readonly<{
      unknown?: Door['unknown']
      registration?: RegistrationLimits
      dryRun?: boolean
      /** Done last before it is stored; throws where it may not be. */
      claim?: () => Promise<void>
    }> = {},
  ): Promise<Outcome> => {
    const entry = check(input, { unknown: options.unknown ?? 'refuse', secrets: 'made' })
    const { client_id: wanted, client_secret: given, policy, ...metadata } = entry
    const id = wanted ?? randomBytes(ID_BYTES).toString('hex')
    await requireFree(id)
    await checkSector(fetch, metadata)
    const now = clock.now()
    const made = usesSecret(metadata.token_endpoint_auth_method)
      ? newSecret(id, now, given)
      : undefined
    const client: RegisteredClient = {
      id,
      metadata,
      policy,
      secrets: made ? [made.kept] : [],
      registeredAt: now,
      updatedAt: now,
      // An ID that was made now has never been another's.
      tokensSince: wanted === undefined ? 0 : now - SKEW_SECONDS,
      ...(options.registration && { registration: options.registration }),
      revision: 0,
    }
    if (options.dryRun) return { client }
    await options.claim?.()
    // Told first: a secret that was stored is shown, whatever fails.
    await tell('clientCreated', client, actor, { name: metadata.client_name })
    const saved = await save(client)
    return { client: saved, ...(made && given === undefined && { secret: made.secret }) }
  }

  /** Takes the entry in place of what was registered; the ID stays, and the secrets where they fit. */
  const replace = async (
    id: string,
    input: (client: RegisteredClient) => unknown,
    actor: Actor,
    options: Condition &
      Readonly<{
        unknown?: Door['unknown']
        /** Its members may get another `sub`. */
        newSub?: boolean
        /** Its newest secret from now on, where it is not already. */
        secret?: string
      }> = {},
  ): Promise<Outcome> => {
    let secret: string | undefined
    const { before, after } = await change(id, options, async (client) => {
      const entry = check(input(client), { unknown: options.unknown ?? 'refuse', secrets: 'made' })
      const { client_id: named, client_secret: given, policy, ...metadata } = entry
      if (named !== undefined && named !== id) {
        throw refused('client_id', 'is another client’s', 'A client keeps its ID.', named)
      }
      if (given !== undefined) {
        throw refused('client_secret', 'cannot be set', 'Use rotate-secret: one is made.')
      }
      if (!options.newSub && !keepsSubjects(client, metadata)) throw newSubjects(client, metadata)
      await checkSector(fetch, metadata)
      const now = clock.now()
      const live = liveSecrets(client, now)
      const needs = usesSecret(metadata.token_endpoint_auth_method)
      const made = needs && live.length === 0 ? newSecret(id, now, options.secret) : undefined
      secret = made?.secret
      return {
        ...client,
        metadata,
        policy,
        secrets: made ? [made.kept] : needs ? live : [],
        updatedAt: now,
      }
    })
    const changed = changedNames(
      { ...before.metadata, policy: before.policy },
      { ...after.metadata, policy: after.policy },
    )
    const newSub = !keepsSubjects(before, after.metadata)
    await tell('clientUpdated', after, actor, { changed, ...(newSub && { newSub: 'true' }) })
    return { client: after, ...(secret !== undefined && { secret }) }
  }

  return {
    /** Reads an entry without registering it. @throws ClientRefusedError */
    check,
    /** A client that can be changed. @throws UnknownClientError */
    find,
    list: known.list,
    /** @throws ClientRefusedError, StaleRecordError */
    create,
    replace,
    /** Changes what the patch names and keeps the rest; null takes a value out. */
    update: (
      id: string,
      patch: Patch,
      actor: Actor,
      options: Condition & Readonly<{ newSub?: boolean }> = {},
    ): Promise<Outcome> => replace(id, (client) => patched(client, patch), actor, options),

    /** Makes a new secret; the one before counts for so long still, any older one no more. One that
     * cannot be read is dropped where it is `lost`. @throws ClientRefusedError where it is not */
    rotateSecret: async (
      id: string,
      {
        overlapSeconds,
        lost,
        ...condition
      }: Condition & Readonly<{ overlapSeconds: number; lost?: boolean }>,
      actor: Actor,
    ): Promise<Outcome> => {
      let secret = ''
      let dropped = 0
      let told: Promise<void> | undefined
      const { after } = await change(id, condition, async (client) => {
        if (!usesSecret(client.metadata.token_endpoint_auth_method)) {
          const method = client.metadata.token_endpoint_auth_method
          throw refused('client_secret', `is not used by the method "${method}"`, 'Nothing to do.')
        }
        const now = clock.now()
        const opened = openSecrets(client, now, openSecret)
        const newest = opened.readable[0]?.kept
        const [reason] = opened.unreadable
        if (reason && !lost && newest !== liveSecrets(client, now)[0]) throw unreadable(reason)
        const made = newSecret(id, now)
        secret = made.secret
        dropped = opened.unreadable.length
        const ends = now + overlapSeconds
        const former =
          newest && overlapSeconds > 0
            ? [{ ...newest, expiresAt: Math.min(newest.expiresAt ?? ends, ends) }]
            : []
        // Told first: a secret that was stored is shown, whatever fails.
        told ??= tell('clientSecretRotated', client, actor, {
          overlapSeconds: String(overlapSeconds),
          ...(dropped > 0 && { unreadable: String(dropped) }),
        })
        await told
        return { ...client, secrets: [made.kept, ...former], updatedAt: now }
      })
      return { client: after, secret, ...(dropped > 0 && { dropped }) }
    },

    /** No request of it is taken any more, and its tokens are dead for good. */
    disable: async (
      id: string,
      { reason, ...condition }: Condition & Readonly<{ reason?: string }>,
      actor: Actor,
    ): Promise<Outcome> => {
      const { after } = await change(id, condition, async (client) => {
        const now = clock.now()
        const disabled = { at: now, ...(reason !== undefined && { reason }) }
        // A token of this very second is one of before.
        return { ...client, disabled, tokensSince: now + 1, updatedAt: now }
      })
      await tell('clientDisabled', after, actor, reason === undefined ? {} : { reason })
      return { client: after }
    },

    enable: async (id: string, actor: Actor, condition: Condition = {}): Promise<Outcome> => {
      const { after } = await change(id, condition, async ({ disabled: _, ...client }) => ({
        ...client,
        // Until all instances had heard of the end, some may still have given tokens.
        tokensSince: Math.max(client.tokensSince, clock.now()),
        updatedAt: clock.now(),
      }))
      await tell('clientEnabled', after, actor)
      return { client: after }
    },

    /** @throws StaleRecordError where it is not at that revision, or is changed at this moment */
    remove: async (id: string, actor: Actor, condition: Condition = {}): Promise<void> => {
      const client = await find(id)
      requireRevision(client, condition)
      await store.remove(client)
      known.forget(id)
      await tell('clientDeleted', client, actor, { name: client.metadata.client_name })
    },
  }
}
export type ClientRegistry = ReturnType<typeof createClientRegistry>
