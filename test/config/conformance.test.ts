import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { type ConfigError, type Environment, loadConfig } from '../../config/index.ts'

const ISSUER = 'https://op.conformance.example'

const load = (env: Environment = {}, profile: 'conformance' | undefined = 'conformance') =>
  loadConfig(env, undefined, undefined, profile)

const refusal = (env: Environment, profile?: 'conformance'): string => {
  try {
    load(env, profile)
  } catch (error) {
    return (error as ConfigError).message // it throws nothing else
  }
  return 'not refused'
}

describe('The conformance profile', () => {
  test('is refused in production, whatever its issuer', () => {
    const said = refusal({
      NODE_ENV: 'production',
      IDP_ISSUER: ISSUER,
      IDP_CONFORMANCE_ISSUERS: ISSUER,
    })
    expect(said).toContain('--profile conformance cannot be used with NODE_ENV=production')
  })

  test('is for a listed issuer, and says how to list one', () => {
    const said = refusal({ IDP_ISSUER: ISSUER, IDP_CONFORMANCE_ISSUERS: 'https://other.example' })
    expect(said).toContain(`is for listed issuers only, and ${ISSUER} is not one`)
    expect(said).toContain(`Set IDP_CONFORMANCE_ISSUERS to: ${ISSUER}`)
    const listed = { IDP_ISSUER: ISSUER, IDP_CONFORMANCE_ISSUERS: `https://a.example, ${ISSUER}` }
    expect(load(listed).conformance).toBeDefined()
  })

  test('may be tried on this machine without a list', () => {
    expect(load({ IDP_ISSUER: 'http://localhost:3000' }).conformance).toBeDefined()
  })

  test('listens on this machine alone while its issuer is there', () => {
    const open = { IDP_ISSUER: 'http://localhost:3000', IDP_HOST: '0.0.0.0' }
    const said = refusal(open, 'conformance')
    expect(said).toContain('IDP_HOST is 0.0.0.0')
    expect(load({ ...open, IDP_CONFORMANCE_ISSUERS: open.IDP_ISSUER }).host).toBe('0.0.0.0')
    for (const host of ['127.0.0.1', '::1']) expect(load({ IDP_HOST: host }).host).toBe(host)
    const listed = { IDP_ISSUER: ISSUER, IDP_CONFORMANCE_ISSUERS: ISSUER, IDP_HOST: '0.0.0.0' }
    expect(load(listed).host).toBe('0.0.0.0')
  })

  test('keeps what it keeps apart from everybody else, in a file of its own', () => {
    const servers = {
      IDP_STORE: 'redis+mongo',
      IDP_REDIS_URL: 'redis://localhost',
      IDP_MONGO_URL: 'mongodb://localhost/idp',
    }
    expect(refusal(servers, 'conformance')).toContain('cannot be used with IDP_STORE=redis+mongo')
    const kept: string[] = []
    const keep = (folder: string, _name: string, make: () => string) => {
      kept.push(folder)
      return make()
    }
    const env = { IDP_DATA_DIR: '/var/lib/kenpo-id' }
    const own = join(env.IDP_DATA_DIR, 'conformance')
    expect(loadConfig(env, undefined, keep, 'conformance').dataDir).toBe(own)
    expect(new Set(kept)).toEqual(new Set([own]))
    expect(loadConfig(env).dataDir).toBe(env.IDP_DATA_DIR)
  })

  test('calls nobody on its own machine for whoever registers, unless it is for this machine', () => {
    const listed = load({ IDP_ISSUER: ISSUER, IDP_CONFORMANCE_ISSUERS: ISSUER })
    expect([listed.outbound.loopback, listed.clientRules.local]).toEqual([false, false])
    const here = load({ IDP_ISSUER: 'http://localhost:3000' })
    expect([here.outbound.loopback, here.clientRules.local]).toEqual([true, true])
  })

  test('is no matter of the environment: only the flag asks for it', () => {
    const { conformance, responseTypes, openRegistration, registration, societies } = loadConfig({
      IDP_ISSUER: 'http://localhost:3000',
      IDP_CONFORMANCE_ISSUERS: 'http://localhost:3000',
      IDP_PROFILE: 'conformance',
    })
    expect(conformance).toBeUndefined()
    expect(openRegistration).toBeUndefined()
    expect(registration).toBe(false)
    expect(responseTypes).toEqual(['code'])
    expect([...societies.keys()]).not.toContain('conformance')
  })

  test('offers what the plans ask for, and trusts the TLS front that the issuer needs', () => {
    const config = load({ IDP_ISSUER: ISSUER, IDP_CONFORMANCE_ISSUERS: ISSUER })
    expect(config.responseTypes).toHaveLength(6)
    expect(config.features.has('request-uri')).toBe(true)
    expect(config.trustedProxyHops).toBe(1)
    expect(config.demo).toBeUndefined()
    const hops = {
      IDP_ISSUER: ISSUER,
      IDP_CONFORMANCE_ISSUERS: ISSUER,
      IDP_TRUSTED_PROXY_HOPS: '2',
    }
    expect(load(hops).trustedProxyHops).toBe(2)
  })

  test('calls the suite wherever it is, and sends members to its test instances', () => {
    const suite = 'https://suite.internal.example:8443/test/a/ours'
    const config = load({ IDP_CONFORMANCE_SUITE: suite })
    expect(config.outbound.hosts).toContain('suite.internal.example:8443')
    const first = config.clientFile.clients.get('conf-first')
    expect(first?.client.metadata.redirect_uris).toContain(`${suite}/callback`)
    expect(refusal({ IDP_CONFORMANCE_SUITE: 'https://suite.example/' }, 'conformance')).toContain(
      'IDP_CONFORMANCE_SUITE must be https://host/test/a/alias',
    )
  })
})

test('an extra authority that is none is a mistake of the configuration', () => {
  const files = (path: string): string => {
    if (path === '/ca.pem') return 'no certificate'
    throw new Error('no such file')
  }
  const name = (path: string): string => {
    try {
      loadConfig({ IDP_EXTRA_CA_FILE: path }, (each) =>
        each.startsWith('/ca') || each === '/none.pem' ? files(each) : '[]',
      )
    } catch (error) {
      return (error as ConfigError).message // it throws nothing else
    }
    return 'not refused'
  }
  expect(name('/ca.pem')).toContain('IDP_EXTRA_CA_FILE names a file without a certificate')
  expect(name('/none.pem')).toContain('IDP_EXTRA_CA_FILE names a file that cannot be read')
})
