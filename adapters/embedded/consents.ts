import { type Consent, type Permissions, together } from '../../accounts/consents.ts'
import type { MemberId } from '../../accounts/member.ts'
import type { ConsentStore } from '../../accounts/ports.ts'
import type { Database } from './database.ts'

type Row = Readonly<{
  member_id: MemberId
  client_id: string
  since: number
  updated_at: number
  permissions: string
}>

const consentOf = (row: Row): Consent => ({
  memberId: row.member_id,
  clientId: row.client_id,
  since: row.since,
  updatedAt: row.updated_at,
  // Only `give` writes the column, and it takes nothing but these.
  ...(JSON.parse(row.permissions) as Permissions),
})

/** What members have allowed relying parties, in the embedded file. */
export const createConsentStore = (db: Database): ConsentStore => {
  const find = (memberId: MemberId, clientId: string): Consent | undefined => {
    const row = db.get<Row>(
      'SELECT * FROM consents WHERE member_id = ? AND client_id = ?',
      memberId,
      clientId,
    )
    return row && consentOf(row)
  }

  return {
    find: async (memberId, clientId) => find(memberId, clientId),

    list: async (memberId) =>
      db
        .all<Row>(
          'SELECT * FROM consents WHERE member_id = ? ORDER BY since DESC, rowid DESC',
          memberId,
        )
        .map(consentOf),

    give: async ({ memberId, clientId, since, updatedAt, scopes, claims, resources }) => {
      db.transaction(() => {
        const given = { scopes, claims, resources }
        const held = find(memberId, clientId)
        db.run(
          `INSERT INTO consents (member_id, client_id, since, updated_at, permissions)
           VALUES (?, ?, ?, ?, ?)
           ON CONFLICT (member_id, client_id) DO UPDATE SET
             updated_at = max(updated_at, excluded.updated_at), permissions = excluded.permissions`,
          memberId,
          clientId,
          since,
          updatedAt,
          JSON.stringify(held ? together(held, given) : given),
        )
      })
    },

    withdraw: async (memberId, clientId) =>
      db.run('DELETE FROM consents WHERE member_id = ? AND client_id = ?', memberId, clientId) ===
      1,
  }
}
