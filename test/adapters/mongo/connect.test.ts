import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { mongo } from 'mongoose'
import type { MemberId } from '../../../accounts/member.ts'
import { createMongo, type MongoConnection } from '../../../adapters/mongo/connect.ts'
import { createLastingArtifacts } from '../../../adapters/mongo/lasting-artifacts.ts'
import { createMemberStore } from '../../../adapters/mongo/members.ts'
import { createOutbox } from '../../../adapters/mongo/outbox.ts'
import { createSessionIndex } from '../../../adapters/mongo/sessions.ts'
import { systemClock } from '../../../adapters/system.ts'
import { aMember } from '../../contracts/members.ts'
import { aMongoDatabase, type MongoDatabase } from '../../support/mongo.ts'
import { connect, connected, migrated } from './stores.ts'

/** Parameters an operator may set, and two that would let a write go unsaid. */
const PARAMETERS =
  'maxPoolSize=7&heartbeatFrequencyMS=1500&w=1&journal=false&readPreference=secondary' +
  '&monitorCommands=true'

describe('a connection to MongoDB', () => {
  let database: MongoDatabase
  let connection: MongoConnection
  beforeAll(async () => {
    database = await aMongoDatabase()
    await migrated(database.url)
    const separator = database.url.includes('?') ? '&' : '?'
    connection = createMongo({ url: `${database.url}${separator}${PARAMETERS}` })
    await connected(connection)
  })
  afterAll(async () => {
    await connection?.close()
    await database?.drop()
  })

  test('is as its URL says, with our limits where that says nothing', () => {
    expect(connection.connection.getClient().options).toMatchObject({
      maxPoolSize: 7,
      heartbeatFrequencyMS: 1500,
      socketTimeoutMS: 2000,
    })
  })

  test('waits with every write for a majority’s journal, and reads from the primary', async () => {
    const commands: mongo.CommandStartedEvent[] = []
    const client = connection.connection.getClient()
    client.on('commandStarted', (event) => commands.push(event))
    const members = createMemberStore(connection)
    const saved = await members.save(aMember())
    await members.save(saved)
    const clients = createLastingArtifacts(connection, systemClock)('Client')
    await clients.upsert('client', { client_id: 'client' })
    await clients.destroy('client')
    await createOutbox(connection).claim(1, 1, 60)
    await createSessionIndex(connection).list('hanako' as MemberId)
    const named = (...names: string[]) =>
      commands.filter(({ commandName }) => names.includes(commandName))
    const writes = named('insert', 'update', 'delete', 'findAndModify')
    expect(new Set(writes.map(({ commandName }) => commandName)).size).toBe(4)
    for (const { command } of writes) {
      expect(command.writeConcern).toMatchObject({ w: 'majority', j: true })
    }
    const reads = named('find')
    expect(reads.length).toBeGreaterThan(0)
    for (const { command } of reads) {
      expect(command.$readPreference?.mode ?? 'primary').toBe('primary')
    }
  })

  test('answers in time whatever becomes of a call', async () => {
    const { reach, close } = await connect({ url: database.url, operationTimeoutMs: 50 })
    await expect(reach(() => new Promise(() => undefined))).rejects.toMatchObject({
      code: 'store_unavailable',
      detail: expect.stringContaining('50 ms'),
    })
    await close()
  })
})
