import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import * as client from 'openid-client'
import type { Actor } from '../../clients/registry.ts'
import { startCommand } from '../cli/command.ts'
import { aJourneyOf, anOldHand, PAGE, theDate } from '../flows/support.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { aRelyingParty, type RegisteredClient, type Tokens } from '../support/rp.ts'

type Json = Readonly<Record<string, unknown>>

const OPERATOR: Actor = { operator: '山田花子', door: 'admin' }
const UNKNOWN = 'ログインを始められませんでした'

let idp: Idp
beforeAll(async () => {
  const env = { IDP_REGISTRATION: 'on', IDP_FEATURES: 'request-uri' }
  // A second instance hears of a change within five seconds: registry.test.ts.
  idp = await startIdp({ clock: theDate(), env, instances: 1 })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

const registry = () => idp.services.clients.registry
const entry = (over: Json = {}): Json => ({
  client_name: '新しいアプリ',
  redirect_uris: [idp.redirectUri],
  policy: { society: 'sakura' },
  ...over,
})

/** A member's first sign-in at this client, by a certified relying party. */
const signIn = async (registered: RegisteredClient): Promise<Tokens> => {
  const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { client: registered })
  await journey.start()
  return journey.finish()
}
const asRegistered = ({ client_id: id, client_secret: secret }: Json): RegisteredClient => ({
  clientId: String(id),
  redirectUri: idp.redirectUri,
  ...(typeof secret === 'string' && { clientSecret: secret }),
})
const audClaim = (tokens: Tokens) => tokens.claims()?.aud

/** Registers one and returns it as its relying party knows it. */
const registered = async (
  over: Json = {},
): Promise<RegisteredClient & { clientSecret: string }> => {
  const { client: made, secret } = await registry().create(entry(over), OPERATOR)
  return { clientId: made.id, redirectUri: idp.redirectUri, clientSecret: secret ?? '' }
}

/** What the log says of the clients file from now on, after this many lines more. */
const fileLine = async (msg: string, more: () => void): Promise<Json> => {
  const before = idp.log.length
  more()
  for (let tries = 0; tries < 400; tries += 1) {
    const line = idp.log.slice(before).find((one) => one.msg === msg)
    if (line) return line
    await delay(50)
  }
  throw new Error(`no line ${msg} came within twenty seconds`)
}

describe('The clients file', () => {
  test('a client that is put into it signs members in without a restart', async () => {
    const secret = 'a-secret-of-the-late-comer-for-this-test'
    const late = entry({ client_id: 'late-comer', client_secret: secret })
    const list = JSON.parse(readFileSync(idp.clientsFile, 'utf8')) as Json[]
    await fileLine('clients_file_read', () =>
      writeFileSync(idp.clientsFile, JSON.stringify([...list, late])),
    )
    expect(audClaim(await signIn(asRegistered(late)))).toBe('late-comer')
  })

  test('a bad edit is refused whole: one line says why, and all goes on as before', async () => {
    const list = JSON.parse(readFileSync(idp.clientsFile, 'utf8')) as Json[]
    const good = entry({ client_id: 'too-early', client_secret: 'x'.repeat(40) })
    const bad = { ...good, client_id: 'bad', redirect_uris: ['http://evil.example/cb'] }
    const line = await fileLine('clients_file_refused', () =>
      writeFileSync(idp.clientsFile, JSON.stringify([...list.slice(1), good, bad])),
    )
    expect(line).toMatchObject({ level: 'error' })
    expect(line.problems).toEqual([
      expect.stringContaining('bad: "redirect_uris[0]" "http://evil.example/cb" is http'),
    ])
    const known = await registry().list()
    expect(known.map((one) => one.client.id)).toEqual(
      expect.arrayContaining(['health-portal', 'late-comer']),
    )
    expect(known.map((one) => one.client.id)).not.toContain('too-early')
    const gone = await fileLine('clients_file_refused', () => writeFileSync(idp.clientsFile, '['))
    expect(gone.problems).toEqual([expect.stringContaining('is not JSON')])
    await fileLine('clients_file_read', () => writeFileSync(idp.clientsFile, JSON.stringify(list)))
  })

  test('what stands in it is changed there only', async () => {
    await expect(registry().disable('health-portal', {}, OPERATOR)).rejects.toMatchObject({
      code: 'unknown_client',
      detail: expect.stringContaining('change it there'),
    })
    await expect(
      registry().create(entry({ client_id: 'health-portal' }), OPERATOR),
    ).rejects.toThrow('is another client’s')
  })
})

describe('The command', () => {
  test('registers a client beside the running server, and its first sign-in works', async () => {
    const env = { IDP_ISSUER: idp.issuer, IDP_CLIENTS_FILE: idp.clientsFile, ...idp.stores.env }
    const made = await startCommand(
      idp.dataDir,
      // Only what is text: the environment of a process has nothing else.
      env as Record<string, string>,
      ['client', 'create', '--name', 'コマンドのアプリ', '--society', 'sakura'].concat(
        ...['--redirect-uri', idp.redirectUri, '--format', 'json', '--operator', '山田花子'],
      ),
    ).ended
    expect(made).toMatchObject({ code: 0 })
    const told = JSON.parse(made.out) as Json
    expect(told).toMatchObject({ issuer: idp.issuer, client_name: 'コマンドのアプリ' })
    expect(audClaim(await signIn(asRegistered(told)))).toBe(told.client_id)
    const [event] = await idp.services.audit.eventsOf(`client:${told.client_id}`)
    expect(event).toMatchObject({
      act: 'clientCreated',
      operator: '山田花子',
      societyId: 'sakura',
      facts: { door: 'cli', name: 'コマンドのアプリ' },
    })
    const kept = JSON.stringify(await idp.stores.atRest())
    expect(kept).toContain(String(told.client_id))
    expect(kept).not.toContain(String(told.client_secret))
  })
})

describe('PKCE', () => {
  test('is required, but of a confidential client whose terms say otherwise', async () => {
    const older = await registered({ policy: { society: 'sakura', pkce: 'optional' } })
    const usual = await registered()
    const ask = async ({ clientId }: RegisteredClient): Promise<string> => {
      const query = new URLSearchParams({
        client_id: clientId,
        response_type: 'code',
        scope: 'openid',
        redirect_uri: idp.redirectUri,
      })
      const response = await fetch(`${idp.issuer}/auth?${query}`, { redirect: 'manual' })
      return response.headers.get('location') ?? ''
    }
    expect(await ask(older)).toContain('/interaction/')
    expect(await ask(usual)).toContain('error=invalid_request')
  })
})

describe('A secret that is changed', () => {
  const methods: readonly (readonly [string, (secret: string) => client.ClientAuth])[] = [
    ['client_secret_basic', client.ClientSecretBasic],
    ['client_secret_post', client.ClientSecretPost],
    ['client_secret_jwt', client.ClientSecretJwt],
  ]
  test.each(methods)('is taken beside the new one for a while, by %s', async (method, prove) => {
    const app = await registered({
      token_endpoint_auth_method: method,
      redirect_uris: [],
      grant_types: ['client_credentials'],
      response_types: [],
      subject_type: 'public',
    })
    const works = async (secret: string): Promise<boolean> => {
      const rp = await aRelyingParty(idp, { ...app, authentication: prove(secret) })
      return client.clientCredentialsGrant(rp.config).then(
        () => true,
        (error: unknown) => {
          expect(error).toMatchObject({ status: 401 })
          return false
        },
      )
    }
    const first = app.clientSecret
    expect([await works(first), await works('x'.repeat(43))]).toEqual([true, false])
    const options = { overlapSeconds: 3600 }
    const { secret: second = '' } = await registry().rotateSecret(app.clientId, options, OPERATOR)
    expect([await works(first), await works(second)]).toEqual([true, true])
    const { secret: third = '' } = await registry().rotateSecret(app.clientId, options, OPERATOR)
    expect([await works(first), await works(second), await works(third)]).toEqual([
      false,
      true,
      true,
    ])
    await idp.clock.advance(3601)
    expect([await works(second), await works(third)]).toEqual([false, true])
    const now = { overlapSeconds: 0 }
    const { secret: fourth = '' } = await registry().rotateSecret(app.clientId, now, OPERATOR)
    expect([await works(third), await works(fourth)]).toEqual([false, true])
  })
})

describe('A client that is disabled', () => {
  test('is refused with the reason, and its tokens are dead for good', async () => {
    const app = await registered({ grant_types: ['authorization_code', 'refresh_token'] })
    const rp = await aRelyingParty(idp, app)
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { client: app })
    await journey.start()
    const tokens = await journey.finish()
    await expect(rp.userInfo(tokens)).resolves.toMatchObject({ sub: tokens.claims()?.sub })

    await registry().disable(app.clientId, { reason: 'contract ended' }, OPERATOR)
    await expect(rp.userInfo(tokens)).rejects.toMatchObject({ status: 401 })
    const page = await journey.visitor.visit(await rp.authorizationUrl())
    expect(page.heading).toBe(UNKNOWN)
    expect(page.text).toContain('client is disabled')
    const refused = client.clientCredentialsGrant(rp.config)
    await expect(refused).rejects.toMatchObject({
      status: 401,
      cause: [
        {
          parameters: {
            error: 'invalid_client',
            error_description: expect.stringContaining('client is disabled'),
          },
        },
      ],
    })

    await registry().enable(app.clientId, OPERATOR)
    await expect(rp.userInfo(tokens)).rejects.toMatchObject({ status: 401 })
    await idp.clock.advance(2)
    const again = await signIn(app)
    await expect(rp.userInfo(again)).resolves.toMatchObject({ sub: again.claims()?.sub })
    const acts = await idp.services.audit.eventsOf(`client:${app.clientId}`)
    expect(acts.map(({ act }) => act)).toEqual(['clientCreated', 'clientDisabled', 'clientEnabled'])
  })

  test('while the member is on our pages, stops them there', async () => {
    const app = await registered()
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { client: app })
    await journey.start()
    await registry().disable(app.clientId, {}, OPERATOR)
    const page = await journey.answer()
    expect(page.heading).not.toBe(PAGE.emailCode)
    expect(page.status).toBe(400)
  })

  test('or deleted is nobody', async () => {
    const app = await registered()
    await registry().remove(app.clientId, OPERATOR)
    const rp = await aRelyingParty(idp, app)
    await expect(client.clientCredentialsGrant(rp.config)).rejects.toMatchObject({
      status: 401,
    })
    await expect(registry().find(app.clientId)).rejects.toMatchObject({ status: 404 })
  })
})

describe('Software that registers itself', () => {
  const call = async (
    path: string,
    token: string | undefined,
    init: Readonly<{ method?: string; body?: unknown }> = {},
  ): Promise<Readonly<{ status: number; body: Json }>> => {
    const response = await fetch(new URL(path, idp.issuer), {
      method: init.method ?? 'POST',
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(init.body !== undefined && { 'Content-Type': 'application/json' }),
      },
      ...(init.body !== undefined && { body: JSON.stringify(init.body) }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? {} : (JSON.parse(text) as Json) }
  }
  const host = () => new URL(idp.redirectUri).host
  const aToken = async (over: Json = {}): Promise<string> => {
    const made = await idp.services.clients.tokens.create(
      {
        policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' },
        hosts: [host()],
        ...over,
      },
      OPERATOR,
    )
    return made.token
  }
  const metadata = (over: Json = {}): Json => ({
    client_name: '登録したアプリ',
    redirect_uris: [idp.redirectUri],
    software_id: 'unknown to us',
    ...over,
  })

  test('gets a client with the token’s terms, and its first sign-in works', async () => {
    const token = await aToken()
    const policy = { society: 'minato', requiredAcr: 'urn:kenpo-id:acr:pwd', pkce: 'optional' }
    const { status, body } = await call('/reg', token, { body: metadata({ policy }) })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      client_name: '登録したアプリ',
      policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' },
      scope: 'openid',
      registration_client_uri: `${idp.issuer}/reg/${body.client_id}`,
    })
    expect(audClaim(await signIn(asRegistered(body)))).toBe(body.client_id)
    const [event] = await idp.services.audit.eventsOf(`client:${body.client_id}`)
    expect(event).toMatchObject({
      act: 'clientCreated',
      operator: `registration token ${token.slice(0, 12)}`,
    })
    const again = await call('/reg', token, { body: metadata() })
    expect([again.status, again.body.error]).toEqual([401, 'invalid_token'])
    const kept = JSON.stringify(await idp.stores.atRest())
    for (const secret of [token, body.client_secret, body.registration_access_token]) {
      expect(kept).not.toContain(String(secret))
    }
  })

  test('registers how requests and answers are signed, and reads it back', async () => {
    const signed = {
      jwks: {
        keys: [
          {
            kty: 'EC',
            crv: 'P-256',
            x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
            y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
          },
        ],
      },
      request_object_signing_alg: 'ES256',
      request_uris: ['https://app.example.jp/request#sha256'],
      userinfo_signed_response_alg: 'RS256',
      dpop_bound_access_tokens: true,
      require_pushed_authorization_requests: true,
    }
    const { status, body } = await call('/reg', await aToken(), { body: metadata(signed) })
    expect([status, body]).toMatchObject([201, signed])
    const path = `/reg/${body.client_id}`
    const read = await call(path, String(body.registration_access_token), { method: 'GET' })
    expect(read.body).toMatchObject(signed)
  })

  test('reads, changes and removes its client, by another token after each change', async () => {
    const { body } = await call('/reg', await aToken(), { body: metadata() })
    const path = `/reg/${body.client_id}`
    const first = String(body.registration_access_token)
    const read = await call(path, first, { method: 'GET' })
    expect(read.body).toMatchObject({ client_name: '登録したアプリ' })
    const change = metadata({ client_id: body.client_id, client_name: '新しい名前' })
    const put = await call(path, first, { method: 'PUT', body: change })
    expect([put.status, put.body.client_name]).toEqual([200, '新しい名前'])
    const second = String(put.body.registration_access_token)
    expect(second).not.toBe(first)
    expect((await call(path, first, { method: 'GET' })).status).toBe(401)

    const outside = { ...change, redirect_uris: ['https://elsewhere.example/cb'] }
    const refused = await call(path, second, { method: 'PUT', body: outside })
    expect([refused.status, refused.body.error]).toEqual([400, 'invalid_redirect_uri'])
    expect(audClaim(await signIn(asRegistered(body)))).toBe(body.client_id)

    expect((await call(path, second, { method: 'DELETE' })).status).toBe(204)
    expect((await call(path, second, { method: 'GET' })).status).toBe(401)
    await expect(registry().find(String(body.client_id))).rejects.toMatchObject({ status: 404 })
  })

  test.each<[Json, string, string]>([
    [{ redirect_uris: ['https://elsewhere.example/cb'] }, 'invalid_redirect_uri', 'at a host that'],
    [{ redirect_uris: ['http://evil.example/cb'] }, 'invalid_redirect_uri', 'is http'],
    [{ redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri', 'has the scheme'],
    [{ scope: 'openid email' }, 'invalid_client_metadata', 'does not allow'],
    [
      { grant_types: ['client_credentials', 'authorization_code'] },
      'invalid_client_metadata',
      'ask',
    ],
    [{ client_uri: 'https://phish.example/' }, 'invalid_client_metadata', 'at a host that'],
    [{ initiate_login_uri: 'https://phish.example/' }, 'invalid_client_metadata', 'at a host that'],
    [{ logo_uri: 'https://phish.example/' }, 'invalid_client_metadata', 'at a host that'],
    [{ policy_uri: 'https://phish.example/' }, 'invalid_client_metadata', 'at a host that'],
    [{ tos_uri: 'https://phish.example/' }, 'invalid_client_metadata', 'at a host that'],
    [{ subject_type: 'public' }, 'invalid_client_metadata', 'subject_type'],
    [{ jwks_uri: 'http://169.254.169.254/' }, 'invalid_client_metadata', 'is http'],
    [{ jwks: {}, jwks_uri: 'https://a.example/' }, 'invalid_client_metadata', 'jwks'],
    [{ id_token_signed_response_alg: 'none' }, 'invalid_client_metadata', 'none of'],
  ])('is refused %j, and the token stays good', async (change, error, words) => {
    const token = await aToken()
    const { status, body } = await call('/reg', token, { body: metadata(change) })
    expect([status, body.error]).toEqual([400, error])
    expect(String(body.error_description).toLowerCase()).toContain(words)
    expect((await call('/reg', token, { body: metadata() })).status).toBe(201)
  })

  test('needs a token that is known, live and not revoked', async () => {
    expect((await call('/reg', undefined, { body: metadata() })).status).toBe(401)
    expect((await call('/reg', 'x.y', { body: metadata() })).status).toBe(401)
    const revoked = await aToken()
    await idp.services.clients.tokens.revoke(revoked.slice(0, 12), OPERATOR)
    expect((await call('/reg', revoked, { body: metadata() })).status).toBe(401)
    const forged = `${(await aToken()).slice(0, 12)}.${'x'.repeat(43)}`
    expect((await call('/reg', forged, { body: metadata() })).status).toBe(401)
    const old = await aToken({ days: 1 })
    await idp.clock.advance(86_401)
    expect((await call('/reg', old, { body: metadata() })).status).toBe(401)
  })

  test('with a token that is revoked by two while it is used loses it all the same', async () => {
    const token = await aToken({ uses: 100 })
    const { tokens } = idp.services.clients
    const id = token.slice(0, 12)
    const uses = Array.from({ length: 5 }, () => tokens.spend(token))
    const revoked = await Promise.all([tokens.revoke(id, OPERATOR), tokens.revoke(id, OPERATOR)])
    expect(revoked.map((record) => record.revokedAt)).toEqual([idp.clock.now(), idp.clock.now()])
    await Promise.all(uses)
    expect(await tokens.spend(token)).toBe(false)
    const acts = await idp.services.audit.eventsOf(`registration:${id}`)
    expect(acts.filter(({ act }) => act === 'registrationTokenRevoked')).toHaveLength(1)
  })

  test('at once by ten with a token for three makes three', async () => {
    const token = await aToken({ uses: 3 })
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => call('/reg', token, { body: metadata() })),
    )
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(3)
  })
})
