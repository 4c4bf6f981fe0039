import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runCli } from './cli.ts'
import { PLANS } from './plans/index.ts'
import { type RunningProfile, startProfile } from './targets/kenpo-id.ts'

const EXPECTED = fileURLToPath(new URL('./expected/kenpo-id-profile.json', import.meta.url))
/** They wait: for a code to die, for an app's next code, for as many guesses as are let. */
const SLOW = ['code-expired', 'member-totp', 'member-otp-guess']

let profile: RunningProfile
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'conformance-profile-'))
  profile = await startProfile()
}, 90_000)
afterAll(async () => {
  await profile.close()
  rmSync(folder, { recursive: true })
})

test('the conformance profile keeps every rule, but for what it says itself', async () => {
  const said: string[] = []
  const keep = (line: string) => said.push(line)
  const ids = PLANS.flatMap(({ modules }) => modules.map(({ id }) => id))
  const code = await runCli(
    [
      ['--issuer', profile.issuer, '--rp-base-url', profile.rpBaseUrl],
      ['--client', profile.clientsFile, '--member', profile.membersFile],
      ['--expected', EXPECTED, '--strict', '--out', folder, '--report', 'json'],
      ['--module', ...ids.filter((id) => !SLOW.includes(id))],
    ].flat(),
    { out: keep, error: keep, isColoured: false },
  )
  // What was asked and answered, where it is not so.
  expect(code === 0 ? '' : said.join('\n')).toBe('')
  const { modules } = JSON.parse(readFileSync(join(folder, 'report.json'), 'utf8')) as Readonly<{
    modules: readonly Readonly<{ id: string; result: string }>[]
  }> // the suite's own report
  expect(modules.filter(({ result }) => result === 'SKIPPED').map(({ id }) => id)).toEqual([
    // Nobody needs a token in the profile; no https here; no passkeys without a browser.
    'dcr-no-token',
    'dcr-sector-good',
    'dcr-sector-bad',
    'member-passkey',
  ])
}, 120_000)
