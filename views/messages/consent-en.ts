import type { ConsentItem } from '../pages.ts'
import type { consentJa } from './consent-ja.ts'

const CLAIMS: Readonly<Record<string, string>> = {
  name: 'Full name',
  family_name: 'Family name',
  given_name: 'Given name',
  middle_name: 'Middle name',
  nickname: 'Nickname',
  preferred_username: 'Preferred user name',
  profile: 'Profile page',
  picture: 'Photo',
  website: 'Website',
  gender: 'Gender',
  birthdate: 'Date of birth',
  zoneinfo: 'Time zone',
  locale: 'Language',
  updated_at: 'When your profile changed',
  'name#ja-Kana-JP': 'Reading of your name',
  'family_name#ja-Kana-JP': 'Reading of your family name',
  'given_name#ja-Kana-JP': 'Reading of your given name',
  email: 'Email address',
  email_verified: 'Whether your email address is confirmed',
  address: 'Postal address',
  phone_number: 'Phone number',
  phone_number_verified: 'Whether your phone number is confirmed',
  insured_symbol: 'Insurance symbol',
  insured_number: 'Insurance number',
}

/** A profile in few words: what belongs together has one. */
const PROFILE: Readonly<Record<string, readonly string[]>> = {
  name: ['name', 'family_name', 'given_name', 'middle_name'],
  'its reading': ['name#ja-Kana-JP', 'family_name#ja-Kana-JP', 'given_name#ja-Kana-JP'],
  nickname: ['nickname', 'preferred_username'],
  'date of birth': ['birthdate'],
  gender: ['gender'],
  photo: ['picture'],
  website: ['profile', 'website'],
  'language and time zone': ['locale', 'zoneinfo'],
}

const SCOPES: Readonly<Record<string, string>> = {
  openid: 'That you logged in',
  profile: 'Profile',
  email: 'Email address',
  address: 'Postal address',
  phone: 'Phone number',
  insured: 'Insurance symbol and number',
  offline_access: 'Use while you are not logged in',
}

const ABOUT: Readonly<Record<string, string>> = {
  openid: 'A number that tells you apart, and when and how you logged in. Not your name.',
  email: 'The address, and whether it is confirmed.',
  address: 'The address that the society has on file.',
  phone: 'The number, and whether it is confirmed.',
  insured: 'The symbol and number in your notice of eligibility.',
  offline_access: 'After you close the page it can see what is listed here for up to 30 days.',
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}`

const title = (item: ConsentItem): string => {
  if (item.kind === 'scope') return SCOPES[item.id] ?? item.id
  return item.kind === 'claim'
    ? (CLAIMS[item.id] ?? item.id)
    : `Use of data${item.id === '' ? '' : ` (${item.id})`}`
}

const about = (item: ConsentItem): string => {
  if (item.kind === 'resource') return item.at
  if (item.kind === 'claim') return ''
  if (item.id !== 'profile') return ABOUT[item.id] ?? ''
  const words = Object.entries(PROFILE)
    .filter(([, claims]) => claims.some((claim) => item.claims.includes(claim)))
    .map(([word]) => word)
  return words.length === 0 ? '' : `${sentence(words.join(', '))}: as far as on file.`
}

/** What an application is allowed: the page that asks, and the list of what was. */
export const consentEn: typeof consentJa = {
  title,
  about,
  join: ', ',
  essential: 'Required',
  third: 'Not run by your society',
  own: (society) => `Run by ${society}`,
  site: (host) => `Goes to: ${host}`,
  device: 'Goes to: an app on this device',
  lead: (client, society) =>
    `${client} is not a service of ${society}. Check what it would receive, then choose.`,
  ownLead: (client) => `Choose whether ${client} may use the following.`,
  items: 'What it receives',
  fresh: 'What it receives in addition',
  before: 'What you allowed before',
  never: 'It never receives your password, passkeys or codes.',
  allow: 'Allow',
  deny: 'Do not allow',
  later: 'You can end this at any time: Login settings, “Connected apps”.',
  denied: (client) => `If you do not allow it, you go back to ${client} and nothing is shared.`,
  policy: (client) => `Privacy policy of ${client}`,
  tos: (client) => `Terms of ${client}`,
}
