import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transform } from '@swc/core'
import compiled from './compiled.cjs'

const compile = (source, filename) =>
  transform(source, {
    filename,
    swcrc: false,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
    sourceMaps: true,
  })

/** Whole or not at all: others compile the same file. */
const write = async (path, text) => {
  const draft = `${path}.${process.pid}`
  await mkdir(compiled.CACHE, { recursive: true })
  await writeFile(draft, text)
  await rename(draft, path)
}

/** Many processes start from the same files: each is compiled once. */
const javaScriptOf = async (filename) => {
  const source = await readFile(filename, 'utf8')
  const path = compiled.compiledPath(filename, source)
  const kept = await readFile(path, 'utf8').catch(() => undefined)
  if (kept !== undefined) return kept
  const { code, map } = await compile(source, filename)
  await write(`${path}.map`, map)
  await write(path, code)
  return code
}

/** Node's module hook: our TypeScript files, compiled. */
export const load = async (url, context, nextLoad) => {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context)
  return { format: 'module', source: await javaScriptOf(fileURLToPath(url)), shortCircuit: true }
}
