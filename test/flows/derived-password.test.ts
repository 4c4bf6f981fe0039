import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { maskEmailAddress } from '../../accounts/email-address.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { bare } from './recovery-support.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  codeMails,
  type Journey,
  PAGE,
  theDate,
} from './support.ts'

let idp: Idp
beforeAll(async () => {
  idp = await startIdp({ clock: theDate() })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

const addressOf = ({ member }: Journey) => member.email?.address ?? ''

/** At the page of the address, let in by an initial password that a colleague can guess. */
const atAddress = async (): Promise<Journey> => {
  const newcomer = aNewcomer()
  const password = { ...newcomer.password, initial: 'derived' as const }
  const journey = await aJourneyOf(idp, { ...newcomer, password })
  await journey.start()
  await journey.walkTo(PAGE.email)
  return journey
}

/** What a thief looks for, on the page as sent: words, fields and attributes. */
const expectMasked = (journey: Journey) => {
  const { page } = journey.visitor
  expect(page.body).not.toContain(addressOf(journey))
  expect(page.body).not.toContain(encodeURIComponent(addressOf(journey)))
  expect(page.text).toContain(maskEmailAddress(addressOf(journey)))
}

describe('An initial password that a colleague can guess', () => {
  test('shows the address on file masked, and keeps it with one button and its code', async () => {
    const journey = await atAddress()
    const { visitor } = journey
    expectMasked(journey)
    expect(visitor.page.root.querySelector('#email')?.getAttribute('value') ?? '').toBe('')
    await visitor.submit('email-keep')
    expect(visitor.page.heading).toBe(PAGE.emailWait)
    expectMasked(journey)

    await visitor.submit('email-change')
    expect(visitor.page.heading).toBe(PAGE.email)
    expectMasked(journey)
    // Kept after all, within the minute in which no second mail goes out: the code is still good.
    await visitor.submit('email-keep')
    expect([visitor.page.heading, visitor.page.faults]).toEqual([PAGE.emailWait, []])
    expect(await codeMails(idp, addressOf(journey))).toHaveLength(1)
    await visitor.submit('email', { code: await journey.newestCode() })
    expect(visitor.page.heading).toBe(PAGE.choosePlace)
    expect((await idp.memberOf(journey.member)).email?.verifiedAt).toBeDefined()
  })

  test('shows no address that is being proven, to a request that has proven none', async () => {
    const owner = await atAddress()
    const wanted = `new-of-${addressOf(owner)}`
    await owner.visitor.submit('email', { email: wanted })
    await owner.visitor.submit('email', { code: await owner.newestCode() })
    // Typed here, by who has the mailbox on file: in full.
    expect([owner.visitor.page.heading, owner.visitor.page.text]).toEqual([
      PAGE.emailWait,
      expect.stringContaining(wanted),
    ])

    const thief = await aJourney(idp, owner.member)
    await thief.start()
    await thief.walkTo(PAGE.emailWait)
    expect(thief.visitor.page.body).not.toContain(wanted)
    expect(thief.visitor.page.text).toContain(maskEmailAddress(wanted))
    await thief.visitor.submit('email-change')
    expect(thief.visitor.page.body).not.toContain(wanted)
    expectMasked(thief)
  })

  test('answers the address on file, typed by who guesses it, like any other', async () => {
    /** The page as sent, without what is of one request or one mail alone. */
    const anonymous = ({ visitor: { page }, member }: Journey) =>
      bare(page)
        .replaceAll(maskEmailAddress(member.email?.address ?? ''), 'masked')
        .replaceAll(
          /<strong>[A-Z]{2}\d{2}[A-Z]{2}<\/strong>|<b>[A-Z]{2}\d{2}[A-Z]{2}<\/b>/gu,
          'number',
        )
    const typed = async (address: (journey: Journey) => string) => {
      const journey = await atAddress()
      const { visitor } = journey
      await visitor.submit('email', { email: address(journey) })
      const seen = [visitor.page.heading, anonymous(journey)]
      await visitor.submit('email-resend')
      seen.push(anonymous(journey))
      return { journey, seen }
    }
    const right = await typed(addressOf)
    const another = await typed(({ member }) => `another-${member.loginId}@example.jp`)
    expect(right.seen).toEqual(another.seen)
    expect(right.seen[0]).toBe(PAGE.emailOld)
    expect(await codeMails(idp, addressOf(right.journey))).toHaveLength(1)
  })

  test('takes the code to the address on file for the whole proof, where that one was typed', async () => {
    const journey = await atAddress()
    const { visitor, member } = journey
    await visitor.submit('email', { email: addressOf(journey) })
    await visitor.submit('email', { code: await journey.newestCode() })
    expect(visitor.page.heading).toBe(PAGE.choosePlace)
    expect((await idp.memberOf(member)).email?.verifiedAt).toBeDefined()
    expect(await codeMails(idp, addressOf(journey))).toHaveLength(1)
  })

  test('doubts a likely slip whether it is on file or not', async () => {
    const newcomer = aNewcomer({ email: { address: 'm1@gmial.com' } })
    const password = { ...newcomer.password, initial: 'derived' as const }
    const journey = await aJourneyOf(idp, { ...newcomer, password })
    await journey.start()
    await journey.walkTo(PAGE.email)
    await journey.visitor.submit('email', { email: 'm1@gmial.com' })
    expect([journey.visitor.page.status, journey.visitor.page.faults.join()]).toEqual([
      422,
      expect.stringContaining('もしかして'),
    ])
  })

  test.each(['nobody', ''])('shows what was mistyped (%p) and never the address', async (typed) => {
    const journey = await atAddress()
    const { page } = journey.visitor
    await journey.visitor.submit('email', { email: typed })
    expect(journey.visitor.page.status).toBe(422)
    const field = journey.visitor.page.root.querySelector('#email')
    expect(field?.getAttribute('value') ?? '').toBe(typed)
    expect(page.heading).toBe(PAGE.email)
    expectMasked(journey)
  })

  test('asks for the typed address still where no mail may go out, not for another', async () => {
    const journey = await atAddress()
    const { visitor } = journey
    const { throttle } = idp.services
    while ((await throttle.count('mailPerHour', journey.member.id)).ok);
    await visitor.submit('email', { email: 'a-second@example.jp' })
    expect(visitor.page.faults.join()).toContain('送れます')
    const field = visitor.page.root.querySelector('#email')
    expect(field?.getAttribute('value')).toBe('a-second@example.jp')
    expectMasked(journey)
  })
})

describe('A random initial password, from a postcard', () => {
  test('shows the address on file in full, in the field', async () => {
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    const page = await journey.walkTo(PAGE.email)
    expect(page.root.querySelector('#email')?.getAttribute('value')).toBe(addressOf(journey))
    expect(page.root.querySelector('#form-email-keep')).toBeNull()
    await journey.visitor.submit('email', { email: addressOf(journey) })
    expect(journey.visitor.page.text).toContain(addressOf(journey))
  })
})
