import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { mongo } from 'mongoose'
import { MIGRATIONS } from '../../adapters/mongo/migrations.ts'
import { startCommand } from '../cli/command.ts'
import {
  aDeployment,
  type Deployment,
  freePort,
  type RunningProcess,
} from '../support/deployment.ts'
import { onServer } from '../support/mongo.ts'
import { serverStores } from '../support/server-stores.ts'
import type { TestStores } from '../support/stores.ts'

const KNOWN = MIGRATIONS.length
const NEWER = KNOWN + 1

describe('A server on MongoDB that another release has used', () => {
  let stores: TestStores
  let deployment: Deployment
  let running: RunningProcess
  beforeAll(async () => {
    stores = await serverStores()
    deployment = await aDeployment(undefined, stores)
    running = await deployment.run()
  }, 90_000)
  afterAll(() => deployment.close())

  type Applied = Readonly<{ _id: number; name: string; compatibleFrom: number }>
  const migrations = <T>(act: (records: mongo.Collection<Applied>) => Promise<T>): Promise<T> =>
    onServer(stores.env.IDP_MONGO_URL ?? '', (db) => act(db.collection<Applied>('migrations')))

  test('goes on beside a later one that leaves it its own, and starts there too', async () => {
    await migrations((records) =>
      records.insertOne({ _id: NEWER, name: 'of a later release', compatibleFrom: KNOWN }),
    )
    expect((await running.probe('/readyz')).text).toBe('ready\n')
    const back = await deployment.run({ port: await freePort() })
    back.child.kill('SIGTERM')
    expect(await back.exited).toEqual({ code: 0, signal: null })
  }, 60_000)

  test('says which version there is, which it knows and what to do, and does not start', async () => {
    await migrations((records) =>
      records.updateOne({ _id: NEWER }, { $set: { compatibleFrom: NEWER } }),
    )
    const says = `the schema is at version ${NEWER}, made by a later release, and this release knows version ${KNOWN}`
    const { status, text } = await running.probe('/readyz')
    expect(status).toBe(503)
    expect(text).toContain(says)
    expect(text).toContain('run the later release again, or restore the backup')
    const starting = deployment.run({ port: await freePort() })
    await expect(starting).rejects.toThrow(new RegExp(`exit 1.*${says}`, 's'))
    // Only what is text: the environment of a process has nothing else.
    const env = stores.env as Record<string, string>
    const { code, out, err } = await startCommand('/nowhere', env, ['migrate']).ended
    expect([code, out]).toEqual([1, ''])
    expect(err).toContain(says)
  }, 60_000)

  test('says so likewise where the schema is older than it was', async () => {
    await migrations((records) => records.deleteMany({ _id: { $gte: KNOWN } }))
    const { status, text } = await running.probe('/readyz')
    expect(status).toBe(503)
    expect(text).toContain(`at version ${KNOWN - 1}, and this release needs version ${KNOWN}`)
    expect(text).toContain('run "npx kenpo-idp migrate"')
  })
})
