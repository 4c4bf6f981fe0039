import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { type ClientMetadata, type Configuration, type JWKS, Provider } from 'oidc-provider'
import { type Client, client, RP_ORIGIN } from '../relying-party.ts'
import type { Defect } from './defects.ts'

export const INITIAL_ACCESS_TOKEN = 'an-initial-access-token-for-tests'

/** oidc-provider as it is, but for what it leaves to whoever uses it. */
export type BareProvider = Readonly<{
  issuer: string
  clients: readonly Client[]
  close(): Promise<void>
}>

/** The provider's signing key; made once, since that is slow. */
export const makeBareKey = async (): Promise<JWK> => {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  return { ...(await exportJWK(privateKey)), kid: 'provider', alg: 'RS256', use: 'sig' }
}

const CLAIMS = {
  openid: ['sub'],
  profile: ['name', 'family_name', 'given_name', 'locale'],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
}

const claimsOf = (sub: string) => ({
  sub,
  name: 'Hanako Kenpo',
  family_name: 'Kenpo',
  given_name: 'Hanako',
  locale: 'ja',
  email: `${sub}@example.jp`,
  email_verified: true,
  address: { country: 'JP' },
  phone_number: '+81 3 0000 0000',
  phone_number_verified: false,
})

/** The client that signs is registered by the suite itself. */
const clientMetadata = (): readonly ClientMetadata[] => {
  const usual = {
    redirect_uris: [`${RP_ORIGIN}/callback`],
    post_logout_redirect_uris: [`${RP_ORIGIN}/signed-out`],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code' as const],
  }
  const secret = (name: string) => `a-secret-of-${name}-0123456789abcdef`
  return [
    { ...usual, client_id: 'basic', client_secret: secret('basic') },
    { ...usual, client_id: 'second', client_secret: secret('second') },
    {
      ...usual,
      client_id: 'post',
      client_secret: secret('post'),
      token_endpoint_auth_method: 'client_secret_post',
    },
    { ...usual, client_id: 'public', token_endpoint_auth_method: 'none' },
  ]
}

const configuration = (key: JWK): Configuration => ({
  clients: [...clientMetadata()],
  jwks: { keys: [key] } as JWKS, // jose's and the engine's types of one JSON
  cookies: { keys: ['a-cookie-key-for-tests-only'] },
  claims: CLAIMS,
  scopes: ['openid', 'offline_access'],
  responseTypes: ['code'],
  allowOmittingSingleRegisteredRedirectUri: false,
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => claimsOf(sub) }),
  // Short, so that a test need not wait a minute for a code to die.
  ttl: { AuthorizationCode: 2 },
  // The engine's own refuses addresses of this machine, where the suite listens.
  fetch: (url, { dispatcher: _, ...options } = {}) => fetch(url, options),
  features: {
    devInteractions: { enabled: true },
    claimsParameter: { enabled: true },
    backchannelLogout: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: { enabled: false },
    registration: { enabled: true, initialAccessToken: INITIAL_ACCESS_TOKEN },
    registrationManagement: { enabled: true },
  },
})

/** What every user of the engine is to add: its own pages come without. */
const PAGE_HEADERS = {
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Referrer-Policy': 'same-origin',
}

/** Starts a bare oidc-provider on a free port of loopback; with a defect, broken in that one way. */
export const startBareProvider = async (key: JWK, defect?: Defect): Promise<BareProvider> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const { port } = server.address() as AddressInfo // TCP, so no path
  const issuer = `http://localhost:${port}`
  const usual = configuration(key)
  const provider = new Provider(issuer, { ...usual, ...defect?.configuration })
  defect?.change?.(provider)
  const broken = defect?.middleware?.({ issuer, key })
  if (broken) provider.use(broken)
  if (!defect?.isWithoutPageHeaders) {
    provider.use(async (ctx, next) => {
      ctx.set(PAGE_HEADERS)
      await next()
    })
  }
  server.on('request', provider.callback())
  return {
    issuer,
    clients: clientMetadata().map((one) => client.parse(one)),
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
