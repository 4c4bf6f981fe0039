/** A private key (RFC 7517), as an operator may have it. */
export type NamedJwk = Readonly<{
  kty: string
  kid: string
  alg: string
  [member: string]: unknown
}>

/** A private key as it is sealed, and as the engine takes it. */
export type PrivateJwk = NamedJwk & Readonly<{ use: 'sig' }>

/** RSA of NIST SP 800-57's 112 bits, as every relying party knows it. */
const RSA_BITS = 2048

/** A new key pair for this algorithm, named by its thumbprint (RFC 7638). */
export type MakeKey = (alg: string) => Promise<PrivateJwk>

export const makeKey: MakeKey = async (alg) => {
  const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await import('jose')
  const { privateKey } = await generateKeyPair(alg, { extractable: true, modulusLength: RSA_BITS })
  const jwk = await exportJWK(privateKey)
  return { ...jwk, kty: jwk.kty ?? '', kid: await calculateJwkThumbprint(jwk), alg, use: 'sig' }
}
