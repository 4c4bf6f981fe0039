import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Clock } from '../../accounts/ports.ts'
import { createAuditTrail } from '../../adapters/embedded/audit-trail.ts'
import { createRecordStore } from '../../adapters/embedded/records.ts'
import { systemRandom } from '../../adapters/system.ts'
import { FEATURES } from '../../clients/features.ts'
import { type Clients, createClients } from '../../clients/index.ts'
import type { ClientStore } from '../../clients/ports.ts'
import type { Actor } from '../../clients/registry.ts'
import type { ClientRules } from '../../clients/schema.ts'
import type { Fetch } from '../../clients/sector.ts'
import { accountClient } from '../../provider/account-client.ts'
import { openTemporary } from '../adapters/embedded/temporary.ts'
import { inParallel, reasonsOf, valuesOf } from '../contracts/rounds.ts'

const RULES: ClientRules = {
  local: false,
  societyIds: new Set(['sakura', 'minato']),
  responseTypes: ['code'],
  features: new Set(FEATURES),
  signingAlgorithms: ['RS256'],
}
const ACTOR: Actor = { operator: '山田', door: 'cli' }
const ENTRY = {
  client_name: 'アプリ',
  redirect_uris: ['https://app.example.jp/cb'],
  policy: { society: 'sakura' },
}
const KEYS = [{ id: 'a', key: systemRandom(32) }]

let now: number
const clock: Clock = { now: () => now }
let open: ReturnType<typeof openTemporary>
let store: ClientStore
let answers: Readonly<Record<string, () => Response>>
const fetch: Fetch = async (url) => {
  const answer = answers[url]
  if (!answer) throw new Error('no such host')
  return answer()
}

const clientsWith = (
  keys: typeof KEYS = KEYS,
  stopwatch: () => number = () => performance.now(),
  audit = createAuditTrail(open.db),
): Clients =>
  createClients({
    own: [accountClient('https://id.example.jp', 'sakura')],
    file: () => new Map(),
    rules: RULES,
    encryptionKeys: keys,
    store,
    tokens: createRecordStore(open.db, 'registrationToken'),
    audit,
    clock,
    randomBytes: systemRandom,
    fetch,
    stopwatch,
  })

let clients: Clients
beforeEach(() => {
  now = 1_800_000_000
  answers = {}
  open = openTemporary()
  store = createRecordStore(open.db, 'client')
  clients = clientsWith()
})
afterEach(() => open.close())

const secretsOf = async (id: string, from = clients) =>
  (await from.known.find(id))?.secretsAt(now) ?? []

describe('The registry', () => {
  test('makes ID and secret, tells the secret once and keeps it sealed for this client alone', async () => {
    const { client, secret = '' } = await clients.registry.create(ENTRY, ACTOR)
    expect(client.id).toMatch(/^[0-9a-f]{20}$/)
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    expect(JSON.stringify(await store.list())).not.toContain(secret)
    expect(await secretsOf(client.id)).toEqual([secret])
    const { client: other } = await clients.registry.create(ENTRY, ACTOR)
    await store.save({ ...other, secrets: client.secrets })
    clients.known.forget(other.id)
    expect(await secretsOf(other.id)).toEqual([])
    expect((await clients.known.find(other.id))?.unreadableAt(now)).toEqual([
      { createdAt: now, encryptionKey: 'a', reason: 'tampered with, or of another row' },
    ])
  })

  test('reads secrets under an older key, and says so where the key is gone', async () => {
    const { client, secret } = await clients.registry.create(ENTRY, ACTOR)
    const newer = { id: 'b', key: systemRandom(32) }
    expect(await secretsOf(client.id, clientsWith([newer, ...KEYS]))).toEqual([secret])
    const known = await clientsWith([newer]).known.find(client.id)
    expect(known?.secretsAt(now)).toEqual([])
    expect(known?.unreadableAt(now)).toEqual([
      { createdAt: now, encryptionKey: 'a', reason: 'sealed by a key that is not configured' },
    ])
  })

  test('stores no secret that it cannot tell, as the audit trail does not take the act', async () => {
    const { client, secret } = await clients.registry.create(ENTRY, ACTOR)
    const trail = createAuditTrail(open.db)
    let isDown = true
    const append: typeof trail.append = async (event) => {
      if (isDown) throw new Error('no audit trail')
      return trail.append(event)
    }
    const { registry } = clientsWith(KEYS, undefined, { ...trail, append })
    const rotate = () => registry.rotateSecret(client.id, { overlapSeconds: 3600 }, ACTOR)
    for (let times = 0; times < 2; times += 1) await expect(rotate()).rejects.toThrow('no audit')
    await expect(registry.create(ENTRY, ACTOR)).rejects.toThrow('no audit')
    expect(await store.list()).toHaveLength(1)
    isDown = false
    const made = await rotate()
    expect(await secretsOf(client.id, clientsWith())).toEqual([made.secret, secret])
  })

  test('makes no secret with keys that cannot read the present one, unless its key is lost', async () => {
    const { client, secret } = await clients.registry.create(ENTRY, ACTOR)
    const wrong = clientsWith([{ id: 'b', key: systemRandom(32) }])
    const options = { overlapSeconds: 3600 }
    await expect(wrong.registry.rotateSecret(client.id, options, ACTOR)).rejects.toThrow(
      'client_secret cannot be read: sealed by a key that is not configured ("a"). Do this with the servers’ own IDP_ENCRYPTION_KEYS',
    )
    expect(await secretsOf(client.id, clientsWith())).toEqual([secret])
    const events = await createAuditTrail(open.db).eventsOf(`client:${client.id}`)
    expect(events.map(({ act }) => act)).toEqual(['clientCreated'])
  })

  test('keeps the newest secret that can be read beside a new one, and drops those that cannot', async () => {
    const options = { overlapSeconds: 3600 }
    const newer = clientsWith([{ id: 'b', key: systemRandom(32) }])
    const { client } = await clients.registry.create(ENTRY, ACTOR)
    const first = await newer.registry.rotateSecret(client.id, { ...options, lost: true }, ACTOR)
    expect(first).toMatchObject({ dropped: 1, client: { secrets: [{ createdAt: now }] } })
    const second = await newer.registry.rotateSecret(client.id, options, ACTOR)
    expect(second).not.toHaveProperty('dropped')
    expect(await secretsOf(client.id, newer)).toEqual([second.secret, first.secret])
    const events = await createAuditTrail(open.db).eventsOf(`client:${client.id}`)
    expect(events.slice(1).map(({ facts }) => facts)).toEqual([
      { door: 'cli', overlapSeconds: '3600', unreadable: '1' },
      { door: 'cli', overlapSeconds: '3600' },
    ])
  })

  test('gives no secret to who needs none, and takes one away with the method', async () => {
    const spa = await clients.registry.create(
      { ...ENTRY, token_endpoint_auth_method: 'none' },
      ACTOR,
    )
    expect(spa).not.toHaveProperty('secret')
    const { client, secret } = await clients.registry.create(ENTRY, ACTOR)
    const none = { token_endpoint_auth_method: 'none' }
    await clients.registry.update(client.id, none, ACTOR)
    expect(await secretsOf(client.id)).toEqual([])
    const basic = { token_endpoint_auth_method: 'client_secret_post' }
    const back = await clients.registry.update(client.id, basic, ACTOR)
    expect(back.secret).not.toBe(secret)
    expect(await secretsOf(client.id)).toEqual([back.secret])
  })

  test('changes what is named, takes out what is null, and keeps the rest with the secret', async () => {
    const { client, secret } = await clients.registry.create(
      { ...ENTRY, scope: 'openid', policy: { society: 'sakura', maxAge: 300 } },
      ACTOR,
    )
    const patch = { client_name: '別名', scope: null, policy: { maxAge: null, thirdParty: true } }
    const { client: after, ...more } = await clients.registry.update(client.id, patch, ACTOR)
    expect(more).toEqual({})
    expect(after.metadata).toEqual({
      ...client.metadata,
      client_name: '別名',
      scope: undefined,
    })
    expect(after.policy).toEqual({
      society: 'sakura',
      requiredAcr: 'urn:kenpo-id:acr:email',
      thirdParty: true,
    })
    expect(await secretsOf(client.id)).toEqual([secret])
    const events = await createAuditTrail(open.db).eventsOf(`client:${client.id}`)
    expect(events.map(({ act, operator, facts }) => [act, operator, facts])).toEqual([
      ['clientCreated', '山田', { door: 'cli', name: 'アプリ' }],
      ['clientUpdated', '山田', { door: 'cli', changed: 'client_name, policy, scope' }],
    ])
  })

  test('gives members another sub only where that is said', async () => {
    const { client } = await clients.registry.create(ENTRY, ACTOR)
    const moved = { redirect_uris: ['https://moved.example.jp/cb'] }
    await expect(clients.registry.update(client.id, moved, ACTOR)).rejects.toThrow(
      'gives every member of this client another "sub": pairwise for app.example.jp becomes pairwise for moved.example.jp',
    )
    const shared = clients.registry.update(client.id, { subject_type: 'public' }, ACTOR)
    await expect(shared).rejects.toThrow('another "sub"')
    const same = { redirect_uris: ['https://app.example.jp/other'] }
    await clients.registry.update(client.id, same, ACTOR)
    await clients.registry.update(client.id, moved, ACTOR, { newSub: true })
    const events = await createAuditTrail(open.db).eventsOf(`client:${client.id}`)
    expect(events.map(({ facts }) => facts.newSub)).toEqual([undefined, undefined, 'true'])
  })

  test('gives members another sub by no two updates either, of which the first signs nobody in', async () => {
    const { client } = await clients.registry.create(ENTRY, ACTOR)
    const service = { redirect_uris: [], response_types: [], grant_types: ['client_credentials'] }
    const nobody = clients.registry.update(client.id, service, ACTOR)
    await expect(nobody).rejects.toThrow(
      'redirect_uris gives every member of this client another "sub": pairwise for app.example.jp becomes none',
    )
    const { client: after } = await clients.registry.update(client.id, service, ACTOR, {
      newSub: true,
    })
    expect(after.metadata.redirect_uris).toEqual([])
    const [, event] = await createAuditTrail(open.db).eventsOf(`client:${client.id}`)
    expect(event?.facts.newSub).toBe('true')
  })

  test('its terms cannot be taken out', async () => {
    const { client } = await clients.registry.create(ENTRY, ACTOR)
    const without = clients.registry.update(client.id, { policy: null }, ACTOR)
    await expect(without).rejects.toThrow('policy is no object')
    expect((await store.find(client.id))?.revision).toBe(client.revision)
  })

  test('refuses an ID that another has, and a change of ID', async () => {
    const { client } = await clients.registry.create({ ...ENTRY, client_id: 'app' }, ACTOR)
    const taken = clients.registry.create({ ...ENTRY, client_id: 'app' }, ACTOR)
    await expect(taken).rejects.toThrow('client_id "app" is another client’s')
    const renamed = clients.registry.update(client.id, { client_id: 'other' }, ACTOR)
    await expect(renamed).rejects.toThrow('client_id "other" is another client’s')
    const chosen = clients.registry.update(client.id, { client_secret: 'x'.repeat(40) }, ACTOR)
    await expect(chosen).rejects.toThrow('client_secret cannot be set')
    await expect(clients.registry.find('account-sakura')).rejects.toMatchObject({ status: 409 })
  })

  test('of twenty that change one client at once, no change is lost', async () => {
    const { client } = await clients.registry.create(ENTRY, ACTOR)
    const rounds = await inParallel((caller) =>
      clients.registry.update(
        client.id,
        { [`client_name#${caller % 2 ? 'ja' : 'en'}`]: `名${caller}` },
        ACTOR,
      ),
    )
    const done = valuesOf(rounds).length
    for (const reason of reasonsOf(rounds)) expect(reason).toMatchObject({ code: 'stale_client' })
    expect(done).toBeGreaterThan(0)
    expect((await store.find(client.id))?.revision).toBe(done + 1)
  })

  test('made anew under the same ID, is another client: tokens from before are dead', async () => {
    const { client } = await clients.registry.create({ ...ENTRY, client_id: 'app' }, ACTOR)
    await clients.registry.remove('app', ACTOR)
    expect(await clients.find('app')).toBeUndefined()
    now += 100
    const again = await clients.registry.create({ ...ENTRY, client_id: 'app' }, ACTOR)
    expect(again.client.tokensSince - client.tokensSince).toBe(100)
  })
})

describe('A look-up', () => {
  test('sees what another instance has changed within five seconds, and that there is none too', async () => {
    let ms = 0
    const here = clientsWith(KEYS, () => ms)
    expect(await here.find('app')).toBeUndefined()
    await clients.registry.create({ ...ENTRY, client_id: 'app' }, ACTOR)
    ms = 3999
    expect(await here.find('app')).toBeUndefined()
    ms = 4000
    expect(await here.find('app')).toMatchObject({ clientId: 'app', societyId: 'sakura' })
    await clients.registry.disable('app', {}, ACTOR)
    ms = 7999
    expect(await here.find('app')).toBeDefined()
    ms = 8000
    expect(await here.find('app')).toBeUndefined()
  })

  test('asks the store once however many ask, and again after a failure', async () => {
    let asked = 0
    const real = store
    store = {
      ...real,
      find: async (id) => {
        asked += 1
        if (asked === 1) throw new Error('down')
        return real.find(id)
      },
    }
    const here = clientsWith()
    const first = await Promise.allSettled([here.find('app'), here.find('app')])
    expect(first.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    await Promise.all([here.find('app'), here.find('app'), here.find('app')])
    expect(asked).toBe(2)
  })

  test('finds our own account pages, which nobody lists or changes', async () => {
    expect(await clients.find('account-sakura')).toMatchObject({
      names: { en: 'Login settings', ja: 'ログインの設定' },
      uri: 'https://id.example.jp/account/sakura',
    })
    expect(await clients.registry.list()).toEqual([])
  })
})

describe('A sector', () => {
  const uris = ['https://a.example.jp/cb', 'https://b.example.jp/cb']
  const entry = {
    ...ENTRY,
    redirect_uris: uris,
    sector_identifier_uri: 'https://sector.example.jp/list.json',
  }
  test.each<[string, (() => Response) | undefined, string | undefined]>([
    ['that lists every redirect URI is taken', () => Response.json(uris), undefined],
    ['that leaves one out is refused', () => Response.json(uris.slice(1)), 'does not list the'],
    ['that is no list is refused', () => Response.json({ uris }), 'is no JSON array'],
    ['that is no JSON is refused', () => new Response('<html>'), 'is no JSON array'],
    ['that answers 302 is refused', () => new Response(null, { status: 302 }), 'answers 302'],
    ['that does not answer is refused', undefined, 'cannot be fetched (no such host)'],
  ])('%s', async (_what, answer, rule) => {
    if (answer) answers = { [entry.sector_identifier_uri]: answer }
    const made = clients.registry.create(entry, ACTOR)
    if (rule === undefined) await expect(made).resolves.toMatchObject({ client: { revision: 1 } })
    else await expect(made).rejects.toThrow(rule)
  })
})
