import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { createAdminRoutes } from '../../management/admin.ts'
import { createManagementApp } from '../../management/app.ts'
import { explainReference } from '../../provider/refusals/explanation.ts'
import { aJourneyOf, anOldHand, theDate } from '../flows/support.ts'
import { type Idp, startIdp } from '../support/idp.ts'

type Json = Readonly<Record<string, unknown>>
type Answer = Readonly<{ status: number; body: Json; headers: Headers }>

const TOKEN = 'an-admin-token-of-this-test-1234567890'
const hash = createHash('sha256').update(TOKEN).digest()
/** What a script makes of a variable that is not set. */
const ofNothing = createHash('sha256').update('').digest()

let idp: Idp
const server = createServer()
let base: string
let open = true
beforeAll(async () => {
  idp = await startIdp({ clock: theDate() })
  const { clients, log } = idp.services
  const tokens = [
    { operator: 'alice', hash },
    { operator: 'nobody', hash: ofNothing },
  ]
  const explainRefusal = explainReference(idp.services)
  const routes = createAdminRoutes({ clients, explainRefusal, tokens, log })
  const app = createManagementApp({
    missing: async () => [],
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
    admin: () => (open ? routes : undefined),
  })
  server.on('request', app.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // TCP, so no path
})
afterAll(async () => {
  server.closeAllConnections()
  server.close()
  await idp.close()
  jest.useRealTimers()
})

const call = async (
  method: string,
  path: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => {
  const response = await fetch(`${base}/admin${path}`, {
    method,
    headers: {
      Authorization: `Bearer ${TOKEN}`,
      ...(body !== undefined && { 'Content-Type': 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  return {
    status: response.status,
    body: text === '' ? {} : (JSON.parse(text) as Json),
    headers: response.headers,
  }
}
const entry = (over: Json = {}): Json => ({
  client_name: '管理APIのアプリ',
  redirect_uris: [idp.redirectUri],
  policy: { society: 'sakura' },
  ...over,
})

describe('The admin API', () => {
  test('does nothing where it was not understood, and says so', async () => {
    const { body: made } = await call('POST', '/clients', entry())
    const path = `/clients/${made.client_id}`
    const stale = await call('DELETE', path, undefined, { 'If-Match': '"99"' })
    expect([stale.status, stale.body.error]).toEqual([412, 'precondition_failed'])
    for (const body of [[], [{ client_name: '別名' }], { policy: null }, { policy: [] }]) {
      expect((await call('PATCH', path, body)).status).toBe(400)
    }
    const chunked = await fetch(`${base}/admin${path}/secret`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${TOKEN}`, 'Content-Type': 'text/plain' },
      body: new Blob(['{"overlap_seconds":0}']).stream(),
      duplex: 'half',
    } as RequestInit)
    expect(chunked.status).toBe(415)
    const { headers } = await call('GET', path)
    expect(headers.get('ETag')).toBe('"1"')
    const gone = await call('DELETE', path, undefined, { 'If-Match': '"1"' })
    expect(gone.status).toBe(204)
  })

  test('gives members another sub only where that is confirmed', async () => {
    const { body: made } = await call('POST', '/clients', entry())
    const path = `/clients/${made.client_id}`
    const moved = { redirect_uris: ['https://moved.example.jp/cb'] }
    expect((await call('PATCH', path, moved)).status).toBe(400)
    expect((await call('PATCH', `${path}?allow_new_sub=true`, moved)).status).toBe(200)
  })

  test('is for nobody without a token, though a token of nothing is configured', async () => {
    for (const Authorization of ['', 'Bearer', 'Bearer ']) {
      expect((await call('GET', '/clients', undefined, { Authorization })).status).toBe(401)
    }
  })

  test('registers a client, and its first sign-in works', async () => {
    const { status, body } = await call('POST', '/clients?preset=web', entry())
    expect(status).toBe(201)
    const client = {
      clientId: String(body.client_id),
      clientSecret: String(body.client_secret),
      redirectUri: idp.redirectUri,
    }
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { client })
    await journey.start()
    expect((await journey.finish()).claims()?.aud).toBe(body.client_id)
    const [event] = await idp.services.audit.eventsOf(`client:${body.client_id}`)
    expect(event).toMatchObject({
      act: 'clientCreated',
      operator: 'alice',
      facts: { door: 'admin' },
    })
    const line = idp.log.find(({ msg }) => msg === 'admin_request')
    expect(line).toMatchObject({ route: 'createClient', method: 'POST', status: 201 })
    expect(JSON.stringify(idp.log)).not.toContain(client.clientSecret)
  })

  test('shows, changes, rotates, disables and removes one', async () => {
    const made = await call('POST', '/clients', entry({ client_id: 'crud' }))
    expect(made.headers.get('etag')).toBe('"1"')
    expect((await call('GET', '/clients/crud')).body).not.toHaveProperty('client_secret')
    const patch = await call('PATCH', '/clients/crud', { client_name: '別名', scope: null })
    expect(patch.body).toMatchObject({ client_name: '別名', revision: 2 })
    expect(patch.body).not.toHaveProperty('client_secret')
    const put = await call('PUT', '/clients/crud', entry({ scope: 'openid email' }))
    expect(put.body).toMatchObject({ client_name: '管理APIのアプリ', scope: 'openid email' })
    const rotated = await call('POST', '/clients/crud/secret', { overlap_seconds: 60 })
    expect(rotated.body.client_secret).not.toBe(made.body.client_secret)
    expect(rotated.body.secrets).toHaveLength(2)
    const disabled = await call('POST', '/clients/crud/disable', { reason: '契約の終わり' })
    expect(disabled.body.disabled).toMatchObject({ reason: '契約の終わり' })
    expect((await call('POST', '/clients/crud/enable')).body).not.toHaveProperty('disabled')
    const { body } = await call('GET', '/clients')
    const ids = (body.clients as Json[]).map(({ client_id: id, origin }) => [id, origin])
    expect(ids).toEqual(
      expect.arrayContaining([
        ['crud', 'store'],
        ['health-portal', 'file'],
      ]),
    )
    expect((await call('DELETE', '/clients/crud')).status).toBe(204)
    expect((await call('GET', '/clients/crud')).status).toBe(404)
  })

  test('changes nothing where somebody else was faster', async () => {
    await call('POST', '/clients', entry({ client_id: 'raced' }))
    const change = { client_name: '速い方' }
    const first = await call('PATCH', '/clients/raced', change, { 'If-Match': '"1"' })
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"2"'])
    const second = await call(
      'PATCH',
      '/clients/raced',
      { client_name: '遅い方' },
      { 'If-Match': '"1"' },
    )
    expect([second.status, second.body.error]).toEqual([412, 'precondition_failed'])
    expect((await call('GET', '/clients/raced')).body.client_name).toBe('速い方')
  })

  test.each([
    ['rotates no secret', 'secret'],
    ['disables no client', 'disable'],
    ['enables none', 'enable'],
  ])('%s where somebody else was faster', async (_what, act) => {
    const { body: made } = await call('POST', '/clients', entry())
    const path = `/clients/${made.client_id}`
    const changed = await call('PATCH', path, { client_name: '速い方' })
    const stale = await call('POST', `${path}/${act}`, {}, { 'If-Match': '"1"' })
    expect([stale.status, stale.body.error]).toEqual([412, 'precondition_failed'])
    expect((await call('GET', path)).body).toEqual(changed.body)
    const events = await idp.services.audit.eventsOf(`client:${made.client_id}`)
    expect(events.map(({ act: done }) => done)).toEqual(['clientCreated', 'clientUpdated'])
    const done = await call('POST', `${path}/${act}`, {}, { 'If-Match': '"2"' })
    expect([done.status, done.headers.get('etag')]).toEqual([200, '"3"'])
  })

  test('makes no secret beside one that cannot be read, unless that is lost', async () => {
    const { body: made } = await call('POST', '/clients', entry())
    const { body: other } = await call('POST', '/clients', entry())
    const path = `/clients/${made.client_id}/secret`
    const { clientStore } = idp.services
    const [mine, anothers] = await Promise.all(
      [made, other].map(({ client_id: id }) => clientStore.find(String(id))),
    )
    // What is sealed for one client opens for no other.
    await clientStore.save({ ...mine!, secrets: anothers!.secrets })
    const refused = await call('POST', path, {})
    expect(refused.status).toBe(400)
    expect(JSON.stringify(refused.body)).toContain('\\"lost\\": true')
    const rotated = await call('POST', path, { lost: true })
    expect(rotated.status).toBe(200)
    expect(rotated.body.secrets).toHaveLength(1)
  })

  test('makes, lists and revokes registration tokens', async () => {
    const wanted = { policy: { society: 'sakura' }, hosts: ['app.example.jp'], uses: 2, days: 1 }
    const { status, body } = await call('POST', '/registration-tokens', wanted)
    expect([status, typeof body.token]).toEqual([201, 'string'])
    const list = await call('GET', '/registration-tokens')
    expect(JSON.stringify(list.body)).toContain(String(body.id))
    expect(JSON.stringify(list.body)).not.toContain(String(body.token))
    const revoked = await call('DELETE', `/registration-tokens/${body.id}`)
    expect(typeof revoked.body.revoked_at).toBe('string')
    const hosts = await call('POST', '/registration-tokens', { ...wanted, hosts: ['*.example.jp'] })
    expect(hosts.body.refusals).toMatchObject([
      { parameter: 'hosts[0]', rule: 'is not a host name' },
    ])
  })

  test.each<[string, Json | string, string, number, string]>([
    ['a bad address', { redirect_uris: ['http://evil.example/'] }, '', 400, 'is http'],
    ['an unknown name', { redirect_url: 'x' }, '', 400, 'redirect_url'],
    ['no object', '[]', '', 400, 'client_name'],
    ['no JSON', '{', '', 400, 'Not JSON'],
    ['a number', '1', '', 400, ''],
    ['an unknown preset', {}, '?preset=fast', 400, 'none of: web'],
    ['a text of 70 kB', `{"client_name":"${'x'.repeat(70_000)}"}`, '', 413, '64 kB'],
  ])('refuses %s', async (_what, body, query, status, words) => {
    const given = typeof body === 'string' ? body : entry(body)
    const answer = await call('POST', `/clients${query}`, given)
    expect(answer.status).toBe(status)
    expect(String(answer.body.error_description)).toContain(words)
  })

  test('explains a refusal by its reference number, in either language', async () => {
    const body = new URLSearchParams({ grant_type: 'password', client_id: 'health-portal' })
    const refused = await fetch(`${idp.issuer}/token`, { method: 'POST', body })
    const path = `/refusals/${refused.headers.get('x-request-id')}`
    const { status, body: told } = await call('GET', path)
    expect([status, told.endpoint, told.client_id]).toEqual([200, 'token', 'health-portal'])
    const [finding] = told.findings as Json[]
    expect(finding).toMatchObject({ rule: 'auth.method', received: 'none' })
    expect(finding?.fix).toContain('Correct the app')
    const japanese = (await call('GET', `${path}?lang=ja`)).body.findings as Json[]
    expect(japanese[0]?.fix).toContain('登録')
    const unknown = await call('GET', '/refusals/7F3K-92QD')
    expect([unknown.status, unknown.body.error]).toEqual([404, 'unknown_reference'])
  })

  test('refuses what is no JSON by its type, and knows no client of ours', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
    expect((await call('POST', '/clients', 'client_name=x', form)).status).toBe(415)
    expect((await call('GET', '/clients/account-sakura')).status).toBe(404)
    expect((await call('PATCH', '/clients/health-portal', { client_name: 'x' })).status).toBe(409)
    expect((await call('DELETE', '/clients/nobody')).status).toBe(404)
  })

  test.each([
    ['no token', {}],
    ['another token', { Authorization: `Bearer ${TOKEN}x` }],
    ['a password', { Authorization: `Basic ${btoa(`alice:${TOKEN}`)}` }],
    ['an empty token', { Authorization: 'Bearer ' }],
  ])('with %s does nothing', async (_what, headers) => {
    const response = await fetch(`${base}/admin/clients`, { headers })
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
  })

  test('is not ready before its stores are', async () => {
    open = false
    expect((await fetch(`${base}/admin/clients`)).status).toBe(503)
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
    open = true
  })
})

describe('Its OpenAPI document', () => {
  type Operation = Readonly<{
    operationId: string
    requestBody?: unknown
    parameters: readonly Readonly<{ name: string }>[]
  }>
  const document = async () =>
    (await (await fetch(`${base}/admin/openapi.json`)).json()) as Readonly<{
      openapi: string
      paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
    }>

  test('names every operation that is answered, and none that is not', async () => {
    const { openapi, paths } = await document()
    expect(openapi).toBe('3.1.0')
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
    const told = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
    const answered: string[] = []
    for (const path of Object.keys(paths)) {
      for (const method of methods) {
        // Whoever may not do it is told so by the operation itself, where there is one.
        const response = await fetch(`${base}${path.replace(/\{\w+\}/g, 'x')}`, { method })
        if (response.status === 401) answered.push(`${method} ${path}`)
      }
    }
    expect(answered.sort()).toEqual(told.sort())
    expect(told.length).toBe(13)
  })

  test('says where If-Match is heard: with every change of one client', async () => {
    const { paths } = await document()
    const heard = Object.values(paths)
      .flatMap((operations) => Object.values(operations))
      .filter(({ parameters }) => parameters.some(({ name }) => name === 'If-Match'))
    expect(heard.map(({ operationId: id }) => id).sort()).toEqual([
      'deleteClient',
      'disableClient',
      'enableClient',
      'replaceClient',
      'rotateSecret',
      'updateClient',
    ])
  })

  test('describes a client by the very schema that checks it', async () => {
    const { paths } = await document()
    const { post } = paths['/admin/clients'] ?? {}
    const schema = JSON.parse(JSON.stringify(post?.requestBody)).content['application/json'].schema
    expect(schema.required).toEqual(['client_name', 'policy'])
    expect(schema.additionalProperties).toBe(false)
    expect(schema.properties.token_endpoint_auth_method.enum).toContain('private_key_jwt')
    expect(schema.properties.policy.required).toEqual(['society'])
    for (const name of Object.keys(schema.properties)) {
      const { body } = await call('POST', '/clients', entry({ [name]: { not: 'this' } }))
      expect([name, JSON.stringify(body.refusals)]).toEqual([name, expect.stringContaining(name)])
    }
  })
})
