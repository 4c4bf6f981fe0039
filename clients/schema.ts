import { z } from 'zod'
import { accountClientId } from '../accounts/account-client.ts'
import { ACR_LADDER } from '../accounts/assurance.ts'
import type { Feature, Features } from './features.ts'
import { checksOneOf, jwkFault } from './jwk.ts'
import { addFault } from './refusal.ts'
import { CLAIMS, SCOPES, scopesOf } from './scopes.ts'
import { type UriUse, uriFault } from './uris.ts'

/** What a registration is checked against, beside itself. */
export type ClientRules = Readonly<{
  /** Relying parties may be on this machine: the issuer is, or it is no production. */
  local: boolean
  /** Undefined: the societies file could not be read, so this is not checked. */
  societyIds: ReadonlySet<string> | undefined
  responseTypes: readonly string[]
  /** What of the protocol is switched on. */
  features: Features
  /** What ID tokens can be signed with: what there are keys for. */
  signingAlgorithms: readonly string[]
}>

/** Who may say what: operators get a fault for a name that is not known, software is to be let off
 * (RFC 7591 section 2); a file brings its secrets, elsewhere they are made. */
export type Door = Readonly<{ unknown: 'refuse' | 'ignore'; secrets: 'given' | 'made' }>

/** What ID tokens can be signed with by these keys, of what we use at all (RFC 7518 section 3.1): a
 * key signs by the one algorithm that it names. */
export const signingAlgorithmsOf = (
  keys: readonly Readonly<{ alg: string }>[],
): readonly string[] =>
  ['RS256', 'PS256', 'ES256', 'EdDSA'].filter((alg) => keys.some((key) => key.alg === alg))

export { SCOPES } from './scopes.ts'
export const GRANT_TYPES = ['authorization_code', 'refresh_token', 'client_credentials'] as const
export const AUTH_METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
  'private_key_jwt',
  'none',
] as const
export type AuthMethod = (typeof AUTH_METHODS)[number]

const SECRET_METHODS: ReadonlySet<string> = new Set([
  'client_secret_basic',
  'client_secret_post',
  'client_secret_jwt',
])
/** Whether the client proves itself by a secret that both sides know. */
export const usesSecret = (method: string): boolean => SECRET_METHODS.has(method)

const ASSERTION_ALGORITHMS = {
  client_secret_jwt: ['HS256', 'HS384', 'HS512'],
  private_key_jwt: ['RS256', 'PS256', 'ES256', 'EdDSA'],
} as const
/** What a client's own JWTs are signed with, but for assertions by its secret. */
export const CLIENT_ALGORITHMS = ASSERTION_ALGORITHMS.private_key_jwt
const MAX_ADDRESSES = 50
const MAX_RESOURCES = 20
const SECRET_CHARACTERS = 32
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv']

/** What some application_type may have. */
const ANY_APP: UriUse = { loopback: true, privateScheme: true }

const uri = (use: UriUse) =>
  z.string().check((context) => {
    const fault = uriFault(context.value, use)
    if (fault) addFault(context, fault)
  })

const ruled = (holds: (text: string) => boolean, rule: string, fix: string) =>
  z.string().check((context) => {
    if (!holds(context.value)) addFault(context, { rule, fix })
  })

/** Letters in any language; what would break a page or a log line is not among them. */
const label = (longest: number) =>
  ruled(
    (text) =>
      text.trim() !== '' &&
      [...text].length <= longest &&
      !/[\p{Cc}\p{Cf}\u2028\u2029<>]/u.test(text),
    `is not a name of 1 to ${longest} characters`,
    'Give the name that members know, without line breaks, "<" or ">".',
  )

const scopes = (known: readonly string[]) =>
  ruled(
    (text) => text.split(' ').every((one) => known.includes(one)) && text.split(' ').length < 50,
    `names a scope that is none of: ${known.join(', ')}`,
    'List known scopes, each after a single space.',
  )

/** `implicit` where response types with tokens are offered at all. */
const grantTypesOf = ({ responseTypes }: ClientRules): readonly string[] =>
  responseTypes.some((type) => type !== 'code') ? [...GRANT_TYPES, 'implicit'] : GRANT_TYPES

/** At least one, for the enumerations that depend on the configuration. */
const among = (values: readonly string[]) =>
  // zod wants to see that there is one; there always is.
  z.enum(values as readonly [string, ...string[]])

/** An API as clients name it (RFC 8707 section 2): an absolute URI without a fragment. */
const resourceUri = uri({ loopback: true, privateScheme: false })

/** An API that a client may be given access tokens for. */
const resourceSchema = z.strictObject({
  uri: resourceUri,
  scopes: z
    .array(
      ruled(
        // RFC 6749 section 3.3; ours mean the same everywhere.
        (text) =>
          /^[\x21\x23-\x5b\x5d-\x7e]{1,100}$/.test(text) && !SCOPES.some((one) => one === text),
        'is not a scope of an API’s own',
        'Use letters and punctuation without spaces, and no scope of OpenID Connect: records:read',
      ),
    )
    .min(1)
    .max(50),
  /** `jwt` (RFC 9068) is checked by the API itself, `opaque` by asking us (RFC 7662). */
  format: z.enum(['jwt', 'opaque']).default('jwt'),
})

/** Our own terms with a relying party; not of the standard, so under one name. */
export const policySchema = (rules: ClientRules) =>
  z.strictObject({
    society: ruled(
      (id) => rules.societyIds?.has(id) ?? true,
      'is not in the societies file',
      'Use the id of a society there.',
    ),
    requiredAcr: z.enum(ACR_LADDER).default('urn:kenpo-id:acr:email'),
    maxAge: z.int().min(0).exactOptional(),
    /** Not the society's own: members are asked before it learns anything. */
    thirdParty: z.boolean().exactOptional(),
    /** Runs health-insurance business: may be told insurer symbol and number (健康保険法第194条の2). */
    healthInsurance: z.boolean().exactOptional(),
    /** The claims it may be told at most; absent: those of its scopes. */
    claims: z
      .array(
        ruled(
          (claim) => CLAIMS.includes(claim),
          'is no claim that anybody is told',
          'Use the names of the claims in docs/clients.md.',
        ),
      )
      .max(50)
      .exactOptional(),
    /** APIs that it may ask access tokens for. */
    resources: z.array(resourceSchema).max(MAX_RESOURCES).exactOptional(),
    /** It is the API of these URIs, and may ask what others' tokens for them are worth. */
    introspects: z.array(resourceUri).max(MAX_RESOURCES).exactOptional(),
    /** `optional`: an older confidential client that cannot send a code_challenge. */
    pkce: z.enum(['required', 'optional']).exactOptional(),
  })
export type PolicyEntry = z.output<ReturnType<typeof policySchema>>

/** Client metadata (RFC 7591 section 2, OpenID Connect Registration section 2 and the extensions). */
const metadataShape = (rules: ClientRules) => {
  const web = uri({ loopback: rules.local, privateScheme: false })
  // Narrower rules for each application_type follow, where it is known.
  const redirect = uri(ANY_APP)
  return {
    client_name: label(100),
    'client_name#ja': label(100).exactOptional(),
    'client_name#en': label(100).exactOptional(),
    application_type: z.enum(['web', 'native']).default('web'),
    redirect_uris: z.array(redirect).max(MAX_ADDRESSES).default([]),
    post_logout_redirect_uris: z.array(redirect).max(MAX_ADDRESSES).exactOptional(),
    response_types: z.array(among(rules.responseTypes)).max(8).default(['code']),
    grant_types: z
      .array(among(grantTypesOf(rules)))
      .max(8)
      .default(['authorization_code']),
    response_modes: z
      .array(z.enum(['query', 'fragment', 'form_post']))
      .min(1)
      .max(8)
      .exactOptional(),
    token_endpoint_auth_method: z.enum(AUTH_METHODS).default('client_secret_basic'),
    token_endpoint_auth_signing_alg: z
      .enum([...ASSERTION_ALGORITHMS.client_secret_jwt, ...ASSERTION_ALGORITHMS.private_key_jwt])
      .exactOptional(),
    jwks: z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(20) }).exactOptional(),
    jwks_uri: web.exactOptional(),
    scope: scopes(scopesOf(rules.features)).exactOptional(),
    client_uri: web.exactOptional(),
    logo_uri: web.exactOptional(),
    policy_uri: web.exactOptional(),
    tos_uri: web.exactOptional(),
    contacts: z.array(z.email()).max(10).exactOptional(),
    initiate_login_uri: web.exactOptional(),
    backchannel_logout_uri: web.exactOptional(),
    backchannel_logout_session_required: z.boolean().exactOptional(),
    sector_identifier_uri: uri({ loopback: false, privateScheme: false }).exactOptional(),
    subject_type: z.enum(['pairwise', 'public']).exactOptional(),
    id_token_signed_response_alg: among(rules.signingAlgorithms).exactOptional(),
    userinfo_signed_response_alg: among(rules.signingAlgorithms).exactOptional(),
    request_object_signing_alg: z.enum(CLIENT_ALGORITHMS).exactOptional(),
    require_signed_request_object: z.boolean().exactOptional(),
    request_uris: z
      .array(uri({ loopback: rules.local, privateScheme: false, fragment: true }))
      .max(MAX_ADDRESSES)
      .exactOptional(),
    default_max_age: z.int().min(0).exactOptional(),
    default_acr_values: z.array(z.enum(ACR_LADDER)).max(8).exactOptional(),
    require_auth_time: z.boolean().default(true),
    require_pushed_authorization_requests: z.boolean().exactOptional(),
    dpop_bound_access_tokens: z.boolean().exactOptional(),
  }
}

/** Every society's account page has its client there. */
const OWN_PREFIX = accountClientId('')

const identityShape = {
  client_id: z
    .string()
    .check((context) => {
      if (!/^[A-Za-z0-9._~-]{1,128}$/.test(context.value)) {
        addFault(context, {
          rule: 'is not 1 to 128 letters, digits, "-", ".", "_" or "~"',
          fix: 'Choose such an ID, or leave it out and one is made.',
        })
      } else if (context.value.startsWith(OWN_PREFIX)) {
        const rule = `begins with "${OWN_PREFIX}", which is for our own pages`
        addFault(context, { rule, fix: 'Choose another.' })
      }
    })
    .exactOptional(),
  client_secret: ruled(
    (secret) => secret.length >= SECRET_CHARACTERS && /^[\x20-\x7e]*$/.test(secret),
    `has less than ${SECRET_CHARACTERS} characters, or other ones than ASCII`,
    'Make one: openssl rand -base64 32',
  ).exactOptional(),
}

const shapeOf = (rules: ClientRules) => ({
  ...identityShape,
  ...metadataShape(rules),
  policy: policySchema(rules),
})
type Entry = z.output<z.ZodObject<ReturnType<typeof shapeOf>>>

type Fault = Readonly<{ rule: string; fix: string; path: PropertyKey[] }>
type Check = (client: Entry, door: Door, rules: ClientRules) => readonly Fault[]

const fault = (path: PropertyKey | PropertyKey[], rule: string, fix: string): Fault => ({
  rule,
  fix,
  path: [path].flat(),
})
const when = (condition: boolean, ...found: readonly Fault[]): readonly Fault[] =>
  condition ? found : []

const secretFits: Check = ({ token_endpoint_auth_method: method, client_secret: secret }, door) => {
  const has = secret !== undefined
  if (usesSecret(method)) {
    const fix = 'Make one (openssl rand -base64 32), or use the method "private_key_jwt" or "none".'
    return when(
      !has && door.secrets === 'given',
      fault('client_secret', `is missing, as "token_endpoint_auth_method" is "${method}"`, fix),
    )
  }
  const rule = `must not be given, as "token_endpoint_auth_method" is "${method}"`
  return when(has, fault('client_secret', rule, 'Leave it out.'))
}

const keysFit: Check = ({ token_endpoint_auth_method: method, jwks, jwks_uri: jwksUri }) => [
  ...when(
    jwks !== undefined && jwksUri !== undefined,
    fault('jwks', 'is given, and so is "jwks_uri"', 'Keep one of the two (RFC 7591 section 2).'),
  ),
  ...when(
    method === 'private_key_jwt' && !jwks && !jwksUri,
    fault(
      'jwks',
      'is missing, as is "jwks_uri", for the method "private_key_jwt"',
      'Give the public keys, or better the address that has them: "jwks_uri".',
    ),
  ),
  ...(jwks?.keys ?? []).flatMap((key, index) => {
    const path = ['jwks', 'keys', index]
    if (key.kty === 'oct' || PRIVATE_MEMBERS.some((member) => member in key)) {
      const fix = 'Take the private members out, and do not use that key any more.'
      return [fault(path, 'must hold public keys only', fix)]
    }
    const rule = jwkFault(key)
    return rule === undefined
      ? []
      : [fault(path, rule, 'Give the public key as it was exported (RFC 7517), or leave it out.')]
  }),
]

/** What the client signs can be checked by one key of its own at least. */
const keysServe: Check = ({ jwks, ...client }) => {
  if (!jwks) return []
  const { token_endpoint_auth_signing_alg: alg, request_object_signing_alg: requestAlg } = client
  const uses = [
    client.token_endpoint_auth_method === 'private_key_jwt' && {
      what: 'the method "private_key_jwt"',
      algorithms: alg === undefined ? CLIENT_ALGORITHMS : [alg],
    },
    (requestAlg !== undefined || client.require_signed_request_object === true) && {
      what: 'signed requests',
      algorithms: requestAlg === undefined ? CLIENT_ALGORITHMS : [requestAlg],
    },
  ].filter((use) => use !== false)
  return uses.flatMap(({ what, algorithms }) =>
    when(
      !jwks.keys.some((key) => checksOneOf(key, algorithms)),
      fault(
        ['jwks', 'keys'],
        `has no key for ${what} (${algorithms.join(', ')})`,
        'Give the public key that the client signs with; its "use" is "sig", where it has one.',
      ),
    ),
  )
}

const assertionFits: Check = (client) => {
  const { token_endpoint_auth_method: method, token_endpoint_auth_signing_alg: alg } = client
  if (alg === undefined) return []
  const known: Readonly<Record<string, readonly string[]>> = ASSERTION_ALGORITHMS
  const fits = known[method]
  if (fits?.includes(alg)) return []
  const fix = fits ? `Use one of: ${fits.join(', ')}.` : 'Leave it out.'
  return [fault('token_endpoint_auth_signing_alg', `does not go with "${method}"`, fix)]
}

const flowFits: Check = (client) => {
  const { grant_types: grants, response_types: responses, redirect_uris: uris } = client
  const isPublic = client.token_endpoint_auth_method === 'none'
  const signsIn = grants.includes('authorization_code') || responses.length > 0
  return [
    ...when(
      signsIn && uris.length === 0,
      fault('redirect_uris', 'must name at least one URI', 'Give where members are sent back to.'),
    ),
    ...when(
      !signsIn && uris.length > 0,
      fault('redirect_uris', 'is given to a client that signs nobody in', 'Leave it out.'),
    ),
    ...when(
      grants.includes('authorization_code') && responses.length === 0,
      fault('response_types', 'is empty', 'Use ["code"] with the grant "authorization_code".'),
    ),
    ...when(
      !grants.includes('authorization_code') && responses.some((type) => /\bcode\b/.test(type)),
      fault('grant_types', 'lacks "authorization_code"', 'Add it, or use [] as response_types.'),
    ),
    ...when(
      grants.includes('refresh_token') && !grants.includes('authorization_code'),
      fault('grant_types', 'has "refresh_token" without "authorization_code"', 'Take it out.'),
    ),
    ...when(
      grants.includes('client_credentials') && isPublic,
      fault(
        'grant_types',
        'has "client_credentials", as "token_endpoint_auth_method" is "none"',
        'Give the client a secret or keys: anybody could claim to be it.',
      ),
    ),
    ...when(
      client.policy.pkce === 'optional' && isPublic,
      fault(
        ['policy', 'pkce'],
        'is "optional", as "token_endpoint_auth_method" is "none"',
        'Leave it out: a public client always sends a code_challenge (RFC 9700 section 2.1.1).',
      ),
    ),
    ...when(
      client.backchannel_logout_session_required === true &&
        client.backchannel_logout_uri === undefined,
      fault(
        'backchannel_logout_session_required',
        'is true without a "backchannel_logout_uri"',
        'Give the address, or leave this out.',
      ),
    ),
  ]
}

const redirectsFit: Check = (client, _door, { local }) => {
  const native = client.application_type === 'native'
  const use = { loopback: local || native, privateScheme: native }
  return (['redirect_uris', 'post_logout_redirect_uris'] as const).flatMap((parameter) =>
    (client[parameter] ?? []).flatMap((text, index) => {
      if (uriFault(text, ANY_APP)) return []
      const found = uriFault(text, use)
      if (found) return [fault([parameter, index], found.rule, found.fix)]
      const { protocol, hostname } = new URL(text)
      const claimed = native && protocol === 'https:' && /^(localhost|127\.|\[)/.test(hostname)
      return when(
        claimed,
        fault([parameter, index], 'is https on this machine', 'Use http there (RFC 8252).'),
      )
    }),
  )
}

/** OIDC Core section 8.1: members' pairwise IDs are one sector's. */
const sectorFits: Check = (client) => {
  if (client.subject_type === 'public' || client.sector_identifier_uri !== undefined) return []
  const uris = client.redirect_uris.filter((text) => URL.canParse(text))
  const hosts = new Set(uris.map((text) => new URL(text).host))
  return when(
    hosts.size > 1,
    fault(
      'sector_identifier_uri',
      `is missing, as "redirect_uris" lead to ${hosts.size} hosts and "subject_type" is "pairwise"`,
      'Give one, register a client for each host, or use the subject_type "public".',
    ),
  )
}

/** A scope that reaches further than a sign-in needs the operator's word. */
export const INSURED_FAULT = {
  rule: 'has "insured", as "policy.healthInsurance" is not true',
  fix: 'Only who runs health-insurance business may ask for symbol and number: set it, or leave "insured" out.',
}

const scopeFits: Check = ({ scope, policy }) =>
  when(scope?.split(' ').includes('insured') === true && policy.healthInsurance !== true, {
    ...INSURED_FAULT,
    path: ['scope'],
  })

const requestObjectsFit: Check = ({ jwks, jwks_uri: jwksUri, ...client }, _door, { features }) =>
  when(
    (client.require_signed_request_object === true ||
      client.request_object_signing_alg !== undefined ||
      ((client.request_uris?.length ?? 0) > 0 && !features.has('unsigned-request-uri'))) &&
      !jwks &&
      !jwksUri,
    fault('jwks', 'is missing, as is "jwks_uri", for signed requests', 'Give the public keys.'),
  )

/** What is of use only where this is on. */
const NEEDS: readonly (readonly [name: keyof Entry, feature: Feature])[] = [
  ['userinfo_signed_response_alg', 'signed-userinfo'],
  ['request_object_signing_alg', 'request-objects'],
  ['require_signed_request_object', 'request-objects'],
  ['request_uris', 'request-uri'],
  ['require_pushed_authorization_requests', 'pushed-authorization'],
  ['dpop_bound_access_tokens', 'dpop'],
  ['post_logout_redirect_uris', 'rp-initiated-logout'],
  ['backchannel_logout_uri', 'back-channel-logout'],
]

/** A client is not promised what is switched off. */
const isOn: Check = (client, _door, { features }) => {
  const off = (path: PropertyKey | PropertyKey[], feature: Feature) =>
    fault(
      path,
      `needs "${feature}", which is switched off`,
      'Leave it out, or ask the operator of this provider (IDP_FEATURES).',
    )
  return [
    ...NEEDS.flatMap(([name, feature]) =>
      when(client[name] !== undefined && !features.has(feature), off(name, feature)),
    ),
    ...when(
      client.grant_types.includes('client_credentials') && !features.has('client-credentials'),
      off('grant_types', 'client-credentials'),
    ),
    ...when(
      client.response_modes?.includes('form_post') === true && !features.has('form-post'),
      off('response_modes', 'form-post'),
    ),
    ...when(
      client.policy.resources !== undefined && !features.has('resource-indicators'),
      off(['policy', 'resources'], 'resource-indicators'),
    ),
    ...when(
      client.policy.introspects !== undefined && !features.has('introspection'),
      off(['policy', 'introspects'], 'introspection'),
    ),
  ]
}

const CHECKS: readonly Check[] = [
  secretFits,
  keysFit,
  keysServe,
  assertionFits,
  flowFits,
  redirectsFit,
  sectorFits,
  scopeFits,
  requestObjectsFit,
  isOn,
]

/**
 * The one schema of a client, whichever door it comes in by. Its output has every default written
 * out, so that what is stored means the same in a later release.
 */
export const clientSchema = (rules: ClientRules, door: Door) => {
  const shape = shapeOf(rules)
  const object = door.unknown === 'refuse' ? z.strictObject(shape) : z.object(shape)
  return object.check((context) => {
    for (const check of CHECKS) {
      for (const found of check(context.value, door, rules)) addFault(context, found)
    }
  })
}
/** What one writes to register a client, read. */
export type ClientEntry = Entry

/** What the engine keeps of it: all but ID, secret and our own terms. */
export type ClientMetadata = Omit<ClientEntry, 'client_id' | 'client_secret' | 'policy'>
