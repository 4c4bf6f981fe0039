import type { EpochSeconds } from '../../accounts/member.ts'
import type { MailRequest, MailState, Outbox } from '../../accounts/ports.ts'
import type { Database } from './database.ts'

type Due = Readonly<{ id: string; mail: string; attempts: number }>

// Only `add` writes the column, and it takes nothing but a MailRequest.
const requestIn = (mail: string) => JSON.parse(mail) as MailRequest

/**
 * Mails on their way, in the embedded file. A finished mail keeps its state for a week and loses
 * its content (address, names) at once.
 */
export const createOutbox = (db: Database): Outbox => {
  const finish = (id: string, state: MailState, unless: string, now: EpochSeconds) => {
    db.run(
      `UPDATE outbox SET state = ?, mail = NULL, finished_at = ? WHERE id = ? AND state ${unless}`,
      state,
      now,
      id,
    )
  }

  /** Gives up what is due and no longer worth sending. `attempts`: how often it was handed out. */
  const expire = (now: EpochSeconds): readonly Due[] => {
    const expired = db.all<Due>(
      `SELECT id, mail, attempts FROM outbox
       WHERE state = 'queued' AND due_at <= ? AND expires_at <= ?`,
      now,
      now,
    )
    for (const { id } of expired) finish(id, 'failed', `= 'queued'`, now)
    return expired
  }

  const claim = (now: EpochSeconds, limit: number, leaseSeconds: number) => {
    const expired = expire(now)
    const due = db.all<Due>(
      `SELECT id, mail, attempts + 1 AS attempts FROM outbox
       WHERE state = 'queued' AND due_at <= ? ORDER BY due_at, sequence LIMIT ?`,
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
    add: async (mail) => {
      db.run(
        `INSERT INTO outbox (id, state, mail, due_at, expires_at) VALUES (?, 'queued', ?, ?, ?)
         ON CONFLICT (id) DO NOTHING`,
        mail.id,
        JSON.stringify(mail),
        mail.requestedAt,
        mail.expiresAt,
      )
    },

    stateOf: async (id) =>
      db.get<{ state: MailState }>('SELECT state FROM outbox WHERE id = ?', id)?.state,

    claim: async (now, limit, leaseSeconds, tellExpired) => {
      const { due, expired } = db.transaction(() => claim(now, limit, leaseSeconds))
      for (const { mail, attempts } of expired) tellExpired?.(requestIn(mail), attempts)
      return due.map(({ mail, attempts }) => ({ mail: requestIn(mail), attempts }))
    },

    sent: async (id, now) => finish(id, 'sent', `<> 'sent'`, now),

    retry: async (id, at) => {
      db.run('UPDATE outbox SET due_at = ? WHERE id = ?', at, id)
    },

    failed: async (id, now) => finish(id, 'failed', `= 'queued'`, now),
  }
}
