import { availableParallelism } from 'node:os'
import { beforeAll, describe, expect, test } from '@jest/globals'
import { OverloadedError } from '../../accounts/errors.ts'
import type { MemberId } from '../../accounts/member.ts'
import { decoyHash, hashPassword, passwordFactor, verifyPassword } from '../../factors/password.ts'
import { factorContract } from '../contracts/factor.ts'
import { anEnrolledMember, T0 } from '../support/builders.ts'

const PASSWORD = 'Hanabi-2026-matsuri'
/** Hashing under way and hashing that waits; what comes on top is told to retry. */
const AT_ONCE = availableParallelism() + 40
const SURPLUS = 25

/** Algorithm, version and costs of a PHC string, without salt and hash. */
const parametersOf = (phc: string) => phc.split('$').slice(0, 4).join('$')

describe('A password', () => {
  let phc: string
  beforeAll(async () => {
    phc = await hashPassword(PASSWORD)
  })

  test('is kept as argon2id with 19 MiB, two passes and one lane, under a salt of its own', async () => {
    expect(parametersOf(phc)).toBe('$argon2id$v=19$m=19456,t=2,p=1')
    const [salt = '', hash = ''] = phc.split('$').slice(4)
    expect(Buffer.from(salt, 'base64').length).toBeGreaterThanOrEqual(16)
    expect(Buffer.from(hash, 'base64')).toHaveLength(32)
    const again = await hashPassword(PASSWORD)
    expect(again.split('$')[4]).not.toBe(salt)
    expect(again.split('$')[5]).not.toBe(hash)
  })

  test('is the one it was made from, and no other', async () => {
    expect(await verifyPassword(phc, PASSWORD)).toBe(true)
    for (const other of ['', 'hanabi-2026-matsuri', `${PASSWORD} `, PASSWORD.slice(0, -1), phc]) {
      expect([other, await verifyPassword(phc, other)]).toEqual([other, false])
    }
  })

  test('of 128 characters in any script is kept whole', async () => {
    const long = `${'花火'.repeat(63)}あい`
    const kept = await hashPassword(long)
    expect(await verifyPassword(kept, long)).toBe(true)
    expect(await verifyPassword(kept, `${long.slice(0, -1)}う`)).toBe(false)
  })

  test('of nobody is checked against a decoy that costs the same, and never matches', async () => {
    const decoy = await decoyHash()
    expect(parametersOf(decoy)).toBe(parametersOf(phc))
    expect(decoy.split('$').map(({ length }) => length)).toEqual(
      phc.split('$').map(({ length }) => length),
    )
    expect(await decoyHash()).toBe(decoy)
    for (const guess of [PASSWORD, '', '\u0000 no password matches this', decoy]) {
      expect([guess, await verifyPassword(undefined, guess)]).toEqual([guess, false])
    }
  })
})

const OTHERS = 'Fuurin-no-oto-31'

factorContract('A password', async () => {
  const [own, others] = await Promise.all([hashPassword(PASSWORD), hashPassword(OTHERS)])
  const member = anEnrolledMember({ password: { hash: own, changedAt: T0 } })
  const other = anEnrolledMember({
    id: 'member-2' as MemberId, // a test's own ID
    password: { hash: others, changedAt: T0 },
  })
  return {
    factor: passwordFactor,
    member,
    other,
    reusable: true,
    ceremony: {
      now: T0,
      origin: 'https://id.example.jp',
      rpId: 'id.example.jp',
      issuerName: 'さくら健康保険組合',
    },
    answer: ({ id }) => ({ password: id === other.id ? OTHERS : PASSWORD }),
    wrong: ({ password = '' }) => [
      { password: password.toLowerCase() },
      { password: `${password} ` },
      { password: password.slice(1) },
      { password: OTHERS },
    ],
  }
})

describe('More passwords at once than this machine can hash', () => {
  let phc: string
  beforeAll(async () => {
    phc = await hashPassword(PASSWORD)
    await decoyHash()
  })

  const CALLS = [
    {
      what: 'checks of a member’s password',
      call: () => verifyPassword(phc, PASSWORD),
      says: true,
    },
    { what: 'checks of nobody’s', call: () => verifyPassword(undefined, PASSWORD), says: false },
    {
      what: 'new ones',
      call: async () => parametersOf(await hashPassword(PASSWORD)) === parametersOf(phc),
      says: true,
    },
  ]

  test.each(CALLS)('$what: the surplus is told to retry, the rest are answered', async (kind) => {
    const { call, says } = kind
    const outcomes = await Promise.allSettled(
      Array.from({ length: AT_ONCE + SURPLUS }, () => call()),
    )
    const answered = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    expect(answered).toEqual(Array.from({ length: AT_ONCE }, () => says))
    expect(refused).toHaveLength(SURPLUS)
    for (const reason of refused) {
      expect(reason).toBeInstanceOf(OverloadedError)
      expect(reason).toMatchObject({ code: 'overloaded', status: 503, retryAfterSeconds: 2 })
    }
    expect(await call()).toBe(says)
  })
})
