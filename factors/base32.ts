/** RFC 4648 section 6: what authenticator apps take. */
export const RFC4648 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
/** Crockford's alphabet, without I, L, O and U: what people copy by hand. */
export const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

const BITS = 5

/**
 * Base 32 in the given alphabet, for whole groups of five bytes, which need no padding.
 * @throws RangeError for any other length
 */
export const base32 = (bytes: Buffer, alphabet: string): string => {
  if (bytes.length === 0 || bytes.length % BITS !== 0) {
    throw new RangeError('base 32 is written here in whole groups of five bytes')
  }
  return BigInt(`0x${bytes.toString('hex')}`)
    .toString(32)
    .padStart((bytes.length * 8) / BITS, '0')
    .replace(/./g, (digit) => alphabet.charAt(Number.parseInt(digit, 32)))
}
