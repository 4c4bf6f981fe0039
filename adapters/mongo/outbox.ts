import mongoose, { type mongo } from 'mongoose'
import type { EpochSeconds } from '../../accounts/member.ts'
import type { DeliveryState, MailRequest, Outbox, Queued } from '../../accounts/ports.ts'
import { DuplicateKeyError, type MongoConnection } from './connect.ts'
import {
  checked,
  collectionOf,
  date,
  dateOf,
  documentOf,
  number,
  oneOf,
  required,
  sequence,
  text,
  trusted,
} from './schema.ts'

type Entry = Readonly<{
  _id: string
  queue: string
  state: DeliveryState
  /** JSON; gone when it is finished. */
  item?: string
  attempts: number
  dueAt: EpochSeconds
  expiresAt: EpochSeconds
  sequence: mongo.ObjectId
  finishedAt?: Date
}>

const ENTRY = {
  _id: required(text),
  queue: required(text),
  state: required(oneOf<DeliveryState>({ queued: true, sent: true, failed: true })),
  item: text,
  attempts: required(number),
  dueAt: required(number),
  expiresAt: required(number),
  sequence: required(sequence),
  finishedAt: date,
} satisfies Record<keyof Entry, object>

/** Soonest first; of equals the one added first, as far as one instance added both. */
const SOONEST = { dueAt: 1, sequence: 1 } as const

/**
 * What is on its way out of one queue, in MongoDB. Each item is taken by one findAndModify, so any
 * number of workers may claim at once. A finished item keeps its state for a week and loses its
 * content (address, names) at once. IDs are unique over all queues.
 */
export const createOutbox = <Item extends Queued = MailRequest>(
  { connection, reach }: Pick<MongoConnection, 'connection' | 'reach'>,
  queue = 'mails',
): Outbox<Item> => {
  const entries =
    (connection.models.OutboxEntry as mongoose.Model<Entry> | undefined) ??
    connection.model<Entry>('OutboxEntry', documentOf(ENTRY), 'outbox')
  // Only `add` writes the field, and it takes nothing but this queue's items.
  const itemOf = (json: string | undefined) => JSON.parse(json ?? 'null') as Item

  const finished = (state: DeliveryState, now: EpochSeconds) => ({
    $set: { state, finishedAt: dateOf(now) },
    $unset: { item: true },
  })
  const due = (now: EpochSeconds) => ({
    queue,
    state: 'queued' as const,
    dueAt: trusted({ $lte: now }),
  })

  /** Gives up one that is due and no longer worth sending. */
  const expire = (now: EpochSeconds) =>
    reach(() =>
      entries
        .findOneAndUpdate(
          { ...due(now), expiresAt: trusted({ $lte: now }) },
          finished('failed', now),
          { sort: SOONEST, returnDocument: 'before' },
        )
        .lean<Entry>()
        .exec(),
    )

  const take = (now: EpochSeconds, leaseSeconds: number) =>
    reach(() =>
      entries
        .findOneAndUpdate(
          due(now),
          { $set: { dueAt: now + leaseSeconds }, $inc: { attempts: 1 } },
          { sort: SOONEST, returnDocument: 'after' },
        )
        .lean<Entry>()
        .exec(),
    )

  const update = async (filter: object, change: object): Promise<void> => {
    await reach(() => entries.updateOne(filter, change).exec())
  }

  return {
    add: async (item) => {
      const entry = await reach(() =>
        checked(entries, {
          _id: item.id,
          queue,
          state: 'queued',
          item: JSON.stringify(item),
          attempts: 0,
          dueAt: item.requestedAt,
          expiresAt: item.expiresAt,
          sequence: new mongoose.mongo.ObjectId(),
        }),
      )
      try {
        await reach(() => collectionOf(entries).insertOne(entry))
      } catch (error) {
        // It is there already, in whatever state.
        if (!(error instanceof DuplicateKeyError)) throw error
      }
    },

    stateOf: async (id) =>
      (await reach(() => entries.findOne({ _id: id }, 'state').lean<Entry>().exec()))?.state,

    count: () => reach(() => entries.countDocuments({ queue, state: 'queued' }).exec()),

    claim: async (now, limit, leaseSeconds, tellExpired) => {
      for (let entry = await expire(now); entry; entry = await expire(now)) {
        tellExpired?.(itemOf(entry.item), entry.attempts)
      }
      const claimed: { item: Item; attempts: number }[] = []
      while (claimed.length < limit) {
        const entry = await take(now, leaseSeconds)
        if (!entry) break
        claimed.push({ item: itemOf(entry.item), attempts: entry.attempts })
      }
      return claimed
    },

    sent: (id, now) =>
      update({ _id: id, state: trusted({ $ne: 'sent' as const }) }, finished('sent', now)),
    retry: (id, at) => update({ _id: id, state: 'queued' }, { $set: { dueAt: at } }),
    failed: (id, now) => update({ _id: id, state: 'queued' }, finished('failed', now)),
  }
}
