import { describe, expect, test } from '@jest/globals'
import { countedField, csrfToken, hasCsrfToken, readCounted } from '../../interactions/csrf.ts'

const [NEW, OLD] = ['the-key-that-signs', 'the-key-before-it']

describe('A form’s token', () => {
  test('is that of its interaction, under a key still in use', () => {
    expect(hasCsrfToken([NEW, OLD], 'one', csrfToken([NEW], 'one'))).toBe(true)
    expect(hasCsrfToken([NEW, OLD], 'one', csrfToken([OLD], 'one'))).toBe(true)
    expect(hasCsrfToken([NEW], 'one', csrfToken([OLD], 'one'))).toBe(false)
    expect(hasCsrfToken([NEW], 'one', csrfToken([NEW], 'other'))).toBe(false)
    for (const none of [undefined, '', 'x', ['x']]) {
      expect(hasCsrfToken([NEW], 'one', none)).toBe(false)
    }
  })
})

describe('What a form says its answer counts under', () => {
  test('is believed where our page of this interaction has said so', () => {
    expect(readCounted([NEW, OLD], 'one', countedField([NEW], 'one', 'a.member'))).toBe('a.member')
    expect(readCounted([NEW, OLD], 'one', countedField([OLD], 'one', 'a.member'))).toBe('a.member')
  })

  test.each([
    ['of another interaction', countedField([NEW], 'other', 'a-member')],
    ['under a key of nobody’s', countedField(['a-guess'], 'one', 'a-member')],
    ['about somebody else', countedField([NEW], 'one', 'a-member').replace('a-member', 'another')],
    ['without a signature', 'a-member'],
    ['with an empty one', 'a-member.'],
    ['that says nothing', ''],
  ])('is not where it is one %s', (_, given) => {
    expect(readCounted([NEW], 'one', given)).toBeUndefined()
  })
})
