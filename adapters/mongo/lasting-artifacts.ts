// biome-ignore lint/style/noRestrictedImports: this adapter is the engine's; it refuses in its words
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { Clock } from '../../accounts/ports.ts'
import { digest, digestOf, grantIdOf } from '../artifact-ids.ts'
import { alreadyConsumed, jtiAlreadyUsed } from '../engine-refusals.ts'
import { DuplicateKeyError, type MongoConnection } from './connect.ts'
import { date, dateOf, documentOf, number, required, text, trusted } from './schema.ts'

export type ArtifactOptions = Readonly<{
  /** How long a revoked grant is remembered: not less than the longest token lives. */
  tombstoneSeconds?: number
}>

/** What has no end, or must outlast a store of sessions: the rest is at home there. */
export const LASTING_MODELS: ReadonlySet<string> = new Set([
  'Client',
  'InitialAccessToken',
  'RegistrationAccessToken',
])

type Artifact = Readonly<{
  /** `<model>:<digest of its ID>`. */
  _id: string
  /** JSON of the engine's payload, but for an ID of its own, which only its digest stands for. */
  payload: string
  /** Missing: no end. */
  expiresAt?: Date
  consumedAt?: number
  /** Digests. `uid` and `userCode` stand with their model before them. */
  grantId?: string
  uid?: string
  userCode?: string
}>
type RevokedGrant = Readonly<{ _id: string; expiresAt: Date }>

const ARTIFACT = {
  _id: required(text),
  payload: required(text),
  expiresAt: date,
  consumedAt: number,
  grantId: text,
  uid: text,
  userCode: text,
} satisfies Record<keyof Artifact, object>
const REVOKED_GRANT = {
  _id: required(text),
  expiresAt: required(date),
} satisfies Record<keyof RevokedGrant, object>

/** A look at the store yields no live token. */
const keyOf = (model: string, value: string) => `${model}:${digestOf(value)}`

const grantOf = (model: string, id: string, payload: AdapterPayload): string | undefined => {
  const grantId = grantIdOf(model, id, payload)
  return grantId === undefined ? undefined : digest(grantId)
}

/** What is only found by its ID need not hold it. */
const jsonOf = (id: string, payload: AdapterPayload): string => {
  const isPointedTo = payload.uid !== undefined || payload.userCode !== undefined
  return JSON.stringify(payload.jti === id && !isPointedTo ? { ...payload, jti: '' } : payload)
}

/**
 * The engine's artifacts in MongoDB, for those that last (`LASTING_MODELS`). Beyond the engine's
 * own adapter contract:
 * - `consume` is one compare-and-set; of any number of callers all but one get InvalidGrant, and a
 *   consumed artifact stays so even when it is saved again;
 * - `revokeByGrantId` leaves a tombstone: nothing under that grant, the grant itself included, is
 *   found any more or consumed later, whoever wins the race;
 * - a ReplayDetection record (a client assertion's or DPoP proof's `jti`) is stored once while it
 *   lives; a second, parallel one is refused.
 */
export const createLastingArtifacts = (
  { connection, reach }: Pick<MongoConnection, 'connection' | 'reach'>,
  clock: Clock,
  { tombstoneSeconds = 30 * 86_400 }: ArtifactOptions = {},
): ((model: string) => Adapter) => {
  const artifacts = connection.model<Artifact>('Artifact', documentOf(ARTIFACT), 'artifacts')
  const revokedGrants = connection.model<RevokedGrant>(
    'RevokedGrant',
    documentOf(REVOKED_GRANT),
    'revoked_grants',
  )

  /** The TTL index lags behind by a minute, so each query looks at the time by itself. */
  const alive = () => ({
    $or: [
      { expiresAt: trusted({ $exists: false }) },
      { expiresAt: trusted({ $gt: dateOf(clock.now()) }) },
    ],
  })

  const isRevoked = async (grantId: string | undefined): Promise<boolean> => {
    if (grantId === undefined) return false
    const filter = { _id: grantId, expiresAt: trusted({ $gt: dateOf(clock.now()) }) }
    return (await reach(() => revokedGrants.exists(filter).exec())) !== null
  }

  const find = async (filter: object): Promise<Artifact | undefined> => {
    const found = await reach(() =>
      artifacts
        .findOne({ ...filter, ...alive() })
        .lean<Artifact>()
        .exec(),
    )
    return found === null || (await isRevoked(found.grantId)) ? undefined : found
  }

  const payloadOf = (found: Artifact, id?: string): AdapterPayload => {
    // Only `upsert` writes the field, and it takes nothing but a payload.
    const payload = JSON.parse(found.payload) as AdapterPayload
    if (payload.jti === '' && id !== undefined) payload.jti = id
    if (found.consumedAt !== undefined) payload.consumed = found.consumedAt
    return payload
  }

  const save = async (fields: Artifact, consumed: unknown): Promise<void> => {
    const { _id, expiresAt, grantId, uid, userCode, payload } = fields
    const ends = { expiresAt, grantId, uid, userCode }
    const given = Object.entries(ends).filter(([, value]) => value !== undefined)
    const missing = Object.entries(ends).filter(([, value]) => value === undefined)
    const change = {
      $set: { payload, ...Object.fromEntries(given) },
      ...(missing.length > 0 && {
        $unset: Object.fromEntries(missing.map(([name]) => [name, true])),
      }),
      // The first time counts; a save that knows of none takes nothing away.
      ...(typeof consumed === 'number' && { $min: { consumedAt: consumed } }),
    }
    const write = () => reach(() => artifacts.updateOne({ _id }, change, { upsert: true }).exec())
    try {
      await write()
    } catch (error) {
      // Made by another between our look and our write: now it is there.
      if (!(error instanceof DuplicateKeyError)) throw error
      await write()
    }
  }

  /** False: a live one is there. */
  const saveOnce = async ({ _id, payload, expiresAt }: Artifact): Promise<boolean> => {
    const over = { _id, expiresAt: trusted({ $lte: dateOf(clock.now()) }) }
    const change = { $set: { payload, ...(expiresAt && { expiresAt }) } }
    try {
      // An insert where nothing is there; what lives does not match, and its ID is taken.
      await reach(() => artifacts.updateOne(over, change, { upsert: true }).exec())
      return true
    } catch (error) {
      if (error instanceof DuplicateKeyError) return false
      throw error
    }
  }

  return (model) => ({
    upsert: async (id, payload, expiresIn) => {
      const grantId = grantOf(model, id, payload)
      if (grantId !== undefined && (expiresIn === undefined || expiresIn > tombstoneSeconds)) {
        throw new TypeError(`a ${model} must not outlive the memory of a revoked grant`)
      }
      const { uid, userCode } = payload
      const fields: Artifact = {
        _id: keyOf(model, id),
        payload: jsonOf(id, payload),
        ...(expiresIn !== undefined && { expiresAt: dateOf(clock.now() + expiresIn) }),
        ...(grantId !== undefined && { grantId }),
        ...(uid !== undefined && { uid: keyOf(model, uid) }),
        ...(userCode !== undefined && { userCode: keyOf(model, userCode) }),
      }
      if (model !== 'ReplayDetection') await save(fields, payload.consumed)
      else if (!(await saveOnce(fields))) throw await jtiAlreadyUsed()
    },

    find: async (id) => {
      const found = await find({ _id: keyOf(model, id) })
      return found && payloadOf(found, id)
    },
    findByUid: async (uid) => {
      const found = await find({ uid: keyOf(model, uid) })
      return found && payloadOf(found)
    },
    findByUserCode: async (userCode) => {
      const found = await find({ userCode: keyOf(model, userCode) })
      return found && payloadOf(found)
    },

    consume: async (id) => {
      const unconsumed = { _id: keyOf(model, id), consumedAt: trusted({ $exists: false }) }
      const consumed = await reach(() =>
        artifacts
          .findOneAndUpdate(
            { ...unconsumed, ...alive() },
            { $set: { consumedAt: clock.now() } },
            { returnDocument: 'before' },
          )
          .lean<Artifact>()
          .exec(),
      )
      if (consumed === null || (await isRevoked(consumed.grantId))) {
        throw await alreadyConsumed(model)
      }
    },

    destroy: async (id) => {
      await reach(() => artifacts.deleteOne({ _id: keyOf(model, id) }).exec())
    },

    revokeByGrantId: async (grantId) => {
      const tombstone = { $max: { expiresAt: dateOf(clock.now() + tombstoneSeconds) } }
      const write = () =>
        reach(() =>
          revokedGrants.updateOne({ _id: digest(grantId) }, tombstone, { upsert: true }).exec(),
        )
      try {
        await write()
      } catch (error) {
        if (!(error instanceof DuplicateKeyError)) throw error
        await write()
      }
    },
  })
}
