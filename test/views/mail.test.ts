import { describe, expect, test } from '@jest/globals'
import { parse } from 'node-html-parser'
import { MAIL_TEMPLATES } from '../../accounts/ports.ts'
import { type MailValues, writeMail } from '../../views/mail.ts'
import { aSociety } from '../support/builders.ts'

const society = aSociety()
const challenge = {
  code: '482913',
  minutes: 10,
  requestedAt: '2026年11月22日（日）20:15',
  requestedFrom: 'Chrome・Windows',
}
const numbered = { ...challenge, reference: 'AB12CD' }
const VALUES: MailValues = {
  confirmAddress: {
    ...numbered,
    link: 'https://id.example.jp/email/a-b_c?x=1&y=2',
    matchNumber: '47',
  },
  confirmSecondAddress: numbered,
  proveAddressOnFile: numbered,
  signInCode: { ...numbered, appName: '健康ポータル' },
  addressChanged: { changedAt: '2026年11月22日', link: 'https://id.example.jp/email-undo/t' },
  addressConfirmed: { address: 'n•••••@example.jp', at: '2026年11月22日' },
  passwordChanged: { at: '2026年11月22日' },
  methodAdded: { method: 'passkey', at: '2026年11月22日' },
  methodRemoved: { method: 'totp', at: '2026年11月22日' },
  newDevice: { device: 'Chrome・Windows', at: '2026年11月22日' },
  recoveryCodeUsed: { left: '3', at: '2026年11月22日' },
  resetCode: challenge,
  userIdReminder: { loginIds: '12345-678', at: '2026年11月22日' },
  deskPassUsed: { at: '2026年11月22日' },
  appConnected: { app: '歩くアプリ', at: '2026年11月22日' },
  appDisconnected: { app: '歩くアプリ', at: '2026年11月22日' },
  locked: { until: '20時15分', at: '2026年11月22日' },
}
const CASES = MAIL_TEMPLATES.flatMap((template) =>
  (['ja', 'en'] as const).map((locale) => ({ template, locale })),
)

describe.each(CASES)('the mail $template in $locale', ({ template, locale }) => {
  const values = VALUES[template]
  const mail = writeMail(template, locale, { society, values })

  test('names the society and its desk, and keeps the code out of the subject', () => {
    expect(mail.subject).toContain(society.name[locale])
    expect(mail.subject).not.toContain(challenge.code)
    expect(mail.text).toContain(`${society.contact.phone}`)
    expect(mail.text).toContain(society.contact.hours[locale])
    expect(mail.text).toMatch(/送信専用|only sends email/u)
    expect(mail.text).not.toMatch(/undefined/u)
  })

  test('says everything it was given, in plain text and in HTML', () => {
    const said = parse(mail.html).text
    const told = 'method' in values ? [values.at] : Object.values(values).map(String)
    for (const value of told) {
      expect(mail.text).toContain(value)
      expect(said.replaceAll('&amp;', '&')).toContain(value)
    }
  })

  test('fetches nothing and runs nothing', () => {
    const root = parse(mail.html)
    expect(root.querySelectorAll('img, script, link, style, form')).toEqual([])
    expect(mail.html).not.toMatch(/url\(|<[^>]+\son[a-z]+=/u)
  })
})

test('the code comes before the link, for members whose carrier refuses links', () => {
  const { text } = writeMail('confirmAddress', 'ja', { society, values: VALUES.confirmAddress })
  expect(text.indexOf('482913')).toBeLessThan(text.indexOf('https://'))
  expect(text.indexOf('482913')).toBeGreaterThan(0)
})

test('a name with markup in it stays a name', () => {
  const appName = '<img src=x onerror=alert(1)>'
  const { html, text } = writeMail('signInCode', 'ja', {
    society,
    values: { ...VALUES.signInCode, appName },
  })
  expect(parse(html).querySelectorAll('img')).toEqual([])
  expect(text).toContain(appName)
})
