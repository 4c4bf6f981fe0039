import { createHmac } from 'node:crypto'
import type { EpochSeconds } from '../../accounts/member.ts'

/** RFC 4226 section 5.3, six digits: written from the RFC and of node:crypto alone. */
export const hotp = (secret: Buffer, counter: number): string => {
  const message = Buffer.alloc(8)
  message.writeBigUInt64BE(BigInt(counter))
  const digest = createHmac('sha1', secret).update(message).digest()
  const offset = (digest.at(-1) ?? 0) & 0x0f
  const truncated = digest.readUInt32BE(offset) & 0x7fff_ffff
  return String(truncated % 1_000_000).padStart(6, '0')
}

/** What an app that holds the secret shows now (RFC 6238 section 4.2). */
export const appCode = (secret: Buffer, now: EpochSeconds): string =>
  hotp(secret, Math.floor(now / 30))
