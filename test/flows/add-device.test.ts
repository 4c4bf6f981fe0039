import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import { createAuthenticator, type Deviation, type Make } from '../support/authenticator.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import {
  type Authenticator,
  creationOptionsOn,
  requestOptionsOn,
  withPasskey,
  withRecoveryCodes,
} from './keys.ts'
import { aJourney, anOldHand, type Journey, PAGE, theDate } from './support.ts'

const OFFER = 'この端末でも、パスキーを使えるようにしますか'
const AT_WORK = '127.0.0.9'

const attachedAs = (authenticatorAttachment: unknown): Deviation => ({
  json: (posted) => ({ ...posted, authenticatorAttachment }),
})
const BY_PHONE = attachedAs('cross-platform')

describe('After a sign-in through a phone', () => {
  let idp: Idp
  beforeAll(async () => {
    const everything = ['passkey', 'totp', 'emailCode']
    const networks = [
      { name: { ja: '社内', en: 'Office' }, cidrs: [`${AT_WORK}/32`], factors: everything },
    ]
    idp = await startIdp({ clock: theDate(), societies: [{ id: 'sakura', networks }] })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  type Held = Readonly<{ member: Member; passkey: Authenticator }>

  /** A member whose passkey is on their phone, with recovery codes. */
  const aHolder = async (make: Partial<Make> = {}): Promise<Held> => {
    const base = anOldHand(idp.clock.now(), { chosenFactor: 'passkey' })
    const { member: coded } = withRecoveryCodes(idp, base)
    const { member, passkey } = await withPasskey(idp, coded, make)
    return { member: await idp.services.members.save(member), passkey }
  }

  /** That member at another browser, having signed in there with the passkey alone. */
  const signIn = async (
    { member, passkey }: Held,
    deviation: Deviation = BY_PHONE,
    from?: string,
  ): Promise<Journey> => {
    const visitor = aVisitor({ ...(from && { from }) })
    const journey = await aJourney(idp, member, { visitor, keys: { passkey } })
    const page = await journey.start()
    const response = passkey.authenticate(requestOptionsOn(page), deviation)
    await visitor.submit('passkey', { response })
    return journey
  }
  const headingAfter = async (...signingIn: Parameters<typeof signIn>) =>
    (await signIn(...signingIn)).visitor.page.heading
  const passkeysOf = async (member: Member) =>
    (await idp.memberOf(member)).credentials.filter(({ factor }) => factor === 'passkey')
  const actsOn = ({ root }: Page) =>
    root.querySelectorAll('main form').map((form) => form.getAttribute('action')?.split('/').at(-1))

  test('this device is offered, with nothing to do but that, later or leave', async () => {
    const held = await aHolder()
    const { visitor } = await signIn(held)
    expect(visitor.page.heading).toBe(OFFER)
    expect(actsOn(visitor.page)).toEqual(['addDevice', 'device-later', 'abort'])
    const options = creationOptionsOn(visitor.page)
    expect(options).toMatchObject({ hints: ['client-device'] })
    expect(options.excludeCredentials?.map(({ id }) => id)).toEqual([held.passkey.id])
  })

  test('“later” goes on to the portal, and it is never offered again', async () => {
    const held = await aHolder()
    const journey = await signIn(held)
    const page = await journey.visitor.submit('device-later')
    expect(page.heading).toBe(PAGE.signedIn)
    expect((await journey.finish()).claims()?.acr).toBe('phr')
    expect((await idp.memberOf(held.member)).deviceOfferedAt).toBe(idp.clock.now())
    expect(await headingAfter(held)).toBe(PAGE.signedIn)
    expect(await passkeysOf(held.member)).toHaveLength(1)
  })

  test('the device registered goes on to the portal, signs in alone, and is offered no more', async () => {
    const held = await aHolder()
    const journey = await signIn(held)
    const { visitor, member } = journey
    const device = createAuthenticator({ origin: idp.issuer })
    const response = device.register(creationOptionsOn(visitor.page))
    const page = await visitor.submit('addDevice', { response, label: '居間のPC' })
    expect(page.heading).toBe(PAGE.signedIn)
    expect((await journey.finish()).claims()?.amr).toContain('user')
    expect(await passkeysOf(member)).toMatchObject([
      { id: held.passkey.id },
      { id: device.id, label: '居間のPC' },
    ])
    expect(await headingAfter({ member, passkey: device }, {})).toBe(PAGE.signedIn)
    expect(await headingAfter(held)).toBe(PAGE.signedIn)
  })

  test('a closed screen leaves the offer where it is, with both ways', async () => {
    const { visitor } = await signIn(await aHolder())
    const page = await visitor.submit('addDevice', { failure: 'pk.cancel' })
    expect([page.status, page.heading]).toEqual([422, OFFER])
    expect(page.faults).toHaveLength(1)
    expect(actsOn(page)).toEqual(['addDevice', 'device-later', 'abort'])
    expect((await visitor.submit('device-later')).heading).toBe(PAGE.signedIn)
  })

  test('it is offered after the password too, where the phone is the second step', async () => {
    const { member, passkey } = await aHolder()
    const journey = await aJourney(idp, member, { keys: { passkey } })
    await journey.start({ acr_values: 'phr' })
    const page = await journey.walkTo(PAGE.verifyPasskey)
    const response = passkey.authenticate(requestOptionsOn(page), BY_PHONE)
    expect((await journey.visitor.submit('verifyFactor', { response })).heading).toBe(OFFER)
  })

  test('whose offer was put off in another tab goes on from this one', async () => {
    const held = await aHolder()
    const one = await signIn(held)
    const other = await signIn(held)
    await other.visitor.submit('device-later')
    expect((await one.visitor.submit('device-later')).heading).toBe(PAGE.signedIn)
  })

  test('nothing is offered on a company network', async () => {
    expect(await headingAfter(await aHolder(), BY_PHONE, AT_WORK)).toBe(PAGE.signedIn)
  })

  test.each(['platform', undefined, null, 'elsewhere', { at: 'phone' }])(
    'nothing is offered where the browser says %j',
    async (attachment) => {
      expect(await headingAfter(await aHolder(), attachedAs(attachment))).toBe(PAGE.signedIn)
    },
  )

  test('nothing is offered to the holder of a security key', async () => {
    const held = await aHolder({ transports: ['usb', 'nfc'], synced: false })
    expect(await headingAfter(held)).toBe(PAGE.signedIn)
  })
})
