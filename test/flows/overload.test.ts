import { availableParallelism } from 'node:os'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { LIMITS } from '../../accounts/throttle.ts'
import { hashPassword, verifyPassword } from '../../factors/password.ts'
import { aVisitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { aJourneyOf, anOldHand, PAGE, theDate } from './support.ts'

/** Keeps every core hashing and every place in the queue taken while `work` runs. */
const whileHashingIsFull = async <T>(work: () => Promise<T>): Promise<T> => {
  const phc = await hashPassword(A_PASSWORD)
  let busy = true
  const keepHashing = async () => {
    while (busy) await verifyPassword(phc, A_PASSWORD)
  }
  const load = Array.from({ length: availableParallelism() + 40 }, keepHashing)
  try {
    return await work()
  } finally {
    busy = false
    await Promise.all(load)
  }
}

describe('While more members sign in than this machine can hash passwords for', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({
      clock: theDate(),
      inThisProcess: 'what keeps its hashing full is here',
    })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  test.each([
    { who: 'a member', language: 'ja', heading: 'ただいま混み合っています', wait: '2秒ほど待って' },
    { who: 'nobody', language: 'ja', heading: 'ただいま混み合っています', wait: '2秒ほど待って' },
    { who: 'a member', language: 'en', heading: 'We are busy right now', wait: 'about 2 seconds' },
  ])('$who is told so in $language, and when to try again', async (row) => {
    const { who, language, heading, wait } = row
    const retry = language === 'ja' ? 'もう一度試す' : 'Try again'
    const visitor = aVisitor({ language })
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { visitor })
    const started = await journey.start()
    const username = who === 'nobody' ? '99999-1' : journey.member.loginId
    const page = await whileHashingIsFull(() =>
      visitor.submit('password', { username, password: A_PASSWORD }),
    )
    expect([page.status, page.headers['retry-after']]).toEqual([503, '2'])
    expect(page.heading).toBe(heading)
    expect(page.text).toContain(wait)
    expect(page.root.querySelector('html')?.getAttribute('lang')).toBe(language)
    expect(page.text).not.toContain('argon')
    const again = await visitor.follow(retry)
    expect([again.status, again.url.href]).toEqual([200, started.url.href])
  })

  test('whatever hashes no password is answered', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    const page = await journey.start()
    const statuses = await whileHashingIsFull(async () => {
      const paths = ['/jwks', '/.well-known/openid-configuration', '/assets/app.css']
      const urls = paths.map((path) => `${idp.issuer}${path}`)
      const answers = await Promise.all(urls.map((url) => fetch(url)))
      const again = await journey.visitor.visit(page.url)
      return [...answers.map(({ status }) => status), again.status, again.heading]
    })
    expect(statuses).toEqual([200, 200, 200, 200, PAGE.password])
  })

  test('nobody loses a try: the right password signs in afterwards', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    const { visitor, member } = journey
    const { url } = await journey.start()
    const statuses = await whileHashingIsFull(async () => {
      const seen: number[] = []
      for (let tries = 0; tries <= LIMITS.password.points; tries += 1) {
        await visitor.visit(url)
        const form = { username: member.loginId, password: A_PASSWORD }
        seen.push((await visitor.submit('password', form)).status)
      }
      return seen
    })
    expect(new Set(statuses)).toEqual(new Set([503]))
    await visitor.visit(url)
    expect((await journey.walkTo(PAGE.emailCode)).status).toBe(200)
  })
})
