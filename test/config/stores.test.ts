import { describe, expect, test } from '@jest/globals'
import { ConfigError, type Environment, loadConfig } from '../../config/index.ts'

const SERVERS: Environment = {
  IDP_STORE: 'redis+mongo',
  IDP_MONGO_URL: 'mongodb://idp:s3cret-m@a.example.jp,b.example.jp/kenpo?replicaSet=rs0&tls=true',
  IDP_REDIS_URL: 'rediss://idp:s3cret-r@redis.example.jp:6379',
}

const storeOf = (env: Environment) => loadConfig(env).store

const problemsOf = (env: Environment): readonly string[] => {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    expect(error.message).not.toContain('s3cret')
    return error.problems.map(({ name, rule }) => `${name} ${rule}`)
  }
}

describe('Where everything is kept', () => {
  test('without a word, in one embedded file', () => {
    expect(storeOf({})).toEqual({ kind: 'embedded' })
  })

  test('in one Redis server and MongoDB', () => {
    expect(storeOf(SERVERS)).toEqual({
      kind: 'redis+mongo',
      mongo: { url: SERVERS.IDP_MONGO_URL, operationTimeoutMs: 2000 },
      redis: { url: SERVERS.IDP_REDIS_URL, commandTimeoutMs: 500 },
      durable: true,
    })
  })

  test('behind Sentinels, with the users of each', () => {
    const env = {
      ...SERVERS,
      IDP_REDIS_URL: undefined,
      IDP_REDIS_SENTINELS: 'kenpo@a.example.jp:26379, [::1]:26380',
      IDP_REDIS_USERNAME: 'idp',
      IDP_REDIS_PASSWORD: 's3cret-r',
      IDP_REDIS_SENTINEL_PASSWORD: 's3cret-s',
      IDP_REDIS_TLS: 'on',
    }
    expect(storeOf(env)).toMatchObject({
      redis: {
        name: 'kenpo',
        sentinels: [
          { host: 'a.example.jp', port: 26379 },
          { host: '::1', port: 26380 },
        ],
        sentinelPassword: 's3cret-s',
        username: 'idp',
        password: 's3cret-r',
        tls: true,
      },
    })
  })

  test('on a Redis Cluster that may forget, where that is accepted', () => {
    const env = {
      ...SERVERS,
      IDP_REDIS_URL: undefined,
      IDP_REDIS_CLUSTER: '10.0.0.1:6379,10.0.0.2:6379',
      IDP_REDIS_DURABILITY: 'waived',
    }
    expect(storeOf(env)).toMatchObject({
      redis: {
        cluster: [
          { host: '10.0.0.1', port: 6379 },
          { host: '10.0.0.2', port: 6379 },
        ],
      },
      durable: false,
    })
  })

  test.each<readonly [string, Environment, string]>([
    ['no MongoDB', { IDP_MONGO_URL: undefined }, 'IDP_MONGO_URL is missing'],
    [
      'a MongoDB without a database',
      { IDP_MONGO_URL: 'mongodb://idp:s3cret@a.example.jp' },
      'IDP_MONGO_URL must be mongodb://host:port/database or mongodb+srv://host/database',
    ],
    ['no Redis', { IDP_REDIS_URL: undefined }, 'IDP_REDIS_URL is missing'],
    [
      'two Redises',
      { IDP_REDIS_CLUSTER: 'a.example.jp:6379' },
      'IDP_REDIS_CLUSTER is set, and so is IDP_REDIS_URL',
    ],
    [
      'a node without a port',
      { IDP_REDIS_URL: undefined, IDP_REDIS_CLUSTER: 'a.example.jp' },
      'IDP_REDIS_CLUSTER must be host:port, comma-separated',
    ],
    [
      'Sentinels without the name of what they watch',
      { IDP_REDIS_URL: undefined, IDP_REDIS_SENTINELS: 'a.example.jp:26379' },
      'IDP_REDIS_SENTINELS must be name@host:port,host:port',
    ],
    [
      'another protocol',
      { IDP_REDIS_URL: 'http://idp:s3cret@a.example.jp' },
      'IDP_REDIS_URL must be redis://user:password@host:port or rediss://…',
    ],
  ])('%s is refused by name', (_what, over, problem) => {
    expect(problemsOf({ ...SERVERS, ...over })).toEqual([problem])
  })
})
