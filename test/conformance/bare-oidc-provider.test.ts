import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { askBare, only } from './ask.ts'
import { BARE_MEMBERS, BARE_PAGES } from './drivers/bare-oidc-provider.ts'
import createChromiumDriver from './drivers/chromium.ts'
import { differences, expectations } from './expected.ts'
import { readJson } from './files.ts'
import { PLANS } from './plans/index.ts'
import type { Report } from './run.ts'
import { type BareProvider, makeBareKey, startBareProvider } from './targets/bare-oidc-provider.ts'

const EXPECTED = fileURLToPath(new URL('./expected/bare-oidc-provider.json', import.meta.url))

const freeAddress = async (): Promise<URL> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo // TCP, so no path
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return new URL(`http://localhost:${port}`)
}

let provider: BareProvider
beforeAll(async () => {
  // The engine tells of every setting that is left as it comes.
  for (const how of ['info', 'warn'] as const) jest.spyOn(console, how).mockReturnValue()
  provider = await startBareProvider(await makeBareKey())
})
afterAll(() => provider.close())

describe('The suite against a bare oidc-provider', () => {
  let report: Report
  beforeAll(async () => {
    report = await askBare(provider, PLANS, { inbound: await freeAddress() })
  }, 60_000)

  test('every module comes to what its expected-results file says', () => {
    const found = differences(report.modules, readJson(EXPECTED, expectations), {
      strict: true,
      today: '2026-01-01',
    })
    expect(found).toEqual([])
  })

  test('whatever is SKIPPED says why, in English and in Japanese', () => {
    const skipped = report.modules.filter(({ result }) => result === 'SKIPPED')
    for (const { reason } of skipped) {
      expect(reason?.[0]).toMatch(/^[^\p{Script=Hiragana}\p{Script=Han}]+$/u)
      expect(reason?.[1]).toMatch(/\p{Script=Hiragana}/u)
    }
  })

  test('each exchange with the provider is written down', () => {
    const module = report.modules.find(({ id }) => id === 'code-basic')
    const requests = module?.exchanges.map(({ method, url }) => [method, new URL(url).pathname])
    expect(requests).toContainEqual(['POST', '/token'])
    expect(requests).toContainEqual(['GET', '/auth'])
  })

  test('no secret of the run is in the report', () => {
    const text = JSON.stringify(report)
    const password = ['of no importance', 'of+no+importance', 'of%20no%20importance']
    for (const secret of ['a-secret-of-', 'an-initial-access-token', ...password]) {
      expect(text).not.toContain(secret)
    }
    // Issued tokens and codes are long random texts behind these names.
    expect(text).toMatch(/"access_token\\*":\\*"«access_token \d+»/)
    expect(text).toMatch(/[?&]code=«code \d+»/)
    expect(text).not.toMatch(/Bearer [A-Za-z0-9_-]{20}/)
    expect(text).not.toMatch(/_session=[A-Za-z0-9_-]{20}/)
  })
})

describe('The suite with a real browser', () => {
  test('signs in across sites by form_post and by POST, as with its own form driver', async () => {
    const ids = ['code-form-post', 'prompt-none-session', 'user-cancel', 'frame-deny', 'no-307']
    const report = await askBare(provider, only(...ids), {
      driver: async (wire) =>
        createChromiumDriver({
          wire,
          members: BARE_MEMBERS.map((member) => ({ ...member })),
          pages: BARE_PAGES,
        }),
    })
    const results = report.modules.map(({ id, result, error, conditions }) => ({
      id,
      result,
      error,
      broken: conditions.filter((one) => one.result !== 'PASSED'),
    }))
    const passed = { result: 'PASSED', error: undefined, broken: [] }
    expect(results).toEqual(ids.map((id) => ({ id, ...passed })))
  }, 60_000)
})
