import type { Features } from './features.ts'
import type { ClientMetadata, PolicyEntry } from './schema.ts'

/** The form in which names are read out (OpenID Connect Core section 5.2). */
const KANA = 'ja-Kana-JP'

/**
 * The claims of each scope: OpenID Connect Core section 5.4, with the readings of the names, and
 * `insured` of our own: the insurer's symbol and number.
 */
export const SCOPE_CLAIMS = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
    `name#${KANA}`,
    `family_name#${KANA}`,
    `given_name#${KANA}`,
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
  insured: ['insured_symbol', 'insured_number'],
} as const
export type ClaimsScope = keyof typeof SCOPE_CLAIMS

// Object.keys widens to string.
const CLAIMS_SCOPES = Object.keys(SCOPE_CLAIMS) as readonly ClaimsScope[]
export const isClaimsScope = (scope: string): scope is ClaimsScope =>
  Object.hasOwn(SCOPE_CLAIMS, scope)

/** Every scope that a client can be registered for, whether or not it is switched on. */
export const SCOPES = ['openid', 'offline_access', ...CLAIMS_SCOPES] as const
export type Scope = (typeof SCOPES)[number]

/** The scopes that are switched on. */
export const scopesOf = (features: Features): readonly Scope[] =>
  SCOPES.filter((scope) => !isClaimsScope(scope) || features.has(scope))

/** Every claim about the member that somebody could be told. */
export const CLAIMS: readonly string[] = Object.values(SCOPE_CLAIMS).flat()

type Terms = Readonly<{
  metadata: Pick<ClientMetadata, 'scope'>
  policy: Pick<PolicyEntry, 'healthInsurance'>
}>

/**
 * The scopes that this client may ask for: those it is registered for, or where it names none all
 * that are on; `insured` only where it runs health-insurance business (健康保険法第194条の2).
 */
export const scopesAllowed = (
  { metadata, policy }: Terms,
  features: Features,
): readonly Scope[] => {
  const registered = metadata.scope?.split(' ')
  return scopesOf(features).filter(
    (scope) =>
      (registered?.includes(scope) ?? true) &&
      (scope !== 'insured' || policy.healthInsurance === true),
  )
}

/**
 * The claims about a member that a client with these scopes may be told at most, however it asks for
 * them: the claims parameter opens nothing that a scope of its own does not.
 */
export const claimsAllowed = (
  scopes: readonly string[],
  { claims: limit }: Pick<PolicyEntry, 'claims'>,
): ReadonlySet<string> => {
  const claims: readonly string[] = scopes
    .filter(isClaimsScope)
    .flatMap((scope) => SCOPE_CLAIMS[scope])
  return new Set(limit ? claims.filter((claim) => limit.includes(claim)) : claims)
}
