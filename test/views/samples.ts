import type { Locale } from '../../accounts/member.ts'
import type { CommonLocals, Fault, Pages, ViewName } from '../../views/pages.ts'
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
    /** Outside any sign-in: no app, no forms of a step. */
    outside?: true
  }>
}[ViewName]

const mail = {
  address: 'hanako@example.jp',
  sentAt: '20時15分',
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

const wrongCode: Fault = { field: 'code', reason: 'code.wrong', values: { left: 3 } }

/** Every page in every state that has words of its own. */
export const SAMPLES: readonly Sample[] = [
  {
    view: 'password',
    state: 'first',
    locals: { loginIdExample: '12345-678', restarted: false },
    faults: [{ reason: 'login.bad', values: { left: 4 } }],
    values: { username: '12345-678' },
  },
  {
    view: 'password',
    state: 'restarted',
    locals: { loginIdExample: '12345-678', restarted: true },
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
    locals: { onFile: true, changeNeedsOldAddress: true },
    values: { email: 'hanako@example.jp' },
    faults: [{ field: 'email', reason: 'mail.format' }],
  },
  {
    view: 'email',
    state: 'suggestion',
    step: 4,
    locals: { onFile: false, changeNeedsOldAddress: false },
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
      notice: 'sent',
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
      notice: 'codeExpired',
      delayed: true,
      matchNumber: '47',
      statusPath: '/interaction/abc/email-status',
    },
    faults: [{ field: 'code', reason: 'code.len', values: { n: 4 } }],
  },
  {
    view: 'choose-factor',
    state: 'all',
    step: 5,
    locals: {
      options: [
        { id: 'passkey', recommended: true },
        { id: 'totp', recommended: false },
        { id: 'emailCode', recommended: false },
      ],
      unavailable: [],
      address: 'hanako@example.jp',
    },
    faults: [{ field: 'factor', reason: 'choice.empty' }],
  },
  {
    view: 'choose-factor',
    state: 'company',
    step: 5,
    locals: {
      options: [{ id: 'emailCode', recommended: false }],
      unavailable: [
        { id: 'passkey', reason: 'network', network: '会社のネットワーク' },
        { id: 'totp', reason: 'society' },
      ],
      address: 'hanako@example.jp',
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
    locals: { ...mail, address: 'h•••••@example.jp', notice: 'resent', reference: '7F3K-92QD' },
    faults: [wrongCode],
  },
  { view: 'enrolled', state: 'passkey', step: 6, locals: { method: 'passkey' } },
  { view: 'enrolled', state: 'emailCode', step: 6, locals: { method: 'emailCode' } },
  {
    view: 'done',
    state: 'emailCode',
    locals: { loginId: '12345-678', address: 'hanako@example.jp', method: 'emailCode' },
  },
  { view: 'stopped', state: 'blocked', locals: { reason: 'blocked' } },
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
    view: 'logout',
    state: 'asked',
    outside: true,
    locals: { formAction: '/session/end/confirm', secret: 'engine-secret' },
  },
  { view: 'logged-out', state: 'done', outside: true, locals: {} },
  { view: 'help', state: 'topics', outside: true, locals: {} },
  {
    view: 'terms-text',
    state: 'earlier',
    outside: true,
    locals: { version: '2025-04', text: TERMS },
  },
  ...(['stale', 'client', 'system', 'busy', 'notFound', 'forged'] as const).map(
    (kind): Sample => ({
      view: 'error',
      state: kind,
      outside: true,
      locals: {
        kind,
        code: kind === 'client' ? 'invalid_redirect_uri' : kind,
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

/** What every page gets, for one sample. */
export const commonOf = (
  sample: Sample,
  options: Readonly<{ locale: Locale; furigana?: boolean; faulty?: boolean }>,
): CommonLocals => ({
  locale: options.locale,
  furigana: options.furigana ?? false,
  society,
  app: { name: options.locale === 'ja' ? '健康ポータル' : 'Health Portal' },
  self: sample.outside ? `/${sample.view}?k=1` : '/interaction/abc',
  ...(sample.step !== undefined && { step: sample.step }),
  faults: options.faulty ? (sample.faults ?? []) : [],
  values: (options.faulty || sample.view === 'email' ? sample.values : undefined) ?? {},
  csrf: 'csrf-token',
  ...(!sample.outside && { base: '/interaction/abc' }),
  reference: '7F3K-92QD',
})

/** A name for a test or a picture. */
export const nameOf = ({ view, state }: Sample): string => `${view}-${state}`
