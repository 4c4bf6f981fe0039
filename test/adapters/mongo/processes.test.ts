import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { MemberId } from '../../../accounts/member.ts'
import type { MongoConnection } from '../../../adapters/mongo/connect.ts'
import { createMemberStore } from '../../../adapters/mongo/members.ts'
import { aMember } from '../../contracts/members.ts'
import { aMongoDatabase, type MongoDatabase } from '../../support/mongo.ts'
import { connect, migrated } from './stores.ts'

const KEYS = 5

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))

describe('one MongoDB database under several processes', () => {
  let database: MongoDatabase
  let mongo: MongoConnection
  let children: ChildProcess[]
  beforeEach(async () => {
    children = []
    database = await aMongoDatabase()
    await migrated(database.url)
    mongo = await connect({ url: database.url })
  })
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    await mongo.close()
    await database.drop()
  })

  const startChild = async (name: string) => {
    const loader = fileOf('../../support/typescript/register.mjs')
    const child = spawn(
      process.execPath,
      ['--import', loader, fileOf('child.ts'), database.url, name, `${KEYS}`],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    children.push(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<unknown> => {
      const { done, value } = await lines.next()
      if (done) throw new Error('the child process ended early')
      return JSON.parse(value)
    }
    expect(await next()).toBe('ready')
    return { go: () => child.stdin.write('go\n'), next }
  }

  test('two processes with twenty callers each: no change is lost, and nothing is had twice', async () => {
    const members = createMemberStore(mongo)
    await members.save(aMember({ id: 'shared' }))
    const pair = await Promise.all([startChild('a'), startChild('b')])
    for (const { go } of pair) go()
    const reports = (await Promise.all(pair.map(({ next }) => next()))) as {
      won: Record<string, number>
      errors: string[]
    }[]
    expect(reports.flatMap(({ errors }) => errors)).toEqual([])
    const won = (what: string) => reports.reduce((sum, report) => sum + (report.won[what] ?? 0), 0)
    expect({ loginIds: won('loginIds'), passkeys: won('passkeys') }).toEqual({
      loginIds: KEYS,
      passkeys: KEYS,
    })
    const shared = await members.findById('shared' as MemberId)
    expect(shared?.revision).toBe(41)
    expect(new Set(shared?.acceptedTerms.map(({ version }) => version)).size).toBe(40)
  }, 120_000)
})
