import type { AuditEvent, AuditTrail } from '../../accounts/ports.ts'
import type { Database } from './database.ts'

/** What was done to accounts, in the embedded file: rows are added and never changed. */
export const createAuditTrail = (db: Database): AuditTrail => ({
  append: async (event) => {
    db.run(
      `INSERT INTO audit_events (id, member_id, at, event) VALUES (?, ?, ?, ?)
       ON CONFLICT (id) DO NOTHING`,
      event.id,
      event.memberId,
      event.at,
      JSON.stringify(event),
    )
  },

  eventsOf: async (memberId) =>
    db
      .all<{ event: string }>(
        'SELECT event FROM audit_events WHERE member_id = ? ORDER BY sequence',
        memberId,
      )
      // Only `append` writes the column, and it takes nothing but an AuditEvent.
      .map(({ event }) => JSON.parse(event) as AuditEvent),
})
