import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { aJourneyOf, anOldHand, PAGE, theDate } from './support.ts'

let idp: Idp
beforeAll(async () => {
  idp = await startIdp({ clock: theDate() })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

/** A browser in which a member has signed in at the portal. */
const signedIn = async () => {
  const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
  await journey.start()
  await journey.finish()
  return journey.visitor
}

describe('A request of nobody’s', () => {
  test('is not laid at the door of the app that this browser came from before it', async () => {
    const visitor = await signedIn()
    const page = await visitor.visit(`${idp.issuer}/auth?client_id=nobody`)
    expect([page.status, page.heading]).toEqual([400, PAGE.clientError])
    expect(page.text).toContain('元のサービスの設定に問題があります')
    expect(page.text).not.toContain('健康ポータル')
  })
})

describe('A page that says what is wrong', () => {
  test.each(['/no-such-page', '/interaction/nobodys', '//other.example/', '/%5Cother.example/'])(
    'says it of %s in the other language, too, and never leads to another site',
    async (path) => {
      const visitor = aVisitor()
      const page = await visitor.visit(`${idp.issuer}${path}`)
      const again = await visitor.follow('English')
      expect(again.status).toBe(page.status)
      expect(again.url.origin).toBe(idp.issuer)
      expect(again.root.querySelector('html')?.getAttribute('lang')).toBe('en')
      const codeOf = ({ root }: typeof page) => root.querySelector('#error-code')?.text
      expect(codeOf(again)).toBe(codeOf(page))
    },
  )
})

describe('A sign-out that is refused', () => {
  test('says that the member is still signed in, and how to sign out', async () => {
    const visitor = await signedIn()
    const page = await visitor.visit(`${idp.issuer}/session/end?id_token_hint=none`)
    expect([page.status, page.heading]).toEqual([400, 'ログアウトできませんでした'])
    expect(page.root.querySelector('#error-code')?.text).toBe('invalid_request')
    const { heading } = await visitor.follow('ログアウトへ進む')
    expect(heading).toBe('ログアウトしますか')
  })
})

describe('A sign-out that is refused without a session', () => {
  test('does not say that the member is still signed in', async () => {
    const page = await aVisitor().visit(`${idp.issuer}/session/end?id_token_hint=none`)
    expect([page.status, page.heading]).toEqual([400, 'ログアウトできませんでした'])
    expect(page.text).toContain('今は、この端末でログインしていません')
    expect(page.text).not.toContain('ログインしたまま')
    expect(page.root.querySelector('#error-code')?.text).toBe('invalid_request')
    expect(page.root.querySelector('main a[href="/session/end"]')).toBeNull()
  })
})

describe('Help', () => {
  test('leads back to the page it was pressed on, and to no other site', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    const { url } = await journey.start()
    const backFrom = async (Referer: string) => {
      const visitor = aVisitor({ headers: { Referer } })
      const { root } = await visitor.visit(`${idp.issuer}/help/sakura`)
      return root
        .querySelectorAll('main .acts a:not(.quiet)')
        .map((link) => link.getAttribute('href'))
    }
    expect(await backFrom(url.href)).toEqual([url.pathname])
    expect(await backFrom(`${url.href}/password?x=1`)).toEqual([url.pathname])
    expect(await backFrom(`${idp.issuer}/account/sakura/add-app`)).toEqual(['/account/sakura'])
    expect(await backFrom('https://evil.example/interaction/x')).toEqual([])
    expect(await backFrom(`${idp.issuer}/terms/sakura/2026-04`)).toEqual([])
    expect(await backFrom('nonsense')).toEqual([])
  })
})
