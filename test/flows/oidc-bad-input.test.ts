import type { webcrypto } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import {
  base64url,
  CompactSign,
  exportJWK,
  generateKeyPair,
  type JWTHeaderParameters,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import { type Idp, startIdp } from '../support/idp.ts'
import { PAGE, theDate } from './support.ts'

type Json = Readonly<Record<string, unknown>>
type Answer = Readonly<{
  status: number
  location: string | null
  type: string
  text: string
  headers: Headers
}>

const FORM = 'application/x-www-form-urlencoded'
const SECRET = 'a-secret-of-this-app-for-these-tests-alone'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const LONG = 'x'.repeat(5000)
const MEGABYTE = 'x'.repeat(1_000_000)

const bent = (text: string, at: number, by: string): string =>
  `${text.slice(0, at)}${by}${text.slice(at + 1)}`

/** Addresses that a careless comparison takes for this one. */
const lookalikes = (uri: string): readonly string[] => {
  const { origin, host, pathname, port } = new URL(uri)
  return [
    // One character other, left out or added, wherever it stands.
    ...[...uri].map((letter, at) => bent(uri, at, letter === 'x' ? 'y' : 'x')),
    ...[...uri].map((_letter, at) => bent(uri, at, '')),
    ...[...uri].map((letter, at) => bent(uri, at, letter + letter)),
    ...[...uri].map((letter, at) => bent(uri, at, `@${letter}`)),
    ...[...uri].map((letter, at) => bent(uri, at, `%00${letter}`)),
    ...[...uri].map((letter, at) => bent(uri, at, `%${letter.charCodeAt(0).toString(16)}`)),
    ...['/', '?', '#', ' ', '%20', '.', '@', '\\', ';', '\t', '\n', '\0', '%00', '/..', '..;/'].map(
      (end) => `${uri}${end}`,
    ),
    ...['?a=b', '#a', '&a=b', '//', '/%2e%2e', '@evil.example', '.evil.example'].map(
      (end) => `${uri}${end}`,
    ),
    ` ${uri}`,
    `\t${uri}`,
    uri.toUpperCase(),
    uri.replace('http', 'HTTP'),
    uri.replace('http:', 'https:'),
    uri.replace('localhost', '127.0.0.1'),
    uri.replace('localhost', '[::1]'),
    uri.replace('localhost', 'LOCALHOST'),
    uri.replace('localhost', 'localhost.'),
    uri.replace('localhost', 'lоcalhost'),
    uri.replace('localhost', 'localhost.evil.example'),
    uri.replace('//', '//user@'),
    uri.replace('//', '//user:pass@'),
    uri.replace('//', '//evil.example@@'),
    uri.replace('//', '//evil.example\\@'),
    uri.replace('//', '//evil.example%00.'),
    uri.replace('//', '/'),
    uri.replace('//', '///'),
    uri.replace(`:${port}`, ''),
    uri.replace(port, `0${port}`),
    uri.replace(port, '1'),
    `${origin}${pathname.toUpperCase()}`,
    `${origin}/.${pathname}`,
    `${origin}/x/..${pathname}`,
    `${origin}/x/..;${pathname}`,
    `${origin}//${pathname}`,
    `${origin}/%63b`,
    `//${host}${pathname}`,
    pathname,
    'javascript:alert(1)',
    `javascript:location="${uri}"`,
    'data:text/html,x',
    'urn:ietf:wg:oauth:2.0:oob',
    'http://evil.example/',
    `http://evil.example/?${uri}`,
    `http://evil.example/#${uri}`,
    `http://evil.example/${uri}`,
  ]
}

describe('Bad input of applications', () => {
  let idp: Idp
  let keys: Awaited<ReturnType<typeof generateKeyPair>>
  let stranger: Awaited<ReturnType<typeof generateKeyPair>>
  let foreignCurve: Awaited<ReturnType<typeof generateKeyPair>>

  beforeAll(async () => {
    keys = await generateKeyPair('ES256', { extractable: true })
    stranger = await generateKeyPair('ES256', { extractable: true })
    foreignCurve = await generateKeyPair('ES384', { extractable: true })
    const jwks = {
      keys: [
        { ...(await exportJWK(keys.publicKey)), kid: 'app' },
        { ...(await exportJWK(foreignCurve.publicKey)), kid: 'foreign' },
      ],
    }
    const policy = { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' }
    idp = await startIdp({
      clock: theDate(),
      env: { IDP_FEATURES: 'request-uri' },
      clients: [
        { client_id: 'app', client_name: 'アプリ', client_secret: SECRET, policy },
        {
          client_id: 'keyed',
          client_name: '鍵のアプリ',
          token_endpoint_auth_method: 'private_key_jwt',
          token_endpoint_auth_signing_alg: 'ES256',
          request_object_signing_alg: 'ES256',
          jwks,
          policy,
        },
      ],
    })
    const { registry } = idp.services.clients
    const actor = { operator: '山田', door: 'admin' } as const
    const { client } = await registry.create(
      {
        client_id: 'disabled',
        client_name: '止められたアプリ',
        redirect_uris: [idp.redirectUri],
        policy,
      },
      actor,
    )
    await registry.disable(client.id, {}, actor)
  })
  afterAll(async () => {
    await idp.close()
    jest.useRealTimers()
  })

  const answerOf = async (response: Response): Promise<Answer> => ({
    status: response.status,
    location: response.headers.get('location'),
    type: response.headers.get('content-type') ?? '',
    text: await response.text(),
    headers: response.headers,
  })
  const send = async (path: string, init: RequestInit = {}): Promise<Answer> =>
    answerOf(await fetch(`${idp.issuer}${path}`, { redirect: 'manual', ...init }))

  const request = (over: Readonly<Record<string, string>> = {}): Record<string, string> => ({
    client_id: 'app',
    redirect_uri: idp.redirectUri,
    response_type: 'code',
    scope: 'openid',
    state: 'st',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...over,
  })
  const authorize = (parameters: string | Readonly<Record<string, string>>): Promise<Answer> =>
    send(`/auth?${typeof parameters === 'string' ? parameters : new URLSearchParams(parameters)}`)
  const encoded = (over: Readonly<Record<string, string>> = {}): string =>
    new URLSearchParams(request(over)).toString()

  const basic = (id = 'app', secret = SECRET) => ({
    authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`,
  })
  const post = (path: string, body: string, headers: Record<string, string> = {}) =>
    send(path, { method: 'POST', headers: { 'content-type': FORM, ...headers }, body })

  /** On our own page, with the code, and with no way to where nobody has proven to be. */
  const isOurPage = (answer: Answer, code: RegExp, status = 400): void => {
    expect(answer.location).toBeNull()
    expect(answer.status).toBe(status)
    expect(answer.text).toContain(PAGE.clientError)
    expect(answer.text).toMatch(code)
    expect(answer.text).toMatch(/[0-9A-Z]{4}-[0-9A-Z]{4}/u)
    expect(answer.text).not.toContain('evil')
  }
  /** Back at the application, at the address it is registered with. */
  const isSentBack = (answer: Answer, error: string): void => {
    expect([302, 303]).toContain(answer.status)
    const to = new URL(answer.location ?? '')
    expect(`${to.origin}${to.pathname}`).toBe(idp.redirectUri)
    expect(to.searchParams.get('error')).toBe(error)
    expect(to.searchParams.get('code')).toBeNull()
    expect(to.searchParams.get('iss')).toBe(idp.issuer)
  }
  const isJsonError = (answer: Answer, error: string, status: number): void => {
    expect([answer.status, JSON.parse(answer.text).error]).toEqual([status, error])
  }

  test('a redirect URI that is another is never gone to', async () => {
    const uris = lookalikes(idp.redirectUri)
    expect(uris.length).toBeGreaterThan(200)
    for (const redirectUri of uris) {
      const answer = await authorize(request({ redirect_uri: redirectUri }))
      expect([redirectUri, answer.status, answer.location]).toEqual([redirectUri, 400, null])
      expect(answer.text).toMatch(/invalid_redirect_uri|invalid_request/u)
      expect(answer.text).not.toMatch(/href="[^"]*evil/u)
    }
  })

  describe('an authorization request', () => {
    test.each<[string, Readonly<Record<string, string>>]>([
      ['of an unknown client', { client_id: 'nobody' }],
      ['of a client that was disabled', { client_id: 'disabled' }],
      ['with a client_id of 5,000 characters', { client_id: LONG }],
      ['with markup as client_id', { client_id: '"><script>alert(1)</script>' }],
      ['with a path as client_id', { client_id: '../../health-portal' }],
      ['with a line break in client_id', { client_id: 'app\r\nX: y' }],
      [
        'of a disabled client to elsewhere',
        { client_id: 'disabled', redirect_uri: 'http://evil.example' },
      ],
    ])('%s ends on our page', async (_what, over) => {
      isOurPage(await authorize(request(over)), /invalid_client/u)
    })

    test.each([
      ['nothing', ''],
      ['no client_id', 'response_type=code&redirect_uri=http://evil.example'],
      ['an empty client_id', 'client_id=&redirect_uri=http://evil.example'],
      ['client_id twice', 'client_id=app&client_id=keyed&redirect_uri=http://evil.example'],
      ['client_id as a list', 'client_id[]=app&redirect_uri=http://evil.example'],
      ['no redirect_uri', 'client_id=app&response_type=code&scope=openid'],
      ['an empty redirect_uri', 'client_id=app&response_type=code&scope=openid&redirect_uri='],
      ['broken escapes', 'client_id=%E0%A4%A&redirect_uri=%'],
      ['names of objects', '__proto__[x]=1&constructor=1&toString=1'],
    ])('with %s ends on our page', async (_what, query) => {
      isOurPage(await authorize(query), /invalid_(request|client)/u)
    })

    test('with redirect_uri twice ends on our page, whichever of the two is ours', async () => {
      for (const order of [
        [idp.redirectUri, 'http://evil.example/'],
        ['http://evil.example/', idp.redirectUri],
      ]) {
        const query = new URLSearchParams(request())
        query.delete('redirect_uri')
        for (const uri of order) query.append('redirect_uri', uri)
        isOurPage(await authorize(query.toString()), /invalid_request/u)
      }
    })

    test.each([
      'response_type',
      'scope',
      'state',
      'nonce',
      'prompt',
      'code_challenge',
      'code_challenge_method',
      'max_age',
      'claims',
      'request',
      'request_uri',
      'ui_locales',
      'dpop_jkt',
      'response_mode',
    ])('with %s twice is invalid_request', async (name) => {
      isSentBack(await authorize(`${encoded()}&${name}=1&${name}=2`), 'invalid_request')
    })

    test.each<[string, string, Readonly<Record<string, string>>]>([
      ['a response_type that there is not', 'unsupported_response_type', { response_type: 'x' }],
      ['an empty response_type', 'invalid_request', { response_type: '' }],
      [
        'a response_mode that there is not',
        'unsupported_response_mode',
        { response_mode: 'smoke' },
      ],
      ['response_mode __proto__', 'unsupported_response_mode', { response_mode: '__proto__' }],
      ['a scope in quotes', 'invalid_scope', { scope: 'openid "email"' }],
      ['a scope with a control character', 'invalid_scope', { scope: 'openid \u0001' }],
      ['no S256', 'invalid_request', { code_challenge_method: 'S512' }],
      ['a short challenge', 'invalid_request', { code_challenge: 'x' }],
      ['a long challenge', 'invalid_request', { code_challenge: 'x'.repeat(200) }],
      ['a challenge with a space', 'invalid_request', { code_challenge: `${'x'.repeat(42)} ` }],
      ['max_age that is no number', 'invalid_request', { max_age: '1e3x' }],
      ['a negative max_age', 'invalid_request', { max_age: '-1' }],
      ['an endless max_age', 'invalid_request', { max_age: '9'.repeat(30) }],
      ['claims that are no JSON', 'invalid_request', { claims: '{' }],
      ['claims nested 1,000 deep', 'invalid_request', { claims: '['.repeat(1000) }],
      ['an id_token_hint that is none', 'invalid_request', { id_token_hint: 'x.y.z' }],
      [
        'a request_uri nobody registered',
        'request_uri_not_supported',
        { request_uri: 'https://evil.example/r' },
      ],
      [
        'a request_uri nobody pushed',
        'invalid_request_uri',
        { request_uri: 'urn:ietf:params:oauth:request_uri:x' },
      ],
      ['registration', 'registration_not_supported', { registration: '{}' }],
      ['a resource that is no URI', 'invalid_target', { resource: 'x' }],
    ])('with %s is %s', async (_what, error, over) => {
      isSentBack(await authorize(request(over)), error)
    })

    test.each(['state', 'nonce', 'login_hint', 'ui_locales', 'display', 'acr_values', 'extra'])(
      'with a %s of 5,000 characters is no fault of ours',
      async (name) => {
        const { status, location } = await authorize(request({ [name]: LONG }))
        expect([302, 303]).toContain(status)
        expect(location).toMatch(/^(\/interaction\/|http:\/\/localhost)/u)
      },
    )

    test('longer than any address is refused by the server, which lives on', async () => {
      const port = Number(new URL(idp.issuer).port)
      const first = await new Promise<string>((resolve, reject) => {
        const socket = connect(port, '127.0.0.1')
        socket.on('data', (chunk) => resolve(chunk.toString('latin1').split('\r\n')[0] ?? ''))
        socket.on('error', reject)
        socket.end(
          `GET /auth?state=${'x'.repeat(100_000)} HTTP/1.1\r\nHost: localhost:${port}\r\n\r\n`,
        )
      })
      expect(first).toContain(' 431 ')
      expect((await send('/jwks')).status).toBe(200)
    })

    test('hostile text comes back as text', async () => {
      const markup = '"><script>alert(1)</script>'
      for (const name of ['scope', 'state', 'response_type', 'ui_locales', 'response_mode']) {
        const parameters = { ...request({ [name]: markup }), redirect_uri: 'http://evil.example' }
        expect((await authorize(parameters)).text).not.toContain('<script>alert')
      }
      const back = await authorize(
        request({ response_mode: 'form_post', prompt: 'x', state: markup }),
      )
      expect(back.text).toContain(`action="${idp.redirectUri}"`)
      expect(back.text).not.toContain('<script>alert')
    })
  })

  describe('a body', () => {
    const ENDPOINTS = ['/token', '/token/introspection', '/token/revocation', '/request']

    test.each(ENDPOINTS)('%s takes no JSON, no text and no parts', async (path) => {
      for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
        const body = '{"client_id":"app","grant_type":"client_credentials"}'
        isJsonError(
          await post(path, body, { ...basic(), 'content-type': type }),
          'invalid_request',
          400,
        )
      }
    })

    test.each(ENDPOINTS)('%s takes no megabyte', async (path) => {
      isJsonError(await post(path, `token=${MEGABYTE}`, basic()), 'invalid_request', 400)
      expect((await send('/jwks')).status).toBe(200)
    })

    test.each(['/me', '/session/end', '/session/end/confirm', '/reg', '/device', '/backchannel'])(
      '%s answers one of a megabyte, and no fault of ours',
      async (path) => {
        const { status } = await post(path, `access_token=${MEGABYTE}`)
        expect(status).toBeGreaterThanOrEqual(400)
        expect(status).toBeLessThan(500)
      },
    )

    test.each([
      ['nothing', ''],
      ['broken escapes', '%E0%A4%A=grant_type&%=%'],
      ['names of objects', '__proto__[x]=1&constructor=1&grant_type[toString]=1'],
      ['3,000 parameters', Array.from({ length: 3000 }, (_, at) => `p${at}=1`).join('&')],
      ['a parameter twice', 'grant_type=client_credentials&grant_type=client_credentials'],
      ['no grant_type', 'code=x'],
    ])('of the token endpoint with %s is invalid_request', async (_what, body) => {
      isJsonError(await post('/token', body, basic()), 'invalid_request', 400)
    })

    test.each([
      ['password', 'unsupported_grant_type'],
      ['__proto__', 'unsupported_grant_type'],
      ['client_credentials', 'unauthorized_client'],
      ['refresh_token', 'unauthorized_client'],
    ])('with grant_type %s is %s', async (grant, error) => {
      isJsonError(await post('/token', `grant_type=${grant}`, basic()), error, 400)
    })

    test.each([
      ['made up', 'made-up'],
      ['of 5,000 characters', LONG],
      ['with a NUL', 'a%00b'],
    ])('with a code %s is invalid_grant', async (_what, code) => {
      const form = `grant_type=authorization_code&code=${code}&redirect_uri=${idp.redirectUri}&code_verifier=${'v'.repeat(43)}`
      isJsonError(await post('/token', form, basic()), 'invalid_grant', 400)
    })
  })

  describe('a client that proves itself', () => {
    const token = (
      headers: Record<string, string>,
      body = 'grant_type=authorization_code&code=x',
    ) => post('/token', body, headers)

    test.each<[string, string, string]>([
      ['an unknown one', 'nobody', SECRET],
      ['one that was disabled', 'disabled', SECRET],
      ['a wrong secret', 'app', 'wrong'],
      ['a secret of 5,000 characters', 'app', LONG],
      ['no such method', 'keyed', SECRET],
    ])('wrongly (%s) is 401 invalid_client', async (_what, id, secret) => {
      const answer = await token(basic(id, secret))
      isJsonError(answer, 'invalid_client', 401)
      expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /u)
    })

    test.each([
      'Basic',
      'Basic !!!',
      'Basic bm8tY29sb24=',
      `Basic ${Buffer.from('%E0%A4%A:x').toString('base64')}`,
      'Bearer x',
      `Basic ${'A'.repeat(6000)}`,
    ])('with %j is invalid_request', async (authorization) => {
      const { status, text } = await token({ authorization })
      expect([400, 401]).toContain(status)
      expect(JSON.parse(text).error).toMatch(/invalid_(request|client)/u)
    })

    test('in two ways at once is invalid_request', async () => {
      const both = `grant_type=authorization_code&code=x&client_id=app&client_secret=${SECRET}`
      isJsonError(await token(basic(), both), 'invalid_request', 400)
    })
  })

  describe('a JWT of a client', () => {
    type Made = Readonly<{ header?: Json; claims?: Json; key?: webcrypto.CryptoKey; alg?: string }>
    const signed = (claims: Json, { header = {}, key, alg = 'ES256' }: Made) =>
      new SignJWT({ ...claims })
        .setProtectedHeader({ alg, kid: 'app', ...header } as JWTHeaderParameters)
        .sign(key ?? keys.privateKey)
    const assertionOf = (made: Made = {}) => {
      const now = idp.clock.now()
      const claims = {
        iss: 'keyed',
        sub: 'keyed',
        aud: idp.issuer,
        jti: crypto.randomUUID(),
        iat: now,
        exp: now + 60,
      }
      return signed({ ...claims, ...made.claims }, made)
    }
    const objectOf = (made: Made = {}) => {
      const now = idp.clock.now()
      const claims = { ...request({ client_id: 'keyed' }), iss: 'keyed', aud: idp.issuer }
      return signed({ ...claims, iat: now, nbf: now, exp: now + 60, ...made.claims }, made)
    }
    const introspectBy = (assertion: string) =>
      post(
        '/token/introspection',
        new URLSearchParams({
          token: 'x',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
        }).toString(),
      )
    const authorizeBy = (object: string) =>
      authorize({ client_id: 'keyed', redirect_uri: idp.redirectUri, request: object })

    test('rightly made is taken', async () => {
      expect((await introspectBy(await assertionOf())).status).toBe(200)
      const { location } = await authorizeBy(await objectOf())
      expect(location).toMatch(/\/interaction\//u)
    })

    /** The same forgeries, as an assertion and as a request object. */
    const forgeries: readonly (readonly [string, () => Promise<Made>])[] = [
      ['by a stranger’s key', async () => ({ key: stranger.privateKey })],
      [
        'by a stranger’s key, which it brings along',
        async () => ({
          key: stranger.privateKey,
          header: { jwk: await exportJWK(stranger.publicKey) },
        }),
      ],
      [
        'by a stranger’s key, with the address of it',
        async () => ({ key: stranger.privateKey, header: { jku: `${idp.redirectUri}/jwks` } }),
      ],
      [
        'by a stranger’s key, with the address of a certificate',
        async () => ({ key: stranger.privateKey, header: { x5u: `${idp.redirectUri}/x5u` } }),
      ],
      [
        'on another curve',
        async () => ({ key: foreignCurve.privateKey, alg: 'ES384', header: { kid: 'foreign' } }),
      ],
      ['for another provider', async () => ({ claims: { aud: 'https://other.example' } })],
      ['as another client', async () => ({ claims: { iss: 'app', sub: 'app', client_id: 'app' } })],
      ['that has ended', async () => ({ claims: { exp: idp.clock.now() - 600 } })],
      ['that has not begun', async () => ({ claims: { nbf: idp.clock.now() + 600 } })],
      ['under a kid nobody has', async () => ({ header: { kid: 'x' }, key: stranger.privateKey })],
    ]

    test.each(forgeries)('%s proves nothing', async (_what, made) => {
      const answer = await introspectBy(await assertionOf(await made()))
      expect([answer.status, JSON.parse(answer.text).error]).toEqual(
        // Of whom it says it is, nobody with keys is known.
        [401, 'invalid_client'],
      )
      const asked = await authorizeBy(await objectOf(await made()))
      isSentBack(asked, 'invalid_request_object')
    })

    const raw: readonly (readonly [string, () => Promise<string> | string])[] = [
      ['with alg none', () => new UnsecuredJWT({ client_id: 'keyed', iss: 'keyed' }).encode()],
      [
        'with alg none and a signature',
        async () => {
          const [, payload, signature] = (await objectOf()).split('.')
          return `${base64url.encode('{"alg":"none"}')}.${payload}.${signature}`
        },
      ],
      [
        'with its public key as a secret',
        async () =>
          new SignJWT({ iss: 'keyed', sub: 'keyed', aud: idp.issuer, jti: 'x', exp: 9e9 })
            .setProtectedHeader({ alg: 'HS256', kid: 'app' })
            .sign(new TextEncoder().encode(JSON.stringify(await exportJWK(keys.publicKey)))),
      ],
      [
        'with a critical header nobody understands',
        async () =>
          new CompactSign(new TextEncoder().encode(JSON.stringify({ iss: 'keyed', sub: 'keyed' })))
            .setProtectedHeader({ alg: 'ES256', kid: 'app', crit: ['b64'], b64: true })
            .sign(keys.privateKey),
      ],
      ['that is none', () => 'x'],
      ['of dots', () => '..'],
      ['of five parts', () => 'a.b.c.d.e'],
      [
        'that holds no object',
        () => `${base64url.encode('{"alg":"ES256"}')}.${base64url.encode('[]')}.x`,
      ],
      ['that holds null', () => `${base64url.encode('null')}.${base64url.encode('null')}.x`],
    ]
    test.each(raw)('%s is refused', async (_what, made) => {
      const jwt = await made()
      const proven = await introspectBy(jwt)
      expect([400, 401]).toContain(proven.status)
      expect(JSON.parse(proven.text).error).toMatch(/invalid_(client|request)/u)
      isSentBack(await authorizeBy(jwt), 'invalid_request_object')
    })

    test('inside of another is refused', async () => {
      const inner = await objectOf()
      isSentBack(
        await authorizeBy(await objectOf({ claims: { request: inner } })),
        'invalid_request_object',
      )
      isSentBack(
        await authorizeBy(await objectOf({ claims: { request_uri: 'https://evil.example' } })),
        'invalid_request_object',
      )
    })

    test('with a redirect URI that is not registered ends on our page', async () => {
      const object = await objectOf({ claims: { redirect_uri: 'http://evil.example/' } })
      isOurPage(await authorizeBy(object), /invalid_redirect_uri/u)
    })

    describe('as a DPoP proof', () => {
      const proofOf = async (over: Made & Readonly<{ typ?: string }> = {}) => {
        const claims = {
          jti: crypto.randomUUID(),
          htm: 'POST',
          htu: `${idp.issuer}/request`,
          iat: idp.clock.now(),
        }
        const jwk = await exportJWK(stranger.publicKey)
        return signed(
          { ...claims, ...over.claims },
          {
            key: over.key ?? stranger.privateKey,
            header: { typ: over.typ ?? 'dpop+jwt', jwk, ...over.header },
            ...(over.alg !== undefined && { alg: over.alg }),
          },
        )
      }
      const push = (proof: string) => post('/request', encoded(), { ...basic(), dpop: proof })

      test('rightly made is taken once', async () => {
        const proof = await proofOf()
        expect((await push(proof)).status).toBe(201)
        const again = await push(proof)
        expect([400, 401]).toContain(again.status)
      })

      test('by a clock that is ahead is taken once too, for as long as it is good', async () => {
        const proof = await proofOf({ claims: { iat: idp.clock.now() + 299 } })
        expect((await push(proof)).status).toBe(201)
        const error = 'invalid_request'
        isJsonError(await push(proof), error, 400)
        await idp.clock.advance(400)
        isJsonError(await push(proof), error, 400)
      })

      const proofs: readonly (readonly [string, () => Promise<string> | string])[] = [
        ['that is none', () => 'x'],
        ['with alg none', () => new UnsecuredJWT({ htm: 'POST' }).encode()],
        ['for another method', () => proofOf({ claims: { htm: 'GET' } })],
        ['for another address', () => proofOf({ claims: { htu: `${idp.issuer}/token` } })],
        ['from an hour ago', () => proofOf({ claims: { iat: idp.clock.now() - 3600 } })],
        ['without jti', () => proofOf({ claims: { jti: undefined } })],
        ['of another type', () => proofOf({ typ: 'JWT' })],
        ['with a key that did not sign it', () => proofOf({ key: keys.privateKey })],
        [
          'with its private key',
          async () => proofOf({ header: { jwk: await exportJWK(stranger.privateKey) } }),
        ],
        [
          'on another curve',
          async () =>
            proofOf({
              key: foreignCurve.privateKey,
              alg: 'ES384',
              header: { jwk: await exportJWK(foreignCurve.publicKey) },
            }),
        ],
      ]
      test.each(proofs)('%s is invalid_dpop_proof', async (_what, made) => {
        const answer = await push(await made())
        expect([400, 401]).toContain(answer.status)
        expect(JSON.parse(answer.text).error).toBe('invalid_dpop_proof')
      })
    })
  })

  describe('a token', () => {
    test.each([
      ['none', undefined, 'invalid_token'],
      ['one made up', 'Bearer made-up', 'invalid_token'],
      ['one of 5,000 characters', `Bearer ${LONG}`, 'invalid_token'],
      ['a JWT with none', 'Bearer eyJhbGciOiJub25lIn0.e30.', 'invalid_token'],
      ['another scheme', 'Basic eDp4', 'invalid_request'],
      ['half of a header', 'Bearer', 'invalid_request'],
    ])('userinfo refuses %s', async (_what, authorization, error) => {
      const answer = await send(
        '/me',
        authorization === undefined ? {} : { headers: { authorization } },
      )
      expect([400, 401]).toContain(answer.status)
      expect(JSON.parse(answer.text).error).toBe(error)
    })

    test('in an address is refused', async () => {
      isJsonError(await send('/me?access_token=x'), 'invalid_request', 400)
    })

    test.each(['/token/introspection', '/token/revocation'])('%s needs one', async (path) => {
      isJsonError(await post(path, 'token_type_hint=access_token', basic()), 'invalid_request', 400)
      isJsonError(await post(path, 'token=a&token=b', basic()), 'invalid_request', 400)
    })
  })

  test('nothing of all this was a fault of ours', () => {
    const faults = idp.log.filter(({ level, status }) => level === 'error' || Number(status) >= 500)
    expect(faults).toEqual([])
  })
})
