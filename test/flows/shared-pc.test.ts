import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { Cookie } from 'tough-cookie'
import type { Member } from '../../accounts/member.ts'
import { ask, aVisitor, type Visitor } from '../support/agent.ts'
import { appCode } from '../support/authenticator-app.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { submissionOf } from '../support/html-form.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { holding } from './keys.ts'
import { askForReset, newestCode, PAGE as RECOVERY } from './recovery-support.ts'
import { aJourney, aJourneyOf, anOldHand, type Journey, PAGE, theDate } from './support.ts'

const SIGN_OUT = 'ログアウトする'
const ANOTHER_APP = 'points-app'

let idp: Idp
beforeAll(async () => {
  idp = await startIdp({
    clock: theDate(),
    clients: [
      {
        client_id: ANOTHER_APP,
        client_name: 'ポイント',
        client_secret: 'a-secret-of-the-points-app-of-this-test',
        policy: { society: 'sakura' },
      },
    ],
  })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

/** A member with an app, whose next sign-in ends with a page of recovery codes. */
const aMemberWithApp = async () => {
  const { member, keys } = await holding(idp, ['totp'], anOldHand(idp.clock.now()))
  const saved = await idp.services.members.save({
    ...member,
    chosenFactor: 'totp',
    recoveryCodesDue: true,
  })
  return { member: saved, keys }
}

/** Password and app proven, and left there. */
const leftHalfWay = async (visitor: Visitor) => {
  const { member, keys } = await aMemberWithApp()
  const journey = await aJourney(idp, member, { visitor, keys })
  await journey.start()
  const { url } = await journey.walkTo(PAGE.recoveryCodes)
  await idp.clock.advance(60)
  return { member, keys, journey, url }
}

/** The same member from the start, at the same browser. */
const signedInAgain = async ({
  member,
  keys,
  journey,
}: Awaited<ReturnType<typeof leftHalfWay>>) => {
  const again = await aJourney(idp, member, { visitor: journey.visitor, keys })
  await again.start()
  const tokens = await again.finish()
  await idp.clock.advance(30)
  return { again, tokens }
}

const signOut = async (visitor: Visitor): Promise<Page> => {
  await visitor.visit(`${idp.issuer}/session/end`)
  return visitor.submit(SIGN_OUT)
}

const visitCookie = (visitor: Visitor): string | undefined =>
  visitor.jar.getCookiesSync(idp.issuer).find(({ key }) => key === 'idp_visit')?.value

/** All cookies of the browser now, to be put back later. */
const cookiesOf = ({ jar }: Visitor) => jar.serializeSync()?.cookies ?? []
const putBack = ({ jar }: Visitor, cookies: ReturnType<typeof cookiesOf>): void => {
  for (const one of cookies) {
    const cookie = Cookie.fromJSON(one)
    if (cookie) jar.setCookieSync(cookie, `${idp.issuer}${one.path}`)
  }
}

/** Presses the page's button and never sees what comes back, which is returned. */
const pressAndLeave = async (
  { jar, page }: Visitor,
  button: string,
  values: Readonly<Record<string, string>>,
) => {
  const { url, fields } = submissionOf(page, button, values)
  const answer = await ask(url, {
    method: 'POST',
    headers: {
      cookie: jar.getCookieStringSync(url.href),
      'Content-Type': 'application/x-www-form-urlencoded',
      'Sec-Fetch-Site': 'same-origin',
    },
    body: fields.toString(),
  })
  return new URL(answer.headers.location ?? '', url)
}

describe('After signing out on a shared PC, what was left half-way there', () => {
  test('asks the next person for the password', async () => {
    const visitor = aVisitor()
    const left = await leftHalfWay(visitor)
    await signedInAgain(left)
    await signOut(visitor)
    const page = await visitor.visit(left.url)
    expect(page.heading).toBe(PAGE.password)
    expect(page.body).not.toContain(left.member.loginId)
  })

  test('takes no form that stood open in another tab', async () => {
    const visitor = aVisitor()
    const left = await leftHalfWay(visitor)
    const csrf = visitor.page.root.querySelector('input[name="csrf"]')?.getAttribute('value') ?? ''
    await signedInAgain(left)
    await signOut(visitor)
    const page = await visitor.post(`${left.url.href}/recoveryCodes`, { csrf, saved: 'on' })
    expect(page.heading).toBe(PAGE.password)
  })

  test('is over, too, where nobody was signed in any more', async () => {
    const visitor = aVisitor()
    const left = await leftHalfWay(visitor)
    await visitor.visit(`${idp.issuer}/session/end`)
    // The engine's own form, which sends itself.
    await visitor.submit()
    expect((await visitor.visit(left.url)).heading).toBe(PAGE.password)
  })

  test('is over, too, with the session run out instead', async () => {
    const visitor = aVisitor()
    const left = await leftHalfWay(visitor)
    await signedInAgain(left)
    await idp.clock.advance(1800)
    expect((await visitor.visit(left.url)).heading).toBe(PAGE.password)
  })

  test('stays over with every cookie put back as it was, or the one that tells it removed', async () => {
    const visitor = aVisitor()
    const left = await leftHalfWay(visitor)
    const before = cookiesOf(visitor)
    await signedInAgain(left)
    await signOut(visitor)
    putBack(visitor, before)
    expect(visitCookie(visitor)).toBe(before.find(({ key }) => key === 'idp_visit')?.value)
    expect((await visitor.visit(left.url)).heading).toBe(PAGE.password)
    const path = left.url.pathname
    putBack(
      visitor,
      before.filter((cookie) => cookie.path === path),
    )
    visitor.jar.store.removeCookie('localhost', '/', 'idp_visit', () => {})
    expect(visitCookie(visitor)).toBeUndefined()
    expect((await visitor.visit(left.url)).heading).toBe(PAGE.password)
  })

  test('lets somebody else sign in at its page, as themselves', async () => {
    const visitor = aVisitor()
    const left = await leftHalfWay(visitor)
    const { tokens } = await signedInAgain(left)
    await signOut(visitor)
    const next = await idp.services.members.save(anOldHand(idp.clock.now()))
    const journey = await aJourney(idp, next, { visitor })
    await visitor.visit(left.url)
    await journey.walkTo(PAGE.signedIn)
    const claims = (await left.journey.rp.finish(visitor.page.url)).claims()
    expect(claims?.amr).toEqual(['pwd', 'otp', 'mca'])
    expect(claims?.sub).not.toBe(tokens.claims()?.sub)
  })

  test('with nothing left to prove goes to no application, whoever types the address', async () => {
    const visitor = aVisitor()
    const { member, keys } = await holding(idp, ['totp'], anOldHand(idp.clock.now()))
    const saved = await idp.services.members.save({ ...member, chosenFactor: 'totp' })
    const first = await aJourney(idp, saved, { visitor, keys })
    await first.start()
    await first.walkTo(PAGE.verifyTotp)
    const here = visitor.page.url
    // The line breaks once the answer is on its way: the redirect is never followed.
    const way = await pressAndLeave(visitor, 'verifyFactor', {
      code: appCode(keys.appSecret ?? Buffer.alloc(0), idp.clock.now()),
    })
    expect(way.pathname).toMatch(/^\/auth\/./u)
    await idp.clock.advance(60)
    await visitor.visit(`${idp.issuer}/session/end`)
    await visitor.submit()
    expect((await visitor.visit(way)).heading).toBe(PAGE.password)
    // Nor once somebody has done something at its page.
    expect(visitor.page.url.href).toBe(here.href)
    await visitor.submit('forgot-password')
    expect(visitor.page.heading).toBe(RECOVERY.forgotPassword)
    expect((await visitor.visit(way)).heading).toBe(PAGE.password)
  })

  test('sets no new password by a mailed code that was right', async () => {
    const visitor = aVisitor()
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { visitor })
    await journey.start()
    await askForReset({ idp, visitor, rp: journey.rp }, journey.member)
    await visitor.submit('reset-code', { code: await newestCode(idp, journey.member) })
    expect(visitor.page.heading).toBe(RECOVERY.resetPassword)
    const { url } = visitor.page
    await visitor.visit(`${idp.issuer}/session/end`)
    await visitor.submit()
    expect((await visitor.visit(url)).heading).toBe(PAGE.password)
  })

  test('and was begun in a session that was ended from another browser goes nowhere', async () => {
    const visitor = aVisitor()
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { visitor })
    await journey.start()
    await journey.finish()
    await idp.clock.advance(60)
    await journey.start({ prompt: 'login' })
    await journey.walkTo(PAGE.emailCode)
    const { url } = visitor.page
    await idp.clock.advance(61)
    const elsewhere = aVisitor()
    const other = await aJourney(idp, journey.member, { visitor: elsewhere })
    await other.start()
    await other.finish()
    await elsewhere.visit(`${idp.issuer}/account/sakura`)
    await elsewhere.submit('ログアウトさせる')
    expect((await visitor.visit(url)).heading).toBe(PAGE.stale)
  })
})

/** Passed by whoever waits once it is open. */
const aGate = () => {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}

describe('A password on its way while its member signs out in another tab', () => {
  test('does not join what the next person does there', async () => {
    const inThisProcess = 'it holds up the product’s own look-ups'
    const held = await startIdp({ clock: idp.clock, instances: 1, inThisProcess })
    try {
      const visitor = aVisitor()
      const slow = await aJourneyOf(held, anOldHand(held.clock.now()), { visitor })
      const next = await aJourneyOf(held, anOldHand(held.clock.now()), { visitor })
      const { url } = await slow.start()
      const { members } = held.services
      const { findByLoginId } = members
      const seen = aGate()
      const released = aGate()
      members.findByLoginId = async (societyId, typed) => {
        const found = await findByLoginId(societyId, typed)
        if (typed === slow.member.loginId) {
          seen.open()
          await released.passed
        }
        return found
      }
      const { loginId } = slow.member
      const values = { username: loginId, password: slow.password }
      const pressed = pressAndLeave(visitor, 'password', values)
      await seen.passed
      await visitor.visit(`${held.issuer}/session/end`)
      await visitor.submit()
      await visitor.visit(url)
      await next.answer()
      expect(visitor.page.heading).toBe(PAGE.emailCode)
      released.open()
      await pressed
      await next.walkTo(PAGE.signedIn)
      expect(await held.services.signIns.list(next.member.id, 0)).toHaveLength(1)
    } finally {
      await held.close()
    }
  })
})

describe('A second tab in the same browser', () => {
  const twoTabs = async (member: Member) => {
    const visitor = aVisitor()
    const first = await aJourney(idp, member, { visitor })
    const second = await aJourney(idp, member, { visitor, clientId: ANOTHER_APP })
    return { visitor, first, second }
  }
  const finishedAt = async ({ rp }: Journey, page: Page) => (await rp.finish(page.url)).claims()

  test('left at the code goes on to its application once the member has signed in in the first', async () => {
    const member = await idp.services.members.save(anOldHand(idp.clock.now()))
    const { visitor, first, second } = await twoTabs(member)
    await second.start()
    const waiting = await second.walkTo(PAGE.emailCode)
    await idp.clock.advance(61)
    await first.start()
    const claims = (await first.finish()).claims()
    // Its form, as it stands there.
    const csrf = waiting.root.querySelector('input[name="csrf"]')?.getAttribute('value') ?? ''
    const form = { csrf, code: '000000' }
    const page = await visitor.post(`${waiting.url.href}/verifyFactor`, form, {
      Origin: idp.issuer,
      'Sec-Fetch-Site': 'same-origin',
    })
    expect(page.heading).toBe(PAGE.signedIn)
    expect(await finishedAt(second, page)).toMatchObject({ acr: claims?.acr, amr: claims?.amr })
  })

  test('gone back in to the password, signs in who types that, and not the first tab’s member', async () => {
    const member = await idp.services.members.save(anOldHand(idp.clock.now()))
    const { visitor, first, second } = await twoTabs(member)
    const { url, root } = await second.start()
    await second.walkTo(PAGE.emailCode)
    await idp.clock.advance(61)
    await first.start()
    await first.finish()
    const somebody = await aJourneyOf(idp, anOldHand(idp.clock.now()), { visitor })
    await visitor.post(
      `${url.href}/password`,
      {
        csrf: root.querySelector('input[name="csrf"]')?.getAttribute('value') ?? '',
        username: somebody.member.loginId,
        password: somebody.password,
      },
      { Origin: idp.issuer, 'Sec-Fetch-Site': 'same-origin' },
    )
    expect(visitor.page.heading).toBe(PAGE.emailCode)
    await somebody.walkTo(PAGE.signedIn)
    await second.rp.finish(visitor.page.url)
    expect(await idp.services.signIns.list(somebody.member.id, 0)).toHaveLength(1)
  })

  test('at the password, takes that', async () => {
    const member = await idp.services.members.save(anOldHand(idp.clock.now()))
    const { visitor, first, second } = await twoTabs(member)
    const { url } = await second.start()
    await first.start()
    await first.finish()
    await idp.clock.advance(61)
    expect((await visitor.visit(url)).heading).toBe(PAGE.password)
    expect((await second.finish()).claims()?.amr).toEqual(['pwd', 'otp', 'mca'])
  })

  test('that asks to sign in anew asks for everything anew', async () => {
    const member = await idp.services.members.save(anOldHand(idp.clock.now()))
    const { visitor, first, second } = await twoTabs(member)
    await second.start({ prompt: 'login' })
    const { url } = await second.walkTo(PAGE.emailCode)
    await idp.clock.advance(61)
    await first.start()
    await first.finish()
    expect((await visitor.visit(url)).heading).toBe(PAGE.password)
  })

  test('is not taken over by somebody else who signs in in the first, nor takes them over', async () => {
    const visitor = aVisitor()
    const left = await leftHalfWay(visitor)
    const somebody = await aJourneyOf(idp, anOldHand(idp.clock.now()), { visitor })
    await somebody.start()
    await somebody.finish()
    const page = await visitor.visit(left.url)
    expect(page.heading).toBe(PAGE.password)
    expect(page.body).not.toContain(left.member.loginId)
  })

  test('at the password, signs in who types it there, and ends the session of whoever was first', async () => {
    const visitor = aVisitor()
    const first = await aJourneyOf(idp, anOldHand(idp.clock.now()), { visitor })
    const second = await aJourneyOf(idp, anOldHand(idp.clock.now()), {
      visitor,
      clientId: ANOTHER_APP,
    })
    const { url } = await second.start()
    await first.start()
    const tokens = await first.finish()
    await visitor.visit(url)
    expect(second.password).toBe(A_PASSWORD)
    const claims = (await second.finish()).claims()
    expect(claims?.amr).toEqual(['pwd', 'otp', 'mca'])
    expect(await idp.services.sessions.list(first.member.id)).toEqual([])
    await expect(first.rp.userInfo(tokens)).rejects.toThrow()
  })
})
