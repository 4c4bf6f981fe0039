import type { Society } from '../../accounts/society.ts'

/** Whose members and clients those of the conformance profile are; nobody's real society. */
export const CONFORMANCE_SOCIETY: Society = {
  id: 'conformance',
  name: { ja: '適合性試験の健康保険組合', en: 'Conformance Test Society' },
  color: '#4a4f57',
  contact: {
    phone: '03-0000-0000',
    hours: { ja: '試験用のため受付なし', en: 'nobody answers: this is a test' },
  },
  loginIdExample: 'conf-pwd',
  terms: {
    version: 'conformance-1',
    effectiveFrom: '2026-01-01',
    summary: {
      ja: ['これは適合性試験のための、架空の規約です。'],
      en: ['These are fictional terms, for conformance tests.'],
    },
    text: {
      ja: ['# 第1条 試験\nこの規約は適合性試験のためだけにあり、何も定めません。'],
      en: ['# 1. Test\nThese terms exist for conformance tests only and settle nothing.'],
    },
    earlier: [],
  },
  registerFactor: 'sameSession',
  factors: ['passkey', 'totp', 'emailCode'],
  // No network has a rule of its own: wherever a suite runs, the same pages are shown.
  networks: [],
}
