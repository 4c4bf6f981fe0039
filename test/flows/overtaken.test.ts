import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { StoreUnavailableError } from '../../accounts/errors.ts'
import type { Member } from '../../accounts/member.ts'
import { flowKey } from '../../interactions/flow.ts'
import { aVisitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { linkIn } from '../support/smtp-sink.ts'
import { holding } from './keys.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  countedOf,
  csrfOf,
  type Journey,
  newestMail,
  PAGE,
  theDate,
} from './support.ts'

const uidOf = ({ visitor }: Journey): string => visitor.page.url.pathname.split('/')[2] ?? ''

/** Sends the password form of the page in front, as another tab would; the answer's status. */
const postPassword = async ({ visitor }: Journey, { loginId }: Member): Promise<number> => {
  const { page, jar } = visitor
  const { status } = await fetch(`${page.url.href}/password`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: jar.getCookieStringSync(page.url.href), 'Sec-Fetch-Site': 'same-origin' },
    body: new URLSearchParams({
      csrf: csrfOf(page),
      counted: countedOf(page),
      username: loginId,
      password: A_PASSWORD,
    }),
  })
  return status
}

/** What a form does when its request loses a race in the worst order. */
describe('A form that something overtakes', () => {
  let idp: Idp
  beforeAll(async () => {
    const inThisProcess = 'it holds up the product’s own look-ups and saves'
    idp = await startIdp({ clock: theDate(), instances: 1, inThisProcess })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  /** Holds the next look-up of this login ID once it has been made, until `go`. */
  const holdLookUp = ({ loginId }: Member) => {
    const { members } = idp.services
    const { findByLoginId } = members
    let go = () => {}
    let seen = () => {}
    const released = new Promise<void>((resolve) => {
      go = resolve
    })
    const held = new Promise<void>((resolve) => {
      seen = resolve
    })
    members.findByLoginId = async (societyId, typed) => {
      const found = await findByLoginId(societyId, typed)
      if (typed === loginId) {
        members.findByLoginId = findByLoginId
        seen()
        await released
      }
      return found
    }
    return { held, go }
  }

  /** Lets this happen right before the product next saves the member, whose save then comes too late. */
  const overtake = (member: Member, meanwhile: () => Promise<unknown>): void => {
    const { members } = idp.services
    const { save } = members
    members.save = async (one) => {
      if (one.id !== member.id) return save(one)
      members.save = save
      await save(await idp.memberOf(member))
      await meanwhile()
      return save(one)
    }
  }

  /** Two members' passwords in one browser: the second is in only when the first saves a step. */
  const changingHands = async (first: Member, second: Member, page: string): Promise<Journey> => {
    const journey = await aJourneyOf(idp, first)
    const other = await idp.services.members.save(second)
    await journey.start()
    const { held, go } = holdLookUp(other)
    const slow = postPassword(journey, other)
    await held
    await journey.walkTo(page)
    overtake(journey.member, async () => {
      go()
      expect(await slow).toBe(303)
    })
    await journey.answer()
    return journey
  }

  test('is never applied to who has signed in meanwhile: not a date of birth', async () => {
    const other = aNewcomer({ birthdate: '1999-12-31' })
    const journey = await changingHands(aNewcomer(), other, PAGE.birthdate)
    expect((await idp.memberOf(other)).birthdateConfirmedAt).toBeUndefined()
    expect((await idp.memberOf(journey.member)).birthdateConfirmedAt).toBeUndefined()
    expect(journey.visitor.page.heading).toBe(PAGE.birthdate)
  })

  test('is never applied to who has signed in meanwhile: not the proof of an address', async () => {
    const now = idp.clock.now()
    const terms = { version: '2026-04', textHash: 'x', at: now, clientId: 'health-portal' }
    const walked = { birthdateConfirmedAt: now, acceptedTerms: [terms] }
    const newcomer = aNewcomer(walked)
    const other: Member = { ...newcomer, password: { ...newcomer.password, initial: 'derived' } }
    const journey = await changingHands(aNewcomer(walked), other, PAGE.emailWait)
    const after = await idp.memberOf(other)
    expect(after.email).toEqual(other.email)
    expect(after.provenIn).toBeUndefined()
    expect(journey.visitor.page.heading).toBe(PAGE.email)
  })

  /** A member with an app, asked for new recovery codes once the app is proven. */
  const withApp = async (): Promise<Journey> => {
    const { member, keys } = await holding(idp, ['totp'], anOldHand(idp.clock.now()))
    const stored = await idp.services.members.save({ ...member, recoveryCodesDue: true })
    const journey = await aJourney(idp, stored, { keys: { ...keys } })
    await journey.start()
    return journey
  }

  test('is asked again where a password came later: what was proven before counts no more', async () => {
    const journey = await withApp()
    const { held, go } = holdLookUp(journey.member)
    const slow = postPassword(journey, journey.member)
    await held
    await journey.walkTo(PAGE.recoveryCodes)
    go()
    expect(await slow).toBe(303)
    const { visitor } = journey
    expect((await visitor.visit(visitor.page.url)).heading).toBe(PAGE.verifyTotp)
  })

  test('and where the sign-in itself was lost, it begins anew with all that it takes', async () => {
    const journey = await withApp()
    await journey.walkTo(PAGE.recoveryCodes)
    const { visitor } = journey
    await idp.services.transient.take(flowKey(uidOf(journey)))
    expect((await visitor.visit(visitor.page.url)).heading).toBe(PAGE.password)
    expect((await journey.answer()).heading).toBe(PAGE.verifyTotp)
  })

  test('a link that confirmed an address is the proof of it, whatever fails after the save', async () => {
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    await journey.walkTo(PAGE.emailWait)
    const mail = await newestMail(idp, journey.member.email?.address ?? '')
    const phone = aVisitor()
    await phone.visit(linkIn(mail))
    const { members, transient } = idp.services
    const { save } = members
    const { put, take } = transient
    const fail = async () => {
      throw new StoreUnavailableError('the test')
    }
    members.save = async (one) => {
      members.save = save
      transient.put = fail
      transient.take = fail
      return save(one)
    }
    expect((await phone.submit()).status).toBe(503)
    Object.assign(transient, { put, take })
    const { visitor } = journey
    expect((await visitor.visit(visitor.page.url)).heading).toBe(PAGE.choosePlace)
  })
})
