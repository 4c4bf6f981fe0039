import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { transform } from '@swc/core'

const CACHE = new URL('../../../node_modules/.cache/kenpo-id/typescript/', import.meta.url)

const compile = async (source, filename) => {
  const { code } = await transform(source, {
    filename,
    swcrc: false,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
    sourceMaps: 'inline',
  })
  return code
}

/** Hundreds of processes start from the same files: each is compiled once. */
const compiled = async (filename) => {
  const source = await readFile(filename, 'utf8')
  const name = createHash('sha256').update(filename).update('\0').update(source).digest('hex')
  const path = new URL(`${name}.mjs`, CACHE)
  const kept = await readFile(path, 'utf8').catch(() => undefined)
  if (kept !== undefined) return kept
  const code = await compile(source, filename)
  const draft = new URL(`${name}.${process.pid}`, CACHE)
  await mkdir(CACHE, { recursive: true })
  await writeFile(draft, code)
  await rename(draft, path)
  return code
}

/** Node's module hook: our TypeScript files, with the compiler that the tests run under. */
export const load = async (url, context, nextLoad) => {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context)
  return { format: 'module', source: await compiled(fileURLToPath(url)), shortCircuit: true }
}
