import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { codeIn, linkIn } from '../support/smtp-sink.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  mailsTo,
  newestMail,
  PAGE,
  settled,
  theDate,
} from './support.ts'

describe('Somebody who knows a member’s initial password and date of birth', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  test('is not moved on by the member’s pressing the link that their mail brought', async () => {
    const thief = await aJourneyOf(idp, aNewcomer())
    await thief.start()
    await thief.walkTo(PAGE.emailWait)
    const mail = await newestMail(idp, thief.member.email?.address ?? '')

    const member = await aJourney(idp, thief.member)
    await member.start()
    const waiting = await member.walkTo(PAGE.emailWait)
    expect(waiting.root.querySelector('.match')).toBeNull()

    const phone = aVisitor()
    await phone.visit(linkIn(mail))
    expect((await phone.submit()).heading).toBe(PAGE.linkConfirmed)
    const next = await thief.visitor.visit(thief.visitor.page.url)
    expect(next.heading).toBe(PAGE.emailCode)
  })

  test('gains nothing where the member types the code: the link is used up', async () => {
    const thief = await aJourneyOf(idp, aNewcomer())
    await thief.start()
    await thief.walkTo(PAGE.emailWait)
    const mail = await newestMail(idp, thief.member.email?.address ?? '')
    const member = await aJourney(idp, thief.member)
    await member.start()
    await member.walkTo(PAGE.emailWait)
    const page = await member.visitor.submit('email', { code: codeIn(mail) })
    expect(page.heading).toBe(PAGE.choosePlace)
    const next = await thief.visitor.visit(thief.visitor.page.url)
    expect(next.heading).toBe(PAGE.emailCode)
  })
})

describe('Pressing “send again” too soon', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  test('ten times uses up none of the mails of the hour or the day', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    await journey.walkTo(PAGE.emailCode)
    for (let press = 0; press < 10; press += 1) await journey.visitor.submit('email-resend')
    await settled(idp)
    const address = journey.member.email?.address ?? ''
    expect(mailsTo(idp, address)).toHaveLength(1)
    await idp.clock.advance(61)
    const resent = await journey.visitor.submit('email-resend')
    expect(resent.faults).toEqual([])
    await settled(idp)
    expect(mailsTo(idp, address)).toHaveLength(2)
  })
})
