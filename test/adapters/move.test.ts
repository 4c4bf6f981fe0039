import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { LIMITS } from '../../accounts/throttle.ts'
import { createConsentStore } from '../../adapters/embedded/consents.ts'
import { openDatabase } from '../../adapters/embedded/database.ts'
import { createRecordStore } from '../../adapters/embedded/records.ts'
import { type Outcome, startCommand } from '../cli/command.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  type Journey,
  PAGE,
  settled,
  theDate,
} from '../flows/support.ts'
import { collectGarbage } from '../support/garbage.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { aMongoDatabase, type MongoDatabase, onServer } from '../support/mongo.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import type { Tokens } from '../support/rp.ts'

/** What the commands and, after the move, the server are given: changed while the server is down. */
const env: Record<string, string> = {}

let idp: Idp
let redis: RedisServer
let database: MongoDatabase
const move = (from = idp.dataDir) =>
  startCommand(
    idp.dataDir,
    {
      IDP_STORE: 'redis+mongo',
      IDP_REDIS_URL: redis.url,
      IDP_MONGO_URL: database.url,
    },
    ['store', 'move', '--from', from, '--lang', 'en'],
  )

/** Each row of the table: kind, and its three counts. */
const tableIn = ({ out }: Outcome): ReadonlyMap<string, readonly number[]> =>
  new Map(
    out.split('\n').flatMap((line) => {
      const [, kind = '', ...counts] = /^(\S.*?)\s+(\d+)\s+(\d+)\s+(\d+)$/.exec(line) ?? []
      return kind === '' ? [] : [[kind, counts.map(Number)] as const]
    }),
  )

/** Members before the move, and what each was in the middle of. */
let byApp: Journey
let byPasskey: Journey
let byMail: Journey
let halfWay: Journey
let locked: Journey
let tokens: Tokens
let usedCode: URL
let inUse: Outcome
let occupied: Outcome
let broken: Outcome
let moved: Outcome
let again: Outcome

beforeAll(async () => {
  redis = await startRedis()
  database = await aMongoDatabase()
  idp = await startIdp({ store: 'embedded', clock: theDate(), env, instances: 1 })

  byApp = await aJourneyOf(idp, aNewcomer(), { method: 'totp' })
  await byApp.start()
  await byApp.finish()
  byPasskey = await aJourneyOf(idp, aNewcomer(), { method: 'passkey' })
  await byPasskey.start()
  await byPasskey.finish()
  byMail = await aJourneyOf(idp, anOldHand(idp.clock.now()))
  await byMail.start()
  await byMail.walkTo(PAGE.signedIn)
  usedCode = byMail.visitor.page.url
  tokens = await byMail.rp.finish(usedCode)

  halfWay = await aJourneyOf(idp, aNewcomer())
  await halfWay.start()
  await halfWay.walkTo(PAGE.chooseFactor)
  locked = await aJourneyOf(idp, anOldHand(idp.clock.now()))
  await locked.start()
  for (let attempt = 0; attempt <= LIMITS.password.points; attempt += 1) {
    await locked.visitor.submit('password', {
      username: locked.member.loginId,
      password: `not-the-password-${attempt}`,
    })
  }
  await settled(idp)

  inUse = await move().ended
  await idp.restart(async () => {
    const db = openDatabase(join(idp.dataDir, 'kenpo-id.sqlite'))
    const clients = createRecordStore(db, 'client')
    await clients.save(await clients.save({ id: 'registered-app', revision: 0 }))
    await createConsentStore(db).give({
      memberId: byApp.member.id,
      clientId: 'walk',
      since: idp.clock.now() - 60,
      updatedAt: idp.clock.now(),
      scopes: ['openid', 'email'],
      claims: ['name'],
      resources: ['https://api.example.jp/ steps'],
    })
    db.close()
    await collectGarbage()

    await redis.cli('SET', 'kenpo:transient:foreign', '1')
    occupied = await move().ended
    await redis.cli('FLUSHALL')

    const first = move()
    // Killed as soon as it has begun on the engine's sessions: half of it is there.
    first.child.stderr?.on('data', (text: Buffer) => {
      if (text.toString().includes('Session')) first.child.kill('SIGKILL')
    })
    broken = await first.ended
    moved = await move().ended
    again = await move().ended
    Object.assign(env, {
      IDP_STORE: 'redis+mongo',
      IDP_REDIS_URL: redis.url,
      IDP_MONGO_URL: database.url,
    })
  })
}, 120_000)

afterAll(async () => {
  await idp.close()
  await redis.stop()
  await database.drop()
  jest.useRealTimers()
})

describe('The command that moves an embedded file to Redis and MongoDB', () => {
  test('refuses a file that a running server has open', () => {
    expect(inUse).toMatchObject({ code: 1, out: '' })
    expect(inUse.err).toContain('A running server has this file open')
  })

  test('refuses a target that holds other data, and names it', () => {
    expect(occupied).toMatchObject({ code: 1, out: '' })
    expect(occupied.err).toContain('Redis: kenpo:transient (1)')
  })

  test('killed half way and run again, completes and finds every record', () => {
    expect(broken.code).toBeNull()
    expect(moved).toMatchObject({ code: 0 })
    const table = tableIn(moved)
    for (const kind of [
      'Session (engine)',
      'Grant (engine)',
      'AuthorizationCode (engine)',
      'Interaction (engine)',
      'flow facts',
      'counters and locks',
      'registered clients',
      'signing keys',
      'sign-ins',
      'known devices',
      'sessions of members',
      'consents',
      'mails',
      'members',
    ]) {
      const [inFile = 0, inTarget, readBack] = table.get(kind) ?? []
      expect([kind, inFile > 0]).toEqual([kind, true])
      expect([kind, inTarget, readBack]).toEqual([kind, inFile, inFile])
    }
    expect(table.get('members')).toEqual([5, 5, 5])
  })

  test('does nothing a second time', () => {
    expect(again).toMatchObject({ code: 1, out: '' })
    expect(again.err).toContain('has been moved already')
  })

  test('leaves no key in Redis without an end', async () => {
    const keys = (await redis.cli('KEYS', '*')).split('\n')
    const ends = await Promise.all(keys.map((key) => redis.cli('TTL', key)))
    expect(keys.length).toBeGreaterThan(20)
    expect(keys.filter((_, index) => Number(ends[index]) < 0)).toEqual([])
  })

  test('keeps the revisions by which mails are told apart', async () => {
    const revision = await onServer(database.url, async (db) => {
      const found = await db.collection('records').findOne({ kind: 'client' })
      return found?.revision
    })
    expect(revision).toBe(2)
    expect((await idp.memberOf(byApp.member)).revision).toBeGreaterThan(3)
  })
})

describe('On Redis and MongoDB, after the move', () => {
  test('a member who was signed in goes on without a page', async () => {
    const page = await byMail.start()
    expect(page.heading).toBe(PAGE.signedIn)
  })

  test('an access token from before is good', async () => {
    expect(await byMail.rp.userInfo(tokens)).toMatchObject({ sub: tokens.claims()?.sub })
  })

  test('a code that was used stays used, and takes the tokens of that sign-in with it', async () => {
    await expect(byMail.rp.finish(usedCode)).rejects.toMatchObject({ error: 'invalid_grant' })
    await expect(byMail.rp.userInfo(tokens)).rejects.toThrow()
  })

  test('a first login that was under way goes on where it was', async () => {
    await halfWay.finish()
    expect((await idp.memberOf(halfWay.member)).enrolledAt).toBeDefined()
  })

  test('a member who was locked out still is', async () => {
    const page = await locked.visitor.submit('password', {
      username: locked.member.loginId,
      password: locked.password,
    })
    expect(page.heading).toBe(PAGE.password)
  })

  test.each([
    ['the app', () => byApp],
    ['the passkey', () => byPasskey],
  ])('a member signs in anew with the password and %s', async (_name, journeyOf) => {
    const before = journeyOf()
    // Another time step of the app than the one that registered it.
    await idp.clock.advance(60)
    const journey = await aJourney(idp, before.member, {
      password: before.password,
      keys: before.keys,
    })
    await journey.start()
    expect((await journey.finish()).claims()?.sub).toBeDefined()
  })
})
