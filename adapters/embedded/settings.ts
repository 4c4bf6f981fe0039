import type { Database } from './database.ts'

/** Lasting values that a development server makes for itself (its keys). */
export type Settings = Readonly<{
  /** The value held under `name`, made and stored first where there is none: processes that race
   * all get the same one. */
  obtain(name: string, make: () => string): string
}>

export const createSettings = (db: Database): Settings => {
  const find = (name: string) =>
    db.get<{ value: string }>('SELECT value FROM settings WHERE name = ?', name)?.value

  return {
    obtain: (name, make) => {
      const held = find(name)
      if (held !== undefined) return held
      const made = make()
      db.run(
        'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING',
        name,
        made,
      )
      return find(name) ?? made
    },
  }
}
