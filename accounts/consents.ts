import type { EpochSeconds, MemberId } from './member.ts'

/** What a relying party asks for, or has been allowed: names of the protocol, each once. */
export type Permissions = Readonly<{
  /** OAuth scopes, `offline_access` among them. */
  scopes: readonly string[]
  /** Claims, those that the scopes bring along among them: as many as the client may be told. */
  claims: readonly string[]
  /** `<resource indicator> <scope>` (RFC 8707), or the indicator alone: its API, by no scope of it. */
  resources: readonly string[]
}>

/** What one authorization request asks the member to allow. */
export type ConsentRequest = Readonly<{
  asked: Permissions
  /** Those of its claims that the application says it cannot do without (OIDC Core section 5.5.1). */
  essential: readonly string[]
}>

/** What a member has allowed a relying party, until they end it. */
export type Consent = Permissions &
  Readonly<{
    memberId: MemberId
    clientId: string
    /** Tokens from before are none of its (`isFromBefore`): it was given anew after one had been
     * ended. */
    since: EpochSeconds
    /** When something was allowed last. */
    updatedAt: EpochSeconds
  }>

const KINDS = ['scopes', 'claims', 'resources'] as const

/** Told to every relying party at which the member signs in (OIDC Core section 2): how they did, and
 * whose ID token it is. Nothing to ask, and denied to none. */
const ALWAYS_TOLD: ReadonlySet<string> = new Set(['sub', 'iss', 'sid', 'auth_time', 'acr', 'amr'])

/** What has to be asked for of these. */
export const askable = ({ scopes, claims, resources }: Permissions): Permissions => ({
  scopes: [...new Set(scopes)],
  claims: [...new Set(claims)].filter((claim) => !ALWAYS_TOLD.has(claim)),
  resources: [...new Set(resources)],
})

const each = (
  one: Permissions,
  made: (kind: (typeof KINDS)[number], names: readonly string[]) => readonly string[],
): Permissions => ({
  scopes: made('scopes', one.scopes),
  claims: made('claims', one.claims),
  resources: made('resources', one.resources),
})

/** Whether it is told without being allowed: who signed in, and how. */
export const isAlwaysTold = (claim: string): boolean => ALWAYS_TOLD.has(claim)

/** What of `asked` is allowed. */
export const allowedBy = (consent: Permissions | undefined, asked: Permissions): Permissions =>
  each(asked, (kind, names) => names.filter((name) => consent?.[kind].includes(name) === true))

/** What of `asked` is still to be allowed. */
export const missingFrom = (consent: Permissions | undefined, asked: Permissions): Permissions =>
  each(asked, (kind, names) => names.filter((name) => consent?.[kind].includes(name) !== true))

export const isNothing = (permissions: Permissions): boolean =>
  KINDS.every((kind) => permissions[kind].length === 0)

/** All of both, each once, in the order of their coming. */
export const together = (one: Permissions, other: Permissions): Permissions =>
  each(one, (kind, names) => [...new Set([...names, ...other[kind]])])

/** All of it by its names, each once: a scope and a claim of it may have the same one. */
export const namesOf = ({ scopes, claims, resources }: Permissions): readonly string[] => [
  ...new Set([...scopes, ...claims, ...resources]),
]

/** By so much the clocks of two machines may differ. */
const SKEW_SECONDS = 60

/** A consent holds for the client that it was given to, and for no later one of the same ID. */
export const holdsFor = (
  consent: Pick<Consent, 'updatedAt'> | undefined,
  { registeredAt = 0 }: Readonly<{ registeredAt?: EpochSeconds }>,
): boolean => consent !== undefined && consent.updatedAt >= registeredAt - SKEW_SECONDS

/** Whether what was issued then is of an earlier consent, which was ended. */
export const isFromBefore = ({ since }: Pick<Consent, 'since'>, issuedAt: EpochSeconds): boolean =>
  issuedAt < since - SKEW_SECONDS
