import type { FactorId, MemberId } from '../../accounts/member.ts'
import type { SignInLog } from '../../accounts/ports.ts'
import { DEVICE_SECONDS } from '../../accounts/sign-ins.ts'
import type { Database } from './database.ts'

type Row = Readonly<{
  id: string
  member_id: string
  at: number
  device: string
  client_id: string
  factors: string
}>

/** Sign-ins and members' browsers, in the embedded file. */
export const createSignInLog = (db: Database): SignInLog => {
  /** How many browsers the member has used of late, and whether this is one of them. */
  const devicesOf = (memberId: MemberId, deviceId: string, since: number) =>
    db.get<{ used: number; known: number }>(
      `SELECT count(*) AS used, count(*) FILTER (WHERE device_id = ?) AS known
       FROM member_devices WHERE member_id = ? AND used_at > ?`,
      deviceId,
      memberId,
      since,
    ) ?? { used: 0, known: 0 }

  return {
    record: async ({ id, memberId, at, device, clientId, factors }, deviceId) =>
      db.transaction(() => {
        const written = db.run(
          `INSERT INTO sign_ins (id, member_id, at, device, client_id, factors)
           VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`,
          id,
          memberId,
          at,
          device,
          clientId,
          factors.join(' '),
        )
        const { used, known } = devicesOf(memberId, deviceId, at - DEVICE_SECONDS)
        db.run(
          `INSERT INTO member_devices (member_id, device_id, used_at) VALUES (?, ?, ?)
           ON CONFLICT DO UPDATE SET used_at = max(used_at, excluded.used_at)`,
          memberId,
          deviceId,
          at,
        )
        return { newDevice: written === 1 && used > 0 && known === 0 }
      }),

    list: async (memberId, since) =>
      db
        .all<Row>(
          'SELECT * FROM sign_ins WHERE member_id = ? AND at >= ? ORDER BY at DESC, rowid DESC',
          memberId,
          since,
        )
        .map((row) => ({
          id: row.id,
          memberId,
          at: row.at,
          device: row.device,
          clientId: row.client_id,
          // Only `record` writes the column, and it takes nothing but these.
          factors: row.factors.split(' ').filter(Boolean) as FactorId[],
        })),
  }
}
