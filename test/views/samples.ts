import QRCode from 'qrcode'
import type { Locale } from '../../accounts/member.ts'
import {
  type CommonLocals,
  type Fault,
  PASSWORD_RULE_IDS,
  type Pages,
  type ViewName,
} from '../../views/pages.ts'
import { aSociety } from '../support/builders.ts'

/** One state of one page, as a step would show it. */
export type Sample = {
  [V in ViewName]: Readonly<{
    view: V
    state: string
    locals: Pages[V]
    step?: number
    values?: Readonly<Record<string, string>>
    /** What a member may have got wrong here. */
    faults?: readonly Fault[]
    otherWays?: NonNullable<CommonLocals['otherWays']>
    /** Outside any sign-in: no app, no forms of a step. */
    outside?: true
  }>
}[ViewName]

const mail = {
  address: 'hanako@example.jp',
  sentAt: '20時15分',
  reference: 'AB12CD',
  delayed: false,
  resendInSeconds: 0,
  senderAddress: 'no-reply@id.example.jp',
} as const

const link = {
  address: 'hanako@example.jp',
  matchNumber: '47',
  requestedAt: '2026年11月22日（日）20:15',
  requestedFrom: 'Chrome・Windows',
  token: 'a-token',
} as const

const undo = {
  formerAddress: 'hanako@example.jp',
  changedAt: '2026年11月22日（日）20:15',
  token: 'a-token',
} as const

const TERMS = [
  '# 第1条（目的）\nこの規約は、さくら健康保険組合のログインサービスを使うときの決まりです。',
  '第2条 サービスは予告なく止まることがあります。',
] as const

const TOTP_URI =
  'otpauth://totp/%E3%81%95%E3%81%8F%E3%82%89%E5%81%A5%E5%BA%B7%E4%BF%9D%E9%99%BA%E7%B5%84%E5%90%88:12345-678?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=%E3%81%95%E3%81%8F%E3%82%89%E5%81%A5%E5%BA%B7%E4%BF%9D%E9%99%BA%E7%B5%84%E5%90%88'
const app = {
  qr: await QRCode.toDataURL(TOTP_URI, { margin: 4, width: 480 }),
  uri: TOTP_URI,
  secretGroups: 'JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP',
  account: '12345-678',
  issuerName: 'さくら健康保険組合',
} as const

/** Options as @simplewebauthn/server writes them. */
const CREATION_OPTIONS = JSON.stringify({
  challenge: 'c2FtcGxlLWNoYWxsZW5nZS1vZi0zMi1ieXRlcy0tLS0',
  rp: { name: 'さくら健康保険組合', id: 'localhost' },
  user: { id: 'bWVtYmVyLTE', name: '12345-678', displayName: '12345-678' },
  pubKeyCredParams: [{ alg: -7, type: 'public-key' }],
  timeout: 300_000,
  attestation: 'none',
  excludeCredentials: [],
  authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
})
const REQUEST_OPTIONS = JSON.stringify({
  challenge: 'c2FtcGxlLWNoYWxsZW5nZS1vZi0zMi1ieXRlcy0tLS0',
  rpId: 'localhost',
  allowCredentials: [],
  timeout: 300_000,
  userVerification: 'required',
})

const CODES = [
  '7K2M-9QXD',
  'A4TE-0WJC',
  'VZ81-HHM6',
  '3N5R-YP2G',
  'QC9B-D07S',
  'E6XW-4KTA',
  '0JGM-RV83',
  'TB2Z-5NQE',
  'WX7C-P1DK',
  'H9AS-M6Y4',
]

const wrongCode: Fault = { field: 'code', reason: 'code.wrong', values: { left: 3 } }

/** Every page in every state that has words of its own. */
export const SAMPLES: readonly Sample[] = [
  {
    view: 'password',
    state: 'first',
    locals: { loginIdExample: '12345-678', counted: 'sakura' },
    faults: [{ reason: 'login.bad', values: { left: 4 } }],
    values: { username: '12345-678' },
  },
  {
    view: 'password',
    state: 'empty',
    locals: { loginIdExample: '12345-678', counted: 'sakura' },
    faults: [
      { field: 'username', reason: 'id.empty' },
      { field: 'password', reason: 'pw.empty' },
    ],
  },
  {
    view: 'birthdate',
    state: 'asked',
    locals: {},
    step: 2,
    values: { era: 'showa', year: '64', month: '2', day: '1' },
    faults: [{ field: 'year', reason: 'bday.impossible', values: { date: '昭和64年2月1日' } }],
  },
  {
    view: 'terms',
    state: 'asked',
    step: 3,
    locals: {
      version: '2026-04',
      effectiveFrom: '2026-04-01',
      summary: [
        'ログインの記録は、安全のために2年間残します。',
        'パスワードは、ほかの人に教えないでください。',
        'メールアドレスは、お知らせとログインの確認に使います。',
      ],
      text: TERMS,
    },
    faults: [{ field: 'agree', reason: 'terms.required' }],
  },
  { view: 'terms-declined', state: 'asked', step: 3, locals: {} },
  {
    view: 'email',
    state: 'onFile',
    step: 4,
    locals: { onFile: true },
    values: { email: 'hanako@example.jp' },
    faults: [{ field: 'email', reason: 'mail.format' }],
  },
  {
    view: 'email',
    state: 'masked',
    step: 4,
    locals: { onFile: true, maskedAddress: 'h•••••@example.jp' },
    values: { email: 'hanako@gmial.com' },
    faults: [{ field: 'email', reason: 'mail.typo', values: { suggest: 'hanako@gmail.com' } }],
  },
  {
    view: 'email',
    state: 'suggestion',
    step: 4,
    locals: { onFile: false },
    values: { email: 'hanako@gmial.com' },
    faults: [{ field: 'email', reason: 'mail.typo', values: { suggest: 'hanako@gmail.com' } }],
  },
  { view: 'email-desk', state: 'asked', step: 4, locals: {} },
  {
    view: 'email-old',
    state: 'sent',
    step: 4,
    locals: { ...mail, address: 'h•••••@example.jp' },
    faults: [wrongCode],
  },
  {
    view: 'email-wait',
    state: 'sent',
    step: 4,
    locals: {
      ...mail,
      matchNumber: '47',
      statusPath: '/interaction/abc/email-status',
      resendInSeconds: 42,
    },
    faults: [wrongCode],
  },
  {
    view: 'email-wait',
    state: 'delayed',
    step: 4,
    locals: {
      ...mail,
      notice: 'resent',
      delayed: true,
      matchNumber: '47',
      statusPath: '/interaction/abc/email-status',
    },
    faults: [{ field: 'code', reason: 'code.len', values: { n: 4 } }],
  },
  {
    view: 'email-wait',
    state: 'resumed',
    step: 4,
    locals: { ...mail, matchNumber: '', statusPath: '/interaction/abc/email-status' },
    faults: [{ field: 'code', reason: 'code.spent' }],
  },
  {
    view: 'choose-place',
    state: 'asked',
    step: 5,
    locals: { atWork: false },
    faults: [{ field: 'companyPc', reason: 'place.empty' }],
  },
  { view: 'choose-place', state: 'company', step: 5, locals: { atWork: true } },
  {
    view: 'choose-factor',
    state: 'companyPcOnly',
    step: 5,
    locals: {
      options: [{ id: 'emailCode', recommended: false, atWork: true }],
      unavailable: [
        { id: 'passkey', reason: 'place' },
        { id: 'totp', reason: 'place' },
      ],
      address: 'hanako@example.jp',
      companyPc: true,
    },
  },
  {
    view: 'choose-factor',
    state: 'all',
    step: 5,
    locals: {
      options: [
        { id: 'passkey', recommended: true, atWork: false },
        { id: 'totp', recommended: false, atWork: false },
        { id: 'emailCode', recommended: false, atWork: true },
      ],
      unavailable: [],
      address: 'hanako@example.jp',
      companyPc: true,
    },
    faults: [{ field: 'factor', reason: 'choice.empty' }],
  },
  {
    view: 'choose-factor',
    state: 'company',
    step: 5,
    locals: {
      options: [{ id: 'emailCode', recommended: false, atWork: false }],
      unavailable: [
        { id: 'passkey', reason: 'network', network: '会社のネットワーク' },
        { id: 'totp', reason: 'society' },
      ],
      address: 'hanako@example.jp',
      companyPc: false,
    },
    faults: [{ field: 'factor', reason: 'choice.unavailable' }],
  },
  {
    view: 'choose-factor',
    state: 'none',
    step: 5,
    locals: {
      options: [],
      unavailable: [{ id: 'passkey', reason: 'network', network: '会社のネットワーク' }],
      address: 'hanako@example.jp',
      companyPc: false,
    },
  },
  {
    view: 'new-password',
    state: 'asked',
    step: 6,
    locals: {
      loginId: '12345-678',
      rules: [
        { id: 'length', pattern: '^.{8,64}$', ok: false },
        { id: 'upperLower', pattern: '(?=.*[a-z])(?=.*[A-Z])', ok: false },
        { id: 'digit', pattern: '[0-9]', ok: false },
        { id: 'symbol', pattern: '[!-\\/:-@\\[-`\\{-~]', ok: false },
        { id: 'characters', pattern: '^[!-~]+$', ok: false },
        { id: 'noLoginId', pattern: '^(?!.*12345-678)', ok: false },
        { id: 'notInitial', ok: false },
        { id: 'notPersonal', ok: false },
        { id: 'notGuessable', ok: false },
      ],
    },
    faults: [
      { field: 'password', reason: 'pw.short', values: { n: 6 } },
      { field: 'password', reason: 'pw.classes', values: { missing: 'upper,digit,symbol' } },
    ],
  },
  {
    view: 'email-code',
    state: 'sent',
    locals: {
      ...mail,
      address: 'h•••••@example.jp',
      notice: 'resent',
      other: 't•••••@example.com',
    },
    otherWays: ['passkey', 'totp', 'recoveryCode'],
    faults: [wrongCode],
  },
  {
    view: 'email-code',
    state: 'paused',
    locals: { ...mail, address: '', sentAt: '', reference: '', resendInSeconds: 40 },
    otherWays: [],
    faults: [{ field: 'resend', reason: 'mail.paused', values: { time: '10:31' } }],
  },
  {
    view: 'email-code',
    state: 'networkRule',
    locals: {
      ...mail,
      address: 'h•••••@example.jp',
      reference: '7F3K-92QD',
      rule: { network: 'さくら電機の社内ネットワーク', permitted: ['emailCode'] },
    },
    otherWays: [],
    faults: [wrongCode],
  },
  {
    view: 'password',
    state: 'networkRule',
    locals: {
      loginIdExample: '12345-678',
      counted: 'sakura',
      noPasskeyOn: 'さくら電機の社内ネットワーク',
    },
    faults: [{ reason: 'login.bad', values: { left: 4 } }],
  },
  {
    view: 'password',
    state: 'passkey',
    locals: {
      loginIdExample: '12345-678',
      counted: 'sakura',
      passkeyOptionsJson: REQUEST_OPTIONS,
    },
    faults: [
      { reason: 'pk.gone', values: { credential: 'c29tZS1jcmVkZW50aWFs' } },
      { reason: 'method.place', values: { network: '会社のネットワーク' } },
    ],
  },
  {
    view: 'password',
    state: 'inApp',
    locals: { loginIdExample: '12345-678', counted: 'sakura', inAppBrowser: true },
  },
  {
    view: 'register-passkey',
    state: 'here',
    step: 7,
    locals: { optionsJson: CREATION_OPTIONS, where: 'here' },
    values: { label: 'Safari・iOS' },
    faults: [{ reason: 'pk.nolock' }, { reason: 'pk.dup' }],
  },
  {
    view: 'register-passkey',
    state: 'inApp',
    step: 7,
    locals: { optionsJson: CREATION_OPTIONS, where: 'here', inAppBrowser: true },
    values: { label: 'LINE・iOS' },
    faults: [{ reason: 'pk.unsupported' }],
  },
  {
    view: 'register-passkey',
    state: 'offer',
    locals: { optionsJson: CREATION_OPTIONS, where: 'here', offer: true },
    values: { label: 'Chrome・Windows' },
    faults: [{ reason: 'pk.cancel' }],
  },
  {
    view: 'register-passkey',
    state: 'phone',
    step: 7,
    locals: { optionsJson: CREATION_OPTIONS, where: 'phone' },
    values: { label: 'わたしのiPhone' },
    faults: [{ reason: 'pk.cancel' }],
  },
  {
    view: 'verify-passkey',
    state: 'asked',
    locals: { optionsJson: REQUEST_OPTIONS },
    otherWays: ['totp', 'recoveryCode'],
    faults: [{ reason: 'pk.cancel' }],
  },
  {
    view: 'verify-passkey',
    state: 'alone',
    locals: { optionsJson: REQUEST_OPTIONS, inAppBrowser: true },
    otherWays: [],
    faults: [{ reason: 'pk.failed' }],
  },
  {
    view: 'register-totp',
    state: 'asked',
    step: 7,
    locals: app,
    faults: [{ field: 'code', reason: 'totp.skew' }],
  },
  {
    view: 'register-totp',
    state: 'named',
    locals: { ...app, named: true },
    values: { label: '会社のスマートフォン' },
    faults: [{ field: 'code', reason: 'totp.wrong', values: { left: 3 } }],
  },
  {
    view: 'verify-totp',
    state: 'restart',
    locals: { counted: '' },
    otherWays: ['recoveryCode'],
    faults: [{ field: 'code', reason: 'code.restart', values: { app: '健康ポータル' } }],
  },
  {
    view: 'verify-totp',
    state: 'asked',
    locals: { counted: 'b2YgYSBtZW1iZXI' },
    otherWays: ['passkey', 'recoveryCode'],
    faults: [
      { field: 'code', reason: 'totp.wrong', values: { left: 3 } },
      { field: 'code', reason: 'totp.used' },
    ],
  },
  {
    view: 'verify-recovery-code',
    state: 'many',
    locals: { remaining: 9 },
    otherWays: ['passkey'],
    faults: [{ field: 'code', reason: 'recovery.wrong', values: { left: 4 } }],
  },
  {
    view: 'verify-recovery-code',
    state: 'few',
    locals: { remaining: 3 },
    otherWays: [],
    faults: [{ field: 'code', reason: 'recovery.format', values: { left: 4 } }],
  },
  {
    view: 'recovery-codes',
    state: 'shown',
    step: 7,
    locals: { codes: CODES, madeAt: '2026年11月22日（日）20:15' },
    faults: [{ field: 'saved', reason: 'recovery.unsaved' }],
  },
  {
    view: 'recovery-codes',
    state: 'few',
    locals: { codes: CODES, madeAt: '', left: 3, replaces: true, shownBefore: true },
  },
  { view: 'recovery-codes', state: 'none', locals: { codes: CODES, madeAt: '', left: 0 } },
  {
    view: 'consent',
    state: 'first',
    locals: {
      client: '歩くアプリ',
      thirdParty: true,
      society: 'さくら健康保険組合',
      site: 'walk.example.jp',
      items: [
        { kind: 'scope', id: 'openid', claims: [] },
        {
          kind: 'scope',
          id: 'profile',
          claims: ['name', 'name#ja-Kana-JP', 'birthdate', 'gender', 'locale', 'picture'],
        },
        { kind: 'scope', id: 'email', claims: ['email', 'email_verified'] },
        { kind: 'scope', id: 'insured', claims: ['insured_symbol', 'insured_number'] },
        { kind: 'scope', id: 'address', claims: ['address'] },
        { kind: 'claim', id: 'phone_number', essential: true },
        { kind: 'resource', id: 'steps:read', at: 'https://api.example.jp/' },
        { kind: 'scope', id: 'offline_access', claims: [] },
      ],
      before: [],
    },
  },
  {
    view: 'consent',
    state: 'more',
    locals: {
      client: '歩くアプリ',
      thirdParty: true,
      society: 'さくら健康保険組合',
      items: [{ kind: 'scope', id: 'email', claims: ['email'] }],
      before: [{ kind: 'scope', id: 'openid', claims: [] }],
    },
  },
  {
    view: 'consent',
    state: 'own',
    locals: {
      client: '健康ポータル',
      thirdParty: false,
      society: 'さくら健康保険組合',
      site: 'portal.example.jp',
      items: [{ kind: 'scope', id: 'openid', claims: [] }],
      before: [],
    },
  },
  { view: 'enrolled', state: 'passkey', step: 6, locals: { method: 'passkey' } },
  { view: 'enrolled', state: 'emailCode', locals: { method: 'emailCode' } },
  {
    view: 'done',
    state: 'emailCode',
    locals: { loginId: '12345-678', address: 'hanako@example.jp', method: 'emailCode' },
  },
  {
    view: 'done',
    state: 'passkeys',
    locals: {
      loginId: '12345-678',
      address: 'hanako@example.jp',
      method: 'passkey',
      registered: [{ id: 'passkey', label: 'Safari・iOS' }, { id: 'totp' }],
      codes: true,
      another: true,
    },
  },
  { view: 'another-method', state: 'asked', locals: { ways: ['passkey', 'totp'] } },
  {
    view: 'done',
    state: 'later',
    locals: {
      loginId: '12345-678',
      address: 'hanako@example.jp',
      method: 'passkey',
      registered: [{ id: 'emailCode' }],
      later: { network: '会社のネットワーク', days: 14 },
    },
  },
  { view: 'stopped', state: 'networkForbids', locals: { reason: 'networkForbids' } },
  {
    view: 'stopped',
    state: 'networkForbidsNamed',
    locals: { reason: 'networkForbids', network: 'さくら電機の社内ネットワーク' },
  },
  { view: 'stopped', state: 'blocked', locals: { reason: 'blocked' } },
  { view: 'stopped', state: 'disabled', locals: { reason: 'disabled' } },
  {
    view: 'stopped',
    state: 'initialPasswordExpired',
    locals: { reason: 'initialPasswordExpired' },
  },
  { view: 'stopped', state: 'enrolmentExpired', locals: { reason: 'enrolmentExpired' } },
  { view: 'stopped', state: 'registrationExpired', locals: { reason: 'registrationExpired' } },
  { view: 'email-link', state: 'ask', outside: true, locals: { ...link, state: 'ask' } },
  {
    view: 'email-link',
    state: 'confirmed',
    outside: true,
    locals: { ...link, state: 'confirmed' },
  },
  {
    view: 'email-link',
    state: 'shared',
    outside: true,
    locals: { ...link, state: 'ask', shared: true },
  },
  {
    view: 'email-link',
    state: 'confirmedShared',
    outside: true,
    locals: { ...link, state: 'confirmed', shared: true },
  },
  {
    view: 'email-link',
    state: 'confirmedHere',
    outside: true,
    locals: { ...link, state: 'confirmed', continuePath: '/interaction/abc' },
  },
  { view: 'email-link', state: 'used', outside: true, locals: { ...link, state: 'used' } },
  { view: 'email-link', state: 'expired', outside: true, locals: { ...link, state: 'expired' } },
  {
    view: 'email-link',
    state: 'superseded',
    outside: true,
    locals: { ...link, state: 'superseded' },
  },
  { view: 'email-undo', state: 'ask', outside: true, locals: { ...undo, state: 'ask' } },
  { view: 'email-undo', state: 'undone', outside: true, locals: { ...undo, state: 'undone' } },
  { view: 'email-undo', state: 'expired', outside: true, locals: { ...undo, state: 'expired' } },
  {
    view: 'account',
    state: 'all',
    outside: true,
    locals: {
      root: '/account/sakura',
      loginId: '12345-678',
      passkeys: [
        {
          id: 'key-1',
          label: 'iPhone（Safari）',
          registered: '2026年11月22日',
          used: '2026年11月23日（月）8:12',
          synced: true,
        },
        { id: 'key-2', label: '', registered: '2026年11月3日', synced: false },
      ],
      apps: [
        { id: 'app-1', label: '会社のスマートフォン', registered: '2026年11月3日' },
        { id: 'app-2', label: '', registered: '2026年11月3日' },
      ],
      adding: [{ factor: 'passkey' }, { factor: 'totp' }],
      address: 'h•••••@example.jp',
      secondAddress: 't•••••@example.com',
      preferred: 'passkey',
      recoveryCodes: { left: 7, made: true },
      passwordChanged: '2026年11月3日',
      sessions: [
        {
          uid: 'session-1',
          device: 'Chrome・Windows',
          current: true,
          since: '2026年11月23日（月）8:12',
          seen: '2026年11月23日（月）8:12',
        },
        {
          uid: 'session-2',
          device: 'Safari・iOS',
          current: false,
          since: '2026年11月22日（日）20:15',
          seen: '2026年11月22日（日）21:40',
        },
      ],
      connections: [
        {
          clientId: 'walk',
          name: '歩くアプリ',
          logo: '/logos/an-app',
          since: '2026年11月3日',
          items: [
            { kind: 'scope', id: 'openid', claims: [] },
            { kind: 'scope', id: 'email', claims: [] },
            { kind: 'scope', id: 'offline_access', claims: [] },
          ],
        },
        {
          clientId: 'old-diary',
          since: '2026年10月1日',
          items: [{ kind: 'scope', id: 'openid', claims: [] }],
        },
      ],
      done: 'passkeyRemoved',
      signals: '{"rpId":"localhost","userId":"dQ","allAcceptedCredentialIds":[]}',
    },
  },
  {
    view: 'account',
    state: 'company',
    outside: true,
    locals: {
      root: '/account/sakura',
      loginId: '12345-678',
      passkeys: [],
      apps: [],
      adding: [
        { factor: 'passkey', obstacle: 'network', network: '会社のネットワーク' },
        { factor: 'totp', obstacle: 'society' },
      ],
      address: 'h•••••@example.jp',
      recoveryCodes: undefined,
      passwordChanged: '2026年11月3日',
      sessions: [],
      connections: [],
    },
  },
  {
    view: 'account-choose',
    state: 'asked',
    outside: true,
    locals: {
      societies: [
        { name: 'さくら健康保険組合', href: '/account/sakura' },
        { name: 'みなと健康保険組合', href: '/account/minato' },
      ],
    },
  },
  {
    view: 'account-prove',
    state: 'asked',
    outside: true,
    locals: { href: '/account/sakura/prove?to=password' },
  },
  {
    view: 'account-closed',
    state: 'left',
    outside: true,
    locals: { href: '/account/sakura' },
  },
  {
    view: 'account-rename',
    state: 'asked',
    locals: { label: 'iPhone' },
    values: { label: 'iPhone' },
    faults: [{ field: 'label', reason: 'label.empty' }],
  },
  {
    view: 'account-remove',
    state: 'passkey',
    locals: {
      factor: 'passkey',
      label: 'iPhone',
      registered: '2026年11月3日',
      next: 'emailCode',
    },
  },
  {
    view: 'account-remove',
    state: 'last',
    locals: { factor: 'totp', label: '', registered: '2026年11月3日' },
    faults: [{ reason: 'method.last' }],
  },
  {
    view: 'account-email',
    state: 'asked',
    locals: { address: 'hanako@example.jp' },
    values: { email: 'hanako@gmial.com' },
    faults: [{ field: 'email', reason: 'mail.typo', values: { suggest: 'hanako@gmail.com' } }],
  },
  {
    view: 'account-second-email',
    state: 'none',
    locals: {},
    values: { email: 'hanako@example.jp' },
    faults: [{ field: 'email', reason: 'mail.held' }],
  },
  { view: 'account-second-email', state: 'held', locals: { second: 't•••••@example.com' } },
  { view: 'account-second-code', state: 'sent', locals: mail, faults: [wrongCode] },
  {
    view: 'account-method',
    state: 'asked',
    locals: { methods: ['passkey', 'totp', 'emailCode'] },
    faults: [{ field: 'factor', reason: 'choice.empty' }],
  },
  {
    view: 'account-password',
    state: 'asked',
    locals: {
      loginId: '12345-678',
      rules: [
        { id: 'length', pattern: '^.{8,64}$', ok: false },
        { id: 'notGuessable', ok: false },
      ],
    },
    faults: [{ field: 'current', reason: 'pw.current', values: { left: 8 } }],
  },
  {
    view: 'account-history',
    state: 'some',
    outside: true,
    locals: {
      signIns: [
        {
          at: '2026年11月23日（月）8:12',
          device: 'Chrome・Windows',
          app: '健康ポータル',
          factors: ['password', 'emailCode'],
        },
        { at: '2026年11月22日（日）20:15', device: 'Safari・iOS', factors: ['passkey'] },
      ],
    },
  },
  { view: 'account-history', state: 'none', outside: true, locals: { signIns: [] } },
  {
    view: 'logout',
    state: 'asked',
    outside: true,
    locals: { formAction: '/session/end/confirm', secret: 'engine-secret' },
  },
  {
    view: 'password',
    state: 'reset',
    locals: { loginIdExample: '12345-678', counted: 'sakura', passwordReset: true },
    faults: [{ reason: 'login.locked', values: { time: '20時15分' } }],
  },
  {
    view: 'forgot-password',
    state: 'first',
    locals: {},
    values: { username: '12345-678', year: '60' },
    faults: [
      { field: 'username', reason: 'id.empty' },
      { field: 'month', reason: 'bday.month' },
    ],
  },
  {
    view: 'reset-code',
    state: 'sent',
    locals: {
      sentAt: mail.sentAt,
      resendInSeconds: 42,
      senderAddress: mail.senderAddress,
    },
    faults: [wrongCode],
  },
  {
    view: 'reset-code',
    state: 'resent',
    locals: {
      sentAt: mail.sentAt,
      resendInSeconds: 0,
      senderAddress: mail.senderAddress,
      notice: 'resent',
    },
  },
  ...[false, true].map(
    (needsPass): Sample => ({
      view: 'reset-password',
      state: needsPass ? 'pass' : 'mailbox',
      locals: {
        loginId: '12345-678',
        rules: PASSWORD_RULE_IDS.map((id) => ({ id, ok: false })),
        needsPass,
      },
      faults: [
        ...(needsPass ? [{ field: 'pass', reason: 'pass.format' }] : []),
        { field: 'password', reason: 'pw.same' },
      ],
    }),
  ),
  {
    view: 'forgot-id',
    state: 'first',
    locals: {},
    values: { email: 'hanako' },
    faults: [{ field: 'email', reason: 'mail.format' }],
  },
  { view: 'forgot-id', state: 'sent', locals: { sentTo: 'hanako@example.jp' } },
  {
    view: 'lost-factor',
    state: 'ways',
    locals: { ways: ['passkey', 'totp', 'recoveryCode'] },
    faults: [{ field: 'pass', reason: 'pass.wrong', values: { left: 2 } }],
  },
  { view: 'lost-factor', state: 'none', locals: { ways: [] } },
  {
    view: 'desk-pass',
    state: 'stopped',
    locals: {},
    faults: [{ field: 'pass', reason: 'code.toomany', values: { time: '20時15分' } }],
  },
  {
    view: 'form-post',
    state: 'posting',
    outside: true,
    locals: {
      action: 'https://portal.sakura-kenpo.example/callback',
      fields: { code: 'a-code', state: 'a "state" & <more>' },
    },
  },
  { view: 'logged-out', state: 'done', outside: true, locals: {} },
  {
    view: 'logged-out',
    state: 'stayed',
    outside: true,
    locals: { stayed: { app: '健康ポータル' } },
  },
  {
    view: 'front',
    state: 'opened',
    outside: true,
    locals: {
      societies: [
        { name: 'さくら健康保険組合', href: '/help/sakura' },
        { name: 'みなと健康保険組合', href: '/help/minato' },
      ],
      demo: { portal: 'http://localhost:3001/', mailbox: 'http://localhost:3002/' },
    },
  },
  { view: 'help', state: 'topics', outside: true, locals: {} },
  { view: 'help', state: 'on-the-way', outside: true, locals: { backPath: '/interaction/one' } },
  {
    view: 'terms-text',
    state: 'earlier',
    outside: true,
    locals: { version: '2025-04', text: TERMS },
  },
  ...(['stale', 'client', 'logout', 'system', 'busy', 'notFound', 'forged'] as const).map(
    (kind): Sample => ({
      view: 'error',
      state: kind,
      outside: true,
      locals: {
        kind,
        code: kind === 'client' ? 'invalid_redirect_uri' : kind,
        ...(kind === 'logout' && {
          description: 'could not validate id_token_hint',
          signedIn: true,
        }),
        ...(kind === 'client' && { description: 'redirect_uri did not match any registered' }),
        ...(kind === 'busy' && { retryAfterSeconds: 2 }),
        ...(kind === 'stale' && { backUri: 'https://portal.example.jp/' }),
      },
    }),
  ),
]

const society = aSociety({
  id: 'sakura',
  name: { ja: 'さくら健康保険組合', en: 'Sakura Health Insurance Society' },
})

const WITH_PAPERS: ReadonlySet<ViewName> = new Set(['password', 'consent'])

const PREFILLED: ReadonlySet<ViewName> = new Set(['email', 'register-passkey'])

/** What every page gets, for one sample. */
export const commonOf = (
  sample: Sample,
  options: Readonly<{ locale: Locale; furigana?: boolean; faulty?: boolean }>,
): CommonLocals => ({
  locale: options.locale,
  furigana: options.furigana ?? false,
  society,
  app: {
    name: options.locale === 'ja' ? '健康ポータル' : 'Health Portal',
    uri: 'https://portal.example.jp/',
    ...(WITH_PAPERS.has(sample.view) && {
      logo: '/logos/an-app',
      policyUri: 'https://portal.example.jp/privacy',
      tosUri: 'https://portal.example.jp/terms',
    }),
  },
  self: sample.outside ? `/${sample.view}?k=1` : '/interaction/abc',
  ...(sample.step !== undefined && { step: sample.step }),
  faults: options.faulty ? (sample.faults ?? []) : [],
  values: (options.faulty || PREFILLED.has(sample.view) ? sample.values : undefined) ?? {},
  ...(sample.otherWays && { otherWays: sample.otherWays }),
  csrf: 'csrf-token',
  ...(!sample.outside && { base: '/interaction/abc' }),
  reference: '7F3K-92QD',
})

/** A name for a test or a picture. */
export const nameOf = ({ view, state }: Sample): string => `${view}-${state}`
