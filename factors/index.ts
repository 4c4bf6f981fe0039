import type { ChosenFactor, EpochSeconds, MemberId } from '../accounts/member.ts'
import type { RandomBytes } from '../accounts/ports.ts'
import { createEmailCodeFactor, type EmailChallenge } from './email-code.ts'

/** The methods a member can be offered, one line a factor. */
export const createFactors = (codeKey: Buffer, randomBytes: RandomBytes) => ({
  emailCode: createEmailCodeFactor(
    codeKey,
    (memberId: MemberId, address: string, createdAt: EpochSeconds): EmailChallenge => ({
      id: randomBytes(16).toString('base64url'),
      purpose: 'signIn',
      memberId,
      address,
      createdAt,
    }),
  ),
})
export type Factors = ReturnType<typeof createFactors>

/** What this version can register, in the order offered. */
export const REGISTRY: readonly ChosenFactor[] = ['emailCode']
