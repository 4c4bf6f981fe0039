import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { countInOrder, LIMITS, type LimitId } from '../../accounts/throttle.ts'
import type { Adapters } from '../../adapters/adapters.ts'
import { openEmbedded } from '../../adapters/embedded/index.ts'
import { openAdapters } from '../../adapters/index.ts'
import { createMetrics } from '../../adapters/metrics.ts'
import { loadConfig } from '../../config/index.ts'
import { aMember } from '../support/builders.ts'
import { aClock } from '../support/clock.ts'
import { serverStores } from '../support/server-stores.ts'
import { embeddedStores, type TestStores } from '../support/stores.ts'

const silent = { info() {}, warn() {}, error() {} }

const withStores = async (
  work: (stores: Adapters, text: () => Promise<string>) => Promise<void>,
) => {
  const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-metrics-'))
  const metrics = createMetrics(() => ({ running: 1, waiting: 7 }))
  const stores = metrics.stores(openEmbedded(folder, aClock()))
  try {
    await work(stores, () => metrics.registry.metrics())
  } finally {
    await stores.close()
    rmSync(folder, { recursive: true })
  }
}

const figuresOf = async (lines: readonly (readonly [string, object])[]): Promise<string> => {
  const metrics = createMetrics(() => ({ running: 0, waiting: 0 }))
  const log = metrics.log(silent)
  for (const [event, facts] of lines) log.info(facts, event)
  return metrics.registry.metrics()
}

describe('The figures', () => {
  test('of a passkey that failed say why, apart for making one and for using one', async () => {
    const text = await figuresOf([
      ['form refused', { step: 'registerFactor', reason: ['pk.cancel'], place: 'elsewhere' }],
      ['form refused', { step: 'account/add-passkey', reason: ['pk.exists'] }],
      [
        'form refused',
        { step: 'verifyFactor', factor: 'passkey', reason: ['pk.cancel'], place: 'companyNetwork' },
      ],
      ['second step proven', { factor: 'passkey' }],
    ])
    for (const line of [
      'idp_passkey_ceremony_total{type="registration",result="pk.cancel"} 1',
      'idp_passkey_ceremony_total{type="registration",result="pk.exists"} 1',
      'idp_passkey_ceremony_total{type="authentication",result="pk.cancel"} 1',
      'idp_passkey_ceremony_total{type="authentication",result="ok"} 1',
      'idp_login_total{method="passkey",result="refused",place="companyNetwork"} 1',
    ]) {
      expect(text).toContain(line)
    }
  })

  test('have no label that a client could make up', async () => {
    const request = { route: /x/, method: 'BREW', status: 405, durationMs: 2 }
    const text = await figuresOf([['request', request]])
    expect(text).toContain('{route="none",status="405",method="other"} 1')
    expect(text).not.toContain('BREW')
  })

  test('tell how long each signing key has been in use, and of no key that is not', async () => {
    const metrics = createMetrics(() => ({ running: 0, waiting: 0 }))
    expect(await metrics.registry.metrics()).not.toContain('idp_keys_age_seconds{')
    let ages = [
      { alg: 'ES256', seconds: 86_400 },
      { alg: 'EdDSA', seconds: 5 },
    ]
    metrics.keys(() => ages)
    expect(await metrics.registry.metrics()).toContain('idp_keys_age_seconds{alg="EdDSA"} 5')
    ages = ages.slice(0, 1)
    const text = await metrics.registry.metrics()
    expect(text).toContain('idp_keys_age_seconds{alg="ES256"} 86400')
    expect(text).not.toContain('EdDSA')
  })

  test('tell how long the stores took, what failed, what waits to be sent and to be hashed', () =>
    withStores(async ({ outbox, transient, members }, text) => {
      await transient.put('key', 1, 60)
      const mail = { id: 'mail-1', to: 'a@example.jp', template: 'locked', locale: 'ja' } as const
      const times = { requestedAt: 0, expiresAt: 4_000_000_000 }
      await outbox.add({ ...mail, ...times, societyId: 'sakura', facts: {} })
      const stranger = aMember({ revision: 7 })
      await expect(members.save(stranger)).rejects.toThrow('stale_member')
      const told = await text()
      expect(told).toContain('idp_store_op_duration_seconds_count{store="transient",op="put"} 1')
      expect(told).toContain('idp_store_op_failures_total{store="members",op="save"} 1')
      expect(told).toContain('idp_mail_queue_depth 1')
      expect(told).toContain('idp_password_hashing{state="waiting"} 7')
    }))
})

type Kept = Readonly<{ stores: TestStores; end: () => void }>
const KINDS: readonly (readonly [string, () => Promise<Kept>])[] = [
  [
    'the embedded file',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-metrics-'))
      return { stores: embeddedStores(folder), end: () => rmSync(folder, { recursive: true }) }
    },
  ],
  ['Redis and MongoDB', async () => ({ stores: await serverStores(), end: () => undefined })],
]

/** Names of what can be called. */
const callable = (port: object): readonly string[] =>
  Object.entries(port).flatMap(([name, value]) => (typeof value === 'function' ? [name] : []))

describe.each(KINDS)('The figures of %s', (kind, keep) => {
  let kept: Kept
  let opened: Adapters
  let stores: Adapters
  let text: () => Promise<string>
  beforeAll(async () => {
    kept = await keep()
    const folder = mkdtempSync(join(tmpdir(), 'kenpo-id-metrics-data-'))
    const env = { NODE_ENV: 'test', IDP_DATA_DIR: folder, ...kept.stores.env }
    opened = await openAdapters(loadConfig(env), aClock())
    const metrics = createMetrics(() => ({ running: 0, waiting: 0 }))
    stores = metrics.stores(opened)
    text = () => metrics.registry.metrics()
  })
  afterAll(async () => {
    await opened?.close()
    await kept?.stores.stop()
    kept?.end()
  })

  test('leave every port, and every method of each, optional ones among them', () => {
    expect(callable(stores)).toEqual(callable(opened))
    const ports = Object.entries(opened).filter(([, port]) => typeof port === 'object')
    expect(ports.length).toBeGreaterThan(10)
    for (const [name, port] of ports) {
      // One of the same names, whatever they are.
      const counted = Object.entries(stores).find(([other]) => other === name)?.[1]
      expect([name, callable(counted ?? {})]).toEqual([name, callable(port)])
    }
    for (const model of ['Session', 'Grant', 'AuthorizationCode']) {
      expect(callable(stores.artifacts(model))).toEqual(callable(opened.artifacts(model)))
    }
    const optional = [
      stores.throttle.countInOrder,
      stores.throttle.countAhead,
      stores.transient.replaceLater,
      stores.unitOfWork,
    ].map((method) => typeof method)
    const there = kind === 'Redis and MongoDB' ? 'function' : 'undefined'
    expect(optional).toEqual([there, there, there, there])
  })

  test('tell of each exhausted limit, and of a paused account, whichever way it is counted', async () => {
    const { throttle } = stores
    for (let tries = 0; tries < 12; tries += 1) await throttle.count('password', 'somebody')
    await throttle.look('password', 'somebody')
    expect(await text()).toContain('idp_rate_limited_total{rule="password"} 3')
    expect(await text()).toContain('idp_lockout_total 2')
    for (let tries = 0; tries < 12; tries += 1) {
      await countInOrder(throttle, [['password', 'somebody else']])
    }
    expect(await text()).toContain('idp_rate_limited_total{rule="password"} 5')
    expect(await text()).toContain('idp_lockout_total 4')
    expect(await text()).not.toContain('somebody')
  })

  test('name the limit that was met, of several counted at once', async () => {
    const limits: readonly (readonly [LimitId, string])[] = [
      ['totpPerRequest', 'request'],
      ['totp', 'member'],
      ['totpInARow', 'member'],
    ]
    const tries = LIMITS.totpPerRequest.points + 1
    for (let each = 0; each < tries; each += 1) await countInOrder(stores.throttle, limits)
    const rules = [...(await text()).matchAll(/idp_rate_limited_total\{rule="([^"]*)"/gu)]
    expect(rules.map(([, rule]) => rule)).toEqual(['password', 'totpPerRequest'])
  })
})
