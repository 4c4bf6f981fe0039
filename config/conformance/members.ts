import type { ChosenFactor, Profile } from '../../accounts/member.ts'
import type { Localized } from '../../accounts/society.ts'

/** A fictional member whose every secret is public. */
export type ConformanceMember = Readonly<{
  loginId: string
  password: string
  /** YYYY-MM-DD */
  birthdate: string
  email: string
  /** Missing: the first login is yet to come, with `password` as the postcard's. */
  method?: ChosenFactor
  /** Of the app's secret, 20 ASCII characters as RFC 4226 asks of bytes. */
  totpSecret?: string
  /** What the passkey is made out of: see `conformanceKey`. */
  passkey?: string
  what: Localized
}>

/** As the engine keeps a passkey's ID: one that is known to testers. */
export const passkeyIdOf = (name: string): string =>
  Buffer.from(`${name}-passkey`).toString('base64url')

/** IDs of the profile's members; the passkey's user handle is made from it. */
export const memberIdOf = (loginId: string): string => `conformance-${loginId}`

/** Whom a suite signs in; each start makes them anew. */
export const CONFORMANCE_MEMBERS: readonly ConformanceMember[] = [
  {
    loginId: 'conf-pwd',
    password: 'Shiken-no-Tame-11!',
    birthdate: '1981-01-11',
    email: 'conf-pwd@conformance.example',
    method: 'emailCode',
    what: { ja: 'パスワードだけで足りる接続用', en: 'for clients content with a password' },
  },
  {
    loginId: 'conf-totp',
    password: 'Shiken-no-Tame-22!',
    birthdate: '1982-02-12',
    email: 'conf-totp@conformance.example',
    method: 'totp',
    totpSecret: 'conformance-totp-key',
    what: { ja: '認証アプリ', en: 'authenticator app' },
  },
  {
    loginId: 'conf-mail',
    password: 'Shiken-no-Tame-33!',
    birthdate: '1983-03-13',
    email: 'conf-mail@conformance.example',
    method: 'emailCode',
    what: { ja: 'メールのコード', en: 'e-mail code' },
  },
  {
    loginId: 'conf-passkey',
    password: 'Shiken-no-Tame-44!',
    birthdate: '1984-04-14',
    email: 'conf-passkey@conformance.example',
    method: 'passkey',
    passkey: 'conf-passkey',
    what: { ja: 'パスキー', en: 'passkey' },
  },
  {
    loginId: 'conf-new',
    password: 'kT4m-Wq8z-Hn6E',
    birthdate: '1985-05-15',
    email: 'conf-new@conformance.example',
    what: { ja: '初回ログイン前', en: 'before the first login' },
  },
  {
    loginId: 'conf-guess',
    password: 'Shiken-no-Tame-66!',
    birthdate: '1986-06-16',
    email: 'conf-guess@conformance.example',
    method: 'totp',
    totpSecret: 'conformance-guessed!',
    what: { ja: 'コードの当て推量を試される', en: 'whose codes are guessed at' },
  },
]

/**
 * Every claim of the scopes profile, address and phone (OIDC Core section 5.1): a suite's scope
 * modules warn of each that is missing. `birthdate`, `locale` and `email` are the member's own.
 */
export const profileOf = ({ loginId }: ConformanceMember, site: string): Profile => ({
  name: '試験 太郎',
  family_name: '試験',
  given_name: '太郎',
  middle_name: '中',
  nickname: 'タロウ',
  preferred_username: loginId,
  'name#ja-Kana-JP': 'シケン タロウ',
  'family_name#ja-Kana-JP': 'シケン',
  'given_name#ja-Kana-JP': 'タロウ',
  profile: `${site}/${loginId}`,
  picture: `${site}/${loginId}.png`,
  website: site,
  gender: 'unspecified',
  zoneinfo: 'Asia/Tokyo',
  phone_number: '+81312345678',
  phone_number_verified: true,
  address: {
    formatted: '〒100-0001 東京都千代田区千代田1-1',
    street_address: '千代田1-1',
    locality: '千代田区',
    region: '東京都',
    postal_code: '100-0001',
    country: 'JP',
  },
  updated_at: 1_767_225_600,
})

/** Reserved for documents (RFC 2606): nobody is there. */
export const PROFILE_SITE = 'https://members.conformance.example'
