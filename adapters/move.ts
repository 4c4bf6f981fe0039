import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { Clock } from '../accounts/ports.ts'
import type { StoreConfig } from '../config/index.ts'
import { type Database, isBusy, openDatabase } from './embedded/database.ts'
import { fileIn } from './embedded/index.ts'
import { createSettings, type Settings } from './embedded/settings.ts'
import { createMongo } from './mongo/connect.ts'
import { LASTING_MODELS, openMongo } from './mongo/index.ts'
import { each, type Kind } from './move-kind.ts'
import { lastingKinds } from './move-lasting.ts'
import { countKeys, modelsIn, passingKinds } from './move-passing.ts'
import { checkDurability, createRedis } from './redis/connect.ts'
import { createRedisStores } from './redis/stores.ts'
import { redisOptions } from './servers.ts'
import { connected } from './store-connect.ts'
import { collectionsInUse, createMarker } from './store-marker.ts'
import { StoreRefusedError } from './store-refusal.ts'

type Servers = Extract<StoreConfig, { kind: 'redis+mongo' }>

/** An embedded file that no other process has open, nor can open until it is closed. */
export type HeldFile = Readonly<{ db: Database; settings: Settings; path: string; close(): void }>

/** @throws StoreRefusedError `noFile`, `inUse` */
export const holdFile = (dataDir: string): HeldFile => {
  const path = fileIn(dataDir)
  if (!existsSync(path)) throw new StoreRefusedError('noFile', path)
  try {
    const db = openDatabase(path, { alone: true })
    return { db, settings: createSettings(db), path, close: db.close }
  } catch (error) {
    if (isBusy(error)) throw new StoreRefusedError('inUse', path)
    throw error
  }
}

/** How many records of a kind there are: in the file, in the target, and read back the same. */
export type MovedCounts = Readonly<{
  name: string
  inFile: number
  inTarget: number
  readBack: number
}>
export type MoveReport = Readonly<{ counts: readonly MovedCounts[]; complete: boolean }>

/** Rows that end while they are counted count as ended: a store may have let go of them. */
const SLACK_SECONDS = 2

const countsOf = async (kind: Kind, clock: Clock): Promise<MovedCounts> => {
  const began = clock.now()
  const found: { count: number; endsAt: number; isThere: boolean }[] = []
  await each(kind.records(), async ({ count, endsAt = Number.POSITIVE_INFINITY, isThere }) => {
    found.push({ count, endsAt, isThere: await isThere() })
  })
  const counted = await kind.inTarget()
  const ended = clock.now() + SLACK_SECONDS
  const sum = (some: readonly { count: number }[]) =>
    some.reduce((total, { count }) => total + count, 0)
  const live = found.filter(({ endsAt }) => endsAt > ended)
  const inFile = sum(live)
  const ending = sum(found.filter(({ endsAt }) => endsAt > began && endsAt <= ended))
  const surplus = counted - inFile
  return {
    name: kind.name,
    inFile,
    inTarget: surplus > 0 && surplus <= ending ? inFile : counted,
    readBack: sum(live.filter(({ isThere }) => isThere)),
  }
}

/** Whether the three counts agree. */
export const agrees = ({ inFile, inTarget, readBack }: MovedCounts): boolean =>
  inFile === inTarget && inFile === readBack

/**
 * Moves all of an embedded file into Redis and MongoDB, which must be empty or filled in part by an
 * earlier attempt from this file; what has ended stays behind. Nobody may serve from the file or
 * from the servers meanwhile. The file keeps everything, and is marked by an ID only.
 * @throws StoreRefusedError; StoreUnavailableError where a server fails on the way: then the same
 * move can be made again and completes
 */
export const moveStore = async (
  { db, settings }: HeldFile,
  { mongo: mongoConfig, redis: redisConfig, durable }: Servers,
  {
    clock,
    checksDurability,
    say,
  }: Readonly<{
    clock: Clock
    checksDurability: boolean
    /** Told of each kind that is written. */
    say: (kind: string) => void
  }>,
): Promise<MoveReport> => {
  const redis = createRedis(redisOptions(redisConfig))
  const raw = createMongo(mongoConfig)
  const mongo = openMongo(mongoConfig, clock)
  try {
    await connected([
      { name: 'Redis', ping: redis.ping },
      { name: 'MongoDB', ping: raw.ping },
    ])
    if (checksDurability && durable) {
      const problems = await checkDurability(redis.client)
      if (problems.length > 0) throw new StoreRefusedError('notDurable', problems.join('\n'))
    }
    await connected([{ name: 'MongoDB', ping: () => mongo.migrate().then(() => undefined) }])

    const id = settings.obtain('move', randomUUID)
    const marker = createMarker(raw, 'move')
    const mark = await marker.read()
    if (mark.state === 'done' && mark.id === id) throw new StoreRefusedError('movedAlready')
    if (mark.id !== undefined && mark.id !== id) {
      throw new StoreRefusedError('targetHoldsData', 'MongoDB: another file')
    }
    if (mark.id === undefined) {
      const keys = await countKeys(redis.client)
      const used = [
        ...(await collectionsInUse(raw)).map((name) => `MongoDB: ${name}`),
        ...[...keys].map(([name, count]) => `Redis: kenpo:${name} (${count})`),
      ]
      if (used.length > 0) throw new StoreRefusedError('targetHoldsData', used.join(', '))
      if (!(await marker.begin(id))) throw new StoreRefusedError('targetHoldsData', 'MongoDB')
    }

    const models = modelsIn(db)
    const stores = createRedisStores(redis.client, clock)
    const kinds = [
      ...passingKinds(
        db,
        redis.client,
        stores,
        models.filter((model) => !LASTING_MODELS.has(model)),
        clock,
      ),
      ...lastingKinds(
        db,
        raw,
        mongo,
        models.filter((model) => LASTING_MODELS.has(model)),
        clock,
      ),
    ]
    for (const kind of kinds) {
      say(kind.name)
      await each(kind.records(), ({ write }) => write())
    }
    const counts: MovedCounts[] = []
    for (const kind of kinds) counts.push(await countsOf(kind, clock))
    const complete = counts.every(agrees)
    if (complete) await marker.finish(id)
    return { counts, complete }
  } finally {
    await Promise.all([redis.close(), mongo.close(), raw.close()])
  }
}
