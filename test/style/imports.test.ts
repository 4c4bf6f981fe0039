import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { ROOT, sourceText } from './sources.ts'

const REFUSED = [
  ['accounts/a.ts', '../factors/password.ts'],
  ['accounts/a.ts', '../app.ts'],
  ['accounts/a.ts', 'koa'],
  ['accounts/a.ts', '@koa/router'],
  ['accounts/a.ts', 'node:fs'],
  ['factors/a.ts', '../interactions/services.ts'],
  ['factors/a.ts', 'oidc-provider'],
  ['accounts/a.ts', '../clients/client.ts'],
  ['clients/a.ts', '../config/index.ts'],
  ['clients/a.ts', '../keys/ring.ts'],
  ['keys/a.ts', '../config/index.ts'],
  ['keys/a.ts', 'oidc-provider'],
  ['clients/a.ts', '../adapters/outbound.ts'],
  ['clients/a.ts', 'node:https'],
  ['adapters/embedded/a.ts', '../../provider/index.ts'],
  ['adapters/embedded/a.ts', '../../interactions/services.ts'],
  ['config/a.ts', '../factors/index.ts'],
  ['provider/a.ts', '../interactions/flow.ts'],
  ['provider/a.ts', '../adapters/index.ts'],
  ['provider/a.ts', 'oidc-provider/lib/helpers/errors.js'],
  ['interactions/steps/a.ts', '../../adapters/index.ts'],
  ['interactions/steps/a.ts', '../../config/index.ts'],
  ['views/a.ts', '../interactions/services.ts'],
  ['views/messages/a.ts', '../../factors/index.ts'],
  ['accounts/a.ts', '../serve.ts'],
  ['factors/a.ts', '../management/readiness.ts'],
  ['provider/a.ts', '../relying-parties.ts'],
  ['interactions/steps/a.ts', '../../runtime/http-server.ts'],
  ['app.ts', './adapters/index.ts'],
  ['management/a.ts', '../adapters/index.ts'],
  ['runtime/a.ts', '../interactions/services.ts'],
  ['cli/a.ts', '../server.ts'],
  ['cli/a.ts', '../cluster.ts'],
  ['test/flows/a.ts', '../../server.ts'],
  ['portal/a.ts', '../accounts/member.ts'],
  ['portal/a.ts', '../app.ts'],
] as const

const ALLOWED = [
  ['accounts/a.ts', './member.ts'],
  ['accounts/a.ts', 'ipaddr.js'],
  ['factors/a.ts', '../accounts/member.ts'],
  ['factors/a.ts', '@node-rs/argon2'],
  ['adapters/embedded/a.ts', '../../accounts/ports.ts'],
  ['adapters/embedded/a.ts', '../../config/index.ts'],
  ['adapters/embedded/a.ts', '../smtp.ts'],
  ['clients/a.ts', '../accounts/ports.ts'],
  ['clients/a.ts', '../factors/seal.ts'],
  ['keys/a.ts', '../factors/seal.ts'],
  ['keys/a.ts', 'jose'],
  ['adapters/embedded/a.ts', '../../keys/ring.ts'],
  ['config/a.ts', '../clients/schema.ts'],
  ['provider/a.ts', '../clients/directory.ts'],
  ['config/a.ts', '../accounts/policy.ts'],
  ['provider/a.ts', '../accounts/enrolment.ts'],
  ['provider/a.ts', 'oidc-provider'],
  ['interactions/steps/a.ts', '../../accounts/enrolment.ts'],
  ['interactions/steps/a.ts', '../../factors/index.ts'],
  ['interactions/steps/a.ts', '../../views/messages/index.ts'],
  ['interactions/steps/a.ts', '../flow.ts'],
  ['views/messages/a.ts', '../../accounts/member.ts'],
  ['portal/a.ts', 'openid-client'],
  ['management/a.ts', 'prom-client'],
  ['runtime/a.ts', '../config/index.ts'],
] as const

/** `file <- module` for each of these imports that the repository's lint rules refuse. */
const refusals = (folder: string, imports: readonly (readonly [string, string])[]) => {
  const rules = JSON.parse(sourceText('biome.json')) as object
  const outsideGit = { ...rules, vcs: { enabled: false } }
  writeFileSync(join(folder, 'biome.json'), JSON.stringify(outsideGit))
  const asked = new Map<string, string>()
  for (const [index, [path, from]] of imports.entries()) {
    // Of several imports by one file each stands in a file of its own beside it.
    const file = path.replace('/a.ts', `/a${index}.ts`)
    asked.set(file, `${path} <- ${from}`)
    mkdirSync(join(folder, dirname(file)), { recursive: true })
    writeFileSync(
      join(folder, file),
      `import type { It } from '${from}'\n\nexport type Same = It\n`,
    )
  }
  const biome = join(ROOT, 'node_modules/@biomejs/biome/bin/biome')
  const args = [biome, 'lint', '--reporter=json', '--max-diagnostics=none']
  const { stdout } = spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8' })
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: readonly { category: string; location: { path: string } }[]
  }
  return diagnostics
    .filter(({ category }) => category === 'lint/style/noRestrictedImports')
    .map(({ location }) => asked.get(location.path))
}

describe('Who may import whom', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kenpo-id-lint-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  test('the linter refuses an import against the direction of the tree', () => {
    const expected = REFUSED.map(([path, from]) => `${path} <- ${from}`)
    expect(refusals(folder, REFUSED).sort()).toEqual(expected.sort())
  })

  test('the linter lets an import along the tree pass', () => {
    expect(refusals(folder, ALLOWED)).toEqual([])
  })
})
