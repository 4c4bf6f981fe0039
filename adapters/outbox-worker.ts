import { randomInt } from 'node:crypto'
import type { EpochSeconds } from '../accounts/member.ts'
import type { Clock, Log, MailRequest, Outbox, Queued } from '../accounts/ports.ts'

export type OutboxWorker = Readonly<{
  /** Looks for due items at once: call it after adding one. */
  nudge(): void
  /** Resolves when nothing is on its way; what was put off is not. */
  idle(): Promise<void>
  /** Claims nothing more; resolves when the items on their way have been reported. */
  stop(): Promise<void>
}>

/** What a failed sending means. */
export type Fault = Readonly<{
  /** Sending it again is no use. */
  permanent: boolean
  /** For the log line: codes, never what a server wrote. */
  facts: object
  /** Not to be tried again before this. */
  notBefore?: EpochSeconds
}>

/** How the items of one queue get out, and what the log says of it. */
export type Delivery<Item extends Queued> = Readonly<{
  /** Items on their way at once. */
  inFlight: number
  /** Sends it once, within less than `LEASE_SECONDS`; 'dropped': it is not worth sending any more. */
  send(item: Item): Promise<'sent' | 'dropped'>
  faultOf(error: unknown): Fault
  /** Tells the operator which item it is: no secret, nothing about the member. */
  factsOf(item: Item): object
  events: Readonly<Record<'sent' | 'putOff' | 'failed' | 'dropped', string>>
}>

type Dependencies<Item extends Queued> = Readonly<{
  outbox: Outbox<Item>
  delivery: Delivery<Item>
  clock: Clock
  log: Log
}>

const POLL_MS = 1000
/** Longer than any one sending takes: only a crash leaves a lease to run out. */
const LEASE_SECONDS = 60
const MAX_BACKOFF_SECONDS = 60

/** 1, 2, 4 … 60 seconds and up to half of that again, so that items that failed together part. */
const backoffSeconds = (attempts: number): number => {
  const base = Math.min(2 ** (attempts - 1), MAX_BACKOFF_SECONDS)
  return base + randomInt(Math.floor(base / 2) + 1)
}

/** The outbox whose worker is told of each item added. */
export const nudging = <Item extends Queued>(
  outbox: Outbox<Item>,
  nudge: () => void,
): Outbox<Item> => ({
  ...outbox,
  add: async (item) => {
    await outbox.add(item)
    nudge()
  },
})

/**
 * Sends what is in one outbox: each item once, as far as a crash allows (one that dies between the
 * other side's yes and its own note sends again when the lease has run out). An item that fails
 * waits longer each time until it is not worth sending; one refused for good has failed.
 */
export const startOutboxWorker = <Item extends Queued = MailRequest>(
  dependencies: Dependencies<Item>,
): OutboxWorker => {
  const { outbox, delivery, clock, log } = dependencies
  const { events } = delivery
  const inFlight = new Set<Promise<void>>()
  let stopped = false
  let claiming: Promise<void> | undefined
  let claimAgain = false
  let timer: NodeJS.Timeout | undefined

  const factsOf = (item: Item, attempts: number) => ({ ...delivery.factsOf(item), attempts })

  const giveUp = async (item: Item, attempts: number, fault: Fault) => {
    await outbox.failed(item.id, clock.now())
    log.error({ ...factsOf(item, attempts), ...fault.facts }, events.failed)
  }

  /** Nobody got round to it in time: the servers were down, or its sender died on the way. */
  const sayExpired = (item: Item, attempts: number) =>
    log.error({ ...factsOf(item, attempts), reason: 'expired' }, events.failed)

  const drop = async (item: Item) => {
    await outbox.failed(item.id, clock.now())
    log.info(delivery.factsOf(item), events.dropped)
  }

  const putOff = async (item: Item, attempts: number, fault: Fault) => {
    const until = Math.max(clock.now(), fault.notBefore ?? 0) + backoffSeconds(attempts)
    if (until >= item.expiresAt) return giveUp(item, attempts, fault)
    await outbox.retry(item.id, until)
    log.warn({ ...factsOf(item, attempts), until, ...fault.facts }, events.putOff)
  }

  const deliver = async (item: Item, attempts: number) => {
    try {
      if ((await delivery.send(item)) === 'dropped') return await drop(item)
    } catch (error) {
      const fault = delivery.faultOf(error)
      return await (fault.permanent ? giveUp : putOff)(item, attempts, fault)
    }
    await outbox.sent(item.id, clock.now())
    log.info(factsOf(item, attempts), events.sent)
  }

  const start = (item: Item, attempts: number) => {
    const sending = deliver(item, attempts)
      // The store could not be told: the lease runs out and the item is claimed again.
      .catch((error: unknown) =>
        log.error({ ...delivery.factsOf(item), err: error }, 'outbox_unreachable'),
      )
      .finally(() => {
        inFlight.delete(sending)
        nudge()
      })
    inFlight.add(sending)
  }

  const claim = async () => {
    const free = delivery.inFlight - inFlight.size
    if (stopped || free === 0) return
    const due = await outbox.claim(clock.now(), free, LEASE_SECONDS, sayExpired)
    for (const { item, attempts } of due) start(item, attempts)
  }

  const nudge = () => {
    if (stopped) return
    if (claiming) {
      claimAgain = true
      return
    }
    clearTimeout(timer)
    claiming = claim()
      .catch((error: unknown) => log.error({ err: error }, 'outbox_unreachable'))
      .then(() => {
        claiming = undefined
        if (stopped) return
        if (claimAgain) {
          claimAgain = false
          nudge()
        } else {
          timer = setTimeout(nudge, POLL_MS)
        }
      })
  }

  const idle = async () => {
    while (claiming || inFlight.size > 0) await Promise.all([claiming, ...inFlight])
  }

  nudge()
  return {
    nudge,
    idle,
    async stop() {
      stopped = true
      clearTimeout(timer)
      await idle()
    },
  }
}
