import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { LOGOUT_SECONDS, logoutRequest } from '../../accounts/logouts.ts'
import type { MemberId } from '../../accounts/member.ts'
import type { Log, LogoutRequest, Outbox } from '../../accounts/ports.ts'
import { type Database, openDatabase } from '../../adapters/embedded/database.ts'
import { createOutbox } from '../../adapters/embedded/outbox.ts'
import { createLogoutDelivery } from '../../adapters/logout-delivery.ts'
import { type OutboxWorker, startOutboxWorker } from '../../adapters/outbox-worker.ts'
import { aClock, type TestClock } from '../support/clock.ts'

const LIMIT_MS = 1500

type Line = Readonly<{ event: string } & Record<string, unknown>>

describe('Logout tokens on their way', () => {
  let folder: string
  let open: Database[]
  let outbox: Outbox<LogoutRequest>
  let clock: TestClock
  let lines: Line[]
  let workers: OutboxWorker[]
  let server: Server
  /** How each relying party answers, and what it was asked, by client ID. */
  let answers: Map<string, RequestListener>
  let asked: string[]

  const log: Log = {
    info: (facts, event) => lines.push({ event, ...facts }),
    warn: (facts, event) => lines.push({ event, ...facts }),
    error: (facts, event) => lines.push({ event, ...facts }),
  }
  const uriOf = (clientId: string) =>
    `http://127.0.0.1:${(server.address() as AddressInfo).port}/${clientId}` // TCP, so no path
  const openOutbox = () => {
    const db = openDatabase(join(folder, 'test.sqlite'))
    open.push(db)
    return createOutbox<LogoutRequest>(db, 'logouts')
  }
  const begin = (own = outbox, registered = true, limitMs = 5000) => {
    const worker = startOutboxWorker({
      outbox: own,
      delivery: createLogoutDelivery({
        callFor: async ({ clientId, sid }) =>
          registered ? { uri: uriOf(clientId), token: `token-${sid}` } : undefined,
        fetch,
        clock,
        limitMs,
      }),
      clock,
      log,
    })
    workers.push(worker)
    return worker
  }
  const aRequest = (clientId = 'portal', sid = 'sid-1') =>
    logoutRequest({ clientId, memberId: 'hanako' as MemberId, sid }, clock.now())
  const said = async (event: string, times = 1) => {
    const count = () => lines.filter((line) => line.event === event).length
    for (let waited = 0; count() < times; waited += 10) {
      if (waited > 10_000) throw new Error(`no ${times} × ${event}: ${JSON.stringify(lines)}`)
      await delay(10)
    }
  }

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kenpo-id-logouts-'))
    open = []
    outbox = openOutbox()
    clock = aClock()
    lines = []
    workers = []
    answers = new Map()
    asked = []
    server = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk: Buffer) => {
        body += chunk
      })
      request.on('end', () => {
        asked.push(`${request.method} ${request.url} ${body}`)
        const answer = answers.get(request.url?.slice(1) ?? '')
        if (answer) answer(request, response)
        else response.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    for (const worker of workers) await worker.stop()
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
    for (const db of open) db.close()
    rmSync(folder, { recursive: true })
  })

  test('are posted as a form, once, and noted', async () => {
    await outbox.add(aRequest())
    begin()
    await said('logout_delivered')
    expect(asked).toEqual(['POST /portal logout_token=token-sid-1'])
    expect(lines).toEqual([
      {
        event: 'logout_delivered',
        logoutId: 'logout:portal:sid-1',
        clientId: 'portal',
        attempts: 1,
      },
    ])
    expect(await outbox.stateOf('logout:portal:sid-1')).toBe('sent')
  })

  test.each([
    [200, 'logout_delivered'],
    [204, 'logout_delivered'],
    [302, 'logout_failed'],
    [307, 'logout_failed'],
    [400, 'logout_failed'],
    [404, 'logout_failed'],
    [408, 'logout_put_off'],
    [429, 'logout_put_off'],
    [500, 'logout_put_off'],
    [503, 'logout_put_off'],
  ])('answered with %i: %s', async (status, event) => {
    answers.set('portal', (_request, response) => {
      response.writeHead(status, { Location: '/elsewhere' }).end()
    })
    await outbox.add(aRequest())
    begin()
    await said(event)
    if (event !== 'logout_delivered') expect(lines[0]).toMatchObject({ status, attempts: 1 })
    expect(asked).toHaveLength(1)
  })

  test('go out although the yes has a body that never ends', async () => {
    answers.set('portal', (_request, response) => {
      const more = () => {
        while (response.write('x'.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    })
    await outbox.add(aRequest())
    begin()
    await said('logout_delivered')
  })

  test('are made anew each time, and tried until an hour has passed', async () => {
    answers.set('portal', (_request, response) => response.writeHead(500).end())
    await outbox.add(aRequest())
    const worker = begin()
    for (let passed = 0; passed < LOGOUT_SECONDS; passed += 120) {
      await said('logout_put_off', 1 + passed / 120)
      await clock.advance(120)
      worker.nudge()
    }
    await said('logout_failed')
    expect(lines.at(-1)).toMatchObject({ clientId: 'portal', reason: 'expired' })
    expect(await outbox.stateOf('logout:portal:sid-1')).toBe('failed')
  })

  test('to a client that is no longer registered for them are dropped', async () => {
    await outbox.add(aRequest())
    begin(outbox, false)
    await said('logout_dropped')
    expect(asked).toEqual([])
  })

  test('of a worker that died are sent by the next one', async () => {
    await outbox.add(aRequest())
    expect(await outbox.claim(clock.now(), 10, 60)).toHaveLength(1)
    const worker = begin()
    await delay(50)
    expect(asked).toEqual([])
    await clock.advance(60)
    worker.nudge()
    await said('logout_delivered')
    expect(lines[0]).toMatchObject({ attempts: 2 })
  })

  test('of two servers on one store are sent once each', async () => {
    for (let sid = 0; sid < 60; sid += 1) await outbox.add(aRequest('portal', `sid-${sid}`))
    begin()
    begin(openOutbox())
    await said('logout_delivered', 60)
    expect(asked).toHaveLength(60)
    expect(new Set(asked).size).toBe(60)
  })

  describe('to a relying party that does not answer', () => {
    beforeEach(() => {
      answers.set('silent', () => undefined)
    })

    test('hold up nobody else’s', async () => {
      for (let sid = 0; sid < 60; sid += 1) await outbox.add(aRequest('silent', `sid-${sid}`))
      await outbox.add(aRequest('portal'))
      begin(outbox, true, LIMIT_MS)
      await said('logout_delivered')
      expect(lines.map(({ event }) => event)).toEqual(['logout_delivered'])
    })

    test('wait until one of them has found it answering', async () => {
      for (let sid = 0; sid < 30; sid += 1) await outbox.add(aRequest('silent', `sid-${sid}`))
      const worker = begin(outbox, true, LIMIT_MS)
      const delivered = () => lines.filter(({ event }) => event === 'logout_delivered').length
      await said('logout_put_off', 30)
      // As many as may be under way at once have asked; the others were spared.
      expect(asked).toHaveLength(10)
      expect(new Set(lines.map(({ reason }) => reason))).toEqual(new Set(['silent', 'troubled']))

      answers.delete('silent')
      // The first round is one token that finds it answering, the next is all the others.
      for (let rounds = 0; delivered() < 30; rounds += 1) {
        if (rounds === 5) throw new Error(`only ${delivered()} delivered`)
        const all = lines.length + 30 - delivered()
        await clock.advance(70)
        worker.nudge()
        for (let waited = 0; lines.length < all; waited += 10) {
          if (waited > 10_000) throw new Error(`${lines.length} of ${all} lines`)
          await delay(10)
        }
      }
      expect(asked).toHaveLength(40)
    })

    test('are a matter of its own: an address that refuses connections is tried again', async () => {
      const nowhere = createServer()
      await new Promise<void>((resolve) => nowhere.listen(0, '127.0.0.1', resolve))
      const { port } = nowhere.address() as AddressInfo // TCP, so no path
      await new Promise<void>((resolve) => nowhere.close(() => resolve()))
      await outbox.add(aRequest())
      workers.push(
        startOutboxWorker({
          outbox,
          delivery: createLogoutDelivery({
            callFor: async () => ({ uri: `http://127.0.0.1:${port}/`, token: 'token' }),
            fetch,
            clock,
          }),
          clock,
          log,
        }),
      )
      await said('logout_put_off')
      expect(lines[0]).toMatchObject({ reason: 'unreachable' })
      expect(JSON.stringify(lines)).not.toContain('hanako')
    })
  })
})
