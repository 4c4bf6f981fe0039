import { describe, expect, test } from '@jest/globals'
import { Secret } from 'otpauth'
import { base32, CROCKFORD, RFC4648 } from '../../factors/base32.ts'
import { seededRandom } from '../support/random.ts'

describe('Base 32', () => {
  test.each([
    // RFC 4648 section 10, the vector without padding.
    ['fooba', 'MZXW6YTB'],
    ['foobafooba', 'MZXW6YTBMZXW6YTB'],
    ['\0\0\0\0\0', 'AAAAAAAA'],
  ])('%j is written as RFC 4648 has it', (text, written) => {
    expect(base32(Buffer.from(text), RFC4648)).toBe(written)
  })

  test('an independent reader reads a thousand secrets back', () => {
    const randomBytes = seededRandom('base32')
    for (let round = 0; round < 1000; round += 1) {
      const secret = randomBytes(20)
      expect(Buffer.from(Secret.fromBase32(base32(secret, RFC4648)).bytes)).toEqual(secret)
    }
  })

  test('Crockford’s alphabet has each digit where it counts in his order', () => {
    expect(base32(Buffer.from([0, 0, 0, 0, 31]), CROCKFORD)).toBe('0000000Z')
    // 00000 00001 00010 00011 00100 00101 00110 00111
    expect(base32(Buffer.from([0x00, 0x44, 0x32, 0x14, 0xc7]), CROCKFORD)).toBe('01234567')
    expect(base32(Buffer.alloc(5, 0xff), CROCKFORD)).toBe('ZZZZZZZZ')
    expect(CROCKFORD).not.toMatch(/[ILOU]/)
    expect(new Set(CROCKFORD).size).toBe(32)
  })

  test.each([0, 1, 4, 6, 21])('%i bytes would need padding and are refused', (size) => {
    expect(() => base32(Buffer.alloc(size), RFC4648)).toThrow(RangeError)
  })
})
