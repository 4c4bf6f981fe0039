import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { aDeployment, type Deployment, type RunningProcess } from '../support/deployment.ts'
import { aRequestUnderWay, underLoad } from './clients.ts'

/** What a balancer does: asks until the server says that it should get nothing more. */
const untilNotReady = async (server: RunningProcess): Promise<string> => {
  for (;;) {
    const { status, text } = await server.probe('/readyz')
    if (status !== 200) return text
    await delay(10)
  }
}

/** SIGTERM (security.md F29). */
describe('A server that is told to stop', () => {
  let deployment: Deployment
  beforeEach(async () => {
    deployment = await aDeployment()
  })
  afterEach(() => deployment.close())

  test('says so first and goes on answering, so that under load no request is lost', async () => {
    const server = await deployment.run({ env: { IDP_STOP_DELAY_SECONDS: '1' } })
    const load = underLoad(deployment)
    await server.said('"request"', 50)
    server.child.kill('SIGTERM')
    expect(await untilNotReady(server)).toBe('not ready: the server is stopping\n')
    expect((await server.probe('/healthz')).status).toBe(200)
    await load.end()
    expect(load.tally.failed).toEqual([])
    expect(load.tally.answered).toBeGreaterThan(50)
    expect(await server.exited).toEqual({ code: 0, signal: null })
    await server.said('"stopped"')
  }, 90_000)

  test('answers what it was already asked, and keeps no connection', async () => {
    const server = await deployment.run()
    const requests = await Promise.all([1, 2, 3].map(() => aRequestUnderWay(deployment)))
    server.child.kill('SIGTERM')
    await server.said('"stopping"')
    await untilNotReady(server)
    const answers = await Promise.all(requests.map((request) => request.finish()))
    // The token endpoint's own answer to a client that did not say who it is.
    expect(answers).toEqual(requests.map(() => ({ status: 400, connection: 'close' })))
    expect(await server.exited).toEqual({ code: 0, signal: null })
  }, 90_000)
})
