// biome-ignore lint/style/noRestrictedImports: this adapter is the engine's; it refuses in its words
import type { Adapter, AdapterPayload } from 'oidc-provider'
import type { Clock } from '../../accounts/ports.ts'
import { aliasOf, digestOf, grantIdOf, withId, withoutIds } from '../artifact-ids.ts'
import { alreadyConsumed, jtiAlreadyUsed } from '../engine-refusals.ts'
import type { Database } from './database.ts'

type Row = Readonly<{ id: string; payload: string; consumed_at: number | null }>
export type ArtifactOptions = Readonly<{
  /** How long a revoked grant is remembered: not less than the longest token lives. */
  tombstoneSeconds?: number
}>

/** Conditions on a row; each takes the time now, by position. */
const LIVE = '(expires_at IS NULL OR expires_at > ?)'
const UNREVOKED = `NOT EXISTS (
  SELECT 1 FROM revoked_grants revoked
  WHERE revoked.grant_id = artifacts.grant_id AND revoked.expires_at > ?)`

const payloadOf = (row: Row | undefined, id?: string): AdapterPayload | undefined => {
  if (!row) return undefined
  // Only `upsert` writes the column, and it takes nothing but a payload.
  const payload = withId(id ?? aliasOf(row.id), JSON.parse(row.payload) as AdapterPayload)
  return row.consumed_at === null ? payload : { ...payload, consumed: row.consumed_at }
}

/**
 * The engine's artifacts in the embedded file. Beyond the engine's own adapter contract:
 * - `consume` is one compare-and-set; of any number of callers all but one get InvalidGrant, and a
 *   consumed artifact stays so even when it is saved again;
 * - `revokeByGrantId` leaves a tombstone: nothing under that grant, the grant itself included, is
 *   found any more or stored later, whoever wins the race;
 * - a ReplayDetection record (a client assertion's or DPoP proof's `jti`) is stored once while it
 *   lives; a second, parallel one is refused;
 * - the file holds the artifacts' IDs as SHA-256, so that a look at it yields no live token; what is
 *   found by its uid or user code comes with a stand-in for its ID, good in this process.
 */
export const createArtifactAdapter = (
  db: Database,
  clock: Clock,
  { tombstoneSeconds = 30 * 86_400 }: ArtifactOptions = {},
): ((model: string) => Adapter) => {
  const select = (
    model: string,
    column: 'id' | 'uid' | 'user_code',
    value: string,
    id?: string,
  ) => {
    const now = clock.now()
    return payloadOf(
      db.get<Row>(
        `SELECT id, payload, consumed_at FROM artifacts
         WHERE model = ? AND ${column} = ? AND ${LIVE} AND ${UNREVOKED}
         ORDER BY rowid DESC LIMIT 1`,
        model,
        value,
        now,
        now,
      ),
      id,
    )
  }

  return (model) => ({
    upsert: async (id, payload, expiresIn) => {
      const now = clock.now()
      const grantId = grantIdOf(model, id, payload) ?? null
      const once = model === 'ReplayDetection'
      const written = db.run(
        `INSERT INTO artifacts
           (model, id, payload, expires_at, consumed_at, grant_id, uid, user_code)
         SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (
           SELECT 1 FROM revoked_grants WHERE grant_id = ? AND expires_at > ?)
         ON CONFLICT (model, id) DO UPDATE SET
           payload = excluded.payload, expires_at = excluded.expires_at,
           consumed_at = coalesce(artifacts.consumed_at, excluded.consumed_at),
           grant_id = excluded.grant_id, uid = excluded.uid, user_code = excluded.user_code
         ${once ? 'WHERE artifacts.expires_at <= ?' : ''}`,
        model,
        digestOf(id),
        JSON.stringify(withoutIds(id, payload)),
        expiresIn === undefined ? null : now + expiresIn,
        typeof payload.consumed === 'number' ? payload.consumed : null,
        grantId,
        payload.uid ?? null,
        payload.userCode ?? null,
        grantId,
        now,
        ...(once ? [now] : []),
      )
      if (once && written === 0) throw await jtiAlreadyUsed()
    },

    find: async (id) => select(model, 'id', digestOf(id), id),
    findByUid: async (uid) => select(model, 'uid', uid),
    findByUserCode: async (userCode) => select(model, 'user_code', userCode),

    consume: async (id) => {
      const now = clock.now()
      const written = db.run(
        `UPDATE artifacts SET consumed_at = ?
         WHERE model = ? AND id = ? AND consumed_at IS NULL AND ${LIVE} AND ${UNREVOKED}`,
        now,
        model,
        digestOf(id),
        now,
        now,
      )
      if (written === 0) throw await alreadyConsumed(model)
    },

    destroy: async (id) => {
      db.run('DELETE FROM artifacts WHERE model = ? AND id = ?', model, digestOf(id))
    },

    revokeByGrantId: async (grantId) => {
      db.transaction(() => {
        db.run(
          'INSERT OR REPLACE INTO revoked_grants (grant_id, expires_at) VALUES (?, ?)',
          grantId,
          clock.now() + tombstoneSeconds,
        )
        db.run('DELETE FROM artifacts WHERE grant_id = ?', grantId)
      })
    },
  })
}
