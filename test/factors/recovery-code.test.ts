import { describe, expect, test } from '@jest/globals'
import {
  addCredential,
  type Member,
  type MemberId,
  replaceCredential,
} from '../../accounts/member.ts'
import { createMemberStore } from '../../adapters/embedded/members.ts'
import { createRecoveryCodes } from '../../factors/recovery-code.ts'
import { type EncryptionKey, UnreadableSecretError } from '../../factors/seal.ts'
import { openTemporary } from '../adapters/embedded/temporary.ts'
import { factorContract } from '../contracts/factor.ts'
import { inParallel, valuesOf } from '../contracts/rounds.ts'
import { anEnrolledMember, T0 } from '../support/builders.ts'
import { seededRandom } from '../support/random.ts'

const CEREMONY = {
  now: T0,
  origin: 'https://id.example.jp',
  rpId: 'id.example.jp',
  issuerName: 'さくら健康保険組合',
}
const KEY: EncryptionKey = { id: '2026', key: seededRandom('recovery key')(32) }
const NEWER: EncryptionKey = { id: '2027', key: seededRandom('newer key')(32) }
const recoveryCodes = createRecoveryCodes({ randomBytes: seededRandom('codes'), keys: [KEY] })

const withCodes = (member: Member) => {
  const { codes, credential } = recoveryCodes.generate(member, CEREMONY)
  return { codes, credential, member: addCredential(member, credential) }
}
const hanako = withCodes(anEnrolledMember())
const taro = withCodes(anEnrolledMember({ id: 'member-2' as MemberId })) // a test's own ID

const use = (member: Member, code: string, factor = recoveryCodes) =>
  factor.finishAuthentication(member, {}, { code }, CEREMONY)
const outcome = async (member: Member, code: string) => {
  const verdict = await use(member, code)
  return verdict.ok ? 'accepted' : verdict.reason
}

factorContract('A recovery code', () => {
  const [one, two] = [
    withCodes(anEnrolledMember()),
    withCodes(anEnrolledMember({ id: taro.member.id })),
  ]
  const codesOf = new Map([
    [one.member.id, one.codes],
    [two.member.id, two.codes],
  ])
  return {
    factor: recoveryCodes,
    member: one.member,
    other: two.member,
    ceremony: CEREMONY,
    answer: ({ id }) => ({ code: codesOf.get(id)?.[3] ?? '' }),
    wrong: ({ code = '' }) => [
      { code: code.replace(/.$/, (last) => (last === 'Z' ? 'Y' : 'Z')) },
      { code: two.codes[0] ?? '' },
      { code: code.slice(1) },
      { code: `${code}0` },
      { code: '0000-0000' },
    ],
  }
})

describe('Ten recovery codes', () => {
  test('are made, all different, in letters and digits that are not mistaken for others', () => {
    expect(hanako.codes).toHaveLength(10)
    expect(new Set([...hanako.codes, ...taro.codes]).size).toBe(20)
    for (const code of hanako.codes) {
      expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}$/)
    }
    expect(hanako.credential).toMatchObject({ factor: 'recoveryCode', registeredAt: T0 })
    expect(recoveryCodes.remaining(hanako.credential)).toBe(10)
  })

  test('carry forty random bits each, none of them lost', () => {
    const drawn: Buffer[] = []
    const chance = seededRandom('bits')
    const factor = createRecoveryCodes({
      randomBytes: (size) => {
        const bytes = chance(size)
        if (size === 5) drawn.push(bytes)
        return bytes
      },
      keys: [KEY],
    })
    const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
    const { codes } = factor.generate(anEnrolledMember(), CEREMONY)
    const read = codes.map((code) => {
      const value = [...code.replace('-', '')].reduce((n, c) => n * 32 + alphabet.indexOf(c), 0)
      return value.toString(16).padStart(10, '0')
    })
    expect(read).toEqual(drawn.map((bytes) => bytes.toString('hex')))
  })

  test('can be used in any order, each once, down to none', async () => {
    let { member } = hanako
    for (const [used, index] of [7, 0, 9, 3, 1, 8, 2, 6, 5, 4].entries()) {
      const code = hanako.codes[index] ?? ''
      const verdict = await use(member, code)
      if (!verdict.ok || !verdict.value.credential) throw new Error('not accepted')
      const { credential } = verdict.value
      expect(recoveryCodes.remaining(credential)).toBe(9 - used)
      member = replaceCredential(member, credential)
      expect(await outcome(member, code)).toBe('recovery.wrong')
      const { shown } = await recoveryCodes.beginAuthentication(member, CEREMONY)
      expect(shown).toEqual({ remaining: 9 - used })
    }
    for (const code of hanako.codes) expect(await outcome(member, code)).toBe('recovery.wrong')
  })

  test('are taken as people copy them', async () => {
    const factor = createRecoveryCodes({
      randomBytes: (size) => (size === 5 ? Buffer.from('00443214c7', 'hex') : Buffer.alloc(size)),
      keys: [KEY],
    })
    const { codes, credential } = factor.generate(anEnrolledMember(), CEREMONY)
    expect(codes[0]).toBe('0123-4567')
    const member = addCredential(anEnrolledMember(), credential)
    for (const typed of [
      '01234567',
      ' 0123 4567\n',
      'O123-4567',
      'oi23–4567',
      '0l23ー4567',
      '０１２３−４５６７',
    ]) {
      expect(await use(member, typed, factor)).toMatchObject({ ok: true })
    }
    const lower = (hanako.codes[0] ?? '').toLowerCase()
    expect(await outcome(hanako.member, lower)).toBe('accepted')
  })

  test.each([
    '',
    '-',
    'ABCD-EFG',
    'ABCD-EFGHJ',
    'UUUU-UUUU',
    'ABCD_EFGH',
    '日本語の八文字列',
    'ß234-5678',
  ])('%j is no recovery code at all', async (typed) => {
    expect(await outcome(hanako.member, typed)).toBe('recovery.format')
  })

  test('a member who holds none is refused like a wrong code', async () => {
    expect(await outcome(anEnrolledMember(), 'ABCD-EFGH')).toBe('recovery.wrong')
    const { shown } = await recoveryCodes.beginAuthentication(anEnrolledMember(), CEREMONY)
    expect(shown).toEqual({ remaining: 0 })
  })

  test('moved to another member’s record they are worthless', async () => {
    const thief = addCredential(anEnrolledMember({ id: 'member-3' as MemberId }), hanako.credential)
    for (const code of hanako.codes) expect(await outcome(thief, code)).toBe('recovery.wrong')
  })

  test('cannot be read from the record, nor tried against it without the key', async () => {
    const atRest = JSON.stringify(hanako.credential)
    for (const code of hanako.codes) {
      expect(atRest).not.toContain(code)
      expect(atRest).not.toContain(code.replace('-', ''))
    }
    const guesser = createRecoveryCodes({
      randomBytes: seededRandom('guesser'),
      keys: [{ id: KEY.id, key: NEWER.key }],
    })
    for (const code of hanako.codes) {
      expect(await use(hanako.member, code, guesser)).toEqual({
        ok: false,
        reason: 'recovery.wrong',
      })
    }
  })

  test('stay good when a newer key is put in front, and not when theirs is gone', async () => {
    const randomBytes = seededRandom('rotated')
    const code = hanako.codes[0] ?? ''
    const rotated = createRecoveryCodes({ randomBytes, keys: [NEWER, KEY] })
    expect(await use(hanako.member, code, rotated)).toMatchObject({ ok: true })
    const { credential } = rotated.generate(anEnrolledMember(), CEREMONY)
    expect(credential.data).toMatchObject({ keyId: '2027' })
    const without = createRecoveryCodes({ randomBytes, keys: [NEWER] })
    await expect(use(hanako.member, code, without)).rejects.toThrow(UnreadableSecretError)
  })

  test('of twenty who send one code at the same time one gets in, and another code stays used', async () => {
    const { db, close } = openTemporary()
    try {
      const store = createMemberStore(db)
      const { id } = await store.save(hanako.member)
      const attempt = async (code: string) => {
        const member = await store.findById(id)
        if (!member) throw new Error('gone')
        const verdict = await use(member, code)
        if (!verdict.ok || !verdict.value.credential) return verdict
        await store.save(replaceCredential(member, verdict.value.credential))
        return 'in'
      }
      for (const [round, code] of hanako.codes.entries()) {
        const outcomes = await inParallel(() => attempt(code))
        expect(valuesOf(outcomes).filter((value) => value === 'in')).toHaveLength(1)
        for (const used of hanako.codes.slice(0, round + 1)) {
          expect(await attempt(used)).toEqual({ ok: false, reason: 'recovery.wrong' })
        }
      }
    } finally {
      await close()
    }
  })
})
