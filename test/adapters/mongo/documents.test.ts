import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import type { Member } from '../../../accounts/member.ts'
import { RefusedDocumentError } from '../../../adapters/mongo/connect.ts'
import { type MongoStores, openMongo } from '../../../adapters/mongo/index.ts'
import { systemClock } from '../../../adapters/system.ts'
import { aMember } from '../../contracts/members.ts'
import { aMongoDatabase, type MongoDatabase, onServer } from '../../support/mongo.ts'
import { connected, migrated, PATIENT } from './stores.ts'

/** What a form or a cookie may try to slip into a query. */
const OPERATOR = { $ne: null } as never

let database: MongoDatabase
let stores: MongoStores
beforeAll(async () => {
  database = await aMongoDatabase()
  await migrated(database.url)
  stores = openMongo({ ...PATIENT, url: database.url }, systemClock)
  await connected(stores)
})
afterAll(async () => {
  await stores?.close()
  await database?.drop()
})
beforeEach(() => database.empty())

const documentsIn = (collection: string) =>
  onServer(database.url, (db) => db.collection(collection).find().toArray())

const everything = () =>
  onServer(database.url, async (db) => {
    const all = []
    for (const { collectionName } of await db.collections()) {
      all.push(await db.collection(collectionName).find().toArray())
    }
    return JSON.stringify(all)
  })

describe('what is looked for in MongoDB', () => {
  test('is a value and never an operator', async () => {
    await stores.members.save(aMember({ email: { address: 'a@example.jp', verifiedAt: 1 } }))
    const { members, outbox, signIns, sessions, consents, audit, lastingArtifacts } = stores
    for (const search of [
      () => members.findById(OPERATOR),
      () => members.findByLoginId(OPERATOR, 'A-0001'),
      () => members.findByVerifiedEmail(OPERATOR, 'a@example.jp'),
      () => members.ofSociety(OPERATOR)[Symbol.asyncIterator]().next(),
      () => outbox().stateOf(OPERATOR),
      () => outbox().sent(OPERATOR, 1),
      () => signIns.list(OPERATOR, 0),
      () => sessions.list(OPERATOR),
      () => sessions.remove(OPERATOR),
      () => consents.list(OPERATOR),
      () => audit.eventsOf(OPERATOR),
      () => lastingArtifacts('Client').find(OPERATOR),
    ]) {
      await expect(search()).rejects.toMatchObject({ name: 'TypeError' })
    }
  })
})

describe('what is written to MongoDB', () => {
  test.each<[string, object]>([
    ['a field that members do not have', { admin: 'a-secret' }],
    ['an operator for a field', { $set: 'a-secret' }],
    ['a field that credentials do not have', { credentials: [{ ...aPasskey(), pin: 'a-secret' }] }],
    ['a number for a text', { birthdate: 19850401 }],
    ['a text for a number', { enrolledAt: '1800000000' }],
    ['no number', { enrolledAt: Number.NaN }],
    ['a word that is not one of them', { locale: 'a-secret' }],
    ['one thing for a list', { acceptedTerms: { version: 'a-secret' } }],
    ['an operator for a text', { birthdate: OPERATOR }],
    ['an object for the ID', { id: OPERATOR }],
  ])('is refused with %s, named by its path alone', async (_, over) => {
    const member = { ...aMember(), ...over } as Member
    const error = await stores.members.save(member).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(RefusedDocumentError)
    expect(`${(error as Error).stack}`).not.toContain('a-secret')
    expect((error as Error).cause).toBeUndefined()
    expect(await documentsIn('members')).toEqual([])
  })

  test('holds what is known and nothing that is not', async () => {
    const absent = { email: undefined } as unknown as Partial<Member>
    await stores.members.save(aMember({ ...absent, credentials: [aPasskey()] }))
    const [document] = await documentsIn('members')
    expect(document).not.toHaveProperty('email')
    expect(document).not.toHaveProperty('verifiedEmail')
    expect(document).not.toHaveProperty('id')
    expect(document).not.toHaveProperty('__v')
    expect(document).toMatchObject({ _id: 'member-1', loginKey: 'a-0001', passkeys: ['key-1'] })
  })

  test('of a mail that is finished keeps its state, and for how long', async () => {
    const outbox = stores.outbox<{
      id: string
      requestedAt: number
      expiresAt: number
      to: string
    }>()
    await outbox.add({ id: 'mail-1', requestedAt: 1, expiresAt: 2e9, to: 'hanako@example.jp' })
    expect(await everything()).toContain('hanako@example.jp')
    await outbox.sent('mail-1', 1_800_000_000)
    expect(await everything()).not.toContain('hanako@example.jp')
    expect(await documentsIn('outbox')).toMatchObject([
      { state: 'sent', finishedAt: new Date(1_800_000_000_000) },
    ])
  })

  test('shows no token of the engine’s to who reads it', async () => {
    const tokens = stores.lastingArtifacts('RegistrationAccessToken')
    const payload = { jti: 'a-live-token', clientId: 'portal', kind: 'RegistrationAccessToken' }
    await tokens.upsert('a-live-token', payload, 600)
    expect(await tokens.find('a-live-token')).toEqual(payload)
    expect(await everything()).not.toContain('a-live-token')
  })

  test('goes when its time is over, without anybody asking', async () => {
    const clients = stores.lastingArtifacts('InitialAccessToken')
    await clients.upsert('token', { jti: 'token' }, -1)
    await clients.upsert('lasts', { jti: 'lasts' })
    const patience = AbortSignal.timeout(90_000)
    while ((await documentsIn('artifacts')).length > 1 && !patience.aborted) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(await documentsIn('artifacts')).toHaveLength(1)
    expect(await clients.find('lasts')).toBeDefined()
  }, 100_000)
})

function aPasskey() {
  return { id: 'key-1', factor: 'passkey' as const, registeredAt: 1, data: { publicKey: 'a' } }
}
