import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import Koa from 'koa'
import { addressOf, networkOf, pinHost } from '../../interactions/trust.ts'
import { aSociety } from '../support/builders.ts'

const ALL = ['passkey', 'totp', 'emailCode'] as const

/** One app for each number of proxies, set up as app.ts does. */
const appWith = (hops: number): Koa => {
  const app = new Koa()
  app.proxy = hops > 0
  app.maxIpsCount = hops
  app.use((ctx) => {
    ctx.body = addressOf(ctx)
  })
  return app
}

const ask = (
  { port }: AddressInfo,
  headers: Readonly<Record<string, string>>,
): Promise<Readonly<{ status: number; body: string }>> =>
  new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, headers, setHost: false, agent: false },
      (response) => {
        let body = ''
        response.on('data', (chunk) => {
          body += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
      },
    )
    sent.on('error', reject)
    sent.end()
  })

describe('Whose address a request comes from', () => {
  const servers = new Map<number, Server>()
  beforeAll(async () => {
    for (const hops of [0, 1, 2]) {
      const server = createServer(appWith(hops).callback())
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      servers.set(hops, server)
    }
  })
  afterAll(() => {
    for (const server of servers.values()) server.close()
  })
  const seen = async (hops: number, forwarded: string, more = {}) => {
    const address = servers.get(hops)?.address() as AddressInfo // TCP, so no path
    return (await ask(address, { Host: 'x', 'X-Forwarded-For': forwarded, ...more })).body
  }

  /** What a client may write to be taken for one of the company's network. */
  const FORGERIES = [
    '192.0.2.1',
    '192.0.2.1, 192.0.2.2',
    '192.0.2.1,192.0.2.2,192.0.2.3',
    ' 192.0.2.1 ',
    '192.0.2.1:443',
    '[192.0.2.1]',
    '::ffff:192.0.2.1',
    '::ffff:c000:201',
    '[::ffff:192.0.2.1]:80',
    '2001:db8:5a::1',
    '[2001:db8:5a::1]',
    '192.0.2.1;',
    '192.0.2.1\t',
    '"192.0.2.1"',
    'for=192.0.2.1',
    '192.0.2.1/24',
    '192.0.2.1%00',
    '0xc0000201',
    '3221225985',
    '0300.0.02.01',
    '192.0.2.01',
    '192.0.513',
    'localhost',
    '127.0.0.1',
    '::1',
    'unknown',
    '_hidden',
    ',',
    ',,,,192.0.2.1',
    `${'192.0.2.1, '.repeat(200)}192.0.2.1`,
  ]

  test('there are thirty forgeries', () => {
    expect(new Set(FORGERIES).size).toBe(30)
  })

  test.each(FORGERIES)('without proxies of ours %j is not listened to', async (forged) => {
    expect(await seen(0, forged)).toBe('127.0.0.1')
  })

  test.each(FORGERIES)(
    'behind one proxy, before what it adds, %j is not either',
    async (forged) => {
      expect(await seen(1, `${forged}, 203.0.113.9`)).toBe('203.0.113.9')
    },
  )

  test.each(FORGERIES)(
    'behind two proxies, before what they add, %j is not either',
    async (forged) => {
      expect(await seen(2, `${forged}, 203.0.113.9, 10.0.0.1`)).toBe('203.0.113.9')
    },
  )

  test.each(['X-Real-IP', 'Forwarded', 'X-Client-IP', 'CF-Connecting-IP', 'True-Client-IP', 'Via'])(
    'the header %s is not read at all',
    async (name) => {
      expect(await seen(1, '203.0.113.9', { [name]: '192.0.2.1' })).toBe('203.0.113.9')
    },
  )
})

describe('Which network an address is in', () => {
  const society = aSociety({
    networks: [
      {
        name: { ja: '本社', en: 'Head office' },
        cidrs: ['192.0.2.0/24', '2001:db8:5a::/48'],
        factors: ['emailCode'],
      },
      { name: { ja: '工場', en: 'Works' }, cidrs: ['198.51.100.64/26'], factors: ['totp'] },
    ],
  })

  test.each([
    ['192.0.2.0', '本社'],
    ['192.0.2.255', '本社'],
    ['::ffff:192.0.2.7', '本社'],
    ['::ffff:c000:207', '本社'],
    ['2001:db8:5a:ffff::1', '本社'],
    ['198.51.100.64', '工場'],
    ['198.51.100.127', '工場'],
    ['198.51.100.128', ''],
    ['198.51.100.63', ''],
    ['192.0.3.0', ''],
    ['192.0.1.255', ''],
    ['2001:db8:5b::1', ''],
    ['fe80::1%eth0', ''],
    ['', ''],
    ['unknown', ''],
    ['192.0.2.1, 192.0.2.2', ''],
  ])('%j: %j', (address, name) => {
    expect(networkOf(society, address).name).toBe(name)
  })

  test('its methods are those permitted there, by the society and by the product', () => {
    expect(networkOf(society, '192.0.2.1').factors).toEqual(['emailCode'])
    expect(networkOf(society, '198.51.100.64').factors).toEqual(['totp'])
    expect(networkOf(society, '203.0.113.9').factors).toEqual([...ALL])
    const strict = { ...society, factors: ['passkey'] as const }
    expect(networkOf(strict, '203.0.113.9').factors).toEqual(['passkey'])
    expect(networkOf(strict, '192.0.2.1').factors).toEqual([])
  })

  test('its name comes in the member’s language', () => {
    expect(networkOf(society, '192.0.2.1', 'en').name).toBe('Head office')
  })
})

describe('The host', () => {
  let server: Server
  beforeAll(async () => {
    const app = new Koa()
    app.proxy = true
    app.use(pinHost('https://id.example.jp'))
    app.use((ctx) => {
      ctx.body = `${ctx.protocol}://${ctx.host}`
    })
    server = createServer(app.callback())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(() => {
    server.close()
  })
  const address = () => server.address() as AddressInfo // TCP, so no path

  test('of the issuer is answered, with the issuer’s scheme whatever a proxy says', async () => {
    for (const forwarded of [
      {},
      { 'X-Forwarded-Host': 'evil.example' },
      { 'X-Forwarded-Proto': 'http' },
      { 'X-Forwarded-Proto': 'gopher' },
    ]) {
      const answer = await ask(address(), { Host: 'id.example.jp', ...forwarded })
      expect(answer).toEqual({ status: 200, body: 'https://id.example.jp' })
    }
  })

  test.each([
    'evil.example',
    'id.example.jp:443',
    'id.example.jp.',
    'id.example.jp@evil.example',
    'xid.example.jp',
    'localhost',
  ])('%s is told that it is nobody here', async (host) => {
    const { status, body } = await ask(address(), { Host: host })
    expect(status).toBe(421)
    expect(body).not.toContain(host)
  })
})
