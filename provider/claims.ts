import { type ClaimsParameter, type Client, errors } from 'oidc-provider'
import { isAlwaysTold } from '../accounts/consents.ts'
import type { Member } from '../accounts/member.ts'
import type { Features } from '../clients/features.ts'
import { claimsAllowed, isClaimsScope, SCOPE_CLAIMS, scopesOf } from '../clients/scopes.ts'
import { termsOf } from './clients.ts'

/** The claims of each scope that is on, as the engine wants them. */
export const claimsByScope = (features: Features): Record<string, string[]> =>
  Object.fromEntries(
    scopesOf(features)
      .filter(isClaimsScope)
      .map((scope) => [scope, [...SCOPE_CLAIMS[scope]]]),
  )

/** All that is known of the member, by the claims' names; what is not known has none. */
export const claimsOf = ({
  profile,
  birthdate,
  locale,
  email,
  insured,
}: Member): Readonly<Record<string, unknown>> => ({
  ...profile,
  birthdate,
  locale,
  ...(email?.verifiedAt !== undefined && { email: email.address, email_verified: true }),
  ...(insured && { insured_symbol: insured.symbol, insured_number: insured.number }),
})

/** The claims about members that this client may be told at most. */
export const claimsToldTo = (client: Client): ReadonlySet<string> =>
  claimsAllowed(client.scope?.split(' ') ?? [], termsOf(client))

/** Of what the claims parameter asks for, what this client may be told. */
export const claimsGranted = (requested: Iterable<string>, client: Client): string[] => {
  const allowed = claimsToldTo(client)
  return [...requested].filter((claim) => allowed.has(claim) || isAlwaysTold(claim))
}

/**
 * What is wrong with a claims parameter beyond its form, which the engine looks at. A claim that the
 * client may not be told is passed over and no error (OpenID Connect Core section 5.5.1).
 * @throws InvalidRequest where a claim's request has not the form of section 5.5.1
 */
export const assertClaimsParameter = (claims: ClaimsParameter): void => {
  for (const part of ['userinfo', 'id_token'] as const) {
    for (const [name, request] of Object.entries<unknown>(claims[part] ?? {})) {
      if (request === null || (typeof request === 'object' && !Array.isArray(request))) continue
      throw new errors.InvalidRequest(`claims.${part}.${name} should be null or an object`)
    }
  }
}
