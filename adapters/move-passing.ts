import { isDeepStrictEqual } from 'node:util'
import { Cluster } from 'ioredis'
import type { Clock } from '../accounts/ports.ts'
import { aliasOf, digest, withId } from './artifact-ids.ts'
import type { Database } from './embedded/database.ts'
import type { Kind, Moved } from './move-kind.ts'
import { type RedisClient, reach } from './redis/connect.ts'
import type { RedisStores } from './redis/stores.ts'

type ArtifactRow = Readonly<{
  id: string
  payload: string
  expires_at: number | null
  consumed_at: number | null
}>
type GrantRow = Readonly<{ grant_id: string; expires_at: number }>
type TransientRow = Readonly<{ key: string; value: string; expires_at: number }>
/** `expire` in milliseconds. */
type ThrottleRow = Readonly<{ key: string; points: number; expire: number | null }>
/** The engine's payload, of which no more is said here. */
type Payload = Readonly<Record<string, unknown>>
type Artifacts = RedisStores['artifacts']
type Adapter = ReturnType<Artifacts>

const SCAN_COUNT = 1000

/**
 * How many keys of each kind there are, by what stands behind `kenpo:`. Pointers and marks, which
 * belong to another key, are not counted. @throws StoreUnavailableError, also where the user may
 * not SCAN
 */
export const countKeys = (redis: RedisClient): Promise<ReadonlyMap<string, number>> =>
  reach(async () => {
    const counts = new Map<string, number>()
    for (const node of redis instanceof Cluster ? redis.nodes('master') : [redis]) {
      for await (const keys of node.scanStream({ match: 'kenpo:*', count: SCAN_COUNT })) {
        // The stream hands out lists of keys.
        for (const key of keys as string[]) {
          const kind = key.split(':')[1] ?? ''
          if (kind.includes('.') || key.endsWith('}:consumed')) continue
          counts.set(kind, (counts.get(kind) ?? 0) + 1)
        }
      }
    }
    return counts
  })

/** Without the live session ID that Redis is not given (redis/artifacts.ts). */
const comparable = (payload: Payload): Payload => {
  const { session } = payload
  if (typeof session !== 'object' || session === null) return payload
  return { ...payload, session: { ...session, cookie: undefined } }
}
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

/** One of the engine's artifacts, with what is left of its time and the mark of its use. */
export const movedArtifact = (
  { id: digested, payload: json, expires_at, consumed_at }: ArtifactRow,
  adapter: Adapter,
  clock: Clock,
): Moved => {
  // The file holds a digest, by which every store knows the artifact.
  const id = aliasOf(digested)
  const payload: Payload = {
    // Only the embedded adapter writes the column, and it takes nothing but a payload.
    ...withId(id, JSON.parse(json) as Payload),
    ...(consumed_at !== null && { consumed: consumed_at }),
  }
  const isThere = async () => {
    const found = await adapter.find(id)
    return (
      found !== undefined &&
      isDeepStrictEqual(asJson(comparable(found)), asJson(comparable(payload)))
    )
  }
  return {
    count: 1,
    ...(expires_at !== null && { endsAt: expires_at }),
    write: async () => {
      const left = expires_at === null ? undefined : expires_at - clock.now()
      if (left !== undefined && left <= 0) return
      // What may be stored once only, was stored by an earlier attempt.
      if (await isThere()) return
      await (left === undefined
        ? (adapter.upsert as (id: string, payload: Payload) => Promise<unknown>)(id, payload)
        : adapter.upsert(id, payload, left))
    },
    isThere,
  }
}

/** Those not revoked; a revoked one is out of reach in the file too. */
export const ARTIFACTS_OF = `
  SELECT id, payload, expires_at, consumed_at FROM artifacts
  WHERE model = ? AND (expires_at IS NULL OR expires_at > ?) AND NOT EXISTS (
    SELECT 1 FROM revoked_grants WHERE revoked_grants.grant_id = artifacts.grant_id)`

/** The models of which the file holds any. */
export const modelsIn = (db: Database): readonly string[] =>
  db.all<{ model: string }>('SELECT DISTINCT model FROM artifacts').map(({ model }) => model)

/**
 * All of the file that expires and belongs in Redis. Tombstones come first, so that nothing revoked
 * is ever stored without them.
 */
export const passingKinds = (
  db: Database,
  redis: RedisClient,
  { artifacts, transient }: Pick<RedisStores, 'artifacts' | 'transient'>,
  models: readonly string[],
  clock: Clock,
): readonly Kind[] => {
  const counted = (kind: string) => async () => (await countKeys(redis)).get(kind) ?? 0
  const rows = function* <Row>(
    sql: string,
    values: readonly (string | number)[],
    moved: (row: Row) => Moved,
  ) {
    // The columns a statement names are its caller's to know.
    for (const row of db.prepare(sql).iterate(values) as Iterable<Row>) yield moved(row)
  }

  const tombstone = ({ grant_id, expires_at }: GrantRow): Moved => ({
    count: 1,
    endsAt: expires_at,
    // Remembered anew for the whole time: longer than it need be does no harm.
    write: () =>
      artifacts('Grant')
        .revokeByGrantId(grant_id)
        .then(() => undefined),
    isThere: async () =>
      (await reach(() => redis.exists(`kenpo:revoked:{${digest(grant_id)}}`))) === 1,
  })

  const value = ({ key, value: json, expires_at }: TransientRow): Moved => ({
    count: 1,
    endsAt: expires_at,
    write: () => transient.put(key, JSON.parse(json), expires_at - clock.now()),
    isThere: async () => JSON.stringify(await transient.get(key)) === json,
  })

  const counter = ({ key: name, points, expire }: ThrottleRow): Moved => {
    const key = `kenpo:throttle:${name}`
    return {
      count: 1,
      ...(expire !== null && { endsAt: expire / 1000 }),
      write: async () => {
        const left = expire === null ? undefined : Math.ceil(expire - clock.now() * 1000)
        if (left === undefined) await reach(() => redis.set(key, points))
        else if (left > 0) await reach(() => redis.set(key, points, 'PX', left))
      },
      isThere: async () => (await reach(() => redis.get(key))) === String(points),
    }
  }

  return [
    {
      name: 'revoked grants',
      records: () =>
        rows(
          'SELECT grant_id, expires_at FROM revoked_grants WHERE expires_at > ?',
          [clock.now()],
          tombstone,
        ),
      inTarget: counted('revoked'),
    },
    ...models.map(
      (model): Kind => ({
        name: `${model} (engine)`,
        records: () =>
          rows(ARTIFACTS_OF, [model, clock.now()], (row: ArtifactRow) =>
            movedArtifact(row, artifacts(model), clock),
          ),
        inTarget: counted(model),
      }),
    ),
    {
      name: 'flow facts',
      records: () =>
        rows(
          'SELECT key, value, expires_at FROM transient WHERE expires_at > ?',
          [clock.now()],
          value,
        ),
      inTarget: counted('transient'),
    },
    {
      name: 'counters and locks',
      records: () =>
        rows(
          'SELECT key, points, expire FROM throttle WHERE expire IS NULL OR expire > ?',
          [clock.now() * 1000],
          counter,
        ),
      inTarget: counted('throttle'),
    },
  ]
}
