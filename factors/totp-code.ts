import speakeasy from 'speakeasy'
import type { EpochSeconds } from '../accounts/member.ts'

/** RFC 4226 section 4 recommends 160 bits. */
export const SECRET_BYTES = 20
export const CODE_DIGITS = 6
/** RFC 6238 section 5.2. */
export const STEP_SECONDS = 30

const SIX_DIGITS = /^\d{6}$/

/**
 * The time step (RFC 6238 section 4.2) whose code this is, searched from `window` steps before
 * `now` to `window` steps after it; the earliest where two share a code.
 *
 * The only place that calls speakeasy, which by itself would take a text for the window (`'1'`
 * means −1…+10), anything that parses as a number for the code (`39xxxx`), and an empty secret.
 * @throws TypeError for a secret of another length, a window above 1 or a time that is no number
 */
export const stepOf = (
  secret: Buffer,
  code: string,
  now: EpochSeconds,
  window: 0 | 1,
): number | undefined => {
  if (!Buffer.isBuffer(secret) || secret.length !== SECRET_BYTES) {
    throw new TypeError(`a TOTP secret has ${SECRET_BYTES} bytes`)
  }
  if (window !== 0 && window !== 1) throw new TypeError('the window is 0 or 1')
  if (!Number.isSafeInteger(now) || now < STEP_SECONDS) throw new TypeError('not a time of ours')
  if (!SIX_DIGITS.test(code)) return undefined
  const found = speakeasy.totp.verifyDelta({
    secret: secret.toString('hex'),
    encoding: 'hex',
    algorithm: 'sha1',
    digits: CODE_DIGITS,
    step: STEP_SECONDS,
    time: now,
    token: code,
    window,
  })
  return found && Math.floor(now / STEP_SECONDS) + found.delta
}
