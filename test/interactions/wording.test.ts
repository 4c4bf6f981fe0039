import { describe, expect, test } from '@jest/globals'
import {
  dateTimeText,
  deviceText,
  inAppBrowserOf,
  japaneseDay,
  timeText,
} from '../../interactions/wording.ts'

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

  test('is never the words of who asks, which would stand in the society’s mails', () => {
    const words = 'Urgent: your account stops today. Confirm at https://evil.example/kenpo/1.0 x'
    expect(deviceText(words)).not.toMatch(/evil|Urgent/u)
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

const IOS = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15'
const ANDROID = 'Mozilla/5.0 (Linux; Android 14; Pixel 8'
const WINDOWS = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64'
const GECKO = '(KHTML, like Gecko)'
const BLINK = `AppleWebKit/537.36 ${GECKO} Chrome/138.0.0.0`

describe('Passkeys cannot be made inside', () => {
  test.each([
    ['LINE on iOS', `${IOS} ${GECKO} Mobile/15E148 Safari Line/15.10.0`],
    [
      'LINE on Android',
      `${ANDROID} Build/AP2A.240805.005; wv) AppleWebKit/537.36 ${GECKO} Version/4.0 Chrome/138.0.7204.63 Mobile Safari/537.36 Line/15.10.1/IAB`,
    ],
    [
      'Facebook on iOS',
      `${IOS} ${GECKO} Mobile/22F76 [FBAN/FBIOS;FBAV/515.0.0.41.90;FBBV/745893310;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/18.5;FBSS/3;FBLC/ja_JP]`,
    ],
    [
      'Facebook on Android',
      `${ANDROID} Build/AP2A.240805.005; wv) AppleWebKit/537.36 ${GECKO} Version/4.0 Chrome/138.0.7204.63 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/515.0.0.46.109;]`,
    ],
    [
      'Instagram on iOS',
      `${IOS} ${GECKO} Mobile/22F76 Instagram 386.0.0.33.81 (iPhone15,2; iOS 18_5; ja_JP; ja; scale=3.00; 1179x2556; 752173462)`,
    ],
    [
      'Instagram on Android',
      `${ANDROID} Build/AP2A.240805.005; wv) AppleWebKit/537.36 ${GECKO} Version/4.0 Chrome/138.0.7204.63 Mobile Safari/537.36 Instagram 386.0.0.46.84 Android`,
    ],
    [
      'the Yahoo! JAPAN app on iOS',
      `${IOS} ${GECKO} Mobile/15E148 YJApp-IOS jp.co.yahoo.ipn.appli/4.120.0`,
    ],
    [
      'the Yahoo! JAPAN app on Android',
      `${ANDROID}) AppleWebKit/537.36 ${GECKO} Version/4.0 Chrome/138.0.7204.63 Mobile Safari/537.36 YJApp-ANDROID jp.co.yahoo.android.yjtop/3.190.0`,
    ],
  ])('%s', (_app, userAgent) => {
    expect(inAppBrowserOf(userAgent)).toBe(true)
  })
})

describe('Passkeys can be made in', () => {
  test.each([
    ['Safari on an iPhone', `${IOS} ${GECKO} Version/18.5 Mobile/15E148 Safari/604.1`],
    [
      'Safari on a Mac',
      `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 ${GECKO} Version/18.5 Safari/605.1.15`,
    ],
    ['Chrome on an iPhone', `${IOS} ${GECKO} CriOS/138.0.7204.53 Mobile/15E148 Safari/604.1`],
    ['Firefox on an iPhone', `${IOS} ${GECKO} FxiOS/140.0 Mobile/15E148 Safari/605.1.15`],
    ['Chrome on Android', `Mozilla/5.0 (Linux; Android 10; K) ${BLINK} Mobile Safari/537.36`],
    [
      'Samsung Internet',
      `Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 ${GECKO} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36`,
    ],
    ['Chrome on Windows', `${WINDOWS}) ${BLINK} Safari/537.36`],
    ['Edge on Windows', `${WINDOWS}) ${BLINK} Safari/537.36 Edg/138.0.0.0`],
    ['Firefox on Windows', `${WINDOWS}; rv:140.0) Gecko/20100101 Firefox/140.0`],
    ['a browser that says nothing', ''],
  ])('%s', (_browser, userAgent) => {
    expect(inAppBrowserOf(userAgent)).toBe(false)
  })
})
