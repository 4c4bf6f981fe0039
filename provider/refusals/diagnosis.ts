import { createHash, timingSafeEqual } from 'node:crypto'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { EpochSeconds } from '../../accounts/member.ts'
import type { KnownClient } from '../../clients/directory.ts'
import type { Clients } from '../../clients/index.ts'
import { ClientRefusedError } from '../../clients/refusal.ts'
import { GRANT_TYPES, usesSecret } from '../../clients/schema.ts'
import { differenceOf, masked } from './masking.ts'
import type { Endpoint, Finding } from './record.ts'
import type { Asked } from './request.ts'
import type { RuleId } from './rules.ts'

/** What the engine threw, as far as it says why. */
export type Thrown = Readonly<{
  error: string
  description: string
  detail: string
  scope?: string
  cause?: unknown
}>

/** One refusal with all that can be compared with it. */
export type Case = Readonly<{
  ctx: KoaContextWithOIDC
  endpoint: Endpoint
  thrown: Thrown
  asked: Asked
  known: KnownClient | undefined
  clients: Pick<Clients, 'tokens' | 'rules'>
  now: EpochSeconds
}>

type Facts = Omit<Finding, 'rule'> & Readonly<{ rule?: RuleId }>
type Find = (one: Case, words: RegExpExecArray) => Facts | readonly Facts[] | Promise<Facts>
/** In which words (of the description or the detail), or with which code, a rule was broken. */
type Sign = Readonly<{
  rule: RuleId
  at?: readonly Endpoint[]
  error?: readonly string[]
  words?: RegExp
  find?: Find
}>

const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString()
const words = (value: unknown): readonly string[] =>
  typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value.map(String) : []

const metadataOf = ({ known }: Case) => known?.client.metadata
type Metadata = NonNullable<ReturnType<typeof metadataOf>>

/** A parameter of the request against what is registered. */
const against =
  (parameter: Parameters<Asked['sent']>[0], registered: (metadata: Metadata) => unknown): Find =>
  (one) => {
    const metadata = metadataOf(one)
    const values = words(metadata && registered(metadata))
    const received = one.asked.sent(parameter, values)
    return {
      parameter,
      ...(received !== undefined && { received }),
      ...(metadata && { expected: { by: 'client', values } }),
    }
  }

const MAX_URIS = 10
const address = (
  parameter: 'redirect_uri' | 'post_logout_redirect_uri',
  values: readonly string[],
  by: 'client' | 'request',
  { asked }: Case,
): Facts => {
  const received = asked.sent(parameter, values) ?? ''
  const difference = differenceOf(received, values)
  return {
    parameter,
    received,
    expected: { by, values: values.slice(0, MAX_URIS) },
    ...(difference && { difference }),
  }
}

const provider =
  (parameter: Parameters<Asked['sent']>[0], values: readonly string[]): Find =>
  ({ asked }) => {
    const received = asked.sent(parameter, values)
    return {
      parameter,
      ...(received !== undefined && { received }),
      expected: { by: 'provider', values },
    }
  }

const named =
  (parameter: string, received?: (one: Case) => string | undefined): Find =>
  (one) => {
    const value = received?.(one)
    return { parameter, ...(value !== undefined && { received: value }) }
  }

/** One for each parameter that the engine's sentence lists: 'a', 'b', and 'c'. */
const listed: Find = (_, [, list = '']) =>
  [...list.matchAll(/[\w.]+/g)]
    .filter(([name]) => name !== 'and')
    .map(([parameter]) => ({ parameter }))

const digest = (value: string): Buffer => createHash('sha256').update(value).digest()

/** Whether the secret is one that the client had before. */
const isFormer = ({ known, asked, now }: Case): boolean => {
  if (!known || asked.secret === undefined) return false
  const given = digest(asked.secret)
  const live = new Set(known.secretsAt(now))
  // At that time every secret still counted.
  const former = known.secretsAt(0).filter((secret) => !live.has(secret))
  return former.map((secret) => timingSafeEqual(digest(secret), given)).includes(true)
}

/** The address of the authorization request that the code was given to. */
const addressAsked: Find = async (one) => {
  const { provider: engine } = one.ctx.oidc
  const code = await engine.AuthorizationCode.find(one.asked.raw('code') ?? '', {
    ignoreExpiration: true,
  })
  const asked = code?.redirectUri
  return address('redirect_uri', asked === undefined ? [] : [asked], 'request', one)
}

/** 'Bearer …' of a registration. */
const bearerOf = (ctx: KoaContextWithOIDC): string =>
  /^Bearer (\S+)$/i.exec(ctx.get('Authorization'))?.[1] ?? ''

const initialToken: Find = async ({ ctx, clients }) => {
  const state = await clients.tokens.stateOf(bearerOf(ctx))
  const rule = {
    unknown: 'registration.token_unknown',
    revoked: 'registration.token_revoked',
    expired: 'registration.token_expired',
    spent: 'registration.token_spent',
    usable: 'registration.token_unknown',
  } as const satisfies Record<typeof state, RuleId>
  return { rule: rule[state], parameter: 'Authorization' }
}

const MAX_FINDINGS = 20
const metadataRefused: Find = ({ thrown }) => {
  const { cause, description } = thrown
  if (!(cause instanceof ClientRefusedError)) {
    const [parameter = ''] = /^[a-z_]+(?=\b)/.exec(description) ?? []
    return { parameter: parameter.includes('_') ? parameter : '' }
  }
  return cause.refusals.slice(0, MAX_FINDINGS).map(({ parameter, value, rule, fix }) => ({
    parameter,
    ...(value !== undefined && { received: masked(value) }),
    said: { rule: masked(rule), fix: masked(fix) },
  }))
}

const claim = (name: 'aud' | 'iss' | 'sub' | 'exp', told: (value: unknown) => string): Find =>
  named(`client_assertion.${name}`, ({ asked }) => {
    const value = asked.assertion?.claims[name]
    return value === undefined ? undefined : masked(told(value))
  })

const acceptedAudience: Find = (one, found) => {
  const facts = claim('aud', (value) => [value].flat().join(' '))(one, found) as Facts
  const values = [...one.ctx.oidc.clientJwtAuthExpectedAudience()]
  return { ...facts, expected: { by: 'provider', values } }
}

const expiry: Find = (one, found) => {
  const told = (value: unknown) => (typeof value === 'number' ? isoTime(value) : 'not a number')
  const facts = claim('exp', told)(one, found) as Facts
  return { ...facts, expected: { by: 'provider', values: [`> ${isoTime(one.now)}`] } }
}

const keyIds: Find = (one) => {
  const kid = one.asked.assertion?.kid
  const kids = (metadataOf(one)?.jwks?.keys ?? []).flatMap((key) =>
    typeof key.kid === 'string' ? [key.kid] : [],
  )
  return {
    parameter: 'client_assertion',
    ...(kid !== undefined && {
      received: masked(
        `kid ${kid}`,
        kids.map((one) => `kid ${one}`),
      ),
    }),
    ...(kids.length > 0 && { expected: { by: 'client', values: kids.map((one) => `kid ${one}`) } }),
  }
}

const algorithm: Find = (one) => {
  const { asked } = one
  const metadata = metadataOf(one)
  const registered = metadata?.token_endpoint_auth_signing_alg
  const ours = usesSecret(metadata?.token_endpoint_auth_method ?? '')
    ? ['HS256', 'HS384', 'HS512']
    : ['RS256', 'PS256', 'ES256', 'EdDSA']
  return {
    parameter: 'client_assertion.alg',
    ...(asked.assertion && { received: masked(asked.assertion.alg) }),
    expected:
      registered === undefined
        ? { by: 'provider', values: ours }
        : { by: 'client', values: [registered] },
  }
}

const LOGOUT = ['end_session'] as const
const REGISTRATION = ['registration'] as const
const CLIENT_AUTHENTICATION = ['invalid_client'] as const

/** In order: the first that fits says why. What the engine means stands in its detail, if at all. */
const SIGNS: readonly Sign[] = [
  { rule: 'server.fault', error: ['server_error'] },
  // Every endpoint: the request as such, and who sends it.
  {
    rule: 'body.type',
    words: /^only \S+ content-type|the body must be/m,
    find: named('Content-Type'),
  },
  { rule: 'body.type', words: /must be a JSON object/, find: named('') },
  {
    rule: 'body.unreadable',
    words: /failed to parse the request body|the body (?:cannot be read|is longer)/,
  },
  { rule: 'cors.origin', words: /^origin .* not allowed for client/m, find: named('Origin') },
  {
    rule: 'parameter.repeated',
    words: /^(.*) parameters? must not be provided twice/m,
    find: listed,
  },
  { rule: 'auth.missing', words: /no client authentication mechanism/, find: named('client_id') },
  {
    rule: 'parameter.missing',
    words: /missing required parameters? (.*)$/m,
    find: listed,
  },
  {
    rule: 'client.disabled',
    words: /client is disabled/,
    find: named('client_id', ({ asked }) => asked.sent('client_id')),
  },
  {
    rule: 'auth.secret_unreadable',
    words: /client secret cannot be read/,
    find: named('client_secret'),
  },
  {
    rule: 'client.unknown',
    words: /^client not found|client is invalid|unrecognized id_token_hint audience/m,
    find: named('client_id', ({ asked }) => asked.clientId && masked(asked.clientId)),
  },
  {
    rule: 'redirect_uri.unregistered',
    at: ['authorization', 'pushed_authorization_request'],
    words: /redirect_uri did not match/,
    find: (one) => address('redirect_uri', metadataOf(one)?.redirect_uris ?? [], 'client', one),
  },

  // Client authentication.
  {
    rule: 'auth.several',
    words: /must only be provided using one mechanism/,
    find: named('', ({ asked }) => asked.method),
    at: ['token', 'pushed_authorization_request', 'introspection', 'revocation'],
  },
  { rule: 'client_id.mismatch', words: /^client_id mismatch/m, find: named('client_id') },
  {
    rule: 'auth.method',
    words: /authentication mechanism does not match/,
    find: (one) => ({
      parameter: 'token_endpoint_auth_method',
      received: one.asked.method,
      expected: { by: 'client', values: words(metadataOf(one)?.token_endpoint_auth_method) },
    }),
  },
  {
    rule: 'auth.secret_wrong',
    words: /invalid secret provided/,
    find: (one) => ({
      ...(isFormer(one) && { rule: 'auth.secret_expired' }),
      parameter: 'client_secret',
    }),
  },
  {
    rule: 'auth.header',
    words: /authorization header|Authorization header/,
    at: ['token', 'pushed_authorization_request', 'introspection', 'revocation'],
    find: named('Authorization'),
  },
  {
    rule: 'assertion.malformed',
    words: /invalid client_assertion format|client_assertion_type must/,
    find: named('client_assertion_type', ({ asked }) => asked.sent('client_assertion_type')),
  },
  { rule: 'assertion.algorithm', words: /^alg mismatch/m, find: algorithm },
  {
    rule: 'assertion.audience',
    words: /\baud\b/,
    error: CLIENT_AUTHENTICATION,
    find: acceptedAudience,
  },
  {
    rule: 'assertion.expired',
    words: /^jwt expired|expiration must be specified|invalid exp/m,
    error: CLIENT_AUTHENTICATION,
    find: expiry,
  },
  {
    rule: 'assertion.no_jti',
    words: /unique jti|invalid jti/,
    find: named('client_assertion.jti'),
  },
  {
    rule: 'assertion.reused',
    words: /assertion tokens must only be used once/,
    find: named('client_assertion.jti'),
  },
  {
    rule: 'assertion.issuer',
    words: /JWT issuer|JWT subject|invalid iss/,
    error: CLIENT_AUTHENTICATION,
    find: claim('iss', String),
  },
  {
    rule: 'assertion.signature',
    words: /signature verification failed|no applicable key/,
    error: CLIENT_AUTHENTICATION,
    find: keyIds,
  },

  // The authorization request, pushed or not.
  {
    rule: 'response_type.unsupported',
    error: ['unsupported_response_type'],
    find: (one, found) => provider('response_type', one.clients.rules.responseTypes)(one, found),
  },
  {
    rule: 'response_type.not_allowed',
    words: /requested response_type is not allowed for this client/,
    find: against('response_type', ({ response_types: types }) => types),
  },
  {
    rule: 'response_mode.refused',
    words: /response_mode/,
    find: named('response_mode', ({ asked }) => asked.sent('response_mode')),
  },
  {
    rule: 'pkce.missing',
    words: /requires PKCE|code_challenge must be provided with/,
    find: named('code_challenge'),
  },
  {
    rule: 'pkce.method',
    words: /code_challenge_method/,
    find: (one, found) =>
      one.asked.raw('code_challenge_method') === undefined
        ? { parameter: 'code_challenge_method', expected: { by: 'provider', values: ['S256'] } }
        : provider('code_challenge_method', ['S256'])(one, found),
  },
  {
    rule: 'pkce.malformed',
    words: /^(code_challenge|code_verifier) (?:must be a string|contains invalid)/m,
    find: (_, [, parameter = '']) => ({ parameter }),
  },
  {
    rule: 'prompt.none_combined',
    words: /prompt none must only be used alone/,
    find: named('prompt', ({ asked }) => asked.sent('prompt')),
  },
  {
    rule: 'prompt.unsupported',
    words: /unsupported prompt/,
    find: named('prompt', ({ asked }) => asked.sent('prompt')),
  },
  {
    rule: 'max_age.malformed',
    words: /max_age parameter/,
    find: named('max_age', ({ asked }) => asked.sent('max_age')),
  },
  {
    rule: 'claims.malformed',
    words: /\bclaims(?:\.\w+)? (?:parameter )?should|claims parameter/,
    find: named('claims'),
  },
  {
    rule: 'scope.openid_missing',
    words: /openid scope must be requested/,
    find: named('scope', ({ asked }) => asked.sent('scope')),
  },
  { rule: 'scope.malformed', words: /scope contains invalid/, find: named('scope') },
  {
    rule: 'request_object.unsupported',
    error: ['request_not_supported', 'request_uri_not_supported', 'registration_not_supported'],
    find: ({ thrown }) => ({ parameter: thrown.error.replace('_not_supported', '') }),
  },
  {
    rule: 'request_object.required',
    words: /Request Object must be used/,
    find: named('request'),
  },
  {
    rule: 'par.required',
    words: /Pushed Authorization Request must be used/,
    find: named('request_uri'),
  },
  {
    rule: 'request_object.unreachable',
    words: /request object at request_uri cannot be read/,
    find: named('request_uri'),
  },
  {
    rule: 'request_object.too_many',
    words: /too many requests by request_uri/,
    find: named('request_uri'),
  },
  { rule: 'par.request_uri', error: ['invalid_request_uri'], find: named('request_uri') },
  { rule: 'request_object.refused', error: ['invalid_request_object'], find: named('request') },
  {
    rule: 'resource.refused',
    error: ['invalid_target'],
    find: named('resource', ({ asked }) => asked.sent('resource')),
  },
  {
    rule: 'logout.client',
    at: LOGOUT,
    words: /client_id does not match/,
    find: named('client_id', ({ asked }) => asked.sent('client_id')),
  },
  { rule: 'logout.hint', at: LOGOUT, words: /id_token_hint/, find: named('id_token_hint') },
  {
    rule: 'logout.redirect_uri',
    at: LOGOUT,
    words: /post_logout_redirect_uri/,
    find: (one) =>
      address(
        'post_logout_redirect_uri',
        metadataOf(one)?.post_logout_redirect_uris ?? [],
        'client',
        one,
      ),
  },
  { rule: 'logout.form', at: LOGOUT, words: /xsrf|logout details/ },
  { rule: 'hint.refused', words: /id_token_hint/, find: named('id_token_hint') },
  { rule: 'member.turned_back', error: ['access_denied'] },
  {
    rule: 'acr.unmet',
    error: ['unmet_authentication_requirements'],
    find: named('acr_values', ({ asked }) => asked.sent('acr_values')),
  },
  {
    rule: 'member.must_act',
    error: [
      'login_required',
      'interaction_required',
      'consent_required',
      'account_selection_required',
    ],
    find: named('prompt', ({ asked }) => asked.sent('prompt')),
  },
  {
    rule: 'session.expired',
    at: ['authorization'],
    words: /^(?:interaction |authorization )?session\b|authorization request has expired/m,
  },

  // The token endpoint.
  {
    rule: 'grant_type.unsupported',
    error: ['unsupported_grant_type'],
    find: provider('grant_type', GRANT_TYPES),
  },
  {
    rule: 'grant_type.not_allowed',
    words: /grant type is not allowed|not allowed for this client$/m,
    find: against('grant_type', ({ grant_types: types }) => types),
  },
  { rule: 'code.expired', words: /authorization code is expired/, find: named('code') },
  { rule: 'code.used', words: /authorization code already/, find: named('code') },
  { rule: 'code.redirect_uri', words: /authorization code redirect_uri/, find: addressAsked },
  { rule: 'code.unknown', words: /authorization code not found/, find: named('code') },
  {
    rule: 'code.no_verifier',
    words: /code_verifier must be provided/,
    find: named('code_verifier'),
  },
  { rule: 'code.verifier', words: /code_verifier does not match/, find: named('code_verifier') },
  { rule: 'refresh.expired', words: /refresh token is expired/, find: named('refresh_token') },
  { rule: 'refresh.used', words: /refresh token already/, find: named('refresh_token') },
  { rule: 'refresh.unknown', words: /refresh token not found/, find: named('refresh_token') },
  {
    rule: 'code.foreign',
    at: ['token'],
    words: /^client mismatch/m,
    find: ({ asked }) =>
      asked.raw('grant_type') === 'refresh_token'
        ? { rule: 'refresh.foreign', parameter: 'refresh_token' }
        : { parameter: 'code' },
  },
  { rule: 'member.stopped', words: /account not found|accountId mismatch/ },
  { rule: 'grant.ended', at: ['token'], words: /^grant (?:not found|is expired)/m },
  {
    rule: 'scope.not_allowed',
    error: ['invalid_scope'],
    find: (one) => {
      const { scope = one.asked.raw('scope') } = one.thrown
      const values = words(metadataOf(one)?.scope)
      return {
        parameter: 'scope',
        ...(scope !== undefined && { received: masked(scope, values) }),
        ...(values.length > 0 && { expected: { by: 'client', values } }),
      }
    },
  },

  // What access tokens open, and registration.
  { rule: 'dpop.refused', error: ['invalid_dpop_proof', 'use_dpop_nonce'], find: named('DPoP') },
  { rule: 'dpop.refused', words: /DPoP|\bjkt\b/, find: named('DPoP') },
  {
    rule: 'registration.own_token',
    at: REGISTRATION,
    words: /registration access token|client mismatch/,
    find: named('Authorization'),
  },
  {
    rule: 'registration.token_unknown',
    at: REGISTRATION,
    error: ['invalid_token'],
    find: initialToken,
  },
  {
    rule: 'registration.token_unknown',
    at: REGISTRATION,
    words: /access token|authorization header/,
    find: named('Authorization'),
  },
  {
    rule: 'registration.metadata',
    at: REGISTRATION,
    error: ['invalid_client_metadata', 'invalid_redirect_uri', 'invalid_request'],
    find: metadataRefused,
  },
  { rule: 'client.unusable', error: ['invalid_client_metadata'], find: metadataRefused },
  {
    rule: 'token.scope',
    error: ['insufficient_scope'],
    find: ({ thrown }) => ({
      parameter: 'scope',
      expected: { by: 'provider', values: words(thrown.scope) },
    }),
  },
  { rule: 'token.kind', error: ['unsupported_token_type'], find: named('token') },
  { rule: 'token.dead', error: ['invalid_token'], find: named('access_token') },
  {
    rule: 'token.missing',
    words: /access tokens? |authorization header/,
    find: named('Authorization'),
  },
]

const fits = ({ at, error, words: pattern }: Sign, one: Case): RegExpExecArray | undefined => {
  const { thrown, endpoint } = one
  if (at && !at.includes(endpoint)) return undefined
  if (error && !error.includes(thrown.error)) return undefined
  const found = (pattern ?? /^/).exec(`${thrown.detail}\n${thrown.description}`)
  return found ?? undefined
}

/** Why the request was refused; the first is what it was refused for. */
export const diagnose = async (one: Case): Promise<readonly [Finding, ...Finding[]]> => {
  for (const sign of SIGNS) {
    const found = fits(sign, one)
    if (!found) continue
    const facts = [(await sign.find?.(one, found)) ?? { parameter: '' }].flat()
    const [first = { rule: sign.rule, parameter: '' }, ...more] = facts.map((each) => ({
      rule: sign.rule,
      ...each,
    }))
    return [first, ...more]
  }
  return [{ rule: 'other', parameter: '' }]
}
