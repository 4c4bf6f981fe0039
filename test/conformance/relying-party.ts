import { createHash, createPrivateKey, randomBytes, randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { z } from 'zod'

export const AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'private_key_jwt',
  'none',
] as const
export type AuthMethod = (typeof AUTH_METHODS)[number]

const privateJwk = z.looseObject({
  kty: z.string(),
  kid: z.string().exactOptional(),
  alg: z.string().exactOptional(),
})

/**
 * A client as it stands at the provider (RFC 7591 section 2), seen from its own side: with its
 * secret, or with the private keys of its `jwks`.
 */
export const client = z.looseObject({
  client_id: z.string(),
  client_secret: z.string().exactOptional(),
  token_endpoint_auth_method: z.enum(AUTH_METHODS).default('client_secret_basic'),
  redirect_uris: z.array(z.string()).min(1),
  post_logout_redirect_uris: z.array(z.string()).default([]),
  scope: z.string().exactOptional(),
  grant_types: z.array(z.string()).default(['authorization_code']),
  response_types: z.array(z.string()).default(['code']),
  jwks: z.object({ keys: z.array(privateJwk) }).exactOptional(),
  /** What it is for, where a module needs one of a kind: "stronger" asks for a second factor. */
  role: z.string().exactOptional(),
  /** Only of a client registered by the suite. */
  registration_access_token: z.string().exactOptional(),
  registration_client_uri: z.string().exactOptional(),
})
export type Client = z.output<typeof client>

export const isConfidential = (one: Client): boolean => one.token_endpoint_auth_method !== 'none'

export const randomText = (bytes = 24): string => randomBytes(bytes).toString('base64url')

/** RFC 7636 section 4.2. */
export const challengeOf = (verifier: string): string =>
  createHash('sha256').update(verifier).digest('base64url')

/** RFC 6749 section 2.3.1: both are form-encoded first. */
const basic = (id: string, secret: string): string => {
  const encode = (text: string) => new URLSearchParams([['', text]]).toString().slice(1)
  return `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}`
}

/** OIDC Core section 9. */
const assertionOf = async (one: Client, audience: string): Promise<string> => {
  const key = one.jwks?.keys[0]
  if (!key) throw new Error(`client ${one.client_id}: "jwks" with a private key is missing`)
  const alg = key.alg ?? (key.kty === 'RSA' ? 'RS256' : 'ES256')
  return new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg, ...(key.kid !== undefined && { kid: key.kid }) })
    .setIssuer(one.client_id)
    .setSubject(one.client_id)
    .setAudience(audience)
    .setIssuedAt()
    .setExpirationTime('60s')
    .sign(createPrivateKey({ key, format: 'jwk' }))
}

/** How a client says who it is at the token endpoint. */
export const authentication = async (
  one: Client,
  audience: string,
): Promise<Readonly<{ headers: Record<string, string>; form: Record<string, string> }>> => {
  const secret = one.client_secret ?? ''
  switch (one.token_endpoint_auth_method) {
    case 'client_secret_basic':
      return { headers: { Authorization: basic(one.client_id, secret) }, form: {} }
    case 'client_secret_post':
      return { headers: {}, form: { client_id: one.client_id, client_secret: secret } }
    case 'private_key_jwt':
      return {
        headers: {},
        form: {
          client_id: one.client_id,
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: await assertionOf(one, audience),
        },
      }
    case 'none':
      return { headers: {}, form: { client_id: one.client_id } }
  }
}

/** Where the suite's own clients live: nothing is ever fetched there, browsers are stopped before. */
export const RP_ORIGIN = 'https://rp.conformance.example'
