import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { type Member, UNDO_SECONDS, unblock, verifyEmail } from '../../accounts/member.ts'
import { reissueInitialPassword } from '../../cli/member-password.ts'
import { linkTokenOf } from '../../factors/email-code.ts'
import { type AddressChange, undoKey } from '../../interactions/confirm-address.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { linkIn } from '../support/smtp-sink.ts'
import { holding, requestOptionsOn } from './keys.ts'
import { askForReset, aVisit, newestCode, passFor } from './recovery-support.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  NEW_PASSWORD,
  newestMail,
  PAGE,
  theDate,
} from './support.ts'

const PWD = 'urn:kenpo-id:acr:pwd'

let idp: Idp
beforeAll(async () => {
  idp = await startIdp({
    clock: theDate(),
    clients: [
      {
        client_id: 'takes-a-password',
        client_name: 'takes-a-password',
        client_secret: 'a-secret-of-a-relying-party-of-this-test',
        policy: { society: 'sakura', requiredAcr: PWD },
      },
    ],
  })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

describe('A password set by somebody who reads the member’s mail', () => {
  /** A member with passkey and e-mail codes, whose password somebody has reset by the mailbox. */
  const whoseMailIsRead = async () => {
    const { member, keys } = await holding(idp, ['passkey'], anOldHand(idp.clock.now()))
    const saved = await idp.services.members.save({ ...member, chosenFactor: 'emailCode' })
    const visit = await aVisit(idp)
    await askForReset(visit, saved)
    await visit.visitor.submit('reset-code', { code: await newestCode(idp, saved) })
    await visit.visitor.submit('reset-password', { password: NEW_PASSWORD })
    await idp.clock.advance(120)
    return { member: saved, keys }
  }
  const withThePassword = async (member: Member) => {
    const journey = await aJourney(idp, member, { password: NEW_PASSWORD })
    await journey.start()
    await journey.answer()
    return journey
  }

  test('opens nothing after the member has signed in by passkey, without any password', async () => {
    const { member, keys } = await whoseMailIsRead()
    const own = await aJourney(idp, member, { keys })
    const page = await own.start()
    const response = keys.passkey?.authenticate(requestOptionsOn(page)) ?? ''
    await own.visitor.submit('passkey', { response })
    expect((await own.finish()).claims()?.acr).toBe('phr')
    await idp.clock.advance(120)

    const thief = await withThePassword(member)
    expect(thief.visitor.page.heading).toBe(PAGE.verifyPasskey)
    expect((await idp.memberOf(member)).password.setByMailbox).toBe(true)
  })

  test('is the member’s own once a passkey was proven beside it', async () => {
    const { member, keys } = await whoseMailIsRead()
    const own = await aJourney(idp, member, { keys, password: NEW_PASSWORD })
    await own.start()
    await own.answer()
    await own.walkTo(PAGE.verifyPasskey)
    await own.finish()
    expect((await idp.memberOf(member)).password.setByMailbox).toBeUndefined()
  })
})

test('Who is half-way in with the initial password is out once the member has set their own', async () => {
  const thief = await aJourneyOf(idp, aNewcomer(), { clientId: 'takes-a-password' })
  await thief.start()
  expect((await thief.answer()).heading).toBe(PAGE.birthdate)
  await idp.clock.advance(60)
  const member = await aJourney(idp, thief.member, { clientId: 'takes-a-password' })
  await member.start()
  expect((await member.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  await idp.clock.advance(60)
  expect((await thief.visitor.visit(thief.visitor.page.url)).heading).toBe(PAGE.password)
})

test('A link asked for with an initial password is no good once the desk has given another', async () => {
  const { password } = aNewcomer()
  const thief = await aJourneyOf(idp, aNewcomer({ password: { ...password, initial: 'random' } }))
  await thief.start()
  await thief.walkTo(PAGE.email)
  await thief.visitor.submit('email', { email: 'thief@example.jp' })
  const mail = await newestMail(idp, 'thief@example.jp')
  await idp.clock.advance(600)
  const { societyId, loginId } = thief.member
  await reissueInitialPassword(
    {
      ...idp.services,
      societies: idp.services.settings.societies,
      openSessions: async () => async () => undefined,
    },
    { societyId, loginId, operator: '山田花子', days: 14 },
  )
  const link = aVisitor()
  expect((await link.visit(linkIn(mail))).heading).not.toBe(PAGE.linkAsk)
  expect((await idp.memberOf(thief.member)).email).toEqual(thief.member.email)
})

test('A sign-in under way with the lost phone ends when the desk’s pass is used', async () => {
  const { member, keys } = await holding(idp, ['totp'], anOldHand(idp.clock.now()))
  const saved = await idp.services.members.save({
    ...member,
    chosenFactor: 'totp',
    recoveryCodesDue: true,
  })
  const own = await aJourney(idp, saved)
  await own.start()
  await own.walkTo(PAGE.verifyTotp)
  await idp.clock.advance(60)
  const thief = await aJourney(idp, saved, { keys })
  await thief.start()
  await thief.walkTo(PAGE.recoveryCodes)
  await idp.clock.advance(60)
  await own.visitor.submit('lost-factor')
  await own.visitor.submit('desk-pass', { pass: await passFor(idp, saved) })
  expect((await idp.memberOf(saved)).credentials).toEqual([])
  expect(own.visitor.page.heading).toBe(PAGE.choosePlace)
  expect((await thief.visitor.visit(thief.visitor.page.url)).heading).toBe(PAGE.password)

  // The member's own sign-in goes on, and is as young as the pass.
  own.method = 'totp'
  const pass = idp.clock.now()
  await idp.clock.advance(60)
  expect((await own.finish()).claims()).toMatchObject({
    acr: 'https://refeds.org/profile/mfa',
    auth_time: pass,
  })
})

describe('A change of address undone by the holder of the former one', () => {
  const DAY = 86_400

  /** A change that was made so long ago, and the link to undo it as it was mailed. */
  const changed = async (member: Member, former: string, secondsAgo: number): Promise<string> => {
    const id = randomUUID()
    const changedAt = idp.clock.now() - secondsAgo
    const change: AddressChange = {
      memberId: member.id,
      former,
      address: 'next@example.jp',
      changedAt,
    }
    await idp.services.transient.put(undoKey(id), change, UNDO_SECONDS - secondsAgo)
    return `${idp.issuer}/email-undo/${linkTokenOf(idp.services.settings.codeKey, `undo-${id}`)}`
  }
  const press = async (link: string) => {
    const visitor = aVisitor()
    const asked = await visitor.visit(link)
    const answered = asked.status === 200 ? await visitor.submit() : asked
    return answered.status
  }

  test('undoes those made after it, by links that are good no more', async () => {
    const member = await idp.services.members.save(anOldHand(idp.clock.now()))
    const own = await changed(member, 'own@example.jp', 120)
    const others = await changed(member, 'thief@example.jp', 60)
    expect(await press(own)).toBe(200)
    // The desk has spoken with the member, who has proven the address again.
    const restored = unblock(await idp.memberOf(member))
    await idp.services.members.save(verifyEmail(restored, 'own@example.jp', idp.clock.now()))
    await idp.clock.advance(3 * DAY)

    expect(await press(others)).toBe(410)
    const after = await idp.memberOf(member)
    expect(after.email?.address).toBe('own@example.jp')
    expect(after.blocked).toBeUndefined()
    // A change made since is another matter.
    expect(await press(await changed(member, 'own@example.jp', 60))).toBe(200)
    expect((await idp.memberOf(member)).blocked?.reason).toBe('emailChangeUndone')
  })

  test('leaves the one before it to be undone as well', async () => {
    const member = await idp.services.members.save(anOldHand(idp.clock.now()))
    const own = await changed(member, 'own@example.jp', 120)
    const others = await changed(member, 'thief@example.jp', 60)
    expect(await press(others)).toBe(200)
    expect((await idp.memberOf(member)).email).toEqual({ address: 'thief@example.jp' })
    expect(await press(own)).toBe(200)
    expect((await idp.memberOf(member)).email).toEqual({ address: 'own@example.jp' })
  })

  test('pressed twice at once, is undone once', async () => {
    const member = await idp.services.members.save(anOldHand(idp.clock.now()))
    const link = await changed(member, 'own@example.jp', 60)
    const visitors = [aVisitor(), aVisitor()]
    for (const visitor of visitors) await visitor.visit(link)
    await Promise.all(visitors.map((visitor) => visitor.submit()))
    const { undoneAddressChanges, email } = await idp.memberOf(member)
    expect(email).toEqual({ address: 'own@example.jp' })
    expect(undoneAddressChanges).toHaveLength(1)
  })
})
