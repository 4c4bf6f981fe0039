import type { EpochSeconds } from '../accounts/member.ts'
import type { AuditAct, AuditTrail, Clock, RandomBytes } from '../accounts/ports.ts'
import { StaleRecordError } from '../clients/ports.ts'
import { createSeal, type EncryptionKey, UnreadableSecretError } from '../factors/seal.ts'
import { type MakeKey, makeKey, type NamedJwk, type PrivateJwk } from './make.ts'
import {
  type KeyRing,
  type KeyRingStore,
  LEAD_SECONDS,
  pendingAt,
  placesOf,
  publishedAt,
  RING_ID,
  revokedAt,
  SIGNING_ALGORITHMS,
  type SigningKey,
  SPREAD_SECONDS,
  withoutGone,
} from './ring.ts'

/** Why the keys were not changed. */
export type KeysRefusal = 'none' | 'pending' | 'held' | 'algorithm'

/** The keys stay as they are. */
export class KeysRefusedError extends Error {
  readonly reason: KeysRefusal
  /** What the reason is about: a time (epoch seconds), an algorithm. */
  readonly detail: string
  constructor(reason: KeysRefusal, detail = '') {
    super(`${reason} ${detail}`)
    this.reason = reason
    this.detail = detail
  }
}

/** Keys out of a ring, as far as they can be read. */
export type ReadKeys = Readonly<{
  jwks: readonly PrivateJwk[]
  /** Why others that are published cannot be. */
  fault: UnreadableSecretError | undefined
}>

export type SigningKeysPorts = Readonly<{
  store: KeyRingStore
  /** Newest first. */
  encryptionKeys: readonly EncryptionKey[]
  audit: AuditTrail
  clock: Clock
  randomBytes: RandomBytes
  /** `makeKey` unless given. */
  make?: MakeKey
}>

/** Two that change the ring at once: one of them tries again. */
const TRIES = 5
const EMPTY: KeyRing = { id: RING_ID, revision: 0, keys: [] }

const aad = (kid: string): string => `signing-key|${kid}`

/** This installation's signing keys, at rest in the store and sealed there. */
export const createSigningKeys = (ports: SigningKeysPorts) => {
  const { store, audit, clock, randomBytes, make = makeKey } = ports
  const seal = createSeal(ports.encryptionKeys, randomBytes)

  const sealed = (
    jwk: PrivateJwk,
    times: Pick<SigningKey, 'createdAt' | 'activeAt'>,
  ): SigningKey => ({
    kid: jwk.kid,
    alg: jwk.alg,
    sealed: seal.seal(Buffer.from(JSON.stringify(jwk)), aad(jwk.kid)),
    ...times,
  })

  const made = (times: Pick<SigningKey, 'createdAt' | 'activeAt'>, algorithms: readonly string[]) =>
    Promise.all(algorithms.map(async (alg) => sealed(await make(alg), times)))

  const opened = (key: SigningKey): PrivateJwk | UnreadableSecretError => {
    try {
      // Only `sealed` seals for this place, and it takes nothing but such a key.
      return JSON.parse(seal.open(key.sealed, aad(key.kid)).toString('utf8')) as PrivateJwk
    } catch (error) {
      if (error instanceof UnreadableSecretError) return error
      throw error
    }
  }

  const isReadable = (key: SigningKey): boolean => !(opened(key) instanceof UnreadableSecretError)

  const read = (ring: KeyRing, now: EpochSeconds): ReadKeys => {
    const jwks: PrivateJwk[] = []
    let fault: UnreadableSecretError | undefined
    for (const key of publishedAt(ring, now)) {
      const jwk = opened(key)
      if (!(jwk instanceof UnreadableSecretError)) jwks.push(jwk)
      else fault ??= jwk
    }
    return { jwks, fault }
  }

  const openAll = (ring: KeyRing, now: EpochSeconds): readonly PrivateJwk[] => {
    const { jwks, fault } = read(ring, now)
    if (fault) throw fault
    return jwks
  }

  const find = (): Promise<KeyRing | undefined> => store.find(RING_ID)

  /** Loads, changes and saves, again where another was faster. */
  const change = async (
    apply: (ring: KeyRing, now: EpochSeconds) => Promise<KeyRing>,
  ): Promise<KeyRing> => {
    for (let tried = 1; ; tried += 1) {
      const ring = await find()
      if (!ring) throw new KeysRefusedError('none')
      const now = clock.now()
      try {
        return await store.save(await apply(withoutGone(ring, now), now))
      } catch (error) {
        if (!(error instanceof StaleRecordError) || tried === TRIES) throw error
      }
    }
  }

  const tell = (act: AuditAct, operator: string, facts: Readonly<Record<string, string>>) =>
    audit.append({
      id: `${act}-${randomBytes(16).toString('base64url')}`,
      at: clock.now(),
      act,
      societyId: '',
      memberId: 'signing-keys',
      operator,
      facts,
    })

  const kidsOf = (keys: readonly SigningKey[]): string => keys.map(({ kid }) => kid).join(' ')

  /** A second ring is never made: whoever comes second gets the first one's. */
  const create = async (keys: readonly SigningKey[]): Promise<KeyRing> => {
    try {
      return await store.save({ ...EMPTY, keys })
    } catch (error) {
      const ring = error instanceof StaleRecordError ? await find() : undefined
      if (!ring) throw error
      return ring
    }
  }

  return {
    find,

    /** The ring; where there is none yet, one is made, and `made` tells so to who has made it. */
    obtain: async (): Promise<Readonly<{ ring: KeyRing; made: boolean }>> => {
      const held = await find()
      if (held) return { ring: held, made: false }
      const now = clock.now()
      const keys = await made({ createdAt: now, activeAt: now }, SIGNING_ALGORITHMS)
      const ring = await create(keys)
      return { ring, made: ring.keys[0]?.kid === keys[0]?.kid }
    },

    /** The private keys that are published at this time, the signing ones first.
     * @throws UnreadableSecretError */
    open: openAll,

    /** Those of them that can be read. */
    read,

    /** Forgets what is gone, for good. */
    tidy: async (ring: KeyRing): Promise<KeyRing> => {
      const left = withoutGone(ring, clock.now())
      if (left === ring) return ring
      try {
        return await store.save(left)
      } catch (error) {
        // Another has changed the ring: that one has done it, or the next does.
        if (!(error instanceof StaleRecordError)) throw error
        return ring
      }
    },

    /**
     * Publishes new keys, which sign once `leadSeconds` have passed. @throws KeysRefusedError `none`,
     * `pending` (with the time when those published already begin to sign); UnreadableSecretError
     * where those there are cannot be read: nor could the servers read what is sealed here
     */
    rotate: async (operator: string, leadSeconds: number = LEAD_SECONDS): Promise<KeyRing> => {
      const ring = await change(async (before, now) => {
        const pending = pendingAt(before, now)
        if (pending !== undefined) throw new KeysRefusedError('pending', String(pending))
        openAll(before, now)
        const times = { createdAt: now, activeAt: now + leadSeconds }
        const keys = await made(times, SIGNING_ALGORITHMS)
        return { ...before, keys: [...before.keys, ...keys] }
      })
      const ahead = placesOf(ring, clock.now()).filter(({ state }) => state === 'published')
      await tell('signingKeysRotated', operator, { kids: kidsOf(ahead.map(({ key }) => key)) })
      return ring
    },

    /**
     * Revokes every key, those published ahead too, and makes new ones that sign as soon as every
     * instance has them. Keys that cannot be read are deleted at once: no server starts while they
     * are published. @throws KeysRefusedError `none`
     */
    revoke: async (operator: string): Promise<KeyRing> => {
      let revoked: readonly SigningKey[] = []
      const ring = await change(async (before, now) => {
        revoked = before.keys
        const left = { ...before, keys: before.keys.filter(isReadable) }
        // Where nobody can sign there is nobody to wait for.
        const activeAt = left.keys.length > 0 ? now + SPREAD_SECONDS : now
        const keys = await made({ createdAt: now, activeAt }, SIGNING_ALGORITHMS)
        return { ...left, keys: [...revokedAt(left, activeAt).keys, ...keys] }
      })
      await tell('signingKeysRevoked', operator, { kids: kidsOf(revoked) })
      return ring
    },

    /**
     * Takes over keys that the operator has kept: the first of each algorithm signs on, further ones
     * stay published, and algorithms without one get one. @throws KeysRefusedError `held` where there
     * is a ring already, `algorithm` where a key's is none of ours
     */
    adopt: async (operator: string, given: readonly NamedJwk[]): Promise<KeyRing> => {
      if (await find()) throw new KeysRefusedError('held')
      const jwks = given.map((jwk): PrivateJwk => ({ ...jwk, use: 'sig' }))
      const known: readonly string[] = SIGNING_ALGORITHMS
      const foreign = jwks.find(({ alg }) => !known.includes(alg))
      if (foreign) throw new KeysRefusedError('algorithm', foreign.alg)
      const now = clock.now()
      const adopted = jwks.map((jwk, index) => {
        const isFirst = jwks.findIndex(({ alg }) => alg === jwk.alg) === index
        return sealed(jwk, { createdAt: now, activeAt: isFirst ? now : now - 1 })
      })
      const lacking = known.filter((alg) => !jwks.some((jwk) => jwk.alg === alg))
      const keys = [...adopted, ...(await made({ createdAt: now, activeAt: now }, lacking))]
      const ring = await create(keys)
      if (ring.keys[0]?.kid !== keys[0]?.kid) throw new KeysRefusedError('held')
      await tell('signingKeysAdopted', operator, { kids: kidsOf(adopted) })
      return ring
    },
  }
}
export type SigningKeys = ReturnType<typeof createSigningKeys>
