import { createHash, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import type { EpochSeconds } from '../accounts/member.ts'
import type { RandomBytes } from '../accounts/ports.ts'
import { addFault } from './refusal.ts'
import { type ClientRules, INSURED_FAULT, type PolicyEntry, policySchema } from './schema.ts'
import { scopesOf } from './scopes.ts'

/**
 * Lets software register a client by itself (RFC 7591 section 1.2: an initial access token), so many
 * times, until then, for these hosts and no more. Only a hash of it is kept.
 */
export type RegistrationToken = Readonly<{
  id: string
  /** SHA-256 of the whole token, base64url. */
  hash: string
  /** The terms of each client that it registers. */
  policy: Readonly<PolicyEntry>
  hosts: readonly string[]
  scopes: readonly string[]
  uses: number
  used: number
  createdAt: EpochSeconds
  expiresAt: EpochSeconds
  revokedAt?: EpochSeconds
  revision: number
}>

const DAY = 86_400
const MAX_TOKEN_DAYS = 365
const MAX_TOKEN_USES = 1000
const ID_BYTES = 6
const SECRET_BYTES = 32

const host = z.string().check((context) => {
  const given = context.value
  const isHost =
    /^[a-z0-9.:[\]-]+$/.test(given) &&
    URL.canParse(`https://${given}/`) &&
    new URL(`https://${given}/`).host === given
  if (isHost) return
  addFault(context, {
    rule: 'is not a host name',
    fix: 'Give host or host:port in lower case, without scheme, path or wildcard: app.example.jp',
  })
})

/** What an operator says of a new token: no more than its clients can be registered for. */
export const tokenSchema = (rules: ClientRules) =>
  z
    .strictObject({
      policy: policySchema(rules),
      hosts: z.array(host).min(1).max(50),
      scopes: z
        .array(z.enum(scopesOf(rules.features)))
        .min(1)
        .max(50)
        .default(['openid']),
      uses: z.int().min(1).max(MAX_TOKEN_USES).default(1),
      days: z.int().min(1).max(MAX_TOKEN_DAYS).default(7),
    })
    .check((context) => {
      const { policy, scopes } = context.value
      if (policy.healthInsurance === true || !scopes.includes('insured')) return
      addFault(context, { ...INSURED_FAULT, path: ['scopes'] })
    })
export type TokenEntry = z.output<ReturnType<typeof tokenSchema>>

const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

/** A new token: its record, and the token itself, which is told once. */
export const makeToken = (
  { days, ...entry }: TokenEntry,
  { now, randomBytes }: Readonly<{ now: EpochSeconds; randomBytes: RandomBytes }>,
): Readonly<{ record: RegistrationToken; token: string }> => {
  const id = randomBytes(ID_BYTES).toString('hex')
  const token = `${id}.${randomBytes(SECRET_BYTES).toString('base64url')}`
  return {
    record: {
      ...entry,
      id,
      hash: hashOf(token),
      used: 0,
      createdAt: now,
      expiresAt: now + days * DAY,
      revision: 0,
    },
    token,
  }
}

/** The ID that a token names; undefined where it is none of ours. */
export const tokenId = (token: string): string | undefined => /^([0-9a-f]{12})\./.exec(token)?.[1]

export type TokenState = 'usable' | 'revoked' | 'expired' | 'spent' | 'unknown'

/** Where this token stands; `unknown` where it is another one of the same ID. */
export const tokenState = (
  record: RegistrationToken,
  token: string,
  now: EpochSeconds,
): TokenState => {
  if (!timingSafeEqual(Buffer.from(hashOf(token)), Buffer.from(record.hash))) return 'unknown'
  if (record.revokedAt !== undefined) return 'revoked'
  if (now >= record.expiresAt) return 'expired'
  return record.used < record.uses ? 'usable' : 'spent'
}

/** Whether this token may register one more client. */
export const isUsable = (record: RegistrationToken, token: string, now: EpochSeconds): boolean =>
  tokenState(record, token, now) === 'usable'
