import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member, MemberId } from '../../accounts/member.ts'
import { LIMITS } from '../../accounts/throttle.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import {
  aSettledMember,
  askForReset,
  aVisit,
  NEW_PASSWORD,
  newestCode,
  passFor,
  signIn,
  withApp,
} from './recovery-support.ts'
import { aJourneyOf, aNewcomer, PAGE, theDate } from './support.ts'

let idp: Idp
beforeAll(async () => {
  idp = await startIdp({ clock: theDate() })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

const SAME = '今までのパスワードと違うものにしてください'
const PAUSED = /回数が多いため/u

/** At the page for the new password, the mailbox proven. */
const atReset = async (member: Member) => {
  const visit = await aVisit(idp)
  await askForReset(visit, member)
  await visit.visitor.submit('reset-code', { code: await newestCode(idp, member) })
  return visit
}

describe('Who has the mailbox of a member without another method', () => {
  const replace = async (over: Readonly<{ password: string; pass: string }>, member: Member) =>
    (await atReset(member)).visitor.submit('reset-password', over)

  test.each(['', '0000-0000-0000'])('and the pass %p is not told the present one', async (pass) => {
    const member = await idp.services.members.save(aSettledMember())
    const { visitor } = await atReset(member)
    const told = async (password: string) =>
      (await visitor.submit('reset-password', { password, pass })).faults.map((text) =>
        text.replace(/あと\d回/u, ''),
      )
    const wrong = await told(NEW_PASSWORD)
    expect(wrong).toHaveLength(1)
    expect(await told(A_PASSWORD)).toEqual(wrong)
    // One of whose variants is the present one.
    expect(await told(`${A_PASSWORD}!`)).toEqual(wrong)
  })

  test('spends no try of the pass on a password that breaks a rule', async () => {
    const member = await idp.services.members.save(aSettledMember())
    const { visitor } = await atReset(member)
    const pass = await passFor(idp, member)
    await idp.clock.advance(1)
    for (let tries = 0; tries < 6; tries += 1) {
      const refused = await visitor.submit('reset-password', { password: 'short', pass })
      expect(refused.faults.join()).toContain('8文字以上')
    }
    expect((await visitor.submit('reset-password', { password: NEW_PASSWORD, pass })).heading).toBe(
      PAGE.password,
    )
  })

  test('keeps the right pass where the new password is the present one', async () => {
    const member = await idp.services.members.save(aSettledMember())
    const { visitor } = await atReset(member)
    const pass = await passFor(idp, member)
    await idp.clock.advance(1)
    for (let tries = 0; tries < 7; tries += 1) {
      const refused = await visitor.submit('reset-password', { password: A_PASSWORD, pass })
      expect(refused.faults).toEqual([SAME])
    }
    expect((await idp.memberOf(member)).deskPass).toBeDefined()
    expect((await visitor.submit('reset-password', { password: NEW_PASSWORD, pass })).heading).toBe(
      PAGE.password,
    )
    expect((await idp.memberOf(member)).deskPass).toBeUndefined()
  })

  test('may take a password like the present one with the pass, as no likeness is told', async () => {
    const member = await idp.services.members.save(aSettledMember())
    const pass = await passFor(idp, member)
    await idp.clock.advance(1)
    expect((await replace({ password: `${A_PASSWORD}!`, pass }, member)).heading).toBe(
      PAGE.password,
    )
  })
})

describe('The present password as the new one', () => {
  test('is refused ten times in a quarter of an hour after a mailed code, then nothing is tried', async () => {
    const { member } = await withApp(idp, aSettledMember())
    const saved = await idp.services.members.save(member)
    const visit = await atReset(saved)
    const send = (password: string) => visit.visitor.submit('reset-password', { password })
    for (let tries = 0; tries < 10; tries += 1) {
      expect((await send(A_PASSWORD)).faults).toEqual([SAME])
    }
    for (const password of [A_PASSWORD, NEW_PASSWORD]) {
      expect((await send(password)).faults.join()).toMatch(PAUSED)
    }
    expect((await idp.memberOf(saved)).password.hash).toBe(saved.password.hash)
    // The sign-in is not stopped by it.
    expect((await signIn(await aVisit(idp), saved)).heading).toBe(PAGE.verifyTotp)
    await idp.clock.advance(901)
    expect((await send(NEW_PASSWORD)).heading).toBe(PAGE.password)
  })

  test('dressed up is refused ten times in a quarter of an hour at the first login', async () => {
    const journey = await aJourneyOf(
      idp,
      aNewcomer({ id: 'member-first-login' as MemberId }), // a test's own ID
    )
    await journey.start()
    await journey.walkTo(PAGE.newPassword)
    const send = (password: string) => journey.visitor.submit('newPassword', { password })
    // What breaks a rule is compared with nothing, and not counted.
    for (let tries = 0; tries < 10; tries += 1) await send('short')
    for (let tries = 0; tries < 10; tries += 1) {
      expect((await send(`${A_PASSWORD}${tries}`)).faults).toEqual([SAME])
    }
    expect((await send(NEW_PASSWORD)).faults.join()).toMatch(PAUSED)
    await idp.clock.advance(901)
    expect((await send(NEW_PASSWORD)).faults).toEqual([])
  })
})

describe('A request that one limit refuses', () => {
  test('for a forgotten password uses up no other mail of the day', async () => {
    const { member } = await withApp(idp, aSettledMember())
    const saved = await idp.services.members.save(member)
    for (let times = 0; times < 12; times += 1) await askForReset(await aVisit(idp), saved)
    await idp.clock.advance(3601)
    expect((await askForReset(await aVisit(idp), saved)).faults).toEqual([])
  })

  test('for a forgotten password comes after ten mails of a day, however far apart', async () => {
    const { member } = await withApp(idp, aSettledMember())
    const saved = await idp.services.members.save(member)
    const { points, seconds } = LIMITS.resetPerDay
    for (let times = 0; times < points; times += 1) {
      expect((await askForReset(await aVisit(idp), saved)).faults).toEqual([])
      await idp.clock.advance(901)
    }
    const refused = await askForReset(await aVisit(idp), saved)
    expect(refused.faults.join()).toMatch(/次は.+から送れます/u)
    await idp.clock.advance(seconds)
    expect((await askForReset(await aVisit(idp), saved)).faults).toEqual([])
  })

  test('for a forgotten password comes after sixty from one place, whoever they were for', async () => {
    const from = (address: string) => aVisit(idp, aVisitor({ from: address }))
    const of = (number: number) => ({ loginId: `90000-${number}`, birthdate: '1985-04-01' })
    for (let times = 0; times < LIMITS.resetPerAddress.points; times += 1) {
      expect((await askForReset(await from('127.0.0.11'), of(times))).faults).toEqual([])
    }
    expect((await askForReset(await from('127.0.0.11'), of(100))).faults.join()).toMatch(/時\d+分/u)
    expect((await askForReset(await from('127.0.0.12'), of(100))).faults).toEqual([])
  })

  test('for a user ID uses up no reminder of the mailbox', async () => {
    const address = 'asked-often@example.jp'
    const asks = async (visitor: Visitor, email: string) => {
      if (visitor.page.heading === PAGE.password) await visitor.submit('forgot-id')
      const page = await visitor.submit('id-request', { email })
      if (page.faults.length === 0) await visitor.submit('back-to-sign-in')
      return page
    }
    const { visitor: busy } = await aVisit(idp, aVisitor({ from: '127.0.0.9' }))
    for (let times = 0; times < LIMITS.resetPerAddress.points; times += 1) {
      expect((await asks(busy, `nobody-${times}@example.jp`)).faults).toEqual([])
    }
    for (let times = 0; times < LIMITS.reminder.points; times += 1) {
      expect((await asks(busy, address)).faults.join()).toContain('送れます')
    }
    const { visitor } = await aVisit(idp, aVisitor({ from: '127.0.0.10' }))
    expect((await asks(visitor, address)).faults).toEqual([])
  })
})
