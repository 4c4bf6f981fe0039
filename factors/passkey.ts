import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import { z } from 'zod'
import type { Credential, EpochSeconds, Member, MemberId } from '../accounts/member.ts'
import type { RandomBytes } from '../accounts/ports.ts'
import type {
  Answer,
  Authentication,
  Ceremony,
  Challenge,
  RegistrableFactor,
  Rejection,
  Verdict,
} from './factor.ts'
import { passkeyNameOf } from './passkey-names.ts'

/** Loaded with the first ceremony: the library takes longer to load than everything of ours. */
const webauthn = () => import('./webauthn.ts')

/** How long a challenge can be answered: five minutes and no longer. */
export const PASSKEY_SECONDS = 300
const CHALLENGE_BYTES = 32
const LONGEST_LABEL_CHARACTERS = 30

/** Where the member wants the passkey to live: this device, or another one, which is a phone or a
 * security key as they choose in the browser's own window. */
export type PasskeyHint = 'localDevice' | 'remoteDevice'

/** What is kept between the halves of a ceremony. `take` it from the store: it is for one answer. */
export type PasskeyKept = Readonly<{
  kind: 'registration' | 'authentication'
  /** base64url */
  challenge: string
  /** Missing: whoever answers says who they are (a discoverable credential). */
  memberId?: MemberId
  issuedAt: EpochSeconds
}>

const passkeyData = z.object({
  /** COSE_Key, base64url. */
  publicKey: z.string(),
  counter: z.number(),
  transports: z.array(z.string()),
  aaguid: z.string(),
  /** `multiDevice`: synced by its provider; `singleDevice`: never leaves its authenticator. */
  deviceType: z.enum(['singleDevice', 'multiDevice']),
  backedUp: z.boolean(),
  /** base64url */
  userHandle: z.string(),
  lastUsedAt: z.number().exactOptional(),
})
/** What a passkey's credential record holds (WebAuthn Level 3 section 4, credential record). */
export type PasskeyData = Readonly<z.infer<typeof passkeyData>>

/** `id` is the credential ID, base64url. */
export type Passkey = Credential & Readonly<{ data: PasskeyData }>

export const passkeysOf = (member: Member): readonly Passkey[] =>
  member.credentials
    .filter((credential) => credential.factor === 'passkey')
    .map((credential) => ({ ...credential, data: passkeyData.parse(credential.data) }))

/**
 * The member's user handle, base64url: the bytes of the random member ID, so that it says nothing
 * about the person (WebAuthn Level 3 section 14.6.1) and leads back to the account.
 */
export const userHandleFor = (id: MemberId): string => Buffer.from(id).toString('base64url')

/** The member ID in a user handle that someone presented; there need not be such a member. */
export const memberIdIn = (userHandle: string): MemberId =>
  // a brand only: the store is asked whether the ID exists
  Buffer.from(userHandle, 'base64url').toString() as MemberId

const LONGEST_RESPONSE_CHARACTERS = 16_384
/** 1,023 bytes at most (WebAuthn Level 3 section 7.1). */
const LONGEST_CREDENTIAL_ID_CHARACTERS = 1_364

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)
const responseOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.object({
    id: base64url.max(LONGEST_CREDENTIAL_ID_CHARACTERS),
    rawId: base64url,
    type: z.literal('public-key'),
    response: z.object({ clientDataJSON: base64url, ...shape }),
  })
const registrationResponse = responseOf({
  attestationObject: base64url,
  // any name: those of later authenticators have to be handed back to the browser as they came
  transports: z
    .array(z.string().regex(/^[a-z-]{1,32}$/))
    .max(10)
    .default([]),
})
const authenticationResponse = responseOf({
  authenticatorData: base64url,
  signature: base64url,
  userHandle: base64url.nullish(),
}).extend({
  // the browser's word, signed by nobody: good for an offer, never for a decision
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).optional().catch(undefined),
})
/** What a browser sends for a passkey it has made, its form checked and nothing else. */
export type RegistrationResponse = z.infer<typeof registrationResponse>
/** What it sends for one it has used, likewise. */
export type AuthenticationResponse = z.infer<typeof authenticationResponse>

/** The browser's response in the form field, undefined where it cannot have come from our page. */
const readResponse = <T>(schema: z.ZodType<T>, { response }: Answer): T | undefined => {
  if (response === undefined || response.length > LONGEST_RESPONSE_CHARACTERS) return undefined
  try {
    return schema.safeParse(JSON.parse(response)).data
  } catch {
    return undefined
  }
}

/** On a phone beside this device: an answer from elsewhere, by no security key (CTAP hybrid). */
const isOnPhone = (
  { data }: Passkey,
  { authenticatorAttachment }: AuthenticationResponse,
): boolean =>
  authenticatorAttachment === 'cross-platform' &&
  (data.transports.length === 0 ||
    data.transports.some((transport) => transport === 'hybrid' || transport === 'internal'))

/** A member's name for a passkey as it is kept: one line, 30 characters at most. */
export const tidyLabel = (text = ''): string =>
  [...text.normalize('NFC').replace(/\s+/gu, ' ').replace(/\p{C}/gu, '').trim()]
    .slice(0, LONGEST_LABEL_CHARACTERS)
    .join('')

const refused = (reason: Rejection) => ({ ok: false, reason }) as const

/**
 * Passkeys (WebAuthn Level 3 sections 7.1 and 7.2), always with user verification, so that one
 * counts as two factors. What a browser or an authenticator may send is refused, never thrown.
 *
 * For the caller to do: take the kept challenge so that it serves once; refuse a credential ID that
 * another member has (only the store can know).
 *
 * `finishRegistration` reads `response`, the JSON of the browser's RegistrationResponseJSON; `label`,
 * the member's name for the passkey, of which 30 characters are kept; and `device`, the name the
 * page began with, which gives way to that of a well-known AAGUID where it was left as it is. The
 * others read `response` only, the JSON of
 * AuthenticationResponseJSON.
 */
export interface PasskeyFactor
  extends RegistrableFactor<
    PublicKeyCredentialCreationOptionsJSON,
    PasskeyKept,
    PublicKeyCredentialRequestOptionsJSON,
    PasskeyKept
  > {
  beginRegistration(
    member: Member,
    ceremony: Ceremony,
    hint?: PasskeyHint,
  ): Promise<Challenge<PublicKeyCredentialCreationOptionsJSON, PasskeyKept>>

  /** What a passkey just registered says of itself for `amr`. */
  syncOf(passkey: Credential): Pick<Authentication, 'synced'>

  /** A sign-in without a login ID: the browser offers whatever passkeys it has for us. */
  beginDiscoverable(
    ceremony: Ceremony,
  ): Promise<Challenge<PublicKeyCredentialRequestOptionsJSON, PasskeyKept>>

  /** Whose passkey an unverified answer says it is: to look the member up by `memberIdIn`. */
  userHandleOf(answer: Answer): string | undefined

  /** Which passkey an unverified answer says it is: for the browser to forget one that is gone. */
  credentialIdOf(answer: Answer): string | undefined

  /**
   * @param member whom `userHandleOf` led to; undefined, where it led to nobody, is answered like a
   *   passkey that the member no longer has.
   */
  finishDiscoverable(
    member: Member | undefined,
    kept: PasskeyKept,
    answer: Answer,
    ceremony: Ceremony,
  ): Promise<Verdict<Authentication>>
}

/** @param timeoutSeconds how long the browser waits and a challenge is good; at most 300, the default. */
export const createPasskeyFactor = ({
  randomBytes,
  timeoutSeconds = PASSKEY_SECONDS,
}: Readonly<{ randomBytes: RandomBytes; timeoutSeconds?: number }>): PasskeyFactor => {
  if (!(timeoutSeconds > 0 && timeoutSeconds <= PASSKEY_SECONDS)) {
    throw new RangeError(`"timeoutSeconds" must be above 0 and at most ${PASSKEY_SECONDS}`)
  }
  const timeout = timeoutSeconds * 1000 // milliseconds
  const newChallenge = () => Uint8Array.from(randomBytes(CHALLENGE_BYTES))

  const isFor = (
    kept: PasskeyKept,
    kind: PasskeyKept['kind'],
    memberId: MemberId | undefined,
    now: EpochSeconds,
  ): boolean =>
    kept.kind === kind && kept.memberId === memberId && now - kept.issuedAt < timeoutSeconds

  /** Written here: every page for a password asks for it, and would wait for the library. */
  const requestOptions = async (
    { rpId, now }: Ceremony,
    member?: Member,
  ): Promise<Challenge<PublicKeyCredentialRequestOptionsJSON, PasskeyKept>> => {
    const challenge = Buffer.from(newChallenge()).toString('base64url')
    // WebAuthn Level 3 section 5.5
    const shown: PublicKeyCredentialRequestOptionsJSON = {
      rpId,
      challenge,
      timeout,
      userVerification: 'required',
      allowCredentials: (member ? passkeysOf(member) : []).map(({ id, data }) => ({
        id,
        type: 'public-key',
        transports: [...data.transports],
      })),
    }
    return {
      shown,
      kept: {
        kind: 'authentication',
        challenge,
        issuedAt: now,
        ...(member && { memberId: member.id }),
      },
      expiresInSeconds: timeoutSeconds,
    }
  }

  const finishWith = async (
    member: Member | undefined,
    kept: PasskeyKept,
    response: AuthenticationResponse,
    ceremony: Ceremony,
  ): Promise<Verdict<Authentication>> => {
    const passkey = member && passkeysOf(member).find(({ id }) => id === response.id)
    if (!passkey) return refused('pk.gone')
    const { userHandle } = response.response
    if (userHandle != null && userHandle !== passkey.data.userHandle) return refused('pk.failed')
    const { verifyAssertion } = await webauthn()
    const asserted = await verifyAssertion(passkey, kept, response, ceremony)
    // whether a passkey can be synced is settled when it is made (section 7.2)
    if (asserted?.credentialDeviceType !== passkey.data.deviceType) return refused('pk.failed')
    const data: PasskeyData = {
      ...passkey.data,
      counter: asserted.newCounter,
      backedUp: asserted.credentialBackedUp,
      lastUsedAt: ceremony.now,
    }
    return {
      ok: true,
      value: {
        credential: { ...passkey, data },
        synced: data.deviceType === 'multiDevice',
        ...(isOnPhone(passkey, response) && { elsewhere: true }),
      },
    }
  }

  return {
    id: 'passkey',

    async beginRegistration(member, { rpId, issuerName, now }, hint) {
      const { ALGORITHMS, generateRegistrationOptions } = await webauthn()
      const shown = await generateRegistrationOptions({
        rpID: rpId,
        rpName: issuerName,
        userID: Uint8Array.from(Buffer.from(userHandleFor(member.id), 'base64url')),
        userName: member.loginId,
        userDisplayName: member.loginId,
        challenge: newChallenge(),
        timeout,
        attestationType: 'none',
        authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
        supportedAlgorithmIDs: ALGORITHMS,
        excludeCredentials: passkeysOf(member).map(({ id, data }) => ({
          id,
          transports: data.transports,
        })),
        ...(hint && { preferredAuthenticatorType: hint }),
      })
      const { challenge } = shown
      return {
        shown,
        kept: { kind: 'registration', challenge, memberId: member.id, issuedAt: now },
        expiresInSeconds: timeoutSeconds,
      }
    },

    async finishRegistration(member, kept, answer, ceremony) {
      const { now } = ceremony
      if (!isFor(kept, 'registration', member.id, now)) return refused('pk.failed')
      const response = readResponse(registrationResponse, answer)
      if (!response) return refused('pk.failed')
      const { verifyAttestation } = await webauthn()
      const made = await verifyAttestation(response, kept, ceremony)
      // the ID that will be looked up is the one inside the authenticator's data
      if (made?.credential.id !== response.id) return refused('pk.failed')
      // of any factor: a member's credentials are told apart by their IDs alone
      if (member.credentials.some(({ id }) => id === response.id)) return refused('pk.dup')
      const device = tidyLabel(answer.device)
      const typed = tidyLabel(answer.label)
      const label = (typed === device ? '' : typed) || passkeyNameOf(made.aaguid) || device
      const data: PasskeyData = {
        publicKey: Buffer.from(made.credential.publicKey).toString('base64url'),
        counter: made.credential.counter,
        transports: response.response.transports,
        aaguid: made.aaguid,
        deviceType: made.credentialDeviceType,
        backedUp: made.credentialBackedUp,
        userHandle: userHandleFor(member.id),
      }
      return {
        ok: true,
        value: {
          id: response.id,
          factor: 'passkey',
          ...(label && { label }),
          registeredAt: now,
          data,
        },
      }
    },

    beginAuthentication: (member, ceremony) => requestOptions(ceremony, member),

    async finishAuthentication(member, kept, answer, ceremony) {
      if (!isFor(kept, 'authentication', member.id, ceremony.now)) return refused('pk.failed')
      const response = readResponse(authenticationResponse, answer)
      return response ? finishWith(member, kept, response, ceremony) : refused('pk.failed')
    },

    syncOf: ({ data }) => ({ synced: passkeyData.parse(data).deviceType === 'multiDevice' }),

    beginDiscoverable: (ceremony) => requestOptions(ceremony),

    userHandleOf: (answer) =>
      readResponse(authenticationResponse, answer)?.response.userHandle ?? undefined,

    credentialIdOf: (answer) => readResponse(authenticationResponse, answer)?.id,

    async finishDiscoverable(member, kept, answer, ceremony) {
      if (!isFor(kept, 'authentication', undefined, ceremony.now)) return refused('pk.failed')
      const response = readResponse(authenticationResponse, answer)
      // without a user handle nothing says that the account is the passkey's (section 7.2)
      if (response?.response.userHandle == null) return refused('pk.failed')
      return finishWith(member, kept, response, ceremony)
    },
  }
}
