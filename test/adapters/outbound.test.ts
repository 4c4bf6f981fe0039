import { execFile } from 'node:child_process'
import type { lookup as resolve } from 'node:dns'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import {
  createOutboundFetch,
  isPublicAddress,
  type OutboundRules,
} from '../../adapters/outbound.ts'

const PUBLIC = [
  '8.8.8.8',
  '93.184.216.34',
  '172.32.0.1',
  '172.15.255.255',
  '192.167.255.255',
  '100.63.255.255',
  '100.128.0.1',
  '198.20.0.1',
  '2606:4700::1111',
  '2001:4860:4860::8888',
  '::ffff:8.8.8.8',
]
const FORBIDDEN = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '10.255.255.255',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.1.2.3',
  '169.254.0.1',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.8',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.0.1',
  '192.168.255.255',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::127.0.0.1',
  '::a00:1',
  '::ffff:10.0.0.1',
  '::ffff:127.0.0.1',
  '::ffff:a9fe:a9fe',
  '::ffff:0:127.0.0.1',
  '64:ff9b::7f00:1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:2::1',
  '2001:10::1',
  '2001:db8::1',
  '2002:7f00:1::',
  '3fff::1',
  '4000::1',
  '5f00::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'febf::1',
  'fec0::1',
  'ff02::1',
  'localhost',
  '',
]
const NOWHERE: OutboundRules = { ranges: [], hosts: [], loopback: false }

/** A resolver that answers with these addresses, one list per call, the last one for ever. */
const resolving = (...answers: readonly (readonly string[])[]) => {
  let calls = 0
  const lookup = (_name: string, _options: object, callback: (...found: unknown[]) => void) => {
    const addresses = answers[Math.min(calls, answers.length - 1)] ?? []
    calls += 1
    const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    setImmediate(() => callback(null, found))
  }
  // node:dns' own has many overloads; the guard calls this one.
  return { lookup: lookup as unknown as typeof resolve, calls: () => calls }
}

describe('Addresses that this server calls', () => {
  test.each(PUBLIC)('%s is public', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test.each(FORBIDDEN)('"%s" is not', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })

  test.each([
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f.1/',
    'https://0177.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:169.254.169.254]/',
    'https://169.254.169.254/latest/meta-data/',
    'https://192.168.1.1:8443/jwks',
  ])('%s is refused before anything is sent', async (url) => {
    await expect(createOutboundFetch(NOWHERE)(url, {})).rejects.toMatchObject({ reason: 'address' })
  })

  test.each([
    ['http://rp.example.jp/jwks', 'scheme'],
    ['ftp://rp.example.jp/jwks', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['https://user:canary@rp.example.jp/', 'credentials'],
  ])('%s is refused', async (url, reason) => {
    const { lookup, calls } = resolving(['93.184.216.34'])
    const refusal = createOutboundFetch(NOWHERE, { lookup })(url, {})
    await expect(refusal).rejects.toMatchObject({
      reason,
      message: expect.not.stringContaining('canary'),
    })
    expect(calls()).toBe(0)
  })

  test.each([
    [['10.0.0.7']],
    [['fd00::7']],
    [['93.184.216.34', '169.254.169.254']],
    [['::ffff:127.0.0.1']],
    [[]],
  ])('a name that leads to %j is refused', async (addresses) => {
    const { lookup } = resolving(addresses)
    const call = createOutboundFetch(NOWHERE, { lookup })('https://rp.example.jp/jwks', {})
    await expect(call).rejects.toMatchObject({ reason: 'address' })
  })
})

describe('A call of this server, to one on this machine', () => {
  let server: Server
  let port: number
  const asked: { url: string; host: string; body: string }[] = []
  beforeAll(async () => {
    server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += String(chunk)
      asked.push({ url: request.url ?? '', host: request.headers.host ?? '', body })
      if (request.url === '/away') {
        response.writeHead(302, { Location: `http://localhost:${port}/elsewhere` }).end()
      } else if (request.url === '/long') {
        response.end('x'.repeat(5000))
      } else if (request.url !== '/silent') {
        response.setHeader('Content-Type', 'application/json').end('{"keys":[]}')
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ;({ port } = server.address() as AddressInfo) // TCP, so no path
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  const here: OutboundRules = { ranges: [], hosts: [], loopback: true }

  test('goes through while the issuer itself is on this machine', async () => {
    const answer = await createOutboundFetch(here)(`http://localhost:${port}/jwks`, {
      method: 'POST',
      headers: { 'Content-Type': 'text/plain' },
      body: 'logout_token=x',
    })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({ keys: [] })
    expect(asked.at(-1)).toMatchObject({ url: '/jwks', body: 'logout_token=x' })
  })

  test('is refused otherwise, unless the range or the name is listed', async () => {
    const url = `http://rp.internal:${port}/jwks`
    const { lookup } = resolving(['127.0.0.1'])
    const named = { ...NOWHERE, hosts: [`rp.internal:${port}`] }
    expect((await createOutboundFetch(named, { lookup })(url, {})).status).toBe(200)
    const before = asked.length
    await expect(createOutboundFetch(NOWHERE, { lookup })(url, {})).rejects.toThrow('not https')
    const https = url.replace('http:', 'https:')
    const outside = { ...NOWHERE, ranges: ['10.0.0.0/8', 'fd00::/8'] }
    await expect(createOutboundFetch(outside, { lookup })(https, {})).rejects.toMatchObject({
      reason: 'address',
    })
    // Within a listed range the connection is tried: what breaks is TLS, which this server lacks.
    const inside = { ...NOWHERE, ranges: ['127.0.0.0/8'] }
    await expect(createOutboundFetch(inside, { lookup })(https, {})).rejects.not.toHaveProperty(
      'reason',
    )
    expect(asked.length).toBe(before)
  })

  test('goes to the very address that was checked, though the name then leads elsewhere', async () => {
    const { lookup, calls } = resolving(['127.0.0.1'], ['10.0.0.1'])
    const url = `http://localhost:${port}/jwks`
    expect((await createOutboundFetch(here, { lookup })(url, {})).status).toBe(200)
    expect(calls()).toBe(1)
    await expect(createOutboundFetch(here, { lookup })(url, {})).rejects.toMatchObject({
      reason: 'address',
    })
  })

  test('follows no redirect', async () => {
    const answer = await createOutboundFetch(here)(`http://localhost:${port}/away`, {})
    expect(answer.status).toBe(302)
    expect(asked.map(({ url }) => url)).not.toContain('/elsewhere')
  })

  test('takes an answer up to its limit and no longer one', async () => {
    const url = `http://localhost:${port}/long`
    const taken = await createOutboundFetch(here, { maxBytes: 5000 })(url, {})
    expect((await taken.text()).length).toBe(5000)
    await expect(createOutboundFetch(here, { maxBytes: 4999 })(url, {})).rejects.toMatchObject({
      reason: 'size',
    })
  })

  test('gives up on silence', async () => {
    const call = createOutboundFetch(here, { limitMs: 50 })(`http://localhost:${port}/silent`, {})
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})

describe('A relying party with a certificate of the operator’s own authority', () => {
  let folder: string
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kenpo-id-ca-'))
    await promisify(execFile)('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem'), '-days', '1'],
      ...['-subj', '/CN=rp', '-addext', 'subjectAltName=DNS:localhost'],
    ])
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is called where that authority is trusted, and not otherwise', async () => {
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    const ca = read('cert.pem')
    const server = createSecureServer({ key: read('key.pem'), cert: ca }, (_request, response) => {
      response.end('[]')
    })
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
    const url = `https://localhost:${(server.address() as AddressInfo).port}/` // TCP, so no path
    const rules: OutboundRules = { ranges: [], hosts: [], loopback: true }
    expect(await (await createOutboundFetch({ ...rules, ca })(url, {})).json()).toEqual([])
    await expect(createOutboundFetch(rules)(url, {})).rejects.toThrow(/self.signed certificate/)
    server.closeAllConnections()
    server.close()
  })
})
