import { conformanceKey, publicPart } from './keys.ts'
import { CONFORMANCE_SOCIETY } from './society.ts'

/** A client as the clients file would have it, with what only its own side knows. */
export type ConformanceClient = Readonly<{
  /** As it is registered. */
  entry: Readonly<Record<string, unknown> & { client_id: string; client_secret?: string }>
  /** The private key of `private_key_jwt`. */
  key?: Readonly<Record<string, string>>
  /** For our own suite: what it is there for. */
  role?: string
}>

const society = CONFORMANCE_SOCIETY.id
/** Where clients of our own suite live; nothing is ever fetched there. */
const OWN_SUITE = 'https://rp.conformance.example'
/** The OpenID Foundation's suite sends no code_challenge but in one module. */
const BY_PASSWORD = { society, requiredAcr: 'urn:kenpo-id:acr:pwd', pkce: 'optional' }

const ALL_FLOWS = {
  grant_types: ['authorization_code', 'implicit', 'refresh_token'],
  response_types: [
    'code',
    'id_token',
    'id_token token',
    'code id_token',
    'code token',
    'code id_token token',
  ],
}

const secretOf = (id: string): string => `public-secret-for-conformance-tests-of-${id}`

/**
 * The clients of the OpenID Foundation's plans with static registration. `suite` is the address of
 * its test instances, with the alias in it: https://…/test/a/kenpo-id
 */
export const foundationClients = (suite: string) => {
  const client = (name: string, more: Readonly<Record<string, unknown>> = {}) => {
    const id = `conf-${name}`
    return {
      client_id: id,
      client_secret: secretOf(id),
      client_name: `Conformance ${name}`,
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: [`${suite}/callback`, `${suite}/callback?dummy1=lorem&dummy2=ipsum`],
      post_logout_redirect_uris: [`${suite}/post_logout_redirect`],
      ...ALL_FLOWS,
      policy: BY_PASSWORD,
      ...more,
    }
  }
  return {
    first: client('first'),
    second: client('second'),
    post: client('post', { token_endpoint_auth_method: 'client_secret_post' }),
    // Of its own: calls that no other plan expects would fail that plan's modules.
    backchannel: client('backchannel', {
      backchannel_logout_uri: `${suite}/backchannel_logout`,
      backchannel_logout_session_required: true,
    }),
  }
}

/** The clients of our own suite, by docs/conformance.md. */
export const ownSuiteClients = (): readonly ConformanceClient[] => {
  const client = (
    name: string,
    method: string,
    {
      requiredAcr = 'urn:kenpo-id:acr:pwd',
      ...rest
    }: Readonly<{ requiredAcr?: string; role?: string; key?: string }> = {},
  ): ConformanceClient => {
    const id = `conf-suite-${name}`
    const key = rest.key === undefined ? undefined : conformanceKey(rest.key)
    return {
      entry: {
        client_id: id,
        client_name: `Conformance suite ${name}`,
        token_endpoint_auth_method: method,
        ...(method.startsWith('client_secret') && { client_secret: secretOf(id) }),
        ...(key && { jwks: { keys: [publicPart(key)] } }),
        redirect_uris: [`${OWN_SUITE}/callback`],
        post_logout_redirect_uris: [`${OWN_SUITE}/signed-out`],
        grant_types: ['authorization_code', 'refresh_token'],
        // Our suite sends a code_challenge and asks what happens without one.
        policy: { society, requiredAcr },
      },
      ...(key && { key }),
      ...(rest.role !== undefined && { role: rest.role }),
    }
  }
  return [
    client('basic', 'client_secret_basic'),
    client('basic-2', 'client_secret_basic'),
    client('post', 'client_secret_post'),
    client('public', 'none'),
    client('key', 'private_key_jwt', { key: 'conf-suite-key' }),
    client('stronger', 'client_secret_basic', {
      requiredAcr: 'urn:kenpo-id:acr:email',
      role: 'stronger',
    }),
    client('strongest', 'client_secret_basic', { requiredAcr: 'phr', role: 'strongest' }),
  ]
}

/** All of them, as entries of a clients file. */
export const conformanceClients = (suite: string): readonly Readonly<Record<string, unknown>>[] => [
  ...Object.values(foundationClients(suite)),
  ...ownSuiteClients().map(({ entry }) => entry),
]
