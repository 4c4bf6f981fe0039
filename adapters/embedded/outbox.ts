import type { EpochSeconds } from '../../accounts/member.ts'
import type { DeliveryState, MailRequest, Outbox, Queued } from '../../accounts/ports.ts'
import type { Database } from './database.ts'

type Due = Readonly<{ id: string; item: string; attempts: number }>

/**
 * What is on its way out of one queue, in the embedded file. A finished item keeps its state for a
 * week and loses its content (address, names) at once. IDs are unique over all queues.
 */
export const createOutbox = <Item extends Queued = MailRequest>(
  db: Database,
  queue = 'mails',
): Outbox<Item> => {
  // Only `add` writes the column, and it takes nothing but this queue's items.
  const itemIn = (text: string) => JSON.parse(text) as Item

  const finish = (id: string, state: DeliveryState, unless: string, now: EpochSeconds) => {
    db.run(
      `UPDATE outbox SET state = ?, item = NULL, finished_at = ? WHERE id = ? AND state ${unless}`,
      state,
      now,
      id,
    )
  }

  /** Gives up what is due and no longer worth sending. `attempts`: how often it was handed out. */
  const expire = (now: EpochSeconds): readonly Due[] => {
    const expired = db.all<Due>(
      `SELECT id, item, attempts FROM outbox
       WHERE queue = ? AND state = 'queued' AND due_at <= ? AND expires_at <= ?`,
      queue,
      now,
      now,
    )
    for (const { id } of expired) finish(id, 'failed', `= 'queued'`, now)
    return expired
  }

  const claim = (now: EpochSeconds, limit: number, leaseSeconds: number) => {
    const expired = expire(now)
    const due = db.all<Due>(
      `SELECT id, item, attempts + 1 AS attempts FROM outbox
       WHERE queue = ? AND state = 'queued' AND due_at <= ? ORDER BY due_at, sequence LIMIT ?`,
      queue,
      now,
      limit,
    )
    for (const { id, attempts } of due) {
      db.run(
        'UPDATE outbox SET due_at = ?, attempts = ? WHERE id = ?',
        now + leaseSeconds,
        attempts,
        id,
      )
    }
    return { due, expired }
  }

  return {
    add: async (item) => {
      db.run(
        `INSERT INTO outbox (id, queue, state, item, due_at, expires_at)
         VALUES (?, ?, 'queued', ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
        item.id,
        queue,
        JSON.stringify(item),
        item.requestedAt,
        item.expiresAt,
      )
    },

    stateOf: async (id) =>
      db.get<{ state: DeliveryState }>('SELECT state FROM outbox WHERE id = ?', id)?.state,

    count: async () =>
      db.get<{ count: number }>(
        "SELECT COUNT(*) AS count FROM outbox WHERE queue = ? AND state = 'queued'",
        queue,
      )?.count ?? 0,

    claim: async (now, limit, leaseSeconds, tellExpired) => {
      const { due, expired } = db.transaction(() => claim(now, limit, leaseSeconds))
      for (const { item, attempts } of expired) tellExpired?.(itemIn(item), attempts)
      return due.map(({ item, attempts }) => ({ item: itemIn(item), attempts }))
    },

    sent: async (id, now) => finish(id, 'sent', `<> 'sent'`, now),

    retry: async (id, at) => {
      db.run('UPDATE outbox SET due_at = ? WHERE id = ?', at, id)
    },

    failed: async (id, now) => finish(id, 'failed', `= 'queued'`, now),
  }
}
