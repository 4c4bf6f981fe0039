import { Writable } from 'node:stream'
import { describe, expect, test } from '@jest/globals'
import { IdentityError } from '../../accounts/errors.ts'
import type { Log } from '../../accounts/ports.ts'
import { createLog, systemClock, systemRandom } from '../../adapters/system.ts'
import { sourceText } from '../style/sources.ts'

const CANARY = 'canary-7f3a'

const aLog = (level: 'info' | 'debug' = 'info') => {
  let written = ''
  const destination = new Writable({
    write(chunk, _encoding, done) {
      written += chunk
      done()
    },
  })
  return {
    log: createLog({ level, pretty: false, destination }),
    text: () => written,
    lines: () =>
      written
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

describe('the operator’s log', () => {
  test('a line says when, how grave, what, and in which request', () => {
    const { log, lines } = aLog()
    log.child({ reqId: 'r1' }).warn({ step: 'password', limit: 'password', count: 3 }, 'throttled')
    expect(lines()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        reqId: 'r1',
        step: 'password',
        limit: 'password',
        count: 3,
        msg: 'throttled',
      },
    ])
  })

  test('it serves where a Log is asked for', () => {
    const { log, lines } = aLog()
    const port: Log = log
    port.info({ memberId: 'm1' }, 'enrolled')
    expect(lines()[0]).toMatchObject({ level: 'info', memberId: 'm1', msg: 'enrolled' })
  })

  test('lines below its level are not written', () => {
    const { log, lines } = aLog()
    log.debug({ step: 'password' }, 'quiet')
    expect(lines()).toEqual([])
  })

  test.each(['README.md', 'README.ja.md'])('every fact that %s promises comes out', (readme) => {
    const table = /^\| `msg` \|.*?\n\n/ms.exec(sourceText(readme))?.[0] ?? ''
    const cells = table.split('\n').flatMap((row) => row.split(' | ').slice(1))
    const named = cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name))
    // Neither options, nor an event, nor a client's metadata.
    const others = /^(?:IDP_[A-Z_]+|uncaught|backchannel_logout_uri)$/
    const facts = named.filter((name) => !others.test(name!))
    expect(facts).toContain('logoutId')
    const { log, lines } = aLog()
    for (const name of facts) log.info({ [name!]: 'told' }, 'event')
    expect(lines().map((line, index) => [facts[index], line[facts[index]!]])).toEqual(
      facts.map((name) => [name, 'told']),
    )
  })

  const SECRETS = [
    'password',
    'newPassword',
    'code',
    'token',
    'access_token',
    'refresh_token',
    'id_token',
    'cookie',
    'set-cookie',
    'authorization',
    'birthdate',
    'birth_date',
    'email',
    'to',
    'name',
    'loginId',
    'secret',
    'client_secret',
    'challenge',
    'body',
    'form',
    'headers',
    'query',
    'url',
    'a name nobody thought of',
  ]

  test.each(SECRETS)('a fact named %s does not come out, however it is passed', (name) => {
    const { log, text, lines } = aLog()
    log.info({ [name]: CANARY, step: 'email' }, 'event')
    log.info({ [name]: { deep: [CANARY] }, step: { [name]: CANARY } }, 'event')
    log.info({ network: [{ [name]: CANARY }], reason: { toJSON: () => CANARY } }, 'event')
    log.child({ [name]: CANARY }).info({}, 'event')
    log
      .child({ reqId: 'r' })
      .child({ [name]: CANARY })
      .info({}, 'event')
    log.error({ err: Object.assign(new Error('refused'), { [name]: { CANARY } }) }, 'event')
    expect(text()).not.toContain(CANARY)
    expect(lines()).toHaveLength(6)
    expect(lines()[0]).toMatchObject({ step: 'email', omitted: 1 })
  })

  test('an error is told by its type, code, detail, place and cause', () => {
    const { log, lines } = aLog()
    const cause = new TypeError('no such table')
    log.error({ err: new IdentityError('store_failed', 503, 'members', { cause }) }, 'failed')
    expect(lines()[0]).toMatchObject({
      msg: 'failed',
      err: {
        type: 'IdentityError',
        code: 'store_failed',
        status: 503,
        detail: 'members',
        cause: { type: 'TypeError', message: 'no such table' },
      },
    })
    const [line] = lines() as { err: { stack: string[] } }[]
    expect(line?.err.stack[0]).toMatch(/^at .*system\.test\.ts:\d+:\d+\)?$/)
  })

  test('an error logged alone keeps its message out of the event', () => {
    const { log, lines } = aLog()
    log.error(new Error('connection lost'))
    expect(lines()[0]).toMatchObject({ msg: 'event', err: { message: 'connection lost' } })
  })

  test('an error’s words do not bring out addresses, tokens and links', () => {
    const { log, text } = aLog()
    const token = `${CANARY}${'x'.repeat(43)}`
    for (const message of [
      `550 <${CANARY}@example.jp>: no such user`,
      `550 "${CANARY} a"@example.jp${CANARY}`.replace(/jp.*/, 'jp'),
      `jwt ey${CANARY}.ey${CANARY}.${CANARY} is expired`,
      `code ${token} not found`,
      `GET /auth?login_hint=${CANARY}&state=${CANARY}${CANARY}`,
      `first line\n    at ${token} (${CANARY}@example.jp:1:2)`,
    ]) {
      const err = new Error(message, { cause: new Error(message) })
      log.error({ err, reason: `${CANARY}@example.jp` }, `${CANARY}@example.jp`)
      log.error(Object.assign(new Error('x'), { code: message, detail: message }))
    }
    expect(text()).not.toContain(`${CANARY}@`)
    expect(text()).not.toContain(token)
    expect(text()).not.toContain(`ey${CANARY}`)
    expect(text()).not.toContain(`=${CANARY}`)
  })

  test.each(['\r\n', '\n', '\r', '\u2028', '\u2029', '\u0000', '\u001b[2K'])(
    'a line break or control character (%j) cannot forge a line',
    (control) => {
      const { log, text, lines } = aLog()
      const forged = `x${control}{"level":"info","msg":"forged"}`
      log.child({ reqId: forged }).info({ reason: forged, err: new Error(forged) }, forged)
      expect(lines()).toHaveLength(1)
      expect(text().slice(0, -1)).not.toMatch(/[\p{Cc}\u2028\u2029]/u)
      const [line] = lines()
      for (const value of [line?.reqId, line?.reason, line?.msg]) {
        expect(value).toMatch(/^[^\p{Cc}\u2028\u2029]+$/u)
      }
    },
  )

  test('nothing is interpolated into an event', () => {
    const { log, text } = aLog()
    log.info('signed in %s %o', CANARY, { CANARY })
    log.info({ step: 'password' }, 'signed in %s', CANARY)
    expect(text()).not.toContain(CANARY)
  })

  test('a very long text is cut', () => {
    const { log, text } = aLog()
    log.info({ reason: 'long '.repeat(10_000) }, 'long '.repeat(10_000))
    expect(text().length).toBeLessThan(2000)
  })
})

test('the clock counts whole seconds since 1970', () => {
  const before = Math.floor(Date.now() / 1000)
  const now = systemClock.now()
  expect(Number.isInteger(now)).toBe(true)
  expect(now).toBeGreaterThanOrEqual(before)
  expect(now).toBeLessThanOrEqual(Math.floor(Date.now() / 1000))
})

test('random bytes are as many as asked for and never the same', () => {
  const drawn = Array.from({ length: 100 }, () => systemRandom(32))
  expect(drawn.every((bytes) => bytes.length === 32)).toBe(true)
  expect(new Set(drawn.map((bytes) => bytes.toString('hex'))).size).toBe(100)
})
