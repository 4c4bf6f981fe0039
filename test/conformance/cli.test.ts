import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { runCli } from './cli.ts'
import { PLANS } from './plans/index.ts'
import { moduleTable } from './reports/markdown.ts'
import { SPECIFICATIONS } from './specifications.ts'
import { type BareProvider, makeBareKey, startBareProvider } from './targets/bare-oidc-provider.ts'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const GUIDE = join(HERE, '../../docs/conformance.md')

let folder: string
let provider: BareProvider
beforeAll(async () => {
  for (const how of ['info', 'warn'] as const) jest.spyOn(console, how).mockReturnValue()
  folder = mkdtempSync(join(tmpdir(), 'conformance-cli-'))
  provider = await startBareProvider(await makeBareKey())
  writeFileSync(join(folder, 'clients.json'), JSON.stringify({ clients: provider.clients }))
})
afterAll(async () => {
  await provider.close()
  rmSync(folder, { recursive: true })
})

const file = (name: string, content: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

const command = async (...args: readonly string[]) => {
  const said: string[] = []
  const keep = (line: string) => said.push(line)
  const code = await runCli(args, { out: keep, error: keep, isColoured: false })
  return { code, said: said.join('\n') }
}

const askProvider = (...more: readonly string[]) =>
  command(
    '--issuer',
    provider.issuer,
    '--driver',
    'bare-oidc-provider',
    '--client',
    join(folder, 'clients.json'),
    '--out',
    join(folder, 'report'),
    ...more,
  )

describe('npm run conformance', () => {
  test('ends with 0, a table and three reports', async () => {
    const { code, said } = await askProvider('--plan', 'pkce', 'userinfo-claims')
    expect(said).toMatch(/^pkce +7 +0 +0 +0 +0$/m)
    expect(said).toMatch(/^all +15 +0 +0 +0 +0$/m)
    expect(code).toBe(0)
    expect(readdirSync(join(folder, 'report')).sort()).toEqual([
      'junit.xml',
      'report.html',
      'report.json',
    ])
  })

  test('its HTML report stands alone, speaks both languages and tells no secret', () => {
    const text = readFileSync(join(folder, 'report/report.html'), 'utf8')
    const root = parse(text)
    expect(root.querySelectorAll('script[src], link, img, iframe')).toEqual([])
    expect(root.querySelector('style')?.text).not.toMatch(/@import|url\(/)
    expect(root.querySelector('#pkce-s256')?.textContent).toContain('S256と正しいverifier')
    expect(root.querySelector('#pkce-s256')?.textContent).toContain('S256 with the right verifier')
    expect(root.querySelectorAll('details.m')).toHaveLength(15)
    for (const { client_secret: secret } of provider.clients) {
      if (secret !== undefined) expect(text).not.toContain(secret)
    }
  })

  test('its JUnit and JSON reports count the same modules', () => {
    const xml = parse(readFileSync(join(folder, 'report/junit.xml'), 'utf8'))
    expect(xml.querySelectorAll('testcase')).toHaveLength(15)
    expect(xml.querySelectorAll('failure, skipped')).toHaveLength(0)
    const json: unknown = JSON.parse(readFileSync(join(folder, 'report/report.json'), 'utf8'))
    expect(json).toMatchObject({ schema: 1, issuer: provider.issuer, differences: [] })
    expect(json).toHaveProperty('modules.length', 15)
  })

  test('an expected result that no longer occurs ends it with 1', async () => {
    const expected = file('expected.json', [
      { module: 'disc-rs256', result: 'FAILED', why: 'was broken once' },
    ])
    const { code, said } = await askProvider('--module', 'disc-rs256', '--expected', expected)
    expect(said).toContain('not as expected: disc-rs256: PASSED instead of FAILED')
    expect(code).toBe(1)
  })

  test('an expected result is accepted until its day, and not longer', async () => {
    const entry = { module: 'disc-https', result: 'WARNING', why: 'http on loopback' }
    const later = file('later.json', [{ ...entry, until: '2999-12-31' }])
    const over = file('over.json', [{ ...entry, until: '2020-01-01' }])
    const first = await askProvider('--module', 'disc-https', '--strict', '--expected', later)
    expect(first.code).toBe(0)
    const second = await askProvider('--module', 'disc-https', '--expected', over)
    expect(second.said).toContain('over: disc-https: WARNING; accepted until 2020-01-01 only')
    expect(second.code).toBe(1)
  })

  test('with --strict a WARNING ends it with 1', async () => {
    expect((await askProvider('--module', 'disc-https', '--strict')).code).toBe(1)
    expect((await askProvider('--module', 'disc-https')).code).toBe(0)
  })

  test('wrong usage ends it with 2, and says what there is', async () => {
    const wrong: readonly (readonly [readonly string[], string])[] = [
      [['--plan', 'no-such-plan'], 'there are: discovery, code'],
      [['--module', 'no-such-*'], 'no module matches no-such-*'],
      [['--driver', './no-such-driver.js'], 'there is no driver "./no-such-driver.js"'],
      [['--issuer', 'ftp://id.example'], '--issuer must be an http or https URL'],
      [['--client', file('bad.json', { clients: [{}] })], 'clients.0.client_id'],
      [['--client', file('worse.json', '{')], 'worse.json'],
      [['--report', 'pdf'], 'unknown: pdf'],
      [['--timeout', 'soon'], 'must be a number of seconds'],
      [['--no-such-option'], 'unknown option'],
    ]
    for (const [args, words] of wrong) {
      const { code, said } = await askProvider(...args)
      expect(said).toContain(words)
      expect(code).toBe(2)
    }
  })

  test('a driver of one’s own is a module with a function', async () => {
    const path = file(
      'my-driver.mjs',
      `export default (kit) => ({
        name: 'mine', members: [], can: { passkey: false, headers: true },
        open: async () => { throw new Error('nobody is here') }, close: async () => undefined,
      })`,
    )
    const args = ['--driver', path, '--module', 'pkce-s256', 'userinfo-no-token']
    const { code, said } = await askProvider(...args)
    expect(said).toMatch(/SKIPPED +pkce-s256/)
    expect(said).toContain('1 member(s) who can sign in are needed')
    expect(said).toMatch(/PASSED +userinfo-no-token/)
    expect(code).toBe(0)
  })
})

describe('The modules', () => {
  const modules = PLANS.flatMap((plan) => plan.modules)

  test('each has an id of its own, a title in both languages and a known specification', () => {
    expect(new Set(modules.map(({ id }) => id)).size).toBe(modules.length)
    for (const { title, section } of modules) {
      expect(title[1]).toMatch(/[\p{Script=Hiragana}\p{Script=Katakana}]|PKCE|Bearer/u)
      for (const one of section) {
        const known = Object.keys(SPECIFICATIONS).some((name) => one.startsWith(`${name} `))
        expect([one, known]).toEqual([one, true])
      }
    }
  })

  test('are listed in the guide as they are', () => {
    const guide = readFileSync(GUIDE, 'utf8')
    const written = /<!-- modules -->\n([\s\S]*?)\n<!-- \/modules -->/.exec(guide)?.[1]?.trim()
    // To mend it: npm run conformance -- --list markdown
    expect(written).toBe(moduleTable(PLANS))
  })

  test('the guide names every option', async () => {
    const { said } = await command('--help')
    const guide = readFileSync(GUIDE, 'utf8')
    const options = [...said.matchAll(/^ +(--[a-z-]+)/gm)].map(([, name = '']) => name)
    expect(options.length).toBeGreaterThan(15)
    expect(options.filter((name) => !guide.includes(`\`${name}`))).toEqual([])
  })
})

describe('The suite stands apart from what it tests', () => {
  const sources = readdirSync(HERE, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(join(HERE, path), 'utf8') }))
  const importsOf = (text: string) =>
    [...text.matchAll(/(?:from|import\()\s*'([^'\n]+)'/g)].map(([, from = '']) => from)

  test('it imports nothing of the product', () => {
    const strays = sources.flatMap(({ path, text }) =>
      importsOf(text)
        .filter((from) => from.startsWith('.'))
        .filter((from) => !join(HERE, path, '..', from).startsWith(HERE))
        .map((from) => `${path} ← ${from}`),
    )
    expect(strays).toEqual([])
  })

  test('every package it uses is named in package.json', () => {
    const { dependencies, devDependencies } = JSON.parse(
      readFileSync(join(HERE, '../../package.json'), 'utf8'),
    ) as Record<string, Record<string, string>> // the two members are there
    const known = Object.keys({ ...dependencies, ...devDependencies })
    const packages = sources
      .flatMap(({ text }) => importsOf(text))
      .filter((from) => !from.startsWith('.') && !from.startsWith('node:'))
      .map((from) =>
        from
          .split('/')
          .slice(0, from.startsWith('@') ? 2 : 1)
          .join('/'),
      )
    expect([...new Set(packages)].filter((name) => !known.includes(name))).toEqual([])
  })
})
