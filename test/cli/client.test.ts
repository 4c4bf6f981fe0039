import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { freePort } from '../support/deployment.ts'
import { type Outcome, runHere, runWith } from './command.ts'

type Json = Readonly<Record<string, unknown>>

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kenpo-id-client-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const client = (...args: readonly string[]): Promise<Outcome> => runHere(folder, 'client', ...args)
const told = ({ out, err }: Outcome): Json => {
  if (err !== '') throw new Error(err)
  return JSON.parse(out) as Json
}
const CREATE = ['create', '--name', 'アプリ', '--society', 'sakura'] as const
const URI = ['--redirect-uri', 'https://app.example.jp/cb'] as const
const JSON_FORMAT = ['--format', 'json'] as const

const made = async (...more: readonly string[]): Promise<string> =>
  String(told(await client(...CREATE, ...URI, ...JSON_FORMAT, ...more)).client_id)

describe('kenpo-idp client', () => {
  test('create prints the ID, the secret and code with this issuer, in words', async () => {
    const { code, out } = await client(...CREATE, ...URI, '--id', 'printed')
    expect(code).toBe(0)
    expect(out).toMatch(/^client_secret +[\w-]{43}$/m)
    expect(out).toContain('Keep the secret now')
    expect(out).toContain(`new URL('http://localhost:3000'), 'printed'`)
    const [, module = ''] = /--- openid-client.*\n([\s\S]*?)\n\n--- curl/.exec(out) ?? []
    const [, shell = ''] = /--- curl ---\n([\s\S]*)$/.exec(out) ?? []
    const file = join(folder, 'snippet.mjs')
    writeFileSync(file, module)
    expect(() => execFileSync(process.execPath, ['--check', file])).not.toThrow()
    expect(() => execFileSync('bash', ['-n', '-c', shell])).not.toThrow()
    expect(shell).toContain('curl http://localhost:3000/token -u "printed:$CLIENT_SECRET"')
  })

  test('create prints code for a browser where the client is a page', async () => {
    const back = ['--post-logout-uri', 'https://app.example.jp/']
    const { out } = await client(...CREATE, ...URI, ...back, '--id', 'page', '--preset', 'spa')
    const [, module = ''] = /--- oidc-client-ts.*\n([\s\S]*?)\n\n--- curl/.exec(out) ?? []
    const file = join(folder, 'page.mjs')
    writeFileSync(file, module)
    expect(() => execFileSync(process.execPath, ['--check', file])).not.toThrow()
    for (const [setting, value] of [
      ['authority', 'http://localhost:3000'],
      ['client_id', 'page'],
      ['redirect_uri', 'https://app.example.jp/cb'],
      ['post_logout_redirect_uri', 'https://app.example.jp/'],
    ]) {
      expect(module).toContain(`  ${setting}: '${value}',`)
    }
  })

  test.each([
    ['spa', URI, { token_endpoint_auth_method: 'none' }],
    [
      'native',
      ['--redirect-uri', 'http://127.0.0.1/cb'],
      { application_type: 'native', token_endpoint_auth_method: 'none' },
    ],
    ['service', [], { grant_types: ['client_credentials'], redirect_uris: [] }],
  ])('create --preset %s sets what is safe for it', async (preset, uris, metadata) => {
    const args = [...CREATE, ...uris, '--preset', preset, ...JSON_FORMAT]
    expect(told(await client(...args))).toMatchObject(metadata)
  })

  test('list and show tell what is registered, and no secret', async () => {
    const id = await made()
    const { out } = await client('list')
    expect(out).toMatch(
      new RegExp(`^${id} +sakura +client_secret_basic +store +enabled +アプリ$`, 'm'),
    )
    expect(out).toMatch(/^health-portal .* file /m)
    const shown = told(await client('show', id, ...JSON_FORMAT))
    expect(shown).toMatchObject({ client_id: id, origin: 'store', revision: 1 })
    expect(JSON.stringify(shown)).not.toMatch(/client_secret"|sealed/)
  })

  test('update changes what is named, and --unset takes out', async () => {
    const id = await made('--set', 'policy.maxAge=300', '--set', 'scope=openid')
    const changes = [
      '--name',
      '別名',
      '--unset',
      'policy.maxAge',
      '--set',
      'policy.thirdParty=true',
    ]
    const changed = told(await client('update', id, ...changes, ...JSON_FORMAT))
    expect(changed).toMatchObject({ client_name: '別名', scope: 'openid', revision: 2 })
    expect(changed.policy).toEqual({
      society: 'sakura',
      requiredAcr: 'urn:kenpo-id:acr:email',
      thirdParty: true,
    })
  })

  test('rotate-secret, disable, enable and delete do so', async () => {
    const id = await made()
    const rotated = told(await client('rotate-secret', id, '--overlap-days', '1', ...JSON_FORMAT))
    expect(rotated.client_secret).toMatch(/^[\w-]{43}$/)
    expect(rotated.secrets).toHaveLength(2)
    const disabled = await client('disable', id, '--reason', 'gone', ...JSON_FORMAT)
    expect(told(disabled).disabled).toMatchObject({ reason: 'gone' })
    expect((await client('list')).out).toMatch(new RegExp(`^${id} .* disabled `, 'm'))
    expect(told(await client('enable', id, ...JSON_FORMAT))).not.toHaveProperty('disabled')
    expect((await client('delete', id)).out).toBe(`${id} is deleted.\n`)
    expect((await client('show', id)).err).toContain('no such client is registered')
  })

  test('import takes all or none', async () => {
    const entry = (id: string, uri = 'https://app.example.jp/cb') => ({
      client_id: id,
      client_name: id,
      redirect_uris: [uri],
      policy: { society: 'minato' },
    })
    const file = join(folder, 'import.json')
    writeFileSync(
      file,
      JSON.stringify([entry('one'), entry('two', 'http://x.example/'), entry('one')]),
    )
    const refused = await client('import', file)
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('Nothing is imported')
    expect(refused.err).toContain('two: redirect_uris[0] "http://x.example/" is http')
    expect(refused.err).toContain('one: stands in the file twice')
    const kept = { ...entry('two'), client_secret: 'x'.repeat(40) }
    writeFileSync(file, JSON.stringify([entry('one'), kept]))
    expect((await client('import', file, '--dry-run')).out).toContain('2 clients can be imported')
    expect((await client('show', 'one')).code).toBe(1)
    const done = await client('import', file, ...JSON_FORMAT)
    expect(done.code).toBe(0)
    const [one, two] = JSON.parse(done.out) as Json[]
    expect([one, two].map((each) => 'client_secret' in (each ?? {}))).toEqual([true, false])
    const again = await client('import', file)
    expect(again.err).toContain('one: client_id "one" is another client’s')
  })

  test('token create, list and revoke do so', async () => {
    const args = ['token', 'create', '--society', 'sakura', '--host', 'app.example.jp']
    const { token, id } = told(await client(...args, '--uses', '3', ...JSON_FORMAT))
    expect(token).toMatch(/^[0-9a-f]{12}\.[\w-]{43}$/)
    const list = (await client('token', 'list')).out
    expect(list).toMatch(new RegExp(`^${id} +sakura +0/3 .* usable +app\\.example\\.jp$`, 'm'))
    expect(list).not.toContain(String(token))
    expect((await client('token', 'revoke', String(id))).out).toContain('revoked')
    expect((await client(...args)).out).toContain('IDP_REGISTRATION is off')
  })

  test('doctor names what is wrong with a client, and the way out', async () => {
    const id = await made(
      ...['--set', 'jwks_uri=https://127.0.0.1/jwks', '--auth-method', 'private_key_jwt'],
      ...[
        '--set',
        'policy.pkce="optional"',
        '--set',
        'backchannel_logout_uri=https://10.0.0.1/out',
      ],
    )
    await client('disable', id)
    const port = String(await freePort())
    const { code, out } = await runWith(folder, { IDP_PORT: port }, 'client', 'doctor', id)
    expect(code).toBe(1)
    expect(out).toContain(`✗ http://localhost:${port}/.well-known/openid-configuration`)
    expect(out).toContain('✗ it is disabled')
    expect(out).toContain('✗ PKCE is not required')
    expect(out).toMatch(/✗ backchannel_logout_uri .* leads to an address that is not public/)
    expect(out).toContain('→ Check the address; one in your own network goes into IDP_OUTBOUND')
    expect(out).toContain('✓ addresses, methods and flows keep the rules')
  })

  test.each([
    ['a bad address', [...CREATE, '--redirect-uri', 'http://x.example/'], 1, 'is http. Use https'],
    ['no address', [...CREATE], 1, 'redirect_uris must name at least one URI'],
    ['no name', ['create', '--society', 'sakura', ...URI], 1, 'client_name is missing'],
    ['an unknown society', ['create', '--name', 'x', '--society', 'umi', ...URI], 1, '"umi"'],
    ['no society of two', ['create', '--name', 'x', ...URI], 2, '--society is needed: sakura'],
    ['a wrong preset', [...CREATE, '--preset', 'fast'], 2, 'Allowed choices are web'],
    ['a wrong --set', [...CREATE, ...URI, '--set', 'x'], 2, '--set takes name=value'],
    ['a client of the file', ['disable', 'health-portal'], 1, 'change it there'],
    ['a client of ours', ['delete', 'account-sakura'], 1, 'it is one of ours'],
    ['an unknown client', ['rotate-secret', 'nobody'], 1, 'no such client is registered'],
    ['no operator', [...CREATE, ...URI, '--operator', ' '], 2, '--operator'],
    ['a file that is not there', ['import', '/nowhere.json'], 1, 'cannot be read'],
  ])('with %s it says so and fails', async (_what, args, code, says) => {
    const outcome = await client(...args)
    expect([outcome.code, outcome.out]).toEqual([code, ''])
    expect(outcome.err).toContain(says)
    expect(outcome.err).not.toMatch(/ at .*\.ts:\d+/u)
  })
})
