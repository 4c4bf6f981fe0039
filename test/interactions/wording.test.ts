import { describe, expect, test } from '@jest/globals'
import { dateTimeText, deviceText, japaneseDay, timeText } from '../../interactions/wording.ts'

const at = (iso: string): number => Date.parse(iso) / 1000

describe('What members read', () => {
  test.each([
    ['2026-11-22T11:15:00Z', '20時15分', '20:15'],
    ['2026-11-22T15:00:00Z', '0時00分', '00:00'],
    ['2026-11-22T00:05:59Z', '9時05分', '09:05'],
  ])('%s is a time in Japan', (iso, ja, en) => {
    expect(timeText(at(iso), 'ja')).toBe(ja)
    expect(timeText(at(iso), 'en')).toBe(en)
  })

  test('a date carries its weekday in both languages', () => {
    const time = at('2026-11-22T11:15:00Z')
    expect(dateTimeText(time, 'ja')).toBe('2026年11月22日（日）20:15')
    // Whether a comma follows the weekday differs between versions of ICU.
    expect(dateTimeText(time, 'en')).toMatch(/^Sunday,? 22 November 2026, 20:15 \(Japan time\)$/u)
  })

  test('the day changes at midnight in Japan', () => {
    expect(japaneseDay(at('2026-03-31T14:59:59Z'))).toBe('2026-03-31')
    expect(japaneseDay(at('2026-03-31T15:00:00Z'))).toBe('2026-04-01')
  })

  test.each([
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      'Chrome・Windows',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
      'Safari・iOS',
    ],
    ['', '—'],
  ])('%j is called %s', (userAgent, name) => {
    expect(deviceText(userAgent)).toBe(name)
  })

  test('a made-up browser neither fails nor fills the mail', () => {
    for (const userAgent of [
      'x',
      '<script>',
      '\u202e',
      'a'.repeat(10_000),
      '((((',
      'Chrome/'.repeat(999),
    ]) {
      expect(deviceText(userAgent).length).toBeLessThan(100)
    }
  })
})
