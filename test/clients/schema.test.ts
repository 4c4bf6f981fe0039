import { describe, expect, test } from '@jest/globals'
import { Provider } from 'oidc-provider'
import { FEATURES } from '../../clients/features.ts'
import { PRESETS, presetMetadata } from '../../clients/presets.ts'
import { ClientRefusedError, checked, refusalText } from '../../clients/refusal.ts'
import {
  AUTH_METHODS,
  type ClientRules,
  clientSchema,
  type Door,
  SCOPES,
  signingAlgorithmsOf,
  usesSecret,
} from '../../clients/schema.ts'
import { tokenSchema } from '../../clients/tokens.ts'

type Json = Readonly<Record<string, unknown>>

const RULES: ClientRules = {
  local: false,
  societyIds: new Set(['sakura']),
  responseTypes: ['code'],
  features: new Set(FEATURES),
  signingAlgorithms: ['RS256', 'ES256'],
}
const DOOR: Door = { unknown: 'refuse', secrets: 'made' }
const ENTRY: Json = {
  client_name: '健康アプリ',
  redirect_uris: ['https://app.example.jp/cb'],
  policy: { society: 'sakura' },
}

/** Every refusal as a line, none where the entry is taken. */
const refusals = (change: Json, rules = RULES, door = DOOR): readonly string[] => {
  try {
    checked(clientSchema(rules, door), { ...ENTRY, ...change })
    return []
  } catch (error) {
    if (!(error instanceof ClientRefusedError)) throw error
    return error.refusals.map(refusalText)
  }
}
const redirect = (uri: string, more: Json = {}, rules = RULES) =>
  refusals({ redirect_uris: [uri], ...more }, rules)

describe('A redirect URI', () => {
  test.each([
    'https://app.example.jp/cb',
    'https://app.example.jp',
    'https://app.example.jp/cb?tenant=1&x=%20',
    'https://app.example.jp:8443/cb',
    'https://xn--eckwd4c7c.example/cb',
    'https://app.example.jp/@hanako',
    'https://[2001:db8::1]/cb',
  ])('%s is taken', (uri) => {
    expect(redirect(uri)).toEqual([])
  })

  test.each([
    ['http://app.example.jp/cb', 'is http'],
    ['http://localhost:4000/cb', 'is http on localhost'],
    ['http://127.0.0.1/cb', 'is http on localhost'],
    ['http://localhost.evil.example/cb', 'is http'],
    ['http://2130706433/cb', 'is not in its normal form'],
    ['javascript:alert(1)', 'has the scheme "javascript:"'],
    ['data:text/html,x', 'has the scheme "data:"'],
    ['vbscript:x', 'has the scheme "vbscript:"'],
    ['jp.example.app:/cb', 'has the scheme "jp.example.app:"'],
    ['myapp://cb', 'has the scheme "myapp:"'],
    ['https://app.example.jp/cb#x', 'has a fragment'],
    ['https://app.example.jp/cb#', 'has a fragment'],
    ['https://*.example.jp/cb', 'has a wildcard'],
    ['https://app.example.jp/*', 'has a wildcard'],
    ['https://user@app.example.jp/cb', 'has a user name or password'],
    ['https://@app.example.jp/cb', 'has a user name or password'],
    ['https://app.example.jp@@evil.example/cb', 'has a user name or password'],
    ['https://app.example.jp\\@evil.example/cb', 'has a character that stands in no URI'],
    ['https://app.example.jp/cb\n', 'has a character that stands in no URI'],
    ['https://app.example.jp/ cb', 'has a character that stands in no URI'],
    ['https://アプリ.example/cb', 'has a character that stands in no URI'],
    ['https://app.example.jp/%zz', 'has a character that stands in no URI'],
    ['https://app.example.jp/a/../cb', 'is not in its normal form'],
    ['https://app.example.jp/./cb', 'is not in its normal form'],
    ['https://app.example.jp/%2e%2e/cb', 'is not in its normal form'],
    ['https://APP.example.jp/cb', 'is not in its normal form'],
    ['HTTPS://app.example.jp/cb', 'is not in its normal form'],
    ['https://app.example.jp:443/cb', 'is not in its normal form'],
    ['https://app.example.jp./cb', 'has a host name that ends in a dot'],
    ['https:app.example.jp/cb', 'is not in its normal form'],
    ['https:///cb', 'is not in its normal form'],
    ['//app.example.jp/cb', 'is not a URI'],
    ['/cb', 'is not a URI'],
    ['https://', 'is not a URI'],
    [`https://app.example.jp/${'x'.repeat(2000)}`, 'is longer than 2000 characters'],
  ])('%j is refused, with the rule and the fix', (uri, rule) => {
    const lines = redirect(uri)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`redirect_uris[0] `)
    expect(lines[0]).toContain(` ${rule}. `)
    expect(lines[0]?.split('. ').at(-1)?.length).toBeGreaterThan(5)
  })

  test.each([
    'http://127.0.0.1/cb',
    'http://localhost:1234/cb',
    'http://[::1]/cb',
    'jp.example.app:/cb',
  ])('%s is an app’s own on the member’s device', (uri) => {
    const native = { application_type: 'native', token_endpoint_auth_method: 'none' }
    expect(redirect(uri, native)).toEqual([])
  })

  test.each(['javascript:alert(1)', 'myapp:/cb', 'file:///etc', 'https://localhost/cb'])(
    '%s is no app’s',
    (uri) => {
      const native = { application_type: 'native', token_endpoint_auth_method: 'none' }
      expect(redirect(uri, native)).toHaveLength(1)
    },
  )

  test('on this machine is taken of all while the issuer is there too', () => {
    expect(redirect('http://localhost:4000/cb', {}, { ...RULES, local: true })).toEqual([])
    expect(redirect('http://app.example.jp/cb', {}, { ...RULES, local: true })).toHaveLength(1)
  })
})

/** RFC 7517 appendix A.1 */
const KEY = {
  kty: 'EC',
  crv: 'P-256',
  x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
  y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
}
const JWKS = { keys: [KEY] }
const byKeys = (...keys: readonly Json[]) => ({
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys },
})

describe('A registration', () => {
  test.each<[Json, string]>([
    [{ client_name: ' ' }, 'client_name " " is not a name'],
    [{ client_name: '<b>' }, 'client_name "<b>" is not a name'],
    [{ client_name: '健康\u2028アプリ' }, 'is not a name of 1 to 100 characters'],
    [{ 'client_name#en': 'Health\u2029app' }, 'is not a name of 1 to 100 characters'],
    [{ client_id: 'a b' }, 'client_id "a b" is not 1 to 128'],
    [{ client_id: 'account-sakura' }, 'client_id "account-sakura" begins with "account-"'],
    [{ client_id: 'account-later' }, 'begins with "account-"'],
    [{ redirect_uris: [] }, 'redirect_uris [] must name at least one URI'],
    [{ redirect_uris: 'https://app.example.jp' }, 'is not of type array'],
    [{ grant_types: ['password'] }, 'grant_types[0] "password" is none of: authorization_code'],
    [{ response_types: ['id_token'] }, 'response_types[0] "id_token" is none of: code'],
    [{ response_types: [] }, 'response_types [] is empty'],
    [{ grant_types: ['client_credentials'] }, 'lacks "authorization_code"'],
    [{ scope: 'openid admin' }, 'scope "openid admin" names a scope that is none of'],
    [{ scope: 'openid  email' }, 'scope "openid  email" names a scope'],
    [
      { jwks: JWKS, jwks_uri: 'https://app.example.jp/jwks' },
      'jwks is given, and so is "jwks_uri"',
    ],
    [{ token_endpoint_auth_method: 'private_key_jwt' }, 'jwks is missing, as is "jwks_uri"'],
    [{ jwks: { keys: [{ kty: 'RSA', kid: '1' }] } }, 'jwks.keys[0] is no RSA key'],
    [{ jwks: { keys: [{ ...KEY, y: KEY.x }] } }, 'jwks.keys[0] is no EC key'],
    [{ jwks: { keys: [{ ...KEY, kid: 1 }] } }, 'jwks.keys[0] has a "kid" that is no text'],
    [{ jwks: { keys: [{ kty: 'EC' }] } }, 'jwks.keys[0] has no "crv"'],
    [byKeys(), 'jwks.keys has no key for the method "private_key_jwt"'],
    [byKeys({ ...KEY, use: 'enc' }), 'jwks.keys has no key for the method'],
    [byKeys({ ...KEY, key_ops: ['sign'] }), 'jwks.keys has no key for the method'],
    [
      { ...byKeys(KEY), token_endpoint_auth_signing_alg: 'RS256' },
      'has no key for the method "private_key_jwt" (RS256)',
    ],
    [{ require_signed_request_object: true, jwks: { keys: [] } }, 'no key for signed requests'],
    [{ response_modes: [] }, 'response_modes [] has less than 1'],
    [{ token_endpoint_auth_method: 'tls_client_auth' }, 'is none of: client_secret_basic'],
    [{ token_endpoint_auth_signing_alg: 'HS256' }, 'does not go with "client_secret_basic"'],
    [{ id_token_signed_response_alg: 'none' }, '"none" is none of: RS256, ES256'],
    [{ id_token_signed_response_alg: 'EdDSA' }, '"EdDSA" is none of: RS256, ES256'],
    [{ backchannel_logout_session_required: true }, 'is true without a "backchannel_logout_uri"'],
    [{ scope: 'openid insured' }, 'has "insured", as "policy.healthInsurance" is not true'],
    [{ request_object_signing_alg: 'none' }, '"none" is none of: RS256, PS256, ES256, EdDSA'],
    [{ request_object_signing_alg: 'ES256' }, 'is missing, as is "jwks_uri", for signed requests'],
    [{ require_signed_request_object: true }, 'is missing, as is "jwks_uri", for signed requests'],
    [{ request_uris: ['http://app.example.jp/r'], jwks: JWKS }, 'request_uris[0] "http://app.'],
    [{ userinfo_signed_response_alg: 'HS256' }, '"HS256" is none of: RS256, ES256'],
    [
      { policy: { society: 'sakura', claims: ['salary'] } },
      'policy.claims[0] "salary" is no claim',
    ],
    [
      { policy: { society: 'sakura', resources: [{ uri: 'records', scopes: ['read'] }] } },
      'policy.resources[0].uri "records" is not a URI',
    ],
    [
      {
        policy: {
          society: 'sakura',
          resources: [{ uri: 'https://a.example/', scopes: ['email'] }],
        },
      },
      'policy.resources[0].scopes[0] "email" is not a scope of an API’s own',
    ],
    [{ initiate_login_uri: 'http://app.example.jp/' }, 'initiate_login_uri "http://app.'],
    [{ logo_uri: 'data:image/png;base64,x' }, 'has the scheme "data:"'],
    [{ policy: { society: 'umi' } }, 'policy.society "umi" is not in the societies file'],
    [{ policy: { society: 'sakura', requiredAcr: 'x' } }, 'policy.requiredAcr "x" is none of'],
    [{ policy: { society: 'sakura', maxAge: -1 } }, 'policy.maxAge -1 has less than 0'],
    [{ redirect_uri: 'https://app.example.jp' }, 'has unknown members: redirect_uri'],
    [
      { redirect_uris: ['https://a.example.jp/cb', 'https://b.example.jp/cb'] },
      'sector_identifier_uri is missing, as "redirect_uris" lead to 2 hosts',
    ],
    [
      { token_endpoint_auth_method: 'none', policy: { society: 'sakura', pkce: 'optional' } },
      'policy.pkce "optional" is "optional", as "token_endpoint_auth_method" is "none"',
    ],
    [
      {
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'client_credentials'],
      },
      'has "client_credentials", as "token_endpoint_auth_method" is "none"',
    ],
  ])('with %j is refused', (change, line) => {
    const lines = refusals(change)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(line)
  })

  test('is told everything that is wrong at once', () => {
    const lines = refusals({
      redirect_uris: ['http://app.example.jp/cb', 'https://app.example.jp/cb#x'],
      backchannel_logout_session_required: true,
      policy: { society: 'umi', requiredAcr: 'phr' },
    })
    expect(lines).toHaveLength(4)
  })

  test.each<[string, Json]>([
    ['a short secret', { client_secret: 'canary' }],
    [
      'a secret of a public client',
      {
        client_secret: 'canary'.repeat(6),
        token_endpoint_auth_method: 'none',
      },
    ],
    [
      'a private key',
      {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks: { keys: [{ kty: 'EC', d: 'canary' }] },
      },
    ],
    ['a shared key', { jwks: { keys: [{ kty: 'oct', k: 'canary' }] } }],
    ['a password in an address', { redirect_uris: ['https://u:canary@app.example.jp/cb'] }],
    ['a secret under a wrong name', { secret: 'canary' }],
  ])('with %s is refused without repeating it', (_what, change) => {
    const lines = refusals(change)
    expect(lines.length).toBeGreaterThan(0)
    expect(lines.join()).not.toContain('canary')
  })

  test('by software has what is not known passed over, and no policy slips in by that', () => {
    const door = { ...DOOR, unknown: 'ignore' } as const
    expect(refusals({ software_id: 'x', tls_client_auth_subject_dn: 'y' }, RULES, door)).toEqual([])
    const read = checked(clientSchema(RULES, door), { ...ENTRY, software_id: 'x' })
    expect(read).not.toHaveProperty('software_id')
    expect(refusals({ policy: { society: 'sakura', admin: true } }, RULES, door)).toHaveLength(1)
  })

  test('is written out with every default, so that it means the same later', () => {
    expect(checked(clientSchema(RULES, DOOR), ENTRY)).toEqual({
      ...ENTRY,
      application_type: 'web',
      response_types: ['code'],
      grant_types: ['authorization_code'],
      token_endpoint_auth_method: 'client_secret_basic',
      require_auth_time: true,
      policy: { society: 'sakura', requiredAcr: 'urn:kenpo-id:acr:email' },
    })
  })
})

test('A registration token holds no scope that its clients could not be registered for', () => {
  const token = { policy: { society: 'sakura' }, hosts: ['app.example.jp'] }
  const asked = (change: Json, rules = RULES): readonly string[] => {
    try {
      return checked(tokenSchema(rules), { ...token, ...change }).scopes
    } catch (error) {
      if (!(error instanceof ClientRefusedError)) throw error
      return error.refusals.map(refusalText)
    }
  }
  expect(asked({ scopes: ['openid', 'insured'] })).toEqual([
    expect.stringMatching(/^scopes .* has "insured", as "policy.healthInsurance" is not true/u),
  ])
  const health = { society: 'sakura', healthInsurance: true }
  expect(asked({ scopes: ['openid', 'insured'], policy: health })).toEqual(['openid', 'insured'])
  const without = { ...RULES, features: new Set(FEATURES.filter((name) => name !== 'phone')) }
  expect(asked({ scopes: ['openid', 'phone'] }, without)).toEqual([
    expect.stringMatching(/^scopes\[1\] "phone" is none of: openid, /u),
  ])
})

describe('What the engine makes of it', () => {
  const provider = new Provider('https://id.example.jp', {
    clients: [],
    subjectTypes: ['pairwise', 'public'],
    clientDefaults: { subject_type: 'pairwise' },
    scopes: [...SCOPES],
    acrValues: ['phr'],
    responseTypes: ['code'],
    pairwiseIdentifier: () => 'x',
    extraClientMetadata: { properties: ['policy'] },
    sectorIdentifierUriValidate: () => false,
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
  })
  /** The engine's own verdict on a registration that ours has let pass. */
  const loaded = async (change: Json) => {
    const { client_secret: secret, ...read } = checked(clientSchema(RULES, DOOR), {
      ...ENTRY,
      ...change,
    })
    const needed = usesSecret(read.token_endpoint_auth_method)
    const metadata = {
      ...read,
      client_id: 'app',
      ...(needed && { client_secret: secret ?? 'x'.repeat(43) }),
    }
    // Not in the engine's types: the constructor that also its adapter's clients go through.
    const { Client } = provider as unknown as { Client: new (m: object) => { clientId: string } }
    return new Client(metadata)
  }

  test.each(PRESETS)('the preset %s is a client', async (preset) => {
    const service = preset === 'service' ? { redirect_uris: [] } : {}
    // The keys of the engine's own for development sign with RS256 only.
    const rules = { signingAlgorithms: ['RS256'] }
    expect(await loaded({ ...presetMetadata(preset, rules), ...service })).toMatchObject({
      clientId: 'app',
    })
    const alg = presetMetadata(preset, RULES).id_token_signed_response_alg
    expect(alg).toBe(preset === 'service' ? undefined : 'ES256')
  })

  test.each<[string, Json]>([
    ...AUTH_METHODS.map((method): [string, Json] => [
      method,
      { token_endpoint_auth_method: method, ...(method === 'private_key_jwt' && { jwks: JWKS }) },
    ]),
    [
      'every address',
      {
        client_uri: 'https://app.example.jp/',
        logo_uri: 'https://app.example.jp/logo.png',
        policy_uri: 'https://app.example.jp/privacy',
        tos_uri: 'https://app.example.jp/terms',
        initiate_login_uri: 'https://app.example.jp/login',
        backchannel_logout_uri: 'https://app.example.jp/logout',
        backchannel_logout_session_required: true,
        post_logout_redirect_uris: ['https://app.example.jp/out'],
        sector_identifier_uri: 'https://app.example.jp/sector.json',
        contacts: ['dev@app.example.jp'],
      },
    ],
    [
      'every number and list',
      {
        scope: SCOPES.join(' '),
        policy: { society: 'sakura', healthInsurance: true },
        subject_type: 'public',
        default_max_age: 300,
        default_acr_values: ['phr'],
        response_modes: ['query', 'form_post'],
        require_auth_time: false,
        require_pushed_authorization_requests: true,
        dpop_bound_access_tokens: true,
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    [
      'everything about signed and pushed requests',
      {
        jwks: JWKS,
        request_object_signing_alg: 'ES256',
        require_signed_request_object: true,
        request_uris: ['https://app.example.jp/request#sha256'],
        require_pushed_authorization_requests: true,
        userinfo_signed_response_alg: 'RS256',
        policy: {
          society: 'sakura',
          claims: ['email', 'name#ja-Kana-JP'],
          resources: [{ uri: 'https://api.example.jp/', scopes: ['records:read'] }],
          introspects: ['https://api.example.jp/'],
        },
      },
    ],
    [
      'an app’s scheme',
      {
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['jp.example.app:/cb', 'http://127.0.0.1/cb'],
        subject_type: 'public',
      },
    ],
  ])('%s passes its rules too', async (_what, change) => {
    expect(await loaded(change)).toMatchObject({ clientId: 'app' })
  })

  test('ID tokens are signed with what there are keys for', () => {
    const keys = ['ES384', 'ES256', 'RS256', 'ES256'].map((alg) => ({ alg }))
    expect(signingAlgorithmsOf(keys)).toEqual(['RS256', 'ES256'])
  })
})
