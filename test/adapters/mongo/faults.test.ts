import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { StaleMemberError, StoreUnavailableError } from '../../../accounts/errors.ts'
import { changePassword, type MemberId } from '../../../accounts/member.ts'
import { createMongo } from '../../../adapters/mongo/connect.ts'
import { type MongoStores, openMongo } from '../../../adapters/mongo/index.ts'
import { systemClock } from '../../../adapters/system.ts'
import { aMember } from '../../contracts/members.ts'
import { aMongoDatabase, startMongo, throughProxy } from '../../support/mongo.ts'
import { connected, migrated } from './stores.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const NOW = 1_800_000_000
const HANAKO = 'hanako' as MemberId
const aMail = (id: string) => ({ id, requestedAt: NOW, expiresAt: NOW + 600, to: 'a-secret' })

const open = (url: string): MongoStores => {
  const stores = openMongo({ url }, systemClock)
  closing.push(stores.close)
  return stores
}

/** Every operation of the stores, of which none can be served. */
const operationsOf = (stores: MongoStores) => {
  const { members, signIns, sessions, consents, audit, lastingArtifacts, records } = stores
  const outbox = stores.outbox<ReturnType<typeof aMail>>()
  const clients = lastingArtifacts('Client')
  const signIn = {
    id: 'i',
    memberId: HANAKO,
    at: NOW,
    device: 'd',
    clientId: 'rp',
    factors: [],
  } as const
  return {
    findById: () => members.findById(HANAKO),
    findByLoginId: () => members.findByLoginId('kita', 'A-0001'),
    findByVerifiedEmail: () => members.findByVerifiedEmail('kita', 'a@example.jp'),
    ofSociety: () => members.ofSociety('kita')[Symbol.asyncIterator]().next(),
    save: () => members.save(aMember()),
    add: () => outbox.add(aMail('mail')),
    stateOf: () => outbox.stateOf('mail'),
    claim: () => outbox.claim(NOW, 1, 60),
    sent: () => outbox.sent('mail', NOW),
    record: () => signIns.record(signIn, 'pc'),
    signIns: () => signIns.list(HANAKO, 0),
    sessions: () => sessions.list(HANAKO),
    remove: () => sessions.remove('session'),
    consent: () => consents.find(HANAKO, 'rp'),
    consents: () => consents.list(HANAKO),
    withdraw: () => consents.withdraw(HANAKO, 'rp'),
    append: () =>
      audit.append({
        id: 'e',
        at: NOW,
        act: 'deskPassUsed',
        societyId: 'kita',
        memberId: HANAKO,
        facts: {},
      }),
    eventsOf: () => audit.eventsOf(HANAKO),
    upsert: () => clients.upsert('c', { client_id: 'c' }),
    find: () => clients.find('c'),
    client: () => records('client').find('c'),
    ping: () => stores.ping(),
    pendingMigrations: () => stores.pendingMigrations(),
  }
}

const TOO_LONG = 'still waiting'
/** No request takes longer (security.md section 4, I8); one operation is a part of it. */
const PATIENCE_MS = 5000

/** What became of each operation, all begun at once. */
const outcomesOf = async (stores: MongoStores): Promise<Record<string, unknown>> => {
  const outcomes = Object.entries(operationsOf(stores)).map(async ([name, call]) => [
    name,
    await Promise.race([
      call().catch((error: unknown) => error),
      sleep(PATIENCE_MS, TOO_LONG, { ref: false }),
    ]),
  ])
  return Object.fromEntries(await Promise.all(outcomes))
}
const allRefused = (stores: MongoStores) =>
  Object.fromEntries(
    Object.keys(operationsOf(stores)).map((name) => [name, expect.any(StoreUnavailableError)]),
  )

/** The same stores serve again, within five seconds (I9). */
const recovers = async (stores: MongoStores): Promise<void> => {
  const patience = AbortSignal.timeout(5000)
  let last: unknown
  while (!patience.aborted) {
    last = await stores.ping().catch((error: unknown) => error)
    if (last === undefined) break
    await sleep(20)
  }
  expect(last).toBeUndefined()
  await stores.sessions.remove('session')
}

describe('a MongoDB server that fails', () => {
  let url: string
  let proxy: Awaited<ReturnType<typeof throughProxy>>['proxy']
  beforeEach(async () => {
    const database = await aMongoDatabase()
    closing.push(database.drop)
    await migrated(database.url)
    ;({ url, proxy } = await throughProxy(database))
    closing.push(proxy.stop)
  })

  test('that was not there at the start is found when it comes', async () => {
    await proxy.set('refuse')
    const stores = open(url)
    const reasons: string[] = []
    stores.onError((error) => reasons.push(error.message))
    expect(await outcomesOf(stores)).toEqual(allRefused(stores))
    expect(stores.isReady()).toBe(false)
    while (reasons.length === 0) await sleep(20)
    expect(reasons.join()).toContain('ECONNREFUSED')
    await proxy.set('ok')
    await connected(stores)
    await recovers(stores)
    expect(stores.isReady()).toBe(true)
  })

  test('that goes: each operation ends in a 503, and works again when it is back', async () => {
    const stores = open(url)
    await connected(stores)
    await stores.ping()
    await proxy.set('refuse')
    expect(await outcomesOf(stores)).toEqual(allRefused(stores))
    await proxy.set('ok')
    await recovers(stores)
  })

  test('that hangs: each operation ends in a 503 in time, and works again later', async () => {
    const server = await startMongo()
    closing.push(server.stop)
    const database = await aMongoDatabase(server)
    await migrated(database.url)
    const stores = open(database.url)
    await connected(stores)
    await stores.ping()
    await server.hang()
    expect(await outcomesOf(stores)).toEqual(allRefused(stores))
    await server.wake()
    await recovers(stores)
  })

  test('behind a network that loses everything: a 503 in time, and then all is well', async () => {
    const stores = open(url)
    await connected(stores)
    await stores.ping()
    await proxy.set('blackhole')
    expect(await outcomesOf(stores)).toEqual(allRefused(stores))
    await proxy.set('ok')
    await recovers(stores)
  })

  test('that is slow is waited for', async () => {
    const stores = open(url)
    await connected(stores)
    await proxy.set({ delayMs: 100 })
    const saved = await stores.members.save(aMember())
    expect(await stores.members.findById(saved.id)).toEqual(saved)
  })

  test('cut off after a mail was added: adding it again leaves one, not yet tried', async () => {
    const stores = open(url)
    await connected(stores)
    await stores.ping()
    const outbox = stores.outbox<ReturnType<typeof aMail>>()
    await proxy.set({ cutAfter: 0, of: 'replies', where: 'outbox' })
    await expect(outbox.add(aMail('mail'))).rejects.toThrow(StoreUnavailableError)
    await proxy.set('ok')
    await recovers(stores)
    // It was stored, as nobody could know.
    expect(await outbox.stateOf('mail')).toBe('queued')
    await outbox.add(aMail('mail'))
    expect(await outbox.claim(NOW, 10, 60)).toEqual([{ item: aMail('mail'), attempts: 1 }])
  })

  test('cut off after a member was saved: the same save again is stale, the change is there once', async () => {
    const stores = open(url)
    await connected(stores)
    const member = await stores.members.save(aMember())
    await proxy.set({ cutAfter: 0, of: 'replies', where: 'members' })
    const changed = changePassword(member, 'new', NOW)
    await expect(stores.members.save(changed)).rejects.toThrow(StoreUnavailableError)
    await proxy.set('ok')
    await recovers(stores)
    await expect(stores.members.save(changed)).rejects.toThrow(StaleMemberError)
    expect(await stores.members.findById(member.id)).toEqual({ ...changed, revision: 2 })
  })

  test('cut off while a member is sent: nothing of it is stored', async () => {
    const stores = open(url)
    await connected(stores)
    await stores.ping()
    await proxy.set({ cutAfter: 200, of: 'requests', where: 'members' })
    await expect(stores.members.save(aMember())).rejects.toThrow(StoreUnavailableError)
    await proxy.set('ok')
    await recovers(stores)
    expect(await stores.members.save(aMember())).toMatchObject({ revision: 1 })
  })

  test('a 503 tells when to try again, and carries nothing of what was to be stored', async () => {
    const stores = open(url)
    await connected(stores)
    await stores.ping()
    await proxy.set('refuse')
    const error = await stores
      .outbox()
      .add(aMail('mail') as never)
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'store_unavailable',
      status: 503,
      retryAfterSeconds: expect.any(Number),
    })
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('a-secret')
    expect((error as Error).cause).toBeUndefined()
  })
})

describe('a way to MongoDB that cannot be', () => {
  test('closes while it still tries, and tells no password', async () => {
    const mongo = createMongo({ url: 'mongodb://kenpo:hunter2@127.0.0.1:1/kenpo' })
    const told: string[] = []
    mongo.onError((error) => told.push(`${error.stack} ${JSON.stringify(error)}`))
    while (told.length === 0) await sleep(20)
    await mongo.close()
    expect(told.join()).not.toContain('hunter2')
  })

  test('is refused at once where its URL is none', () => {
    expect(() => createMongo({ url: 'http://127.0.0.1/' })).toThrow('Invalid scheme')
  })
})
