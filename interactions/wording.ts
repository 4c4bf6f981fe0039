import Bowser from 'bowser'
import type { EpochSeconds, Locale } from '../accounts/member.ts'

const format = (at: EpochSeconds, locale: Locale, options: Intl.DateTimeFormatOptions): string =>
  new Intl.DateTimeFormat(locale === 'ja' ? 'ja-JP' : 'en-GB', {
    timeZone: 'Asia/Tokyo',
    ...options,
  }).format(new Date(at * 1000))

/** 20:15, Japan time. */
export const timeText = (at: EpochSeconds, locale: Locale): string => {
  const clock = format(at, 'en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  const [hour, minute] = clock.split(':')
  return locale === 'ja' ? `${Number(hour)}時${minute}分` : clock
}

/** The first whole minute that is not before `until`: from then on it works, as the text says. */
export const untilText = (until: EpochSeconds, locale: Locale): string =>
  timeText(Math.ceil(until / 60) * 60, locale)

/** 2026年11月22日（日）20:15 / Sunday 22 November 2026, 20:15 (Japan time). */
export const dateTimeText = (at: EpochSeconds, locale: Locale): string => {
  const clock = format(at, 'en', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
  if (locale === 'ja') {
    const day = format(at, 'ja', { year: 'numeric', month: 'long', day: 'numeric' })
    return `${day}（${format(at, 'ja', { weekday: 'short' })}）${clock}`
  }
  const day = format(at, 'en', { weekday: 'long', year: 'numeric', month: 'long', day: 'numeric' })
  return `${day}, ${clock} (Japan time)`
}

/** 2026年11月22日 / 22 November 2026, in Japan. */
export const dateText = (at: EpochSeconds, locale: Locale): string =>
  format(at, locale, { year: 'numeric', month: 'long', day: 'numeric' })

/** YYYY-MM-DD in Japan. */
export const japaneseDay = (at: EpochSeconds): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Tokyo' }).format(new Date(at * 1000))

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
