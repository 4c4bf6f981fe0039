import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

const GENERATED = ['node_modules', 'dist', 'coverage', 'data', 'screenshots', '.git']

const walk = (folder: string): readonly string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true })
    .filter((entry) => !GENERATED.includes(entry.name))
    .flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      return entry.isDirectory() ? walk(path) : [path]
    })

/** The repository's own files with this ending, as paths from its root. */
export const sourceFiles = (ending: string): readonly string[] =>
  walk('').filter((path) => path.endsWith(ending))

export const sourceText = (path: string): string => readFileSync(join(ROOT, path), 'utf8')
