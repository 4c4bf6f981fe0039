import type { RegisteredClient } from '../clients/client.ts'
import { usesSecret } from '../clients/schema.ts'

const authentication = ({ metadata, id }: RegisteredClient): string => {
  const method = metadata.token_endpoint_auth_method
  if (method === 'none') return `'${id}', undefined, client.None()`
  if (method === 'private_key_jwt') return `'${id}', undefined, client.PrivateKeyJwt(privateKey)`
  const named = {
    client_secret_basic: 'ClientSecretBasic',
    client_secret_post: 'ClientSecretPost',
    client_secret_jwt: 'ClientSecretJwt',
  }[method]
  return `'${id}', undefined, client.${named}(process.env.CLIENT_SECRET)`
}

const discovery = (issuer: string, client: RegisteredClient): string => {
  // openid-client refuses http unless it is told that this is meant.
  const insecure = issuer.startsWith('http:') ? ', { execute: [client.allowInsecureRequests] }' : ''
  return [
    `import * as client from 'openid-client'`,
    '',
    'const config = await client.discovery(',
    `  new URL('${issuer}'), ${authentication(client)}${insecure},`,
    ')',
  ].join('\n')
}

const signIn = (redirectUri: string): string =>
  [
    '// Keep these in the visitor’s session, then redirect to `url`:',
    'const pkceCodeVerifier = client.randomPKCECodeVerifier()',
    'const expectedState = client.randomState()',
    'const url = client.buildAuthorizationUrl(config, {',
    `  redirect_uri: '${redirectUri}',`,
    `  scope: 'openid',`,
    `  state: expectedState,`,
    '  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),',
    `  code_challenge_method: 'S256',`,
    '})',
    '// Where they come back to, with the whole address that was called:',
    '// const tokens = await client.authorizationCodeGrant(config, currentUrl, {',
    '//   pkceCodeVerifier, expectedState,',
    '// })',
  ].join('\n')

const serverSnippet = (issuer: string, client: RegisteredClient): string => {
  const [redirectUri] = client.metadata.redirect_uris
  const use =
    redirectUri === undefined
      ? 'const tokens = await client.clientCredentialsGrant(config)'
      : signIn(redirectUri)
  return `${discovery(issuer, client)}\n\n${use}`
}

const browserSnippet = (issuer: string, { id, metadata }: RegisteredClient): string => {
  const [back] = metadata.post_logout_redirect_uris ?? []
  return [
    `import { UserManager } from 'oidc-client-ts'`,
    '',
    'const manager = new UserManager({',
    `  authority: '${issuer}',`,
    `  client_id: '${id}',`,
    `  redirect_uri: '${metadata.redirect_uris[0]}',`,
    ...(back === undefined ? [] : [`  post_logout_redirect_uri: '${back}',`]),
    `  scope: 'openid',`,
    '})',
    '// To sign in: await manager.signinRedirect()',
    '// Where they come back to: const user = await manager.signinCallback()',
  ].join('\n')
}

/** First lines for a library that fits, with this issuer and client_id; the secret comes from elsewhere. */
export const librarySnippet = (
  issuer: string,
  client: RegisteredClient,
): Readonly<{ library: string; code: string }> => {
  const { token_endpoint_auth_method: method, application_type: type } = client.metadata
  return method === 'none' && type === 'web'
    ? { library: 'oidc-client-ts (browser)', code: browserSnippet(issuer, client) }
    : { library: 'openid-client (Node.js)', code: serverSnippet(issuer, client) }
}

/** The same by hand, in a shell; undefined where a shell cannot make what the client sends. */
export const curlSnippet = (issuer: string, client: RegisteredClient): string | undefined => {
  const { token_endpoint_auth_method: method, redirect_uris: uris } = client.metadata
  if (!usesSecret(method) && method !== 'none') return undefined
  if (method === 'client_secret_jwt') return undefined
  const { id } = client
  const credentials =
    method === 'client_secret_basic'
      ? `-u "${id}:$CLIENT_SECRET"`
      : method === 'client_secret_post'
        ? `-d client_id=${id} --data-urlencode "client_secret=$CLIENT_SECRET"`
        : `-d client_id=${id}`
  const [redirectUri] = uris
  if (redirectUri === undefined) {
    return `curl ${issuer}/token ${credentials} -d grant_type=client_credentials`
  }
  const query = new URLSearchParams({
    client_id: id,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: redirectUri,
    code_challenge_method: 'S256',
  })
  return [
    'VERIFIER=$(openssl rand -hex 32)',
    'CHALLENGE=$(printf %s "$VERIFIER" | openssl dgst -sha256 -binary | openssl base64 -A | tr +/ -_ | tr -d =)',
    `echo "${issuer}/auth?${query}&code_challenge=$CHALLENGE"   # open this, sign in, copy the code`,
    `curl ${issuer}/token ${credentials} -d grant_type=authorization_code -d code=CODE \\`,
    `  --data-urlencode "redirect_uri=${redirectUri}" -d "code_verifier=$VERIFIER"`,
  ].join('\n')
}
