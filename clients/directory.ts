import type { EpochSeconds } from '../accounts/member.ts'
import type { RegisteredClient } from './client.ts'
import type { ClientStore } from './ports.ts'
import { type OpenSecret, openSecrets, type UnreadableSecret } from './secrets.ts'

/** Where a client is registered: by us, in the clients file, in the store. */
export type Origin = 'own' | 'file' | 'store'

/** A client with what it proves itself by. */
export type KnownClient = Readonly<{
  client: RegisteredClient
  origin: Origin
  /** The secrets that count at this time and can be read, newest first. */
  secretsAt(now: EpochSeconds): readonly string[]
  /** Those that would count and cannot be read: they prove nobody. */
  unreadableAt(now: EpochSeconds): readonly UnreadableSecret[]
}>

/** A client of the file; its secret stands there. */
export type FileClient = Readonly<{ client: RegisteredClient; secret?: string }>

type Sources = Readonly<{
  /** Registered by us; nobody can take their IDs. */
  own: ReadonlyMap<string, RegisteredClient>
  /** As the clients file is now. */
  file: () => ReadonlyMap<string, FileClient>
  store: ClientStore
  openSecret: OpenSecret
  /** Milliseconds, of any beginning. */
  stopwatch?: () => number
}>

/** With the second that a file's change takes to be seen, less than five. */
const KEPT_MS = 4000
/** Anybody can ask for IDs that do not exist. */
const MAX_KEPT = 10_000
/** As the schema takes them: nobody is looked for, or remembered, under anything longer. */
const CLIENT_ID = /^[A-Za-z0-9._~-]{1,128}$/

/** Its secret, where it has one, needs no key. */
const inTheClear = (origin: 'own' | 'file', { client, secret }: FileClient): KnownClient => ({
  client,
  origin,
  secretsAt: () => (secret === undefined ? [] : [secret]),
  unreadableAt: () => [],
})

type Answer = Readonly<{ until: number; found: Promise<KnownClient | undefined> }>

/**
 * All sources as one, first ours, then the file, then the store. What the store says is kept for
 * four seconds, that there is no such client too: a change is seen everywhere within five.
 */
export const createKnownClients = ({
  own,
  file,
  store,
  openSecret,
  stopwatch = () => performance.now(),
}: Sources) => {
  const kept = new Map<string, Answer>()

  const stored = (client: RegisteredClient): KnownClient => {
    const opened = new Map<string, string>()
    const open: OpenSecret = (_, sealed) => {
      const secret = opened.get(sealed) ?? openSecret(client, sealed)
      opened.set(sealed, secret)
      return secret
    }
    return {
      client,
      origin: 'store',
      secretsAt: (now) => openSecrets(client, now, open).readable.map(({ secret }) => secret),
      unreadableAt: (now) => openSecrets(client, now, open).unreadable,
    }
  }

  const inStore = async (id: string): Promise<KnownClient | undefined> => {
    const client = await store.find(id)
    return client && stored(client)
  }

  const kindlyKept = async (id: string): Promise<KnownClient | undefined> => {
    if (!CLIENT_ID.test(id)) return undefined
    const now = stopwatch()
    const answer = kept.get(id)
    if (answer && now < answer.until) return answer.found
    const found = inStore(id)
    kept.delete(id)
    kept.set(id, { until: now + KEPT_MS, found })
    // A failed look-up is no answer.
    found.catch(() => kept.delete(id))
    const [oldest] = kept.keys()
    if (kept.size > MAX_KEPT && oldest !== undefined) kept.delete(oldest)
    return found
  }

  const atHand = (id: string): KnownClient | undefined => {
    const ours = own.get(id)
    if (ours) return inTheClear('own', { client: ours })
    const filed = file().get(id)
    return filed && inTheClear('file', filed)
  }

  return {
    /** A disabled one too. */
    find: async (id: string): Promise<KnownClient | undefined> => atHand(id) ?? kindlyKept(id),
    /** Only what cannot be changed through the registry. */
    atHand,
    /** All but our own, by ID; the file hides what the store has under the same ID. */
    list: async (): Promise<readonly KnownClient[]> => {
      const filed = [...file().values()].map((one) => inTheClear('file', one))
      const hidden = new Set(filed.map(({ client }) => client.id))
      const others = (await store.list()).filter(({ id }) => !hidden.has(id)).map(stored)
      return [...filed, ...others].sort((one, other) => (one.client.id < other.client.id ? -1 : 1))
    },
    /** It was changed here: the next look-up asks the store. */
    forget: (id: string): void => {
      kept.delete(id)
    },
  }
}
export type KnownClients = ReturnType<typeof createKnownClients>
