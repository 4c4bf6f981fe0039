import { describe, expect, test } from '@jest/globals'
import type { Context } from 'koa'
import { ForgedRequestError } from '../../accounts/errors.ts'
import {
  csrfToken,
  hasCsrfToken,
  refuseCrossSite,
  requireSameOrigin,
} from '../../interactions/csrf.ts'
import { readForm } from '../../interactions/form.ts'
import { preferredLocale } from '../../interactions/locale.ts'

const KEYS = ['the-newest-cookie-key-of-these-tests', 'an-earlier-cookie-key-of-these-tests']

/** A request as far as the forgery check looks at it. */
const aRequest = (headers: Readonly<Record<string, string>>): Context =>
  ({ get: (name: string) => headers[name] ?? '' }) as unknown as Context // only `get` is read

describe('A form', () => {
  const fields = { email: { max: 10 }, agree: { max: 3, optional: true } } as const

  test('is read as texts, other fields dropped', () => {
    const body = { email: 'a@b.jp', agree: 'yes', csrf: 'x', __proto__: { admin: '1' } }
    expect(readForm(fields, body)).toEqual({ email: 'a@b.jp', agree: 'yes' })
    expect(readForm(fields, { email: '' })).toEqual({ email: '' })
  })

  test.each([
    [undefined],
    [null],
    ['email=a'],
    [42],
    [[]],
    [{}],
    [{ agree: 'yes' }],
    [{ email: ['a', 'b'] }],
    [{ email: { $ne: null } }],
    [{ email: 7 }],
    [{ email: null }],
    [{ email: 'a'.repeat(11) }],
    [{ email: 'a', agree: ['yes'] }],
    [{ email: 'a', agree: 'yes!' }],
  ])('%j is no form of ours', (body) => {
    expect(readForm(fields, body)).toBeUndefined()
  })
})

describe('The token of a request’s forms', () => {
  test('is its own, and that of an earlier key is good while the key is kept', () => {
    const token = csrfToken(KEYS, 'uid-1')
    expect(hasCsrfToken(KEYS, 'uid-1', token)).toBe(true)
    expect(hasCsrfToken(KEYS, 'uid-1', csrfToken(KEYS.slice(1), 'uid-1'))).toBe(true)
    expect(hasCsrfToken(KEYS.slice(0, 1), 'uid-1', csrfToken(KEYS.slice(1), 'uid-1'))).toBe(false)
    expect(hasCsrfToken(KEYS, 'uid-2', token)).toBe(false)
    expect(hasCsrfToken([], 'uid-1', token)).toBe(false)
  })

  test.each([undefined, null, '', 'x', 7, [], {}, true])('%j is none', (given) => {
    expect(hasCsrfToken(KEYS, 'uid-1', given)).toBe(false)
  })
})

describe('Where a form comes from', () => {
  const issuer = 'https://id.example.jp'

  test.each([
    {},
    { 'Sec-Fetch-Site': 'same-origin' },
    { Origin: issuer },
    { Origin: issuer, 'Sec-Fetch-Site': 'same-origin' },
  ])('%j may be our own page', (headers) => {
    expect(() => refuseCrossSite(aRequest(headers), issuer)).not.toThrow()
  })

  test.each([
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { 'Sec-Fetch-Site': 'none' },
    { 'Sec-Fetch-Site': 'SAME-ORIGIN ' },
    { Origin: 'null' },
    { Origin: 'http://id.example.jp' },
    { Origin: 'https://id.example.jp:8443' },
    { Origin: 'https://id.example.jp.evil.example' },
    { Origin: issuer, 'Sec-Fetch-Site': 'cross-site' },
    { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'same-origin' },
  ])('%j is not', (headers) => {
    expect(() => refuseCrossSite(aRequest(headers), issuer)).toThrow(ForgedRequestError)
  })

  test('without a token only the browser’s own word is taken', () => {
    expect(() => requireSameOrigin(aRequest({ 'Sec-Fetch-Site': 'same-origin' }))).not.toThrow()
    expect(() => requireSameOrigin(aRequest({ Origin: issuer }))).toThrow(ForgedRequestError)
    expect(() => requireSameOrigin(aRequest({}))).toThrow(ForgedRequestError)
  })
})

describe('The language asked for', () => {
  test.each([
    ['ja', 'ja'],
    ['en', 'en'],
    ['EN-us', 'en'],
    ['fr ja-JP en', 'ja'],
    ['  en   ja', 'en'],
    ['jam', undefined],
    ['enm', undefined],
    ['', undefined],
    ['fr', undefined],
    [undefined, undefined],
    [['en'], undefined],
  ])('%j is %j', (tags, locale) => {
    expect(preferredLocale(tags)).toBe(locale)
  })
})
