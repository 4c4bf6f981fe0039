import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import { appCode } from '../support/authenticator-app.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { holding, requestOptionsOn, withPasskey } from './keys.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  csrfOf,
  type Journey,
  PAGE,
  theDate,
} from './support.ts'

const MFA = 'https://refeds.org/profile/mfa'
const EMAIL = 'urn:kenpo-id:acr:email'
const OFFICE = 'みなと工業の社内ネットワーク'

const offeredOn = ({ root }: Page): readonly (string | undefined)[] =>
  root.querySelectorAll('input[name="factor"]').map((option) => option.getAttribute('value'))
const shutOn = ({ root }: Page): readonly string[] =>
  root.querySelectorAll('.pick.off .about').map(({ text }) => text)
const waysOn = ({ root }: Page): readonly (string | undefined)[] =>
  root.querySelectorAll('input[name="method"]').map((way) => way.getAttribute('value'))

describe('Choosing a method', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({
      clock: theDate(),
      env: { IDP_TRUSTED_PROXY_HOPS: '1' },
      // A society that permits no app; the other of the demo's keeps the manual's own shape.
      societies: [
        {
          id: 'sakura',
          factors: ['passkey', 'emailCode'],
          networks: [
            {
              name: { ja: '社内', en: 'Office' },
              cidrs: ['192.0.2.0/24'],
              factors: ['emailCode'],
            },
          ],
        },
      ],
    })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  /** A newcomer at the question where they sign in, in a society that permits every method. */
  const choosing = async (over: Partial<Member> = { societyId: 'minato' }): Promise<Journey> => {
    const journey = await aJourneyOf(idp, aNewcomer(over))
    await journey.start()
    await journey.walkTo(PAGE.choosePlace)
    return journey
  }

  describe('begins with the place', () => {
    test('of which one at least is needed', async () => {
      const { visitor } = await choosing()
      const boxes = visitor.page.root.querySelectorAll('input[type="checkbox"]')
      expect(boxes.map((box) => [box.getAttribute('name'), box.hasAttribute('checked')])).toEqual([
        ['companyPc', false],
        ['ownPc', false],
        ['phone', false],
      ])
      const page = await visitor.submit('choose-place')
      expect(page.status).toBe(422)
      expect(page.heading).toBe(PAGE.choosePlace)
      expect(page.faults).toEqual(['ログインする場所を1つ以上選んでください'])
    })

    test.each([{ phone: true }, { ownPc: true }, { ownPc: true, phone: true }])(
      'with %j, every method is offered, the passkey first',
      async (places) => {
        const { visitor } = await choosing()
        const page = await visitor.submit('choose-place', places)
        expect(page.heading).toBe(PAGE.chooseFactor)
        expect(offeredOn(page)).toEqual(['passkey', 'totp', 'emailCode'])
        expect(shutOn(page)).toEqual([])
      },
    )

    test('a company PC alone leaves e-mail, and says why', async () => {
      const { visitor } = await choosing()
      const page = await visitor.submit('choose-place', { companyPc: true })
      expect(offeredOn(page)).toEqual(['emailCode'])
      expect(shutOn(page).filter((why) => why.includes('会社のPCでは使えません'))).toHaveLength(2)
    })

    test('a company PC beside others shuts nothing out, and says what works there', async () => {
      const { visitor } = await choosing()
      const page = await visitor.submit('choose-place', { companyPc: true, phone: true })
      expect(offeredOn(page)).toEqual(['passkey', 'totp', 'emailCode'])
      expect(page.text).toContain('会社のネットワークでは、組合の決まりにより')
    })

    test('which can be chosen again, and is kept over a reload', async () => {
      const { visitor } = await choosing()
      await visitor.submit('choose-place', { companyPc: true })
      expect(offeredOn(await visitor.visit(visitor.page.url))).toEqual(['emailCode'])
      expect((await visitor.submit('change-place')).heading).toBe(PAGE.choosePlace)
      const page = await visitor.submit('choose-place', { phone: true })
      expect(offeredOn(page)).toEqual(['passkey', 'totp', 'emailCode'])
    })

    test('except on a company network, which leaves no choice', async () => {
      const visitor = aVisitor({ headers: { 'X-Forwarded-For': '198.51.100.7' } })
      const journey = await aJourneyOf(idp, aNewcomer({ societyId: 'minato' }), { visitor })
      await journey.start()
      await journey.walkTo(PAGE.emailWait)
      const page = await journey.answer()
      expect(page.heading).toBe(PAGE.chooseFactor)
      expect(offeredOn(page)).toEqual(['emailCode'])
      expect(shutOn(page).filter((why) => why.includes(OFFICE))).toHaveLength(2)
      await journey.walkTo(PAGE.enrolled)
      expect((await idp.memberOf(journey.member)).chosenFactor).toBe('emailCode')
    })
  })

  describe('goes on with the method', () => {
    test('of which one is needed, and one of those offered', async () => {
      const journey = await choosing()
      const { visitor } = journey
      const page = await visitor.submit('choose-place', { phone: true })
      const form = { csrf: csrfOf(page) }
      for (const factor of ['', 'recoveryCode', 'password', 'deskPass', '__proto__', 'PASSKEY']) {
        const refused = await visitor.post(`${page.url.href}/chooseFactor`, { ...form, factor })
        expect([factor, refused.status]).toEqual([factor, 422])
      }
      const none = await visitor.post(`${page.url.href}/chooseFactor`, form)
      expect(none.faults).toEqual(['認証方法を1つ選んでください'])
      expect((await idp.memberOf(journey.member)).chosenFactor).toBeUndefined()
    })

    test('one the society does not permit is shown with the reason, and refused', async () => {
      const journey = await choosing({})
      const { visitor } = journey
      const page = await visitor.submit('choose-place', { phone: true })
      expect(offeredOn(page)).toEqual(['passkey', 'emailCode'])
      expect(shutOn(page)).toEqual(['この健康保険組合では使えません。'])
      const forced = { csrf: csrfOf(page), factor: 'totp' }
      const refused = await visitor.post(`${page.url.href}/chooseFactor`, forced)
      expect(refused.status).toBe(422)
      expect(refused.faults).toEqual(['その方法は、今は使えません。別の方法を選んでください'])
      expect((await idp.memberOf(journey.member)).chosenFactor).toBeUndefined()
    })

    test('which can be chosen again until one is registered', async () => {
      const journey = await aJourneyOf(idp, aNewcomer(), { method: 'passkey' })
      await journey.start()
      await journey.walkTo(PAGE.registerPasskey)
      const again = await journey.visitor.submit('choose-again')
      expect(again.heading).toBe(PAGE.chooseFactor)
      journey.method = 'emailCode'
      await journey.walkTo(PAGE.done)
      expect((await journey.finish()).claims()?.acr).toBe(EMAIL)
      expect(await idp.memberOf(journey.member)).toMatchObject({
        chosenFactor: 'emailCode',
        credentials: [],
      })
    })

    test('and not afterwards, by whatever is posted', async () => {
      const journey = await aJourneyOf(idp, aNewcomer(), { method: 'passkey' })
      await journey.start()
      const page = await journey.walkTo(PAGE.done)
      const csrf = csrfOf(page)
      for (const act of ['choose-again', 'change-place', 'chooseFactor', 'registerFactor']) {
        const form = { csrf, factor: 'emailCode' }
        const posted = await journey.visitor.post(`${page.url.href}/${act}`, form)
        expect(posted.heading).toBe(PAGE.done)
      }
      expect((await idp.memberOf(journey.member)).chosenFactor).toBe('passkey')
    })
  })

  describe('in the manual’s own shape, to be registered at the next sign-in', () => {
    const chosen = async (method: 'passkey' | 'totp'): Promise<Journey> => {
      const journey = await aJourneyOf(idp, aNewcomer({ societyId: 'minato' }), { method })
      await journey.start()
      await journey.walkTo(PAGE.enrolled)
      await idp.clock.advance(61)
      return journey
    }

    test.each([
      ['passkey', PAGE.registerPasskey, 'phr', ['pwd', 'swk', 'user', 'mfa']],
      ['totp', PAGE.registerTotp, MFA, ['pwd', 'otp', 'mfa']],
    ] as const)('a %s is registered after a mailed code', async (method, page, acr, amr) => {
      const journey = await chosen(method)
      await journey.visitor.submit('enrolled')
      const code = await journey.answer()
      expect(code.heading).toBe(PAGE.emailCode)
      expect((await journey.answer()).heading).toBe(page)
      expect((await journey.answer()).heading).toBe(PAGE.recoveryCodes)
      const claims = (await journey.finish()).claims()
      expect(claims?.acr).toBe(acr)
      expect(claims?.amr).toEqual(amr)
    })

    test('a stolen password binds nothing in the meantime', async () => {
      const journey = await chosen('passkey')
      const thief = await aJourney(idp, journey.member, { password: journey.password })
      await thief.start()
      const page = await thief.answer()
      expect(page.heading).toBe(PAGE.emailCode)
      for (const act of ['registerFactor', 'choose-again', 'passkey-phone', 'recoveryCodes']) {
        const posted = await thief.visitor.post(`${page.url.href}/${act}`, {
          csrf: csrfOf(page),
          response: '{}',
          saved: 'yes',
        })
        expect(posted.heading).toBe(PAGE.emailCode)
      }
      expect((await idp.memberOf(journey.member)).credentials).toEqual([])
    })

    test('after two weeks without, the society’s desk has to help', async () => {
      const journey = await chosen('passkey')
      await idp.clock.advance(14 * 86_400)
      const late = await aJourney(idp, journey.member, { password: journey.password })
      await late.start()
      expect((await late.answer()).heading).toBe(PAGE.stopped)
    })
  })

  test('on the way to the office, the passkey waits until the member is out of it', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.7' }
    const visitor = aVisitor({ headers })
    const journey = await aJourneyOf(idp, aNewcomer(), { method: 'passkey', visitor })
    await journey.start()
    const page = await journey.walkTo(PAGE.registerPasskey)
    headers['X-Forwarded-For'] = '192.0.2.7'
    const done = await visitor.visit(page.url)
    expect(done.heading).toBe(PAGE.done)
    expect(done.text).toContain('社内')
    expect((await journey.finish()).claims()?.acr).toBe(EMAIL)

    headers['X-Forwarded-For'] = '203.0.113.7'
    await idp.clock.advance(61)
    const later = await aJourney(idp, journey.member, { password: journey.password })
    await later.start()
    expect((await later.answer()).heading).toBe(PAGE.emailCode)
    expect((await later.answer()).heading).toBe(PAGE.registerPasskey)
    expect((await later.finish()).claims()?.acr).toBe('phr')
  })
})

describe('Another way', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  const asked = async (
    methods: Parameters<typeof holding>[1],
    chosen?: 'emailCode',
  ): Promise<Journey> => {
    const held = await holding(idp, methods, anOldHand(idp.clock.now()))
    const member = { ...held.member, ...(chosen && { chosenFactor: chosen }) }
    const journey = await aJourneyOf(idp, member, { keys: held.keys })
    await journey.start()
    await journey.answer()
    return journey
  }

  test.each([
    [['passkey'], PAGE.verifyPasskey, []],
    [['totp'], PAGE.verifyTotp, []],
    [['passkey', 'totp'], PAGE.verifyPasskey, ['totp']],
    [['totp', 'passkey'], PAGE.verifyTotp, ['passkey']],
    [['totp', 'recoveryCode'], PAGE.verifyTotp, ['recoveryCode']],
    [['passkey', 'totp', 'recoveryCode'], PAGE.verifyPasskey, ['totp', 'recoveryCode']],
    [['emailCode'], PAGE.emailCode, []],
  ] as const)('of %j: "%s" is asked, and %j are a press away', async (methods, page, ways) => {
    const journey = await asked(methods)
    expect(journey.visitor.page.heading).toBe(page)
    expect(waysOn(journey.visitor.page)).toEqual(ways)
  })

  test('a member who chose e-mail and has a passkey too uses either', async () => {
    const journey = await asked(['passkey'], 'emailCode')
    expect(journey.visitor.page.heading).toBe(PAGE.emailCode)
    expect(waysOn(journey.visitor.page)).toEqual(['passkey'])
    const page = await journey.visitor.submit('use-method', { method: 'passkey' })
    expect(page.heading).toBe(PAGE.verifyPasskey)
    expect(waysOn(page)).toEqual(['emailCode'])
    expect((await journey.finish()).claims()?.acr).toBe('phr')
  })

  test('each of several methods signs in, there and back again', async () => {
    const steps = [
      ['totp', PAGE.verifyTotp],
      ['recoveryCode', PAGE.verifyRecoveryCode],
      ['passkey', PAGE.verifyPasskey],
    ] as const
    for (const [last] of steps) {
      const journey = await asked(['passkey', 'totp', 'recoveryCode'])
      for (const [method, page] of [...steps, ...steps]) {
        if (journey.visitor.page.heading === page) continue
        const shown = await journey.visitor.submit('use-method', { method })
        expect(shown.heading).toBe(page)
      }
      if (last !== 'passkey') await journey.visitor.submit('use-method', { method: last })
      const acr = (await journey.finish()).claims()?.acr
      expect(acr).toBe(last === 'passkey' ? 'phr' : MFA)
    }
  })

  test.each(['emailCode', 'recoveryCode', 'password', 'deskPass', '', '__proto__', 'constructor'])(
    'is never %j for a member with a passkey and an app',
    async (method) => {
      const journey = await asked(['passkey', 'totp'])
      const { visitor } = journey
      const page = await visitor.submit('use-method', { method })
      expect(page.heading).toBe(PAGE.verifyPasskey)
      expect(waysOn(page)).toEqual(['totp'])
      const csrf = csrfOf(page)
      for (const act of ['email-resend', 'email', 'email-keep', 'registerFactor']) {
        const form = { csrf, code: '123456', response: '{}' }
        const posted = await visitor.post(`${page.url.href}/${act}`, form)
        expect([act, posted.heading]).toEqual([act, PAGE.verifyPasskey])
      }
      expect(idp.mails.mails.filter(({ to }) => to === journey.member.email?.address)).toEqual([])
    },
  )

  test('an answer to one method is no answer to another', async () => {
    const journey = await asked(['passkey', 'totp'])
    const { visitor, keys } = journey
    const response = keys.passkey?.authenticate(requestOptionsOn(visitor.page)) ?? ''
    const page = await visitor.submit('use-method', { method: 'totp' })
    const csrf = csrfOf(page)
    const posted = await visitor.post(`${page.url.href}/verifyFactor`, { csrf, response })
    expect([posted.status, posted.heading]).toEqual([422, PAGE.verifyTotp])
    await visitor.submit('use-method', { method: 'passkey' })
    const code = appCode(keys.appSecret ?? Buffer.alloc(0), idp.clock.now())
    const back = await visitor.post(`${page.url.href}/verifyFactor`, { csrf, code })
    expect([back.status, back.heading]).toEqual([422, PAGE.verifyPasskey])
  })

  test('every one of several passkeys signs in', async () => {
    const first = await withPasskey(idp, anOldHand(idp.clock.now()))
    const second = await withPasskey(idp, first.member, { synced: false, counter: 1, countsBy: 1 })
    const stored = await idp.services.members.save({ ...second.member, chosenFactor: 'passkey' })
    for (const [passkey, kind] of [
      [first.passkey, 'swk'],
      [second.passkey, 'hwk'],
    ] as const) {
      const journey = await aJourney(idp, stored, { keys: { passkey } })
      await journey.start()
      const page = await journey.walkTo(PAGE.verifyPasskey)
      const allowed = requestOptionsOn(page).allowCredentials?.map(({ id }) => id)
      expect(allowed).toEqual([first.passkey.id, second.passkey.id])
      expect((await journey.finish()).claims()?.amr).toEqual(['pwd', kind, 'user', 'mfa'])
    }
  })
})
