import { describe, expect, test } from '@jest/globals'
import { aVisitor, type VisitorOptions } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, type IdpOptions, startIdp } from '../support/idp.ts'
import { codeIn } from '../support/smtp-sink.ts'
import { aJourneyOf, anOldHand, newestMail, PAGE } from './support.ts'

/** Every cookie of a sign-in at the account page, with both switches pressed on the way. */
const cookiesOf = async (idp: Idp, options: VisitorOptions) => {
  const member = await idp.services.members.save(anOldHand(idp.clock.now()))
  const visitor = aVisitor(options)
  const seen = new Map<string, Readonly<{ path: string | null; secure: boolean; host: boolean }>>()
  const look = () => {
    for (const { key, path, secure, hostOnly } of visitor.jar.serializeSync()?.cookies ?? []) {
      const name = String(key)
        .replace(/\.sig$/u, '')
        .replace(/(idp_account_).*/u, '$1')
      seen.set(name, { path: String(path), secure: secure === true, host: hostOnly === true })
    }
  }
  await visitor.visit(`${idp.issuer}/account/sakura`)
  look()
  await visitor.visit(`${visitor.page.url.href}?idp_locale=ja&furigana=on`)
  look()
  await visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
  expect(visitor.page.heading).toBe(PAGE.emailCode)
  look()
  const mail = await newestMail(idp, member.email?.address ?? '')
  await visitor.submit('verifyFactor', { code: codeIn(mail) })
  expect(visitor.page.url.href).toBe(`${idp.issuer}/account/sakura`)
  look()
  // The device is known again by its cookie, and the furigana stay on: both are read as written.
  expect((await idp.services.signIns.list(member.id, 0)).length).toBe(1)
  expect(visitor.page.root.querySelectorAll('ruby').length).toBeGreaterThan(0)
  return seen
}

const withIdp = async <T>(options: IdpOptions, use: (idp: Idp) => Promise<T>): Promise<T> => {
  const idp = await startIdp(options)
  try {
    return await use(idp)
  } finally {
    await idp.close()
  }
}

const HOST = ['idp_session', 'idp_app', 'idp_device', 'idp_visit', 'idp_locale', 'idp_furigana']
const OF_ONE_PATH = ['idp_interaction', 'idp_resume', 'idp_account_', 'idp_locale_here']

describe('The cookies', () => {
  test('of an https issuer are bound to its host, or set over https only', async () => {
    const env = { IDP_ISSUER: 'https://id.localhost', IDP_TRUSTED_PROXY_HOPS: '1' }
    const seen = await withIdp({ env }, (idp) =>
      cookiesOf(idp, { httpsPort: idp.port, headers: { 'X-Forwarded-For': '203.0.113.9' } }),
    )
    expect([...seen.keys()].sort()).toEqual(
      [
        ...HOST.map((name) => `__Host-${name}`),
        ...OF_ONE_PATH.map((name) => `__Secure-${name}`),
      ].sort(),
    )
    for (const [name, { path, secure, host }] of seen) {
      expect([name, secure, host]).toEqual([name, true, true])
      expect([name, path === '/']).toEqual([name, name.startsWith('__Host-')])
    }
  })

  test('on plain http, on this machine, have plain names', async () => {
    const seen = await withIdp({}, (idp) => cookiesOf(idp, {}))
    expect([...seen.keys()].sort()).toEqual([...HOST, ...OF_ONE_PATH].sort())
  })

  test('name the app that a lost page leads back to only as we wrote them', () =>
    withIdp({}, async (idp) => {
      const { visitor, ...journey } = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await journey.start()
      const gone = `${idp.issuer}/interaction/${'gone'.repeat(6)}`
      expect((await visitor.visit(gone)).text).toContain('健康ポータル')
      const cookies = visitor.jar.getCookiesSync(idp.issuer)
      const written = cookies.find(({ key }) => key === 'idp_app')?.value ?? ''
      expect(written).toMatch(/^health-portal/u)
      const other = written.replace('health-portal', 'minato-portal')
      visitor.jar.setCookieSync(`idp_app=${other}; Path=/`, idp.issuer)
      const page = await visitor.visit(gone)
      expect(page.status).toBe(400)
      expect(page.text).not.toMatch(/みなと|健康ポータル/u)
    }))
})
