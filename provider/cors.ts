import type { Client } from 'oidc-provider'

/**
 * Whether scripts of this origin may read what the token, UserInfo, revocation and pushed
 * authorization endpoints answer a client (Fetch section 3.3): those of a public client that lives in
 * a browser, at the origins of its redirect URIs. A client with a secret has no business in a page,
 * and an app on the member's device is none. Discovery and the keys are for everybody.
 */
export const allowsOrigin = (
  { clientAuthMethod, applicationType, redirectUris = [] }: Client,
  origin: string,
): boolean =>
  clientAuthMethod === 'none' &&
  applicationType === 'web' &&
  redirectUris.some((uri) => new URL(uri).origin === origin)
