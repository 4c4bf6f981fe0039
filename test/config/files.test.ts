import { readFileSync } from 'node:fs'
import { describe, expect, test } from '@jest/globals'
import { termsHash } from '../../accounts/society.ts'
import { policyOf } from '../../clients/client.ts'
import { FEATURES } from '../../clients/features.ts'
import type { ClientRules } from '../../clients/schema.ts'
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

const RULES: ClientRules = {
  local: true,
  societyIds: new Set(['sakura', 'minato']),
  responseTypes: ['code'],
  features: new Set(FEATURES),
  signingAlgorithms: ['RS256'],
}

const clientProblems = (change: Json) => {
  const problems: Problem[] = []
  const file = JSON.stringify([{ ...first('clients'), ...change }])
  readClients({ file: 'clients.json', text: file, rules: RULES }, problems)
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
  test('the demo clients are sound, their secrets kept apart', () => {
    const problems: Problem[] = []
    const clients = readClients(
      { file: 'clients.json', text: text('clients'), rules: RULES },
      problems,
    )
    expect(problems).toEqual([])
    expect([...clients.keys()]).toEqual(['health-portal', 'minato-portal'])
    const { client, secret } = clients.get('health-portal') ?? {}
    expect(secret).toBe('demo-only-secret-of-the-health-portal-client')
    expect(JSON.stringify(client)).not.toContain('demo-only')
    expect(client?.metadata).toMatchObject({ response_types: ['code'], require_auth_time: true })
    expect(client && policyOf(client)).toEqual({
      clientId: 'health-portal',
      name: '健康ポータル',
      names: { ja: '健康ポータル', en: 'Health Portal' },
      societyId: 'sakura',
      uri: 'http://localhost:3001/',
      initiateLoginUri: 'http://localhost:3001/login',
      requiredAcr: 'urn:kenpo-id:acr:email',
    })
  })

  test.each([
    [
      { redirect_uris: ['https://rp.example.jp/cb', 'http://rp.example.jp/cb'] },
      '"redirect_uris[1]" "http://rp.example.jp/cb" is http',
    ],
    [
      { client_secret: undefined },
      '"client_secret" is missing, as "token_endpoint_auth_method" is',
    ],
    [{ policy: { society: 'umi' } }, '"policy.society" "umi" is not in the societies file'],
    [{ redirect_uri: 'https://rp.example.jp' }, ' has unknown members: redirect_uri'],
    [{ client_id: undefined }, '"client_id" is missing'],
  ])('%j is refused by name, place and value', (change, line) => {
    const label = 'client_id' in change ? 'entry 1' : 'health-portal'
    const [told, ...more] = clientProblems(change)
    expect(told?.replace(':  ', ': ')).toContain(`clients.json: ${label}: ${line.trimStart()}`)
    expect(more).toEqual([])
  })

  test('two clients cannot have one client_id', () => {
    const problems: Problem[] = []
    const file = JSON.stringify([first('clients'), first('clients')])
    readClients({ file: 'clients.json', text: file, rules: RULES }, problems)
    expect(linesOf(problems)).toEqual([
      'clients.json: health-portal: has a "client_id" that another entry has already',
    ])
  })

  test('an empty list is a list: clients may all be in the store', () => {
    const problems: Problem[] = []
    const empty = readClients({ file: 'clients.json', text: '[]', rules: RULES }, problems)
    expect([empty.size, problems]).toEqual([0, []])
    readClients({ file: 'clients.json', text: '{}', rules: RULES }, problems)
    readClients({ file: 'clients.json', text: '[', rules: RULES }, problems)
    expect(linesOf(problems)).toEqual([
      'clients.json does not hold a list',
      'clients.json is not JSON',
    ])
  })
})
