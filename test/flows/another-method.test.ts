import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { ChosenFactor } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { appCode } from '../support/authenticator-app.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { creationOptionsOn, secretOf, typedKeyOn } from './keys.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  aRegistrant,
  csrfOf,
  type Journey,
  PAGE,
  theDate,
} from './support.ts'

const ANOTHER = 'もう1台登録します'
/** Addresses in two companies. */
const MAIL_ONLY = '127.0.5.7'
const NO_PASSKEY = '127.0.6.7'

describe('At the end of the first login, one more device or method', () => {
  let idp: Idp
  beforeAll(async () => {
    const at = (name: string, cidr: string, factors: readonly ChosenFactor[]) => ({
      name: { ja: name, en: name },
      cidrs: [cidr],
      factors,
    })
    const networks = [
      at('メールだけの社内', '127.0.5.0/24', ['emailCode']),
      at('アプリも使える社内', '127.0.6.0/24', ['totp', 'emailCode']),
    ]
    idp = await startIdp({ clock: theDate(), societies: [{ id: 'sakura', networks }] })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  /** A member at the last page; all but the last part of the first login was done before. */
  const atTheEnd = async (method: ChosenFactor, from?: string): Promise<Journey> => {
    const member = aRegistrant(idp.clock.now(), method)
    const isLeft = method === 'emailCode' && { initial: 'random' as const }
    const journey = await aJourneyOf(
      idp,
      { ...member, password: { ...member.password, ...isLeft } },
      { method, ...(from && { visitor: aVisitor({ from }) }) },
    )
    await journey.start()
    await journey.walkTo(PAGE.done)
    return journey
  }
  const offers = ({ root }: Page) =>
    root.querySelectorAll('input[name="method"]').map((way) => way.getAttribute('value'))
  const held = async ({ member }: Journey) =>
    (await idp.memberOf(member)).credentials.map(({ factor, label }) => label ?? factor)

  test('is registered from the last page, which comes back with it, and the portal follows', async () => {
    const journey = await atTheEnd('passkey')
    const { visitor } = journey
    const list = await visitor.submit('もう1台登録する')
    expect(list.heading).toBe(ANOTHER)
    expect(offers(list)).toEqual(['passkey', 'totp'])

    // The first item of the list.
    expect((await visitor.submit('another-method')).heading).toBe(PAGE.registerPasskey)
    expect(creationOptionsOn(visitor.page).excludeCredentials).toHaveLength(1)
    await visitor.submit('passkey-phone')
    expect(visitor.page.heading).toBe(PAGE.registerPasskeyOnPhone)
    const cancelled = await visitor.submit('registerFactor', { failure: 'pk.cancel' })
    expect([cancelled.status, cancelled.heading]).toEqual([422, PAGE.registerPasskeyOnPhone])
    const phone = createAuthenticator({ origin: idp.issuer, transports: ['hybrid'] })
    const response = phone.register(creationOptionsOn(visitor.page))
    const done = await visitor.submit('registerFactor', { response, label: '花子のiPhone' })
    expect(done.heading).toBe(PAGE.done)
    expect(done.text).toContain('花子のiPhone')

    await visitor.submit('register-another')
    await visitor.post(`${visitor.page.url.href}/another-method`, {
      csrf: csrfOf(visitor.page),
      method: 'totp',
    })
    expect(visitor.page.heading).toBe(PAGE.registerTotp)
    const secret = secretOf(typedKeyOn(visitor.page))
    await visitor.submit('registerFactor', { code: appCode(secret, idp.clock.now()) })
    expect(visitor.page.heading).toBe(PAGE.done)
    expect(await held(journey)).toEqual(['Chrome・Android', 'recoveryCode', '花子のiPhone', 'totp'])
    expect((await idp.memberOf(journey.member)).chosenFactor).toBe('passkey')
    expect((await journey.finish()).claims()?.acr).toBe('phr')
  })

  test('of a member with mail alone is asked for first from then on, after its recovery codes', async () => {
    const journey = await atTheEnd('emailCode')
    const { visitor } = journey
    await visitor.submit('register-another')
    await visitor.submit('another-method')
    const response = createAuthenticator({ origin: idp.issuer }).register(
      creationOptionsOn(visitor.page),
    )
    expect((await visitor.submit('registerFactor', { response })).heading).toBe(PAGE.recoveryCodes)
    await visitor.submit('recoveryCodes', { saved: true })
    expect(visitor.page.heading).toBe(PAGE.done)
    expect((await idp.memberOf(journey.member)).chosenFactor).toBe('passkey')
    expect((await journey.finish()).claims()?.acr).toBe('phr')
    const later = await aJourney(idp, journey.member, { password: journey.password })
    await later.start()
    expect((await later.answer()).heading).toBe(PAGE.verifyPasskey)
  })

  test('can be left at every page, and nothing is registered', async () => {
    const journey = await atTheEnd('emailCode')
    const { visitor } = journey
    await visitor.submit('register-another')
    await visitor.submit('another-method')
    expect((await visitor.submit('choose-again')).heading).toBe(ANOTHER)
    expect((await visitor.submit('another-later')).heading).toBe(PAGE.done)
    await visitor.submit('register-another')
    await visitor.visit(visitor.page.url)
    expect(visitor.page.heading).toBe(ANOTHER)
    await visitor.submit('another-later')
    await journey.finish()
    expect(await held(journey)).toEqual([])
  })

  test('is not offered on a company network that takes mail alone, however it is asked for', async () => {
    const journey = await atTheEnd('emailCode', MAIL_ONLY)
    const { visitor } = journey
    expect(visitor.page.root.querySelector('form[action$="register-another"]')).toBeNull()
    const { url } = visitor.page
    const csrf = csrfOf(visitor.page)
    for (const [act, fields] of [
      ['register-another', {}],
      ['another-method', { method: 'totp' }],
      ['another-method', { method: 'passkey' }],
      ['registerFactor', { code: '123456', response: '{}' }],
    ] as const) {
      const page = await visitor.post(`${url.href}/${act}`, { csrf, ...fields })
      expect([act, page.heading]).toEqual([act, PAGE.done])
    }
    expect(await held(journey)).toEqual([])
  })

  test('is what the company network permits, and nothing else', async () => {
    const { visitor } = await atTheEnd('emailCode', NO_PASSKEY)
    expect(offers(await visitor.submit('register-another'))).toEqual(['totp'])
    const page = await visitor.post(`${visitor.page.url.href}/another-method`, {
      csrf: csrfOf(visitor.page),
      method: 'passkey',
    })
    expect(page.heading).toBe(ANOTHER)
  })

  test('is no way in for a newcomer who is not there yet', async () => {
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    await journey.walkTo(PAGE.terms)
    const { visitor } = journey
    const { url } = visitor.page
    const csrf = csrfOf(visitor.page)
    for (const act of ['register-another', 'another-method', 'registerFactor', 'passkey-phone']) {
      const page = await visitor.post(`${url.href}/${act}`, { csrf, method: 'totp' })
      expect([act, page.heading]).toEqual([act, PAGE.terms])
    }
  })
})
