import type { EpochSeconds } from '../accounts/member.ts'
import type { Kept, RecordStore } from '../clients/ports.ts'

/** What this installation signs with (RFC 7518 section 3.1), each by a key of its own: a key is used
 * with one algorithm only (RFC 8725 section 3.1). */
export const SIGNING_ALGORITHMS = ['ES256', 'RS256', 'PS256'] as const

/** A signing key at rest. */
export type SigningKey = Readonly<{
  /** Its thumbprint (RFC 7638), or the name that the operator once gave it. */
  kid: string
  alg: string
  /** The private JWK, sealed for this `kid` alone. */
  sealed: string
  createdAt: EpochSeconds
  /** Published from `createdAt` on; the newest one that has come to this signs. */
  activeAt: EpochSeconds
  /** Revoked: neither published nor used from then on. */
  endsAt?: EpochSeconds
}>

/** All keys of the installation: one record, so that they change together or not at all. */
export type KeyRing = Kept & Readonly<{ keys: readonly SigningKey[] }>

/** Lasting. Contract: test/contracts/key-ring.ts */
export type KeyRingStore = RecordStore<KeyRing>

/** The one record's ID. */
export const RING_ID = 'signing'

/** How long others may keep the published keys without asking again. */
export const JWKS_MAX_AGE_SECONDS = 600
/** Between publishing a key and signing with it, unless the operator says otherwise: longer than apps
 * keep keys that ignore the lifetime above. */
export const LEAD_SECONDS = 86_400
/** A retired key still proves what it signed: as long as a grant lives, since an old ID token may come
 * back as a hint however long it has expired (RP-Initiated Logout 1.0 section 2). */
export const RETIRED_SECONDS = 30 * 86_400
/** Every instance has seen a change of the ring, and acted on it, after this. */
export const SPREAD_SECONDS = 5

/** Published ahead, signing, published for what it once signed, or neither published nor used. */
export type KeyState = 'published' | 'active' | 'retired' | 'gone'

/** A key's place in its life at some time, and when it comes to the next one by itself. */
export type PlacedKey = Readonly<{
  key: SigningKey
  state: KeyState
  /** Undefined: only by a rotation. */
  until: EpochSeconds | undefined
}>

const isOver = ({ endsAt }: SigningKey, now: EpochSeconds): boolean =>
  endsAt !== undefined && now >= endsAt

const placed = (key: SigningKey, keys: readonly SigningKey[], now: EpochSeconds): PlacedKey => {
  const { activeAt, endsAt = Number.POSITIVE_INFINITY } = key
  const successors = keys
    .filter((other) => other.alg === key.alg && other.activeAt > activeAt && !isOver(other, now))
    .map((other) => other.activeAt)
  const retiresAt = Math.min(...successors)
  const at = (state: KeyState, until: EpochSeconds): PlacedKey => {
    const next = Math.min(until, endsAt)
    return { key, state, until: Number.isFinite(next) ? next : undefined }
  }
  if (isOver(key, now) || now >= retiresAt + RETIRED_SECONDS) {
    return { key, state: 'gone', until: undefined }
  }
  if (now < activeAt) return at('published', activeAt)
  return now < retiresAt ? at('active', retiresAt) : at('retired', retiresAt + RETIRED_SECONDS)
}

const ORDER: Readonly<Record<KeyState, number>> = { active: 0, published: 1, retired: 2, gone: 3 }

/** Every key with its state at this time: signing ones first, as whoever signs takes the first. */
export const placesOf = ({ keys }: Pick<KeyRing, 'keys'>, now: EpochSeconds) =>
  keys
    .map((key) => placed(key, keys, now))
    .sort(
      (one, other) =>
        ORDER[one.state] - ORDER[other.state] || other.key.activeAt - one.key.activeAt,
    )

/** Those that are published at this time, the signing ones first. */
export const publishedAt = (
  ring: Pick<KeyRing, 'keys'>,
  now: EpochSeconds,
): readonly SigningKey[] =>
  placesOf(ring, now)
    .filter(({ state }) => state !== 'gone')
    .map(({ key }) => key)

/** When keys that are published already begin to sign; undefined: none do. */
export const pendingAt = (
  ring: Pick<KeyRing, 'keys'>,
  now: EpochSeconds,
): EpochSeconds | undefined => {
  const pending = placesOf(ring, now).filter(({ state }) => state === 'published')
  return pending.length === 0
    ? undefined
    : Math.max(...pending.map(({ key: { activeAt } }) => activeAt))
}

/** The ring without what is gone: nothing of those keys is left. */
export const withoutGone = (ring: KeyRing, now: EpochSeconds): KeyRing => {
  const gone = new Set(
    placesOf(ring, now).flatMap(({ key, state }) => (state === 'gone' ? [key.kid] : [])),
  )
  return gone.size === 0 ? ring : { ...ring, keys: ring.keys.filter(({ kid }) => !gone.has(kid)) }
}

/** The ring with all its keys revoked at this time, those that are published ahead too. */
export const revokedAt = (ring: KeyRing, at: EpochSeconds): KeyRing => ({
  ...ring,
  keys: ring.keys.map((key) => ({ ...key, endsAt: Math.min(at, key.endsAt ?? at) })),
})
