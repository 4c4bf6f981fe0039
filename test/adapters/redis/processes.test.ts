import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { LIMITS } from '../../../accounts/throttle.ts'
import { createArtifactAdapter } from '../../../adapters/redis/artifacts.ts'
import { createRedis, type RedisConnection } from '../../../adapters/redis/connect.ts'
import { createTransientStore } from '../../../adapters/redis/transient.ts'
import { systemClock } from '../../../adapters/system.ts'
import { connected, type RedisServer, startRedis } from '../../support/redis.ts'

const KEYS = 50

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))

describe('one Redis server under several processes', () => {
  let server: RedisServer
  let connection: RedisConnection
  let children: ChildProcess[]
  beforeEach(async () => {
    children = []
    server = await startRedis()
    connection = createRedis({ url: server.url, commandTimeoutMs: 5000 })
    await connected(connection)
  })
  afterEach(async () => {
    for (const child of children) child.kill('SIGKILL')
    await connection.close()
    await server.stop()
  })

  const startChild = async () => {
    const child = spawn(
      process.execPath,
      [
        '--import',
        fileOf('../../support/typescript/register.mjs'),
        fileOf('child.ts'),
        server.url,
        `${KEYS}`,
      ],
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

  test('two processes with twenty callers each: everything is had once', async () => {
    const transient = createTransientStore(connection.client, systemClock)
    const codes = createArtifactAdapter(connection.client, systemClock)('AuthorizationCode')
    for (let key = 0; key < KEYS; key++) {
      await transient.put(`take:${key}`, 'value', 600)
      await transient.put(`replace:${key}`, 'old', 600)
      await codes.upsert(`${key}`, { jti: `${key}` }, 600)
    }
    const pair = await Promise.all([startChild(), startChild()])
    for (const { go } of pair) go()
    const reports = (await Promise.all(pair.map(({ next }) => next()))) as {
      won: Record<string, number>
      errors: string[]
    }[]
    expect(reports.flatMap(({ errors }) => errors)).toEqual([])
    const won = (what: string) => reports.reduce((sum, report) => sum + (report.won[what] ?? 0), 0)
    expect({
      taken: won('taken'),
      replaced: won('replaced'),
      consumed: won('consumed'),
      attempts: won('attempts'),
    }).toEqual({
      taken: KEYS,
      replaced: KEYS,
      consumed: KEYS,
      attempts: KEYS * LIMITS.password.points,
    })
  })
})
