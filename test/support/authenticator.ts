import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import { isoCBOR } from '@simplewebauthn/server/helpers'

type Cbor = Parameters<typeof isoCBOR.encode>[0]
type CborMap = Map<string | number, Cbor>

/** COSE algorithm identifiers of the keys this authenticator can make (RFC 9053, RFC 8812). */
const ALGORITHMS = { EdDSA: -8, ES256: -7, RS256: -257 } as const
type Algorithm = keyof typeof ALGORITHMS

/** How an authenticator and the browser before it are made. */
export type Make = Readonly<{
  algorithm: Algorithm
  /** 16 bytes, hex. */
  aaguid: string
  /** Synced by a provider (backup eligible and backed up), else bound to the device. */
  synced: boolean
  /** The counter at registration; each assertion adds `countsBy`. Synced passkeys stay at 0. */
  counter: number
  countsBy: number
  transports: readonly string[]
  origin: string
}>

/** The members that both responses have. */
type Posted = Readonly<{ id: string; response: Readonly<Record<string, unknown>> }>

/** What a ceremony does otherwise than it should; everything else stays valid and is signed. */
export type Deviation = Readonly<
  Partial<{
    /** Members of CollectedClientData to set; `undefined` leaves one out. */
    clientData: Readonly<Record<string, unknown>>
    /** The text that is hashed and sent as clientDataJSON. */
    clientDataText: (text: string) => string
    rpId: string
    userPresent: boolean
    userVerified: boolean
    backupEligible: boolean
    backedUp: boolean
    counter: number
    /** The authenticator data before it is signed. */
    authenticatorData: (bytes: Buffer) => Buffer
    /** Registration: the credential ID inside the authenticator data. */
    attestedId: Buffer
    /** Registration: the entries of the COSE_Key. */
    coseKey: (key: CborMap) => CborMap
    /** Registration: the attestation statement, given what it would sign. */
    attestation: (signed: Buffer, sign: (data: Buffer) => Buffer) => readonly [string, CborMap]
    /** Registration: the bytes of the attestation object. */
    attestationObject: (bytes: Buffer) => Buffer
    /** Authentication: null sends none. */
    userHandle: string | null
    signature: (bytes: Buffer) => Buffer
    /** The response as the browser's page would post it, before it becomes text. */
    json: (response: Posted) => unknown
  }>
>

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()

const newKeys = (algorithm: Algorithm) => {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519')
  if (algorithm === 'RS256') return generateKeyPairSync('rsa', { modulusLength: 2048 })
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}

/** COSE_Key of RFC 9052 section 7, in the order of CTAP2 canonical CBOR. */
const coseKeyOf = (publicKey: KeyObject, algorithm: Algorithm): CborMap => {
  const jwk = publicKey.export({ format: 'jwk' })
  const bytes = (member: string | undefined) => new Uint8Array(Buffer.from(member!, 'base64url'))
  const alg = [3, ALGORITHMS[algorithm]] as const
  if (algorithm === 'EdDSA')
    return new Map<number, Cbor>([[1, 1], alg, [-1, 6], [-2, bytes(jwk.x)]])
  if (algorithm === 'RS256') {
    return new Map<number, Cbor>([[1, 3], alg, [-1, bytes(jwk.n)], [-2, bytes(jwk.e)]])
  }
  return new Map<number, Cbor>([[1, 2], alg, [-1, 1], [-2, bytes(jwk.x)], [-3, bytes(jwk.y)]])
}

/**
 * An authenticator of one passkey, and the browser before it: answers the options of either
 * ceremony with the JSON text that the page posts. Checks nothing, so that the server has to.
 */
export const createAuthenticator = (over: Partial<Make> = {}) => {
  const make: Make = {
    algorithm: 'ES256',
    aaguid: '00000000000000000000000000000000',
    synced: true,
    counter: 0,
    countsBy: 0,
    transports: ['internal', 'hybrid'],
    origin: 'https://id.example.jp',
    ...over,
  }
  const { privateKey, publicKey } = newKeys(make.algorithm)
  const credentialId = randomBytes(32)
  const id = credentialId.toString('base64url')
  let counter = make.counter
  let userHandle: string | undefined

  const signed = (data: Buffer) =>
    sign(make.algorithm === 'EdDSA' ? null : 'sha256', data, privateKey)

  const clientDataOf = (type: string, challenge: string, deviation: Deviation) => {
    const data = { type, challenge, origin: make.origin, crossOrigin: false }
    const text = JSON.stringify({ ...data, ...deviation.clientData })
    return Buffer.from(deviation.clientDataText?.(text) ?? text)
  }

  /** WebAuthn Level 3 section 6.1 */
  const authenticatorDataOf = (rpId: string, attested: Buffer, deviation: Deviation) => {
    const { userPresent = true, userVerified = true } = deviation
    const { backupEligible = make.synced, backedUp = make.synced } = deviation
    const flags = Buffer.from([
      (userPresent ? 0x01 : 0) |
        (userVerified ? 0x04 : 0) |
        (backupEligible ? 0x08 : 0) |
        (backedUp ? 0x10 : 0) |
        (attested.length > 0 ? 0x40 : 0),
    ])
    const count = Buffer.alloc(4)
    count.writeUInt32BE(deviation.counter ?? counter)
    const bytes = Buffer.concat([sha256(deviation.rpId ?? rpId), flags, count, attested])
    return deviation.authenticatorData?.(bytes) ?? bytes
  }

  const posted = (response: Posted['response'], deviation: Deviation) => {
    const whole = {
      id,
      rawId: id,
      type: 'public-key',
      clientExtensionResults: {},
      authenticatorAttachment: 'platform',
      response,
    }
    return JSON.stringify(deviation.json?.(whole) ?? whole)
  }

  return {
    /** The credential ID, base64url. */
    id,

    /** navigator.credentials.create() */
    register: (
      options: PublicKeyCredentialCreationOptionsJSON,
      deviation: Deviation = {},
    ): string => {
      userHandle = options.user.id
      const clientData = clientDataOf('webauthn.create', options.challenge, deviation)
      const attestedId = deviation.attestedId ?? credentialId
      const key = coseKeyOf(publicKey, make.algorithm)
      const length = Buffer.alloc(2)
      length.writeUInt16BE(attestedId.length)
      const attested = Buffer.concat([
        Buffer.from(make.aaguid, 'hex'),
        length,
        attestedId,
        isoCBOR.encode(deviation.coseKey?.(key) ?? key),
      ])
      const authData = authenticatorDataOf(options.rp.id!, attested, deviation)
      const [fmt, attStmt] = deviation.attestation?.(
        Buffer.concat([authData, sha256(clientData)]),
        signed,
      ) ?? ['none', new Map()]
      const object = Buffer.from(
        isoCBOR.encode(
          new Map<string, Cbor>([
            ['fmt', fmt],
            ['attStmt', attStmt],
            ['authData', new Uint8Array(authData)],
          ]),
        ),
      )
      return posted(
        {
          clientDataJSON: clientData.toString('base64url'),
          attestationObject: (deviation.attestationObject?.(object) ?? object).toString(
            'base64url',
          ),
          transports: make.transports,
        },
        deviation,
      )
    },

    /** navigator.credentials.get() */
    authenticate: (
      options: PublicKeyCredentialRequestOptionsJSON,
      deviation: Deviation = {},
    ): string => {
      counter += make.countsBy
      const clientData = clientDataOf('webauthn.get', options.challenge, deviation)
      const authData = authenticatorDataOf(options.rpId!, Buffer.alloc(0), deviation)
      const signature = signed(Buffer.concat([authData, sha256(clientData)]))
      const handle = deviation.userHandle === undefined ? userHandle : deviation.userHandle
      return posted(
        {
          clientDataJSON: clientData.toString('base64url'),
          authenticatorData: authData.toString('base64url'),
          signature: (deviation.signature?.(signature) ?? signature).toString('base64url'),
          ...(handle !== null && { userHandle: handle }),
        },
        deviation,
      )
    },
  }
}

/** Tag, length and content of DER (X.690 section 8.1), up to 65,535 bytes. */
const der = (tag: number, ...contents: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(contents)
  const { length } = content
  const long = length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...(length < 128 ? [length] : long)]), content])
}

/**
 * A maker's certificate of the form that packed attestation asks for (WebAuthn Level 3 section
 * 8.2.1), signed by nobody, and a signature with its key.
 */
export const createAttestationKey = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const hex = (text: string) => Buffer.from(text, 'hex')
  const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts)
  const ecdsaWithSha256 = sequence(hex('06082a8648ce3d040302'))
  const name = sequence(
    ...[
      ['550406', 'JP'],
      ['55040a', 'Example'],
      ['55040b', 'Authenticator Attestation'],
      ['550403', 'Example Authenticator'],
    ].map(([oid, text]) =>
      der(0x31, sequence(der(0x06, hex(oid!)), der(0x13, Buffer.from(text!)))),
    ),
  )
  const validity = sequence(
    ...['200101000000Z', '490101000000Z'].map((time) => der(0x17, Buffer.from(time))),
  )
  const certificate = sequence(
    sequence(
      der(0xa0, hex('020102')),
      hex('020101'),
      ecdsaWithSha256,
      name,
      validity,
      name,
      publicKey.export({ format: 'der', type: 'spki' }),
    ),
    ecdsaWithSha256,
    der(0x03, Buffer.alloc(9)),
  )
  return { certificate, sign: (data: Buffer) => sign('sha256', data, privateKey) }
}
