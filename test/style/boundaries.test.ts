import { describe, expect, test } from '@jest/globals'
import { sourceFiles, sourceText } from './sources.ts'
import { type Syntax, syntaxOf } from './syntax.ts'

type Module = Readonly<{ path: string; syntax: Syntax }>
const modules: readonly Module[] = sourceFiles('.ts').map((path) => ({
  path,
  syntax: syntaxOf(sourceText(path)),
}))
const under = (path: string, places: readonly string[]): boolean =>
  places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place))

/** `path: use` for every one of these uses outside the places where it belongs. */
const strays = (uses: readonly string[], places: readonly string[]): readonly string[] =>
  modules
    .filter(({ path }) => !under(path, places))
    .flatMap(({ path, syntax }) =>
      uses.filter((use) => syntax.uses.has(use)).map((use) => `${path}: ${use}`),
    )

const ENTRIES = ['server.ts', 'cluster.ts', 'cli/', 'adapters/system.ts']
const FREE = ['portal/', 'bench/', 'examples/', 'scripts/', 'test/']

describe('What the linter cannot say', () => {
  test('there are sources to look at', () => {
    expect(modules.map(({ path }) => path)).toContain('accounts/enrolment.ts')
  })

  test('a use is told from a comment and from a text', () => {
    const { uses } = syntaxOf(`
      // Date.now() in a comment
      const text = 'process.env'
      const found = [new Date(), globalThis.process.env, ctx['ip'], new Date(0)]
      test.skip('later', () => ctx.redirect('back'))
    `)
    expect(uses).toContain('new Date()')
    expect(uses).toContain('.env')
    expect(uses).toContain('ctx.ip')
    expect(uses).toContain('test.skip')
    expect(uses).toContain("redirect('back')")
    expect(uses).not.toContain('Date.now')
    expect(uses).not.toContain('process.env')
  })

  test('the environment, the time, chance and the console are met at the edge only', () => {
    const uses = ['process.env', '.env', 'Date.now', 'new Date()', 'Math.random']
    expect(strays([...uses, 'console'], [...ENTRIES, ...FREE])).toEqual([])
  })

  test('nobody takes the environment or the console by import instead', () => {
    const imports = modules
      .filter(({ path }) => !under(path, [...ENTRIES, ...FREE]))
      .flatMap(({ path, syntax }) => syntax.imports.map(({ from }) => `${path}: ${from}`))
    expect(imports.filter((line) => /: (node:)?(process|console)$/.test(line))).toEqual([])
  })

  test('what a proxy or a forged header can set is read in interactions/trust.ts only', () => {
    const names = ['ip', 'ips', 'host', 'hostname', 'origin', 'protocol', 'secure', 'subdomains']
    const uses = names.flatMap((name) => [`ctx.${name}`, `ctx.request.${name}`])
    expect(strays(uses, ['interactions/trust.ts', ...FREE])).toEqual([])
  })

  test('nobody redirects to where the Referer header says', () => {
    expect(strays(["redirect('back')", 'ctx.back'], [])).toEqual([])
  })

  test('pages are rendered per request, not through the application’s shared context', () => {
    expect(strays(['app.context.render', 'provider.context.render'], [])).toEqual([])
  })

  test('no test is skipped, left for later or run alone', () => {
    const names = ['skip', 'only', 'todo', 'failing']
    const uses = names.flatMap((name) => ['describe', 'it', 'test'].map((t) => `${t}.${name}`))
    expect(strays([...uses, 'xdescribe', 'xit', 'xtest', 'fdescribe', 'fit'], [])).toEqual([])
  })

  test('pug escapes whatever it is given', () => {
    const raw = sourceFiles('.pug').flatMap((path) =>
      sourceText(path)
        .split('\n')
        .filter((line) => !line.trimStart().startsWith('//'))
        .filter((line) => /!=(?!=)|!\{/.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    )
    expect(raw).toEqual([])
  })

  test.each([
    ['adapters', 'config'],
    ['provider', 'config'],
    ['interactions', 'provider'],
    ['views', 'accounts'],
  ])('%s/ takes only types from %s/', (folder, from) => {
    const values = modules
      .filter(({ path }) => path.startsWith(`${folder}/`))
      .flatMap(({ path, syntax }) =>
        syntax.imports
          .filter((one) => !one.typeOnly && one.from.includes(`../${from}/`))
          .map((one) => `${path}: ${one.from}`),
      )
    expect(values).toEqual([])
  })
})
