import type { EpochSeconds, MemberId } from '../accounts/member.ts'
import type { RandomBytes } from '../accounts/ports.ts'
import { createEmailCodeFactor, type EmailChallenge } from './email-code.ts'
import { createPasskeyFactor } from './passkey.ts'
import { passwordFactor } from './password.ts'
import { createRecoveryCodes } from './recovery-code.ts'
import { createSeal, type EncryptionKey } from './seal.ts'
import { createTotpFactor } from './totp.ts'

/** The keys factors work with; see IDP_CODE_KEY and IDP_ENCRYPTION_KEYS. */
export type FactorKeys = Readonly<{
  codeKey: Buffer
  encryptionKeys: readonly EncryptionKey[]
}>

/** The methods a member can be asked for, one line a factor, and the seal for what is pending. */
export const createFactors = (
  { codeKey, encryptionKeys: keys }: FactorKeys,
  randomBytes: RandomBytes,
) => {
  const seal = createSeal(keys, randomBytes)
  const challengeFor = (
    memberId: MemberId,
    address: string,
    now: EpochSeconds,
  ): EmailChallenge => ({
    id: randomBytes(16).toString('base64url'),
    purpose: 'signIn',
    memberId,
    address,
    createdAt: now,
  })
  return {
    seal,
    password: passwordFactor,
    emailCode: createEmailCodeFactor(codeKey, challengeFor),
    passkey: createPasskeyFactor({ randomBytes }),
    totp: createTotpFactor({ seal, randomBytes }),
    recoveryCode: createRecoveryCodes({ randomBytes, keys }),
  }
}
export type Factors = ReturnType<typeof createFactors>
