import { describe, expect, test } from '@jest/globals'
import { Secret, TOTP, URI } from 'otpauth'
import { StaleInteractionError, StaleMemberError } from '../../accounts/errors.ts'
import {
  addCredential,
  type Credential,
  type Member,
  type MemberId,
  replaceCredential,
} from '../../accounts/member.ts'
import { createMemberStore } from '../../adapters/embedded/members.ts'
import type { Ceremony } from '../../factors/factor.ts'
import { createSeal, type EncryptionKey, UnreadableSecretError } from '../../factors/seal.ts'
import { createTotpFactor } from '../../factors/totp.ts'
import { stepOf } from '../../factors/totp-code.ts'
import { openTemporary } from '../adapters/embedded/temporary.ts'
import { factorContract } from '../contracts/factor.ts'
import { inParallel, reasonsOf, valuesOf } from '../contracts/rounds.ts'
import { sourceFiles, sourceText } from '../style/sources.ts'
import { syntaxOf } from '../style/syntax.ts'
import { appCode, hotp } from '../support/authenticator-app.ts'
import { anEnrolledMember, T0 } from '../support/builders.ts'
import { seededRandom } from '../support/random.ts'

/** The secret of the vectors in RFC 4226 appendix D and RFC 6238 appendix B. */
const RFC_SECRET = Buffer.from('12345678901234567890')

const ceremonyAt = (now: number): Ceremony => ({
  now,
  origin: 'https://id.example.jp',
  rpId: 'id.example.jp',
  issuerName: 'さくら健康保険組合',
})
const CEREMONY = ceremonyAt(T0)

const KEY: EncryptionKey = { id: '2026', key: seededRandom('encryption key')(32) }
const aFactor = (keys: readonly EncryptionKey[] = [KEY], seed = 'totp') => {
  const randomBytes = seededRandom(seed)
  return createTotpFactor({ seal: createSeal(keys, randomBytes), randomBytes })
}

/** The secret as an app takes it from the registration page. */
const scanned = ({ uri }: Readonly<{ uri: string }>): Buffer =>
  Buffer.from(Secret.fromBase32(new URL(uri).searchParams.get('secret') ?? '').bytes)

/** A member with an app registered a day ago, and the secret in that app. */
const withApp = async (member: Member, seed: string = member.id) => {
  const factor = aFactor([KEY], seed)
  const then = ceremonyAt(T0 - 86_400)
  const { shown, kept } = await factor.beginRegistration(member, then)
  const secret = scanned(shown)
  const verdict = await factor.finishRegistration(
    member,
    kept,
    { code: appCode(secret, then.now) },
    then,
  )
  if (!verdict.ok) throw new Error(verdict.reason)
  return { factor, secret, credential: verdict.value, member: addCredential(member, verdict.value) }
}

const hanako = anEnrolledMember()
const taro = anEnrolledMember({ id: 'member-2' as MemberId, loginId: '12345-701' }) // a test's own ID

/** A code that is right at no step near `now`. */
const wrongCode = (secret: Buffer, now = T0): string => {
  const near = new Set(
    Array.from({ length: 101 }, (_, n) => hotp(secret, Math.floor(now / 30) - 50 + n)),
  )
  for (let code = 0; ; code += 1) {
    const text = String(code).padStart(6, '0')
    if (!near.has(text)) return text
  }
}

factorContract('The authenticator app', async () => {
  const [one, two] = [await withApp(hanako), await withApp(taro)]
  const secrets = new Map([
    [one.member.id, one.secret],
    [two.member.id, two.secret],
  ])
  return {
    factor: aFactor(),
    member: one.member,
    other: two.member,
    ceremony: CEREMONY,
    answer: ({ id }, _challenge, { now }) => ({ code: appCode(secrets.get(id)!, now) }),
    wrong: ({ code = '' }) => [
      { code: wrongCode(one.secret) },
      { code: appCode(two.secret, T0) },
      { code: code.slice(1) },
      { code: `${code}0` },
    ],
  }
})

describe('A code is computed as the RFCs have it', () => {
  test.each([
    // RFC 6238 appendix B, SHA-1; of its eight digits the last six.
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('at %i seconds it is %s (RFC 6238 appendix B)', (now, code) => {
    expect(stepOf(RFC_SECRET, code, now, 0)).toBe(Math.floor(now / 30))
    expect(appCode(RFC_SECRET, now)).toBe(code)
  })

  test.each(
    [
      '755224',
      '287082',
      '359152',
      '969429',
      '338314',
      '254676',
      '287922',
      '162583',
      '399871',
      '520489',
    ].map((code, counter) => [counter, code] as const),
  )('at counter %i it is %s (RFC 4226 appendix D)', (counter, code) => {
    expect(stepOf(RFC_SECRET, code, (counter + 1) * 30, 1)).toBe(counter)
    expect(hotp(RFC_SECRET, counter)).toBe(code)
  })

  test('a hundred thousand random secrets and times agree with another implementation', () => {
    const randomBytes = seededRandom('oracle')
    const disagreements: object[] = []
    const accepted = { yes: 0, no: 0 }
    for (let round = 0; round < 100_000; round += 1) {
      const chance = randomBytes(32)
      const secret = chance.subarray(0, 20)
      // Any second from 2001 to 2136, a code of up to three steps away.
      const now = 1_000_000_000 + chance.readUInt32BE(20)
      const step = Math.floor(now / 30)
      const code = hotp(secret, step + (chance.readUInt8(24) % 7) - 3)
      const expected = [-1, 0, 1].map((d) => step + d).find((s) => hotp(secret, s) === code)
      const found = stepOf(secret, code, now, 1)
      accepted[found === undefined ? 'no' : 'yes'] += 1
      if (found !== expected) disagreements.push({ secret, now, code, found, expected })
    }
    expect(disagreements).toEqual([])
    expect(accepted.yes).toBeGreaterThan(40_000)
    expect(accepted.no).toBeGreaterThan(50_000)
  })

  test('a thousand of them agree with the otpauth package', () => {
    const randomBytes = seededRandom('otpauth')
    for (let round = 0; round < 1000; round += 1) {
      const chance = randomBytes(32)
      const secret = chance.subarray(0, 20)
      const now = 1_000_000_000 + chance.readUInt32BE(20)
      const totp = new TOTP({
        secret: Secret.fromHex(secret.toString('hex')),
        algorithm: 'SHA1',
        digits: 6,
        period: 30,
      })
      const code = totp.generate({ timestamp: now * 1000 })
      expect(stepOf(secret, code, now, 0)).toBe(Math.floor(now / 30))
    }
  })

  test.each([
    ['no secret', Buffer.alloc(0), 1, T0],
    ['a short secret', Buffer.alloc(19, 1), 1, T0],
    ['a long secret', Buffer.alloc(21, 1), 1, T0],
    ['a secret that is text', 'JBSWY3DPEHPK3PXPJBSW', 1, T0],
    ['a window that is text', RFC_SECRET, '1', T0],
    ['a wide window', RFC_SECRET, 2, T0],
    ['no window', RFC_SECRET, undefined, T0],
    ['a broken clock', RFC_SECRET, 1, Number.NaN],
    ['milliseconds with a fraction', RFC_SECRET, 1, T0 + 0.5],
  ])('%s is a mistake of ours and throws', (_what, secret, window, now) => {
    // What the types rule out is what a slip in the configuration would bring.
    expect(() => stepOf(secret as Buffer, '287082', now, window as 1)).toThrow(TypeError)
  })

  test('six characters that merely start with its number are not the code', () => {
    // A counter whose code is a small number, which parseInt finds in each of these.
    let step = 2
    while (!/^0000[1-9]\d$/.test(hotp(RFC_SECRET, step))) step += 1
    const n = hotp(RFC_SECRET, step).slice(4)
    for (const trick of [`${n}xxxx`, `${n}    `, ` ${n}   `, `+${n}...`, `+000${n}`, `${n}e000`]) {
      expect(trick).toHaveLength(6)
      expect(stepOf(RFC_SECRET, trick, step * 30, 1)).toBeUndefined()
    }
    expect(stepOf(RFC_SECRET, `0000${n}`, step * 30, 0)).toBe(step)
  })

  test('speakeasy is met in one place, and of it one function', () => {
    const users = sourceFiles('.ts')
      .map((path) => ({ path, text: sourceText(path) }))
      .filter(({ text }) => text.includes('speakeasy'))
      .map(({ path, text }) => ({ path, ...syntaxOf(text) }))
      .filter(({ imports }) => imports.some(({ from }) => from === 'speakeasy'))
    expect(users.map(({ path }) => path)).toEqual(['factors/totp-code.ts'])
    const used = [...users[0]!.uses].filter((use) => use.startsWith('speakeasy.'))
    expect(used.sort()).toEqual(['speakeasy.totp', 'speakeasy.totp.verifyDelta'])
  })
})

describe('Registering an app', () => {
  test('the page shows a URI that apps read, with the names in it', async () => {
    const { shown } = await aFactor().beginRegistration(hanako, CEREMONY)
    const read = URI.parse(shown.uri)
    expect(read).toBeInstanceOf(TOTP)
    expect(read).toMatchObject({
      issuer: 'さくら健康保険組合',
      label: '12345-678',
      algorithm: 'SHA1',
      digits: 6,
      period: 30,
    })
    expect(shown.uri).toMatch(/&algorithm=SHA1&digits=6&period=30$/)
    expect(shown).toMatchObject({ account: '12345-678', issuerName: 'さくら健康保険組合' })
    expect(shown.secretGroups).toMatch(/^([A-Z2-7]{4} ){7}[A-Z2-7]{4}$/)
    expect(shown.secretGroups.replaceAll(' ', '')).toBe(read.secret.base32)
  })

  test('names with colons, spaces and signs neither break the URI nor add to it', async () => {
    const member = anEnrolledMember({ loginId: 'a:b &secret=AAAA#?/%' })
    const ceremony = { ...CEREMONY, issuerName: 'Kenpo: North & South+' }
    const { shown } = await aFactor().beginRegistration(member, ceremony)
    const { searchParams, pathname } = new URL(shown.uri)
    expect([...searchParams.keys()]).toEqual(['secret', 'issuer', 'algorithm', 'digits', 'period'])
    expect(searchParams.get('issuer')).toBe('Kenpo  North & South+')
    expect(shown.uri).not.toContain('+')
    expect(pathname.match(/:/g)).toHaveLength(1)
    expect(decodeURIComponent(pathname)).toMatch(/:a b &secret=AAAA#\?\/%$/)
  })

  test('each secret is 20 random bytes of its own', async () => {
    const asked: number[] = []
    const chance = seededRandom('sizes')
    const randomBytes = (size: number) => {
      asked.push(size)
      return chance(size)
    }
    const seal = createSeal([KEY], seededRandom('ivs'))
    const factor = createTotpFactor({ seal, randomBytes })
    const first = scanned((await factor.beginRegistration(hanako, CEREMONY)).shown)
    const second = scanned((await factor.beginRegistration(hanako, CEREMONY)).shown)
    expect(asked).toEqual([20, 20])
    expect(first).toHaveLength(20)
    expect(second).not.toEqual(first)
  })

  test('wrong codes and reloads keep the same secret, and then the right code is accepted', async () => {
    const factor = aFactor()
    const { shown, kept } = await factor.beginRegistration(hanako, CEREMONY)
    const secret = scanned(shown)
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const code = wrongCode(secret)
      expect(await factor.finishRegistration(hanako, kept, { code }, CEREMONY)).toEqual({
        ok: false,
        reason: 'totp.wrong',
      })
    }
    const reloaded = JSON.parse(JSON.stringify(kept)) as typeof kept
    expect(factor.showRegistration(hanako, reloaded, CEREMONY)).toEqual(shown)
    const answer = { code: appCode(secret, T0) }
    const verdict = await factor.finishRegistration(hanako, reloaded, answer, CEREMONY)
    expect(verdict).toMatchObject({ ok: true, value: { factor: 'totp', registeredAt: T0 } })
  })

  test('the secret is nowhere in what is kept and stored', async () => {
    const factor = aFactor()
    const { shown, kept } = await factor.beginRegistration(hanako, CEREMONY)
    const secret = scanned(shown)
    const { credential } = await withApp(hanako, 'totp')
    const atRest = JSON.stringify([kept, credential])
    for (const spelled of [
      shown.secretGroups,
      shown.secretGroups.replaceAll(' ', ''),
      ...(['hex', 'base64', 'base64url', 'latin1'] as const).map((e) => secret.toString(e)),
    ]) {
      expect(atRest).not.toContain(spelled)
    }
  })

  test('a registration begun by one member is no other’s', async () => {
    const factor = aFactor()
    const { shown, kept } = await factor.beginRegistration(hanako, CEREMONY)
    const answer = { code: appCode(scanned(shown), T0) }
    expect(() => factor.showRegistration(taro, kept, CEREMONY)).toThrow(UnreadableSecretError)
    await expect(factor.finishRegistration(taro, kept, answer, CEREMONY)).rejects.toThrow(
      UnreadableSecretError,
    )
  })

  test('a registration is over after an hour', async () => {
    const factor = aFactor()
    const { shown, kept, expiresInSeconds } = await factor.beginRegistration(hanako, CEREMONY)
    const finishAt = (now: number) =>
      factor.finishRegistration(
        hanako,
        kept,
        { code: appCode(scanned(shown), now) },
        ceremonyAt(now),
      )
    expect(expiresInSeconds).toBe(3600)
    expect(await finishAt(T0 + 3599)).toMatchObject({ ok: true })
    await expect(finishAt(T0 + 3600)).rejects.toThrow(StaleInteractionError)
  })

  test('the code that registered the app does not sign in as well', async () => {
    const factor = aFactor()
    const { shown, kept } = await factor.beginRegistration(hanako, CEREMONY)
    const answer = { code: appCode(scanned(shown), T0) }
    const verdict = await factor.finishRegistration(hanako, kept, answer, CEREMONY)
    if (!verdict.ok) throw new Error(verdict.reason)
    const member = addCredential(hanako, verdict.value)
    expect(await factor.finishAuthentication(member, {}, answer, CEREMONY)).toEqual({
      ok: false,
      reason: 'totp.used',
    })
  })

  test.each([
    [{}, undefined],
    [{ label: '  ' }, undefined],
    [{ label: ' 私のスマホ\r\n\u202e ' }, '私のスマホ'],
    [{ label: 'my\u2028pho\u2029ne' }, 'myphone'],
    [{ label: '𠮷'.repeat(50) }, '𠮷'.repeat(40)],
  ])('of the name %j what fits on one line is kept', async (named, label) => {
    const factor = aFactor()
    const { shown, kept } = await factor.beginRegistration(hanako, CEREMONY)
    const answer = { ...named, code: appCode(scanned(shown), T0) }
    const verdict = await factor.finishRegistration(hanako, kept, answer, CEREMONY)
    if (!verdict.ok) throw new Error(verdict.reason)
    expect(verdict.value.label).toBe(label)
  })

  test('a clock that is up to ten minutes off either way is told, and is not accepted', async () => {
    const factor = aFactor()
    const { shown, kept } = await factor.beginRegistration(hanako, CEREMONY)
    const reasonAt = async (steps: number) => {
      const answer = { code: appCode(scanned(shown), T0 + steps * 30) }
      const verdict = await factor.finishRegistration(hanako, kept, answer, CEREMONY)
      return verdict.ok ? 'accepted' : verdict.reason
    }
    for (const steps of [-1, 0, 1]) expect(await reasonAt(steps)).toBe('accepted')
    for (const steps of [-20, -3, -2, 2, 3, 20]) expect(await reasonAt(steps)).toBe('totp.skew')
    for (const steps of [-21, 21]) expect(await reasonAt(steps)).toBe('totp.wrong')
  })
})

describe('Signing in with an app', () => {
  const outcome = async (
    { factor, member }: Awaited<ReturnType<typeof withApp>>,
    code: string,
    now = T0,
  ) => {
    const verdict = await factor.finishAuthentication(member, {}, { code }, ceremonyAt(now))
    return verdict.ok ? 'accepted' : verdict.reason
  }

  test('a code of the step before, of now or of the next is accepted, no other', async () => {
    const app = await withApp(hanako)
    const start = T0 - (T0 % 30)
    for (const now of [start, start + 29]) {
      for (const steps of [-1, 0, 1]) {
        expect(await outcome(app, appCode(app.secret, start + steps * 30), now)).toBe('accepted')
      }
      for (const steps of [-2, -3, -20]) {
        expect(await outcome(app, appCode(app.secret, start + steps * 30), now)).toBe('totp.skew')
      }
      // To name a code of the future as right would tell a guesser what to send a moment later.
      for (const steps of [-21, 2, 3, 20, 21]) {
        expect(await outcome(app, appCode(app.secret, start + steps * 30), now)).toBe('totp.wrong')
      }
    }
  })

  test('a code is taken as people and input methods write it', async () => {
    const app = await withApp(hanako)
    const code = appCode(app.secret, T0)
    const wide = [...code].map((digit) => String.fromCodePoint(digit.charCodeAt(0) + 0xfee0))
    for (const typed of [
      ` ${code}\r\n`,
      `${code.slice(0, 3)} ${code.slice(3)}`,
      `${code.slice(0, 3)}-${code.slice(3)}`,
      `${wide.slice(0, 3).join('')} ${wide.slice(3).join('')}`,
      `${wide.slice(0, 3).join('')}　${wide.slice(3).join('')}`,
      `${wide.slice(0, 3).join('')}ー${wide.slice(3).join('')}`,
    ]) {
      expect(await outcome(app, typed)).toBe('accepted')
    }
  })

  test.each([
    ['', { reason: 'code.empty' }],
    ['　-　', { reason: 'code.empty' }],
    ['12345', { reason: 'code.len', values: { n: 5 } }],
    ['1234567', { reason: 'code.len', values: { n: 7 } }],
    ['12345O', { reason: 'code.digits' }],
  ])('%j is refused with what is wrong about it', async (code, refusal) => {
    const { factor, member } = await withApp(hanako)
    const verdict = await factor.finishAuthentication(member, {}, { code }, CEREMONY)
    expect(verdict).toEqual({ ok: false, ...refusal })
  })

  test('nothing that merely starts with the right number is the code', async () => {
    const app = await withApp(hanako)
    // A time whose code is of the form 0000nn, so that parseInt of six other characters equals it.
    let step = Math.floor(T0 / 30)
    while (!/^0000[1-9]\d$/.test(hotp(app.secret, step))) step += 1
    const now = step * 30
    const code = hotp(app.secret, step)
    const n = code.slice(4)
    for (const trick of [
      n,
      `${n}xxxx`,
      `${n}    `,
      ` ${n}   `,
      `+${n}...`,
      `+000${n}`,
      `${n}.000`,
      `${n}e000`,
      `-000${n}`,
      `${n},${n},`,
      `0x00${n}`,
      `${n}\0\0\0\0`,
      `00${n}`,
      `00000${n}`,
    ]) {
      expect(['code.len', 'code.digits']).toContain(await outcome(app, trick, now))
    }
    expect(await outcome(app, code, now)).toBe('accepted')
  })

  test('a code is accepted once, in whatever spelling and window it comes back', async () => {
    const app = await withApp(hanako)
    const start = T0 - (T0 % 30)
    const code = appCode(app.secret, start)
    const first = await app.factor.finishAuthentication(app.member, {}, { code }, ceremonyAt(start))
    if (!first.ok || !first.value.credential) throw new Error('not accepted')
    const after = { ...app, member: replaceCredential(app.member, first.value.credential) }

    const spellings = [code, `${code.slice(0, 3)} ${code.slice(3)}`, `${code}\n`, ` ${code}`]
    for (const now of [start - 30, start, start + 29, start + 30, start + 59, start + 600]) {
      for (const again of spellings) expect(await outcome(after, again, now)).toBe('totp.used')
    }
    const before = appCode(app.secret, start - 30)
    expect(await outcome(app, before, start)).toBe('accepted')
    expect(await outcome(after, before, start)).toBe('totp.used')
    expect(await outcome(after, appCode(app.secret, start + 30), start)).toBe('accepted')
  })

  test('of twenty who send one code at the same time one gets in, ten times over', async () => {
    const { db, close } = openTemporary()
    try {
      const store = createMemberStore(db)
      const app = await withApp(hanako)
      const { id } = await store.save(app.member)
      for (let round = 0; round < 10; round += 1) {
        const now = T0 + round * 30
        const answer = { code: appCode(app.secret, now) }
        const outcomes = await inParallel(async () => {
          const member = await store.findById(id)
          if (!member) throw new Error('gone')
          const verdict = await app.factor.finishAuthentication(member, {}, answer, ceremonyAt(now))
          if (!verdict.ok || !verdict.value.credential) return verdict
          await store.save(replaceCredential(member, verdict.value.credential))
          return 'in'
        })
        expect(valuesOf(outcomes).filter((value) => value === 'in')).toHaveLength(1)
        for (const reason of reasonsOf(outcomes)) expect(reason).toBeInstanceOf(StaleMemberError)
      }
    } finally {
      await close()
    }
  })

  test('a secret moved to another member’s record cannot be used there', async () => {
    const app = await withApp(hanako)
    const member = addCredential(taro, app.credential)
    const answer = { code: appCode(app.secret, T0) }
    await expect(app.factor.finishAuthentication(member, {}, answer, CEREMONY)).rejects.toThrow(
      UnreadableSecretError,
    )
  })

  test('a sealed text that is no secret of 20 bytes is refused', async () => {
    const { factor, credential } = await withApp(hanako)
    const seal = createSeal([KEY], seededRandom('ivs'))
    for (const secret of [Buffer.alloc(0), Buffer.alloc(10, 1)]) {
      const data = { sealedSecret: seal.seal(secret, `totp|${hanako.id}`), lastStep: 0 }
      const member = addCredential(hanako, { ...credential, data } satisfies Credential)
      const code = hotp(secret, Math.floor(T0 / 30))
      await expect(factor.finishAuthentication(member, {}, { code }, CEREMONY)).rejects.toThrow(
        '20 bytes',
      )
    }
  })

  test('a member with two apps may use either, and only that one’s record moves', async () => {
    const phone = await withApp(hanako, 'phone')
    const tablet = await withApp(phone.member, 'tablet')
    for (const { secret, credential } of [phone, tablet]) {
      const verdict = await aFactor().finishAuthentication(
        tablet.member,
        {},
        { code: appCode(secret, T0) },
        CEREMONY,
      )
      expect(verdict).toMatchObject({ ok: true, value: { credential: { id: credential.id } } })
    }
    const used = {
      ...phone.credential,
      data: { ...(phone.credential.data as object), lastStep: T0 },
    }
    const member = replaceCredential(tablet.member, used)
    expect(await outcome({ ...phone, member }, appCode(phone.secret, T0))).toBe('totp.used')
    expect(await outcome({ ...phone, member }, appCode(tablet.secret, T0))).toBe('accepted')
  })

  test('a member without an app is refused like a wrong code', async () => {
    const verdict = await aFactor().finishAuthentication(hanako, {}, { code: '123456' }, CEREMONY)
    expect(verdict).toEqual({ ok: false, reason: 'totp.wrong' })
  })

  test('each sign-in seals the secret anew under the newest key', async () => {
    const app = await withApp(hanako)
    const newer: EncryptionKey = { id: '2027', key: seededRandom('newer key')(32) }
    const rotated = aFactor([newer, KEY])
    const answer = { code: appCode(app.secret, T0) }
    const verdict = await rotated.finishAuthentication(app.member, {}, answer, CEREMONY)
    if (!verdict.ok || !verdict.value.credential) throw new Error('not accepted')
    expect(app.credential.data).toMatchObject({
      sealedSecret: expect.stringMatching(/^v1\.2026\./),
    })
    expect(verdict.value.credential.data).toMatchObject({
      sealedSecret: expect.stringMatching(/^v1\.2027\./),
    })
    const member = replaceCredential(app.member, verdict.value.credential)
    const next = { code: appCode(app.secret, T0 + 30) }
    expect(
      await aFactor([newer]).finishAuthentication(member, {}, next, ceremonyAt(T0 + 30)),
    ).toMatchObject({ ok: true })
  })
})
