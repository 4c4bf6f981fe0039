import type { ConsentItem } from '../pages.ts'

const CLAIMS: Readonly<Record<string, string>> = {
  name: '氏名',
  family_name: '姓',
  given_name: '名',
  middle_name: 'ミドルネーム',
  nickname: 'ニックネーム',
  preferred_username: '希望するユーザ名',
  profile: 'プロフィールのページ',
  picture: '写真',
  website: 'ウェブサイト',
  gender: '性別',
  birthdate: '生年月日',
  zoneinfo: '時間帯',
  locale: '使う言語',
  updated_at: 'プロフィールを変えた日時',
  'name#ja-Kana-JP': '氏名のふりがな',
  'family_name#ja-Kana-JP': '姓のふりがな',
  'given_name#ja-Kana-JP': '名のふりがな',
  email: 'メールアドレス',
  email_verified: 'メールアドレスを確認したか',
  address: '住所',
  phone_number: '電話番号',
  phone_number_verified: '電話番号を確認したか',
  insured_symbol: '保険の記号',
  insured_number: '保険の番号',
}

/** A profile in few words: what belongs together has one. */
const PROFILE: Readonly<Record<string, readonly string[]>> = {
  氏名: ['name', 'family_name', 'given_name', 'middle_name'],
  ふりがな: ['name#ja-Kana-JP', 'family_name#ja-Kana-JP', 'given_name#ja-Kana-JP'],
  ニックネーム: ['nickname', 'preferred_username'],
  生年月日: ['birthdate'],
  性別: ['gender'],
  写真: ['picture'],
  ウェブサイト: ['profile', 'website'],
  言語と時間帯: ['locale', 'zoneinfo'],
}

const SCOPES: Readonly<Record<string, string>> = {
  openid: 'ログインしたこと',
  profile: 'プロフィール',
  email: 'メールアドレス',
  address: '住所',
  phone: '電話番号',
  insured: '保険の記号・番号',
  offline_access: 'ログインしていない間の利用',
}

const ABOUT: Readonly<Record<string, string>> = {
  openid: 'あなたを見分ける番号と、ログインした時刻・方法。氏名は含みません。',
  email: 'アドレスと、確認が済んでいるか。',
  address: '組合に登録されている住所。',
  phone: '番号と、確認が済んでいるか。',
  insured: '資格情報のお知らせにある記号と番号。',
  offline_access: '画面を閉じたあとも、最長30日、ここに並ぶ情報を見られます。',
}

const title = (item: ConsentItem): string => {
  if (item.kind === 'scope') return SCOPES[item.id] ?? item.id
  return item.kind === 'claim'
    ? (CLAIMS[item.id] ?? item.id)
    : `データの利用${item.id === '' ? '' : `（${item.id}）`}`
}

const about = (item: ConsentItem): string => {
  if (item.kind === 'resource') return item.at
  if (item.kind === 'claim') return ''
  if (item.id !== 'profile') return ABOUT[item.id] ?? ''
  const words = Object.entries(PROFILE)
    .filter(([, claims]) => claims.some((claim) => item.claims.includes(claim)))
    .map(([word]) => word)
  return words.length === 0 ? '' : `${words.join('・')}のうち、登録があるもの。`
}

/** What an application is allowed: the page that asks, and the list of what was. */
export const consentJa = {
  title,
  about,
  join: '・',
  essential: '必ず必要',
  third: '組合の外のサービス',
  own: (society: string) => `${society}のサービス`,
  site: (host: string) => `渡す先：${host}`,
  device: '渡す先：この端末のアプリ',
  lead: (client: string, society: string) =>
    `${client}は、${society}のサービスではありません。渡す情報を確かめて、選んでください。`,
  ownLead: (client: string) => `${client}が、次の情報を使うことを許可するか、選んでください。`,
  items: '渡す情報',
  fresh: '新しく渡す情報',
  before: 'すでに許可した情報',
  never: 'パスワード・パスキー・確認コードは渡しません。',
  allow: '許可する',
  deny: '許可しない',
  later: 'やめたくなったら、「ログインの設定」の「連携しているアプリ」から、いつでも取り消せます。',
  denied: (client: string) => `許可しないときは、何も渡さずに${client}へ戻ります。`,
  policy: (client: string) => `${client}のプライバシーポリシー`,
  tos: (client: string) => `${client}の利用規約`,
}
