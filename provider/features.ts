import { type Configuration, errors } from 'oidc-provider'
import type { Features } from '../clients/features.ts'
import { AUTH_METHODS, CLIENT_ALGORITHMS } from '../clients/schema.ts'
import { assertClaimsParameter } from './claims.ts'
import type { mayIntrospect } from './introspection.ts'
import { resourceServerOf } from './resources.ts'

/** Until then its `jti` is remembered. */
const LONGEST_ASSERTION_SECONDS = 3600

/** What is signed with what: nothing by a shared secret but a client's own assertion of it. */
export const algorithms: NonNullable<Configuration['enabledJWA']> = {
  idTokenSigningAlgValues: CLIENT_ALGORITHMS,
  userinfoSigningAlgValues: CLIENT_ALGORITHMS,
  requestObjectSigningAlgValues: CLIENT_ALGORITHMS,
  dPoPSigningAlgValues: CLIENT_ALGORITHMS,
  clientAuthSigningAlgValues: ['HS256', 'HS384', 'HS512', ...CLIENT_ALGORITHMS],
}

export const clientAuthMethods = AUTH_METHODS

/** RFC 7523 section 3, rule 4: an end that is unreasonably far away is refused. */
export const assertionRules =
  (now: () => number) =>
  (_ctx: unknown, { exp }: Readonly<Record<string, unknown>>): void => {
    if (typeof exp === 'number' && exp <= now() + LONGEST_ASSERTION_SECONDS) return
    throw new errors.InvalidClientAuth(
      `exp must be no more than ${LONGEST_ASSERTION_SECONDS} seconds away in the client_assertion JWT`,
    )
  }

/** The engine's own features as they are switched, but for registration and the pages. */
export const engineFeatures = (
  on: Features,
  introspection: ReturnType<typeof mayIntrospect>,
): Configuration['features'] & object => ({
  clientCredentials: { enabled: on.has('client-credentials') },
  claimsParameter: {
    enabled: on.has('claims-parameter'),
    assertClaimsParameter: (_ctx, claims) => assertClaimsParameter(claims),
  },
  dPoP: { enabled: on.has('dpop') },
  // One of the engine's two types wants to know while compiling.
  introspection: { enabled: on.has('introspection') as true, allowedPolicy: introspection },
  jwtUserinfo: { enabled: on.has('signed-userinfo') },
  pushedAuthorizationRequests: { enabled: on.has('pushed-authorization') },
  requestObjects: { enabled: on.has('request-objects') },
  resourceIndicators: {
    enabled: on.has('resource-indicators'),
    getResourceServerInfo: resourceServerOf,
  },
  revocation: {
    enabled: on.has('revocation'),
    allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
  },
  backchannelLogout: { enabled: on.has('back-channel-logout') },
})
