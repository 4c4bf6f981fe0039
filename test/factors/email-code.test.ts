import { describe, expect, test } from '@jest/globals'
import type { MemberId } from '../../accounts/member.ts'
import {
  answerMarkOf,
  CODE_SECONDS,
  challengeIdOf,
  codeOf,
  createEmailCodeFactor,
  type EmailChallenge,
  linkTokenOf,
  matchNumberOf,
  normalizeCode,
  referenceOf,
} from '../../factors/email-code.ts'
import { factorContract } from '../contracts/factor.ts'
import { anEnrolledMember, T0 } from '../support/builders.ts'
import { seededRandom } from '../support/random.ts'

const CEREMONY = {
  now: T0,
  origin: 'https://id.example.jp',
  rpId: 'id.example.jp',
  issuerName: 'さくら健康保険組合',
}
const KEY = seededRandom('code key')(32)

const aChallenge = (over: Partial<EmailChallenge> = {}): EmailChallenge => ({
  id: 'Zm9vYmFyZm9vYmFyZm9vYg',
  purpose: 'signIn',
  memberId: 'member-1' as MemberId, // a test's own ID
  address: 'hanako@example.com',
  createdAt: T0,
  ...over,
})

const aFactor = () => {
  const randomBytes = seededRandom('challenges')
  return createEmailCodeFactor(KEY, (memberId, address, createdAt) => ({
    id: randomBytes(16).toString('base64url'),
    purpose: 'signIn',
    memberId,
    address,
    createdAt,
  }))
}
const member = anEnrolledMember()

/** Another code of six digits. */
const offByOne = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

factorContract('The e-mail code', () => ({
  factor: aFactor(),
  member,
  other: anEnrolledMember({
    id: 'member-2' as MemberId, // a test's own ID
    email: { address: 'taro@example.com', verifiedAt: T0 },
  }),
  ceremony: CEREMONY,
  answer: (_member, { kept }) => ({ code: codeOf(KEY, kept) }),
  wrong: ({ code = '' }) => [
    { code: offByOne(code) },
    { code: code.slice(1) },
    { code: `${code}0` },
  ],
}))

describe('The code of a mail', () => {
  const finish = (code: string, challenge = aChallenge(), now = T0) =>
    aFactor().finishAuthentication(member, challenge, { code }, { ...CEREMONY, now })
  const code = codeOf(KEY, aChallenge())

  test('is the same in every mail of one challenge and another in each challenge', () => {
    expect(codeOf(KEY, aChallenge({ createdAt: T0 + 60 }))).toBe(code)
    const others = [
      codeOf(KEY, aChallenge({ id: 'b' })),
      codeOf(KEY, aChallenge({ purpose: 'confirmAddress' })),
      codeOf(KEY, aChallenge({ address: 'hanako@example.org' })),
      codeOf(seededRandom('another key')(32), aChallenge()),
    ]
    expect(others).not.toContain(code)
  })

  test('is six digits, each as likely as the next', () => {
    const codes = Array.from({ length: 20_000 }, (_, n) => codeOf(KEY, aChallenge({ id: `${n}` })))
    expect(codes.filter((one) => !/^\d{6}$/.test(one))).toEqual([])
    for (let place = 0; place < 6; place += 1) {
      const counts = Array.from({ length: 10 }, () => 0)
      for (const one of codes) counts[Number(one[place])]! += 1
      // 2000 of each are expected; 2000 ± 250 is more than five standard deviations.
      expect(Math.min(...counts)).toBeGreaterThan(1750)
      expect(Math.max(...counts)).toBeLessThan(2250)
    }
  })

  test('is taken as people and input methods write it', async () => {
    const wide = [...code].map((digit) => String.fromCodePoint(digit.charCodeAt(0) + 0xfee0))
    for (const typed of [
      ` ${code}\n`,
      `${code.slice(0, 3)} ${code.slice(3)}`,
      `${code.slice(0, 3)}-${code.slice(3)}`,
      `${code.slice(0, 3)}ー${code.slice(3)}`,
      wide.join(''),
      `${wide.slice(0, 3).join('')}　${wide.slice(3).join('')}`,
      [...code].join('\u200b'),
    ]) {
      expect(await finish(typed)).toMatchObject({ ok: true })
    }
  })

  test.each([
    ['', { reason: 'code.empty' }],
    [' － ', { reason: 'code.empty' }],
    ['12345', { reason: 'code.len', values: { n: 5 } }],
    ['1234567', { reason: 'code.len', values: { n: 7 } }],
    ['12345a', { reason: 'code.digits' }],
    ['+12345', { reason: 'code.digits' }],
    ['1e5000', { reason: 'code.digits' }],
    ['一二三四五六', { reason: 'code.digits' }],
  ])('%j is refused with what is wrong about it', async (typed, refusal) => {
    expect(await finish(typed)).toEqual({ ok: false, ...refusal })
  })

  test('a wrong code and a late one are told apart', async () => {
    expect(await finish(offByOne(code))).toEqual({ ok: false, reason: 'code.wrong' })
    expect(await finish(code, aChallenge(), T0 + CODE_SECONDS - 1)).toMatchObject({ ok: true })
    expect(await finish(code, aChallenge(), T0 + CODE_SECONDS)).toEqual({
      ok: false,
      reason: 'code.expired',
    })
  })

  test('a member without an address cannot be sent one', async () => {
    const { email: _none, ...without } = member
    await expect(aFactor().beginAuthentication(without, CEREMONY)).rejects.toThrow('address')
  })
})

describe('What an answer is told to be right by', () => {
  test('is one of the right code of the one challenge, and of our key', () => {
    const mark = answerMarkOf(KEY, 'a', '123456')
    expect(answerMarkOf(KEY, 'a', '123456')).toBe(mark)
    for (const other of [
      answerMarkOf(KEY, 'a', '123457'),
      answerMarkOf(KEY, 'b', '123456'),
      answerMarkOf(seededRandom('another key')(32), 'a', '123456'),
    ]) {
      expect(other).not.toBe(mark)
    }
  })

  test('holds nothing of the code', () => {
    const challenge = aChallenge()
    const code = codeOf(KEY, challenge)
    const mark = answerMarkOf(KEY, challenge.id, code)
    expect(mark).toMatch(/^[\w-]{22}$/u)
    expect(Buffer.from(mark, 'base64url').toString('latin1')).not.toContain(code)
    expect(linkTokenOf(KEY, challenge.id)).not.toContain(mark)
  })
})

describe('The link of a mail', () => {
  test('names its challenge', () => {
    expect(challengeIdOf(KEY, linkTokenOf(KEY, 'abc'))).toBe('abc')
  })

  test('counts only as we wrote it', () => {
    const token = linkTokenOf(KEY, 'abc')
    const foreign = linkTokenOf(seededRandom('another key')(32), 'abc')
    const forged = [
      '',
      '.',
      'abc',
      'abc.',
      foreign,
      token.replace('abc', 'abd'),
      `${token}A`,
      token.slice(0, -1),
      `${token}.${token}`,
      ` ${token}`,
    ]
    for (const one of forged) expect(challengeIdOf(KEY, one)).toBeUndefined()
  })

  test('the number to compare has two digits and is not the code’s', () => {
    for (let n = 0; n < 1000; n += 1) {
      expect(matchNumberOf(KEY, `${n}`)).toMatch(/^[1-9]\d$/)
    }
    expect(codeOf(KEY, aChallenge())).not.toMatch(
      new RegExp(`^${matchNumberOf(KEY, aChallenge().id)}`),
    )
  })
})

describe('The reference number', () => {
  test('is the challenge’s own, and with its letters never taken for a code', () => {
    const references = Array.from({ length: 1000 }, (_, n) => referenceOf(KEY, `${n}`))
    for (const reference of references) {
      expect(reference).toMatch(/^[A-HJ-NP-Z]{2}\d{2}[A-HJ-NP-Z]{2}$/u)
    }
    expect(new Set(references).size).toBeGreaterThan(990)
    expect(referenceOf(KEY, '7')).toBe(references[7])
  })

  test('cannot be told from the challenge’s ID without the key', () => {
    const other = seededRandom('another key')(32)
    expect(referenceOf(other, 'a')).not.toBe(referenceOf(KEY, 'a'))
  })
})

describe('What stands around digits', () => {
  test.each([
    ['１２３ ４５６', '123456'],
    ['123‐456', '123456'],
    ['123–456', '123456'],
    ['123−456', '123456'],
    ['123ー456', '123456'],
    ['123－456', '123456'],
    ['1\u00ad23\u200e456', '123456'],
    ['①②③', '123'],
    ['+123', '+123'],
    ['12.3', '12.3'],
  ])('%j is read as %j', (typed, read) => {
    expect(normalizeCode(typed)).toBe(read)
  })
})
