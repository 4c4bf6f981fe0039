import { AsyncLocalStorage } from 'node:async_hooks'
import { Cluster } from 'ioredis'
import { StoreUnavailableError } from '../../accounts/errors.ts'
import { type RedisClient, reach } from './connect.ts'

/** A command of Redis', or a script that `defineScript` has named, and its arguments. */
export type Command = readonly [name: string, ...args: readonly (string | number)[]]

/** Commands that stand together, and what their replies ask for further. */
export type Batch = Readonly<{
  commands: readonly Command[]
  afterwards?: (replies: readonly unknown[]) => readonly Command[]
  /** What takes more than that, once the batch is done. */
  finish?: (replies: readonly unknown[]) => Promise<void>
}>

/** A read that is likely to be asked for: it goes along with the first command that is sent. */
export type Prefetch = Readonly<{
  key: string
  commands: readonly Command[]
  absorb: (replies: readonly unknown[]) => void
  /** What it takes to undo the commands, once the work is done and nobody wanted what they brought. */
  undo?: () => readonly Command[]
}>

/** What one piece of work has asked of Redis so far. */
export type Unit = Readonly<{
  /** What the stores know from this work's reads and writes, by key. */
  notes: Map<string, unknown>
  queued(key: string): Batch | undefined
  isForeseen(key: string): boolean
  /** One more: it goes along with the next command that is sent. */
  foresee(prefetch: Prefetch): void
}>

export type Units = Readonly<{
  redis: RedisClient
  isCluster: boolean
  /** The piece of work that this is part of, while it goes on. */
  current(): Unit | undefined
  /**
   * Sends the commands, behind whatever is queued and foreseen: one round trip on one server. On a
   * Cluster what is queued goes first, each part to its node at once, and then the commands so.
   * @throws StoreUnavailableError
   */
  send(commands: readonly Command[]): Promise<readonly unknown[]>
  /** Puts a write off to the end of the work, in place of one of the same key; outside of any work
   * it is made at once. */
  queue(key: string, batch: Batch): Promise<void>
  /** Makes a call that is neither queued nor joined; the work fails with it. */
  reach<T>(call: () => Promise<T>): Promise<T>
  /** Sends what is queued. Before another store is written to that must not be ahead of Redis. */
  settle(): Promise<void>
  /** See `createUnitOfWork`. */
  run<T>(work: () => Promise<T>, foresee?: () => readonly Prefetch[]): Promise<T>
}>

type Call = (...args: readonly (string | number)[]) => Promise<unknown>

/** All at once, on one server in one write and in order. No transaction: each write stands alone. */
const transmit = async (
  redis: RedisClient,
  commands: readonly Command[],
): Promise<readonly unknown[]> => {
  if (redis instanceof Cluster || commands.length === 1) {
    // A command's name is a method's, which the client's types know one by one only.
    const methods = redis as unknown as Record<string, Call>
    return Promise.all(commands.map(async ([name, ...args]) => methods[name]?.(...args)))
  }
  const outcomes = await redis.pipeline(commands.map((command) => [...command])).exec()
  return (outcomes ?? []).map(([error, reply]) => {
    if (error) throw error
    return reply
  })
}

type OpenUnit = Unit & {
  isOpen: boolean
  readonly queue: Map<string, Batch>
  foreseen: readonly Prefetch[]
  fetched: readonly Prefetch[]
  /** The batch of writes that is on its way: whatever comes later is sent later. */
  writing: Promise<unknown> | undefined
  failure: StoreUnavailableError | undefined
}

const openUnit = (foreseen: readonly Prefetch[]): OpenUnit => {
  const queue = new Map<string, Batch>()
  return {
    isOpen: true,
    notes: new Map(),
    queue,
    foreseen,
    fetched: [],
    writing: undefined,
    failure: undefined,
    queued: (key) => queue.get(key),
    isForeseen(key) {
      return this.foreseen.some((prefetch) => prefetch.key === key)
    },
    foresee(prefetch) {
      this.foreseen = [...this.foreseen, prefetch]
    },
  }
}

/**
 * Units of work over one connection (performance.md section 3): while `run` is under way, what its
 * work saves and deletes is queued and goes out in one batch before `run` resolves, and what it
 * reads is remembered. On a Cluster the batch is split by slot. It is no transaction: a crash may
 * leave a part of it, as it may of separate writes.
 *
 * `run` rejects with StoreUnavailableError whenever Redis failed the work anywhere, even where the
 * work itself has made an answer of that: nothing that is not stored may be told to be. Where the
 * work throws anything else, what it had asked for until then is stored.
 */
export const createUnits = (redis: RedisClient): Units => {
  const isCluster = redis instanceof Cluster
  const storage = new AsyncLocalStorage<OpenUnit>()
  const current = (): OpenUnit | undefined => {
    const unit = storage.getStore()
    return unit?.isOpen ? unit : undefined
  }

  const guarded = async <T>(unit: OpenUnit | undefined, call: () => Promise<T>): Promise<T> => {
    try {
      return await reach(call)
    } catch (error) {
      if (unit && error instanceof StoreUnavailableError) unit.failure ??= error
      throw error
    }
  }

  /** Sends batches and tells each its own replies. */
  const sendBatches = async (
    unit: OpenUnit | undefined,
    batches: readonly Batch[],
  ): Promise<readonly (readonly unknown[])[]> => {
    const commands = batches.flatMap((batch) => batch.commands)
    if (commands.length === 0) return batches.map(() => [])
    const replies = await guarded(unit, () => transmit(redis, commands))
    let from = 0
    const shares = batches.map((batch) => {
      const share = replies.slice(from, from + batch.commands.length)
      from += batch.commands.length
      return share
    })
    const more = batches.flatMap((batch, index) => batch.afterwards?.(shares[index] ?? []) ?? [])
    if (more.length > 0) await guarded(unit, () => transmit(redis, more))
    for (const [index, batch] of batches.entries()) await batch.finish?.(shares[index] ?? [])
    return shares
  }

  const sendBehindQueue = async (unit: OpenUnit, commands: readonly Command[]) => {
    while (unit.writing) await unit.writing
    const writes = [...unit.queue.values()]
    const foreseen = unit.foreseen
    unit.queue.clear()
    unit.foreseen = []
    unit.fetched = [...unit.fetched, ...foreseen]
    const reads = [
      ...foreseen.map((prefetch): Batch => ({ commands: prefetch.commands })),
      { commands },
    ]
    const together = isCluster && writes.length > 0 ? reads : [...writes, ...reads]
    const sending = (async () => {
      if (together === reads) await sendBatches(unit, writes)
      return sendBatches(unit, together)
    })()
    if (writes.length > 0) {
      const done = sending.then(
        () => undefined,
        () => undefined,
      )
      unit.writing = done
      await done
      unit.writing = undefined
    }
    const shares = (await sending).slice(-reads.length)
    for (const [index, prefetch] of foreseen.entries()) prefetch.absorb(shares[index] ?? [])
    return shares.at(-1) ?? []
  }

  const send = async (commands: readonly Command[]): Promise<readonly unknown[]> => {
    const unit = current()
    if (unit) return sendBehindQueue(unit, commands)
    return (await sendBatches(undefined, [{ commands }]))[0] ?? []
  }

  const settle = async (): Promise<void> => {
    const unit = current()
    if (unit && (unit.queue.size > 0 || unit.writing)) await sendBehindQueue(unit, [])
  }

  const queue = async (key: string, batch: Batch): Promise<void> => {
    const unit = current()
    if (!unit) {
      await sendBatches(undefined, [batch])
      return
    }
    // Moved to the end: what was written since stays before it.
    unit.queue.delete(key)
    unit.queue.set(key, batch)
  }

  /** Ends the work: what was fetched for nothing is undone, and what is queued is sent. */
  const conclude = async (unit: OpenUnit): Promise<void> => {
    unit.foreseen = []
    for (const { key, undo } of unit.fetched) {
      const commands = undo?.() ?? []
      if (commands.length > 0) await queue(key, { commands })
    }
    await settle()
  }

  return {
    redis,
    isCluster,
    current,
    send,
    settle,
    queue,
    reach: (call) => guarded(current(), call),
    run: async (work, foresee = () => []) => {
      if (current()) return work()
      const unit = openUnit([])
      return storage.run(unit, async () => {
        try {
          unit.foreseen = foresee()
          const result = await work()
          if (unit.failure) throw unit.failure
          await conclude(unit)
          return result
        } catch (error) {
          if (!unit.failure) await conclude(unit)
          throw unit.failure ?? error
        } finally {
          unit.isOpen = false
        }
      })
    },
  }
}
