import { webcrypto } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { createSeal, UnreadableSecretError } from '../../factors/seal.ts'
import { seededRandom } from '../support/random.ts'

const randomBytes = seededRandom('seal')
const OLD = { id: '2026', key: randomBytes(32) }
const NEW = { id: '2027', key: randomBytes(32) }
const PLAIN = Buffer.from('the secret of an authenticator app')
const PLACE = 'totp|member-1'

const { seal, open } = createSeal([NEW, OLD], randomBytes)

describe('What is sealed at rest', () => {
  test('opens at its own place', () => {
    expect(open(seal(PLAIN, PLACE), PLACE)).toEqual(PLAIN)
    expect(open(seal(Buffer.alloc(0), PLACE), PLACE)).toEqual(Buffer.alloc(0))
  })

  test('does not open at another member’s place', () => {
    const sealed = seal(PLAIN, PLACE)
    expect(() => open(sealed, 'totp|member-2')).toThrow(UnreadableSecretError)
    expect(() => open(sealed, '')).toThrow(UnreadableSecretError)
  })

  test('is never the same twice and holds nothing of the plain text', () => {
    const sealed = new Set(Array.from({ length: 1000 }, () => seal(PLAIN, PLACE)))
    expect(sealed.size).toBe(1000)
    for (const one of sealed) {
      expect(Buffer.from(one.split('.')[3] ?? '', 'base64url').includes(PLAIN)).toBe(false)
    }
  })

  test('names the newest key; what an older one sealed still opens', () => {
    const earlier = createSeal([OLD], randomBytes).seal(PLAIN, PLACE)
    expect(seal(PLAIN, PLACE)).toMatch(/^v1\.2027\.[\w-]{16}\.[\w-]+$/)
    expect(earlier).toMatch(/^v1\.2026\./)
    expect(open(earlier, PLACE)).toEqual(PLAIN)
  })

  test('does not open once its key is gone', () => {
    const later = createSeal([NEW], randomBytes)
    const earlier = createSeal([OLD], randomBytes).seal(PLAIN, PLACE)
    expect(() => later.open(earlier, PLACE)).toThrow(UnreadableSecretError)
  })

  test('does not open by a key that took the name of its own', () => {
    const impostor = createSeal([{ id: NEW.id, key: OLD.key }], randomBytes)
    expect(() => impostor.open(seal(PLAIN, PLACE), PLACE)).toThrow(UnreadableSecretError)
  })

  test('does not open with any one character changed, left out or put in', () => {
    const sealed = seal(PLAIN, PLACE)
    for (let at = 0; at < sealed.length; at += 1) {
      const [before, here, after] = [sealed.slice(0, at), sealed.charAt(at), sealed.slice(at + 1)]
      const others = ['A', 'B', '-', '.', '='].filter((other) => other !== here)
      for (const tampered of [before + after, ...others.map((other) => before + other + after)]) {
        expect(() => open(tampered, PLACE)).toThrow(UnreadableSecretError)
      }
      for (const more of ['.', '=', ' ', '\n']) {
        const tampered = `${before}${here}${more}${after}`
        expect(() => open(tampered, PLACE)).toThrow(UnreadableSecretError)
      }
    }
    // The last character has bits to spare; no other may stand for it.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const opening = [...alphabet].filter((last) => {
      try {
        return open(sealed.slice(0, -1) + last, PLACE).equals(PLAIN)
      } catch {
        return false
      }
    })
    expect(opening).toEqual([sealed.at(-1)])
  })

  test('cannot be named as another key’s, though both have the same bytes', () => {
    const both = createSeal([NEW, { id: 'copy', key: NEW.key }], randomBytes)
    const renamed = seal(PLAIN, PLACE).replace('.2027.', '.copy.')
    expect(() => both.open(renamed, PLACE)).toThrow(UnreadableSecretError)
  })

  test.each(['', 'v1', 'v1...', 'v2.2027.AAAAAAAAAAAAAAAA.AAAA', 'v1.2027.AAAA.AAAA', '{}'])(
    '%j was never sealed and is refused',
    (text) => {
      expect(() => open(text, PLACE)).toThrow(UnreadableSecretError)
    },
  )

  test('the error carries neither the text nor its place', () => {
    const sealed = seal(PLAIN, PLACE)
    try {
      open(sealed, 'totp|member-2')
      throw new Error('opened')
    } catch (error) {
      expect(error).toMatchObject({ code: 'unreadable_secret', status: 500 })
      expect(JSON.stringify(error)).not.toContain(sealed.slice(-20))
      expect(JSON.stringify(error)).not.toContain('member')
    }
  })

  test('is AES-256-GCM as another implementation of it reads it', async () => {
    const [, id, iv = '', body = ''] = seal(PLAIN, PLACE).split('.')
    const key = await webcrypto.subtle.importKey('raw', NEW.key, 'AES-GCM', false, ['decrypt'])
    const plain = await webcrypto.subtle.decrypt(
      {
        name: 'AES-GCM',
        iv: Buffer.from(iv, 'base64url'),
        additionalData: Buffer.from(`v1.${id}|${PLACE}`),
        tagLength: 128,
      },
      key,
      Buffer.from(body, 'base64url'),
    )
    expect(Buffer.from(plain)).toEqual(PLAIN)
  })

  test.each([
    ['no key', []],
    ['a short key', [{ id: 'a', key: Buffer.alloc(16, 1) }]],
    ['an id with a dot', [{ id: 'a.b', key: NEW.key }]],
    ['two keys of one id', [NEW, { id: NEW.id, key: OLD.key }]],
  ])('a seal cannot be made of %s', (_what, keys) => {
    expect(() => createSeal(keys, randomBytes)).toThrow(TypeError)
  })
})
