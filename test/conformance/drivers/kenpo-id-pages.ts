import type { PageRules } from './page-rules.ts'

const form = (act: string) => `form[action$="/${act}"]`

/** How Kenpo ID's own pages are answered, by the paths of their forms. */
export const KENPO_ID_PAGES: PageRules = {
  cancel: form('abort'),
  rules: [
    { asking: 'logout', on: 'button[name=logout]', press: 'button[name=logout]' },
    { asking: 'consent', on: form('consent'), press: form('consent') },
    {
      asking: 'passkey',
      on: `${form('verifyFactor')}[data-ceremony]`,
      press: `${form('verifyFactor')} button`,
    },
    {
      asking: 'passkey',
      on: `${form('registerFactor')}[data-ceremony]`,
      press: 'button[form=ceremony]',
    },
    {
      asking: 'sign-in',
      on: form('passkey'),
      of: { method: 'passkey', firstLogin: 'done' },
      press: form('passkey'),
    },
    {
      asking: 'sign-in',
      on: form('password'),
      fill: { username: '{username}', password: '{password}' },
      press: form('password'),
    },
    {
      asking: 'enrolment',
      on: form('birthdate'),
      fill: { era: 'seireki', year: '{birthYear}', month: '{birthMonth}', day: '{birthDay}' },
      press: form('birthdate'),
    },
    { asking: 'enrolment', on: form('terms'), fill: { agree: 'yes' }, press: form('terms') },
    // The waiting page asks for the mail's code; its form is sent to the same place.
    {
      asking: 'enrolment',
      on: `${form('email')} input[name=code]`,
      fill: { code: '{mailCode}' },
      press: form('email'),
    },
    {
      asking: 'enrolment',
      on: form('email'),
      fill: { email: '{address}' },
      press: form('email'),
    },
    {
      asking: 'enrolment',
      on: form('choose-place'),
      fill: { phone: 'yes' },
      press: form('choose-place'),
    },
    {
      asking: 'enrolment',
      on: form('chooseFactor'),
      of: { method: 'totp' },
      fill: { factor: 'totp' },
      press: form('chooseFactor'),
    },
    {
      asking: 'enrolment',
      on: form('chooseFactor'),
      of: { method: 'passkey' },
      fill: { factor: 'passkey' },
      press: form('chooseFactor'),
    },
    {
      asking: 'enrolment',
      on: form('chooseFactor'),
      fill: { factor: 'emailCode' },
      press: form('chooseFactor'),
    },
    {
      asking: 'enrolment',
      on: form('newPassword'),
      fill: { password: '{newPassword}' },
      press: form('newPassword'),
      set: { password: '{newPassword}' },
    },
    {
      asking: 'enrolment',
      on: form('registerFactor'),
      of: { method: 'totp' },
      keep: { totpSecret: '#totp-key' },
      fill: { code: '{totp}' },
      press: form('registerFactor'),
    },
    {
      asking: 'enrolment',
      on: form('recoveryCodes'),
      fill: { saved: 'yes' },
      press: form('recoveryCodes'),
    },
    { asking: 'enrolment', on: form('enrolled'), press: form('enrolled') },
    { asking: 'enrolment', on: form('done'), press: form('done'), set: { firstLogin: 'done' } },
    { asking: 'enrolment', on: form('device-later'), press: form('device-later') },
    {
      asking: 'code',
      on: form('verifyFactor'),
      of: { method: 'totp' },
      fill: { code: '{totp}' },
      press: form('verifyFactor'),
    },
    {
      asking: 'code',
      on: `${form('verifyFactor')} input[name=code]`,
      fill: { code: '{mailCode}' },
      press: form('verifyFactor'),
    },
  ],
}
