import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { StaleMemberError, StoreUnavailableError } from '../../accounts/errors.ts'
import { acceptTerms, type MemberId } from '../../accounts/member.ts'
import type { MongoConnection } from '../../adapters/mongo/connect.ts'
import { type MongoStores, openMongo } from '../../adapters/mongo/index.ts'
import { systemClock } from '../../adapters/system.ts'
import { connected, migrated } from '../adapters/mongo/stores.ts'
import { aMember } from '../contracts/members.ts'
import { inParallel, reasonsOf } from '../contracts/rounds.ts'
import { aMongoDatabase, type MongoDatabase, onServer } from '../support/mongo.ts'

/** What is under test here, and what a stand-in or a single server cannot show. */
const given = process.env.MONGO_TEST_URL ?? ''
const PATIENCE_MS = 60_000

let database: MongoDatabase
let stores: MongoStores
beforeAll(async () => {
  database = await aMongoDatabase()
  await migrated(database.url)
  stores = openMongo({ url: database.url }, systemClock)
  await connected(stores)
})
afterAll(async () => {
  await stores?.close()
  await database?.drop()
})

const primary = (): Promise<string> =>
  onServer(database.url, async (db) => String((await db.command({ hello: 1 })).primary))

/** Until it is served, whatever becomes of the servers. */
const insist = async <T>(call: () => Promise<T>): Promise<T> => {
  const patience = AbortSignal.timeout(PATIENCE_MS)
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || patience.aborted) throw error
      await sleep(100)
    }
  }
}

describe('a replica set', () => {
  test('is one', async () => {
    const { setName } = await onServer(database.url, (db) => db.command({ hello: 1 }))
    expect(setName).toEqual(expect.any(String))
  })

  test('whose primary steps down under twenty writers: what was acknowledged is there, once', async () => {
    const { members } = stores
    await members.save(aMember({ id: 'shared' }))
    const before = await primary()
    const acknowledged = new Set<string>()
    const say = async (version: string): Promise<void> => {
      for (;;) {
        const member = await insist(() => members.findById('shared' as MemberId))
        if (!member) throw new Error('the shared member is gone')
        // A save that was made and not acknowledged is not made again.
        if (member.acceptedTerms.some((terms) => terms.version === version)) return
        try {
          const terms = { version, textHash: 'h', at: 1, clientId: 'rp' }
          await insist(() => members.save(acceptTerms(member, terms)))
          acknowledged.add(version)
          return
        } catch (error) {
          if (!(error instanceof StaleMemberError)) throw error
        }
      }
    }
    const writers = inParallel(async (caller) => {
      for (let round = 0; round < 5; round += 1) await say(`${caller}-${round}`)
    })
    await onServer(given, (db) =>
      db
        .client!.db('admin')
        .command({ replSetStepDown: 30, force: true })
        .catch(() => undefined),
    )
    expect(reasonsOf(await writers)).toEqual([])
    const shared = await insist(() => members.findById('shared' as MemberId))
    const versions = shared?.acceptedTerms.map(({ version }) => version) ?? []
    expect(new Set(versions).size).toBe(100)
    expect(versions).toHaveLength(100)
    expect(versions).toEqual(expect.arrayContaining([...acknowledged]))
    expect(await primary()).not.toBe(before)
  })
})

describe('authentication', () => {
  test('with a wrong password is never ready, and says why without the password', async () => {
    const { client, ...rest } = withWrongPassword()
    const reasons: string[] = []
    client.onError((error) => reasons.push(error.message))
    while (reasons.length === 0) await sleep(50)
    expect(reasons.join()).toMatch(/authentication failed/i)
    expect(reasons.join()).not.toContain(rest.password)
    await expect(client.ping()).rejects.toThrow(StoreUnavailableError)
    expect(client.isReady()).toBe(false)
    await client.close()
  })
})

describe('TLS', () => {
  test('is spoken', () => {
    expect(new URLSearchParams(given.split('?')[1]).get('tls')).toBe('true')
  })

  test('a certificate that nobody we trust has signed is refused', async () => {
    const [address = '', query = ''] = database.url.split('?')
    const parameters = new URLSearchParams(query)
    parameters.delete('tlsCAFile')
    const mongo = openMongo({ url: `${address}?${parameters}` }, systemClock)
    const reasons: string[] = []
    mongo.onError((error) => reasons.push(error.message))
    while (reasons.length === 0) await sleep(50)
    expect(reasons.join()).toMatch(/certificate/i)
    expect(mongo.isReady()).toBe(false)
    await mongo.close()
  })
})

const withWrongPassword = (): Readonly<{
  client: Pick<MongoConnection, 'onError' | 'ping' | 'isReady' | 'close'>
  password: string
}> => {
  const password = 'not-the-password'
  const url = database.url.replace(/:[^:@/]+@/, `:${password}@`)
  if (url === database.url) throw new Error('MONGO_TEST_URL names no user and password')
  return { client: openMongo({ url }, systemClock), password }
}
