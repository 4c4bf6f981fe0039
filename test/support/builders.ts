import type { Proof } from '../../accounts/assurance.ts'
import type { KnownFacts } from '../../accounts/enrolment.ts'
import type { Member, MemberId } from '../../accounts/member.ts'
import type { Society } from '../../accounts/society.ts'

/** The time builders speak of: 2026-04-10 09:00 in Japan. */
export const T0 = Date.UTC(2026, 3, 10) / 1000

/** Whose hash `aMember` and `anEnrolledMember` carry. */
export const A_PASSWORD = 'Hanabi-2026-matsuri'
/** Of 64 KiB and one pass: thousands of sign-ins need not each cost what the product's own do. */
const A_PASSWORD_HASH =
  '$argon2id$v=19$m=64,t=1,p=1$dr4H+rdWLwoNOrYtBbiK6g$kRFQ8r7LDxom2hxLX9QeUOK1fO9U81h4UZRQp1IK9/M'

export const A_TERMS_VERSION = '2026-04'

/** A member as the society's desk has just made them: nothing of the first login done. */
export const aMember = (over: Partial<Member> = {}): Member => ({
  id: 'member-1' as MemberId, // a test's own ID: ids are made by casting, nowhere else in a test
  societyId: 'sakura',
  loginId: '12345-678',
  insured: { symbol: '12345', number: '678' },
  birthdate: '1985-04-01',
  locale: 'ja',
  password: { hash: A_PASSWORD_HASH, initial: 'random', changedAt: T0 - 30 * 86_400 },
  acceptedTerms: [],
  credentials: [],
  revision: 0,
  ...over,
})

/** A member whose first login is complete, with the e-mail code as their method. */
export const anEnrolledMember = (over: Partial<Member> = {}): Member =>
  aMember({
    password: { hash: A_PASSWORD_HASH, changedAt: T0 - 86_400 },
    birthdateConfirmedAt: T0 - 86_400,
    acceptedTerms: [
      {
        version: A_TERMS_VERSION,
        textHash: '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU',
        at: T0 - 86_400,
        clientId: 'health-portal',
      },
    ],
    email: { address: 'hanako@example.com', verifiedAt: T0 - 86_400 },
    chosenFactor: 'emailCode',
    enrolledAt: T0 - 86_400,
    ...over,
  })

export const aSociety = (over: Partial<Society> = {}): Society => ({
  id: 'sakura',
  name: { ja: 'さくら健康保険組合', en: 'Sakura Health Insurance Society' },
  color: '#0f5ba7',
  contact: {
    phone: '03-0000-0000',
    hours: { ja: '平日9時〜17時', en: 'weekdays 9:00–17:00' },
  },
  loginIdExample: '12345-678',
  terms: {
    version: A_TERMS_VERSION,
    effectiveFrom: '2026-04-01',
    summary: { ja: ['ご本人だけが使えます。'], en: ['For you alone.'] },
    text: { ja: ['# 第1条\nこの規約について。'], en: ['# Article 1\nAbout these terms.'] },
    earlier: [],
  },
  registerFactor: 'sameSession',
  factors: ['passkey', 'totp', 'emailCode'],
  networks: [],
  ...over,
})

export const aProof = (over: Partial<Proof> = {}): Proof => ({
  factor: 'password',
  at: T0,
  ...over,
})

/** Where a member stands who has just proved the password, everything permitted. */
export const facts = (over: Partial<KnownFacts> = {}): KnownFacts => ({
  now: T0,
  member: aMember(),
  request: { requiredAcr: 'urn:kenpo-id:acr:email', proofsSince: 0 },
  network: { name: '', factors: ['passkey', 'totp', 'emailCode'] },
  society: { id: 'sakura', termsVersion: A_TERMS_VERSION, registerFactor: 'sameSession' },
  session: { proofs: [aProof()], enrolledHere: false, doneSeen: false, offerDevice: false },
  ...over,
})
