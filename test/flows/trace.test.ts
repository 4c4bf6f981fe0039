import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { traceRefusal } from '../../cli/trace.ts'
import type { Actor } from '../../clients/registry.ts'
import type { RefusalView } from '../../provider/refusals/explanation.ts'
import { findRefusal } from '../../provider/refusals/record.ts'
import type { RuleId } from '../../provider/refusals/rules.ts'
import { startCommand } from '../cli/command.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { aJourneyOf, anOldHand, PAGE, theDate } from './support.ts'

type Json = Readonly<Record<string, unknown>>
type Fields = Readonly<Record<string, string>>
type Client = Readonly<{ id: string; secret: string }>

/** The heading of the page on which 試しのアプリ asks for consent. */
const ASKS_CONSENT = '試しのアプリに情報を渡しますか'
const OPERATOR: Actor = { operator: '山田花子', door: 'admin' }
const REFERENCE = /(?<![0-9A-Z])[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}(?![0-9A-Z])/

let idp: Idp
/** What no record, output or log line may hold. */
const secrets = new Set<string>()
/** Everything that was told of any refusal. */
const told: string[] = []
const secret = (value: string): string => {
  secrets.add(value)
  return value
}

/** A browser in which a member is signed in. */
let visitor: Visitor
let portal: Client

beforeAll(async () => {
  idp = await startIdp({ clock: theDate(), env: { IDP_REGISTRATION: 'on' } })
  portal = await registered()
  const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), {
    client: { clientId: portal.id, clientSecret: portal.secret, redirectUri: idp.redirectUri },
  })
  visitor = journey.visitor
  await journey.start()
  await journey.walkTo(PAGE.signedIn)
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

const registry = () => idp.services.clients.registry
const registered = async (over: Json = {}): Promise<Client> => {
  const entry = {
    client_name: '試しのアプリ',
    redirect_uris: [idp.redirectUri],
    policy: { society: 'sakura' },
    ...over,
  }
  const { client, secret: made } = await registry().create(entry, OPERATOR)
  return { id: client.id, secret: made === undefined ? '' : secret(made) }
}

const verifier = (): string => secret(randomBytes(32).toString('base64url'))
const challengeOf = (text: string): string => createHash('sha256').update(text).digest('base64url')

/** An authorization request as it should be; '' takes a parameter out. */
const request = (over: Fields = {}): URLSearchParams => {
  const whole = {
    client_id: portal.id,
    response_type: 'code',
    scope: 'openid',
    redirect_uri: idp.redirectUri,
    code_challenge: challengeOf(verifier()),
    code_challenge_method: 'S256',
    state: secret(randomBytes(20).toString('base64url')),
    nonce: secret(randomBytes(20).toString('base64url')),
    login_hint: secret('hint-of-hanako-12345'),
    ...over,
  }
  return new URLSearchParams(Object.entries(whole).filter(([, value]) => value !== ''))
}

/** Where an application finds the number: in the description that its callback is given. */
const atCallback = (page: Readonly<{ url: URL }>): string => {
  const parameters = new URLSearchParams(`${page.url.search.slice(1)}&${page.url.hash.slice(1)}`)
  return parameters.get('error_description') ?? ''
}
const authorize = (over: Fields = {}) => visitor.visit(`${idp.issuer}/auth?${request(over)}`)
const refusedAtCallback = async (over: Fields): Promise<string> => atCallback(await authorize(over))
const refusedOnPage = async (over: Fields): Promise<string> => {
  const page = await authorize(over)
  expect(page.heading).toBe(PAGE.clientError)
  return page.text
}

const basic = ({ id, secret: password }: Client): Fields => ({
  Authorization: `Basic ${Buffer.from(`${id}:${password}`).toString('base64')}`,
})
const send = async (path: string, init: RequestInit): Promise<Json> => {
  const response = await fetch(`${idp.issuer}${path}`, init)
  expect(response.status).toBeGreaterThanOrEqual(400)
  const body = (await response.json()) as Json
  // The header says the same number.
  expect(String(body.error_description)).toContain(String(response.headers.get('x-request-id')))
  return body
}
const post = async (path: string, body: Fields, headers: Fields = {}): Promise<string> => {
  const answer = await send(path, { method: 'POST', headers, body: new URLSearchParams(body) })
  return String(answer.error_description)
}

/** A code for the client, with the verifier that goes with it. */
const aCode = async (
  client: Client = portal,
  over: Fields = {},
): Promise<Readonly<{ code: string; code_verifier: string }>> => {
  const codeVerifier = verifier()
  const parameters = { client_id: client.id, code_challenge: challengeOf(codeVerifier), ...over }
  await authorize(parameters)
  if (visitor.page.heading === ASKS_CONSENT) await visitor.submit('許可する')
  const { page } = visitor
  const code = page.url.searchParams.get('code')
  if (code === null) throw new Error(`no code: ${page.url.href} ${page.text}`)
  return { code: secret(code), code_verifier: codeVerifier }
}
const redeem = (fields: Fields, headers: Fields = basic(portal)): Promise<string> =>
  post(
    '/token',
    { grant_type: 'authorization_code', redirect_uri: idp.redirectUri, ...fields },
    headers,
  )
/** Done right: the tokens. */
const tokensFor = async (fields: Fields, client: Client = portal): Promise<Json> => {
  const body = new URLSearchParams({ redirect_uri: idp.redirectUri, ...fields })
  const response = await fetch(`${idp.issuer}/token`, {
    method: 'POST',
    headers: basic(client),
    body,
  })
  const tokens = (await response.json()) as Json
  if (response.status !== 200) throw new Error(JSON.stringify(tokens))
  for (const name of ['access_token', 'refresh_token', 'id_token']) {
    if (typeof tokens[name] === 'string') secret(tokens[name])
  }
  return tokens
}

/** A client that signs its assertions, and a way to sign one. */
const signing = async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: 'key-1', alg: 'ES256' }] }
  const client = await registered({
    token_endpoint_auth_method: 'private_key_jwt',
    grant_types: ['client_credentials'],
    response_types: [],
    redirect_uris: [],
    jwks,
  })
  const assertion = async (over: JWTPayload = {}, kid = 'key-1', key = privateKey) => {
    const now = idp.clock.now()
    const claims = {
      iss: client.id,
      sub: client.id,
      aud: idp.issuer,
      jti: randomBytes(16).toString('hex'),
      exp: now + 60,
      ...over,
    }
    const jwt = new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid })
    return secret(await jwt.sign(key))
  }
  const ask = (jwt: string) => ({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: jwt,
  })
  return { client, assertion, ask }
}

const aRegistrationToken = async (over: Json = {}): Promise<string> => {
  const { token } = await idp.services.clients.tokens.create(
    { policy: { society: 'sakura' }, hosts: [new URL(idp.redirectUri).host], ...over },
    OPERATOR,
  )
  return secret(token)
}
const register = async (token: string, over: Json = {}): Promise<Response> =>
  fetch(`${idp.issuer}/reg`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: 'アプリ', redirect_uris: [idp.redirectUri], ...over }),
  })
const refusedRegistration = async (token: string, over: Json = {}): Promise<string> => {
  const response = await register(token, over)
  expect(response.ok).toBe(false)
  return String(((await response.json()) as Json).error_description)
}

const referenceIn = (text: string): string => {
  const [reference] = REFERENCE.exec(text) ?? []
  if (reference === undefined) throw new Error(`no reference number in "${text}"`)
  return reference
}
const trace = async (text: string): Promise<RefusalView> => {
  const typed = referenceIn(text)
  const ask = { typed, locale: 'en' as const }
  const json = await traceRefusal(idp.services, { ...ask, format: 'json' })
  told.push(json, await traceRefusal(idp.services, { ...ask, format: 'text', locale: 'ja' }))
  return JSON.parse(json) as RefusalView
}

type Answer = Readonly<{
  rule: RuleId
  parameter?: string
  received?: unknown
  /** By whom it would have been right, and which values. */
  expected?: readonly [by: 'client' | 'provider' | 'request', values: unknown]
  difference?: Json
  fix: RegExp
}>
type Mistake = readonly [name: string, make: () => Promise<string>, answer: () => Answer]

const MISTAKES: readonly Mistake[] = [
  [
    'a redirect_uri with a slash too many',
    () => refusedOnPage({ redirect_uri: `${idp.redirectUri}/` }),
    () => ({
      rule: 'redirect_uri.unregistered',
      parameter: 'redirect_uri',
      received: `${idp.redirectUri}/`,
      expected: ['client', [idp.redirectUri]],
      difference: {
        registered: idp.redirectUri,
        position: idp.redirectUri.length + 1,
        received: '/',
        expected: '',
      },
      fix: /--redirect-uri/,
    }),
  ],
  [
    'a redirect_uri with one letter in another case and a secret in its query',
    () =>
      refusedOnPage({
        redirect_uri: `${idp.redirectUri.replace('/cb', '/Cb')}?key=${secret('a-key-of-the-app')}`,
      }),
    () => ({
      rule: 'redirect_uri.unregistered',
      parameter: 'redirect_uri',
      received: expect.stringMatching(/\/Cb\?key=\[\d+ characters\]$/),
      expected: ['client', [idp.redirectUri]],
      difference: {
        registered: idp.redirectUri,
        position: idp.redirectUri.length - 1,
        received: 'C',
        expected: 'c',
      },
      fix: /character|--redirect-uri/,
    }),
  ],
  [
    'the secret in place of the client_id',
    () => refusedOnPage({ client_id: portal.secret }),
    () => ({
      rule: 'client.unknown',
      parameter: 'client_id',
      received: '[43 characters]',
      fix: /client list/,
    }),
  ],
  [
    'a client that is disabled',
    async () => {
      const { id } = await registered()
      await registry().disable(id, {}, OPERATOR)
      return refusedOnPage({ client_id: id })
    },
    () => ({ rule: 'client.disabled', parameter: 'client_id', fix: /client enable/ }),
  ],
  [
    'no redirect_uri',
    () => refusedOnPage({ redirect_uri: '' }),
    () => ({ rule: 'parameter.missing', parameter: 'redirect_uri', fix: /Send it/ }),
  ],
  [
    'no PKCE',
    () => refusedAtCallback({ code_challenge: '', code_challenge_method: '' }),
    () => ({ rule: 'pkce.missing', parameter: 'code_challenge', fix: /S256/ }),
  ],
  [
    'PKCE by plain',
    () => refusedAtCallback({ code_challenge_method: 'plain' }),
    () => ({
      rule: 'pkce.method',
      parameter: 'code_challenge_method',
      received: 'plain',
      expected: ['provider', ['S256']],
      fix: /S256/,
    }),
  ],
  [
    'a scope without openid',
    () => refusedAtCallback({ scope: 'email' }),
    () => ({
      rule: 'scope.openid_missing',
      parameter: 'scope',
      received: 'email',
      fix: /Add `openid`/,
    }),
  ],
  [
    'a scope that is not registered',
    async () => {
      const { id } = await registered({ scope: 'openid profile' })
      return refusedAtCallback({ client_id: id, scope: 'openid email' })
    },
    () => ({
      rule: 'scope.not_allowed',
      parameter: 'scope',
      received: 'email',
      expected: ['client', ['openid', 'profile']],
      fix: /--set scope/,
    }),
  ],
  [
    'response_type=token, answered in the fragment',
    () => refusedAtCallback({ response_type: 'token' }),
    () => ({
      rule: 'response_type.unsupported',
      parameter: 'response_type',
      received: 'token',
      expected: ['provider', expect.arrayContaining(['code'])],
      fix: /response_type=code/,
    }),
  ],
  [
    'a prompt that nobody knows, answered by form_post',
    async () => {
      const page = await authorize({ prompt: 'create', response_mode: 'form_post' })
      const field = page.root.querySelector('input[name="error_description"]')
      return field?.getAttribute('value') ?? ''
    },
    () => ({ rule: 'prompt.unsupported', parameter: 'prompt', received: 'create', fix: /none/ }),
  ],
  [
    'a parameter twice',
    async () => {
      const twice = request()
      twice.append('scope', 'email')
      return atCallback(await visitor.visit(`${idp.issuer}/auth?${twice}`))
    },
    () => ({ rule: 'parameter.repeated', parameter: 'scope', fix: /once/ }),
  ],
  [
    'prompt=none without a session',
    async () =>
      atCallback(await aVisitor().visit(`${idp.issuer}/auth?${request({ prompt: 'none' })}`)),
    () => ({
      rule: 'member.must_act',
      parameter: 'prompt',
      received: 'none',
      fix: /without `prompt=none`/,
    }),
  ],
  [
    'a pushed request with another redirect_uri',
    () =>
      post(
        '/request',
        Object.fromEntries(request({ redirect_uri: 'https://evil.example/' })),
        basic(portal),
      ),
    () => ({
      rule: 'redirect_uri.unregistered',
      parameter: 'redirect_uri',
      received: 'https://evil.example/',
      expected: ['client', [idp.redirectUri]],
      fix: /--redirect-uri/,
    }),
  ],
  [
    'a pushed request used twice',
    async () => {
      const pushed = await fetch(`${idp.issuer}/request`, {
        method: 'POST',
        headers: basic(portal),
        body: request(),
      })
      const uri = secret(String(((await pushed.json()) as Json).request_uri))
      const query = new URLSearchParams({ client_id: portal.id, request_uri: uri })
      const first = await visitor.visit(`${idp.issuer}/auth?${query}`)
      expect(first.url.searchParams.has('code')).toBe(true)
      return (await visitor.visit(`${idp.issuer}/auth?${query}`)).text
    },
    () => ({ rule: 'par.request_uri', parameter: 'request_uri', fix: /anew/ }),
  ],
  [
    'a request by POST as JSON',
    async () => {
      const response = await fetch(`${idp.issuer}/auth`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(Object.fromEntries(request())),
      })
      expect(response.status).toBe(400)
      return response.text()
    },
    () => ({ rule: 'body.type', parameter: 'Content-Type', fix: /x-www-form-urlencoded/ }),
  ],
  [
    'a member who turned back',
    async () => {
      const other = aVisitor()
      await other.visit(`${idp.issuer}/auth?${request()}`)
      return atCallback(await other.submit('abort'))
    },
    () => ({ rule: 'member.turned_back', fix: /No mistake/ }),
  ],
  [
    'a wrong client_secret',
    async () => redeem(await aCode(), basic({ ...portal, secret: verifier() })),
    () => ({ rule: 'auth.secret_wrong', parameter: 'client_secret', fix: /rotate-secret/ }),
  ],
  [
    'a client_secret whose overlap is over',
    async () => {
      const client = await registered()
      const { secret: made } = await registry().rotateSecret(
        client.id,
        { overlapSeconds: 60 },
        OPERATOR,
      )
      secret(made ?? '')
      await idp.clock.advance(61)
      return redeem({ code: 'x' }, basic(client))
    },
    () => ({ rule: 'auth.secret_expired', parameter: 'client_secret', fix: /new secret/ }),
  ],
  [
    'a client_secret from a client that has none',
    async () => {
      const { client } = await signing()
      const body = { grant_type: 'client_credentials', client_id: client.id }
      return post('/token', { ...body, client_secret: verifier() })
    },
    () => ({
      rule: 'auth.method',
      parameter: 'token_endpoint_auth_method',
      received: 'client_secret_post',
      expected: ['client', ['private_key_jwt']],
      fix: /--auth-method/,
    }),
  ],
  [
    'no client at all',
    () => redeem({ code: 'x' }, {}),
    () => ({ rule: 'auth.missing', parameter: 'client_id', fix: /Authenticate/ }),
  ],
  [
    'a code that is too old',
    async () => {
      const code = await aCode()
      await idp.clock.advance(61)
      return redeem(code)
    },
    () => ({ rule: 'code.expired', parameter: 'code', fix: /as soon as/ }),
  ],
  [
    'a code used twice',
    async () => {
      const code = await aCode()
      await tokensFor({ grant_type: 'authorization_code', ...code })
      return redeem(code)
    },
    () => ({ rule: 'code.used', parameter: 'code', fix: /Never send a code twice/ }),
  ],
  [
    'a code of another client',
    async () => redeem(await aCode(), basic(await registered())),
    () => ({ rule: 'code.foreign', parameter: 'code', fix: /one client_id/ }),
  ],
  [
    'another redirect_uri at the token endpoint',
    async () => redeem({ ...(await aCode()), redirect_uri: `${idp.redirectUri}2` }),
    () => ({
      rule: 'code.redirect_uri',
      parameter: 'redirect_uri',
      received: `${idp.redirectUri}2`,
      expected: ['request', [idp.redirectUri]],
      difference: {
        registered: idp.redirectUri,
        position: idp.redirectUri.length + 1,
        received: '2',
        expected: '',
      },
      fix: /very same value/,
    }),
  ],
  [
    'another code_verifier',
    async () => redeem({ ...(await aCode()), code_verifier: verifier() }),
    () => ({ rule: 'code.verifier', parameter: 'code_verifier', fix: /state/ }),
  ],
  [
    'no code_verifier',
    async () => redeem({ code: (await aCode()).code }),
    () => ({ rule: 'code.no_verifier', parameter: 'code_verifier', fix: /session/ }),
  ],
  [
    'a grant_type that the client is not registered for',
    () => post('/token', { grant_type: 'client_credentials' }, basic(portal)),
    () => ({
      rule: 'grant_type.not_allowed',
      parameter: 'grant_type',
      received: 'client_credentials',
      expected: ['client', ['authorization_code']],
      fix: /--set grant_types/,
    }),
  ],
  [
    'a grant_type that there is not',
    () =>
      post('/token', { grant_type: 'password', password: secret('pw-of-hanako') }, basic(portal)),
    () => ({
      rule: 'grant_type.unsupported',
      parameter: 'grant_type',
      received: 'password',
      expected: ['provider', expect.arrayContaining(['authorization_code'])],
      fix: /authorization_code/,
    }),
  ],
  [
    'a refresh token used twice',
    async () => {
      const client = await registered({ grant_types: ['authorization_code', 'refresh_token'] })
      const scope = { scope: 'openid offline_access', prompt: 'consent' }
      const code = await aCode(client, scope)
      const { refresh_token: token } = await tokensFor(
        { grant_type: 'authorization_code', ...code },
        client,
      )
      const again = { grant_type: 'refresh_token', refresh_token: String(token) }
      await tokensFor(again, client)
      return post('/token', again, basic(client))
    },
    () => ({ rule: 'refresh.used', parameter: 'refresh_token', fix: /new token/ }),
  ],
  [
    'an assertion for another server',
    async () => {
      const { assertion, ask } = await signing()
      return post('/token', ask(await assertion({ aud: 'https://other.example' })))
    },
    () => ({
      rule: 'assertion.audience',
      parameter: 'client_assertion.aud',
      received: 'https://other.example',
      expected: ['provider', expect.arrayContaining([idp.issuer])],
      fix: /issuer/,
    }),
  ],
  [
    'an assertion that has expired',
    async () => {
      const { assertion, ask } = await signing()
      return post('/token', ask(await assertion({ exp: idp.clock.now() - 3600 })))
    },
    () => ({
      rule: 'assertion.expired',
      parameter: 'client_assertion.exp',
      received: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      expected: ['provider', [expect.stringMatching(/^> \d{4}-/)]],
      fix: /NTP/,
    }),
  ],
  [
    'an assertion sent twice',
    async () => {
      const { assertion, ask } = await signing()
      const jwt = ask(await assertion())
      const first = await fetch(`${idp.issuer}/token`, {
        method: 'POST',
        body: new URLSearchParams(jwt),
      })
      expect(first.status).toBe(200)
      return post('/token', jwt)
    },
    () => ({ rule: 'assertion.reused', parameter: 'client_assertion.jti', fix: /every request/ }),
  ],
  [
    'an assertion by a key that is not registered',
    async () => {
      const { assertion, ask } = await signing()
      const { privateKey } = await generateKeyPair('ES256')
      return post('/token', ask(await assertion({}, 'key-2', privateKey)))
    },
    () => ({
      rule: 'assertion.signature',
      parameter: 'client_assertion',
      received: 'kid key-2',
      expected: ['client', ['kid key-1']],
      fix: /jwks/,
    }),
  ],
  [
    'an assertion by an algorithm that does not fit',
    async () => {
      const { client, ask } = await signing()
      const claims = { iss: client.id, sub: client.id, aud: idp.issuer, jti: 'x' }
      const jwt = await new SignJWT({ ...claims, exp: idp.clock.now() + 60 })
        .setProtectedHeader({ alg: 'HS256' })
        .sign(Buffer.from(verifier()))
      return post('/token', ask(secret(jwt)))
    },
    () => ({
      rule: 'assertion.algorithm',
      parameter: 'client_assertion.alg',
      received: 'HS256',
      expected: ['provider', expect.arrayContaining(['ES256'])],
      fix: /registered algorithm/,
    }),
  ],
  [
    'an initial access token that nobody made',
    () => refusedRegistration(secret(`0123456789ab.${'y'.repeat(43)}`)),
    () => ({
      rule: 'registration.token_unknown',
      parameter: 'Authorization',
      fix: /client token create/,
    }),
  ],
  [
    'an initial access token that has expired',
    async () => {
      const token = await aRegistrationToken({ days: 1 })
      await idp.clock.advance(86_401)
      return refusedRegistration(token)
    },
    () => ({
      rule: 'registration.token_expired',
      parameter: 'Authorization',
      fix: /Make another/,
    }),
  ],
  [
    'an initial access token that is used up',
    async () => {
      const token = await aRegistrationToken()
      const { client_secret: made, registration_access_token: own } = (await (
        await register(token)
      ).json()) as Json
      secret(String(made))
      secret(String(own))
      return refusedRegistration(token)
    },
    () => ({ rule: 'registration.token_spent', parameter: 'Authorization', fix: /--uses/ }),
  ],
  [
    'a registration at a host that its token does not allow',
    async () =>
      refusedRegistration(await aRegistrationToken(), {
        redirect_uris: ['https://elsewhere.example/cb'],
      }),
    () => ({
      rule: 'registration.metadata',
      parameter: 'redirect_uris[0]',
      received: '"https://elsewhere.example/cb"',
      fix: /Use one of: localhost/,
    }),
  ],
  [
    'a post_logout_redirect_uri that is not registered',
    async () => {
      const { id } = await registered({ post_logout_redirect_uris: ['https://app.example.jp/'] })
      const out = { client_id: id, post_logout_redirect_uri: 'https://app.example.jp' }
      return (await visitor.visit(`${idp.issuer}/session/end?${new URLSearchParams(out)}`)).text
    },
    () => ({
      rule: 'logout.redirect_uri',
      parameter: 'post_logout_redirect_uri',
      received: 'https://app.example.jp',
      expected: ['client', ['https://app.example.jp/']],
      difference: {
        registered: 'https://app.example.jp/',
        position: 23,
        received: '',
        expected: '/',
      },
      fix: /--post-logout-uri/,
    }),
  ],
  [
    'an id_token_hint of somebody else',
    async () => {
      const key = Buffer.from(verifier())
      const hint = await new SignJWT({ sub: secret('sub-of-a-member') })
        .setAudience(portal.id)
        .setProtectedHeader({ alg: 'HS256' })
        .sign(key)
      const out = new URLSearchParams({ id_token_hint: secret(hint) })
      return (await visitor.visit(`${idp.issuer}/session/end?${out}`)).text
    },
    () => ({ rule: 'logout.hint', parameter: 'id_token_hint', fix: /ID token/ }),
  ],
  [
    'an access token that is none, at UserInfo',
    async () => {
      const headers = { Authorization: `Bearer ${verifier()}` }
      return String((await send('/me', { headers })).error_description)
    },
    () => ({ rule: 'token.dead', parameter: 'access_token', fix: /Refresh it/ }),
  ],
]

describe('Why was I refused? The number leads to the reason', () => {
  test.each(MISTAKES)('%s', async (_name, make, answer) => {
    const view = await trace(await make())
    const { rule, parameter, received, expected, difference, fix } = answer()
    const [finding] = view.findings
    expect(finding).toMatchObject({
      rule,
      section: expect.stringMatching(/RFC|OIDC|Fetch|OAuth|Kenpo/),
      ...(parameter !== undefined && { parameter }),
      ...(received !== undefined && { received }),
      ...(expected && { expected: { by: expected[0], values: expected[1] } }),
      fix: expect.stringMatching(fix),
    })
    if (difference) expect(finding?.difference).toEqual(difference)
    const line = idp.log.find(
      ({ reqId, rule: logged }) => reqId === view.reference && logged !== undefined,
    )
    expect(line).toMatchObject({ level: 'info', rule })
  })

  test('all of two mistakes that are found at once', async () => {
    const over = { redirect_uri: `${idp.redirectUri}x`, response_type: 'token' }
    const { findings, error } = await trace(await refusedOnPage(over))
    expect(error).toBe('invalid_redirect_uri')
    expect(findings.map(({ rule }) => rule)).toEqual([
      'redirect_uri.unregistered',
      'response_type.unsupported',
    ])
  })

  test('and nothing secret that was sent stands in a record, an answer or the log', async () => {
    expect(secrets.size).toBeGreaterThan(100)
    // What a request is about stands with its interaction, for the hour that this lasts.
    const { transient: kept = '' } = await idp.stores.atRest()
    const log = JSON.stringify(idp.log)
    const all = told.join('\n')
    expect(kept).toContain('refusal:')
    const leaked = [...secrets].flatMap((value) => [
      ...(kept.includes(value) ? [`store: ${value}`] : []),
      ...(log.includes(value) ? [`log: ${value}`] : []),
      ...(all.includes(value) ? [`answer: ${value}`] : []),
    ])
    expect(leaked).toEqual([])
  })
})

describe('kenpo-idp trace', () => {
  const run = (...args: readonly string[]) => {
    const env = { IDP_ISSUER: idp.issuer, IDP_CLIENTS_FILE: idp.clientsFile, ...idp.stores.env }
    // Only what is text: the environment of a process has nothing else.
    return startCommand(idp.dataDir, env as Record<string, string>, ['trace', ...args]).ended
  }

  test('points at the character that differs, in both languages, beside a running server', async () => {
    const wrong = idp.redirectUri.replace('http:', 'https:')
    const reference = referenceIn(await refusedOnPage({ redirect_uri: wrong }))
    const pointer = ['', wrong, idp.redirectUri, `${' '.repeat(4)}^`].join('\n    ')
    // As it may be read out over the telephone.
    const ja = await run(reference.toLowerCase().replace('-', ''))
    expect(ja.code).toBe(0)
    expect(ja.out).toContain(`参照番号: ${reference}`)
    expect(ja.out).toContain(`違い: 5文字目が「:」でなく「s」です:${pointer}`)
    const options = { typed: reference, format: 'text', locale: 'en' } as const
    const en = await traceRefusal(idp.services, options)
    expect(en).toContain(`difference: character 5 is "s", not ":":${pointer}`)
    expect(en).toContain('Rule: The redirect_uri must equal a registered one')
    expect(en).toContain(`Client: ${portal.id} / 試しのアプリ`)
  })

  test('says where to look for a number that it has no record of', async () => {
    const unknown = await run('7F3K-92QD')
    expect(unknown.code).toBe(1)
    expect(unknown.err).toContain('There is no record of 7F3K-92QD')
    expect(unknown.err).toContain('7日')
    const reference = referenceIn(await refusedAtCallback({ scope: 'email' }))
    await idp.clock.advance(7 * 86_400 + 1)
    const options = { typed: reference, format: 'text', locale: 'ja' } as const
    await expect(traceRefusal(idp.services, options)).rejects.toThrow('There is no record')
    await expect(traceRefusal(idp.services, { ...options, typed: 'U-1' })).rejects.toThrow('7F3K')
  })

  test('of a flood, as much is kept as an hour allows, and all of it is refused alike', async () => {
    await idp.clock.advance(3601)
    let kept = 0
    const flood = async (times: number, send: () => Promise<string>) => {
      for (let sent = 0; sent < times; sent += 1) {
        if (await findRefusal(idp.services, referenceIn(await send()))) kept += 1
      }
    }
    // What is nobody's mistake leaves its room to mistakes.
    const silent = request({ prompt: 'none' })
    const stranger = aVisitor()
    const unasked = async () => atCallback(await stranger.visit(`${idp.issuer}/auth?${silent}`))
    await flood(55, unasked)
    expect(kept).toBe(50)
    kept = 0
    // One mistake leaves room for others, and one address for others.
    await flood(55, () => redeem({ code: 'x' }, {}))
    expect(kept).toBe(50)
    await flood(55, () => redeem({ code: 'x' }))
    expect(kept).toBe(100)
    await flood(1, () => post('/token', {}, basic(portal)))
    expect(kept).toBe(100)
    const elsewhere = aVisitor({ from: '127.0.0.2' })
    const text = async () => atCallback(await elsewhere.visit(`${idp.issuer}/auth?${wrong}`))
    const wrong = request({ scope: 'email' })
    await flood(1, text)
    expect(kept).toBe(101)
  })
})
