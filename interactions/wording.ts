import Bowser from 'bowser'
import type { EpochSeconds, Locale } from '../accounts/member.ts'

/** Writes a time as it is in Japan. Making a formatter takes far longer than using it. */
const inJapan = (language: string, options: Intl.DateTimeFormatOptions = {}) => {
  const formatter = new Intl.DateTimeFormat(language, { timeZone: 'Asia/Tokyo', ...options })
  return (at: EpochSeconds): string => formatter.format(new Date(at * 1000))
}

const DATE = { year: 'numeric', month: 'long', day: 'numeric' } as const
const clockText = inJapan('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
const dayText = { ja: inJapan('ja-JP', DATE), en: inJapan('en-GB', DATE) }
const japaneseWeekday = inJapan('ja-JP', { weekday: 'short' })
const englishDay = inJapan('en-GB', { weekday: 'long', ...DATE })

/** 20:15, Japan time. */
export const timeText = (at: EpochSeconds, locale: Locale): string => {
  const clock = clockText(at)
  const [hour, minute] = clock.split(':')
  return locale === 'ja' ? `${Number(hour)}時${minute}分` : clock
}

/** The first whole minute that is not before `until`: from then on it works, as the text says. */
export const untilText = (until: EpochSeconds, locale: Locale): string =>
  timeText(Math.ceil(until / 60) * 60, locale)

/** 2026年11月22日（日）20:15 / Sunday 22 November 2026, 20:15 (Japan time). */
export const dateTimeText = (at: EpochSeconds, locale: Locale): string => {
  const clock = clockText(at)
  if (locale === 'ja') {
    return `${dayText.ja(at)}（${japaneseWeekday(at)}）${clock}`
  }
  return `${englishDay(at)}, ${clock} (Japan time)`
}

/** 2026年11月22日 / 22 November 2026, in Japan. */
export const dateText = (at: EpochSeconds, locale: Locale): string => dayText[locale](at)

/** YYYY-MM-DD in Japan. */
export const japaneseDay: (at: EpochSeconds) => string = inJapan('sv-SE')

/** Names only: an unknown browser's name is whatever it says of itself, and this stands in mails. */
const PLAIN = /^[A-Za-z0-9][A-Za-z0-9 ]{0,29}$/u

/** The browser and system as a member knows them: "Chrome・Windows". */
export const deviceText = (userAgent: string): string => {
  if (userAgent === '') return '—'
  const { browser, os } = Bowser.parse(userAgent.slice(0, 512))
  return [browser.name, os.name].filter((name) => name && PLAIN.test(name)).join('・') || '—'
}

/** Browsers inside other apps, which cannot make passkeys: they are told to open the real one. */
const IN_APP = /\bLine\/|\bFBAN\/|\bFBAV\/|\bInstagram\b|\bYJApp|\bMicroMessenger\/|; wv\)/u

/** Whether the page stands in an app's own browser window (LINE, Instagram, a web view). */
export const inAppBrowserOf = (userAgent: string): boolean => IN_APP.test(userAgent)
