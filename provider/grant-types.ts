import { type Client, errors, Provider } from 'oidc-provider'

/** The engine's own type leaves out the name of the route. */
const isAtTokenEndpoint = (type: string): boolean => {
  const oidc = Provider.ctx?.oidc
  const { route } = (oidc ?? {}) as Readonly<{ route?: string }>
  return route === 'token' && oidc?.params?.grant_type === type
}

/**
 * A grant type that a client is not registered for is unauthorized_client at the token endpoint (RFC
 * 6749 section 5.2), where the engine says invalid_request. It asks `Client#grantTypeAllowed` there.
 * @throws where the engine no longer has that method
 */
export const refuseGrantTypes = (provider: Provider): void => {
  const { prototype } = provider.Client
  if (!('grantTypeAllowed' in prototype)) {
    throw new Error('the engine has no Client#grantTypeAllowed: see provider/grant-types.ts')
  }
  const { grantTypeAllowed } = prototype
  Object.defineProperty(prototype, 'grantTypeAllowed', {
    value(this: Client, type: string): boolean {
      const allowed = grantTypeAllowed.call(this, type)
      if (allowed || !isAtTokenEndpoint(type)) return allowed
      throw new errors.UnauthorizedClient('requested grant type is not allowed for this client')
    },
  })
}
