import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'

/** A key as it is given, not looked at yet. */
export type GivenKey = Readonly<{ kty: string; [member: string]: unknown }>

/** The kinds of key that signatures are made with here; others are passed over (RFC 7517 section 5). */
const CURVES: Readonly<Record<string, readonly string[]>> = {
  EC: ['P-256', 'P-384', 'P-521'],
  OKP: ['Ed25519', 'X25519'],
}
const KINDS: Readonly<Record<string, (key: GivenKey) => boolean>> = {
  RS256: ({ kty }) => kty === 'RSA',
  PS256: ({ kty }) => kty === 'RSA',
  ES256: ({ kty, crv }) => kty === 'EC' && crv === 'P-256',
  EdDSA: ({ kty, crv }) => kty === 'OKP' && crv === 'Ed25519',
}
/** RFC 7518 section 3.3. */
const RSA_BITS = 2048

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''
const areTexts = (value: unknown): boolean => Array.isArray(value) && value.every(isText)

/** Undefined: it is no key that can be read. */
const opened = (key: GivenKey): KeyObject | undefined => {
  try {
    // Its members are looked at by the one who reads it.
    return createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
}

/** Why the engine would not load this public key, or could never use it: the end of a sentence that
 * starts with the key. Undefined: it is well. */
export const jwkFault = (key: GivenKey): string | undefined => {
  const { kty, crv } = key
  const named = ['alg', 'kid', 'use'].find((name) => name in key && !isText(key[name]))
  if (named !== undefined) return `has a "${named}" that is no text`
  if ('x5c' in key && !areTexts(key.x5c)) return 'has an "x5c" that is no list of texts'
  if ('key_ops' in key && !areTexts(key.key_ops)) return 'has "key_ops" that are no list of texts'
  const curves = CURVES[kty]
  if (kty !== 'RSA' && curves === undefined) return undefined
  if (curves && !isText(crv)) return 'has no "crv"'
  if (curves && !curves.includes(String(crv))) return undefined
  const publicKey = opened(key)
  if (!publicKey) return `is no ${kty} key: its members are missing or do not fit together`
  const bits = publicKey.asymmetricKeyDetails?.modulusLength
  if (bits !== undefined && bits < RSA_BITS) return `is an RSA key of less than ${RSA_BITS} bits`
  return undefined
}

/** Whether what is signed with one of these algorithms can be checked by this key. */
export const checksOneOf = (key: GivenKey, algorithms: readonly string[]): boolean =>
  (key.use === undefined || key.use === 'sig') &&
  (!Array.isArray(key.key_ops) || key.key_ops.includes('verify')) &&
  algorithms.some((alg) => (key.alg === undefined || key.alg === alg) && KINDS[alg]?.(key) === true)
