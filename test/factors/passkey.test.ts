import { randomBytes } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { isoCBOR } from '@simplewebauthn/server/helpers'
import {
  addCredential,
  type Credential,
  type Member,
  type MemberId,
  replaceCredential,
} from '../../accounts/member.ts'
import type { Ceremony, Verdict } from '../../factors/factor.ts'
import {
  createPasskeyFactor,
  memberIdIn,
  type PasskeyKept,
  passkeysOf,
  userHandleFor,
} from '../../factors/passkey.ts'
import { passkeyNameOf } from '../../factors/passkey-names.ts'
import { factorContract } from '../contracts/factor.ts'
import {
  createAttestationKey,
  createAuthenticator,
  type Deviation,
} from '../support/authenticator.ts'
import { anEnrolledMember, T0 } from '../support/builders.ts'

const at = (now: number): Ceremony => ({
  now,
  origin: 'https://id.example.jp',
  rpId: 'id.example.jp',
  issuerName: 'さくら健康保険組合',
})
const here = at(T0)
const later = at(T0 + 60)
const factor = createPasskeyFactor({ randomBytes })
const hanako = anEnrolledMember({ id: 'ZGVtby1oYW5ha28tMDAwMQ' as MemberId })
const taro = anEnrolledMember({ id: 'ZGVtby10YXJvLTAwMDAwMg' as MemberId, loginId: '12345-679' })

const FAILED = { ok: false, reason: 'pk.failed' }
const GONE = { ok: false, reason: 'pk.gone' }
const DUPLICATE = { ok: false, reason: 'pk.dup' }

const taken = <T>(verdict: Verdict<T>): T => {
  if (!verdict.ok) throw new Error(`refused: ${verdict.reason}`)
  return verdict.value
}

type Authenticator = ReturnType<typeof createAuthenticator>

const register = async (
  authenticator: Authenticator,
  member: Member,
  deviation: Deviation = {},
  fields: Readonly<Record<string, string>> = {},
): Promise<Verdict<Credential>> => {
  const { shown, kept } = await factor.beginRegistration(member, here)
  const response = authenticator.register(shown, deviation)
  return factor.finishRegistration(member, kept, { response, ...fields }, here)
}

/** The member with this authenticator's passkey. */
const holding = async (authenticator: Authenticator, member = hanako): Promise<Member> =>
  addCredential(member, taken(await register(authenticator, member)))

const signIn = async (authenticator: Authenticator, member: Member, deviation: Deviation = {}) => {
  const { shown, kept } = await factor.beginAuthentication(member, later)
  const response = authenticator.authenticate(shown, deviation)
  return factor.finishAuthentication(member, kept, { response }, later)
}

const signInWithoutLoginId = async (
  authenticator: Authenticator,
  member: Member | undefined,
  deviation: Deviation = {},
) => {
  const { shown, kept } = await factor.beginDiscoverable(later)
  const response = authenticator.authenticate(shown, deviation)
  return factor.finishDiscoverable(member, kept, { response }, later)
}

const hanakos = createAuthenticator({ synced: false, counter: 1, countsBy: 1 })
const taros = createAuthenticator()
factorContract('The passkey', async () => ({
  factor,
  member: await holding(hanakos),
  other: await holding(taros, taro),
  ceremony: later,
  answer: (member, { shown }) => ({
    response: (member.id === hanako.id ? hanakos : taros).authenticate(shown),
  }),
  wrong: ({ response = '' }) => [
    { response: response.replace(/"signature":"[^"]+"/, '"signature":"AAAA"') },
    { response: response.slice(1) },
  ],
}))

describe('A passkey is registered', () => {
  test('the options ask for a discoverable, verified passkey of ours and for no attestation', async () => {
    const { shown, kept, expiresInSeconds } = await factor.beginRegistration(hanako, here)
    expect(shown).toMatchObject({
      rp: { id: 'id.example.jp', name: 'さくら健康保険組合' },
      user: { id: userHandleFor(hanako.id), name: '12345-678', displayName: '12345-678' },
      attestation: 'none',
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      timeout: 300_000,
      excludeCredentials: [],
      hints: [],
    })
    expect(shown.pubKeyCredParams.map(({ alg }) => alg)).toEqual([-8, -7, -257])
    expect(Buffer.from(shown.challenge, 'base64url')).toHaveLength(32)
    expect(kept).toEqual({
      kind: 'registration',
      challenge: shown.challenge,
      memberId: hanako.id,
      issuedAt: T0,
    })
    expect(expiresInSeconds).toBe(300)
  })

  test('each ceremony has a challenge of its own', async () => {
    const [first, second] = await Promise.all([
      factor.beginRegistration(hanako, here),
      factor.beginRegistration(hanako, here),
    ])
    expect(first.kept.challenge).not.toBe(second.kept.challenge)
  })

  test.each([
    ['localDevice', 'client-device', 'platform'],
    ['remoteDevice', 'hybrid', 'cross-platform'],
  ] as const)('a member who chose %s gets the hint %s', async (hint, name, attachment) => {
    const { shown } = await factor.beginRegistration(hanako, here, hint)
    expect(shown.hints).toEqual([name])
    expect(shown.authenticatorSelection).toMatchObject({
      authenticatorAttachment: attachment,
      residentKey: 'required',
      userVerification: 'required',
    })
  })

  test('the user handle tells nothing of the insured and leads back to the member', async () => {
    const { shown } = await factor.beginRegistration(hanako, here)
    const handle = Buffer.from(shown.user.id, 'base64url').toString('latin1')
    expect(handle).not.toContain('12345')
    expect(handle).not.toContain('678')
    expect(memberIdIn(shown.user.id)).toBe(hanako.id)
  })

  test.each(['ES256', 'EdDSA', 'RS256'] as const)(
    'an %s passkey is kept and then signs in',
    async (algorithm) => {
      const authenticator = createAuthenticator({ algorithm })
      const member = await holding(authenticator)
      expect(await signIn(authenticator, member)).toMatchObject({ ok: true })
    },
  )

  test('what is kept names the key, its kind and its transports', async () => {
    const authenticator = createAuthenticator({ transports: ['hybrid', 'internal', 'later-kind'] })
    expect(taken(await register(authenticator, hanako))).toEqual({
      id: authenticator.id,
      factor: 'passkey',
      registeredAt: T0,
      data: {
        publicKey: expect.stringMatching(/^[\w-]{100,}$/),
        counter: 0,
        transports: ['hybrid', 'internal', 'later-kind'],
        aaguid: '00000000-0000-0000-0000-000000000000',
        deviceType: 'multiDevice',
        backedUp: true,
        userHandle: userHandleFor(hanako.id),
      },
    })
  })

  test('what is kept survives JSON, as stores write it', async () => {
    const credential = taken(await register(createAuthenticator(), hanako))
    expect(JSON.parse(JSON.stringify(credential))).toEqual(credential)
  })

  test('a passkey of one device is told from a synced one', async () => {
    const authenticator = createAuthenticator({ synced: false, counter: 7, transports: ['usb'] })
    expect(taken(await register(authenticator, hanako)).data).toMatchObject({
      deviceType: 'singleDevice',
      backedUp: false,
      counter: 7,
      transports: ['usb'],
    })
  })

  test.each([true, false])('registering one proves it at once, synced: %s', async (synced) => {
    const made = taken(await register(createAuthenticator({ synced }), hanako))
    expect(factor.syncOf(made)).toEqual({ synced })
  })

  test('the browser is told which passkeys the member has', async () => {
    const authenticator = createAuthenticator({ transports: ['internal'] })
    const { shown } = await factor.beginRegistration(await holding(authenticator), here)
    expect(shown.excludeCredentials).toEqual([
      { id: authenticator.id, type: 'public-key', transports: ['internal'] },
    ])
  })

  test('a passkey that the member already has is a duplicate', async () => {
    const authenticator = createAuthenticator()
    expect(await register(authenticator, await holding(authenticator))).toEqual(DUPLICATE)
  })

  test('a passkey cannot take the ID of another method of the member', async () => {
    const authenticator = createAuthenticator()
    const member = addCredential(hanako, {
      id: authenticator.id,
      factor: 'totp',
      registeredAt: T0,
      data: {},
    })
    expect(await register(authenticator, member)).toEqual(DUPLICATE)
  })

  test('a passkey that signs for itself, without a certificate, is taken', async () => {
    const attestation: Deviation['attestation'] = (signed, sign) => [
      'packed',
      new Map<string, number | Uint8Array<ArrayBuffer>>([
        ['alg', -7],
        ['sig', new Uint8Array(sign(signed))],
      ]),
    ]
    expect(await register(createAuthenticator(), hanako, { attestation })).toMatchObject({
      ok: true,
    })
  })
})

describe('A passkey gets a name', () => {
  const GOOGLE = 'ea9b8d664d011d213ce4b6b48cb575d4'
  const labelWith = async (aaguid: string, fields: Readonly<Record<string, string>>) =>
    taken(await register(createAuthenticator({ aaguid }), hanako, {}, fields)).label

  test('the member’s own before all', async () => {
    const fields = { label: '  花子の\u2028\tスマホ\u2029 ', device: 'iPhone（Safari）' }
    expect(await labelWith(GOOGLE, fields)).toBe('花子の スマホ')
  })

  test('else the provider’s', async () => {
    expect(await labelWith(GOOGLE, { label: ' ', device: 'Android（Chrome）' })).toBe(
      'Google Password Manager',
    )
  })

  test('a name that the page filled in and the member left is none of their own', async () => {
    const device = 'Chrome・Android'
    expect(await labelWith(GOOGLE, { label: device, device })).toBe('Google Password Manager')
    expect(await labelWith('ff'.repeat(16), { label: device, device })).toBe(device)
    expect(await labelWith(GOOGLE, { label: 'Chrome', device })).toBe('Chrome')
  })

  test('else the device’s', async () => {
    expect(await labelWith('ff'.repeat(16), { device: 'iPhone（Safari）' })).toBe(
      'iPhone（Safari）',
    )
  })

  test('else none', async () => {
    expect(await labelWith('ff'.repeat(16), {})).toBeUndefined()
  })

  test('of 30 characters at most, whole ones, none of them invisible', async () => {
    expect(await labelWith(GOOGLE, { label: `\u202e${'𠮷'.repeat(40)}\u0000` })).toBe(
      '𠮷'.repeat(30),
    )
  })

  test.each([
    ['08987058-cadc-4b81-b6e1-30de50dcbe96', 'Windows Hello'],
    ['fbfc3007-154e-4ecc-8c0b-6e020557d7bd', 'iCloud Keychain'],
    ['2fc0579f-8113-47ea-b116-bb5a8db9202a', 'YubiKey 5 NFC'],
    ['00000000-0000-0000-0000-000000000000', undefined],
    ['constructor', undefined],
  ])('%s is known as %s', (aaguid, name) => {
    expect(passkeyNameOf(aaguid)).toBe(name)
  })
})

describe('A passkey signs its member in', () => {
  test('the options name the member’s passkeys and require verification', async () => {
    const authenticator = createAuthenticator({ transports: ['internal'] })
    const member = await holding(authenticator)
    const { shown, kept, expiresInSeconds } = await factor.beginAuthentication(member, later)
    expect(shown).toMatchObject({
      rpId: 'id.example.jp',
      userVerification: 'required',
      timeout: 300_000,
      allowCredentials: [{ id: authenticator.id, type: 'public-key', transports: ['internal'] }],
    })
    expect(kept).toEqual({
      kind: 'authentication',
      challenge: shown.challenge,
      memberId: hanako.id,
      issuedAt: T0 + 60,
    })
    expect(expiresInSeconds).toBe(300)
  })

  test('with a synced passkey, whose counter stays at zero', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const { credential, synced } = taken(await signIn(authenticator, member))
    expect(synced).toBe(true)
    expect(credential?.data).toMatchObject({ counter: 0, lastUsedAt: T0 + 60 })
    expect(taken(await signIn(authenticator, replaceCredential(member, credential!)))).toBeTruthy()
  })

  test('with a passkey of one device, whose counter goes up', async () => {
    const make = { synced: false, counter: 3, countsBy: 1 }
    const authenticator = createAuthenticator(make)
    const member = await holding(authenticator)
    const first = taken(await signIn(authenticator, member))
    expect(first.synced).toBe(false)
    expect(first.credential?.data).toMatchObject({ counter: 4, deviceType: 'singleDevice' })
    const second = taken(await signIn(authenticator, replaceCredential(member, first.credential!)))
    expect(second.credential?.data).toMatchObject({ counter: 5 })
  })

  test('and keeps its label, key and day of registration', async () => {
    const authenticator = createAuthenticator()
    const made = taken(await register(authenticator, hanako, {}, { label: '私の電話' }))
    const { credential } = taken(await signIn(authenticator, addCredential(hanako, made)))
    expect(credential).toEqual({ ...made, data: { ...(made.data as object), lastUsedAt: T0 + 60 } })
  })

  test('whether or not the authenticator says whose it is', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    expect(await signIn(authenticator, member, { userHandle: null })).toMatchObject({ ok: true })
  })

  test('when the provider has stopped backing it up, which is noted', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const { credential, synced } = taken(await signIn(authenticator, member, { backedUp: false }))
    expect(credential?.data).toMatchObject({ backedUp: false, deviceType: 'multiDevice' })
    expect(synced).toBe(true)
  })

  test('with any of several passkeys', async () => {
    const phone = createAuthenticator()
    const key = createAuthenticator({ synced: false })
    const member = await holding(key, await holding(phone))
    expect(passkeysOf(member).map(({ id }) => id)).toEqual([phone.id, key.id])
    expect(taken(await signIn(phone, member)).synced).toBe(true)
    expect(taken(await signIn(key, member)).synced).toBe(false)
  })

  test('but not with one that was removed', async () => {
    expect(await signIn(createAuthenticator(), await holding(createAuthenticator()))).toEqual(GONE)
  })

  test('but not with another member’s', async () => {
    expect(await signIn(taros, await holding(createAuthenticator()))).toEqual(GONE)
  })

  test('but not by a key other than the one registered under that ID', async () => {
    const registered = createAuthenticator()
    const forger = createAuthenticator()
    const member = await holding(registered)
    const json: JsonBend = (response) => ({
      ...response,
      id: registered.id,
      rawId: registered.id,
    })
    expect(await signIn(forger, member, { json })).toEqual(FAILED)
  })
})

describe('A member signs in without typing a login ID', () => {
  test('the options name no passkey and the challenge no member', async () => {
    const { shown, kept } = await factor.beginDiscoverable(later)
    expect(shown).toMatchObject({ allowCredentials: [], userVerification: 'required' })
    expect(kept).toEqual({
      kind: 'authentication',
      challenge: shown.challenge,
      issuedAt: T0 + 60,
    })
  })

  test('the answer says whose passkey it is', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const { shown, kept } = await factor.beginDiscoverable(later)
    const answer = { response: authenticator.authenticate(shown) }
    expect(memberIdIn(factor.userHandleOf(answer)!)).toBe(hanako.id)
    expect(await factor.finishDiscoverable(member, kept, answer, later)).toMatchObject({
      ok: true,
      value: { synced: true, credential: { id: authenticator.id } },
    })
  })

  test('an answer that does not say so is refused', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const nobody = { userHandle: null }
    expect(await signInWithoutLoginId(authenticator, member, nobody)).toEqual(FAILED)
  })

  test.each(['', '{}', 'null', '{"response":{"userHandle":"aGk"}}'])(
    'nobody is named by %j',
    (response) => {
      expect(factor.userHandleOf({ response })).toBeUndefined()
    },
  )

  test('a passkey of nobody and one that its member removed are answered alike', async () => {
    const authenticator = createAuthenticator()
    await holding(authenticator)
    expect(await signInWithoutLoginId(authenticator, undefined)).toEqual(GONE)
    expect(await signInWithoutLoginId(authenticator, hanako)).toEqual(GONE)
  })

  test('another member’s user handle is refused', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const taros = { userHandle: userHandleFor(taro.id) }
    expect(await signInWithoutLoginId(authenticator, member, taros)).toEqual(FAILED)
  })
})

describe('A kept challenge serves what it was made for', () => {
  test('for 300 seconds, at sign-in', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const { shown, kept } = await factor.beginAuthentication(member, here)
    const answer = { response: authenticator.authenticate(shown) }
    const finishedAfter = (seconds: number) =>
      factor.finishAuthentication(member, kept, answer, at(T0 + seconds))
    expect(await finishedAfter(299)).toMatchObject({ ok: true })
    expect(await finishedAfter(300)).toEqual(FAILED)
  })

  test('for 300 seconds, at registration and without a login ID', async () => {
    const authenticator = createAuthenticator()
    const creation = await factor.beginRegistration(hanako, here)
    const made = { response: authenticator.register(creation.shown) }
    const registeredAfter = (seconds: number) =>
      factor.finishRegistration(hanako, creation.kept, made, at(T0 + seconds))
    expect(await registeredAfter(300)).toEqual(FAILED)
    const member = addCredential(hanako, taken(await registeredAfter(299)))

    const request = await factor.beginDiscoverable(here)
    const answer = { response: authenticator.authenticate(request.shown) }
    const finishedAfter = (seconds: number) =>
      factor.finishDiscoverable(member, request.kept, answer, at(T0 + seconds))
    expect(await finishedAfter(300)).toEqual(FAILED)
    expect(await finishedAfter(299)).toMatchObject({ ok: true })
  })

  test('for less, where less is configured', async () => {
    const hasty = createPasskeyFactor({ randomBytes, timeoutSeconds: 60 })
    const { shown, kept, expiresInSeconds } = await hasty.beginRegistration(hanako, here)
    expect([shown.timeout, expiresInSeconds]).toEqual([60_000, 60])
    const answer = { response: createAuthenticator().register(shown) }
    expect(await hasty.finishRegistration(hanako, kept, answer, at(T0 + 60))).toEqual(FAILED)
  })

  test.each([301, 0, -1, Number.NaN])('never for %s seconds', (timeoutSeconds) => {
    expect(() => createPasskeyFactor({ randomBytes, timeoutSeconds })).toThrow(RangeError)
  })

  test('and no other: a valid assertion made for another challenge is refused', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const first = await factor.beginAuthentication(member, later)
    const second = await factor.beginAuthentication(member, later)
    const answer = { response: authenticator.authenticate(first.shown) }
    expect(await factor.finishAuthentication(member, second.kept, answer, later)).toEqual(FAILED)
    expect(await factor.finishAuthentication(member, first.kept, answer, later)).toMatchObject({
      ok: true,
    })
  })

  test('and no other: a valid registration made for another challenge is refused', async () => {
    const first = await factor.beginRegistration(hanako, here)
    const second = await factor.beginRegistration(hanako, here)
    const answer = { response: createAuthenticator().register(first.shown) }
    expect(await factor.finishRegistration(hanako, second.kept, answer, here)).toEqual(FAILED)
  })

  const bendings: readonly (readonly [string, (kept: PasskeyKept) => PasskeyKept])[] = [
    ['another member', (kept) => ({ ...kept, memberId: taro.id })],
    ['nobody in particular', ({ memberId: _, ...kept }) => kept],
    [
      'the other ceremony',
      (kept) => ({
        ...kept,
        kind: kept.kind === 'registration' ? 'authentication' : 'registration',
      }),
    ],
  ]
  test.each(bendings)('not one kept for %s', async (_, bend) => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const request = await factor.beginAuthentication(member, later)
    const signed = { response: authenticator.authenticate(request.shown) }
    expect(await factor.finishAuthentication(member, bend(request.kept), signed, later)).toEqual(
      FAILED,
    )
    const creation = await factor.beginRegistration(hanako, here)
    const made = { response: createAuthenticator().register(creation.shown) }
    expect(await factor.finishRegistration(hanako, bend(creation.kept), made, here)).toEqual(FAILED)
  })

  test('a member’s challenge does not serve a sign-in without a login ID', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const { shown, kept } = await factor.beginAuthentication(member, later)
    const answer = { response: authenticator.authenticate(shown) }
    expect(await factor.finishDiscoverable(member, kept, answer, later)).toEqual(FAILED)
  })
})

type JsonBend = NonNullable<Deviation['json']>
/** Text of the same length in which one character is another. */
const altered = (text: unknown): string => {
  const given = String(text)
  return (given.startsWith('A') ? 'B' : 'A') + given.slice(1)
}
const inResponse =
  (bend: (response: Readonly<Record<string, unknown>>) => object): JsonBend =>
  (posted) => ({ ...posted, response: { ...posted.response, ...bend(posted.response) } })
const flipped = (bytes: Buffer, index: number) => {
  const copy = Buffer.from(bytes)
  copy.writeUInt8(copy.readUInt8(index) ^ 0x01, index)
  return copy
}

/** What an attacker, a broken authenticator or another site makes of either response. */
const TAMPERED_BOTH: readonly (readonly [string, Deviation])[] = [
  [
    'the challenge is another',
    { clientData: { challenge: randomBytes(32).toString('base64url') } },
  ],
  ['the challenge is empty', { clientData: { challenge: '' } }],
  ['the challenge is missing', { clientData: { challenge: undefined } }],
  ['the origin is another site', { clientData: { origin: 'https://id.example.jp.evil.test' } }],
  ['the origin is a subdomain', { clientData: { origin: 'https://a.id.example.jp' } }],
  ['the origin is not encrypted', { clientData: { origin: 'http://id.example.jp' } }],
  ['the origin has another port', { clientData: { origin: 'https://id.example.jp:8443' } }],
  ['the origin is an app', { clientData: { origin: 'android:apk-key-hash:AAAA' } }],
  ['the origin is missing', { clientData: { origin: undefined } }],
  ['the type is invented', { clientData: { type: 'webauthn.delete' } }],
  ['the type is payment', { clientData: { type: 'payment.get' } }],
  ['the page was framed', { clientData: { crossOrigin: true } }],
  [
    'the page was framed by a known site',
    { clientData: { crossOrigin: true, topOrigin: 'https://portal.example.jp' } },
  ],
  [
    'the page was framed by itself',
    { clientData: { crossOrigin: true, topOrigin: 'https://id.example.jp' } },
  ],
  [
    'a top origin is named all the same',
    { clientData: { topOrigin: 'https://portal.example.jp' } },
  ],
  ['crossOrigin is not a boolean', { clientData: { crossOrigin: 'false' } }],
  ['token binding is invented', { clientData: { tokenBinding: { status: 'forged' } } }],
  ['the client data is not JSON', { clientDataText: (text) => text.slice(0, -1) }],
  ['the client data is a list', { clientDataText: () => '[]' }],
  ['the client data is null', { clientDataText: () => 'null' }],
  ['the RP ID is another', { rpId: 'evil.test' }],
  ['the RP ID is the parent domain', { rpId: 'example.jp' }],
  ['nobody was present', { userPresent: false }],
  ['nobody was verified', { userVerified: false }],
  ['nobody was present or verified', { userPresent: false, userVerified: false }],
  ['it is backed up but cannot be', { backupEligible: false, backedUp: true }],
  ['the authenticator data is short', { authenticatorData: (data) => data.subarray(0, 36) }],
  [
    'the authenticator data is long',
    { authenticatorData: (data) => Buffer.concat([data, Buffer.alloc(4)]) },
  ],
  ['the authenticator data is empty', { authenticatorData: () => Buffer.alloc(0) }],
  [
    'extensions are announced and missing',
    {
      authenticatorData: (data) => {
        const copy = Buffer.from(data)
        copy.writeUInt8(copy.readUInt8(32) | 0x80, 32)
        return copy
      },
    },
  ],
  ['rawId is another', { json: (posted) => ({ ...posted, rawId: altered(posted.id) }) }],
  ['rawId is missing', { json: (posted) => ({ ...posted, rawId: undefined }) }],
  ['the id is missing', { json: (posted) => ({ ...posted, id: undefined }) }],
  ['the id is empty', { json: (posted) => ({ ...posted, id: '', rawId: '' }) }],
  [
    'the id is not base64url',
    { json: (posted) => ({ ...posted, id: `${posted.id}=`, rawId: `${posted.id}=` }) },
  ],
  [
    'the id is over 1,023 bytes',
    {
      json: (posted) => ({ ...posted, id: 'A'.repeat(1_365), rawId: 'A'.repeat(1_365) }),
      attestedId: Buffer.alloc(1_024),
    },
  ],
  ['the id is a list', { json: (posted) => ({ ...posted, id: [posted.id], rawId: [posted.id] }) }],
  ['the type is not public-key', { json: (posted) => ({ ...posted, type: 'password' }) }],
  ['the response is missing', { json: (posted) => ({ ...posted, response: undefined }) }],
  ['the response is null', { json: (posted) => ({ ...posted, response: null }) }],
  ['the client data is missing', { json: inResponse(() => ({ clientDataJSON: undefined })) }],
  ['the client data is a number', { json: inResponse(() => ({ clientDataJSON: 1 })) }],
  ['the client data is not base64url', { json: inResponse(() => ({ clientDataJSON: 'あ' })) }],
  [
    'what is needed comes by way of __proto__ only',
    { json: (posted) => JSON.parse(`{"__proto__":${JSON.stringify(posted)}}`) },
  ],
  ['it is wrapped in a list', { json: (posted) => [posted] }],
  ['it is wrapped in text', { json: (posted) => JSON.stringify(posted) }],
]

const TAMPERED_ASSERTION: readonly (readonly [string, Deviation])[] = [
  ['it is a registration by type', { clientData: { type: 'webauthn.create' } }],
  ['the signature is another’s', { signature: () => randomBytes(71) }],
  ['the signature has one bit flipped', { signature: (bytes) => flipped(bytes, bytes.length - 1) }],
  ['the signature is cut', { signature: (bytes) => bytes.subarray(0, 20) }],
  ['the signature is empty', { signature: () => Buffer.alloc(0) }],
  ['the signature is missing', { json: inResponse(() => ({ signature: undefined })) }],
  [
    'the client data was changed after signing',
    {
      json: inResponse(({ clientDataJSON }) => ({
        clientDataJSON: Buffer.from(
          `${Buffer.from(String(clientDataJSON), 'base64url').toString()} `,
        ).toString('base64url'),
      })),
    },
  ],
  [
    'the counter was changed after signing',
    {
      json: inResponse(({ authenticatorData }) => ({
        authenticatorData: flipped(
          Buffer.from(String(authenticatorData), 'base64url'),
          36,
        ).toString('base64url'),
      })),
    },
  ],
  ['a passkey of one device says it can be synced', { backupEligible: true }],
  ['the counter went back', { counter: 8 }],
  ['the counter stood still', { counter: 9 }],
  ['the counter fell to zero', { counter: 0 }],
  ['the user handle is another member’s', { userHandle: userHandleFor(taro.id) }],
  ['the user handle is empty', { userHandle: '' }],
  [
    'the user handle is the login ID',
    { userHandle: Buffer.from('12345-678').toString('base64url') },
  ],
  ['the user handle is a list', { json: inResponse(() => ({ userHandle: [1] })) }],
]

describe('A sign-in is refused when', () => {
  const make = { synced: false, counter: 9, countsBy: 1 }

  test.each([...TAMPERED_BOTH, ...TAMPERED_ASSERTION])('%s', async (_, deviation) => {
    const authenticator = createAuthenticator(make)
    const member = await holding(authenticator)
    expect(await signIn(authenticator, member, deviation)).toEqual(FAILED)
    expect(await signInWithoutLoginId(authenticator, member, deviation)).toEqual(FAILED)
    // the same passkey untampered: nothing but the deviation was refused
    expect(await signIn(authenticator, member)).toMatchObject({ ok: true })
  })

  test('a synced passkey says it is of one device', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const bound = { backupEligible: false, backedUp: false }
    expect(await signIn(authenticator, member, bound)).toEqual(FAILED)
  })

  test('a passkey that counted no longer does', async () => {
    const authenticator = createAuthenticator({ counter: 5 })
    const member = await holding(authenticator)
    expect(await signIn(authenticator, member, { counter: 0 })).toEqual(FAILED)
  })

  test('the answer is that of a registration', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const { shown } = await factor.beginRegistration(hanako, later)
    const request = await factor.beginAuthentication(member, later)
    const { challenge } = request.kept
    const answer = { response: authenticator.register({ ...shown, challenge }) }
    expect(await factor.finishAuthentication(member, request.kept, answer, later)).toEqual(FAILED)
  })
})

const TAMPERED_REGISTRATION: readonly (readonly [string, Deviation])[] = [
  ['it is a sign-in by type', { clientData: { type: 'webauthn.get' } }],
  ['the id is not the attested one', { attestedId: randomBytes(32) }],
  ['the attested id is empty', { attestedId: Buffer.alloc(0) }],
  [
    'no credential is attested',
    {
      authenticatorData: (data) => {
        const copy = Buffer.from(data.subarray(0, 37))
        copy.writeUInt8(copy.readUInt8(32) & ~0x40, 32)
        return copy
      },
    },
  ],
  ['the algorithm was not offered', { coseKey: (key) => new Map(key).set(3, -35) }],
  ['the algorithm is a text', { coseKey: (key) => new Map(key).set(3, 'ES256') }],
  ['the key has no algorithm', { coseKey: () => new Map([[1, 2]]) }],
  ['the attestation format is unknown', { attestation: () => ['invented', new Map()] }],
  ['no attestation states something', { attestation: () => ['none', new Map([['alg', -7]])] }],
  ['the attestation is of a phone’s maker', { attestation: () => ['android-key', new Map()] }],
  ['the attestation is of a TPM', { attestation: () => ['tpm', new Map()] }],
  ['the attestation is packed and empty', { attestation: () => ['packed', new Map()] }],
  [
    'the passkey’s signature for itself is false',
    {
      attestation: (_, sign) => [
        'packed',
        new Map<string, number | Uint8Array<ArrayBuffer>>([
          ['alg', -7],
          ['sig', new Uint8Array(sign(randomBytes(32)))],
        ]),
      ],
    },
  ],
  ['the attestation object is cut', { attestationObject: (bytes) => bytes.subarray(0, -10) }],
  ['the attestation object is a number', { attestationObject: () => Buffer.from([1]) }],
  [
    'the attestation object nests without end',
    { attestationObject: () => Buffer.alloc(10_000, 0x81) },
  ],
  [
    'the attestation object promises four thousand million entries',
    { attestationObject: () => Buffer.from('bb00000000ffffffff', 'hex') },
  ],
  [
    'the attestation object is an empty map',
    { attestationObject: () => Buffer.from(isoCBOR.encode(new Map())) },
  ],
  ['the attestation object is missing', { json: inResponse(() => ({ attestationObject: null })) }],
  ['the transports are a text', { json: inResponse(() => ({ transports: 'internal' })) }],
  ['a transport is markup', { json: inResponse(() => ({ transports: ['<script>'] })) }],
  ['transports abound', { json: inResponse(() => ({ transports: Array(11).fill('usb') })) }],
]

describe('A registration is refused when', () => {
  test.each([...TAMPERED_BOTH, ...TAMPERED_REGISTRATION])('%s', async (_, deviation) => {
    const authenticator = createAuthenticator({ synced: false, counter: 9 })
    expect(await register(authenticator, hanako, deviation)).toEqual(FAILED)
    expect(await register(authenticator, hanako)).toMatchObject({ ok: true })
  })

  test('the attestation carries a certificate, though well signed', async () => {
    const maker = createAttestationKey()
    const attestation: Deviation['attestation'] = (signed) => [
      'packed',
      new Map<string, number | Uint8Array<ArrayBuffer> | Uint8Array<ArrayBuffer>[]>([
        ['alg', -7],
        ['sig', new Uint8Array(maker.sign(signed))],
        ['x5c', [new Uint8Array(maker.certificate)]],
      ]),
    ]
    expect(await register(createAuthenticator(), hanako, { attestation })).toEqual(FAILED)
  })

  test('the answer is that of a sign-in', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const { shown } = await factor.beginAuthentication(member, here)
    const creation = await factor.beginRegistration(hanako, here)
    const { challenge } = creation.kept
    const answer = { response: authenticator.authenticate({ ...shown, challenge }) }
    expect(await factor.finishRegistration(hanako, creation.kept, answer, here)).toEqual(FAILED)
  })
})

describe('What is no response at all is refused in every ceremony', () => {
  const texts: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['garbage', '{"id":'],
    ['a number', '0'],
    ['null', 'null'],
    ['an empty object', '{}'],
    ['an error’s name', 'NotAllowedError'],
    ['brackets by the thousand', '['.repeat(10_000)],
    ['characters of control', '\u0000\u0001'],
  ]
  const refusesAll = async (answer: Readonly<Record<string, string>>) => {
    const member = await holding(createAuthenticator())
    const creation = await factor.beginRegistration(hanako, here)
    const request = await factor.beginAuthentication(member, here)
    const discoverable = await factor.beginDiscoverable(here)
    expect([
      await factor.finishRegistration(hanako, creation.kept, answer, here),
      await factor.finishAuthentication(member, request.kept, answer, here),
      await factor.finishDiscoverable(member, discoverable.kept, answer, here),
    ]).toEqual([FAILED, FAILED, FAILED])
  }

  test.each(texts)('%s', async (_, response) => refusesAll({ response }))

  test('no field at all', async () => refusesAll({}))

  test('a valid response padded beyond 16,384 characters', async () => {
    const authenticator = createAuthenticator()
    const member = await holding(authenticator)
    const finish = async (characters: number) => {
      const { shown, kept } = await factor.beginAuthentication(member, later)
      const response = authenticator.authenticate(shown).padEnd(characters)
      return factor.finishAuthentication(member, kept, { response }, later)
    }
    expect(await finish(16_384)).toMatchObject({ ok: true })
    expect(await finish(16_385)).toEqual(FAILED)
  })

  test('members named to pollute prototypes change nothing', async () => {
    const authenticator = createAuthenticator()
    const polluting: Deviation = {
      json: (posted) =>
        JSON.parse(
          JSON.stringify(posted)
            .replace(
              /\{/g,
              '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}},',
            )
            .replace(/,\}/g, '}'),
        ),
    }
    const made = taken(await register(authenticator, hanako, polluting))
    const { credential } = taken(
      await signIn(authenticator, addCredential(hanako, made), polluting),
    )
    expect(JSON.stringify([made, credential])).not.toContain('polluted')
    expect({}).not.toHaveProperty('polluted')
  })
})
