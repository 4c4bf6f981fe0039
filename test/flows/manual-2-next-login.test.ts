import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { aVisitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { linkIn } from '../support/smtp-sink.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  type Journey,
  NEW_PASSWORD,
  newestMail,
  PAGE,
  theDate,
} from './support.ts'

describe('The manual’s chapter 2, for a society that registers at the next sign-in', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  /** Brings a new member of that society to the page that ends the first login. */
  const enrolledJourney = async (): Promise<Journey> => {
    const journey = await aJourneyOf(idp, aNewcomer({ societyId: 'minato' }))
    await journey.start()
    await journey.walkTo(PAGE.enrolled)
    await idp.clock.advance(61)
    return journey
  }

  test('the first login ends on a page that says to sign in again', async () => {
    const journey = await enrolledJourney()
    const { page } = journey.visitor
    expect(page.text).toContain('もう一度')
    expect((await idp.memberOf(journey.member)).enrolledAt).toBeDefined()
    expect((await journey.visitor.visit(page.url)).heading).toBe(PAGE.enrolled)
  })

  test('counts no step there of a member who has nothing left to register', async () => {
    const stepsAt = async (method: 'emailCode' | 'totp') => {
      const journey = await aJourneyOf(idp, aNewcomer({ societyId: 'minato' }), { method })
      await journey.start()
      return (await journey.walkTo(PAGE.enrolled)).root.querySelector('nav.steps b')?.text
    }
    expect(await stepsAt('emailCode')).toBeUndefined()
    expect(await stepsAt('totp')).toBe('ステップ6／7')
  })

  test('signing in again takes the new password, then a mailed code, then leads to the portal', async () => {
    const journey = await enrolledJourney()
    const login = await journey.visitor.submit('enrolled')
    expect(login.heading).toBe(PAGE.password)
    expect(login.root.querySelector('#username')?.getAttribute('value')).toBe(
      journey.member.loginId,
    )
    const { loginId } = journey.member
    const old = { username: loginId, password: A_PASSWORD }
    expect((await journey.visitor.submit('password', old)).status).toBe(422)
    const fresh = { username: loginId, password: NEW_PASSWORD }
    expect((await journey.visitor.submit('password', fresh)).heading).toBe(PAGE.emailCode)
    const claims = (await journey.finish()).claims()
    expect(claims?.amr).toEqual(['pwd', 'otp', 'mca'])
    expect(claims?.aud).toBe('minato-portal')
  })

  test('a link pressed during the first login does not stand for that code', async () => {
    const journey = await aJourneyOf(idp, aNewcomer({ societyId: 'minato' }))
    await journey.start()
    const waiting = await journey.walkTo(PAGE.emailWait)
    const phone = aVisitor()
    await phone.visit(linkIn(await newestMail(idp, journey.member.email?.address ?? '')))
    await phone.submit()
    await journey.visitor.visit(waiting.url)
    await journey.walkTo(PAGE.enrolled)
    await journey.visitor.submit('enrolled')
    const next = await journey.visitor.submit('password', {
      username: journey.member.loginId,
      password: NEW_PASSWORD,
    })
    expect(next.heading).toBe(PAGE.emailCode)
  })

  test('whoever closes the page there signs in the same way later', async () => {
    const journey = await enrolledJourney()
    const later = await aJourney(idp, journey.member, { password: NEW_PASSWORD })
    await later.start()
    await later.walkTo(PAGE.emailCode)
    expect((await later.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  })

  test('the completion page alone gives the portal nothing', async () => {
    const journey = await enrolledJourney()
    const page = await journey.start({ prompt: 'none' })
    expect(page.url.searchParams.get('error')).toBe('login_required')
  })
})
