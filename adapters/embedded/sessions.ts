import type { MemberId } from '../../accounts/member.ts'
import type { SessionIndex } from '../../accounts/ports.ts'
import { newsOf, type SessionRecord } from '../../accounts/sign-ins.ts'
import type { Database } from './database.ts'

type Row = Readonly<{
  uid: string
  member_id: string
  device: string
  since: number
  seen_at: number
  grant_ids: string
  sids: string
  ends_at: number
}>

// Only `write` fills these columns.
const recordOf = (row: Row): SessionRecord => ({
  uid: row.uid,
  memberId: row.member_id as MemberId,
  device: row.device,
  since: row.since,
  seenAt: row.seen_at,
  grantIds: row.grant_ids.split(' ').filter(Boolean),
  sids: JSON.parse(row.sids) as SessionRecord['sids'],
  endsAt: row.ends_at,
})

/** Which sessions are a member's, in the embedded file. */
export const createSessionIndex = (db: Database): SessionIndex => {
  const news = (session: SessionRecord) => {
    const row = db.get<Row>('SELECT * FROM member_sessions WHERE uid = ?', session.uid)
    return newsOf(row && recordOf(row), session)
  }

  const write = (session: SessionRecord) =>
    db.run(
      `INSERT OR REPLACE INTO member_sessions
         (uid, member_id, device, since, seen_at, grant_ids, sids, ends_at, due_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      session.uid,
      session.memberId,
      session.device,
      session.since,
      session.seenAt,
      session.grantIds.join(' '),
      JSON.stringify(session.sids),
      session.endsAt,
      session.endsAt,
    )

  const claim = (now: number, limit: number, leaseSeconds: number): readonly Row[] => {
    const due = db.all<Row>(
      'SELECT * FROM member_sessions WHERE due_at <= ? ORDER BY due_at LIMIT ?',
      now,
      limit,
    )
    for (const { uid } of due) {
      db.run('UPDATE member_sessions SET due_at = ? WHERE uid = ?', now + leaseSeconds, uid)
    }
    return due
  }

  return {
    see: async (session) => {
      if (!news(session)) return
      db.transaction(() => {
        const newest = news(session)
        if (newest) write(newest)
      })
    },

    list: async (memberId) =>
      db
        .all<Row>(
          'SELECT * FROM member_sessions WHERE member_id = ? ORDER BY seen_at DESC, since DESC',
          memberId,
        )
        .map(recordOf),

    claimEnded: async (now, limit, leaseSeconds) =>
      db.transaction(() => claim(now, limit, leaseSeconds)).map(recordOf),

    settle: async (uid, endsAt) => {
      db.run(
        `UPDATE member_sessions SET due_at = NULL, sids = '{}' WHERE uid = ? AND ends_at <= ?`,
        uid,
        endsAt,
      )
    },

    remove: async (uid) => {
      db.run('DELETE FROM member_sessions WHERE uid = ?', uid)
    },
  }
}
