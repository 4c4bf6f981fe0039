import type { Clock, TransientStore } from '../../accounts/ports.ts'
import type { Database } from './database.ts'

type Row = Readonly<{ value: string }>

/** @throws TypeError for what JSON cannot hold (undefined, a function) */
const toJson = (value: unknown): string => {
  const json: string | undefined = JSON.stringify(value)
  if (json === undefined) throw new TypeError(`a ${typeof value} is no JSON value`)
  return json
}

// The port leaves a key's type to whoever put the value there.
const parse = <T>(row: Row | undefined) => (row ? (JSON.parse(row.value) as T) : undefined)

/** What expires, in the embedded file. `replace` compares JSON text, so the order of keys counts. */
export const createTransientStore = (db: Database, clock: Clock): TransientStore => ({
  put: async (key, value, ttlSeconds) => {
    db.run(
      'INSERT OR REPLACE INTO transient (key, value, expires_at) VALUES (?, ?, ?)',
      key,
      toJson(value),
      clock.now() + ttlSeconds,
    )
  },

  get: async <T>(key: string) =>
    parse<T>(
      db.get<Row>('SELECT value FROM transient WHERE key = ? AND expires_at > ?', key, clock.now()),
    ),

  take: async <T>(key: string) =>
    parse<T>(
      db.get<Row>(
        'DELETE FROM transient WHERE key = ? AND expires_at > ? RETURNING value',
        key,
        clock.now(),
      ),
    ),

  replace: async (key, previous, value, ttlSeconds) => {
    const now = clock.now()
    const written =
      previous === undefined
        ? db.run(
            `INSERT INTO transient (key, value, expires_at) VALUES (?, ?, ?)
             ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
             WHERE transient.expires_at <= ?`,
            key,
            toJson(value),
            now + ttlSeconds,
            now,
          )
        : db.run(
            `UPDATE transient SET value = ?, expires_at = ?
             WHERE key = ? AND value = ? AND expires_at > ?`,
            toJson(value),
            now + ttlSeconds,
            key,
            toJson(previous),
            now,
          )
    return written === 1
  },
})
