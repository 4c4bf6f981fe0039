import {
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import {
  COSEALG,
  decodeAttestationObject,
  decodeClientDataJSON,
  isoBase64URL,
} from '@simplewebauthn/server/helpers'
import { z } from 'zod'
import type { Ceremony } from './factor.ts'
import type {
  AuthenticationResponse,
  Passkey,
  PasskeyKept,
  RegistrationResponse,
} from './passkey.ts'

export { generateRegistrationOptions }

/**
 * Named here rather than left to the library, whose default grows with the runtime: a key that one
 * server accepts must be one that every server can verify.
 */
export const ALGORITHMS = [COSEALG.EdDSA, COSEALG.ES256, COSEALG.RS256]

const unframed = z.object({
  crossOrigin: z.literal(false).optional(),
  topOrigin: z.undefined().optional(),
})
/** Our pages are never framed: no ceremony under another site's page is one of ours. */
const isUnframed = (clientDataJSON: string): boolean =>
  unframed.safeParse(decodeClientDataJSON(clientDataJSON)).success

/**
 * Whether an attestation statement can have come of asking for none: `none`, or a signature of the
 * passkey itself. Any other carries certificates that we did not ask for, do not judge by, and that
 * could send the library to fetch a revocation list from an address of the sender's choice.
 */
const isWithoutCertificates = (attestationObject: string): boolean => {
  const decoded = decodeAttestationObject(isoBase64URL.toBuffer(attestationObject))
  const format = decoded.get('fmt')
  if (format === 'none') return true
  return format === 'packed' && decoded.get('attStmt').get('x5c') === undefined
}

/** What the kept challenge got made, verified (WebAuthn Level 3 section 7.1); else undefined. */
export const verifyAttestation = async (
  response: RegistrationResponse,
  kept: PasskeyKept,
  { origin, rpId }: Ceremony,
) => {
  try {
    if (!isUnframed(response.response.clientDataJSON)) return undefined
    if (!isWithoutCertificates(response.response.attestationObject)) return undefined
    const { registrationInfo } = await verifyRegistrationResponse({
      response: { ...response, clientExtensionResults: {} },
      expectedChallenge: kept.challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    })
    return registrationInfo
  } catch {
    return undefined // the library throws plain errors for whatever it refuses
  }
}

/** What this passkey asserts for the kept challenge, verified (section 7.2); else undefined. */
export const verifyAssertion = async (
  passkey: Passkey,
  kept: PasskeyKept,
  { id, rawId, type, response }: AuthenticationResponse,
  { origin, rpId }: Ceremony,
) => {
  const { clientDataJSON, authenticatorData, signature } = response
  try {
    if (!isUnframed(clientDataJSON)) return undefined
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        ...{ id, rawId, type, clientExtensionResults: {} },
        response: { clientDataJSON, authenticatorData, signature },
      },
      expectedChallenge: kept.challenge,
      expectedOrigin: origin,
      expectedRPID: rpId,
      requireUserVerification: true,
      credential: {
        id,
        publicKey: isoBase64URL.toBuffer(passkey.data.publicKey),
        counter: passkey.data.counter,
      },
    })
    return verified ? authenticationInfo : undefined
  } catch {
    return undefined // the library throws plain errors for whatever it refuses
  }
}
