import type { SessionIndex } from '../../accounts/ports.ts'
import type { SessionRecord } from '../../accounts/sign-ins.ts'
import type { Database } from './database.ts'

type Row = Readonly<{
  uid: string
  device: string
  since: number
  seen_at: number
  grant_ids: string
}>

/** A session used again within this time is not written again: authorization requests stay cheap. */
const SEEN_SECONDS = 60

/** Which sessions are a member's, in the embedded file. */
export const createSessionIndex = (db: Database): SessionIndex => {
  const find = (uid: string) =>
    db.get<Row & { member_id: string }>('SELECT * FROM member_sessions WHERE uid = ?', uid)

  const grantsOf = (row: Row | undefined): readonly string[] =>
    row?.grant_ids.split(' ').filter(Boolean) ?? []

  /** Another member in the same browser is another session: nothing of the first is kept. */
  const merged = (session: SessionRecord): SessionRecord | undefined => {
    const held = find(session.uid)
    if (held?.member_id !== session.memberId) return session
    const grants = grantsOf(held)
    const grantIds = [...new Set([...grants, ...session.grantIds])]
    const news =
      grantIds.length > grants.length ||
      session.seenAt - held.seen_at >= SEEN_SECONDS ||
      session.since !== held.since ||
      session.device !== held.device
    return news ? { ...session, grantIds } : undefined
  }

  const write = ({ uid, memberId, device, since, seenAt, grantIds }: SessionRecord) =>
    db.run(
      `INSERT OR REPLACE INTO member_sessions (uid, member_id, device, since, seen_at, grant_ids)
       VALUES (?, ?, ?, ?, ?, ?)`,
      uid,
      memberId,
      device,
      since,
      seenAt,
      grantIds.join(' '),
    )

  return {
    see: async (session) => {
      if (!merged(session)) return
      db.transaction(() => {
        const newest = merged(session)
        if (newest) write(newest)
      })
    },

    list: async (memberId) =>
      db
        .all<Row>(
          'SELECT * FROM member_sessions WHERE member_id = ? ORDER BY seen_at DESC, since DESC',
          memberId,
        )
        .map((row) => ({
          uid: row.uid,
          memberId,
          device: row.device,
          since: row.since,
          seenAt: row.seen_at,
          grantIds: grantsOf(row),
        })),

    remove: async (uid) => {
      db.run('DELETE FROM member_sessions WHERE uid = ?', uid)
    },
  }
}
