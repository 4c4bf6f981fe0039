import { createECDH, createHash } from 'node:crypto'

/** A P-256 key as a JWK, with its private member. */
export type ConformanceKey = Readonly<{
  kty: 'EC'
  crv: 'P-256'
  alg: 'ES256'
  use: 'sig'
  kid: string
  x: string
  y: string
  d: string
}>

/**
 * A key made out of its name, so that a tester has it too. It proves nothing to anybody: it is for
 * the conformance profile alone, which is refused in production.
 */
export const conformanceKey = (kid: string): ConformanceKey => {
  const ecdh = createECDH('prime256v1')
  ecdh.setPrivateKey(createHash('sha256').update(`kenpo-id conformance ${kid}`).digest())
  // 04, x, y (SEC 1 section 2.3.3)
  const point = ecdh.getPublicKey()
  return {
    kty: 'EC',
    crv: 'P-256',
    alg: 'ES256',
    use: 'sig',
    kid,
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
    d: ecdh.getPrivateKey().toString('base64url'),
  }
}

export const publicPart = ({ d: _, ...shown }: ConformanceKey): Omit<ConformanceKey, 'd'> => shown
