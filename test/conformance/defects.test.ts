import { beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { JWK } from 'jose'
import { askBare, only } from './ask.ts'
import { PLANS } from './plans/index.ts'
import { makeBareKey, startBareProvider } from './targets/bare-oidc-provider.ts'
import { DEFECTS } from './targets/defects.ts'

describe('The suite can fail', () => {
  let key: JWK
  beforeAll(async () => {
    // The engine tells of every setting that is left as it comes.
    for (const how of ['info', 'warn'] as const) jest.spyOn(console, how).mockReturnValue()
    key = await makeBareKey()
  })

  test('each defect is named once, and its module is one of the suite', () => {
    expect(new Set(DEFECTS.map(({ id }) => id)).size).toBe(DEFECTS.length)
    const modules = PLANS.flatMap((plan) => plan.modules.map(({ id }) => id))
    expect(DEFECTS.filter(({ module }) => !modules.includes(module))).toEqual([])
  })

  test.each(DEFECTS)('$what: $module notices', async (defect) => {
    const provider = await startBareProvider(key, defect)
    try {
      const report = await askBare(provider, only(defect.module))
      const [module] = report.modules
      const broken = module?.conditions.filter(({ result }) => /FAILED|WARNING/.test(result)) ?? []
      // By a rule of the module's own, and not because something broke on the way to it.
      expect({ result: module?.result, error: module?.error }).toEqual({
        result: defect.result ?? 'FAILED',
        error: undefined,
      })
      expect(broken.map(({ text }) => text[0])).toContain(defect.rule)
    } finally {
      await provider.close()
    }
  })
})
