import { createPrivateKey } from 'node:crypto'
import { ownSuiteClients } from '../../config/conformance/clients.ts'
import { conformanceKey } from '../../config/conformance/keys.ts'
import {
  CONFORMANCE_MEMBERS,
  type ConformanceMember,
  memberIdOf,
  passkeyIdOf,
} from '../../config/conformance/members.ts'
import { base32, RFC4648 } from '../../factors/base32.ts'

/** The clients file of our own suite (docs/conformance.md). */
export const ownClientsFile = () => ({
  clients: ownSuiteClients().map(({ entry: { policy: _, ...entry }, key, role }) => ({
    ...entry,
    ...(key && { jwks: { keys: [key] } }),
    ...(role !== undefined && { role }),
  })),
})

/** Whose method is called what there. */
const METHODS = { emailCode: 'email', totp: 'totp', passkey: 'passkey' } as const

/** A passkey as a virtual authenticator takes it: base64, and the key as PKCS #8. */
const passkeyOf = ({ loginId, passkey }: ConformanceMember, issuer: string) => {
  if (passkey === undefined) return {}
  const base64 = (text: string) => Buffer.from(text, 'base64url').toString('base64')
  const key = createPrivateKey({ key: conformanceKey(passkey), format: 'jwk' })
  return {
    passkeyId: base64(passkeyIdOf(passkey)),
    passkeyKey: key.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    passkeyUser: Buffer.from(memberIdOf(loginId)).toString('base64'),
    passkeySite: new URL(issuer).hostname,
  }
}

/** The member file of our own suite; `mailbox` is where the profile shows the mails sent. */
export const ownMembersFile = ({
  issuer,
  mailbox,
}: Readonly<{ issuer: string; mailbox: string }>) => ({
  members: CONFORMANCE_MEMBERS.map((member) => {
    const { loginId, password, email, method, totpSecret, birthdate } = member
    const [birthYear = '', birthMonth = '', birthDay = ''] = birthdate.split('-')
    return {
      username: loginId,
      password,
      address: email,
      mailbox: `${mailbox}/api/mails?to=${encodeURIComponent(email)}`,
      ...(totpSecret !== undefined && {
        totpSecret: base32(Buffer.from(totpSecret), RFC4648),
      }),
      ...passkeyOf(member, issuer),
      ...(method === undefined
        ? {
            firstLogin: 'yes',
            // Registered on the way, by a browser without script too.
            method: 'totp',
            newPassword: 'Shiken-no-Tame-55!',
            birthYear,
            birthMonth: String(Number(birthMonth)),
            birthDay: String(Number(birthDay)),
          }
        : { method: METHODS[method] }),
      ...(loginId === 'conf-guess' && { guess: 'yes' }),
    }
  }),
})
