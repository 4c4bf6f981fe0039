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

/** YYYY-MM-DD in Japan. */
export const japaneseDay = (at: EpochSeconds): string =>
  new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Tokyo' }).format(new Date(at * 1000))

/** The browser and system as a member knows them: "Chrome・Windows". */
export const deviceText = (userAgent: string): string => {
  if (userAgent === '') return '—'
  const { browser, os } = Bowser.parse(userAgent.slice(0, 512))
  return [browser.name, os.name].filter(Boolean).join('・') || '—'
}
