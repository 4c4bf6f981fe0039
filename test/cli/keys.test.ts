import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { keepSetting, openAdapters } from '../../adapters/index.ts'
import { systemClock, systemRandom } from '../../adapters/system.ts'
import { loadConfig } from '../../config/index.ts'
import { openSigningKeys } from '../../signing-keys.ts'
import { temporaryFolder } from '../adapters/embedded/temporary.ts'
import { type Outcome, runHere, runWith } from './command.ts'

type Key = Readonly<Record<string, string>>
type Listed = Readonly<{ source: string; keys: readonly Key[] }>

const AS_JSON = ['--format', 'json'] as const
const BY = ['--operator', 'alice'] as const
const HOUR = 3600

let dataDir: string
let remove: () => void
beforeEach(() => {
  ;({ folder: dataDir, remove } = temporaryFolder())
})
afterEach(() => remove())

const keys = (...args: readonly string[]): Promise<Outcome> => runHere(dataDir, 'keys', ...args)
const told = ({ out, err }: Outcome): Listed => {
  if (err !== '') throw new Error(err)
  return JSON.parse(out) as Listed
}
const listed = async () => told(await keys('list', ...AS_JSON)).keys
const states = (list: readonly Key[]) => list.map(({ state, alg }) => `${state} ${alg}`)
const kids = (list: readonly Key[]) => list.map(({ kid }) => kid)

/** What a server does with the keys when it starts; the private keys that it then has. */
const started = async (env: Readonly<Record<string, string>> = {}) => {
  const config = loadConfig({ IDP_DATA_DIR: dataDir, ...env }, undefined, keepSetting)
  const adapters = await openAdapters(config, systemClock)
  const log = { info() {}, warn() {}, error() {} }
  const ports = { clock: systemClock, randomBytes: systemRandom, log }
  const open = await openSigningKeys(config, adapters, ports)
  // The installation's own: plain JWKs.
  const found = open.jwks().keys as readonly Readonly<Record<string, unknown>>[]
  await open.close()
  const acts = await adapters.audit.eventsOf('signing-keys')
  await adapters.close()
  return { jwks: found, acts }
}

/** An operator's own set, as an environment variable holds it. */
const ownJwks = (alg = 'RS256') => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...privateKey.export({ format: 'jwk' }), kid: 'my-own', alg: 'RS256' }
  const { privateKey: other } = generateKeyPairSync('ed25519')
  const further = { ...other.export({ format: 'jwk' }), kid: 'further', alg: 'EdDSA' }
  return JSON.stringify({ keys: alg === 'RS256' ? [key] : [key, further] })
}

describe('kenpo-idp keys', () => {
  test('list says that a server makes the keys, and then shows one of each algorithm, signing', async () => {
    const before = await keys('list')
    expect(before).toMatchObject({ code: 1, out: '' })
    expect(before.err).toContain('a server makes them when it first starts')
    await started()
    const list = await listed()
    expect(states(list)).toEqual(['active ES256', 'active RS256', 'active PS256'])
    for (const { kid, encryption_key } of list) {
      expect(kid).toMatch(/^[\w-]{43}$/)
      expect(encryption_key).toMatch(/^development-only-/)
    }
    const { out } = await keys('list')
    for (const kid of kids(list)) expect(out).toContain(`${kid}\n`)
  })

  test('rotate publishes new keys that sign when the time has come, and not twice at once', async () => {
    await started()
    const former = kids(await listed())
    const now = systemClock.now()
    const list = told(await keys('rotate', ...BY, '--lead-hours', '48', ...AS_JSON)).keys
    expect(states(list)).toEqual([
      ...['active ES256', 'active RS256', 'active PS256'],
      ...['published ES256', 'published RS256', 'published PS256'],
    ])
    expect(kids(list.slice(0, 3))).toEqual(former)
    for (const { active_at = '' } of list.slice(3)) {
      const lead = Date.parse(active_at) / 1000 - now
      expect(Math.abs(lead - 48 * HOUR)).toBeLessThan(60)
    }
    const again = await keys('rotate', ...BY)
    expect(again).toMatchObject({ code: 1, out: '' })
    expect(again.err).toContain('A rotation is under way')
    expect((await started()).jwks.map(({ kid }) => kid)).toEqual(kids(list))
  })

  test('rotate --now revokes all of them', async () => {
    await started()
    const former = kids(await listed())
    const { code, out } = await keys('rotate', ...BY, '--now')
    expect(code).toBe(0)
    expect(out).toContain('All former keys are revoked')
    const list = await listed()
    expect(list).toHaveLength(6)
    for (const { kid, state, until, active_at } of list) {
      // Five seconds, in which every server learns of it.
      if (former.includes(kid)) expect([state, until]).toEqual(['active', list[3]?.active_at])
      else expect([state, active_at]).toEqual(['published', list[0]?.until])
    }
    const { acts } = await started()
    expect(acts).toMatchObject([
      { act: 'signingKeysRevoked', operator: 'alice', facts: { kids: former.join(' ') } },
    ])
  })

  test('rotate refuses to make keys that the servers could not read', async () => {
    const before = (await started()).jwks.map(({ kid }) => kid)
    const env = { IDP_ENCRYPTION_KEYS: `another:${randomBytes(32).toString('base64url')}` }
    const withOther = (...args: readonly string[]) =>
      runWith(dataDir, env, 'keys', 'rotate', ...BY, ...args)
    for (const args of [[], ['--now']]) {
      const { code, err } = await withOther(...args)
      expect(code).toBe(1)
      expect(err).toContain('cannot be read with these IDP_ENCRYPTION_KEYS')
      expect(err).toContain('--now --lost')
    }
    expect((await started()).jwks.map(({ kid }) => kid)).toEqual(before)
    expect((await withOther('--lost')).code).toBe(2)
  })

  test('rotate --now --lost begins anew, and a server starts with the new keys at once', async () => {
    await started()
    const former = kids(await listed())
    const env = { IDP_ENCRYPTION_KEYS: `another:${randomBytes(32).toString('base64url')}` }
    await expect(started(env)).rejects.toThrow('unreadable_secret')
    const { code, out } = await runWith(
      ...[dataDir, env, 'keys', 'rotate', ...BY, '--now', '--lost'],
    )
    expect(code).toBe(0)
    expect(out).toContain('Start the servers')
    const { jwks, acts } = await started(env)
    const list = await listed()
    expect(states(list)).toEqual(['active ES256', 'active RS256', 'active PS256'])
    expect(jwks.map(({ kid }) => kid)).toEqual(kids(list))
    expect(acts).toMatchObject([{ act: 'signingKeysRevoked', facts: { kids: former.join(' ') } }])
    for (const kid of former) expect(kids(list)).not.toContain(kid)
  })

  test('no private key is ever printed', async () => {
    const { jwks } = await started()
    const rotated = await keys('rotate', ...BY, ...AS_JSON)
    const answers = [
      await keys('list'),
      await keys('list', ...AS_JSON),
      rotated,
      await keys('rotate', ...BY, '--now'),
      await keys('rotate', ...BY),
    ]
    for (const { out, err } of answers) {
      for (const key of jwks) expect(out + err).not.toContain(String(key.d))
      expect(out + err).not.toMatch(/"?sealed"?:|v1\./)
    }
  })

  test('adopt takes the operator’s own keys over, which sign on without IDP_JWKS', async () => {
    const env = { IDP_JWKS: ownJwks() }
    const withOwn = (...args: readonly string[]) => runWith(dataDir, env, 'keys', ...args)
    expect((await started(env)).jwks).toMatchObject([{ kid: 'my-own' }])
    expect(told(await withOwn('list', ...AS_JSON))).toEqual({
      source: 'IDP_JWKS',
      keys: [{ kid: 'my-own', alg: 'RS256', state: 'active' }],
    })
    expect((await withOwn('rotate', ...BY)).err).toContain('hand them over with')
    expect((await withOwn('adopt', ...BY)).out).toContain('start the servers without IDP_JWKS')
    const { jwks } = await started()
    expect(jwks.map(({ alg }) => alg).toSorted()).toEqual(['ES256', 'PS256', 'RS256'])
    expect(jwks.find(({ alg }) => alg === 'RS256')).toMatchObject({
      ...JSON.parse(env.IDP_JWKS).keys[0],
      use: 'sig',
    })
    expect((await withOwn('adopt', ...BY)).err).toContain('has signing keys of its own already')
    expect((await keys('adopt', ...BY)).err).toContain('IDP_JWKS is not set')
  })

  test('adopt refuses a key that could never be rotated here', async () => {
    const env = { IDP_JWKS: ownJwks('EdDSA') }
    const { code, err } = await runWith(dataDir, env, 'keys', 'adopt', ...BY)
    expect(code).toBe(1)
    expect(err).toContain('EdDSA')
  })

  test.each([
    ['no operator', ['rotate']],
    ['no lead', ['rotate', ...BY, '--lead-hours', '0']],
    ['a lead that is no number', ['rotate', ...BY, '--lead-hours', 'soon']],
    ['another command', ['renew']],
  ])('%s is not understood', async (_what, args) => {
    expect((await keys(...args)).code).toBe(2)
  })
})
