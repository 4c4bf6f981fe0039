import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { Adapters } from '../../adapters/adapters.ts'
import { openEmbedded } from '../../adapters/embedded/index.ts'
import { createMetrics } from '../../adapters/metrics.ts'
import { aMember } from '../support/builders.ts'
import { aClock } from '../support/clock.ts'

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
      ['form refused', { step: 'verifyFactor', reason: ['pk.cancel'], place: 'companyNetwork' }],
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

  test('tell of each exhausted limit, and of a paused account', () =>
    withStores(async ({ throttle }, text) => {
      for (let tries = 0; tries < 12; tries += 1) await throttle.count('password', 'somebody')
      await throttle.look('password', 'somebody')
      expect(await text()).toContain('idp_rate_limited_total{rule="password"} 3')
      expect(await text()).toContain('idp_lockout_total 2')
      expect(await text()).not.toContain('somebody')
    }))

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
