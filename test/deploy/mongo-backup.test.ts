import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { backUpMongo, restoreMongo } from '../../adapters/backup-mongo.ts'
import { openMongo } from '../../adapters/mongo/index.ts'
import { systemClock } from '../../adapters/system.ts'
import { temporaryFolder } from '../adapters/embedded/temporary.ts'
import { connected, migrated, PATIENT } from '../adapters/mongo/stores.ts'
import { aMember } from '../contracts/members.ts'
import { aMongoDatabase, type MongoDatabase } from '../support/mongo.ts'

const { folder, remove } = temporaryFolder()
afterAll(remove)

const closing: (() => Promise<void>)[] = []
let source: MongoDatabase
let target: MongoDatabase
let number = 0
let file: string
const optionsOf = ({ url }: MongoDatabase) => ({ ...PATIENT, url })
const open = async (database: MongoDatabase) => {
  const stores = openMongo(optionsOf(database), systemClock)
  closing.push(stores.close)
  await connected(stores)
  return stores
}
beforeEach(async () => {
  source = await aMongoDatabase()
  target = await aMongoDatabase()
  await migrated(source.url)
  number += 1
  file = join(folder, `${number}.backup`)
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  await source.drop()
  await target.drop()
})

/** A member whose name for an app holds what a line of text may be taken to end with. */
const named = (label: string): Member =>
  aMember({
    credentials: [{ id: 'app', factor: 'totp', label, registeredAt: 1_800_000_000, data: {} }],
  })

describe('A backup of MongoDB', () => {
  test.each(['\u2028', '\u2029', '\u0085', '\r', '\r\n', '\n', '\v', '\f'])(
    'is whole and restored, though a member’s label holds %j',
    async (separator) => {
      const member = await (await open(source)).members.save(named(`my${separator}phone`))
      expect(await backUpMongo(optionsOf(source), file)).toMatchObject({ members: 1 })
      const counts = await restoreMongo(file, optionsOf(target), systemClock)
      expect(counts).toMatchObject({ members: 1 })
      expect(await (await open(target)).members.findById(member.id)).toEqual(member)
    },
  )

  test('is restored with lines of many megabytes, of which reading gives a piece at a time', async () => {
    const member = await (await open(source)).members.save(named('電話\u2028'.repeat(300_000)))
    await backUpMongo(optionsOf(source), file)
    await restoreMongo(file, optionsOf(target), systemClock)
    expect(await (await open(target)).members.findById(member.id)).toEqual(member)
  })

  test('is read back: one that was damaged while it was written is refused and not left', async () => {
    await (await open(source)).members.save(named('my phone'))
    let ended = false
    const damage = async () => {
      for (; !ended; await setImmediate()) {
        if (existsSync(`${file}.partial`)) truncateSync(`${file}.partial`)
      }
    }
    const backup = backUpMongo(optionsOf(source), file).finally(() => {
      ended = true
    })
    const [said] = await Promise.allSettled([backup, damage()])
    expect(said).toMatchObject({ reason: { reason: 'notReadBack', detail: file } })
    expect(readdirSync(folder).filter((name) => name.startsWith(`${number}.`))).toEqual([])
  })

  test('that is not there is told from one that is not whole', async () => {
    const restore = () => restoreMongo(file, optionsOf(target), systemClock)
    await expect(restore()).rejects.toMatchObject({ reason: 'noFile', detail: file })
    writeFileSync(file, '')
    await expect(restore()).rejects.toMatchObject({ reason: 'notABackup', detail: file })
  })
})
