import { createCipheriv, createDecipheriv } from 'node:crypto'
import { IdentityError } from '../accounts/errors.ts'
import type { RandomBytes } from '../accounts/ports.ts'

const VERSION = 'v1'
const CIPHER = 'aes-256-gcm'
const KEY_BYTES = 32
const IV_BYTES = 12
const TAG_BYTES = 16

/** A key of this installation's (IDP_ENCRYPTION_KEYS). */
export type EncryptionKey = Readonly<{
  /** Letters, digits, "-" and "_"; stands in the open in what the key sealed. */
  id: string
  /** 32 random bytes. */
  key: Buffer
}>

/** What is at rest cannot be read: its key is gone, or it was tampered with or moved to another row. */
export class UnreadableSecretError extends IdentityError {
  constructor(detail: string, options?: ErrorOptions) {
    super('unreadable_secret', 500, detail, options)
  }
}

/** Encryption of small secrets at rest. */
export type Seal = Readonly<{
  /**
   * `v1.<key id>.<iv>.<ciphertext and tag>`, base64url, under the newest key. `aad` names the place
   * where the text will lie (`totp|<member id>`), so that it cannot be opened at any other.
   */
  seal(plain: Buffer, aad: string): string
  /** @throws UnreadableSecretError */
  open(sealed: string, aad: string): Buffer
}>

/** The bytes of base64url that is spelled as we spell it, else undefined. */
const bytesOf = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}

/** The ID of the key that has sealed this: as long as such a text is left, that key is needed. */
export const sealedUnder = (sealed: string): string => sealed.split('.')[1] ?? ''

/** Everything that stands in the open is bound too. */
const boundTo = (keyId: string, aad: string): Buffer => Buffer.from(`${VERSION}.${keyId}|${aad}`)

/**
 * AES-256-GCM with random 96-bit IVs, which NIST SP 800-38D section 8.3 permits 2^32 times per key.
 * `keys` is newest first: the first seals, all of them open. A key may be dropped only when nothing
 * that it sealed is left.
 */
export const createSeal = (keys: readonly EncryptionKey[], randomBytes: RandomBytes): Seal => {
  const [newest] = keys
  if (!newest) throw new TypeError('a seal needs a key')
  if (keys.some(({ id, key }) => key.length !== KEY_BYTES || !/^[\w-]+$/.test(id))) {
    throw new TypeError(`a key of a seal has a plain id and ${KEY_BYTES} bytes`)
  }
  const byId = new Map(keys.map(({ id, key }) => [id, key]))
  if (byId.size !== keys.length) throw new TypeError('two keys of a seal have one id')

  return {
    seal(plain, aad) {
      const iv = randomBytes(IV_BYTES)
      const cipher = createCipheriv(CIPHER, newest.key, iv, { authTagLength: TAG_BYTES })
      cipher.setAAD(boundTo(newest.id, aad))
      const body = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])
      return [VERSION, newest.id, iv.toString('base64url'), body.toString('base64url')].join('.')
    },

    open(sealed, aad) {
      const [version, keyId = '', ivText = '', bodyText = '', ...rest] = sealed.split('.')
      const iv = bytesOf(ivText)
      const body = bytesOf(bodyText)
      if (version !== VERSION || rest.length > 0 || iv?.length !== IV_BYTES) {
        throw new UnreadableSecretError('not of our making')
      }
      if (body === undefined || body.length < TAG_BYTES) {
        throw new UnreadableSecretError('cut short')
      }
      const key = byId.get(keyId)
      if (!key) throw new UnreadableSecretError('sealed by a key that is not configured')
      const decipher = createDecipheriv(CIPHER, key, iv, { authTagLength: TAG_BYTES })
      decipher.setAAD(boundTo(keyId, aad))
      decipher.setAuthTag(body.subarray(-TAG_BYTES))
      try {
        return Buffer.concat([decipher.update(body.subarray(0, -TAG_BYTES)), decipher.final()])
      } catch (cause) {
        throw new UnreadableSecretError('tampered with, or of another row', { cause })
      }
    },
  }
}
