/** Seconds since 1970-01-01T00:00:00Z, whole. */
export type EpochSeconds = number
export type Locale = 'ja' | 'en'
export type MemberId = string & { readonly brand: 'MemberId' }

export const FACTOR_IDS = ['password', 'passkey', 'totp', 'emailCode', 'recoveryCode'] as const
export type FactorId = (typeof FACTOR_IDS)[number]

/** The methods a member may choose at first login, the recommended one first (manual chapter 2). */
export const CHOSEN_FACTORS = ['passkey', 'totp', 'emailCode'] as const
export type ChosenFactor = (typeof CHOSEN_FACTORS)[number]

export type Credential = Readonly<{
  id: string
  factor: FactorId
  label?: string
  registeredAt: EpochSeconds
  /** Owned by the factor's own file; nothing else reads it. */
  data: unknown
}>

/** One acceptance of one version of the society's terms (manual step 4). */
export type TermsAcceptance = Readonly<{
  version: string
  /** SHA-256 of the text shown, base64url. */
  textHash: string
  at: EpochSeconds
  clientId: string
}>

/**
 * How a password that the member did not set came about: `random` was printed on a postcard,
 * `derived` is the legacy symbol + number + birthdate, which a colleague can guess.
 */
export type InitialPassword = 'random' | 'derived'

/** The member: one aggregate, saved whole by compare-and-set on `revision`. */
export type Member = Readonly<{
  id: MemberId
  societyId: string
  /** As printed on the postcard; unique within the society by `loginKey`. */
  loginId: string
  /** The insurer's symbol and number; refused inside passwords, never a default claim. */
  insured?: Readonly<{ symbol: string; number: string }>
  /** YYYY-MM-DD */
  birthdate: string
  locale: Locale
  /** `verifiedAt` missing: on file at the society, not proven yet. */
  email?: Readonly<{ address: string; verifiedAt?: EpochSeconds }>
  password: Readonly<{
    /** argon2id, PHC string. */
    hash: string
    /** Present until the member has set a password of their own. */
    initial?: InitialPassword
    changedAt: EpochSeconds
  }>
  birthdateConfirmedAt?: EpochSeconds
  /** Every acceptance, oldest first. */
  acceptedTerms: readonly TermsAcceptance[]
  chosenFactor?: ChosenFactor
  credentials: readonly Credential[]
  /** First login completed. */
  enrolledAt?: EpochSeconds
  /** A lasting block, lifted by recovery or the society's desk; passing throttles are elsewhere. */
  blocked?: Readonly<{ reason: 'emailChangeUndone'; since: EpochSeconds }>
  /** 0 before the first save; each save adds one. */
  revision: number
}>

/**
 * The form of a login ID by which it is unique and by which failures are counted: NFKC, trimmed,
 * the dashes that NFKC leaves apart made one, lower case.
 */
export const loginKey = (loginId: string): string =>
  loginId
    .normalize('NFKC')
    .trim()
    .replace(/[\u2010-\u2015\u2212\u30fc\uff0d]/gu, '-')
    .toLowerCase()

export const confirmBirthdate = (member: Member, at: EpochSeconds): Member => ({
  ...member,
  birthdateConfirmedAt: at,
})

export const acceptTerms = (member: Member, acceptance: TermsAcceptance): Member => ({
  ...member,
  acceptedTerms: [...member.acceptedTerms, acceptance],
})

export const verifyEmail = (member: Member, address: string, at: EpochSeconds): Member => ({
  ...member,
  email: { address, verifiedAt: at },
})

export const chooseFactor = (member: Member, chosenFactor: ChosenFactor): Member => ({
  ...member,
  chosenFactor,
})

/** A password of the member's own: the initial one is dead from here on. */
export const changePassword = (member: Member, hash: string, at: EpochSeconds): Member => ({
  ...member,
  password: { hash, changedAt: at },
})

export const addCredential = (member: Member, credential: Credential): Member => ({
  ...member,
  credentials: [...member.credentials, credential],
})

export const replaceCredential = (member: Member, credential: Credential): Member => ({
  ...member,
  credentials: member.credentials.map((held) => (held.id === credential.id ? credential : held)),
})

export const removeCredential = (member: Member, id: string): Member => ({
  ...member,
  credentials: member.credentials.filter((held) => held.id !== id),
})

export const completeEnrolment = (member: Member, at: EpochSeconds): Member => ({
  ...member,
  enrolledAt: at,
})

/**
 * The holder of the former address says that the change was not theirs: the former address comes
 * back unproven and nobody signs in until the society's desk has spoken with the member.
 */
export const undoEmailChange = (member: Member, former: string, at: EpochSeconds): Member => ({
  ...member,
  email: { address: former },
  blocked: { reason: 'emailChangeUndone', since: at },
})
