import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { Credential, Member } from '../accounts/member.ts'
import { INTERACTION_SECONDS } from '../accounts/policy.ts'
import type { RandomBytes } from '../accounts/ports.ts'
import { base32, CROCKFORD } from './base32.ts'
import { normalizeCode } from './email-code.ts'
import type { AuthenticationFactor, Ceremony } from './factor.ts'
import { type EncryptionKey, UnreadableSecretError } from './seal.ts'

const CODES = 10
/** 40 bits: eight characters of five bits each, every combination as likely. */
const CODE_BYTES = 5
const CODE = /^[0-9A-HJKMNP-TV-Z]{8}$/

const dataSchema = z.object({ keyId: z.string(), hashes: z.array(z.string()) })
/** `hashes`: those of the codes not used yet, base64url. */
type RecoveryData = z.output<typeof dataSchema>

/** One spelling of what was copied by hand; O is read as 0, I and L as 1. */
export const spelled = (typed: string): string =>
  normalizeCode(typed).toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1')

/** Whether what was typed could be a recovery code, anybody's. */
export const isRecoveryCodeShaped = (typed: string): boolean => CODE.test(spelled(typed))

const isSame = (one: string, other: string): boolean => {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length === b.length && timingSafeEqual(a, b)
}

export type RecoveryCodes = AuthenticationFactor<{ remaining: number }, Record<string, never>> &
  Readonly<{
    /** Ten new codes, `XXXX-XXXX`, to be shown once, and the credential that takes them. It takes
     * the place of any that the member holds. */
    generate(
      member: Member,
      ceremony: Pick<Ceremony, 'now'>,
    ): Readonly<{ codes: readonly string[]; credential: Credential }>
    /** How many codes of this credential are still good. */
    remaining(credential: Credential): number
  }>

/**
 * Recovery codes: look-up secrets (NIST SP 800-63B-4 section 3.1.2), each accepted once, in any
 * order. Kept as HMAC-SHA256 under a key that is not in the store: without the key no guess can be
 * tested, and with it the throttle is what limits guessing 40 random bits online, so a slow hash
 * would add nothing but load. The member's ID is part of the hash: a hash moved to another member's
 * record is worthless.
 *
 * `keys` are the installation's, newest first; a set of codes stays with the key that it was made
 * under. A finished authentication returns the credential without the code: only if that is saved
 * while the stored one is still the one checked here is a code accepted once. `answer.code` is the
 * code.
 */
export const createRecoveryCodes = ({
  randomBytes,
  keys,
}: Readonly<{ randomBytes: RandomBytes; keys: readonly EncryptionKey[] }>): RecoveryCodes => {
  const [newest] = keys
  if (!newest) throw new TypeError('recovery codes need a key')
  /** A key of its own for this purpose, as the same ones encrypt (RFC 5869). */
  const hashKeys = new Map(
    keys.map(({ id, key }) => [
      id,
      Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), 'kenpo-id recovery codes', 32)),
    ]),
  )

  const hashOf = (keyId: string, member: Member, code: string): string => {
    const key = hashKeys.get(keyId)
    if (!key) throw new UnreadableSecretError('recovery codes of a key that is not configured')
    return createHmac('sha256', key).update(`recoveryCode|${member.id}|${code}`).digest('base64url')
  }

  const remaining = (credential: Credential): number =>
    dataSchema.parse(credential.data).hashes.length

  const heldBy = ({ credentials }: Member): Credential | undefined =>
    credentials.find(({ factor }) => factor === 'recoveryCode')

  return {
    id: 'recoveryCode',
    remaining,

    generate(member, { now }) {
      const codes = Array.from({ length: CODES }, () => base32(randomBytes(CODE_BYTES), CROCKFORD))
      const data: RecoveryData = {
        keyId: newest.id,
        hashes: codes.map((code) => hashOf(newest.id, member, code)),
      }
      return {
        codes: codes.map((code) => `${code.slice(0, 4)}-${code.slice(4)}`),
        credential: {
          id: randomBytes(16).toString('base64url'),
          factor: 'recoveryCode',
          registeredAt: now,
          data,
        },
      }
    },

    async beginAuthentication(member) {
      const held = heldBy(member)
      return {
        shown: { remaining: held ? remaining(held) : 0 },
        kept: {},
        expiresInSeconds: INTERACTION_SECONDS,
      }
    },

    async finishAuthentication(member, _kept, answer) {
      const typed = answer.code ?? ''
      if (!isRecoveryCodeShaped(typed)) return { ok: false, reason: 'recovery.format' }
      const held = heldBy(member)
      if (!held) return { ok: false, reason: 'recovery.wrong' }
      const { keyId, hashes } = dataSchema.parse(held.data)
      const given = hashOf(keyId, member, spelled(typed))
      // Every hash is compared, whichever matches.
      const left = hashes.filter((hash) => !isSame(hash, given))
      if (left.length === hashes.length) return { ok: false, reason: 'recovery.wrong' }
      const data: RecoveryData = { keyId, hashes: left }
      return { ok: true, value: { credential: { ...held, data } } }
    },
  }
}
