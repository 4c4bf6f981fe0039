/** The portal's words. */
const ja = {
  language: '言語',
  demo: 'デモ用の架空のサービスです',
  skip: '本文へ',
  tagline: '医療費や健診のことを、いつでもスマートフォンで。',
  login: 'ログイン',
  firstTime: 'はじめての方も、はがきのユーザIDでこのボタンからお進みください。',
  logout: 'ログアウト',
  welcome: 'ようこそ',
  signedIn: 'ログインしています。',
  servicesTitle: 'できること',
  services: [
    { title: '医療費のお知らせ', detail: '3月分：2件、自己負担 4,380円' },
    { title: '健診の予約', detail: '今年度の健診は 9月30日まで' },
    { title: '給付金の申請', detail: '申請中のものはありません' },
    { title: '健康ポイント', detail: '1,250ポイント' },
  ],
  claimsTitle: 'このログインの情報（IDトークン）',
  claim: '項目',
  value: '値',
  tryTitle: '動きを試す',
  tries: {
    promptLogin: 'もう一度ログインを求める（prompt=login）',
    maxAge: '今すぐのログインを求める（max_age=0）',
    promptNone: '画面を出さずに確かめる（prompt=none）',
    english: '英語の画面でログイン（ui_locales=en）',
    hint: 'ユーザIDを入れた状態でログイン（login_hint）',
  },
  notices: {
    access_denied: {
      title: 'ログインをやめました',
      text: 'ログインは完了していません。いつでもやり直せます。',
    },
    login_required: {
      title: 'まだログインしていません',
      text: 'ログインサービスにはログインしていませんでした。',
    },
    stale: {
      title: 'もう一度ログインしてください',
      text: '時間がたったか、別の画面で始めたログインでした。',
    },
    unreachable: {
      title: 'ログインサービスにつながりません',
      text: '少し待ってから、もう一度お試しください。',
    },
    issuer: {
      title: 'このログインサービスは使えません',
      text: '登録されていないログインサービスから呼び出されました。',
    },
    failed: {
      title: 'ログインできませんでした',
      text: 'お手数ですが、もう一度お試しください。',
    },
    signedOut: {
      title: 'ログアウトしました',
      text: 'ご利用ありがとうございました。',
    },
    notFound: { title: 'ページが見つかりません', text: 'アドレスをお確かめください。' },
  },
  retry: 'もう一度ログインする',
  top: 'トップへ',
  code: 'エラーコード',
}

const en: typeof ja = {
  language: 'Language',
  demo: 'A fictional service, for demonstration',
  skip: 'Skip to content',
  tagline: 'Your medical costs and check-ups, on your phone at any time.',
  login: 'Sign in',
  firstTime: 'First time here? Start with this button too, using the user ID on your postcard.',
  logout: 'Sign out',
  welcome: 'Welcome',
  signedIn: 'You are signed in.',
  servicesTitle: 'What you can do',
  services: [
    { title: 'Medical costs', detail: 'March: 2 visits, 4,380 yen paid by you' },
    { title: 'Book a check-up', detail: 'Open until 30 September this year' },
    { title: 'Claim a benefit', detail: 'Nothing in progress' },
    { title: 'Health points', detail: '1,250 points' },
  ],
  claimsTitle: 'About this sign-in (ID token)',
  claim: 'Claim',
  value: 'Value',
  tryTitle: 'Try it out',
  tries: {
    promptLogin: 'Ask to sign in again (prompt=login)',
    maxAge: 'Ask for a sign-in right now (max_age=0)',
    promptNone: 'Check without showing a page (prompt=none)',
    english: 'Sign in on English pages (ui_locales=en)',
    hint: 'Sign in with the user ID filled in (login_hint)',
  },
  notices: {
    access_denied: {
      title: 'You cancelled the sign-in',
      text: 'You are not signed in. You can start again at any time.',
    },
    login_required: {
      title: 'You are not signed in yet',
      text: 'There was no session at the sign-in service.',
    },
    stale: {
      title: 'Please sign in again',
      text: 'That sign-in was started too long ago or in another browser.',
    },
    unreachable: {
      title: 'The sign-in service cannot be reached',
      text: 'Please wait a moment and try again.',
    },
    issuer: {
      title: 'This sign-in service cannot be used',
      text: 'The request came from a sign-in service that is not registered here.',
    },
    failed: { title: 'The sign-in did not succeed', text: 'Please try again.' },
    signedOut: { title: 'You are signed out', text: 'Thank you for your visit.' },
    notFound: { title: 'Page not found', text: 'Please check the address.' },
  },
  retry: 'Sign in again',
  top: 'To the front page',
  code: 'Error code',
}

export const TEXTS = { ja, en }
export type Language = keyof typeof TEXTS
export type NoticeId = keyof typeof ja.notices
