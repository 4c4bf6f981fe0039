import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'
import { StoreUnavailableError } from '../../../accounts/errors.ts'
import { LIMITS } from '../../../accounts/throttle.ts'
import {
  ACL_RULES,
  checkDurability,
  createRedis,
  type RedisConnection,
  type RedisOptions,
} from '../../../adapters/redis/connect.ts'
import { createRedisStores } from '../../../adapters/redis/stores.ts'
import { systemClock } from '../../../adapters/system.ts'
import { connected, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const connect = async (options: RedisOptions): Promise<RedisConnection> => {
  const connection = createRedis(options)
  closing.push(connection.close)
  await connected(connection)
  return connection
}

/** Everything the product asks of Redis. */
const useAll = async ({ client, ping }: RedisConnection): Promise<void> => {
  await ping()
  expect(await checkDurability(client)).toEqual([])
  const { artifacts, transient, throttle, unitOfWork } = createRedisStores(client, systemClock)
  await transient.put('key', 1, 60)
  expect(await transient.get('key')).toBe(1)
  expect(await transient.replace('key', 1, 2, 60)).toBe(true)
  expect(await transient.take('key')).toBe(2)
  for (let attempt = 0; attempt <= LIMITS.birthdate.points; attempt++) {
    await throttle.count('birthdate', 'a')
  }
  expect(await throttle.look('birthdate', 'a')).toMatchObject({ ok: false })
  await throttle.countInOrder?.([['emailCode', 'a']])
  await throttle.forget('birthdate', 'a')
  for (const asked of [true, false]) {
    await unitOfWork({}, async () => {
      throttle.countAhead?.([['password', 'b']])
      await transient.get('key')
      if (asked) expect((await throttle.countInOrder?.([['password', 'b']]))?.ok).not.toBe(false)
    })
  }
  await unitOfWork({ artifacts: [['Session', 's']], values: ['key'] }, async () => {
    await artifacts('Session').upsert('s', { jti: 's', uid: 'u' }, 60)
    await artifacts('Grant').upsert('g', { jti: 'g' }, 60)
    await artifacts('AccessToken').upsert('t', { jti: 't', grantId: 'g', sessionUid: 'u' }, 60)
  })
  expect(await artifacts('Session').findByUid('u')).toBeDefined()
  await unitOfWork({}, async () => {
    expect(await artifacts('AccessToken').find('t')).toBeDefined()
  })
  await artifacts('AccessToken').consume('t')
  await artifacts('AccessToken').upsert('t', { jti: 't', grantId: 'g', consumed: 1 }, 120)
  await artifacts('AccessToken').revokeByGrantId('g')
  await artifacts('AccessToken').upsert('t', { jti: 't', grantId: 'g' }, 60)
  await artifacts('Session').destroy('s')
}

const USER = { username: 'kenpo', password: 'only-in-this-test' }

const allow = async ({ cli }: RedisServer): Promise<void> => {
  await cli('ACL', 'SETUSER', USER.username, 'reset', 'on', `>${USER.password}`, ...ACL_RULES)
  await cli('ACL', 'SETUSER', 'default', 'off')
}

describe('An ACL user with the rules the operator is given', () => {
  /** The operator's own way in, once the user of everybody is off. */
  const refusals = async ({ cli }: RedisServer): Promise<string> =>
    cli('--user', 'operator', '--pass', 'operator', '--no-auth-warning', 'ACL', 'LOG')
  const keepOperator = ({ cli }: RedisServer) =>
    cli('ACL', 'SETUSER', 'operator', 'on', '>operator', '~*', '&*', '+@all')

  const ONLY_ON_A_CLUSTER = ['+mget', '+cluster|slots', '+cluster|info', '+client|setname']

  test('may do all that the product does on one server, and nothing else', async () => {
    const server = await startRedis()
    closing.push(server.stop)
    await keepOperator(server)
    await allow(server)
    const connection = await connect({ url: server.url, ...USER })
    await useAll(connection)
    expect(await refusals(server)).toBe('')
    const { client } = connection
    // Nor is a command among the rules that the product could do without.
    const used = await client.info('commandstats')
    const commands = ACL_RULES.filter((rule) => rule.startsWith('+'))
    const unused = commands.filter((rule) => !used.includes(`cmdstat_${rule.slice(1)}:`))
    expect(unused).toEqual(ONLY_ON_A_CLUSTER)
    await expect(client.set('else', '1')).rejects.toThrow('NOPERM')
    await expect(client.flushall()).rejects.toThrow('NOPERM')
    await expect(client.keys('*')).rejects.toThrow('NOPERM')
    await expect(client.config('SET', 'appendonly', 'no')).rejects.toThrow('NOPERM')
  })

  test('may do all that the product does on a Cluster', async () => {
    const { nodes, stop } = await startRedisCluster()
    closing.push(stop)
    for (const node of nodes) {
      await keepOperator(node)
      await allow(node)
    }
    const cluster = nodes.map(({ host, port }) => ({ host, port }))
    await useAll(await connect({ cluster, ...USER }))
    for (const node of nodes) expect(await refusals(node)).toBe('')
  })

  test('without its password gets nothing', async () => {
    const server = await startRedis()
    closing.push(server.stop)
    await allow(server)
    const connection = createRedis({ url: server.url })
    closing.push(connection.close)
    const { transient } = createRedisStores(connection.client, systemClock)
    await expect(transient.put('key', 1, 60)).rejects.toThrow(StoreUnavailableError)
    await expect(connection.ping()).rejects.toThrow(StoreUnavailableError)
  })
})

describe('Redis over TLS', () => {
  const run = promisify(execFile)
  let folder: string
  let ca: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kenpo-id-tls-'))
    await run('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem'), '-days', '1'],
      ...['-subj', '/CN=redis', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ])
    ca = readFileSync(join(folder, 'cert.pem'), 'utf8')
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const overTls = () => ({
    'tls-cert-file': join(folder, 'cert.pem'),
    'tls-key-file': join(folder, 'key.pem'),
    'tls-ca-cert-file': join(folder, 'cert.pem'),
    'tls-auth-clients': 'no',
  })

  test('one server whose certificate is trusted serves; another is not spoken to', async () => {
    const { port, stop } = await startRedis(overTls())
    closing.push(stop)
    await useAll(await connect({ url: `rediss://127.0.0.1:${port}`, tls: { ca } }))
    const distrusting = createRedis({ url: `rediss://127.0.0.1:${port}` })
    closing.push(distrusting.close)
    const refused = new Promise<Error>((resolve) => distrusting.onError(resolve))
    expect((await refused).message).toMatch(/self.signed certificate/)
    await expect(distrusting.ping()).rejects.toThrow(StoreUnavailableError)
  })

  test('a Cluster that speaks nothing else serves, each node by its certificate', async () => {
    const { nodes, stop } = await startRedisCluster({
      ...overTls(),
      'tls-cluster': 'yes',
    })
    closing.push(stop)
    const cluster = nodes.map(({ host, port }) => ({ host, port }))
    await useAll(await connect({ cluster, tls: { ca } }))
  })
})
