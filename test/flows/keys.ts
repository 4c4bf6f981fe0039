import type {
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/server'
import { Secret } from 'otpauth'
import { addCredential, type ChosenFactor, type Member } from '../../accounts/member.ts'
import type { Ceremony } from '../../factors/factor.ts'
import { createFactors } from '../../factors/index.ts'
import { createAuthenticator, type Make } from '../support/authenticator.ts'
import { appCode } from '../support/authenticator-app.ts'
import type { Idp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'

export type Authenticator = ReturnType<typeof createAuthenticator>

/** What a member has at hand beside the password and the mailbox. */
export type Keyring = {
  passkey?: Authenticator
  /** Of the authenticator app. */
  appSecret?: Buffer
  /** Those not used yet. */
  recoveryCodes?: readonly string[]
}

const optionsText = ({ root, heading }: Page): string => {
  const text = root.querySelector('#passkey-options')?.text
  if (text === undefined) throw new Error(`no passkey is asked for on "${heading}"`)
  return text
}

/** What our page hands to navigator.credentials.create(). */
export const creationOptionsOn = (page: Page): PublicKeyCredentialCreationOptionsJSON =>
  JSON.parse(optionsText(page))

/** What our page hands to navigator.credentials.get(). */
export const requestOptionsOn = (page: Page): PublicKeyCredentialRequestOptionsJSON =>
  JSON.parse(optionsText(page))

/** The secret that a member types into an app, of a text in base 32. */
export const secretOf = (base32: string): Buffer =>
  Buffer.from(new Uint8Array(Secret.fromBase32(base32.replaceAll(' ', '')).buffer))

export const typedKeyOn = ({ root }: Page): string => root.querySelector('#totp-key')?.text ?? ''

export const recoveryCodesOn = ({ root }: Page): readonly string[] =>
  root.querySelectorAll('#codes code').map(({ text }) => text)

const ceremonyAt = (idp: Idp, now: number): Ceremony => ({
  now,
  origin: idp.issuer,
  rpId: new URL(idp.issuer).hostname,
  issuerName: 'さくら健康保険組合',
})

const must = <T>(verdict: Readonly<{ ok: true; value: T }> | Readonly<{ ok: false }>): T => {
  if (!verdict.ok) throw new Error('a fixture was refused')
  return verdict.value
}

/** The member with one more passkey, registered an hour ago. */
export const withPasskey = async (
  idp: Idp,
  member: Member,
  make: Partial<Make> = {},
): Promise<Readonly<{ member: Member; passkey: Authenticator }>> => {
  const { settings, randomBytes } = idp.services
  const factor = createFactors(settings, randomBytes).passkey
  const ceremony = ceremonyAt(idp, idp.clock.now() - 3600)
  const passkey = createAuthenticator({ origin: idp.issuer, ...make })
  const { shown, kept } = await factor.beginRegistration(member, ceremony)
  const answer = { response: passkey.register(shown), device: 'Safari・iOS' }
  const credential = must(await factor.finishRegistration(member, kept, answer, ceremony))
  return { member: addCredential(member, credential), passkey }
}

/** The member with an authenticator app, registered an hour ago. */
export const withApp = async (
  idp: Idp,
  member: Member,
): Promise<Readonly<{ member: Member; appSecret: Buffer }>> => {
  const { settings, randomBytes } = idp.services
  const factor = createFactors(settings, randomBytes).totp
  const ceremony = ceremonyAt(idp, idp.clock.now() - 3600)
  const { shown, kept } = await factor.beginRegistration(member, ceremony)
  const appSecret = secretOf(shown.secretGroups)
  const code = appCode(appSecret, ceremony.now)
  const credential = must(await factor.finishRegistration(member, kept, { code }, ceremony))
  return { member: addCredential(member, credential), appSecret }
}

/** The member with ten recovery codes. */
export const withRecoveryCodes = (
  idp: Idp,
  member: Member,
): Readonly<{ member: Member; recoveryCodes: readonly string[] }> => {
  const { settings, randomBytes } = idp.services
  const factor = createFactors(settings, randomBytes).recoveryCode
  const { codes, credential } = factor.generate(member, ceremonyAt(idp, idp.clock.now() - 3600))
  return { member: addCredential(member, credential), recoveryCodes: codes }
}

/** A member as they are to be stored, holding these methods: the first one is the one they chose. */
export const holding = async (
  idp: Idp,
  methods: readonly (ChosenFactor | 'recoveryCode')[],
  base: Member,
): Promise<Readonly<{ member: Member; keys: Keyring }>> => {
  let member = base
  const keys: Keyring = {}
  const [chosenFactor] = methods
  if (chosenFactor === 'recoveryCode') throw new Error('recovery codes are nobody’s chosen method')
  if (methods.includes('passkey')) {
    const held = await withPasskey(idp, member)
    member = held.member
    keys.passkey = held.passkey
  }
  if (methods.includes('totp')) {
    const held = await withApp(idp, member)
    member = held.member
    keys.appSecret = held.appSecret
  }
  if (methods.includes('recoveryCode')) {
    const held = withRecoveryCodes(idp, member)
    member = held.member
    keys.recoveryCodes = held.recoveryCodes
  }
  return { member: { ...member, ...(chosenFactor && { chosenFactor }) }, keys }
}
