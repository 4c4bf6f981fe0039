import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import type { Environment } from '../../config/index.ts'

/** One of the engine's artifacts, as it saved it, and what has become of it since. */
export type StoredArtifact = Readonly<{
  model: string
  /** JSON. */
  payload: string
  consumed: boolean
  /** Its grant was. */
  revoked: boolean
}>

/** The stores of one deployment under test, and a look into them from beside it. */
export interface TestStores {
  /** What makes the product use them. */
  readonly env: Environment
  /** All that is kept, as text, by table, collection or kind of key. */
  atRest(): Promise<Readonly<Record<string, string>>>
  /** The engine's artifacts. */
  artifacts(): Promise<readonly StoredArtifact[]>
  /** What expires by the store's own clock becomes so much older. */
  age(seconds: number): void
  stop(): Promise<void>
}

/** The embedded file in this folder. */
export const embeddedStores = (dataDir: string): TestStores => {
  const rows = (sql: string): readonly Record<string, unknown>[] => {
    const file = new Libsql(join(dataDir, 'kenpo-id.sqlite'), { readonly: true })
    try {
      // A statement's rows are objects.
      return file.prepare(sql).all([]) as Record<string, unknown>[]
    } finally {
      file.close()
    }
  }
  return {
    env: { IDP_STORE: 'embedded' },
    atRest: async () => ({
      ...Object.fromEntries(
        rows("SELECT name FROM sqlite_master WHERE type = 'table'").map(({ name }) => [
          String(name),
          JSON.stringify(rows(`SELECT * FROM ${name}`)),
        ]),
      ),
      // What was deleted may still stand in the file.
      bytes: ['kenpo-id.sqlite', 'kenpo-id.sqlite-wal']
        .map((name) => readFileSync(join(dataDir, name), 'latin1'))
        .join(),
    }),
    artifacts: async () =>
      rows(
        `SELECT model, payload, consumed_at IS NOT NULL AS consumed,
         grant_id IN (SELECT grant_id FROM revoked_grants) AS revoked FROM artifacts`,
      ).map(({ model, payload, consumed, revoked }) => ({
        model: String(model),
        payload: String(payload),
        consumed: consumed === 1,
        revoked: revoked === 1,
      })),
    age: () => undefined,
    stop: async () => undefined,
  }
}
