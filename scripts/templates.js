// Compiles views/*.pug into views/compiled/, one module each, as the compiler does with the code: a
// start would otherwise spend seconds on it. Part of `npm run build`; the tests call it too.
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import pug from 'pug'

const views = join(dirname(dirname(fileURLToPath(import.meta.url))), 'views')
const compiled = join(views, 'compiled')

/** Files that only others include or extend. */
const PARTS = new Set(['layout.pug', 'mixins.pug'])

/** Paths in views/ without the extension: ["password", "mail/mail", …]. */
const templatesIn = (folder) =>
  readdirSync(join(views, folder), { withFileTypes: true })
    .filter(({ name }) => name.endsWith('.pug') && !PARTS.has(name))
    .map(({ name }) => join(folder, name.slice(0, -'.pug'.length)))

const moduleOf = (template) => {
  const path = join(views, `${template}.pug`)
  const code = pug.compileFileClient(path, { basedir: views, compileDebug: false })
  return `${code}\nexport default template\n`
}

/** Written whole or not at all: another run may be reading. */
const write = (path, text) => {
  mkdirSync(dirname(path), { recursive: true })
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, text)
  renameSync(draft, path)
}

/** Of every source and of the compiler: what is compiled already stays. */
const stateOf = (paths) => {
  const hash = createHash('sha256').update(readFileSync(fileURLToPath(import.meta.url)))
  hash.update(readFileSync(fileURLToPath(import.meta.resolve('pug/package.json'))))
  for (const path of paths) hash.update(path).update(readFileSync(join(views, path)))
  return hash.digest('hex')
}

/** Compiles what has changed since the last time, or nothing. */
export const compileTemplates = () => {
  const sources = readdirSync(views, { recursive: true }).filter((path) => path.endsWith('.pug'))
  const state = stateOf(sources.sort())
  const mark = join(compiled, 'state.txt')
  if (existsSync(mark) && readFileSync(mark, 'utf8') === state) return
  const templates = [...templatesIn('.'), ...templatesIn('mail')]
  for (const template of templates) write(join(compiled, `${template}.js`), moduleOf(template))
  write(mark, state)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) compileTemplates()
