import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import * as client from 'openid-client'
import type { Actor } from '../../clients/registry.ts'
import { type Outcome, startCommand } from '../cli/command.ts'
import { aJourneyOf, anOldHand, PAGE, theDate } from '../flows/support.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { aRelyingParty } from '../support/rp.ts'

type Json = Readonly<Record<string, unknown>>
type App = Readonly<{ clientId: string; redirectUri: string; clientSecret: string }>

const OPERATOR: Actor = { operator: '山田花子', door: 'admin' }
const UNREADABLE = 'client secret cannot be read'
const aKey = (id: string): string => `${id}:${randomBytes(32).toString('base64url')}`

const [lost, next] = [aKey('lost'), aKey('next')]
const env = { IDP_REGISTRATION: 'on', IDP_ENCRYPTION_KEYS: lost }

let idp: Idp
/** Both secrets were made under the key that is lost. */
let portal: App
let service: App
let signing: App
/** Its newer secret was made under the key that is left. */
let rotated: App & Readonly<{ formerSecret: string }>
let selfRegistered: Json

const registry = () => idp.services.clients.registry
const registered = async (over: Json = {}): Promise<App> => {
  const entry = {
    client_name: '試しのアプリ',
    redirect_uris: [idp.redirectUri],
    policy: { society: 'sakura' },
    ...over,
  }
  const { client: made, secret = '' } = await registry().create(entry, OPERATOR)
  return { clientId: made.id, redirectUri: idp.redirectUri, clientSecret: secret }
}
const SERVICE = {
  redirect_uris: [],
  grant_types: ['client_credentials'],
  response_types: [],
  subject_type: 'public',
}

const command = (...args: readonly string[]): Promise<Outcome> => {
  const { dataDir, issuer, clientsFile, stores } = idp
  const more = { IDP_ISSUER: issuer, IDP_CLIENTS_FILE: clientsFile, ...stores.env, ...env }
  // Only what is text: the environment of a process has nothing else.
  return startCommand(dataDir, more as Record<string, string>, args).ended
}

beforeAll(async () => {
  // The log and the registry are looked into, and a change is seen at once.
  idp = await startIdp({ clock: theDate(), env, instances: 1 })
  portal = await registered()
  service = await registered(SERVICE)
  signing = await registered({ ...SERVICE, token_endpoint_auth_method: 'client_secret_jwt' })
  const before = await registered(SERVICE)
  const token = await idp.services.clients.tokens.create(
    { hosts: ['localhost'], policy: { society: 'sakura' }, uses: 1, days: 1 },
    OPERATOR,
  )
  const answer = await fetch(`${idp.issuer}/reg`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ client_name: '自分で', redirect_uris: [idp.redirectUri] }),
  })
  selfRegistered = (await answer.json()) as Json

  env.IDP_ENCRYPTION_KEYS = `${next},${lost}`
  await idp.restart()
  const overlap = { overlapSeconds: 3600 }
  const { secret = '' } = await registry().rotateSecret(before.clientId, overlap, OPERATOR)
  rotated = { ...before, clientSecret: secret, formerSecret: before.clientSecret }

  env.IDP_ENCRYPTION_KEYS = next
  await idp.restart(async () => {
    const made = await command('keys', 'rotate', '--operator', 'Tanaka', '--now', '--lost')
    expect(made).toMatchObject({ code: 0 })
  })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

type Answer = Readonly<{ status: number; body: Json }>
const asked = async (app: App, secret: string): Promise<Answer> => {
  const response = await fetch(`${idp.issuer}/token`, {
    method: 'POST',
    headers: {
      Authorization: `Basic ${Buffer.from(`${app.clientId}:${secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  })
  return { status: response.status, body: (await response.json()) as Json }
}

const REFUSED = {
  status: 401,
  body: { error: 'invalid_client', error_description: expect.stringContaining(UNREADABLE) },
}

describe('A client whose secret was sealed by a lost key', () => {
  test('still brings its members to the sign-in, from which they go back with a code', async () => {
    const rp = await aRelyingParty(idp, portal)
    const page = await aVisitor().visit(await rp.authorizationUrl())
    expect(page.heading).toBe(PAGE.password)
    const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()), { client: portal })
    await journey.start()
    const back = await journey.walkTo(PAGE.signedIn)
    expect(back.url.searchParams.get('code')).toMatch(/.{20}/)
  })

  test('is refused where it proves itself, whatever it says, and the log names it and the cause', async () => {
    const before = idp.log.length
    expect(await asked(service, service.clientSecret)).toMatchObject(REFUSED)
    expect(await asked(service, 'x'.repeat(43))).toMatchObject(REFUSED)
    const { clientId } = service
    const lines = idp.log.slice(before)
    expect(lines.filter(({ msg }) => msg === 'client_secret_unreadable')).toEqual([
      expect.objectContaining({
        level: 'error',
        clientId,
        reason: 'sealed by a key that is not configured (lost)',
      }),
    ])
    expect(lines.filter(({ rule }) => rule === 'auth.secret_unreadable')).toHaveLength(2)
    expect(JSON.stringify(lines)).not.toContain(service.clientSecret)
  })

  test('is refused by client_secret_jwt alike', async () => {
    const authentication = client.ClientSecretJwt(signing.clientSecret)
    const rp = await aRelyingParty(idp, { ...signing, authentication })
    await expect(client.clientCredentialsGrant(rp.config)).rejects.toMatchObject({
      status: 401,
      cause: { error: 'invalid_client', error_description: expect.stringContaining(UNREADABLE) },
    })
  })

  test('that registered itself is told no secret that is not its own, and can be deleted', async () => {
    const { registration_client_uri: uri, registration_access_token: token } = selfRegistered
    const headers = { Authorization: `Bearer ${token}` }
    const read = await fetch(String(uri), { headers })
    expect(read.status).toBe(400)
    const told = await read.text()
    expect(told).toContain(UNREADABLE)
    expect(told).not.toContain('"client_secret"')
    const { status } = await fetch(String(uri), { method: 'DELETE', headers })
    expect(status).toBe(204)
  })

  test('goes on with the secrets that can be read, and with none of the others', async () => {
    const before = idp.log.length
    expect(await asked(rotated, rotated.clientSecret)).toMatchObject({ status: 200 })
    expect(await asked(rotated, rotated.formerSecret)).toMatchObject({
      status: 401,
      body: { error: 'invalid_client' },
    })
    const told = idp.log.slice(before).filter(({ msg }) => msg === 'client_secret_unreadable')
    expect(told).toMatchObject([{ level: 'warn', clientId: rotated.clientId }])
  })

  test('is found by the doctor, and goes on with the secret that rotate-secret makes', async () => {
    const ill = await command('client', 'doctor', service.clientId)
    expect(ill.code).toBe(1)
    expect(ill.out).toContain(
      '✗ a secret of it cannot be read: sealed by a key that is not configured ("lost"); 0 can',
    )
    expect(ill.out).toContain(
      'if it is lost, run client rotate-secret --lost and put the new secret',
    )

    const args = ['client', 'rotate-secret', service.clientId, '--operator', 'Tanaka'] as const
    const refused = await command(...args)
    expect([refused.code, refused.out]).toEqual([1, ''])
    expect(refused.err).toContain('client_secret cannot be read: sealed by a key')
    expect(refused.err).toContain('say so: --lost of client rotate-secret')
    const made = await command(...args, '--lost')
    expect(made.out).toContain('1 former secret(s) could not be read')
    const again = JSON.parse((await command(...args, '--format', 'json')).out) as Json
    expect(again).not.toHaveProperty('unreadable_secrets_dropped')
    expect(again.secrets).toHaveLength(2)
    idp.services.clients.known.forget(service.clientId)
    expect(await asked(service, String(again.client_secret))).toMatchObject({ status: 200 })
    expect(await asked(service, service.clientSecret)).toMatchObject({ status: 401 })
    const [, first] = await idp.services.audit.eventsOf(`client:${service.clientId}`)
    expect(first).toMatchObject({ act: 'clientSecretRotated', facts: { unreadable: '1' } })

    const well = await command('client', 'doctor', service.clientId)
    expect(well.out).toContain('✓ its secret is in order (encryption key next)')
  })
})
