import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { createRedis, type RedisConnection } from '../../../adapters/redis/connect.ts'
import { createRedisStores } from '../../../adapters/redis/stores.ts'
import { aJourneyOf, anOldHand, csrfOf, type Journey, PAGE, theDate } from '../../flows/support.ts'
import { A_PASSWORD } from '../../support/builders.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { connected, eventually, type RedisServer, startRedis } from '../../support/redis.ts'

const BY_PASSWORD = { clientId: 'password-portal' }

describe('What a member and an application are told while Redis cannot store', () => {
  let idp: Idp
  let server: RedisServer
  let connection: RedisConnection

  beforeAll(async () => {
    server = await startRedis()
    connection = createRedis({ url: server.url, commandTimeoutMs: 5000 })
    await connected(connection)
    const clock = theDate()
    const { behind: _, ...over } = createRedisStores(connection.client, clock)
    idp = await startIdp({
      clock,
      over,
      instances: 1,
      clients: [
        {
          client_id: BY_PASSWORD.clientId,
          client_name: 'パスワードだけのポータル',
          application_type: 'native',
          token_endpoint_auth_method: 'none',
          policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:pwd' },
        },
      ],
    })
  })
  afterAll(async () => {
    await idp?.close()
    jest.useRealTimers()
    await connection?.close()
    await server?.stop()
  })
  afterEach(() => server.cli('CONFIG', 'SET', 'maxmemory', '0'))

  const fill = () => server.cli('CONFIG', 'SET', 'maxmemory', '1')
  const empty = () => server.cli('CONFIG', 'SET', 'maxmemory', '0')

  const postPassword = async ({ visitor, member }: Journey): Promise<Response> => {
    const { url } = visitor.page
    return fetch(`${url.href}/password`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: visitor.jar.getCookieStringSync(url.href), accept: 'text/html' },
      body: new URLSearchParams({
        csrf: csrfOf(visitor.page),
        username: member.loginId,
        password: A_PASSWORD,
      }),
    })
  }

  const expectRefusal = ({ status, headers }: Response) => {
    expect(status).toBe(503)
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(headers.get('location')).toBeNull()
    expect(headers.getSetCookie()).toEqual([])
  }

  test('a sign-in that begins: to try again, and no cookie of a request that is not kept', async () => {
    const { rp } = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await fill()
    const address = await rp.authorizationUrl()
    const answer = await fetch(address, { redirect: 'manual', headers: { accept: 'text/html' } })
    expectRefusal(answer)
    expect(await answer.text()).toContain('一時的な問題が起きました')
    await empty()
    const later = await fetch(address, { redirect: 'manual' })
    expect(later.status).toBe(303)
  })

  test('a right password: no sign-in, and the same form works once Redis is well', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), BY_PASSWORD)
    await journey.start()
    await fill()
    expectRefusal(await postPassword(journey))
    await empty()
    await journey.visitor.submit('password', {
      username: journey.member.loginId,
      password: A_PASSWORD,
    })
    expect((await journey.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:pwd')
  })

  test('a code redeemed: no token that is not kept, and an answer an application understands', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), BY_PASSWORD)
    await journey.start()
    const page = await journey.walkTo(PAGE.signedIn)
    await fill()
    const refused = await journey.rp.finish(page.url).catch((error: Error) => error.cause)
    if (!(refused instanceof Response)) throw new Error('it was not refused')
    expectRefusal(refused)
    expect(await refused.json()).toMatchObject({ error: 'temporarily_unavailable' })
    await empty()
    // Nothing was consumed: the write of that was refused, too.
    expect((await journey.rp.finish(page.url)).access_token).toBeTruthy()
  })

  test('a server that is gone: pages say so at once, and work again when it is back', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), BY_PASSWORD)
    await journey.start()
    await server.signal('SIGKILL')
    await eventually('the loss is seen', () => !connection.isReady())
    expectRefusal(await postPassword(journey))
    await server.restart()
    await connected(connection)
    await journey.start()
    expect((await journey.finish()).access_token).toBeTruthy()
  })
})
