import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import type { JWKS } from 'oidc-provider'
import { DEVELOPMENT_SECRETS } from '../../config/development-secrets.ts'
import { configTable, envExample, withConfigTable } from '../../config/docs.ts'
import { type AppConfig, ConfigError, loadConfig } from '../../config/index.ts'
import { OPTIONS } from '../../config/options.ts'
import type { Settings } from '../../interactions/services.ts'

type Env = Record<string, string | undefined>

const random = () => randomBytes(32).toString('base64url')
const rsaJwks = (kid = 'rsa-1', modulusLength = 2048) => ({
  keys: [
    {
      ...generateKeyPairSync('rsa', { modulusLength }).privateKey.export({ format: 'jwk' }),
      kid,
      alg: 'RS256',
    },
  ],
})

const SOCIETIES = readFileSync('config/demo/societies.json', 'utf8')
const CLIENTS = readFileSync('config/demo/clients.json', 'utf8').replaceAll('http:', 'https:')
const files: Readonly<Record<string, string>> = {
  '/etc/societies.json': SOCIETIES,
  '/etc/clients.json': CLIENTS,
}
const readFile = (path: string): string => {
  const text = files[path]
  if (text === undefined) throw new Error('ENOENT')
  return text
}

const PRODUCTION: Env = {
  NODE_ENV: 'production',
  IDP_ISSUER: 'https://id.example.jp',
  IDP_TRUSTED_PROXY_HOPS: '1',
  IDP_STORE: 'embedded',
  IDP_SOCIETIES_FILE: '/etc/societies.json',
  IDP_CLIENTS_FILE: '/etc/clients.json',
  IDP_COOKIE_KEYS: `${random()},${random()}`,
  IDP_CODE_KEY: random(),
  IDP_ENCRYPTION_KEYS: `b:${random()},a:${random()}`,
  IDP_PAIRWISE_SALT: random(),
  IDP_SMTP_URL: 'smtps://user:password@mail.example.jp',
  IDP_MAIL_FROM: 'no-reply@id.example.jp',
}

/** The variables and places complained about, and the whole message. */
const refused = (env: Env, read?: (path: string) => string) => {
  try {
    loadConfig(env, read)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { names: error.problems.map(({ name }) => name), message: error.message }
  }
  return { names: [], message: '' }
}

describe('On a developer’s machine', () => {
  test('nothing has to be configured', () => {
    const config = loadConfig({})
    expect(config.issuer).toBe('http://localhost:3000')
    expect([...config.societies.keys()]).toEqual(['sakura', 'minato'])
    expect(config.demo).toEqual({ portalPort: 3001, mailboxPort: 3002 })
  })

  test('the configuration fits what the pages and the engine take', () => {
    const config: AppConfig = loadConfig({})
    const settings: Settings = config
    const { clients } = config.clientFile
    const jwks: JWKS | undefined = config.jwks
    expect(clients.get('health-portal')?.client.policy.society).toBe('sakura')
    expect([...clients.keys()]).toEqual(['health-portal', 'minato-portal'])
    // Made at the first start, in the store.
    expect(jwks).toBeUndefined()
    expect(config.clientRules.signingAlgorithms).toEqual(['ES256', 'RS256', 'PS256'])
    expect(settings.codeKey.length).toBeGreaterThanOrEqual(32)
    expect(settings.encryptionKeys.map(({ key }) => key.length)).toEqual([32])
  })

  test('secrets are made once and kept', () => {
    const kept = new Map<string, string>()
    const keep = (dataDir: string, name: string, make: () => string) => {
      const key = `${dataDir}/${name}`
      const value = kept.get(key) ?? make()
      kept.set(key, value)
      return value
    }
    const first = loadConfig({ IDP_DATA_DIR: '/srv/a' }, undefined, keep)
    const again = loadConfig({ IDP_DATA_DIR: '/srv/a' }, undefined, keep)
    const elsewhere = loadConfig({ IDP_DATA_DIR: '/srv/b' }, undefined, keep)
    const secretsOf = ({ cookieKeys, codeKey, encryptionKeys, pairwiseSalt }: AppConfig) => ({
      cookieKeys,
      codeKey,
      encryptionKeys,
      pairwiseSalt,
    })
    expect(secretsOf(again)).toEqual(secretsOf(first))
    expect(elsewhere.pairwiseSalt).not.toBe(first.pairwiseSalt)
  })

  test('the address and the demo clients follow the ports', () => {
    const config = loadConfig({ IDP_PORT: '4000', IDP_PORTAL_PORT: '4001' })
    expect(config.issuer).toBe('http://localhost:4000')
    const portal = config.clientFile.clients.get('health-portal')
    expect(portal?.client.metadata.redirect_uris).toEqual(['http://localhost:4001/callback'])
  })

  test('an empty variable counts as not set', () => {
    expect(loadConfig({ IDP_PORT: '' }).port).toBe(3000)
  })

  test('without the demo there is no mailbox, so a mail server must be named', () => {
    expect(refused({ IDP_DEMO: 'off' }).names).toEqual(['IDP_SMTP_URL'])
    const config = loadConfig({ IDP_DEMO: 'off', IDP_SMTP_URL: 'smtp://localhost:1025' })
    expect(config.demo).toBeUndefined()
  })

  test('two services of one process cannot share a port', () => {
    expect(refused({ IDP_PORTAL_PORT: '3000' }).message).toContain(
      'IDP_PORTAL_PORT is the same port as IDP_PORT',
    )
    expect(
      refused({ IDP_DEMO: 'off', IDP_PORT: '9000', IDP_SMTP_URL: 'smtp://a:25' }).message,
    ).toContain('IDP_MANAGEMENT_PORT is the same port as IDP_PORT')
  })
})

describe('An issuer that is not on this machine', () => {
  const env = { IDP_ISSUER: 'https://id.example.jp', IDP_CODE_KEY: random() }

  test.each([undefined, 'development', 'test', 'Production'])(
    'is for production alone, not for NODE_ENV=%s',
    (NODE_ENV) => {
      const { names, message } = refused({ ...env, NODE_ENV })
      expect(names).toEqual(['IDP_ISSUER'])
      expect(message).toContain('Set NODE_ENV=production')
    },
  )

  test('is refused without the demo and with secrets of its own too', () => {
    const demoless = { ...PRODUCTION, NODE_ENV: undefined, IDP_DEMO: 'off' }
    expect(refused(demoless, readFile).names).toEqual(['IDP_ISSUER'])
    expect(refused({ ...env, IDP_DEMO: 'on' }).names).toEqual(['IDP_ISSUER'])
  })

  test('has no secrets made and kept for it', () => {
    const kept: string[] = []
    const keep = (_dataDir: string, name: string, make: () => string) => {
      kept.push(name)
      return make()
    }
    expect(() => loadConfig(env, undefined, keep)).toThrow(ConfigError)
    expect(kept).toEqual([])
  })

  test.each([
    'http://localhost:4000',
    'http://127.0.0.1:3000',
    'http://[::1]:3000',
    'https://id.localhost',
  ])('is not %s', (IDP_ISSUER) => {
    expect(loadConfig({ IDP_ISSUER }).issuer).toBe(IDP_ISSUER)
  })

  test.each(['https://localhost.example.jp', 'https://xlocalhost', 'http://127.0.0.1.example.jp'])(
    'can be %s',
    (IDP_ISSUER) => {
      expect(refused({ IDP_ISSUER }).names).toEqual(['IDP_ISSUER'])
    },
  )
})

describe('In production', () => {
  test('a sound configuration is accepted', () => {
    const config = loadConfig(PRODUCTION, readFile)
    expect(config.production).toBe(true)
    expect(config.demo).toBeUndefined()
    expect(config.cookieKeys).toHaveLength(2)
    expect(config.trustedProxyHops).toBe(1)
  })

  test('everything that is missing is told at once', () => {
    expect(refused({ NODE_ENV: 'production' }).names.sort()).toEqual([
      'IDP_CODE_KEY',
      'IDP_COOKIE_KEYS',
      'IDP_ENCRYPTION_KEYS',
      'IDP_ISSUER',
      'IDP_MAIL_FROM',
      'IDP_PAIRWISE_SALT',
      'IDP_SMTP_URL',
      'IDP_SOCIETIES_FILE',
      'IDP_STORE',
    ])
  })

  test('faults of different kinds are told together', () => {
    const { names, message } = refused(
      { ...PRODUCTION, IDP_PORT: 'http', IDP_DEMO: 'on', IDP_ISSUER: 'http://id.example.jp' },
      readFile,
    )
    expect(names).toEqual(['IDP_PORT', 'IDP_ISSUER', 'IDP_DEMO'])
    expect(message).toContain('3 problems')
  })

  const development = loadConfig({})
  const refusals: readonly (readonly [string, string, Env])[] = [
    ['an http issuer', 'IDP_ISSUER', { IDP_ISSUER: 'http://id.example.jp' }],
    ['no proxy before an https issuer', 'IDP_TRUSTED_PROXY_HOPS', { IDP_TRUSTED_PROXY_HOPS: '0' }],
    ['an embedded store that nobody asked for', 'IDP_STORE', { IDP_STORE: undefined }],
    ['a store that nobody makes', 'IDP_STORE', { IDP_STORE: 'postgres' }],
    ['the demo', 'IDP_DEMO', { IDP_DEMO: 'on' }],
    ['no mail server', 'IDP_SMTP_URL', { IDP_SMTP_URL: undefined }],
    ['mail without TLS', 'IDP_SMTP_URL', { IDP_SMTP_URL: 'smtp://mail.example.jp:25' }],
    [
      'mail with its TLS switched off',
      'IDP_SMTP_URL',
      { IDP_SMTP_URL: 'smtp://mail.example.jp?ignoreTLS=true' },
    ],
    ['libraries that print what they do', 'DEBUG', { DEBUG: '*' }],
    [
      'a short cookie key beside a good one',
      'IDP_COOKIE_KEYS',
      { IDP_COOKIE_KEYS: `${random()},x` },
    ],
    ['a cookie key of one letter', 'IDP_COOKIE_KEYS', { IDP_COOKIE_KEYS: 'a'.repeat(64) }],
    ['a short code key', 'IDP_CODE_KEY', { IDP_CODE_KEY: 'short' }],
    ['an encryption key without an id', 'IDP_ENCRYPTION_KEYS', { IDP_ENCRYPTION_KEYS: random() }],
    [
      'an encryption key that is not 32 bytes beside a good one',
      'IDP_ENCRYPTION_KEYS',
      { IDP_ENCRYPTION_KEYS: `b:${random()},a:${randomBytes(31).toString('base64url')}` },
    ],
    [
      'an encryption key of one letter',
      'IDP_ENCRYPTION_KEYS',
      { IDP_ENCRYPTION_KEYS: `a:${'A'.repeat(43)}` },
    ],
    [
      'two encryption keys of one id',
      'IDP_ENCRYPTION_KEYS',
      { IDP_ENCRYPTION_KEYS: `a:${random()},a:${random()}` },
    ],
    [
      'an encryption key made for development',
      'IDP_ENCRYPTION_KEYS',
      { IDP_ENCRYPTION_KEYS: DEVELOPMENT_SECRETS.IDP_ENCRYPTION_KEYS() },
    ],
    ['a short salt', 'IDP_PAIRWISE_SALT', { IDP_PAIRWISE_SALT: 'short' }],
    [
      'one secret for two purposes',
      'IDP_PAIRWISE_SALT',
      { IDP_PAIRWISE_SALT: PRODUCTION.IDP_CODE_KEY },
    ],
    [
      'cookie keys made for development',
      'IDP_COOKIE_KEYS',
      { IDP_COOKIE_KEYS: development.cookieKeys[0] },
    ],
    [
      'a code key made for development',
      'IDP_CODE_KEY',
      { IDP_CODE_KEY: development.codeKey.toString() },
    ],
    [
      'a salt made for development',
      'IDP_PAIRWISE_SALT',
      { IDP_PAIRWISE_SALT: development.pairwiseSalt },
    ],
    ['signing keys that are not JSON', 'IDP_JWKS', { IDP_JWKS: 'keys' }],
    ['no signing key', 'IDP_JWKS', { IDP_JWKS: '{"keys":[]}' }],
    ['a weak signing key', 'IDP_JWKS', { IDP_JWKS: JSON.stringify(rsaJwks('weak', 1024)) }],
    ['a path in the issuer', 'IDP_ISSUER', { IDP_ISSUER: 'https://id.example.jp/oidc' }],
    ['a slash after the issuer', 'IDP_ISSUER', { IDP_ISSUER: 'https://id.example.jp/' }],
    ['a query in the issuer', 'IDP_ISSUER', { IDP_ISSUER: 'https://id.example.jp?x=1' }],
    ['an issuer that is no address', 'IDP_ISSUER', { IDP_ISSUER: 'id.example.jp' }],
    ['two sender addresses', 'IDP_MAIL_FROM', { IDP_MAIL_FROM: 'a@example.jp,b@example.jp' }],
    ['a port out of range', 'IDP_PORT', { IDP_PORT: '65536' }],
    ['more proxies than anybody has', 'IDP_TRUSTED_PROXY_HOPS', { IDP_TRUSTED_PROXY_HOPS: '99' }],
  ]
  test.each(refusals)('%s is refused', (_what, name, change) => {
    expect(refused({ ...PRODUCTION, ...change }, readFile).names).toEqual([name])
  })

  test('encryption keys are read newest first, in base64url or base64', () => {
    const [newer, older] = [randomBytes(32), randomBytes(32)]
    const text = `2027:${newer.toString('base64url')}, 2026:${older.toString('base64')}`
    const { encryptionKeys } = loadConfig({ ...PRODUCTION, IDP_ENCRYPTION_KEYS: text }, readFile)
    expect(encryptionKeys).toEqual([
      { id: '2027', key: newer },
      { id: '2026', key: older },
    ])
  })

  test('one secret for two purposes is refused, though one of them has an id before it', () => {
    const env = { ...PRODUCTION, IDP_ENCRYPTION_KEYS: `a:${PRODUCTION.IDP_CODE_KEY}` }
    expect(refused(env, readFile).names).toEqual(['IDP_ENCRYPTION_KEYS'])
  })

  test('the public half of a signing key is not enough', () => {
    const [key] = rsaJwks().keys
    const half = { kty: key?.kty, n: key?.n, e: key?.e, kid: 'a', alg: 'RS256' }
    const env = { ...PRODUCTION, IDP_JWKS: JSON.stringify({ keys: [half] }) }
    expect(refused(env, readFile).names).toEqual(['IDP_JWKS'])
  })

  test('ES256 alone is refused, since every relying party may count on RS256', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const key = { ...privateKey.export({ format: 'jwk' }), kid: 'ec-1', alg: 'ES256' }
    const alone = { ...PRODUCTION, IDP_JWKS: JSON.stringify({ keys: [key] }) }
    expect(refused(alone, readFile).names).toEqual(['IDP_JWKS'])
    const both = { ...PRODUCTION, IDP_JWKS: JSON.stringify({ keys: [key, ...rsaJwks().keys] }) }
    const { jwks, clientRules } = loadConfig(both, readFile)
    expect(jwks?.keys).toHaveLength(2)
    expect(clientRules.signingAlgorithms).toEqual(['RS256', 'ES256'])
  })

  test('STARTTLS will do for mail where it is required', () => {
    const env = { ...PRODUCTION, IDP_SMTP_URL: 'smtp://mail.example.jp:587?requireTLS=true' }
    expect(loadConfig(env, readFile).smtpUrl).toBe(env.IDP_SMTP_URL)
  })

  test('the demo clients’ addresses on this machine are refused', () => {
    const read = (path: string) =>
      path === '/etc/clients.json' ? CLIENTS.replaceAll('https:', 'http:') : readFile(path)
    const places = [
      'client_uri',
      'initiate_login_uri',
      'backchannel_logout_uri',
      'redirect_uris[0]',
    ]
    const { names } = refused(PRODUCTION, read)
    for (const client of ['health-portal', 'minato-portal']) {
      for (const place of places) {
        const told = `clients.json: ${client}: "${place}" "http://localhost:3001/`
        expect(names.filter((name) => name.startsWith(told))).toHaveLength(1)
      }
    }
  })

  test('a file that cannot be read is named by its variable', () => {
    const env = { ...PRODUCTION, IDP_SOCIETIES_FILE: '/nowhere' }
    expect(refused(env, readFile).names).toEqual(['IDP_SOCIETIES_FILE'])
  })
})

describe('Secrets', () => {
  test('can be read from a file, whose last line break does not count', () => {
    const salt = random()
    const env = { ...PRODUCTION, IDP_PAIRWISE_SALT: undefined, IDP_PAIRWISE_SALT_FILE: '/run/salt' }
    const read = (path: string) => (path === '/run/salt' ? `${salt}\n` : readFile(path))
    expect(loadConfig(env, read).pairwiseSalt).toBe(salt)
  })

  test('are not taken from a variable and a file at once', () => {
    const env = { ...PRODUCTION, IDP_CODE_KEY_FILE: '/run/key' }
    expect(refused(env, readFile).names).toEqual(['IDP_CODE_KEY'])
  })

  test('a secret’s file that cannot be read is told', () => {
    const env = { ...PRODUCTION, IDP_CODE_KEY: undefined, IDP_CODE_KEY_FILE: '/run/key' }
    expect(refused(env, readFile).names).toEqual(['IDP_CODE_KEY_FILE'])
  })

  test('stand in no message, however wrong they are', () => {
    const canary = 'canary-4711'
    const secret = Object.entries(OPTIONS).filter(([, option]) => 'secret' in option)
    const env = Object.fromEntries(secret.map(([name]) => [name, canary]))
    const { names, message } = refused({ ...PRODUCTION, ...env }, readFile)
    // Any text can be a password.
    expect(names).toEqual(secret.map(([name]) => name).filter((name) => !/PASSWORD/.test(name)))
    expect(message).not.toContain(canary)
  })
})

describe('Who may register relying parties, and where this server calls', () => {
  const secret = random()
  const hash = createHash('sha256').update(secret)

  test('an admin token may stand there by its hash', () => {
    const tokens = `alice:${secret},bob:sha256:${hash.copy().digest('hex')}`
    expect(loadConfig({ IDP_ADMIN_TOKENS: tokens }).adminTokens).toEqual([
      { operator: 'alice', hash: hash.copy().digest() },
      { operator: 'bob', hash: hash.copy().digest() },
    ])
    expect(loadConfig({}).adminTokens).toEqual([])
  })

  test('ranges, names and ports of one’s own network can be listed', () => {
    const listed = { IDP_OUTBOUND_ALLOWED: '10.20.0.0/16, fd00::/8,rp.internal,rp.internal:8443' }
    expect(loadConfig({ ...PRODUCTION, ...listed }, readFile).outbound).toEqual({
      ranges: ['10.20.0.0/16', 'fd00::/8'],
      hosts: ['rp.internal', 'rp.internal:8443'],
      loopback: false,
    })
    expect(loadConfig({}).outbound).toEqual({ ranges: [], hosts: [], loopback: true })
  })

  test.each([
    ['IDP_ADMIN_TOKENS', secret],
    ['IDP_ADMIN_TOKENS', 'alice:short'],
    ['IDP_ADMIN_TOKENS', `al ice:${secret}`],
    ['IDP_OUTBOUND_ALLOWED', '*.internal'],
    ['IDP_OUTBOUND_ALLOWED', 'https://rp.internal/'],
    ['IDP_OUTBOUND_ALLOWED', '10.0.0.0/40'],
    ['IDP_REGISTRATION', 'yes'],
  ])('%s=%s is refused without repeating it', (name, value) => {
    const { names, message } = refused({ [name]: value })
    expect(names).toEqual([name])
    expect(message).not.toContain(secret)
  })
})

describe('Features of the protocol', () => {
  const on = (text: string) => [...loadConfig({ IDP_FEATURES: text }).features]

  test('are all on but what is risky, and switched one by one', () => {
    const usual = [...loadConfig({}).features]
    expect(usual).toContain('dpop')
    expect(usual).not.toContain('insured')
    expect(on('insured, -dpop')).toEqual([...usual.filter((name) => name !== 'dpop'), 'insured'])
  })

  test.each([
    ['dopp', 'must be some of pushed-authorization, request-objects'],
    ['+dpop', 'must be some of'],
    ['request-uri,-request-objects', 'has request-uri without request-objects'],
    ['unsigned-request-uri', 'has unsigned-request-uri without request-uri'],
  ])('%j is refused', (text, rule) => {
    expect(refused({ IDP_FEATURES: text }).message).toContain(`IDP_FEATURES ${rule}`)
  })

  test('requests that nobody has signed are never taken in production', () => {
    const features = { IDP_FEATURES: 'request-uri,unsigned-request-uri' }
    expect(refused({ ...PRODUCTION, ...features }, readFile).names).toEqual(['IDP_FEATURES'])
    expect(loadConfig(features).features.has('unsigned-request-uri')).toBe(true)
  })

  test('no client of the file is promised what is off', () => {
    const { names, message } = refused({ IDP_FEATURES: '-rp-initiated-logout' })
    expect(names.length).toBeGreaterThan(0)
    expect(message).toContain('needs "rp-initiated-logout", which is switched off')
  })
})

describe('What is written from the options', () => {
  test('.env.example is up to date (npm run docs)', () => {
    expect(readFileSync('.env.example', 'utf8')).toBe(envExample())
  })

  test.each([
    ['README.md', 'en'],
    ['README.ja.md', 'ja'],
  ] as const)('the table of %s is up to date, where it has one', (path, locale) => {
    const readme = existsSync(path) ? readFileSync(path, 'utf8') : ''
    expect(withConfigTable(readme, locale) ?? readme).toBe(readme)
  })

  test('the table has a row for every option and replaces what stands between the markers', () => {
    const before = '# T\n<!-- config:start -->\nold\n<!-- config:end -->\nrest\n'
    const after = withConfigTable(before, 'ja') ?? ''
    expect(after).toBe(
      `# T\n<!-- config:start -->\n${configTable('ja')}\n<!-- config:end -->\nrest\n`,
    )
    for (const name of Object.keys(OPTIONS)) expect(after).toContain(`\`${name}\``)
  })

  test('.env.example can be used as it is', () => {
    const lines = envExample().split('\n')
    expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual([])
    expect(lines.filter((line) => /^#IDP_/.test(line))).toHaveLength(Object.keys(OPTIONS).length)
    expect(existsSync(join('config', 'demo', 'societies.json'))).toBe(true)
  })
})
