import { createHash, generateKeyPairSync } from 'node:crypto'
import type { Server } from 'node:http'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import Provider from 'oidc-provider'
import request from 'supertest'
import { createArtifactAdapter } from '../../../adapters/redis/artifacts.ts'
import { createRedis, type RedisConnection } from '../../../adapters/redis/connect.ts'
import { systemClock } from '../../../adapters/system.ts'
import { connected, keysIn, startRedis, startRedisCluster } from '../../support/redis.ts'

const VERIFIER = 'a-verifier-of-forty-three-characters-or-more-0'
const REDIRECT_URI = 'https://rp.example/cb'

const signingKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  format: 'jwk',
})

const SET_UPS = [
  [
    'a Redis server',
    async () => {
      const { url, stop } = await startRedis()
      return { options: { url }, stop }
    },
  ],
  [
    'a Redis Cluster of three nodes',
    async () => {
      const { nodes, stop } = await startRedisCluster()
      return { options: { cluster: nodes.map(({ host, port }) => ({ host, port })) }, stop }
    },
  ],
] as const

/** The engine itself, on Redis: what the adapter's contract is for. */
describe.each(SET_UPS)('the engine on %s', (_, start) => {
  let connection: RedisConnection
  let provider: Provider
  let server: Server
  let stop: () => Promise<void>
  beforeAll(async () => {
    const setUp = await start()
    stop = setUp.stop
    connection = createRedis({ commandTimeoutMs: 5000, ...setUp.options })
    await connected(connection)
  })
  afterAll(async () => {
    await connection?.close()
    await stop?.()
  })
  beforeEach(() => {
    provider = new Provider('http://127.0.0.1', {
      adapter: createArtifactAdapter(connection.client, systemClock),
      clients: [
        {
          client_id: 'rp',
          client_secret: 'secret',
          redirect_uris: [REDIRECT_URI],
          id_token_signed_response_alg: 'ES256',
          grant_types: ['authorization_code', 'refresh_token'],
        },
      ],
      cookies: { keys: ['test'] },
      features: {
        devInteractions: { enabled: false },
        revocation: { enabled: true, allowedPolicy: () => true },
      },
      jwks: { keys: [{ ...signingKey, kty: 'EC' }] },
      ttl: { AccessToken: 60, AuthorizationCode: 60, Grant: 600, IdToken: 60, RefreshToken: 600 },
      findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
      issueRefreshToken: () => true,
      rotateRefreshToken: true,
    })
    server = provider.listen(0, '127.0.0.1')
  })
  afterEach(async () => {
    await new Promise((resolve) => server.close(resolve))
  })

  const issueCode = async () => {
    const client = await provider.Client.find('rp')
    if (!client) throw new Error('no client')
    const grant = new provider.Grant({ accountId: 'm1', clientId: 'rp' })
    grant.addOIDCScope('openid offline_access')
    const grantId = await grant.save()
    const code = await new provider.AuthorizationCode({
      accountId: 'm1',
      client,
      grantId,
      redirectUri: REDIRECT_URI,
      scope: 'openid offline_access',
      authTime: systemClock.now(),
      codeChallenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      codeChallengeMethod: 'S256',
      gty: 'authorization_code',
    } as ConstructorParameters<typeof provider.AuthorizationCode>[0]).save()
    return { code, grantId }
  }
  const post = (form: Record<string, string>, path = '/token') =>
    request(server).post(path).type('form').auth('rp', 'secret').send(form)
  const redeem = (code: string) =>
    post({
      grant_type: 'authorization_code',
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: VERIFIER,
    })
  const refresh = (refresh_token: string) => post({ grant_type: 'refresh_token', refresh_token })
  const isAlive = async (accessToken: string) =>
    (await request(server).get('/me').set('Authorization', `Bearer ${accessToken}`)).status === 200
  const fiveAtOnce = async (send: () => PromiseLike<request.Response>) => {
    const answers = await Promise.all([send(), send(), send(), send(), send()])
    const refused = answers.filter(({ status }) => status !== 200)
    for (const { body } of refused) expect(body).toMatchObject({ error: 'invalid_grant' })
    return answers.filter(({ status }) => status === 200)
  }

  test('of five parallel posts of one code one gets tokens, twenty times over', async () => {
    for (let round = 0; round < 20; round++) {
      const { code } = await issueCode()
      const tokens = await fiveAtOnce(() => redeem(code))
      expect(tokens).toHaveLength(1)
      // Once the code has been replayed nothing issued for it lives, whichever was stored last.
      expect((await redeem(code)).status).toBe(400)
      for (const { body } of tokens) {
        expect(await isAlive(body.access_token)).toBe(false)
        expect((await refresh(body.refresh_token)).body).toMatchObject({ error: 'invalid_grant' })
      }
    }
  })

  test('one post of a code gets tokens that work', async () => {
    const { code } = await issueCode()
    const { body } = await redeem(code)
    expect(await isAlive(body.access_token)).toBe(true)
    expect((await refresh(body.refresh_token)).status).toBe(200)
  })

  test('of five parallel uses of one refresh token one succeeds, twenty times over', async () => {
    for (let round = 0; round < 20; round++) {
      const { body } = await redeem((await issueCode()).code)
      const rotated = await fiveAtOnce(() => refresh(body.refresh_token))
      expect(rotated).toHaveLength(1)
      expect((await refresh(body.refresh_token)).status).toBe(400)
      for (const { body: next } of rotated) expect(await isAlive(next.access_token)).toBe(false)
    }
  })

  test('a relying party that revokes an access token can be given a new grant', async () => {
    const { code, grantId } = await issueCode()
    const { body } = await redeem(code)
    expect((await post({ token: body.access_token }, '/token/revocation')).status).toBe(200)
    expect(await isAlive(body.access_token)).toBe(false)
    // The engine would go on with the grant in the session; it must not find one that is dead.
    expect(await provider.Grant.find(grantId)).toBeUndefined()
    const { body: again } = await redeem((await issueCode()).code)
    expect(await isAlive(again.access_token)).toBe(true)
  })

  test('no token, code or key without an end is to be read in the store', async () => {
    const { code } = await issueCode()
    const { body } = await redeem(code)
    const sessionId = 'the-value-of-a-session-cookie'
    await provider.Session.adapter.upsert(sessionId, { jti: sessionId, uid: 'u' }, 600)
    const session = { accountId: 'm1', uid: 'u', cookie: sessionId }
    await provider.Interaction.adapter.upsert('i', { jti: 'i', session }, 600)
    const held = await keysIn(connection.client)
    expect(held.length).toBeGreaterThan(5)
    expect(held.filter(({ ttl }) => ttl === -1)).toEqual([])
    for (const { key } of held) {
      const text = `${key} ${await connection.client.get(key)}`
      for (const secret of [code, body.access_token, body.refresh_token, sessionId]) {
        expect(text).not.toContain(secret)
      }
    }
  })
})
