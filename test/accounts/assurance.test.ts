import { describe, expect, test } from '@jest/globals'
import {
  ACR_LADDER,
  acrReaches,
  assuranceOf,
  isAcr,
  type Proof,
  proofsOf,
} from '../../accounts/assurance.ts'

const AT = 1_800_000_000
const KINDS: readonly Proof[] = [
  { factor: 'password', at: AT },
  { factor: 'passkey', at: AT, synced: true },
  { factor: 'passkey', at: AT, synced: false },
  { factor: 'totp', at: AT },
  { factor: 'emailCode', at: AT },
  { factor: 'recoveryCode', at: AT },
]
const ALL_SUBSETS = Array.from({ length: 2 ** KINDS.length }, (_, bits) =>
  KINDS.filter((_, index) => bits & (1 << index)),
)
const holds = (proofs: readonly Proof[], factor: Proof['factor']) =>
  proofs.some((proof) => proof.factor === factor)
const rank = (proofs: readonly Proof[]) => {
  const acr = assuranceOf(proofs)?.acr
  return acr === undefined ? -1 : ACR_LADDER.indexOf(acr)
}

describe('what a relying party is told', () => {
  test.each([
    ['password', 'urn:kenpo-id:acr:pwd', 'pwd'],
    ['password emailCode', 'urn:kenpo-id:acr:email', 'pwd otp mca'],
    ['password totp', 'https://refeds.org/profile/mfa', 'pwd otp mfa'],
    ['password totp emailCode', 'https://refeds.org/profile/mfa', 'pwd otp mfa'],
    ['password recoveryCode', 'https://refeds.org/profile/mfa', 'pwd otp mfa'],
    ['password recoveryCode emailCode', 'https://refeds.org/profile/mfa', 'pwd otp mfa'],
    ['passkey', 'phr', 'hwk user mfa'],
    ['password passkey', 'phr', 'pwd hwk user mfa'],
    ['password passkey totp emailCode', 'phr', 'pwd hwk user mfa'],
  ])('%s: %s', (held, acr, amr) => {
    const proofs = held.split(' ').map((factor) => KINDS.filter((p) => p.factor === factor).at(-1)!)
    expect(assuranceOf(proofs)).toEqual({ acr, amr: amr.split(' ') })
  })

  test('a passkey synced between devices is a software key, one bound to a device a hardware key', () => {
    expect(assuranceOf([{ factor: 'passkey', at: AT, synced: true }])?.amr).toContain('swk')
    expect(assuranceOf([{ factor: 'passkey', at: AT, synced: false }])?.amr).toContain('hwk')
    expect(assuranceOf([{ factor: 'passkey', at: AT }])?.amr).toContain('hwk')
  })
})

describe('over all sets of proofs', () => {
  test('nobody is identified without a password or a passkey', () => {
    for (const proofs of ALL_SUBSETS) {
      const identified = holds(proofs, 'password') || holds(proofs, 'passkey')
      expect([proofs, assuranceOf(proofs) !== undefined]).toEqual([proofs, identified])
    }
  })

  test('one more proof never makes a sign-in weaker', () => {
    for (const proofs of ALL_SUBSETS) {
      for (const more of KINDS) {
        expect(rank([...proofs, more])).toBeGreaterThanOrEqual(rank(proofs))
      }
    }
  })

  test('the order of proofs does not matter', () => {
    for (const proofs of ALL_SUBSETS) {
      if (proofs.filter((proof) => proof.factor === 'passkey').length > 1) continue
      expect(assuranceOf([...proofs].reverse())).toEqual(assuranceOf(proofs))
    }
  })

  test('amr says mfa exactly where the acr stands for two factors', () => {
    for (const proofs of ALL_SUBSETS) {
      const assurance = assuranceOf(proofs)
      const strong = acrReaches(assurance?.acr, 'https://refeds.org/profile/mfa')
      expect(assurance?.amr.includes('mfa') ?? false).toBe(strong)
    }
  })

  test('an e-mail code is never the second of two factors', () => {
    for (const proofs of ALL_SUBSETS) {
      const without = proofs.filter(({ factor }) => factor !== 'emailCode')
      const strong = (some: readonly Proof[]) =>
        acrReaches(assuranceOf(some)?.acr, 'https://refeds.org/profile/mfa')
      expect(strong(proofs)).toBe(strong(without))
    }
  })

  test('amr holds values of RFC 8176 only, each once', () => {
    for (const proofs of ALL_SUBSETS) {
      const amr = assuranceOf(proofs)?.amr ?? []
      for (const value of amr) {
        expect(['pwd', 'otp', 'mca', 'mfa', 'swk', 'hwk', 'user']).toContain(value)
      }
      expect(new Set(amr).size).toBe(amr.length)
    }
  })

  test('a session read back from its amr is worth what it was, and as old', () => {
    for (const proofs of ALL_SUBSETS) {
      const assurance = assuranceOf(proofs)
      if (!assurance) continue
      const restored = proofsOf(assurance.amr, AT - 60)
      expect(assuranceOf(restored)).toEqual(assurance)
      expect(restored.every((proof) => proof.at === AT - 60)).toBe(true)
    }
  })
})

test('an amr of nobody stands for no proof', () => {
  expect(proofsOf([], AT)).toEqual([])
  expect(proofsOf(['mfa', 'user', 'sms'], AT)).toEqual([])
})

test('each class reaches itself and the weaker ones, and none reaches without a sign-in', () => {
  const reached = ACR_LADDER.map(
    (acr) => ACR_LADDER.filter((asked) => acrReaches(acr, asked)).length,
  )
  expect(reached).toEqual([1, 2, 3, 4])
  for (const asked of ACR_LADDER) expect(acrReaches(undefined, asked)).toBe(false)
})

test('only the four classes are classes', () => {
  expect(ACR_LADDER.every(isAcr)).toBe(true)
  for (const other of ['', 'phrh', 'PHR', '0', undefined, null, 0, ['phr']]) {
    expect(isAcr(other)).toBe(false)
  }
})
