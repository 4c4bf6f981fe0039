import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { Redis } from 'ioredis'
import type { MailRequest } from '../../../accounts/ports.ts'
import { openEmbedded } from '../../../adapters/embedded/index.ts'
import { createRedis, type RedisConnection } from '../../../adapters/redis/connect.ts'
import { createRedisStores } from '../../../adapters/redis/stores.ts'
import { holding } from '../../flows/keys.ts'
import { aJourneyOf, anOldHand, type Journey, PAGE, theDate } from '../../flows/support.ts'
import { type Idp, startIdp } from '../../support/idp.ts'
import { connected, type RedisServer, startRedis } from '../../support/redis.ts'

/**
 * Counts sequential round trips: a command's depth is one more than the deepest that had been
 * answered when it was sent, so what goes out together, or overlaps, counts once.
 */
const countTrips = (client: Redis): (() => number) => {
  let deepest = 0
  const send = client.sendCommand.bind(client)
  client.sendCommand = (...args: Parameters<Redis['sendCommand']>) => {
    const depth = deepest + 1
    const answered = () => {
      deepest = Math.max(deepest, depth)
    }
    args[0].promise.then(answered, answered)
    return send(...args)
  }
  return () => deepest
}

describe('Sequential round trips to Redis, counted over HTTP', () => {
  let idp: Idp
  let server: RedisServer
  let connection: RedisConnection
  let trips: () => number
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-round-trips-'))
  let lasting: ReturnType<typeof openEmbedded>

  beforeAll(async () => {
    server = await startRedis()
    connection = createRedis({ url: server.url })
    await connected(connection)
    if (!(connection.client instanceof Redis)) throw new Error('one server was asked for')
    trips = countTrips(connection.client)
    const clock = theDate()
    const { behind, ...stores } = createRedisStores(connection.client, clock)
    lasting = openEmbedded(folder, clock)
    // As adapters/servers.ts has it: what Redis holds goes before the mail that needs it.
    const { outbox } = lasting
    const afterRedis = { ...outbox, add: (item: MailRequest) => behind(() => outbox.add(item)) }
    idp = await startIdp({
      clock,
      over: { ...stores, outbox: afterRedis },
      instances: 1,
      // A page that offers a passkey keeps a challenge for it: one more.
      societies: [{ id: 'sakura', factors: ['totp', 'emailCode'], networks: [] }],
      clients: [
        {
          client_id: 'password-portal',
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
    await lasting?.close()
    rmSync(folder, { recursive: true })
    jest.useRealTimers()
    await connection?.close()
    await server?.stop()
  })

  const tripsOf = async (act: () => Promise<unknown>): Promise<number> => {
    const before = trips()
    await act()
    return trips() - before
  }

  /** From the application's button to what it knows of the member. */
  const login = async (journey: Journey): Promise<Readonly<Record<string, number>>> => {
    const counted: Record<string, number> = { 'to the login page': await tripsOf(journey.start) }
    while (journey.visitor.page.heading !== PAGE.signedIn) {
      const { heading } = journey.visitor.page
      counted[heading] = await tripsOf(journey.answer)
    }
    let tokens: Awaited<ReturnType<Journey['finish']>> | undefined
    counted.token = await tripsOf(async () => {
      tokens = await journey.finish()
    })
    counted.userinfo = await tripsOf(async () => tokens && journey.rp.userInfo(tokens))
    return counted
  }
  const total = (counted: Readonly<Record<string, number>>) =>
    Object.values(counted).reduce((sum, one) => sum + one, 0)

  test('a login by password alone', async () => {
    const member = anOldHand(idp.clock.now())
    const counted = await login(await aJourneyOf(idp, member, { clientId: 'password-portal' }))
    expect(counted).toEqual({
      // The request is written, then read.
      'to the login page': 2,
      // Read and the attempt counted, outcome written; then the engine reads that and writes.
      [PAGE.password]: 4,
      // Read, consumed, written.
      token: 3,
      userinfo: 1,
    })
    expect(total(counted)).toBe(10)
  })

  test('a login by password and app', async () => {
    const { member, keys } = await holding(idp, ['totp'], anOldHand(idp.clock.now()))
    const counted = await login(await aJourneyOf(idp, member, { keys }))
    expect(counted).toEqual({
      'to the login page': 2,
      [PAGE.password]: 3,
      [PAGE.verifyTotp]: 4,
      token: 3,
      userinfo: 1,
    })
    expect(total(counted)).toBe(13)
  })

  test('a login by password and mailed code', async () => {
    const member = anOldHand(idp.clock.now())
    const counted = await login(await aJourneyOf(idp, member))
    expect(counted).toEqual({
      'to the login page': 2,
      // Read and the attempt counted, outcome and challenge written and the mail counted; the page
      // after it has all it shows in what it reads first.
      [PAGE.password]: 3,
      // Read, the attempt counted and the right answer taken, once; the rest as with an app.
      [PAGE.emailCode]: 4,
      token: 3,
      userinfo: 1,
    })
    expect(total(counted)).toBe(13)
  })

  test('a login in a browser that is signed in', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), {
      clientId: 'password-portal',
    })
    await login(journey)
    // Which grant it is stands in the session.
    const { 'to the login page': toTheApplication } = await login(journey)
    expect(toTheApplication).toBe(3)
  })
})
