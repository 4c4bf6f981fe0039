import { randomUUID } from 'node:crypto'
import { createWriteStream, existsSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import mongoose, { type mongo } from 'mongoose'
import { z } from 'zod'
import type { Clock } from '../accounts/ports.ts'
import { type BackupCounts, makeWhole, readBack } from './backup-file.ts'
import { linesOf } from './lines.ts'
import { createMongo, type MongoConnection, type MongoOptions } from './mongo/connect.ts'
import { COLLECTIONS, MIGRATIONS, migrate, requireSchema } from './mongo/migrations.ts'
import { dateOf } from './mongo/schema.ts'
import { connected } from './store-connect.ts'
import { collectionsInUse, createMarker } from './store-marker.ts'
import { StoreRefusedError } from './store-refusal.ts'

const { EJSON } = mongoose.mongo.BSON

const FORMAT = 'kenpo-id backup 1'
const header = z.strictObject({ format: z.literal(FORMAT), id: z.string(), schema: z.int() })
const footer = z.strictObject({ end: z.record(z.string(), z.int()) })
const entry = z.strictObject({
  collection: z.enum(COLLECTIONS as [string, ...string[]]),
  document: z.unknown(),
})
const BATCH = 500

/**
 * Everything in MongoDB as lines of JSON, document by document: a header, one line each
 * (MongoDB Extended JSON), and a last line with the counts, by which a torn file is known. Secrets
 * stay encrypted and hashed as they are stored. Redis is left out on purpose: back from a backup, a
 * used code or a revoked token would be good again. Members that change meanwhile come as they were
 * or as they are, each one whole.
 * @throws StoreRefusedError `fileExists`, `unreachable`, `notReadBack`; StoreUnavailableError
 */
export const backUpMongo = async (from: MongoOptions, to: string): Promise<BackupCounts> => {
  const raw = createMongo(from)
  const counts: Record<string, number> = {}
  const lines = async function* () {
    yield `${JSON.stringify({ format: FORMAT, id: randomUUID(), schema: MIGRATIONS.length })}\n`
    for (const collection of COLLECTIONS) {
      counts[collection] = 0
      const found = raw.connection.collection(collection).find({}, { sort: { _id: 1 } })
      for await (const document of found) {
        counts[collection] += 1
        yield `${EJSON.stringify({ collection, document }, { relaxed: false })}\n`
      }
    }
    yield `${JSON.stringify({ end: counts })}\n`
  }
  try {
    await connected([{ name: 'MongoDB', ping: raw.ping }])
    await requireSchema(raw)
    return await makeWhole(to, async (partial) => {
      await pipeline(Readable.from(lines()), createWriteStream(partial, { flags: 'r+' }))
      return readBack(to, async () => (await check(partial)).counts)
    })
  } finally {
    await raw.close()
  }
}

const parsed = (line: Buffer): unknown => {
  try {
    return JSON.parse(line.toString())
  } catch {
    return undefined
  }
}

/** Reads the whole file before anything is written. @throws StoreRefusedError */
const check = async (path: string): Promise<Readonly<{ id: string; counts: BackupCounts }>> => {
  const counts: Record<string, number> = Object.fromEntries(COLLECTIONS.map((name) => [name, 0]))
  let first: z.output<typeof header> | undefined
  let last: z.output<typeof footer> | undefined
  for await (const line of linesOf(path)) {
    const json = parsed(line)
    if (!first) {
      const found = header.safeParse(json)
      if (!found.success) throw new StoreRefusedError('notABackup', path)
      first = found.data
      continue
    }
    const found = entry.safeParse(json)
    if (found.success && !last) {
      counts[found.data.collection] = (counts[found.data.collection] ?? 0) + 1
      continue
    }
    const end = footer.safeParse(json)
    if (!end.success || last) throw new StoreRefusedError('notABackup', path)
    last = end.data
  }
  const isWhole =
    last !== undefined && Object.entries(counts).every(([name, n]) => (last?.end[name] ?? 0) === n)
  if (!first || !isWhole) throw new StoreRefusedError('notABackup', path)
  if (first.schema > MIGRATIONS.length) {
    throw new StoreRefusedError('tooNew', `${first.schema} > ${MIGRATIONS.length}`)
  }
  return { id: first.id, counts }
}

/** A mail that was waiting then has been sent since, or is of no use any more. */
const asRestored = (collection: string, document: mongo.Document, clock: Clock): mongo.Document => {
  if (collection !== 'outbox' || document.queue !== 'mails' || document.state !== 'queued') {
    return document
  }
  const { item: _, ...rest } = document
  return { ...rest, state: 'failed', finishedAt: dateOf(clock.now()) }
}

const writeAll = async (
  path: string,
  { connection, reach }: Pick<MongoConnection, 'connection' | 'reach'>,
  clock: Clock,
): Promise<void> => {
  let batch: mongo.Document[] = []
  let into = ''
  const flush = async () => {
    if (batch.length === 0) return
    // Over what an earlier attempt has written.
    const operations = batch.map((document) => ({
      replaceOne: { filter: { _id: document._id }, replacement: document, upsert: true },
    }))
    const collection = into
    batch = []
    await reach(() => connection.collection(collection).bulkWrite(operations, { ordered: false }))
  }
  for await (const line of linesOf(path)) {
    const found = entry.safeParse(parsed(line))
    if (!found.success) continue
    const { collection } = found.data
    if (collection !== into || batch.length === BATCH) await flush()
    into = collection
    const document = EJSON.parse(JSON.stringify(found.data.document), { relaxed: false })
    batch.push(asRestored(collection, document, clock))
  }
  await flush()
}

/**
 * Fills an empty MongoDB database from such a file. No server may be running. Can be run again after
 * a crash and then completes.
 * @throws StoreRefusedError `noFile`, `targetHoldsData`, `notABackup`, `tooNew`, `unreachable`;
 * StoreUnavailableError
 */
export const restoreMongo = async (
  from: string,
  to: MongoOptions,
  clock: Clock,
): Promise<BackupCounts> => {
  if (!existsSync(from)) throw new StoreRefusedError('noFile', from)
  const { id, counts } = await check(from)
  const raw = createMongo(to)
  try {
    await connected([{ name: 'MongoDB', ping: raw.ping }])
    await migrate(raw, clock)
    const marker = createMarker(raw, 'restore')
    const mark = await marker.read()
    if (mark.state !== 'running' || mark.id !== id) {
      const used = await collectionsInUse(raw)
      if (used.length > 0) throw new StoreRefusedError('targetHoldsData', used.join(', '))
      if (mark.state !== undefined || !(await marker.begin(id))) {
        throw new StoreRefusedError('targetHoldsData', 'settings')
      }
    }
    await writeAll(from, raw, clock)
    await marker.finish(id)
    return counts
  } finally {
    await raw.close()
  }
}
