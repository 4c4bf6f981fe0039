import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'

const WORDS = {
  ja: { heading: '健康保険組合のログインサービスです', society: 'さくら健康保険組合' },
  en: {
    heading: 'The login service of your health insurance society',
    society: 'Sakura Health Insurance Society',
  },
} as const

describe('The address of the service, opened by hand', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp()
  })
  afterAll(() => idp.close())

  test.each(['ja', 'en'] as const)(
    'says in %s where a sign-in begins and who helps',
    async (language) => {
      const visitor = aVisitor({ language })
      const page = await visitor.visit(`${idp.issuer}/`)
      expect([page.status, page.heading]).toEqual([200, WORDS[language].heading])
      const links = page.root.querySelectorAll('main a').map((link) => link.getAttribute('href'))
      expect(links).toEqual(['/account', '/help/sakura', '/help/minato'])
      const help = await visitor.follow(WORDS[language].society)
      expect([help.status, help.url.pathname]).toEqual([200, '/help/sakura'])
    },
  )

  test('changes its language in place', async () => {
    const visitor = aVisitor()
    await visitor.visit(`${idp.issuer}/`)
    expect((await visitor.follow('English')).heading).toBe(WORDS.en.heading)
  })
})

test('a developer’s machine leads on to the demo', async () => {
  const idp = await startIdp({
    env: { IDP_DEMO: 'on', IDP_PORTAL_PORT: '3456' },
    inThisProcess: 'a cluster has no demo',
  })
  const page = await aVisitor().visit(`${idp.issuer}/`)
  await idp.close()
  const portal = page.root.querySelector('main a[href="http://localhost:3456/"]')
  expect(portal?.text).toBe('デモのポータルを開く')
})
