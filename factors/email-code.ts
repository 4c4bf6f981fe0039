import { createHmac, timingSafeEqual } from 'node:crypto'
import type { EpochSeconds, MemberId } from '../accounts/member.ts'
import type { AuthenticationFactor, Verdict } from './factor.ts'

/** A code is good for ten minutes (NIST SP 800-63B-4 section 3.1.3), a mailed link for a day. */
export const CODE_SECONDS = 600
export const LINK_SECONDS = 86_400
const CODE_DIGITS = 6

export type EmailPurpose =
  | 'confirmAddress'
  | 'confirmSecondAddress'
  | 'proveAddressOnFile'
  | 'signIn'
  | 'resetPassword'

/**
 * A code sent to an address. The code and the link are derived from `id`, so nothing that is kept
 * or queued holds them and a second mail repeats the first one's code.
 */
export type EmailChallenge = Readonly<{
  /** 128 random bits, base64url. */
  id: string
  purpose: EmailPurpose
  memberId: MemberId
  address: string
  createdAt: EpochSeconds
}>

const mac = (key: Buffer, ...parts: readonly string[]): Buffer =>
  createHmac('sha256', key).update(parts.join('|')).digest()

/** Six digits, truncated from the HMAC as RFC 4226 section 5.3 does. */
export const codeOf = (key: Buffer, challenge: EmailChallenge): string => {
  const digest = mac(key, 'code', challenge.id, challenge.purpose, challenge.address)
  const offset = (digest.at(-1) ?? 0) & 0xf
  const truncated = digest.readUInt32BE(offset) & 0x7fffffff
  return String(truncated % 10 ** CODE_DIGITS).padStart(CODE_DIGITS, '0')
}

/**
 * By which the answer `code` to a challenge is told to be right where no more of it is known than its
 * ID. It is no secret: without the key, no code can be tried against it.
 */
export const answerMarkOf = (key: Buffer, challengeId: string, code: string): string =>
  mac(key, 'answer', challengeId, code).subarray(0, 16).toString('base64url')

/** `<challenge id>.<HMAC>`: names the challenge and proves that we wrote the link. */
export const linkTokenOf = (key: Buffer, challengeId: string): string =>
  `${challengeId}.${mac(key, 'link', challengeId).subarray(0, 16).toString('base64url')}`

/** The challenge ID of a link token that we wrote, else undefined. */
export const challengeIdOf = (key: Buffer, token: string): string | undefined => {
  const [id] = token.split('.', 1)
  if (!id) return undefined
  const expected = Buffer.from(linkTokenOf(key, id))
  const given = Buffer.from(token)
  return given.length === expected.length && timingSafeEqual(given, expected) ? id : undefined
}

/** Two digits shown on the waiting page and on the page the link opens, for the member to compare. */
export const matchNumberOf = (key: Buffer, challengeId: string): string =>
  String(10 + (mac(key, 'match', challengeId).readUInt16BE(0) % 90))

/** No I and no O, which read as digits. */
const LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ'

/** `AB12CD`: on the page and in its mail, by which the member tells the mails apart. It is no secret
 * and, with its letters, never taken for the code. */
export const referenceOf = (key: Buffer, challengeId: string): string => {
  const [a = 0, b = 0, n = 0, c = 0, d = 0] = mac(key, 'reference', challengeId)
  const letter = (byte: number) => LETTERS.charAt(byte % LETTERS.length)
  const number = String(n % 100).padStart(2, '0')
  return `${letter(a)}${letter(b)}${number}${letter(c)}${letter(d)}`
}

/** What was typed, without what people and input methods put around digits. */
export const normalizeCode = (typed: string): string =>
  typed.normalize('NFKC').replace(/[\s\u00ad\u200b-\u200f\u2010-\u2015\u2212\u30fc\uff0d-]/gu, '')

/** Whether what was typed is the challenge's code, in time. Whose challenge it is, the caller sees. */
export const checkCode = (
  key: Buffer,
  challenge: EmailChallenge,
  typed: string,
  now: EpochSeconds,
): Verdict<Record<string, never>> => {
  const code = normalizeCode(typed)
  if (code === '') return { ok: false, reason: 'code.empty' }
  if (!/^\d+$/u.test(code)) return { ok: false, reason: 'code.digits' }
  if (code.length !== CODE_DIGITS) {
    return { ok: false, reason: 'code.len', values: { n: code.length } }
  }
  if (now - challenge.createdAt >= CODE_SECONDS) return { ok: false, reason: 'code.expired' }
  const right = timingSafeEqual(Buffer.from(code), Buffer.from(codeOf(key, challenge)))
  return right ? { ok: true, value: {} } : { ok: false, reason: 'code.wrong' }
}

/**
 * The e-mail code. NIST SP 800-63B-4 section 3.1.3.1 does not take e-mail for an out-of-band
 * authenticator, so its acr stays below two factors (accounts/assurance.ts).
 */
export const createEmailCodeFactor = (
  key: Buffer,
  challengeFor: (memberId: MemberId, address: string, now: EpochSeconds) => EmailChallenge,
): AuthenticationFactor<{ address: string }, EmailChallenge> => ({
  id: 'emailCode',

  async beginAuthentication(member, { now }) {
    const address = member.email?.address
    if (address === undefined) throw new Error('a member without an address cannot get a code')
    return {
      shown: { address },
      kept: challengeFor(member.id, address, now),
      expiresInSeconds: CODE_SECONDS,
    }
  },

  async finishAuthentication(member, challenge, answer, { now }) {
    const verdict = checkCode(key, challenge, answer.code ?? '', now)
    return verdict.ok && challenge.memberId !== member.id
      ? { ok: false, reason: 'code.wrong' }
      : verdict
  },
})
