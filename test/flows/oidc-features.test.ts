import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { systemRandom } from '../../adapters/system.ts'
import { DEFAULT_FEATURES, FEATURES } from '../../clients/features.ts'
import { createClients } from '../../clients/index.ts'
import { ClientRefusedError } from '../../clients/refusal.ts'
import { sourceText } from '../style/sources.ts'
import { type Idp, startIdp } from '../support/idp.ts'

type Json = Readonly<Record<string, unknown>>

const SECRET = 'a-secret-of-this-app-for-these-tests-alone'
const policy = { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' }

test('docs/clients.md lists every feature, in the order of the code', () => {
  const chapter =
    sourceText('docs/clients.md').split('## What is served')[1]?.split('\n## ')[0] ?? ''
  const rows = chapter.split('\n').filter((line) => line.startsWith('| `'))
  const named = rows.flatMap((row) => [...(row.split(' | ')[0] ?? '').matchAll(/`([\w-]+)`/gu)])
  expect(named.map(([, name]) => name)).toEqual(FEATURES)
  const off = rows
    .filter((row) => row.includes('**off**'))
    .map((row) => /`([\w-]+)`/u.exec(row)?.[1])
  expect(FEATURES.filter((name) => !DEFAULT_FEATURES.has(name))).toEqual(off)
})

describe('With everything switched off', () => {
  let idp: Idp
  beforeAll(async () => {
    idp = await startIdp({
      env: { IDP_FEATURES: FEATURES.map((name) => `-${name}`).join(',') },
      clients: [
        // The demo's own use what is off here.
        ...['health-portal', 'minato-portal'].map((id) => ({
          client_id: id,
          post_logout_redirect_uris: undefined,
          backchannel_logout_session_required: undefined,
        })),
        { client_id: 'app', client_name: 'アプリ', client_secret: SECRET, policy },
      ],
    })
  })
  afterAll(() => idp.close())

  const discovery = async (): Promise<Json> =>
    (await fetch(`${idp.issuer}/.well-known/openid-configuration`)).json() as Promise<Json>
  const ask = async (over: Readonly<Record<string, string>>): Promise<Response> => {
    const parameters = new URLSearchParams({
      client_id: 'app',
      redirect_uri: idp.redirectUri,
      response_type: 'code',
      scope: 'openid',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
      ...over,
    })
    return fetch(`${idp.issuer}/auth?${parameters}`, { redirect: 'manual' })
  }
  const authorize = async (over: Readonly<Record<string, string>>): Promise<URL> =>
    new URL((await ask(over)).headers.get('location') ?? '', idp.issuer)

  test.each([
    ['POST', '/auth'],
    ['POST', '/request'],
    ['POST', '/token/introspection'],
    ['POST', '/token/revocation'],
    ['GET', '/session/end'],
    ['POST', '/session/end'],
    ['POST', '/reg'],
  ])('%s %s is not there', async (method, path) => {
    const response = await fetch(`${idp.issuer}${path}`, { method })
    expect(response.status).toBe(404)
  })

  test('discovery names nothing of it', async () => {
    const found = await discovery()
    for (const name of [
      'pushed_authorization_request_endpoint',
      'introspection_endpoint',
      'revocation_endpoint',
      'end_session_endpoint',
      'registration_endpoint',
      'dpop_signing_alg_values_supported',
      'request_object_signing_alg_values_supported',
      'userinfo_signing_alg_values_supported',
      'backchannel_logout_supported',
    ]) {
      expect(found).not.toHaveProperty(name)
    }
    expect(found).toMatchObject({
      request_uri_parameter_supported: false,
      claims_parameter_supported: false,
      scopes_supported: ['openid', 'offline_access'],
      response_modes_supported: ['fragment', 'query'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
    })
    expect(found.request_parameter_supported ?? false).toBe(false)
    expect(JSON.stringify(found.claims_supported)).not.toMatch(/name|email|phone|insured/u)
  })

  test.each<[string, Readonly<Record<string, string>>]>([
    ['request_not_supported', { request: 'x' }],
    ['request_uri_not_supported', { request_uri: 'urn:ietf:params:oauth:request_uri:x' }],
  ])('what needs it is refused: %s', async (error, over) => {
    expect((await authorize(over)).searchParams.get('error')).toBe(error)
  })

  test('no code comes by form_post', async () => {
    const response = await ask({ response_mode: 'form_post' })
    expect(response.status).toBe(400)
    expect(await response.text()).toContain('name="error" value="invalid_request"')
  })

  test('a plain request goes on, and what nobody knows is passed over', async () => {
    const to = await authorize({ claims: '{"userinfo":{"email":null}}', scope: 'openid email' })
    expect(to.pathname).toMatch(/^\/interaction\//u)
  })

  describe('a client registered while it was on', () => {
    const publicKey = {
      kty: 'EC',
      crv: 'P-256',
      kid: 'app',
      // RFC 7517 appendix A.1
      x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
      y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
    }
    /** By a server with other settings, or before this one had its own. */
    const registered = async (over: Json): Promise<Readonly<{ id: string; secret: string }>> => {
      const { services } = idp
      const { registry } = createClients({
        own: [],
        file: () => new Map(),
        rules: { ...services.clients.rules, features: new Set(FEATURES) },
        encryptionKeys: services.settings.encryptionKeys,
        store: services.clientStore,
        tokens: services.registrationTokens,
        audit: services.audit,
        clock: services.clock,
        randomBytes: systemRandom,
        fetch: services.fetch,
      })
      const entry = {
        client_name: 'アプリ',
        redirect_uris: [idp.redirectUri],
        ...over,
        policy: { ...policy, ...(over.policy as Json) },
      }
      const { client, secret = '' } = await registry.create(entry, {
        operator: '山田',
        door: 'cli',
      })
      return { id: client.id, secret }
    }

    test.each<[string, string, Json]>([
      [
        'signed requests',
        'require_signed_request_object needs request-objects',
        { require_signed_request_object: true, jwks: { keys: [publicKey] } },
      ],
      [
        'pushed requests',
        'require_pushed_authorization_requests needs pushed-authorization',
        { require_pushed_authorization_requests: true },
      ],
      ['bound tokens', 'dpop_bound_access_tokens needs dpop', { dpop_bound_access_tokens: true }],
      ['no other scope', 'scope names only what is switched off', { scope: 'email' }],
    ])('for %s is refused, and not served with less', async (_what, reason, over) => {
      const { id, secret } = await registered(over)
      const page = await ask({ client_id: id })
      expect(page.status).toBe(400)
      expect(await page.text()).toContain(reason)
      const proven = await fetch(`${idp.issuer}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` },
        body: new URLSearchParams({ grant_type: 'authorization_code', code: 'x' }),
      })
      expect(proven.status).toBe(401)
      expect(await proven.json()).toMatchObject({
        error: 'invalid_client',
        error_description: expect.stringContaining(reason),
      })
    })
  })

  test('no client is promised it', async () => {
    const entry = {
      client_name: 'アプリ',
      redirect_uris: [idp.redirectUri],
      policy: { ...policy, resources: [{ uri: 'https://api.example.jp/', scopes: ['read'] }] },
      grant_types: ['authorization_code', 'client_credentials'],
      response_modes: ['form_post'],
      scope: 'openid email',
      dpop_bound_access_tokens: true,
      require_pushed_authorization_requests: true,
      userinfo_signed_response_alg: 'RS256',
      post_logout_redirect_uris: [idp.redirectUri],
      backchannel_logout_uri: `${idp.redirectUri}/logout`,
    }
    const refused = await idp.services.clients.registry
      .create(entry, { operator: '山田', door: 'cli' })
      .then(() => undefined)
      .catch((error: unknown) => error)
    const refusals = refused instanceof ClientRefusedError ? refused.refusals : []
    expect(refusals.map(({ parameter }) => parameter).sort()).toEqual([
      'backchannel_logout_uri',
      'dpop_bound_access_tokens',
      'grant_types',
      'policy.resources',
      'post_logout_redirect_uris',
      'require_pushed_authorization_requests',
      'response_modes',
      'scope',
      'userinfo_signed_response_alg',
    ])
    expect(refusals.map(({ fix }) => fix).join()).toContain('IDP_FEATURES')
  })
})
