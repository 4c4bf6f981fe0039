import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { startCommand } from '../cli/command.ts'
import { PAGE as DESK, passFor } from '../flows/recovery-support.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  csrfOf,
  type Journey,
  PAGE,
} from '../flows/support.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { type Invariants, invariantsOf } from '../support/invariants.ts'
import type { Page } from '../support/page.ts'
import { eventually } from '../support/redis.ts'
import { aRelyingParty } from '../support/rp.ts'
import { type FailingStores, failingStores, SAVES_A_MEMBER } from '../support/server-stores.ts'

const TROUBLE = '一時的な問題が起きました'
/** Every request has an answer by then (I8), and after a fault all is well by then (I9). */
const PATIENCE_MS = 5000

/**
 * Two instances on Redis and MongoDB whose ways there fail (security.md section 4). After every test
 * the stores are held against the invariants (test/support/invariants.ts).
 */
describe('When a server behind two instances fails', () => {
  let stores: FailingStores
  let idp: Idp
  let invariants: Invariants
  beforeAll(async () => {
    stores = await failingStores()
    idp = await startIdp({ stores, instances: 2 })
    invariants = invariantsOf(idp)
  }, 90_000)
  afterAll(() => idp.close())
  afterEach(async () => {
    expect(await invariants.broken()).toEqual([])
  })

  const mend = async () => {
    await stores.toRedis.set('ok')
    await stores.toMongo.set('ok')
    const rp = await aRelyingParty(idp, idp.client())
    // The balancer takes turns: both instances serve again.
    await eventually('both servers are reached again', async () => {
      const asked = Array.from({ length: 4 }, async () =>
        aVisitor().visit(await rp.authorizationUrl()),
      )
      return (await Promise.all(asked)).every(({ heading }) => heading === PAGE.password)
    })
    // A mail that could not be written or told to be sent meanwhile is taken up again.
    await idp.clock.advance(61)
  }

  /** The password form as it stands, sent without following the answer. */
  const send = async ({ visitor, member, password }: Journey) => {
    const { url } = visitor.page
    const response = await fetch(`${url.href}/password`, {
      method: 'POST',
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
      headers: {
        cookie: visitor.jar.getCookieStringSync(url.href),
        'Sec-Fetch-Site': 'same-origin',
      },
      body: new URLSearchParams({
        csrf: csrfOf(visitor.page),
        username: member.loginId,
        password,
      }),
    })
    return { response, text: await response.text() }
  }

  const atPassword = async (): Promise<Journey> => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    return journey
  }

  const goesOn = async (journey: Journey): Promise<Page> => {
    await journey.visitor.visit(journey.visitor.page.url)
    return journey.walkTo(PAGE.signedIn)
  }

  describe.each([
    ['Redis', 'toRedis'],
    ['MongoDB', 'toMongo'],
  ] as const)('%s', (name, way) => {
    test.each(['refuse', 'blackhole'] as const)(
      'is gone (%s) in the middle of a sign-in: a plain page, and the same form works when it is back',
      async (fault) => {
        const journey = await atPassword()
        expect(journey.visitor.page.heading).toBe(PAGE.password)
        await stores[way].set(fault)
        const { response, text } = await send(journey)
        expect(response.status).toBe(503)
        expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
        expect(text).toContain(TROUBLE)
        expect(text).not.toMatch(/at .*\(.*:\d+:\d+\)/)
        expect(await idp.services.unreachable()).toEqual([name])
        // What needs no store is served.
        const discovery = await fetch(`${idp.issuer}/.well-known/openid-configuration`)
        expect([discovery.status, (await fetch(`${idp.issuer}/jwks`)).status]).toEqual([200, 200])
        await mend()
        expect((await send(journey)).response.status).toBe(303)
        await goesOn(journey)
      },
      30_000,
    )

    test('is slow: it works, or says that it cannot', async () => {
      const journey = await atPassword()
      await stores[way].set({ delayMs: 100 })
      expect([303, 503]).toContain((await send(journey)).response.status)
      await stores[way].set({ delayMs: 3000 })
      expect((await send(journey)).response.status).toBe(503)
      await mend()
      await goesOn(journey)
    }, 30_000)
  })

  test('Redis dies and comes back: sessions live on, and a used code stays used', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    await journey.finish()
    const used = journey.visitor.page.url
    await stores.redis.signal('SIGKILL')
    await stores.redis.restart()
    await mend()
    await journey.visitor.visit(await journey.rp.authorizationUrl({ prompt: 'none' }))
    expect((await journey.finish()).claims()?.amr).toEqual(['pwd', 'otp', 'mca'])
    await expect(journey.rp.finish(used)).rejects.toThrow()
  }, 30_000)

  test('Redis is gone while a token is revoked: no yes, and later the same request revokes it', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    const tokens = await journey.finish()
    const { clientId, clientSecret = '' } = idp.client()
    const revoke = async () => {
      const answer = await fetch(`${idp.issuer}/token/revocation`, {
        method: 'POST',
        signal: AbortSignal.timeout(PATIENCE_MS),
        body: new URLSearchParams({ token: tokens.access_token }),
        headers: {
          authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
        },
      })
      return answer.status
    }
    await stores.toRedis.set('refuse')
    expect(await revoke()).toBe(503)
    await mend()
    expect((await journey.rp.userInfo(tokens)).sub).toBe(tokens.claims()?.sub)
    expect(await revoke()).toBe(200)
    await expect(journey.rp.userInfo(tokens)).rejects.toThrow()
  }, 30_000)

  test('Redis loses everything: members sign in again, and accounts are as they were', async () => {
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
    await journey.start()
    await journey.finish()
    const before = await idp.memberOf(journey.member)
    await stores.redis.cli('FLUSHALL')
    const silent = await journey.visitor.visit(
      await journey.rp.authorizationUrl({ prompt: 'none' }),
    )
    expect(silent.url.searchParams.get('error')).toBe('login_required')
    await journey.start()
    expect((await journey.finish()).claims()?.sub).toBeDefined()
    expect((await idp.memberOf(before)).password).toEqual(before.password)
  }, 30_000)

  test('Redis takes no writes: nothing is told to be stored, and it works again after', async () => {
    const journey = await atPassword()
    await stores.redis.cli('CONFIG', 'SET', 'maxmemory', '1')
    expect((await send(journey)).response.status).toBe(503)
    await stores.redis.cli('CONFIG', 'SET', 'maxmemory', '0')
    expect((await send(journey)).response.status).toBe(303)
    await goesOn(journey)
  }, 30_000)

  test('MongoDB has written a step and nobody hears of it: the member goes on after it', async () => {
    const journey = await aJourneyOf(idp, aNewcomer())
    await journey.start()
    await journey.walkTo(PAGE.birthdate)
    await stores.toMongo.set({ cutAfter: 0, of: 'replies', where: SAVES_A_MEMBER })
    const [year = '', month = '', day = ''] = journey.member.birthdate.split('-')
    const page = await journey.visitor.submit('birthdate', { era: 'seireki', year, month, day })
    await mend()
    expect([200, 503]).toContain(page.status)
    await journey.visitor.visit(journey.visitor.page.url)
    await journey.start()
    await journey.finish()
    expect((await idp.memberOf(journey.member)).birthdateConfirmedAt).toBeDefined()
  }, 30_000)

  test('both are gone when the product starts: it says so, and serves when they come', async () => {
    const stored = await idp.services.members.save(anOldHand(idp.clock.now()))
    await stores.toRedis.set('refuse')
    await stores.toMongo.set('refuse')
    const { openAdapters } = await import('../../adapters/index.ts')
    const { settings } = idp.services
    const late = await openAdapters(settings as never, idp.clock)
    try {
      expect(await late.unreachable()).toEqual(['Redis', 'MongoDB'])
      await expect(late.members.findById(stored.id)).rejects.toThrow('store_unavailable')
      await mend()
      await eventually('the late one serves', async () => (await late.unreachable()).length === 0)
      expect(await late.members.findById(stored.id)).toEqual(stored)
    } finally {
      await late.close()
    }
  }, 30_000)

  test('Redis comes back with a weaker setting: the log says which', async () => {
    const { openAdapters } = await import('../../adapters/index.ts')
    const told: object[] = []
    const log = {
      info: () => undefined,
      warn: () => undefined,
      error: (facts: object, event: string) => void told.push({ ...facts, event }),
    }
    const watching = await openAdapters(idp.services.settings as never, idp.clock, log)
    const evict = (policy: string) => stores.redis.cli('CONFIG', 'SET', 'maxmemory-policy', policy)
    try {
      await evict('allkeys-lru')
      await stores.toRedis.set('refuse')
      await mend()
      await eventually('it is told', () => told.length > 0)
      expect(told[0]).toEqual({
        event: 'store_not_durable',
        store: 'redis',
        problems: [expect.stringContaining('set "maxmemory-policy noeviction"')],
      })
    } finally {
      await evict('noeviction')
      await watching.close()
    }
  }, 30_000)

  test('a failing mail server and a failing Redis together lose no mail', async () => {
    const journey = await atPassword()
    await send(journey)
    await stores.toRedis.set('refuse')
    await delay(200)
    await mend()
    await goesOn(journey)
    const codes = idp.mails.mails.filter(({ to }) => to === journey.member.email?.address)
    expect(codes).toHaveLength(1)
  }, 30_000)

  test('Redis goes as a pass of the desk is used: the member goes on from there', async () => {
    const now = idp.clock.now()
    const { email, ...stopped } = anOldHand(now)
    // The one the desk is for: nothing but the pass leads on.
    const journey = await aJourneyOf(idp, {
      ...stopped,
      email: { address: email?.address ?? '' },
      blocked: { reason: 'emailChangeUndone', since: now },
    })
    const pass = await passFor(idp, journey.member)
    await journey.start()
    expect((await journey.answer()).heading).toBe(DESK.deskPass)
    // What is deleted first goes after the member is saved without the pass.
    await stores.toRedis.set({ cutAfter: 0, of: 'requests', where: '$3\r\ndel\r\n' })
    expect((await journey.visitor.submit('deskPass', { pass })).status).toBe(503)
    expect((await idp.memberOf(journey.member)).deskPass).toBeUndefined()
    await mend()
    await goesOn(journey)
    expect((await idp.memberOf(journey.member)).email?.verifiedAt).toBeDefined()
  }, 30_000)

  test('MongoDB goes as clients are imported: those that were made are told, with secrets', async () => {
    const file = join(idp.dataDir, 'clients-to-import.json')
    const entries = ['made', 'not made'].map((name) => ({
      client_name: name,
      redirect_uris: ['https://app.example.jp/cb'],
      policy: { society: 'sakura' },
    }))
    mkdirSync(idp.dataDir, { recursive: true })
    writeFileSync(file, JSON.stringify(entries))
    // A client's name is in what is written of it, and in nothing else that is asked.
    await stores.toMongo.set({ cutAfter: 0, of: 'requests', where: 'not made' })
    const command = ['client', 'import', file, '--format', 'json']
    const outcome = await startCommand(idp.dataDir, stores.env as Record<string, string>, command)
      .ended
    await mend()
    expect(outcome.code).toBe(1)
    const [told, ...more] = JSON.parse(outcome.out) as { client_name: string }[]
    expect(told).toMatchObject({ client_name: 'made', client_secret: expect.any(String) })
    expect(more).toEqual([])
    expect(outcome.err).toContain('1 of 2 clients')
    expect(
      (await idp.services.clients.registry.list()).map(({ client }) => client.metadata.client_name),
    ).toEqual(expect.arrayContaining(['made']))
  }, 30_000)

  test('another browser sees nothing of all this', async () => {
    const journey = await aJourney(idp, await idp.services.members.save(anOldHand(idp.clock.now())))
    await journey.start()
    expect((await journey.finish()).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  })
})
