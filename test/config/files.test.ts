import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { termsHash } from '../../accounts/society.ts'
import { readClients } from '../../config/clients.ts'
import type { Problem } from '../../config/problem.ts'
import { contrastOnWhite, readSocieties } from '../../config/societies.ts'

type Json = Record<string, unknown>

const text = (name: string) => readFileSync(`config/demo/${name}.json`, 'utf8')
const first = (name: string): Json => (JSON.parse(text(name)) as Json[])[0] as Json

const linesOf = (problems: readonly Problem[]) =>
  problems.map(({ name, rule }) => `${name} ${rule}`)

const societyProblems = (change: Json) => {
  const problems: Problem[] = []
  const file = JSON.stringify([{ ...first('societies'), ...change }])
  readSocieties({ file: 'societies.json', text: file }, problems)
  return linesOf(problems)
}

const clientProblems = (change: Json, production = false) => {
  const problems: Problem[] = []
  const file = JSON.stringify([{ ...first('clients'), ...change }])
  const societyIds = new Set(['sakura'])
  readClients({ file: 'clients.json', text: file, societyIds, production }, problems)
  return linesOf(problems)
}

const NETWORK = {
  name: { ja: '社内', en: 'Office' },
  cidrs: ['192.0.2.0/24'],
  factors: ['emailCode'],
}

describe('The societies file', () => {
  test('the demo societies are sound, in both languages', () => {
    const problems: Problem[] = []
    const societies = readSocieties({ file: 'societies.json', text: text('societies') }, problems)
    expect(problems).toEqual([])
    expect(societies.get('sakura')?.registerFactor).toBe('sameSession')
    expect(societies.get('minato')?.registerFactor).toBe('nextLogin')
    for (const { terms } of societies.values()) {
      expect(terms.text.ja).toHaveLength(10)
      expect(terms.text.en).toHaveLength(terms.text.ja.length)
      expect(terms.earlier.map(({ version }) => version)).toEqual(['2023-04'])
      for (const one of [...terms.text.ja, ...terms.text.en]) expect(one).toMatch(/^# .+\n./)
    }
  })

  test.each([
    [
      { networks: [NETWORK, NETWORK, { ...NETWORK, cidrs: ['10.0.0.0/33'] }] },
      'societies.json: sakura: "networks[2].cidrs[0]" is not a CIDR range',
    ],
    [
      { color: '#f5c542' },
      'societies.json: sakura: "color" is too light: white text on it needs a contrast of 4.5 or more',
    ],
    [{ color: 'blue' }, 'societies.json: sakura: "color" must be a colour like #0f5ba7'],
    [{ name: { ja: 'さくら' } }, 'societies.json: sakura: "name.en" is missing'],
    [
      { registerFactor: 'later' },
      'societies.json: sakura: "registerFactor" must be one of: sameSession, nextLogin',
    ],
    [
      { factors: ['emailCode'], networks: [{ ...NETWORK, factors: ['passkey'] }] },
      'societies.json: sakura: "networks[0].factors" permits a method that the society does not permit',
    ],
    [
      { registerFactor: 'nextLogin', factors: ['passkey'], networks: [] },
      'societies.json: sakura: "registerFactor" is "nextLogin" without "emailCode", which the next sign-in asks for first',
    ],
    [{ colour: '#0f5ba7' }, 'societies.json: sakura: has unknown members: colour'],
    [
      { id: 'さくら' },
      'societies.json: さくら: "id" must be 1 to 32 lower-case letters, digits or "-"',
    ],
    [{ id: undefined }, 'societies.json: entry 1: "id" is missing'],
  ])('%j is refused by name and place', (change, line) => {
    expect(societyProblems(change)).toEqual([line])
  })

  test('two societies cannot have one id', () => {
    const problems: Problem[] = []
    const society = first('societies')
    const file = JSON.stringify([society, society])
    readSocieties({ file: 'societies.json', text: file }, problems)
    expect(linesOf(problems)).toEqual([
      'societies.json: sakura: has an "id" that another entry has already',
    ])
  })

  test.each([
    ['{', 'societies.json is not JSON'],
    ['{}', 'societies.json does not hold a list'],
    ['[]', 'societies.json does not hold a list'],
  ])('%j is refused as a whole', (file, line) => {
    const problems: Problem[] = []
    readSocieties({ file: 'societies.json', text: file }, problems)
    expect(linesOf(problems)).toEqual([line])
  })

  test('contrast is as WCAG computes it', () => {
    expect(contrastOnWhite('#000000')).toBeCloseTo(21, 5)
    expect(contrastOnWhite('#ffffff')).toBeCloseTo(1, 5)
    // #767676 is the lightest grey that reaches 4.5 on white, #777777 does not.
    expect(contrastOnWhite('#767676')).toBeGreaterThan(4.5)
    expect(contrastOnWhite('#777777')).toBeLessThan(4.5)
  })

  test('what was agreed to is told apart by its text', () => {
    // SHA-256 of "abc": FIPS 180-2 appendix B.1.
    expect(termsHash(['abc'])).toBe('ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0')
    expect(termsHash(['a', 'b'])).not.toBe(termsHash(['a\n\nb', '']))
  })
})

describe('The clients file', () => {
  test('the demo clients are sound and keep our policy out of the engine’s metadata', () => {
    const problems: Problem[] = []
    const societyIds = new Set(['sakura', 'minato'])
    const { metadata, policies } = readClients(
      { file: 'clients.json', text: text('clients'), societyIds, production: false },
      problems,
    )
    expect(problems).toEqual([])
    expect(metadata[0]).not.toHaveProperty('policy')
    expect(metadata[0]).toMatchObject({ client_id: 'health-portal', response_types: ['code'] })
    expect(policies.get('health-portal')).toEqual({
      clientId: 'health-portal',
      name: '健康ポータル',
      societyId: 'sakura',
      uri: 'http://localhost:3001/',
      initiateLoginUri: 'http://localhost:3001/login',
      requiredAcr: 'urn:kenpo-id:acr:email',
    })
  })

  const URI = 'must be an https URI without fragment or wildcard (http on localhost only)'
  test.each([
    [{ redirect_uris: ['http://rp.example.jp/cb'] }, `"redirect_uris[0]" ${URI}`],
    [{ redirect_uris: ['https://rp.example.jp/cb#x'] }, `"redirect_uris[0]" ${URI}`],
    [{ redirect_uris: ['https://*.example.jp/cb'] }, `"redirect_uris[0]" ${URI}`],
    [{ redirect_uris: ['javascript:alert(1)'] }, `"redirect_uris[0]" ${URI}`],
    [{ redirect_uris: ['http://localhost.example.jp/cb'] }, `"redirect_uris[0]" ${URI}`],
    [{ redirect_uris: [] }, '"redirect_uris" must name at least one URI'],
    [{ client_secret: 'short' }, '"client_secret" must be at least 32 characters'],
    [
      { client_secret: undefined },
      '"client_secret" is missing, as "token_endpoint_auth_method" is "client_secret_basic"',
    ],
    [
      { token_endpoint_auth_method: 'none' },
      '"client_secret" must not be given, as "token_endpoint_auth_method" is "none"',
    ],
    [
      { policy: { society: 'umi', requiredAcr: 'phr' } },
      '"policy.society" is not in the societies file',
    ],
    [
      { policy: { society: 'sakura', requiredAcr: 'strong' } },
      '"policy.requiredAcr" must be one of: urn:kenpo-id:acr:pwd, urn:kenpo-id:acr:email, https://refeds.org/profile/mfa, phr',
    ],
    [{ redirect_uri: 'https://rp.example.jp' }, 'has unknown members: redirect_uri'],
    [
      { backchannel_logout_uri: 'https://rp.example.jp/logout#now' },
      '"backchannel_logout_uri" must be an https URI without fragment or wildcard (http on localhost only)',
    ],
    [
      { backchannel_logout_uri: undefined },
      '"backchannel_logout_session_required" is true without a "backchannel_logout_uri"',
    ],
    [
      { backchannel_logout_session_required: 'yes' },
      '"backchannel_logout_session_required" is not a boolean',
    ],
  ])('%j is refused by name and place', (change, line) => {
    expect(clientProblems(change)).toEqual([`clients.json: health-portal: ${line}`])
  })

  test('a public client has no secret', () => {
    const change = { client_secret: undefined, token_endpoint_auth_method: 'none' }
    expect(clientProblems(change)).toEqual([])
  })

  test('an app on the member’s device may use a loopback address in production', () => {
    const told = { backchannel_logout_uri: 'https://rp.example.jp/logout' }
    expect(clientProblems({ ...told, application_type: 'native' }, true)).toEqual([])
    expect(clientProblems(told, true)).toEqual([
      'clients.json: health-portal: "redirect_uris[0]" is not https',
    ])
  })

  test('logout tokens go by https in production, to every client', () => {
    const native = { application_type: 'native', backchannel_logout_uri: 'http://127.0.0.1/out' }
    expect(clientProblems(native)).toEqual([])
    expect(clientProblems(native, true)).toEqual([
      'clients.json: health-portal: "backchannel_logout_uri" is not https',
    ])
  })

  test('a client’s private key is refused and not repeated', () => {
    const change = {
      client_secret: undefined,
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [{ kty: 'EC', d: 'canary' }] },
    }
    const lines = clientProblems(change)
    expect(lines).toEqual(['clients.json: health-portal: "jwks" must hold public keys only'])
    expect(lines.join()).not.toContain('canary')
  })
})
