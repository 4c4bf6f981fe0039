import { createHash } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import {
  createRemoteJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  exportJWK,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  UnsecuredJWT,
} from 'jose'
import * as client from 'openid-client'
import { findRefusal } from '../../provider/refusals/record.ts'
import type { Visitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { eventually } from '../support/redis.ts'
import type { Tokens } from '../support/rp.ts'
import { aJourneyOf, anOldHand, type Journey, PAGE, theDate } from './support.ts'

type Json = Readonly<Record<string, unknown>>
type Build = (
  config: client.Configuration,
  parameters: Record<string, string>,
) => URL | Promise<URL>

const SECRET = 'a-secret-of-this-app-for-these-tests-alone'
const EMAIL = 'urn:kenpo-id:acr:email'
const JWT_API = 'https://records.example.jp/'
const OPAQUE_API = 'https://claims.example.jp/'
const KANA = 'ja-Kana-JP'

const PROFILE = {
  name: '健保 花子',
  family_name: '健保',
  given_name: '花子',
  middle_name: 'M',
  nickname: 'はなちゃん',
  preferred_username: 'hanako',
  profile: 'https://hanako.example.jp/',
  picture: 'https://hanako.example.jp/face.png',
  website: 'https://blog.example.jp/',
  gender: 'female',
  zoneinfo: 'Asia/Tokyo',
  updated_at: 1_770_000_000,
  [`name#${KANA}`]: 'ケンポ ハナコ',
  [`family_name#${KANA}`]: 'ケンポ',
  [`given_name#${KANA}`]: 'ハナコ',
}
const PHONE = { phone_number: '+81312345678', phone_number_verified: true }
const ADDRESS = {
  formatted: '〒100-0001 東京都千代田区千代田1-1',
  postal_code: '100-0001',
  region: '東京都',
  locality: '千代田区',
  street_address: '千代田1-1',
  country: 'JP',
}

const errorOf = (page: Page): string | null => page.url.searchParams.get('error')

describe('The protocol, by a certified relying party', () => {
  let idp: Idp
  let visitor: Visitor
  let journey: Journey
  let keys: Awaited<ReturnType<typeof generateKeyPair>>
  let stranger: Awaited<ReturnType<typeof generateKeyPair>>
  /** The relying party's own server, with what it last put there. */
  let elsewhere: Server
  let objectAddress: string
  let requestObject = ''

  beforeAll(async () => {
    keys = await generateKeyPair('ES256', { extractable: true })
    stranger = await generateKeyPair('ES256', { extractable: true })
    const jwks = { keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'app', use: 'sig' }] }
    elsewhere = createServer((request, response) => {
      response.statusCode = request.url === '/object' ? 200 : 404
      response.end(requestObject)
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    const { port } = elsewhere.address() as AddressInfo // TCP, so no path
    objectAddress = `http://127.0.0.1:${port}/object`

    const app = (id: string, over: Json = {}): Json & { client_id: string } => ({
      client_id: id,
      client_name: id,
      client_secret: SECRET,
      ...over,
      policy: { society: 'sakura', requiredAcr: EMAIL, ...(over.policy as Json) },
    })
    const keyed = { client_secret: undefined, token_endpoint_auth_method: 'private_key_jwt', jwks }
    idp = await startIdp({
      clock: theDate(),
      env: { IDP_FEATURES: 'insured,request-uri,unsigned-request-uri' },
      clients: [
        app('basic'),
        app('other'),
        app('hmac', { token_endpoint_auth_method: 'client_secret_jwt' }),
        app('pushing', { ...keyed, require_pushed_authorization_requests: true }),
        app('signing', {
          ...keyed,
          require_signed_request_object: true,
          request_object_signing_alg: 'ES256',
          request_uris: [objectAddress],
        }),
        app('hidden', { request_uris: [`${objectAddress}/none`], scope: 'openid' }),
        app('trusting', { request_uris: [objectAddress] }),
        app('page', { client_secret: undefined, token_endpoint_auth_method: 'none' }),
        app('bound', { dpop_bound_access_tokens: true }),
        app('narrow', { scope: 'openid email profile', policy: { claims: ['nickname', 'email'] } }),
        app('insurer', { scope: 'openid insured', policy: { healthInsurance: true } }),
        app('signed', { userinfo_signed_response_alg: 'RS256' }),
        app('keeper', { grant_types: ['authorization_code', 'refresh_token'] }),
        app('caller', {
          grant_types: ['authorization_code', 'client_credentials'],
          policy: {
            resources: [
              { uri: JWT_API, scopes: ['records:read', 'records:write'] },
              { uri: OPAQUE_API, scopes: ['claims:read'], format: 'opaque' },
            ],
          },
        }),
        app('api', {
          redirect_uris: [],
          response_types: [],
          grant_types: ['client_credentials'],
          subject_type: 'public',
          policy: { introspects: [OPAQUE_API] },
        }),
      ],
    })
    const member = anOldHand(idp.clock.now(), {
      profile: { ...PROFILE, ...PHONE, address: ADDRESS },
    })
    journey = await aJourneyOf(idp, member)
    await journey.start()
    await journey.walkTo(PAGE.signedIn)
    visitor = journey.visitor
  })
  afterAll(async () => {
    await idp.close()
    elsewhere.close()
    jest.useRealTimers()
  })

  const configOf = (
    id: string,
    authentication: client.ClientAuth = client.ClientSecretBasic(SECRET),
    metadata: Partial<client.ClientMetadata> = {},
  ) =>
    client.discovery(new URL(idp.issuer), id, metadata, authentication, {
      execute: [client.allowInsecureRequests],
    })
  const byKey = () => client.PrivateKeyJwt({ key: keys.privateKey, kid: 'app' })

  /** A request in the member's session, made by `build`, and what it came to. */
  const ask = async (
    config: client.Configuration,
    { build = client.buildAuthorizationUrl, ...more }: Json & { build?: Build } = {},
  ) => {
    const pkceCodeVerifier = client.randomPKCECodeVerifier()
    const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
    const url = await build(config, {
      redirect_uri: idp.redirectUri,
      scope: 'openid',
      code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
      ...(more as Record<string, string>),
    })
    const page = await visitor.visit(url)
    const redeem = (
      options?: client.AuthorizationCodeGrantOptions,
      parameters?: Record<string, string>,
    ) =>
      client.authorizationCodeGrant(
        config,
        visitor.page.url,
        { pkceCodeVerifier, expectedState, expectedNonce },
        parameters,
        options,
      )
    return { url, page, redeem }
  }
  const tokensFor = async (
    config: client.Configuration,
    more: Parameters<typeof ask>[1] = {},
    parameters?: Record<string, string>,
  ): Promise<Tokens> => (await ask(config, more)).redeem(undefined, parameters)

  const userInfo = (config: client.Configuration, tokens: Tokens) =>
    client.fetchUserInfo(config, tokens.access_token, tokens.claims()?.sub ?? '')

  const post = (path: string, form: Record<string, string>, id = 'basic', secret = SECRET) =>
    fetch(`${idp.issuer}${path}`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
      body: new URLSearchParams(form),
    })

  describe('authentication of the client', () => {
    test.each<[string, string, () => client.ClientAuth]>([
      ['client_secret_basic', 'basic', () => client.ClientSecretBasic(SECRET)],
      ['client_secret_jwt', 'hmac', () => client.ClientSecretJwt(SECRET)],
      ['none', 'page', () => client.None()],
    ])('%s gives tokens', async (_method, id, authentication) => {
      const tokens = await tokensFor(await configOf(id, authentication()))
      expect(tokens.claims()?.aud).toBe(id)
    })

    test('an assertion is good once, and an end far away is refused', async () => {
      const assertion = (over: Json = {}) =>
        client.ClientSecretJwt(SECRET, {
          [client.modifyAssertion]: (_header, payload) => Object.assign(payload, over),
        })
      const introspect = async (over: Json) =>
        client.tokenIntrospection(await configOf('hmac', assertion(over)), 'nothing')
      expect(await introspect({ jti: 'the-very-same' })).toEqual({ active: false })
      await expect(introspect({ jti: 'the-very-same' })).rejects.toThrow()
      await expect(introspect({ exp: idp.clock.now() + 7200 })).rejects.toThrow()
    })
  })

  describe('pushed authorization requests', () => {
    test('are the only ones taken of a client registered so, by private_key_jwt', async () => {
      const config = await configOf('pushing', byKey())
      const { url, redeem } = await ask(config, { build: client.buildAuthorizationUrlWithPAR })
      expect([...url.searchParams.keys()].sort()).toEqual(['client_id', 'request_uri'])
      expect((await redeem()).claims()?.aud).toBe('pushing')
      expect(errorOf((await ask(config)).page)).toBe('invalid_request')
    })

    test('are used up with the code, and are no other client’s', async () => {
      const config = await configOf('basic')
      const { url } = await ask(config, { build: client.buildAuthorizationUrlWithPAR })
      expect((await visitor.visit(url)).text).toContain('invalid_request_uri')
      const pushed = await client.buildAuthorizationUrlWithPAR(config, {
        redirect_uri: idp.redirectUri,
        scope: 'openid',
        code_challenge: 'c'.repeat(43),
        code_challenge_method: 'S256',
      })
      pushed.searchParams.set('client_id', 'other')
      expect((await visitor.visit(pushed)).url.href).not.toContain('code=')
    })

    test('are for one sign-in, however long it takes, and begin none after a minute', async () => {
      const config = await configOf('basic')
      const pushed = await client.buildAuthorizationUrlWithPAR(config, {
        redirect_uri: idp.redirectUri,
        scope: 'openid',
        code_challenge: 'c'.repeat(43),
        code_challenge_method: 'S256',
      })
      const at = idp.clock.now()
      const [first, second] = [
        await aJourneyOf(idp, anOldHand(at)),
        await aJourneyOf(idp, anOldHand(at)),
      ]
      for (const one of [first, second]) await one.visitor.visit(pushed)
      await idp.clock.advance(61)
      await first.walkTo(PAGE.signedIn)
      await second.walkTo(PAGE.emailCode)
      const page = await second.answer()
      expect(errorOf(page)).toBe('invalid_request_uri')
      expect(page.url.searchParams.has('code')).toBe(false)
      expect((await visitor.visit(pushed)).text).toContain('invalid_request_uri')
    })
  })

  describe('request objects', () => {
    const byValue =
      (key = keys.privateKey): Build =>
      (config, parameters) =>
        client.buildAuthorizationUrlWithJAR(config, parameters, { key, kid: 'app' })
    const byReference: Build = async (config, parameters) => {
      const signed = await byValue()(config, parameters)
      requestObject = signed.searchParams.get('request') ?? ''
      signed.searchParams.delete('request')
      signed.searchParams.set('request_uri', objectAddress)
      return signed
    }

    test('signed by the client are taken, by value and at an address registered', async () => {
      const config = await configOf('signing', byKey())
      for (const build of [byValue(), byReference]) {
        const tokens = await tokensFor(config, { build, scope: 'openid email' })
        expect((await userInfo(config, tokens)).email).toBe(journey.member.email?.address)
      }
    })

    test('of others are refused, and so is a request without one', async () => {
      const config = await configOf('signing', byKey())
      for (const build of [byValue(stranger.privateKey), undefined]) {
        const { page } = await ask(config, build && { build })
        expect(page.url.href).not.toContain('code=')
        expect(page.text + page.url.search).toMatch(/invalid_request/u)
      }
    })

    test.each([
      ['a hash after it', '#sha256', 'code='],
      ['nothing there', '/../nothing', 'request_uri_not_supported'],
    ])('at an address with %s', async (_what, suffix, outcome) => {
      const config = await configOf('signing', byKey())
      const { page } = await ask(config, {
        build: async (...request) => {
          const url = await byReference(...request)
          url.searchParams.set('request_uri', `${objectAddress}${suffix}`)
          return url
        },
      })
      expect(page.url.href + page.text).toContain(outcome)
    })

    test('without a signature are taken only at an address, where that is switched on', async () => {
      const byAddress: Build = async (_config, parameters) => {
        requestObject = new UnsecuredJWT({ ...parameters, claims: { id_token: { name: null } } })
          .setIssuedAt()
          .encode()
        const { redirect_uri, scope } = parameters
        const query = { client_id: 'trusting', response_type: 'code', redirect_uri, scope }
        return new URL(
          `${idp.issuer}/auth?${new URLSearchParams({ ...query, request_uri: objectAddress } as Record<string, string>)}`,
        )
      }
      const config = await configOf('trusting')
      expect((await tokensFor(config, { build: byAddress })).claims()?.name).toBe(PROFILE.name)
      const { page: byValue } = await ask(config, { request: requestObject })
      expect(errorOf(byValue)).toBe('invalid_request_object')
      const { page: anothers } = await ask(config, { build: byAddress, client_id: 'other' })
      expect(anothers.text).toContain('invalid_request_uri')
      const signing = await configOf('signing', byKey())
      const { page: required } = await ask(signing, {
        build: async (...request) => {
          const url = await byReference(...request)
          requestObject = new UnsecuredJWT(request[1]).encode()
          return url
        },
      })
      expect(required.url.href).not.toContain('code=')
    })

    test('that cannot be fetched end on our page', async () => {
      const config = await configOf('signing', byKey())
      const { page } = await ask(config, {
        build: async (...request) => {
          const url = await byReference(...request)
          requestObject = '<html>'
          return url
        },
      })
      expect(page.status).toBe(400)
      expect(page.text).toContain('invalid_request_uri')
      expect(page.url.origin).toBe(idp.issuer)
    })

    test('that cannot be fetched are explained to the operator, and the page tells nothing of our network', async () => {
      const query = {
        client_id: 'hidden',
        response_type: 'code',
        request_uri: `${objectAddress}/none`,
      }
      const page = await visitor.visit(`${idp.issuer}/auth?${new URLSearchParams(query)}`)
      expect(page.text).toContain('the request object at request_uri cannot be read')
      expect(page.text).not.toContain('it answers 404')
      const reference = page.text.match(/[0-9A-Z]{4}-[0-9A-Z]{4}/u)?.[0] ?? ''
      const line = idp.log.find(
        ({ reqId, msg }) => reqId === reference && msg === 'authorization.error',
      )
      expect(line?.reason).toContain('it answers 404')
      const record = await findRefusal(idp.services, reference)
      expect(record).toMatchObject({
        description: expect.stringContaining('it answers 404'),
        findings: [{ rule: 'request_object.unreachable' }],
      })
    })

    test('are fetched so often in a minute for anybody, and then not for a while', async () => {
      const query = {
        client_id: 'hidden',
        response_type: 'code',
        request_uri: `${objectAddress}/none`,
      }
      const url = `${idp.issuer}/auth?${new URLSearchParams(query)}`
      await idp.clock.advance(61)
      const answers: Response[] = []
      for (let sent = 0; sent < 121; sent += 1) answers.push(await fetch(url))
      const last = answers.at(-1)
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(120)
      expect(last?.status).toBe(429)
      expect(Number(last?.headers.get('retry-after'))).toBeGreaterThan(0)
      const record = await findRefusal(idp.services, last?.headers.get('x-request-id') ?? '')
      expect(record?.findings).toMatchObject([{ rule: 'request_object.too_many' }])
      await idp.clock.advance(61)
      expect((await fetch(url)).status).toBe(400)
    })
  })

  describe('DPoP', () => {
    test('binds the tokens of whoever sends a proof to its key', async () => {
      const config = await configOf('page', client.None())
      const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
      const tokens = await (await ask(config)).redeem({ DPoP })
      expect(tokens.token_type).toBe('dpop')
      const sub = tokens.claims()?.sub ?? ''
      expect(await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP })).toMatchObject({
        sub,
      })
      await expect(userInfo(config, tokens)).rejects.toThrow()
      const another = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
      await expect(
        client.fetchUserInfo(config, tokens.access_token, sub, { DPoP: another }),
      ).rejects.toThrow()
    })

    test('takes a proof once, one made ahead of our clock too, for as long as it is good', async () => {
      const config = await configOf('page', client.None())
      const pair = await client.randomDPoPKeyPair('ES256')
      const DPoP = client.getDPoPHandle(config, pair)
      const { access_token: token } = await (await ask(config)).redeem({ DPoP })
      const url = `${idp.issuer}/me`
      const jwk = await exportJWK(pair.publicKey)
      const proofOf = (jti: string, ahead: number) =>
        new SignJWT({
          htm: 'GET',
          htu: url,
          jti,
          ath: createHash('sha256').update(token).digest('base64url'),
        })
          .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
          .setIssuedAt(idp.clock.now() + ahead)
          .sign(pair.privateKey)
      const use = async (proof: string) =>
        (await fetch(url, { headers: { authorization: `DPoP ${token}`, DPoP: proof } })).status
      const ahead = await proofOf('ahead', 290)
      expect([await use(ahead), await use(ahead)]).toEqual([200, 401])
      // The engine remembers it for five minutes, and takes it for almost ten.
      await idp.clock.advance(400)
      expect([await use(await proofOf('other', 0)), await use(ahead)]).toEqual([200, 401])
    })

    test('is asked of a client registered for it', async () => {
      const config = await configOf('bound')
      await expect((await ask(config)).redeem()).rejects.toThrow()
      const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
      expect((await (await ask(config)).redeem({ DPoP })).token_type).toBe('dpop')
    })

    test('binds the code where the request names a key', async () => {
      const config = await configOf('basic')
      const pair = await client.randomDPoPKeyPair()
      const DPoP = client.getDPoPHandle(config, pair)
      const dpopJkt = await DPoP.calculateThumbprint()
      const taken = await ask(config, { dpop_jkt: dpopJkt })
      await expect(taken.redeem()).rejects.toThrow()
      const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
      await expect(
        (await ask(config, { dpop_jkt: dpopJkt })).redeem({ DPoP: other }),
      ).rejects.toThrow()
      const rightly = await (await ask(config, { dpop_jkt: dpopJkt })).redeem({ DPoP })
      expect(rightly.token_type).toBe('dpop')
    })
  })

  describe('resources', () => {
    const scope = 'openid records:read records:delete claims:read'

    test('an API’s own JWT names it, its scopes and how the member signed in', async () => {
      const config = await configOf('caller')
      const tokens = await tokensFor(config, { resource: JWT_API, scope }, { resource: JWT_API })
      expect(tokens.scope).toBe('records:read')
      expect(tokens.expires_in).toBe(600)
      const jwks = createRemoteJWKSet(new URL(`${idp.issuer}/jwks`))
      const { payload } = await jwtVerify(tokens.access_token, jwks, {
        issuer: idp.issuer,
        audience: JWT_API,
        typ: 'at+jwt',
      })
      expect(payload).toMatchObject({ client_id: 'caller', acr: EMAIL, scope: 'records:read' })
      expect(payload.sub).toBe(tokens.claims()?.sub)
    })

    test('one that the client is not registered for is invalid_target', async () => {
      const config = await configOf('caller')
      for (const resource of ['https://elsewhere.example.jp/', `${JWT_API}#x`, 'records']) {
        expect(errorOf((await ask(config, { resource })).page)).toBe('invalid_target')
      }
      const { page } = await ask(await configOf('basic'), { resource: JWT_API })
      expect(errorOf(page)).toBe('invalid_target')
    })

    test('client credentials are for an API, and never for a member’s data', async () => {
      const config = await configOf('caller')
      const tokens = await client.clientCredentialsGrant(config, {
        resource: JWT_API,
        scope: 'records:write records:delete',
      })
      expect(decodeJwt(tokens.access_token)).toMatchObject({
        sub: 'caller',
        aud: JWT_API,
        scope: 'records:write',
      })
      const plain = await client.clientCredentialsGrant(config)
      await expect(
        client.fetchUserInfo(config, plain.access_token, client.skipSubjectCheck),
      ).rejects.toThrow()
      await expect(client.clientCredentialsGrant(await configOf('basic'))).rejects.toThrow()
    })
  })

  describe('introspection and revocation', () => {
    const opaque = async () =>
      tokensFor(
        await configOf('caller'),
        { resource: OPAQUE_API, scope: 'openid claims:read' },
        { resource: OPAQUE_API },
      )
    const told = async (id: string, token: string) =>
      client.tokenIntrospection(await configOf(id), token)

    test('the API learns what a token for it is worth, others nothing', async () => {
      const tokens = await opaque()
      expect(await told('api', tokens.access_token)).toMatchObject({
        active: true,
        client_id: 'caller',
        aud: OPAQUE_API,
        scope: 'claims:read',
        sub: tokens.claims()?.sub,
        acr: EMAIL,
      })
      expect(await told('caller', tokens.access_token)).toMatchObject({ active: true })
      expect(await told('other', tokens.access_token)).toEqual({ active: false })
      const own = await tokensFor(await configOf('basic'))
      expect(await told('api', own.access_token)).toEqual({ active: false })
    })

    test('a public client learns nothing, and who does not prove itself neither', async () => {
      const config = await configOf('page', client.None())
      const { access_token: token } = await tokensFor(config)
      expect(await client.tokenIntrospection(config, token)).toEqual({ active: false })
      const wrong = await post('/token/introspection', { token }, 'basic', 'wrong-secret')
      expect(wrong.status).toBe(401)
    })

    test('a token of a member who is blocked is worth nothing', async () => {
      const other = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await other.start()
      const tokens = await other.finish()
      const ask = () => client.tokenIntrospection(other.rp.config, tokens.access_token)
      expect((await ask()).active).toBe(true)
      await idp.services.members.save({
        ...(await idp.memberOf(other.member)),
        blocked: { reason: 'disabled', since: idp.clock.now() },
      })
      expect(await ask()).toEqual({ active: false })
    })

    test('a token of a client that was disabled since is worth nothing to its API', async () => {
      const { registry } = idp.services.clients
      const actor = { operator: '山田', door: 'admin' } as const
      const { client: made, secret = '' } = await registry.create(
        {
          client_name: 'short-lived',
          redirect_uris: [idp.redirectUri],
          policy: {
            society: 'sakura',
            resources: [{ uri: OPAQUE_API, scopes: ['claims:read'], format: 'opaque' }],
          },
        },
        actor,
      )
      const tokens = await tokensFor(
        await configOf(made.id, client.ClientSecretBasic(secret)),
        { resource: OPAQUE_API, scope: 'openid claims:read' },
        { resource: OPAQUE_API },
      )
      expect((await told('api', tokens.access_token)).active).toBe(true)
      await registry.disable(made.id, {}, actor)
      // The balancer takes turns: all instances have heard of it.
      await eventually('it is worth nothing anywhere', async () => {
        const asked = Array.from({ length: 4 }, () => told('api', tokens.access_token))
        return (await Promise.all(asked)).every(({ active }) => !active)
      })
      await registry.enable(made.id, actor)
      expect(await told('api', tokens.access_token)).toEqual({ active: false })
    })

    test('a token of a former society’s member opens nothing at the client’s next society', async () => {
      const { registry } = idp.services.clients
      const actor = { operator: '山田', door: 'admin' } as const
      const { client: made, secret = '' } = await registry.create(
        {
          client_name: 'handed-over',
          redirect_uris: [idp.redirectUri],
          policy: { society: 'sakura' },
        },
        actor,
      )
      const config = await configOf(made.id, client.ClientSecretBasic(secret))
      const tokens = await tokensFor(config)
      expect((await userInfo(config, tokens)).sub).toBe(tokens.claims()?.sub)
      await registry.update(made.id, { policy: { society: 'minato' } }, actor)
      await eventually('it opens nothing anywhere', async () => {
        const asked = Array.from({ length: 4 }, () =>
          userInfo(config, tokens).then(
            () => true,
            () => false,
          ),
        )
        return (await Promise.all(asked)).every((opened) => !opened)
      })
    })

    test('an ID token from before its client’s algorithm was changed is a hint still', async () => {
      const { registry } = idp.services.clients
      const actor = { operator: '山田', door: 'admin' } as const
      const { client: made, secret = '' } = await registry.create(
        {
          client_name: 'moved-on',
          redirect_uris: [idp.redirectUri],
          id_token_signed_response_alg: 'RS256',
          policy: { society: 'sakura' },
        },
        actor,
      )
      const proof = client.ClientSecretBasic(secret)
      const before = await configOf(made.id, proof)
      const { id_token: hint = '' } = await tokensFor(before)
      await registry.update(made.id, { id_token_signed_response_alg: 'ES256' }, actor)
      const { host } = new URL(idp.issuer)
      await eventually('ID tokens are signed by ES256', async () => {
        const after = await configOf(made.id, proof, {
          id_token_signed_response_alg: 'ES256',
        })
        const tokens = await tokensFor(after).catch(() => undefined)
        return decodeProtectedHeader(tokens?.id_token ?? hint).alg === 'ES256'
      })
      const end = (token: string) =>
        visitor.visit(`${idp.issuer}/session/end?id_token_hint=${token}`)
      expect((await end(hint)).heading).toBe('ログアウトしますか')
      const { page } = await ask(before, { prompt: 'none', id_token_hint: hint })
      expect(errorOf(page)).toBeNull()
      expect(page.url.host).not.toBe(host)
      const forged = `${hint.slice(0, -8)}${hint.slice(-8, -4) === 'AAAA' ? 'BBBB' : 'AAAA'}${hint.slice(-4)}`
      expect((await end(forged)).status).toBe(400)
    })

    test('a revoked token is dead; another client’s stays alive', async () => {
      const config = await configOf('basic')
      const tokens = await tokensFor(config)
      await client.tokenRevocation(await configOf('other'), tokens.access_token)
      expect((await userInfo(config, tokens)).sub).toBe(tokens.claims()?.sub)
      await client.tokenRevocation(config, tokens.access_token)
      await expect(userInfo(config, tokens)).rejects.toThrow()
      expect((await post('/token/revocation', { token: 'never-heard-of' })).status).toBe(200)
    })
  })

  describe('refresh tokens', () => {
    const kept = async () => {
      const config = await configOf('keeper')
      const { redeem } = await ask(config, { scope: 'openid offline_access', prompt: 'consent' })
      await visitor.submit('consent')
      const tokens = await redeem()
      return { config, tokens, first: tokens.refresh_token ?? '' }
    }

    test('each is good for one more, with no wider scope, for its own client', async () => {
      const { config, tokens, first } = await kept()
      const other = await configOf('other')
      await expect(client.refreshTokenGrant(other, first)).rejects.toThrow()
      await expect(
        client.refreshTokenGrant(config, first, { scope: 'openid email' }),
      ).rejects.toMatchObject({ error: 'invalid_scope' })
      const next = await client.refreshTokenGrant(config, first)
      expect(next.refresh_token).toBeDefined()
      expect(next.refresh_token).not.toBe(first)
      for (const claim of ['sub', 'iss', 'aud', 'auth_time', 'acr'] as const) {
        expect(next.claims()?.[claim]).toEqual(tokens.claims()?.[claim])
      }
    })

    test('one used twice takes the whole family with it', async () => {
      const { config, tokens, first } = await kept()
      const next = await client.refreshTokenGrant(config, first)
      await expect(client.refreshTokenGrant(config, first)).rejects.toMatchObject({
        error: 'invalid_grant',
      })
      await expect(
        client.refreshTokenGrant(config, next.refresh_token ?? ''),
      ).rejects.toMatchObject({ error: 'invalid_grant' })
      await expect(userInfo(config, tokens)).rejects.toThrow()
    })

    test('revoked, it ends its access tokens too', async () => {
      const { config, tokens, first } = await kept()
      await client.tokenRevocation(config, first)
      await expect(client.refreshTokenGrant(config, first)).rejects.toThrow()
      await expect(userInfo(config, tokens)).rejects.toThrow()
    })

    test('none is given for a request that does not ask for it', async () => {
      expect((await tokensFor(await configOf('keeper'))).refresh_token).toBeUndefined()
    })
  })

  describe('claims', () => {
    test('every scope gives what is known of the member, and nothing else', async () => {
      const config = await configOf('basic')
      const told = async (scope: string) => userInfo(config, await tokensFor(config, { scope }))
      const protocol = ['acr', 'amr', 'sub']
      expect(Object.keys(await told('openid')).sort()).toEqual(protocol)
      const profile = await told('openid profile')
      expect(profile).toMatchObject({ ...PROFILE, birthdate: '1985-04-01', locale: 'ja' })
      expect(profile).not.toHaveProperty('email')
      const all = await told('openid email address phone')
      expect(all).toMatchObject({ ...PHONE, address: ADDRESS, email_verified: true })
      expect(all).not.toHaveProperty('name')
    })

    test('what is not known of a member is not told', async () => {
      const other = await aJourneyOf(idp, anOldHand(idp.clock.now()))
      await other.start({ scope: 'openid profile address phone' })
      const told = await other.rp.userInfo(await other.finish())
      expect(Object.keys(told).sort()).toEqual(['acr', 'amr', 'birthdate', 'locale', 'sub'])
    })

    test('symbol and number go to health-insurance business only', async () => {
      const insurer = await configOf('insurer')
      const tokens = await tokensFor(insurer, { scope: 'openid insured' })
      expect(await userInfo(insurer, tokens)).toMatchObject({
        insured_symbol: journey.member.insured?.symbol,
        insured_number: journey.member.insured?.number,
      })
      for (const id of ['basic', 'narrow']) {
        const { page } = await ask(await configOf(id), { scope: 'openid insured' })
        expect(errorOf(page)).toBe('invalid_scope')
      }
    })

    test('the claims parameter names single claims, in the ID token too', async () => {
      const config = await configOf('basic')
      const claims = JSON.stringify({
        id_token: { family_name: { essential: true }, phone_number: null },
        userinfo: { name: null },
      })
      const tokens = await tokensFor(config, { claims })
      expect(tokens.claims()).toMatchObject({
        family_name: '健保',
        ...{ phone_number: '+81312345678' },
      })
      const told = await userInfo(config, tokens)
      expect(told.name).toBe(PROFILE.name)
      expect(told).not.toHaveProperty('family_name')
    })

    test('no claims parameter opens what the client’s scopes and policy do not', async () => {
      const wishes = Object.fromEntries(
        ['insured_number', 'insured_symbol', 'phone_number', 'name', 'nickname', 'email'].map(
          (claim) => [claim, { essential: true }],
        ),
      )
      const claims = JSON.stringify({ id_token: wishes, userinfo: wishes })
      const config = await configOf('narrow')
      const tokens = await tokensFor(config, { claims, scope: 'openid profile' })
      const outcome = { nickname: PROFILE.nickname, email: journey.member.email?.address }
      for (const told of [tokens.claims() ?? {}, await userInfo(config, tokens)]) {
        expect(told).toMatchObject(outcome)
        for (const claim of ['insured_number', 'insured_symbol', 'phone_number', 'name']) {
          expect(told).not.toHaveProperty(claim)
        }
      }
      const basic = await configOf('basic')
      const number = await tokensFor(basic, { claims })
      expect(number.claims()).not.toHaveProperty('insured_number')
      expect(number.claims()?.phone_number).toBe(PHONE.phone_number)
    })

    test.each([
      'x',
      '[]',
      '{}',
      '{"userinfo":[]}',
      '{"userinfo":{"name":true}}',
      '{"id_token":{"name":"x"}}',
      '{"id_token":{"name":[]}}',
    ])('a claims parameter %s is invalid_request', async (claims) => {
      const { page } = await ask(await configOf('basic'), { claims })
      expect(errorOf(page)).toBe('invalid_request')
    })

    test('userinfo is signed where the client is registered for it', async () => {
      const config = await configOf('signed', undefined, { userinfo_signed_response_alg: 'RS256' })
      const tokens = await tokensFor(config, { scope: 'openid email' })
      const response = await fetch(`${idp.issuer}/me`, {
        headers: { authorization: `Bearer ${tokens.access_token}` },
      })
      expect(response.headers.get('content-type')).toContain('application/jwt')
      const jwks = createRemoteJWKSet(new URL(`${idp.issuer}/jwks`))
      const { payload } = await jwtVerify(await response.text(), jwks, {
        issuer: idp.issuer,
        audience: 'signed',
      })
      expect(payload.email).toBe(journey.member.email?.address)
      expect((await userInfo(config, tokens)).sub).toBe(payload.sub)
    })
  })

  describe('answers of the authorization endpoint', () => {
    test('form_post comes as a page of ours, whose form holds the answer and the issuer', async () => {
      const { page } = await ask(await configOf('basic'), { response_mode: 'form_post' })
      expect(page.status).toBe(200)
      expect(page.heading).toBe('次の画面へ進みます')
      const form = page.root.querySelector('form')
      expect(form?.getAttribute('action')).toBe(idp.redirectUri)
      const field = (name: string) =>
        form?.querySelector(`input[name="${name}"]`)?.getAttribute('value')
      expect(field('iss')).toBe(idp.issuer)
      expect(field('code')).toBeTruthy()
      expect(page.url.search).not.toContain('code=')
      expect(form?.querySelector('button')?.text).toBe('次へ進む')
      expect(page.headers['content-security-policy']).not.toContain('sha256-')
    })

    test('form_post in the language asked for, errors with the status of one', async () => {
      const config = await configOf('basic')
      const { page } = await ask(config, {
        response_mode: 'form_post',
        prompt: 'nonsense',
        ui_locales: 'en',
      })
      expect(page.status).toBe(400)
      expect(page.heading).toBe('Going on to the next page')
      expect(page.root.querySelector('input[name="error"]')?.getAttribute('value')).toBe(
        'invalid_request',
      )
    })

    test('name the issuer, errors too', async () => {
      const config = await configOf('basic')
      for (const prompt of ['none', 'nonsense']) {
        const { page } = await ask(config, { prompt })
        expect(page.url.searchParams.get('iss')).toBe(idp.issuer)
      }
    })
  })

  describe('an authorization request by POST', () => {
    const posted = (form: Record<string, string> | string, type?: string) =>
      fetch(`${idp.issuer}/auth`, {
        method: 'POST',
        redirect: 'manual',
        body: typeof form === 'string' ? form : new URLSearchParams(form),
        ...(type !== undefined && { headers: { 'content-type': type } }),
      })

    test('is sent on as one by GET, in the member’s session', async () => {
      const config = await configOf('basic')
      const { redeem } = await ask(config, {
        build: async (...request) => {
          const url = client.buildAuthorizationUrl(...request)
          const answer = await posted(Object.fromEntries(url.searchParams))
          expect(answer.status).toBe(303)
          const location = new URL(answer.headers.get('location') ?? '', idp.issuer)
          expect(Object.fromEntries(location.searchParams)).toEqual(
            Object.fromEntries(url.searchParams),
          )
          return location
        },
      })
      expect((await redeem()).claims()?.aud).toBe('basic')
    })

    test('takes no secret into an address, and keeps what is there twice for the check of it', async () => {
      const answer = await posted(
        'client_id=a&client_id=b&client_secret=canary&access_token=canary',
        'application/x-www-form-urlencoded',
      )
      expect(answer.headers.get('location')).toBe('/auth?client_id=a&client_id=b')
    })

    test.each([
      [400, '{"client_id":"basic"}', 'application/json'],
      [400, 'client_id=basic', 'text/plain'],
      [413, `state=${'x'.repeat(9000)}`, 'application/x-www-form-urlencoded'],
      [413, `state=${'x'.repeat(1_000_000)}`, 'application/x-www-form-urlencoded'],
      // Three times as long in an address.
      [413, `claims=${'{'.repeat(6000)}`, 'application/x-www-form-urlencoded'],
    ])('is refused with %i where it is none', async (status, body, type) => {
      const answer = await posted(body, type)
      expect(answer.status).toBe(status)
      expect(await answer.text()).toContain('invalid_request')
    })
  })

  test('a request to sign out by POST is sent on as one by GET', async () => {
    const { id_token = '' } = await tokensFor(await configOf('basic'))
    const form = { id_token_hint: id_token, state: 'st', client_secret: 'canary' }
    const path = '/session/end'
    const answer = await fetch(idp.issuer + path, {
      method: 'POST',
      redirect: 'manual',
      body: new URLSearchParams(form),
    })
    expect(answer.status).toBe(303)
    const to = new URL(answer.headers.get('location') ?? '', idp.issuer)
    expect([to.pathname, Object.fromEntries(to.searchParams)]).toEqual([
      path,
      { id_token_hint: id_token, state: 'st' },
    ])
    expect((await visitor.visit(to)).heading).toBe('ログアウトしますか')

    const long = await fetch(idp.issuer + path, {
      method: 'POST',
      body: new URLSearchParams({ state: 'x'.repeat(9000) }),
    })
    expect(long.status).toBe(413)
    expect(idp.log).toContainEqual(
      expect.objectContaining({ msg: 'end_session.error', rule: 'body.unreadable' }),
    )
  })

  test('discovery tells all of it', async () => {
    const response = await fetch(`${idp.issuer}/.well-known/openid-configuration`)
    const asymmetric = ['RS256', 'PS256', 'ES256', 'EdDSA']
    expect(await response.json()).toMatchObject({
      pushed_authorization_request_endpoint: `${idp.issuer}/request`,
      introspection_endpoint: `${idp.issuer}/token/introspection`,
      revocation_endpoint: `${idp.issuer}/token/revocation`,
      request_parameter_supported: true,
      request_uri_parameter_supported: true,
      require_request_uri_registration: true,
      request_object_signing_alg_values_supported: asymmetric,
      dpop_signing_alg_values_supported: asymmetric,
      token_endpoint_auth_signing_alg_values_supported: ['HS256', 'HS384', 'HS512', ...asymmetric],
      claims_parameter_supported: true,
      backchannel_logout_supported: true,
      response_modes_supported: ['form_post', 'fragment', 'query'],
      scopes_supported: [
        'openid',
        'offline_access',
        'profile',
        'email',
        'address',
        'phone',
        'insured',
      ],
      grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    })
  })
})
