import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { aJourneyOf, anOldHand } from '../flows/support.ts'
import { type Idp, startIdp } from '../support/idp.ts'

const policy = { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' }

describe('A page in the browser speaks with the provider (Fetch section 3.3)', () => {
  let idp: Idp
  /** Where the registered single-page app lives. */
  let home: string

  beforeAll(async () => {
    idp = await startIdp({
      clients: [
        {
          client_id: 'page',
          client_name: 'page',
          token_endpoint_auth_method: 'none',
          policy,
        },
        {
          client_id: 'app',
          client_name: 'app',
          token_endpoint_auth_method: 'none',
          application_type: 'native',
          policy,
        },
      ],
    })
    home = new URL(idp.redirectUri).origin
  })
  afterAll(() => idp.close())

  /** What the browser is told of a request from a page of this origin. */
  const asked = async (path: string, origin: string, init: RequestInit = {}) => {
    const response = await fetch(`${idp.issuer}${path}`, {
      ...init,
      headers: { ...init.headers, Origin: origin },
    })
    return {
      status: response.status,
      allowed: response.headers.get('access-control-allow-origin'),
      credentials: response.headers.get('access-control-allow-credentials'),
      headers: response.headers.get('access-control-allow-headers'),
      body: await response.text(),
    }
  }
  const redeemed = (clientId: string, origin: string, secret?: string) =>
    asked('/token', origin, {
      method: 'POST',
      ...(secret !== undefined && {
        headers: {
          Authorization: `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`,
        },
      }),
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: 'no-such-code',
        redirect_uri: idp.redirectUri,
        code_verifier: 'v'.repeat(43),
        ...(secret === undefined && { client_id: clientId }),
      }),
    })

  test.each(['/.well-known/openid-configuration', '/jwks'])(
    'any page may read %s, and no cookie goes with it',
    async (path) => {
      expect(await asked(path, 'https://anybody.example')).toMatchObject({
        status: 200,
        allowed: 'https://anybody.example',
        credentials: null,
      })
    },
  )

  test.each([
    ['/token', 'content-type'],
    ['/me', 'authorization'],
  ])('a browser that asks first whether it may call %s with %s hears yes', async (path, header) => {
    const preflight = await asked(path, home, {
      method: 'OPTIONS',
      headers: {
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': header,
      },
    })
    expect(preflight).toMatchObject({ status: 204, allowed: home, headers: header })
  })

  test('the token endpoint’s answer is for pages at a redirect URI of a public client', async () => {
    const own = await redeemed('page', home)
    expect(own).toMatchObject({ status: 400, allowed: home, credentials: null })
    expect(JSON.parse(own.body).error).toBe('invalid_grant')
  })

  test.each(['https://anybody.example', 'null', 'http://localhost'])(
    'and not for those of %s',
    async (origin) => {
      const answer = await redeemed('page', origin)
      expect(answer).toMatchObject({ status: 400, allowed: null })
      expect(JSON.parse(answer.body)).toMatchObject({
        error: 'invalid_request',
        error_description: expect.stringContaining(`origin ${origin} not allowed for client: page`),
      })
    },
  )

  test('a client with a secret, and an app on a device, have no pages that could ask', async () => {
    const { clientSecret = '' } = idp.client('health-portal')
    expect((await redeemed('health-portal', home, clientSecret)).allowed).toBeNull()
    expect((await redeemed('app', home)).allowed).toBeNull()
    // A server sends no Origin.
    const server = await fetch(`${idp.issuer}/token`, { method: 'POST' })
    expect(server.status).toBe(400)
  })

  test('UserInfo is read by the app’s own pages with its token, and by no others', async () => {
    const { clientId, redirectUri } = idp.client('page')
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), {
      client: { clientId, redirectUri },
    })
    await journey.start({ scope: 'openid email' })
    const { access_token: token } = await journey.finish()
    const headers = { Authorization: `Bearer ${token}` }
    const own = await asked('/me', home, { headers })
    expect(own).toMatchObject({ status: 200, allowed: home })
    expect(JSON.parse(own.body).email).toBe(journey.member.email?.address)
    const other = await asked('/me', 'https://anybody.example', { headers })
    expect(other).toMatchObject({ status: 400, allowed: null })
    expect(other.body).not.toContain('email')
  })
})
