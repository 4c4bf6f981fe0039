import { describe, expect, test } from '@jest/globals'
import { refusalText } from '../../cli/trace.ts'
import { differenceOf, masked } from '../../provider/refusals/masking.ts'
import { type RefusalRecord, readReference } from '../../provider/refusals/record.ts'
import { RULES } from '../../provider/refusals/rules.ts'
import { sourceText } from '../style/sources.ts'

describe('What is told of a request', () => {
  test.each([
    ['https://app.example.jp/cb', 'https://app.example.jp/cb'],
    ['https://user:pw@app.example.jp/cb', 'https://[credentials]@app.example.jp/cb'],
    [
      'https://app.example.jp/cb?tenant=7&key=abc',
      'https://app.example.jp/cb?tenant=7&key=[3 characters]',
    ],
    ['https://app.example.jp/cb#token', 'https://app.example.jp/cb#[5 characters]'],
    ['https://app.example.jp/hanako@example.jp', 'https://app.example.jp/[address]'],
    ['https://app.example.jp/hanako%40example.jp', 'https://app.example.jp/[address]'],
    ['Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF', '[43 characters]'],
    ['ey0.eyJzdWIiOiJoYW5ha28ifQ.c2ln', '[31 characters]'],
    ['a-name-with-more-than-thirty-two-characters', 'a-name-with-more-than-thirty-two-characters'],
    ['openid\u202eemail\n', 'openid\\u{202e}email\\u{a}'],
  ])('%j is %j', (sent, shown) => {
    const known = [
      'https://app.example.jp/cb?tenant=7',
      'a-name-with-more-than-thirty-two-characters',
    ]
    expect(masked(sent, known)).toBe(shown)
  })

  test('is cut where it is long', () => {
    expect(masked('x/'.repeat(10_000))).toHaveLength(300)
  })
})

describe('Where two addresses part', () => {
  const registered = ['https://app.example.jp/cb', 'https://app.example.jp/login/cb']
  test.each([
    ['https://app.example.jp/cb/', 0, 26, '/', ''],
    ['https://app.example.jp/c', 0, 25, '', 'b'],
    ['http://app.example.jp/login/cb', 1, 5, ':', 's'],
    ['https://app.example.jp/login/Cb', 1, 30, 'C', 'c'],
  ])('%s', (sent, nearest, position, received, expected) => {
    expect(differenceOf(sent, registered)).toEqual({
      registered: registered[nearest],
      position,
      received,
      expected,
    })
  })

  test('is nowhere between equals, and nowhere where nothing is registered', () => {
    expect(differenceOf('https://app.example.jp/cb', registered)).toBeUndefined()
    expect(differenceOf('https://app.example.jp/cb', [])).toBeUndefined()
  })
})

describe('A reference number', () => {
  test.each([
    ['7F3K-92QD', '7F3K-92QD'],
    [' 7f3k92qd ', '7F3K-92QD'],
    ['OI1L-0000', '0111-0000'],
    ['7F3K-92Q', undefined],
    ['7F3K-92QU', undefined],
  ])('typed %j is %j', (typed, read) => {
    expect(readReference(typed)).toBe(read)
  })
})

test('the example in docs/integrate.md is what the command prints', async () => {
  const [, example = ''] =
    /<!-- example:trace -->\n```text\n\$ [^\n]*\n(.*?)\n```/s.exec(
      sourceText('docs/integrate.md'),
    ) ?? []
  const received = 'https://app.example.jp/callback/'
  const values = [received.slice(0, -1)]
  const record: RefusalRecord = {
    reference: '7F3K-92QD',
    at: Date.UTC(2026, 3, 10, 1) / 1000,
    endpoint: 'authorization',
    error: 'invalid_redirect_uri',
    description: "redirect_uri did not match any of the client's registered redirect_uris",
    client: { id: 'my-app', name: 'My app', state: 'enabled' },
    findings: [
      {
        rule: 'redirect_uri.unregistered',
        parameter: 'redirect_uri',
        received,
        expected: { by: 'client', values },
        difference: differenceOf(received, values)!,
      },
    ],
  }
  expect(refusalText(record, 'en')).toBe(example)
})

test('every rule says in both languages what it asks and what to do', () => {
  for (const [id, { section, rule, fix }] of Object.entries(RULES)) {
    expect(id).toMatch(/^[a-z_]+(?:\.[a-z_]+)?$/)
    expect(section).toMatch(/^(?:RFC \d+|OIDC|OAuth|Fetch|Kenpo ID) /)
    for (const text of [rule.ja, fix.ja]) expect(text).toMatch(/。(?:$|.*[。）]$)/)
    for (const text of [rule.en, fix.en]) expect(text).toMatch(/\.$/)
  }
})
