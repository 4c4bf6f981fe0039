import { join } from 'node:path'
import { isoCBOR } from '@simplewebauthn/server/helpers'
import type { Credential, EpochSeconds, Member, MemberId } from './accounts/member.ts'
import type { Clock, MemberStore, RandomBytes } from './accounts/ports.ts'
import { termsHash } from './accounts/society.ts'
import { type Mailbox, startMailbox } from './adapters/mailbox.ts'
import { conformanceKey } from './config/conformance/keys.ts'
import {
  CONFORMANCE_MEMBERS,
  type ConformanceMember,
  memberIdOf,
  PROFILE_SITE,
  passkeyIdOf,
  profileOf,
} from './config/conformance/members.ts'
import { CONFORMANCE_SOCIETY } from './config/conformance/society.ts'
import type { AppConfig } from './config/index.ts'
import { type PasskeyData, userHandleFor } from './factors/passkey.ts'
import { hashPassword } from './factors/password.ts'
import { createSeal } from './factors/seal.ts'
import { sealTotpSecret } from './factors/totp.ts'

/** What runs beside the product in the conformance profile. */
export type RunningConformance = Readonly<{
  smtpUrl: string | undefined
  announcement: string
  close(): Promise<void>
}>

/** A public key as WebAuthn keeps it (RFC 9053 section 7.1.1: EC2, ES256, P-256). */
const coseKey = ({ x, y }: Readonly<{ x: string; y: string }>): string =>
  Buffer.from(
    isoCBOR.encode(
      new Map<number, number | Uint8Array>([
        [1, 2],
        [3, -7],
        [-1, 1],
        [-2, new Uint8Array(Buffer.from(x, 'base64url'))],
        [-3, new Uint8Array(Buffer.from(y, 'base64url'))],
      ]),
    ),
  ).toString('base64url')

const passkeyOf = (id: MemberId, name: string, at: EpochSeconds): Credential => ({
  id: passkeyIdOf(name),
  factor: 'passkey',
  label: 'Conformance',
  registeredAt: at,
  data: {
    publicKey: coseKey(conformanceKey(name)),
    counter: 0,
    transports: ['internal'],
    aaguid: '00000000-0000-0000-0000-000000000000',
    deviceType: 'singleDevice',
    backedUp: false,
    userHandle: userHandleFor(id),
  } satisfies PasskeyData,
})

type Making = Readonly<{
  now: EpochSeconds
  hash: string
  revision: number
  sealSecret: (id: MemberId, secret: Buffer) => Credential['data']
}>

const memberOf = (one: ConformanceMember, making: Making): Member => {
  const { now } = making
  // The one place where these members' IDs are made.
  const id = memberIdOf(one.loginId) as MemberId
  const credentials: readonly Credential[] = [
    ...(one.totpSecret === undefined
      ? []
      : [
          {
            id: `${one.loginId}-app`,
            factor: 'totp' as const,
            registeredAt: now,
            data: making.sealSecret(id, Buffer.from(one.totpSecret)),
          },
        ]),
    ...(one.passkey === undefined ? [] : [passkeyOf(id, one.passkey, now)]),
  ]
  const { terms, id: societyId } = CONFORMANCE_SOCIETY
  const base = {
    id,
    societyId,
    loginId: one.loginId,
    insured: { symbol: 'conf', number: one.loginId.replace('conf-', '') },
    birthdate: one.birthdate,
    locale: 'ja' as const,
    profile: profileOf(one, PROFILE_SITE),
    credentials,
    revision: making.revision,
  }
  if (one.method === undefined) {
    return {
      ...base,
      email: { address: one.email },
      password: { hash: making.hash, initial: 'random', changedAt: now },
      acceptedTerms: [],
    }
  }
  return {
    ...base,
    email: { address: one.email, verifiedAt: now },
    password: { hash: making.hash, changedAt: now },
    birthdateConfirmedAt: now,
    acceptedTerms: [
      {
        version: terms.version,
        textHash: termsHash(terms.text.ja),
        at: now,
        clientId: 'conf-first',
      },
    ],
    chosenFactor: one.method,
    enrolledAt: now,
    // Nothing is offered to them that a script would have to answer.
    deviceOfferedAt: now,
  }
}

/** Puts the profile's members into the store, as they were before any earlier run. */
const resetMembers = async (
  { encryptionKeys }: Pick<AppConfig, 'encryptionKeys'>,
  { members, clock, randomBytes }: Ports,
): Promise<void> => {
  const seal = createSeal(encryptionKeys, randomBytes)
  for (const one of CONFORMANCE_MEMBERS) {
    const held = await members.findByLoginId(CONFORMANCE_SOCIETY.id, one.loginId)
    await members.save(
      memberOf(one, {
        now: clock.now(),
        hash: await hashPassword(one.password),
        revision: held?.revision ?? 0,
        sealSecret: (id, secret) => sealTotpSecret(seal, { id }, secret),
      }),
    )
  }
}

const announce = (config: AppConfig, mailbox: string | undefined): string =>
  [
    '',
    '適合性試験のプロファイルです。会員とパスワードは公開のもので、本物の会員には使えません。',
    'The conformance profile: members and passwords are public. Not for real members.',
    '',
    `  発行者 / issuer            ${config.issuer}`,
    `  待ち受け / listens on      http://${config.host}:${config.port}  (TLS front: docs/conformance.md)`,
    ...(mailbox ? [`  送ったメール / mails sent  ${mailbox}/`] : []),
    `  スイート / suite           ${config.conformance?.suite}`,
    '',
    ...CONFORMANCE_MEMBERS.map(
      ({ loginId, password, what }) =>
        `    ${loginId.padEnd(13)} ${password.padEnd(19)} ${what.ja} / ${what.en}`,
    ),
    '',
    '設定ファイル / configuration files: npm run conformance:plan',
    '',
  ].join('\n')

type Ports = Readonly<{ members: MemberStore; clock: Clock; randomBytes: RandomBytes }>

/**
 * Starts what only the conformance profile has: its members, as new, and a page with the mails sent
 * where no mail server is configured. Refused in production by the configuration, which comes first.
 * @throws the listening error where a port is in use
 */
export const startConformance = async (
  config: AppConfig & { readonly conformance: NonNullable<AppConfig['conformance']> },
  ports: Ports,
): Promise<RunningConformance> => {
  await resetMembers(config, ports)
  const mailbox: Mailbox | undefined =
    config.smtpUrl === undefined
      ? await startMailbox({
          file: join(config.dataDir, 'conformance-mailbox.json'),
          port: config.conformance.mailboxPort,
          clock: ports.clock,
        })
      : undefined
  return {
    smtpUrl: mailbox?.smtpUrl,
    announcement: announce(config, mailbox?.url),
    close: async () => mailbox?.close(),
  }
}
