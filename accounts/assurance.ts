import type { EpochSeconds, FactorId } from './member.ts'

/** Authentication context classes, weakest first. */
export const ACR_LADDER = [
  'urn:kenpo-id:acr:pwd', // password only
  'urn:kenpo-id:acr:email', // password and e-mail code: two steps, not two factors
  'https://refeds.org/profile/mfa', // password and authenticator app
  'phr', // passkey with user verification (OpenID EAP ACR Values section 2)
] as const
export type Acr = (typeof ACR_LADDER)[number]

export const isAcr = (value: unknown): value is Acr => ACR_LADDER.includes(value as Acr)

export const acrReaches = (acr: Acr | undefined, required: Acr): boolean =>
  acr !== undefined && ACR_LADDER.indexOf(acr) >= ACR_LADDER.indexOf(required)

/** One factor shown to be held, at one time. */
export type Proof = Readonly<{
  factor: FactorId
  at: EpochSeconds
  /** Passkeys only: whether the key is synced between devices (`swk`) or bound to one (`hwk`). */
  synced?: boolean
}>

export type Assurance = Readonly<{ acr: Acr; amr: readonly string[] }>

/**
 * What a relying party is told about how a member signed in; undefined where nothing identifies
 * the member. All `amr` values are RFC 8176 section 2: an e-mail code is a one-time password over
 * a second channel (`otp`, `mca`) and never `mfa`, since NIST SP 800-63B-4 does not take e-mail
 * for an authenticator. A recovery code is a look-up secret (section 3.1.2), something one has, and
 * is used once: `otp`.
 */
export const assuranceOf = (proofs: readonly Proof[]): Assurance | undefined => {
  const passkey = proofs.find((proof) => proof.factor === 'passkey')
  const held = new Set(proofs.map((proof) => proof.factor))
  const password = held.has('password')
  if (passkey) {
    return {
      acr: 'phr',
      amr: [...(password ? ['pwd'] : []), passkey.synced ? 'swk' : 'hwk', 'user', 'mfa'],
    }
  }
  if (!password) return undefined
  if (held.has('totp') || held.has('recoveryCode'))
    return { acr: 'https://refeds.org/profile/mfa', amr: ['pwd', 'otp', 'mfa'] }
  if (held.has('emailCode')) return { acr: 'urn:kenpo-id:acr:email', amr: ['pwd', 'otp', 'mca'] }
  return { acr: 'urn:kenpo-id:acr:pwd', amr: ['pwd'] }
}

/** The inverse of `assuranceOf`: the proofs an existing session stands for, all as old as it is. */
export const proofsOf = (amr: readonly string[], at: EpochSeconds): readonly Proof[] => {
  const proofs: Proof[] = []
  if (amr.includes('pwd')) proofs.push({ factor: 'password', at })
  if (amr.includes('hwk')) proofs.push({ factor: 'passkey', at, synced: false })
  if (amr.includes('swk')) proofs.push({ factor: 'passkey', at, synced: true })
  if (amr.includes('otp')) proofs.push({ factor: amr.includes('mca') ? 'emailCode' : 'totp', at })
  return proofs
}
