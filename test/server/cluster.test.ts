import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  aDeployment,
  type Deployment,
  freePort,
  type RunningProcess,
} from '../support/deployment.ts'
import { aRequestUnderWay, ask, underLoad } from './clients.ts'

/** Runs before the product in each worker: SIGUSR2 is a fault of ours that nobody catches. */
const FAULT = `data:text/javascript,${encodeURIComponent(
  "process.on('SIGUSR2', () => { throw new Error('a fault of the test') })",
)}`

describe('One machine with two workers', () => {
  let deployment: Deployment
  let primary: RunningProcess
  beforeAll(async () => {
    deployment = await aDeployment()
    primary = await deployment.run({
      entry: 'cluster.ts',
      args: ['2'],
      nodeArgs: ['--import', FAULT],
      env: { IDP_STOP_DELAY_SECONDS: '1' },
    })
    await primary.said('"listening"', 2)
  }, 90_000)
  afterAll(() => deployment.close())

  /** The workers' process IDs, oldest first, from the kernel. */
  const workers = (): readonly number[] => {
    const listed = execFileSync('ps', ['-o', 'pid=', '--ppid', String(primary.pid)])
    return listed
      .toString()
      .split('\n')
      .map((line) => Number(line))
      .filter((pid) => pid > 0 && pid !== primary.pid)
  }

  test('their figures are told together, on one management port', async () => {
    for (let asked = 0; asked < 6; asked += 1) expect(await ask(deployment)).toBe(200)
    const { status, text } = await primary.probe('/metrics')
    expect(status).toBe(200)
    const counted = text
      .split('\n')
      .find((line) => line.startsWith('idp_http_request_duration_seconds_count'))
    expect(Number(counted?.split(' ').at(-1))).toBe(6)
    expect((await primary.probe('/readyz')).text).toBe('ready\n')
  })

  test('a worker with an uncaught fault says so, ends and is replaced while the other serves', async () => {
    const before = workers()
    process.kill(before[0] ?? 0, 'SIGUSR2')
    await primary.said('"worker_restarted"')
    expect((await primary.probe('/readyz')).status).toBe(200)
    expect(await ask(deployment)).toBe(200)
    await primary.said('"listening"', 3)
    const fault = deployment.lines.find((line) => line.includes('"uncaught"'))
    expect(fault).toContain('a fault of the test')
    const after = workers()
    expect(after).toHaveLength(2)
    expect(after).toContain(before[1])
    expect(after).not.toContain(before[0])
  }, 60_000)

  test('a killed worker is replaced', async () => {
    const [oldest] = workers()
    process.kill(oldest ?? 0, 'SIGKILL')
    await primary.said('"listening"', 4)
    expect(workers()).toHaveLength(2)
  }, 60_000)

  test('told to stop under load, it loses no request', async () => {
    const load = underLoad(deployment)
    const [kept] = await Promise.all([aRequestUnderWay(deployment), primary.said('"request"', 60)])
    primary.child.kill('SIGTERM')
    await primary.said('"stopping"', 3)
    expect((await primary.probe('/readyz')).text).toBe('not ready: the server is stopping\n')
    expect((await primary.probe('/healthz')).status).toBe(200)
    await load.end()
    expect(load.tally.failed).toEqual([])
    expect(await kept.finish()).toEqual({ status: 400, connection: 'close' })
    expect(await primary.exited).toEqual({ code: 0, signal: null })
  }, 60_000)
})

describe('A cluster that is told to stop while it starts', () => {
  test('stops as told, with its stores away and its workers loading', async () => {
    const deployment = await aDeployment()
    try {
      const away = `127.0.0.1:${await freePort()}`
      const waiting = await deployment.run({
        entry: 'cluster.ts',
        args: ['1'],
        env: {
          IDP_STORE: 'redis+mongo',
          IDP_REDIS_URL: `redis://${away}`,
          IDP_MONGO_URL: `mongodb://${away}/kenpo`,
          // Whoever changes clients here needs the stores: they are waited for.
          IDP_ADMIN_TOKENS: `hanako:${randomBytes(32).toString('hex')}`,
        },
        wait: false,
      })
      await waiting.said('"store_unreachable"')
      waiting.child.kill('SIGTERM')
      expect(await waiting.exited).toEqual({ code: 0, signal: null })

      const loading = await deployment.run({ entry: 'cluster.ts', args: ['1'], wait: false })
      while ((await loading.probe('/healthz')).status === 0) await delay(5)
      loading.child.kill('SIGTERM')
      expect(await loading.exited).toEqual({ code: 0, signal: null })
    } finally {
      await deployment.close()
    }
  }, 90_000)
})

describe('A cluster that cannot start', () => {
  test('ends and says why, once for all that it would try', async () => {
    const deployment = await aDeployment()
    const other = await deployment.run()
    try {
      const starting = deployment.run({ entry: 'cluster.ts', args: ['2'] })
      await expect(starting).rejects.toThrow(/exit 1.*Port \d+ is in use already/s)
      const many = deployment.run({ entry: 'cluster.ts', args: ['two'] })
      await expect(many).rejects.toThrow('The number of workers must be from 1 to 64')
      expect((await other.probe('/readyz')).status).toBe(200)
    } finally {
      await deployment.close()
    }
  }, 90_000)
})
