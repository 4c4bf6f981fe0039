import type { EpochSeconds, Member } from '../accounts/member.ts'
import type { RandomBytes } from '../accounts/ports.ts'
import { base32, CROCKFORD } from './base32.ts'
import type { Verdict } from './factor.ts'
import { hashPassword, verifyPassword } from './password.ts'
import { spelled } from './recovery-code.ts'

/** 60 bits: a pass is read out over the phone and typed once. */
const CHARACTERS = 12
const GROUP = /.{4}(?=.)/g
/** The shortest run of whole groups of five bytes that holds twelve characters. */
const BYTES = 10
const PASS = /^[0-9A-HJKMNP-TV-Z]{12}$/

/**
 * A one-use pass for a member whom the society's desk has identified: `ABCD-EFGH-JKMN`, to be shown
 * once, and what the member's record keeps of it (argon2id, PHC string).
 * @throws OverloadedError
 */
export const generateDeskPass = async (
  randomBytes: RandomBytes,
  expiresAt: EpochSeconds,
): Promise<Readonly<{ pass: string; kept: NonNullable<Member['deskPass']> }>> => {
  const characters = base32(randomBytes(BYTES), CROCKFORD).slice(0, CHARACTERS)
  return {
    pass: characters.replace(GROUP, '$&-'),
    kept: { hash: await hashPassword(characters), expiresAt },
  }
}

/** Whether what was typed could be a pass, anybody's. */
export const isDeskPassShaped = (typed: string): boolean => PASS.test(spelled(typed))

/**
 * Whether what was typed is the member's pass, and in time. A pass that was used, has run out or is
 * another member's is wrong like any other, and takes as long. It is used once only if the member
 * is saved without it while the stored record still holds the one checked here.
 * @throws OverloadedError
 */
export const verifyDeskPass = async (
  { deskPass }: Pick<Member, 'deskPass'>,
  typed: string,
  now: EpochSeconds,
): Promise<Verdict<NonNullable<Member['deskPass']>>> => {
  if (!isDeskPassShaped(typed)) return { ok: false, reason: 'pass.format' }
  const live = deskPass !== undefined && now < deskPass.expiresAt ? deskPass : undefined
  const matches = await verifyPassword(live?.hash, spelled(typed))
  return live && matches ? { ok: true, value: live } : { ok: false, reason: 'pass.wrong' }
}
