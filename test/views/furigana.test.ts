import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { ruby } from '../../views/furigana.ts'
import { catalogue } from '../../views/messages/index.ts'

describe('furigana', () => {
  test('stand over the longest word known', () => {
    expect(ruby('健康保険組合の被保険者が生体認証を登録します')).toEqual([
      { text: '健康保険組合', reading: 'けんこうほけんくみあい' },
      { text: 'の' },
      { text: '被保険者', reading: 'ひほけんしゃ' },
      { text: 'が' },
      { text: '生体認証', reading: 'せいたいにんしょう' },
      { text: 'を' },
      { text: '登録', reading: 'とうろく' },
      { text: 'します' },
    ])
  })

  test('leave every text as it was', () => {
    const words = fc.constantFrom('認証', '生体', '確認', '済み', 'です', '𠮷', 'abc', '&<>', '暦')
    fc.assert(
      fc.property(fc.array(words), (parts) => {
        const text = parts.join('')
        expect(
          ruby(text)
            .map((part) => part.text)
            .join(''),
        ).toBe(text)
      }),
    )
  })

  test('are kana only, and missing nowhere they were promised', () => {
    const texts = JSON.stringify(catalogue('ja'))
    const found = ruby(texts).filter((part) => part.reading !== undefined)
    expect(found.length).toBeGreaterThan(100)
    for (const { reading } of found) expect(reading).toMatch(/^\p{Script=Hiragana}+$/u)
  })
})
