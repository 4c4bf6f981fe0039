import type { Proof } from './assurance.ts'
import { emailKey } from './email-address.ts'

/** Seconds since 1970-01-01T00:00:00Z, whole. */
export type EpochSeconds = number
export type Locale = 'ja' | 'en'
export type MemberId = string & { readonly brand: 'MemberId' }

/** `deskPass` is proven once and registered by nobody: it opens the way to a new method, no more. */
export const FACTOR_IDS = [
  'password',
  'passkey',
  'totp',
  'emailCode',
  'recoveryCode',
  'deskPass',
] as const
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

/**
 * `disabled`: by the society's desk, which alone ends it; a block that was there before (`under`)
 * is then there again.
 */
export type Block = Readonly<
  | { reason: 'emailChangeUndone'; since: EpochSeconds }
  | {
      reason: 'disabled'
      since: EpochSeconds
      under?: Readonly<{ reason: 'emailChangeUndone'; since: EpochSeconds }>
    }
>

/**
 * What the society tells about the member beside, each by its name in OpenID Connect Core section
 * 5.1; `#ja-Kana-JP` is how a name is read (section 5.2). What is missing is not known.
 */
export type Profile = Readonly<{
  name?: string
  family_name?: string
  given_name?: string
  middle_name?: string
  nickname?: string
  preferred_username?: string
  'name#ja-Kana-JP'?: string
  'family_name#ja-Kana-JP'?: string
  'given_name#ja-Kana-JP'?: string
  /** A page, a portrait and a site of the member's, by address. */
  profile?: string
  picture?: string
  website?: string
  gender?: string
  /** Asia/Tokyo */
  zoneinfo?: string
  /** E.164: +81312345678 */
  phone_number?: string
  phone_number_verified?: boolean
  /** OpenID Connect Core section 5.1.1 */
  address?: Readonly<{
    formatted?: string
    street_address?: string
    locality?: string
    region?: string
    postal_code?: string
    country?: string
  }>
  /** When any of it changed last. */
  updated_at?: EpochSeconds
}>

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
  profile?: Profile
  /** `verifiedAt` missing: on file at the society, not proven yet. */
  email?: Readonly<{ address: string; verifiedAt?: EpochSeconds }>
  /** Another address of the member's, never the same as `email`: codes can be sent there instead and
   * notices go to both, but a forgotten password is mended by the first alone. */
  secondEmail?: Readonly<{ address: string; verifiedAt: EpochSeconds }>
  /** Changes of address that were made between these times are undone, and a link to undo one of them
   * is good no more; as long as such a link lives. */
  undoneAddressChanges?: readonly Readonly<{ from: EpochSeconds; until: EpochSeconds }>[]
  password: Readonly<{
    /** argon2id, PHC string. */
    hash: string
    /** Present until the member has set a password of their own. */
    initial?: InitialPassword
    /** The initial password opens nothing from then on. */
    initialExpiresAt?: EpochSeconds
    changedAt: EpochSeconds
    /** Set on the word of the mailbox: until another method has been proven since, a code to the
     * same mailbox is no second factor, or who reads a member's mail would be that member. */
    setByMailbox?: true
  }>
  birthdateConfirmedAt?: EpochSeconds
  /** Every acceptance, oldest first. */
  acceptedTerms: readonly TermsAcceptance[]
  chosenFactor?: ChosenFactor
  credentials: readonly Credential[]
  /** New recovery codes are to be shown: a strong method was registered without any, or few are left. */
  recoveryCodesDue?: true
  /** In place of few that are left, they were put off: they are due again after a sign-in since. */
  recoveryCodesPutOffAt?: EpochSeconds
  /** Sign-ins ended by the member: proofs from before `at` no longer count, but those of `except`, the
   * engine's session in which it was done. */
  signedOut?: Readonly<{ at: EpochSeconds; except?: string }>
  /** A sign-in under way has changed what all others rest on: what was proven before `at` counts no
   * more, but in that one, where it stands as of then. */
  begunAnew?: Readonly<{ at: EpochSeconds; signIn: string }>
  /** A one-use pass of the society's desk for a member who lost every method: argon2id, PHC string. */
  deskPass?: Readonly<{ hash: string; expiresAt: EpochSeconds }>
  /** A pass was used: the time to register a method begins anew from here. */
  methodsClearedAt?: EpochSeconds
  /** What was proven along with this record's latest change of that kind, and the sign-in it belongs
   * to, which goes on with it: told in one write, no failure after it can leave the member with a
   * code that is spent, or a method that is there, and not the proof. */
  provenIn?: Readonly<{ signIn: string; proof: Proof }>
  /** First login completed. */
  enrolledAt?: EpochSeconds
  /** The sign-in in which it was. */
  enrolledIn?: string
  /** After a sign-in through a phone, a passkey of the device itself was offered: once and no more. */
  deviceOfferedAt?: EpochSeconds
  /** A lasting block, lifted by recovery or the society's desk; passing throttles are elsewhere. */
  blocked?: Block
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

const isSecond = ({ secondEmail }: Member, address: string): boolean =>
  secondEmail !== undefined && emailKey(secondEmail.address) === emailKey(address)

/** The first address is proven; a second one that is the same is the second no more. */
export const verifyEmail = (member: Member, address: string, at: EpochSeconds): Member => ({
  ...(isSecond(member, address) ? removeSecondEmail(member) : member),
  email: { address, verifiedAt: at },
})

/** A second address, proven, in place of any earlier one; unchanged where it is the first already. */
export const addSecondEmail = (member: Member, address: string, at: EpochSeconds): Member =>
  member.email && emailKey(member.email.address) === emailKey(address)
    ? member
    : { ...member, secondEmail: { address, verifiedAt: at } }

export const removeSecondEmail = (member: Member): Member => {
  const { secondEmail: _, ...rest } = member
  return rest
}

/** Where a code or a notice reaches the member, the first address first. */
export const provenAddresses = ({ email, secondEmail }: Member): readonly string[] => [
  ...(email?.verifiedAt === undefined ? [] : [email.address]),
  ...(secondEmail ? [secondEmail.address] : []),
]

export const chooseFactor = (member: Member, chosenFactor: ChosenFactor): Member => ({
  ...member,
  chosenFactor,
})

/** A password of the member's own: the initial one is dead from here on. */
export const changePassword = (member: Member, hash: string, at: EpochSeconds): Member => ({
  ...member,
  password: { hash, changedAt: at },
})

/** Every sign-in from before `at` ends, finished or under way, but the session `except`. */
export const signOut = (member: Member, at: EpochSeconds, except?: string): Member => ({
  ...member,
  signedOut: { at, ...(except !== undefined && { except }) },
})

/** A forgotten password replaced by a code to the mailbox; see `password.setByMailbox`. */
export const resetPassword = (member: Member, hash: string, at: EpochSeconds): Member => ({
  ...signOut(member, at),
  password: { hash, changedAt: at, setByMailbox: true },
})

/** Another method than the mailbox has been proven since the reset: nothing is held back any more. */
export const trustPassword = (member: Member): Member => {
  const { setByMailbox: _, ...password } = member.password
  return { ...member, password }
}

/** The desk's pass, in place of any earlier one. */
export const issueDeskPass = (
  member: Member,
  deskPass: NonNullable<Member['deskPass']>,
): Member => ({ ...member, deskPass })

/** Whatever other sign-in of the member's is under way is worth nothing from here on. */
export const beginAnew = (member: Member, at: EpochSeconds, signIn: string): Member => ({
  ...member,
  begunAnew: { at, signIn },
})

/**
 * The pass is spent: every method goes, and so does a second address, which whoever had got in may
 * have added; a block is lifted, every sign-in from before `since` ends, and the member chooses and
 * registers anew. The desk has made sure of the member, so the password needs no other proof.
 * `signIn`: the sign-in that the pass has proven something in, if it has; no other goes on.
 */
export const spendDeskPass = (
  member: Member,
  at: EpochSeconds,
  { since = at, signIn }: Readonly<{ since?: EpochSeconds; signIn?: string | undefined }> = {},
): Member => {
  const {
    deskPass: _pass,
    blocked: _block,
    chosenFactor: _chosen,
    provenIn: _former,
    ...rest
  } = member
  const cleared = removeSecondEmail({ ...rest, credentials: [] })
  const spent = { ...signOut(trustPassword(cleared), since), methodsClearedAt: at }
  if (signIn === undefined) return spent
  return proveIn(beginAnew(spent, at, signIn), signIn, { factor: 'deskPass', at })
}

/** What was just proven in a sign-in, on the record that changes with it. */
export const proveIn = (member: Member, signIn: string, proof: Proof): Member => ({
  ...member,
  provenIn: { signIn, proof },
})

export const addCredential = (member: Member, credential: Credential): Member => ({
  ...member,
  credentials: [...member.credentials, credential],
})

/** A passkey or an app; without recovery codes beside it, these are due next. */
export const addMethod = (member: Member, credential: Credential): Member => ({
  ...addCredential(member, credential),
  ...(!member.credentials.some(({ factor }) => factor === 'recoveryCode') && {
    recoveryCodesDue: true,
  }),
})

export const replaceCredential = (member: Member, credential: Credential): Member => ({
  ...member,
  credentials: member.credentials.map((held) => (held.id === credential.id ? credential : held)),
})

export const removeCredential = (member: Member, id: string): Member => ({
  ...member,
  credentials: member.credentials.filter((held) => held.id !== id),
})

/** New recovery codes in place of any earlier ones. */
export const replaceRecoveryCodes = (member: Member, codes: Credential): Member => {
  const { recoveryCodesDue: _due, recoveryCodesPutOffAt: _putOff, ...rest } = member
  const others = member.credentials.filter(({ factor }) => factor !== 'recoveryCode')
  return addCredential({ ...rest, credentials: others }, codes)
}

/** Not now: at the next sign-in. Only who has codes can put new ones off. */
export const putOffRecoveryCodes = (member: Member, at: EpochSeconds): Member =>
  member.credentials.some(({ factor }) => factor === 'recoveryCode')
    ? { ...member, recoveryCodesPutOffAt: at }
    : member

/** The offer of a passkey for this device was answered, either way. */
export const offerDevice = (member: Member, at: EpochSeconds): Member => ({
  ...member,
  deviceOfferedAt: at,
})

export const completeEnrolment = (member: Member, at: EpochSeconds, signIn?: string): Member => ({
  ...member,
  enrolledAt: at,
  ...(signIn !== undefined && { enrolledIn: signIn }),
})

/** For how long the holder of a replaced address may undo the change. */
export const UNDO_SECONDS = 7 * 86_400

/** When the change of address was made that was undone and this one with it: itself, or earlier. */
export const undoneWith = (
  { undoneAddressChanges = [] }: Member,
  changedAt: EpochSeconds,
): EpochSeconds | undefined =>
  undoneAddressChanges.find(({ from, until }) => from <= changedAt && changedAt <= until)?.from

/**
 * The holder of the former address says that the change was not theirs: the former address comes
 * back unproven, a second one goes, and nobody signs in until the society's desk has spoken with the
 * member. Changes made since are undone with it: their former holders, whose addresses this one led
 * to, have no word in it any more. An earlier one can still be undone. Undone twice, it is once.
 */
export const undoEmailChange = (
  member: Member,
  { former, changedAt }: Readonly<{ former: string; changedAt: EpochSeconds }>,
  at: EpochSeconds,
): Member => {
  if (undoneWith(member, changedAt) !== undefined) return member
  const living = (member.undoneAddressChanges ?? []).filter(
    ({ until }) => until > at - UNDO_SECONDS,
  )
  return {
    ...removeSecondEmail(member),
    email: { address: former },
    undoneAddressChanges: [...living, { from: changedAt, until: at }],
    // What the desk has stopped stays stopped, and is not forgotten by this.
    blocked:
      member.blocked?.reason === 'disabled'
        ? { ...member.blocked, under: { reason: 'emailChangeUndone', since: at } }
        : { reason: 'emailChangeUndone', since: at },
  }
}

/** The society's desk has stopped the account: every sign-in ends, and a pass that was issued is void. */
export const disable = (member: Member, at: EpochSeconds): Member => {
  const { deskPass: _, blocked, ...rest } = member
  if (blocked?.reason === 'disabled') return member
  return {
    ...signOut(rest, at),
    blocked: { reason: 'disabled', since: at, ...(blocked && { under: blocked }) },
  }
}

/** The desk opens again what it has stopped. */
export const enable = (member: Member): Member => {
  const { blocked, ...rest } = member
  if (blocked?.reason !== 'disabled') return member
  return blocked.under ? { ...rest, blocked: blocked.under } : rest
}

/** The desk has spoken with the member: any other block than its own is lifted. */
export const unblock = (member: Member): Member => {
  const { blocked, ...rest } = member
  return blocked?.reason === 'disabled' ? member : rest
}
