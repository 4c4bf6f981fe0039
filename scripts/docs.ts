import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { envExample, withConfigTable } from '../config/docs.ts'

// Run at the repository's root by "npm run docs": writes what is made from config/options.ts.
writeFileSync('.env.example', envExample())
for (const [path, locale] of [
  ['README.md', 'en'],
  ['README.ja.md', 'ja'],
] as const) {
  if (!existsSync(path)) continue
  const written = withConfigTable(readFileSync(path, 'utf8'), locale)
  if (written !== undefined) writeFileSync(path, written)
}
