import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import type { Deviation } from '../support/authenticator.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import {
  creationOptionsOn,
  holding,
  type Keyring,
  recoveryCodesOn,
  requestOptionsOn,
  withPasskey,
} from './keys.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  aRegistrant,
  type Journey,
  mailsTo,
  PAGE,
  postAtOnce,
  settled,
  theDate,
} from './support.ts'

const FAILED = 'パスキーを確かめられませんでした。もう一度試すか、別の方法を選んでください'
const GONE = 'このパスキーは登録から外されています'

describe('The manual’s chapters 2-1 and 2-2, the passkey', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate() })
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  /** At the page that registers the passkey, at the end of a first login. */
  const registering = async (
    member = aRegistrant(idp.clock.now(), 'passkey'),
  ): Promise<Journey> => {
    const journey = await aJourneyOf(idp, member, { method: 'passkey' })
    await journey.start()
    await journey.walkTo(PAGE.registerPasskey)
    return journey
  }

  /** A member who has a passkey already, in front of the portal. */
  const aHolder = async (over: Partial<Member> = {}): Promise<Journey & { keys: Keyring }> => {
    const { member, keys } = await holding(idp, ['passkey'], anOldHand(idp.clock.now(), over))
    const journey = await aJourneyOf(idp, member, { keys })
    await journey.start()
    return journey
  }
  const passkeyOf = ({ keys }: Journey) => {
    if (!keys.passkey) throw new Error('the member has no passkey')
    return keys.passkey
  }
  const answerTo = (journey: Journey, page: Page, deviation?: Deviation): string =>
    passkeyOf(journey).authenticate(requestOptionsOn(page), deviation)

  const passkeysOf = async (member: Member) =>
    (await idp.memberOf(member)).credentials.filter(({ factor }) => factor === 'passkey')
  const loggedOf = ({ member }: Journey, event: string) =>
    idp.log.filter(({ msg, memberId }) => msg === event && memberId === member.id)

  describe('in the first login', () => {
    test('asks the browser for a discoverable passkey of this device, and tells it no number', async () => {
      const journey = await registering()
      const options = creationOptionsOn(journey.visitor.page)
      expect(options).toMatchObject({
        rp: { id: 'localhost', name: 'さくら健康保険組合' },
        hints: ['client-device'],
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        attestation: 'none',
        excludeCredentials: [],
        timeout: 300_000,
      })
      const handle = Buffer.from(options.user.id, 'base64url').toString()
      expect(handle).toBe(journey.member.id)
      expect(handle).not.toContain(journey.member.loginId)
    })

    test('registers it, shows ten recovery codes, says that all is set and leads to the portal', async () => {
      const journey = await registering(aNewcomer())
      const { visitor, member } = journey
      const passkey = createAuthenticator({ origin: idp.issuer })
      const response = passkey.register(creationOptionsOn(visitor.page))
      const codes = await visitor.submit('registerFactor', { response, label: ' わたしの  PC ' })
      expect(codes.heading).toBe(PAGE.recoveryCodes)
      expect(new Set(recoveryCodesOn(codes)).size).toBe(10)

      const unsaved = await visitor.submit('recoveryCodes')
      expect(unsaved.status).toBe(422)
      expect(recoveryCodesOn(unsaved)).toEqual(recoveryCodesOn(codes))
      const done = await visitor.submit('recoveryCodes', { saved: true })
      expect(done.heading).toBe(PAGE.done)
      expect(done.text).toContain('わたしの PC')

      const claims = (await journey.finish()).claims()
      expect(claims?.acr).toBe('phr')
      expect(claims?.amr).toEqual(['pwd', 'swk', 'user', 'mfa'])
      const stored = await idp.memberOf(member)
      expect(stored.enrolledAt).toBeDefined()
      expect(await passkeysOf(member)).toMatchObject([{ id: passkey.id, label: 'わたしの PC' }])
      await settled(idp)
      const told = mailsTo(idp, member.email?.address ?? '').filter(({ subject }) =>
        subject.includes('追加'),
      )
      expect(told).toHaveLength(2)
    })

    test.each([
      ['left as it is', undefined],
      ['emptied', '  '],
    ])('offers the device’s own name; %s, it becomes the maker’s', async (_how, label) => {
      const journey = await registering()
      const { page } = journey.visitor
      const offered = page.root.querySelector('#label')?.getAttribute('value')
      expect(offered).toBe('Chrome・Android')
      const aaguid = 'fbfc3007154e4ecc8c0b6e020557d7bd'
      const response = createAuthenticator({ origin: idp.issuer, aaguid }).register(
        creationOptionsOn(page),
      )
      await journey.visitor.submit('registerFactor', { response, label: label ?? offered ?? '' })
      expect(await passkeysOf(journey.member)).toMatchObject([{ label: 'iCloud Keychain' }])
    })

    test('a passkey bound to its device is told as such', async () => {
      const journey = await registering()
      const passkey = createAuthenticator({ origin: idp.issuer, synced: false, counter: 1 })
      const response = passkey.register(creationOptionsOn(journey.visitor.page))
      await journey.visitor.submit('registerFactor', { response })
      expect((await journey.finish()).claims()?.amr).toEqual(['pwd', 'hwk', 'user', 'mfa'])
    })

    test('on a phone beside a PC (★): the QR is asked for by a hint, and there is a way back', async () => {
      const journey = await registering()
      const { visitor } = journey
      const onPhone = await visitor.submit('passkey-phone')
      expect(onPhone.heading).toBe(PAGE.registerPasskeyOnPhone)
      expect(creationOptionsOn(onPhone)).toMatchObject({
        hints: ['hybrid'],
        authenticatorSelection: { authenticatorAttachment: 'cross-platform' },
      })
      expect(onPhone.text).toContain('Bluetooth')
      expect((await visitor.visit(onPhone.url)).heading).toBe(PAGE.registerPasskeyOnPhone)
      expect((await visitor.submit('passkey-here')).heading).toBe(PAGE.registerPasskey)
      await visitor.submit('passkey-phone')
      const phone = createAuthenticator({ origin: idp.issuer, transports: ['hybrid'] })
      const response = phone.register(creationOptionsOn(visitor.page))
      const next = await visitor.submit('registerFactor', { response, label: 'スマートフォン' })
      expect(next.heading).toBe(PAGE.recoveryCodes)
      expect(await passkeysOf(journey.member)).toMatchObject([{ label: 'スマートフォン' }])
    })

    test.each([
      ['pk.cancel', 'まだ終わっていません'],
      ['pk.dup', 'この端末は登録済みです'],
      ['pk.nolock', '画面ロック'],
      ['pk.unsupported', 'このブラウザではパスキーを使えません'],
      ['<b>else</b>', 'このブラウザではパスキーを使えません'],
      ['', 'このブラウザではパスキーを使えません'],
    ])(
      '%j from the browser is told, the name stays, and the next try works',
      async (failure, words) => {
        const journey = await registering()
        const { visitor } = journey
        const page = await visitor.submit('registerFactor', { failure, label: '居間のPC' })
        expect(page.status).toBe(422)
        expect(page.faults.join()).toContain(words)
        expect(page.root.querySelector('#label')?.getAttribute('value')).toBe('居間のPC')
        expect(await passkeysOf(journey.member)).toEqual([])
        expect((await journey.walkTo(PAGE.done)).heading).toBe(PAGE.done)
      },
    )

    test('a response of the page before a reload is not taken; that of the page shown is', async () => {
      const journey = await registering()
      const { visitor } = journey
      const passkey = createAuthenticator({ origin: idp.issuer })
      const stale = passkey.register(creationOptionsOn(visitor.page))
      await visitor.visit(visitor.page.url)
      const refused = await visitor.submit('registerFactor', { response: stale })
      expect(refused.faults).toEqual([FAILED])
      expect(await passkeysOf(journey.member)).toEqual([])
      const response = passkey.register(creationOptionsOn(refused))
      expect((await visitor.submit('registerFactor', { response })).heading).toBe(
        PAGE.recoveryCodes,
      )
    })

    test('five minutes are the end of a challenge', async () => {
      const journey = await registering()
      const passkey = createAuthenticator({ origin: idp.issuer })
      const response = passkey.register(creationOptionsOn(journey.visitor.page))
      await idp.clock.advance(300)
      const page = await journey.visitor.submit('registerFactor', { response })
      expect(page.faults).toEqual([FAILED])
      expect(await passkeysOf(journey.member)).toEqual([])
    })

    test('twenty posts of one registration at once register one passkey', async () => {
      for (let round = 0; round < 3; round += 1) {
        const journey = await registering()
        const passkey = createAuthenticator({ origin: idp.issuer })
        const response = passkey.register(creationOptionsOn(journey.visitor.page))
        for (const status of await postAtOnce([journey], 'registerFactor', { response })) {
          expect([303, 422]).toContain(status)
        }
        expect(await passkeysOf(journey.member)).toHaveLength(1)
        expect(loggedOf(journey, 'method registered')).toHaveLength(1)
      }
    })

    const tamperings: readonly (readonly [string, Deviation])[] = [
      ['by nobody verified', { userVerified: false }],
      ['by nobody present', { userPresent: false }],
      ['for another site', { clientData: { origin: 'https://id.example.com' } }],
      ['in another site’s frame', { clientData: { crossOrigin: true } }],
      ['for another RP ID', { rpId: 'example.com' }],
      ['for another challenge', { clientData: { challenge: 'AAAA' } }],
      ['as a sign-in', { clientData: { type: 'webauthn.get' } }],
      ['under another ID', { attestedId: Buffer.alloc(32, 7) }],
      ['that is cut', { attestationObject: (bytes) => bytes.subarray(0, 40) }],
      ['that is a list', { json: (posted) => [posted] }],
    ]
    test.each(tamperings)('a registration %s registers and proves nothing', async (_how, bent) => {
      const journey = await registering()
      const passkey = createAuthenticator({ origin: idp.issuer })
      const response = passkey.register(creationOptionsOn(journey.visitor.page), bent)
      const page = await journey.visitor.submit('registerFactor', { response })
      expect(page.status).toBe(422)
      expect(page.heading).toBe(PAGE.registerPasskey)
      expect(page.faults).toEqual([FAILED])
      expect(await passkeysOf(journey.member)).toEqual([])
      const silent = await journey.start({ prompt: 'none' })
      expect(silent.url.searchParams.get('error')).toBe('login_required')
    })
  })

  describe('after the password', () => {
    const asked = async (over?: Partial<Member>): Promise<Journey> => {
      const journey = await aHolder(over)
      await journey.walkTo(PAGE.verifyPasskey)
      return journey
    }
    const verify = (journey: Journey, deviation?: Deviation) =>
      journey.visitor.submit('verifyFactor', {
        response: answerTo(journey, journey.visitor.page, deviation),
      })

    test('only the member’s own passkeys are asked for; the portal is told phr', async () => {
      const journey = await asked()
      expect(requestOptionsOn(journey.visitor.page)).toMatchObject({
        rpId: 'localhost',
        userVerification: 'required',
        allowCredentials: [{ id: passkeyOf(journey).id, type: 'public-key' }],
      })
      expect((await verify(journey)).heading).toBe(PAGE.signedIn)
      const claims = (await journey.finish()).claims()
      expect(claims?.acr).toBe('phr')
      expect(claims?.amr).toEqual(['pwd', 'swk', 'user', 'mfa'])
    })

    test('a response is good once, in one request, for five minutes', async () => {
      const journey = await asked()
      const response = answerTo(journey, journey.visitor.page)
      const other = await aJourney(idp, journey.member, { keys: journey.keys })
      await other.start()
      await other.walkTo(PAGE.verifyPasskey)
      expect((await other.visitor.submit('verifyFactor', { response })).faults).toEqual([FAILED])
      expect((await journey.visitor.submit('verifyFactor', { response })).heading).toBe(
        PAGE.signedIn,
      )
      await other.visitor.visit(other.visitor.page.url)
      expect((await other.visitor.submit('verifyFactor', { response })).faults).toEqual([FAILED])
      const late = answerTo(other, other.visitor.page)
      await idp.clock.advance(300)
      const expired = await other.visitor.submit('verifyFactor', { response: late })
      expect(expired.faults).toEqual([FAILED])
      expect((await verify(other)).heading).toBe(PAGE.signedIn)
    })

    test('twenty posts of one response at once prove it once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const journey = await asked()
        const response = answerTo(journey, journey.visitor.page)
        const { url } = journey.visitor.page
        for (const status of await postAtOnce([journey], 'verifyFactor', { response })) {
          expect([303, 422]).toContain(status)
        }
        expect(loggedOf(journey, 'second step proven')).toHaveLength(1)
        expect((await journey.visitor.visit(url)).heading).toBe(PAGE.signedIn)
      }
    })

    test('a counter that does not rise is a copy: refused, and what is stored stays', async () => {
      const base = anOldHand(idp.clock.now())
      const { member, passkey } = await withPasskey(idp, base, {
        synced: false,
        counter: 5,
        countsBy: 1,
      })
      const journey = await aJourneyOf(
        idp,
        { ...member, chosenFactor: 'passkey' },
        {
          keys: { passkey },
        },
      )
      await journey.start()
      await journey.walkTo(PAGE.verifyPasskey)
      const before = JSON.stringify(await passkeysOf(member))
      for (const counter of [5, 4, 0]) {
        expect((await verify(journey, { counter })).faults).toEqual([FAILED])
      }
      expect(JSON.stringify(await passkeysOf(member))).toBe(before)
      expect((await verify(journey)).heading).toBe(PAGE.signedIn)
    })

    test('a passkey removed meanwhile is told as gone, and the browser told which', async () => {
      const { member, passkey } = await withPasskey(idp, anOldHand(idp.clock.now()))
      const second = await withPasskey(idp, member)
      const journey = await aJourneyOf(
        idp,
        { ...second.member, chosenFactor: 'passkey' },
        {
          keys: { passkey },
        },
      )
      await journey.start()
      await journey.walkTo(PAGE.verifyPasskey)
      const { credentials, ...rest } = await idp.memberOf(member)
      await idp.services.members.save({
        ...rest,
        credentials: credentials.filter(({ id }) => id !== passkey.id),
      })
      const page = await verify(journey)
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain(GONE)
      const forgotten = page.root.querySelector('[data-unknown-credential]')
      expect(forgotten?.getAttribute('data-unknown-credential')).toBe(passkey.id)
      expect(loggedOf(journey, 'second step proven')).toEqual([])
    })

    test('another member’s passkey is refused, and nobody is told to forget it', async () => {
      const other = await asked()
      const journey = await asked()
      const response = passkeyOf(other).authenticate(requestOptionsOn(journey.visitor.page))
      const page = await journey.visitor.submit('verifyFactor', { response })
      expect(page.faults).toEqual([FAILED])
      expect(page.root.querySelector('[data-unknown-credential]')).toBeNull()
    })

    test.each([
      ['pk.cancel', 'まだ終わっていません'],
      ['', 'このブラウザではパスキーを使えません'],
    ])('%j from the browser is told, and the next try works', async (failure, words) => {
      const journey = await asked()
      const page = await journey.visitor.submit('verifyFactor', { failure })
      expect(page.status).toBe(422)
      expect(page.faults.join()).toContain(words)
      expect((await verify(journey)).heading).toBe(PAGE.signedIn)
    })
  })

  describe('alone, without a user ID', () => {
    const sendPasskey = (journey: Journey, deviation?: Deviation) =>
      journey.visitor.submit('passkey', {
        response: answerTo(journey, journey.visitor.page, deviation),
      })

    test('the browser is asked for whatever it has, and who answers is signed in', async () => {
      const journey = await aHolder()
      const { page } = journey.visitor
      expect(requestOptionsOn(page)).toMatchObject({
        allowCredentials: [],
        userVerification: 'required',
      })
      expect(page.root.querySelector('#username')?.getAttribute('autocomplete')).toBe(
        'username webauthn',
      )
      expect((await sendPasskey(journey)).heading).toBe(PAGE.signedIn)
      const claims = (await journey.finish()).claims()
      expect(claims?.acr).toBe('phr')
      expect(claims?.amr).toEqual(['swk', 'user', 'mfa'])
      expect(claims?.auth_time).toBe(idp.clock.now())
      const [used] = await passkeysOf(journey.member)
      expect(used?.data).toMatchObject({ lastUsedAt: idp.clock.now() })
    })

    test('a blocked member is told to speak to the society', async () => {
      const journey = await aHolder({
        blocked: { reason: 'emailChangeUndone', since: idp.clock.now() },
      })
      expect((await sendPasskey(journey)).heading).toBe(PAGE.stopped)
    })

    test('a member of another society is refused, and their passkey not forgotten', async () => {
      const journey = await aHolder({ societyId: 'minato' })
      const here = await aJourney(
        idp,
        { ...journey.member, societyId: 'sakura' },
        {
          keys: journey.keys,
        },
      )
      await here.start()
      const page = await sendPasskey(here)
      expect(page.status).toBe(422)
      expect(page.heading).toBe(PAGE.password)
      expect(page.faults).toEqual([FAILED])
      expect(page.root.querySelector('[data-unknown-credential]')).toBeNull()
      expect(loggedOf(journey, 'passkey proven')).toEqual([])
    })

    test('a passkey of nobody is gone, and the browser told which', async () => {
      const journey = await aHolder()
      const stranger = createAuthenticator({ origin: idp.issuer })
      const userHandle = Buffer.from('nobody-at-all').toString('base64url')
      const response = stranger.authenticate(requestOptionsOn(journey.visitor.page), { userHandle })
      const page = await journey.visitor.submit('passkey', { response })
      expect(page.status).toBe(422)
      expect(page.heading).toBe(PAGE.password)
      expect(page.faults.join()).toContain(GONE)
      const forgotten = page.root.querySelector('[data-unknown-credential]')
      expect(forgotten?.getAttribute('data-unknown-credential')).toBe(stranger.id)
    })

    test('a passkey the member removed is gone, and the browser told which', async () => {
      const journey = await aHolder()
      const stored = await idp.memberOf(journey.member)
      await idp.services.members.save({ ...stored, credentials: [] })
      const page = await sendPasskey(journey)
      expect(page.faults.join()).toContain(GONE)
      const forgotten = page.root.querySelector('[data-unknown-credential]')
      expect(forgotten?.getAttribute('data-unknown-credential')).toBe(passkeyOf(journey).id)
    })

    test('inside another app there is no button that must fail, but the way out', async () => {
      const line =
        'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 Safari Line/15.10.0'
      const visitor = aVisitor({ headers: { 'User-Agent': line } })
      const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { visitor })
      const page = await journey.start()
      expect(page.text).toContain('アプリの中の画面では、パスキーでログインできません')
      expect(page.root.querySelector('#passkey-options')).toBeNull()
      expect((await journey.answer()).faults).toEqual([])
      const { page: plain } = (await aHolder()).visitor
      expect(plain.text).not.toContain('アプリの中の画面')
      expect(plain.root.querySelector('#passkey-options')).not.toBeNull()
    })

    test('a response is good once, in one request, for five minutes', async () => {
      const journey = await aHolder()
      const response = answerTo(journey, journey.visitor.page)
      const other = await aJourney(idp, journey.member, { keys: journey.keys })
      await other.start()
      expect((await other.visitor.submit('passkey', { response })).faults).toEqual([FAILED])
      const late = answerTo(other, other.visitor.page)
      await idp.clock.advance(300)
      expect((await other.visitor.submit('passkey', { response: late })).faults).toEqual([FAILED])
      expect((await journey.visitor.submit('passkey', { response })).faults).toEqual([FAILED])
      expect((await sendPasskey(journey)).heading).toBe(PAGE.signedIn)
    })

    test('twenty posts of one response at once prove it once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const journey = await aHolder()
        const response = answerTo(journey, journey.visitor.page)
        const { url } = journey.visitor.page
        for (const status of await postAtOnce([journey], 'passkey', { response })) {
          expect([303, 422]).toContain(status)
        }
        expect(loggedOf(journey, 'passkey proven')).toHaveLength(1)
        expect((await journey.visitor.visit(url)).heading).toBe(PAGE.signedIn)
      }
    })

    test('one passkey used in ten requests at once never ends on an error page', async () => {
      const journey = await aHolder()
      const others = await Promise.all(
        Array.from({ length: 10 }, async () => {
          const other = await aJourney(idp, journey.member, { visitor: aVisitor() })
          await other.start()
          return { ...other, keys: journey.keys }
        }),
      )
      const pages = await Promise.all(
        others.map(({ visitor }) =>
          visitor.submit('passkey', { response: answerTo(journey, visitor.page) }),
        ),
      )
      const seen = pages.map(({ status, heading }) => [status, heading])
      for (const one of seen) {
        expect([
          [200, PAGE.signedIn],
          [422, PAGE.password],
        ]).toContainEqual(one)
      }
      expect(seen).toContainEqual([200, PAGE.signedIn])
    })

    test.each(['pk.cancel', 'pk.unsupported', ''])(
      '%j is told, and both ways in still work',
      async (failure) => {
        const journey = await aHolder()
        const page = await journey.visitor.submit('passkey', { failure })
        expect(page.status).toBe(422)
        expect(page.heading).toBe(PAGE.password)
        expect(page.faults).toHaveLength(1)
        expect((await journey.walkTo(PAGE.verifyPasskey)).heading).toBe(PAGE.verifyPasskey)
      },
    )
  })

  const tamperings: readonly (readonly [string, Deviation])[] = [
    ['nobody was verified', { userVerified: false }],
    ['nobody was present', { userPresent: false }],
    ['the origin is another site’s', { clientData: { origin: 'https://id.example.com' } }],
    ['the origin has another port', { clientData: { origin: 'http://localhost:1' } }],
    ['the page was framed', { clientData: { crossOrigin: true } }],
    ['a top origin is named', { clientData: { topOrigin: 'https://example.com' } }],
    ['the RP ID is another', { rpId: 'example.com' }],
    ['the challenge is another', { clientData: { challenge: 'AAAA' } }],
    ['it is a registration', { clientData: { type: 'webauthn.create' } }],
    ['the user handle is another member’s', { userHandle: Buffer.from('m').toString('base64url') }],
    ['it says it cannot be synced', { backupEligible: false, backedUp: false }],
    ['the signature is cut', { signature: (bytes) => bytes.subarray(0, 20) }],
    ['the signature is empty', { signature: () => Buffer.alloc(0) }],
    ['it is a list', { json: (posted) => [posted] }],
    ['it is null', { json: () => 'null' }],
    ['the ID is missing', { json: ({ id: _id, ...posted }) => posted }],
  ]
  test.each(tamperings)('where %s, nothing is proven', async (_how, deviation) => {
    const alone = await aHolder()
    const signedOut = await alone.visitor.submit('passkey', {
      response: answerTo(alone, alone.visitor.page, deviation),
    })
    expect([signedOut.status, signedOut.heading]).toEqual([422, PAGE.password])
    const journey = await aHolder()
    await journey.walkTo(PAGE.verifyPasskey)
    const still = await journey.visitor.submit('verifyFactor', {
      response: answerTo(journey, journey.visitor.page, deviation),
    })
    expect([still.status, still.heading]).toEqual([422, PAGE.verifyPasskey])
    for (const one of [alone, journey]) {
      expect(loggedOf(one, 'passkey proven')).toEqual([])
      expect(loggedOf(one, 'second step proven')).toEqual([])
      const silent = await one.start({ prompt: 'none' })
      expect(silent.url.searchParams.get('error')).toBe('login_required')
    }
  })

  test('a key of a member’s own is not registered a second time, and says so', async () => {
    const journey = await aHolder()
    await journey.visitor.visit(`${idp.issuer}/account/sakura`)
    await journey.walkTo('ログインの設定')
    const page = await journey.visitor.visit(`${idp.issuer}/account/sakura/add-passkey`)
    const options = creationOptionsOn(page)
    expect(options.excludeCredentials?.map(({ id }) => id)).toEqual([passkeyOf(journey).id])
    const again = await journey.visitor.submit('registerFactor', {
      response: passkeyOf(journey).register(options),
    })
    expect(again.status).toBe(422)
    expect(again.faults.join()).toContain('この端末は登録済みです')
    expect(await passkeysOf(journey.member)).toHaveLength(1)
  })
})
