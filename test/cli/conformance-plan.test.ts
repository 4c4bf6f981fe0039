import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { HTMLElement } from 'node-html-parser'
import { ownMembersFile } from '../../cli/conformance/own-suite.ts'
import type { Command, Visit } from '../../cli/conformance/plans.ts'
import { foundationPlans } from '../../cli/conformance/plans.ts'
import { conformanceClients, foundationClients } from '../../config/conformance/clients.ts'
import { sourceText } from '../style/sources.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { textOf } from '../support/page.ts'
import { runWith, startCommand } from './command.ts'

const SUITE = 'https://suite.conformance.example/test/a/ours'

let idp: Idp
/** Where the suite's scripted browser comes back to. */
const suite = createServer((_request, response) => {
  response.setHeader('Content-Type', 'text/html')
  response.end('<!doctype html><p id="submission_complete">Thank you</p>')
})
beforeAll(async () => {
  await new Promise<void>((resolve) => suite.listen(0, '127.0.0.1', resolve))
  // It is served from a file only.
  const env = { IDP_CONFORMANCE_SUITE: SUITE }
  idp = await startIdp({ profile: 'conformance', store: 'embedded', env })
})
afterAll(async () => {
  await idp.close()
  suite.closeAllConnections()
  suite.close()
})

/** Spring's simple patterns, which the suite compares addresses with: * stands for anything. */
const fits = (pattern: string, url: string): boolean =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`).test(url)

const find = (root: HTMLElement, by: string, target: string): HTMLElement | null =>
  root.querySelector(by === 'id' ? `#${target}` : target)

const act = async (visitor: Visitor, command: Command): Promise<void> => {
  const [verb, by = '', target = ''] = command.map(String)
  const element = find(visitor.page.root, by, target)
  if (!element) {
    if (command.at(-1) === 'optional') return
    throw new Error(`${JSON.stringify(command)}: not on ${visitor.page.url.href}`)
  }
  if (verb === 'text') visitor.fill({ [element.getAttribute('name') ?? '']: String(command[3]) })
  else if (verb === 'click') await visitor.submit(textOf(element))
  else if (typeof command[4] === 'string' && !new RegExp(command[4]).test(textOf(element))) {
    throw new Error(`${JSON.stringify(command)}: it says ${textOf(element)}`)
  }
}

/** What the suite's scripted browser does with an address, task by task. */
const play = async (visitor: Visitor, visits: readonly Visit[], url: string | URL) => {
  const visit = visits.find(({ match }) => fits(match, String(url)))
  if (!visit) throw new Error(`nothing is scripted for ${url}`)
  await visitor.visit(url)
  for (const { match = '*', optional, commands = [], task } of visit.tasks) {
    const here = visitor.page.url.href
    if (!fits(match, here)) {
      if (optional) continue
      throw new Error(`"${task}" is for ${match}, and this is ${here}: ${visitor.page.text}`)
    }
    for (const command of commands) await act(visitor, command)
  }
  return visitor.page
}

const plans = () => foundationPlans({ issuer: idp.issuer, suite: SUITE })
const planOf = (name: string) => {
  const found = plans().find((one) => one.name === name)
  if (!found) throw new Error(`no plan ${name}`)
  return found.configuration
}

/** HtmlUnit asks for English. */
const scripted = () =>
  aVisitor({ language: 'en-US', httpsPort: (suite.address() as AddressInfo).port })

const request = (params: Readonly<Record<string, string>> = {}): URL => {
  const url = new URL(`${idp.issuer}/auth`)
  const all = {
    client_id: 'conf-first',
    redirect_uri: `${SUITE}/callback`,
    response_type: 'code',
    scope: 'openid',
    state: 'a state',
    nonce: 'a nonce',
    ...params,
  }
  for (const [name, value] of Object.entries(all)) if (value) url.searchParams.set(name, value)
  return url
}

const { first } = foundationClients(SUITE)

/** Signs in by the plan's script and redeems the code as the suite's first client. */
const signIn = async (visitor: Visitor, visits: readonly Visit[], params = {}) => {
  const { url } = await play(visitor, visits, request(params))
  const response = await fetch(`${idp.issuer}/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${first.client_id}:${first.client_secret}`).toString('base64')}`,
    },
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      code: url.searchParams.get('code') ?? '',
      redirect_uri: `${SUITE}/callback`,
    }),
  })
  return (await response.json()) as Readonly<Record<string, string>>
}

const endSession = (params: Readonly<Record<string, string>>) =>
  `${idp.issuer}/session/end?${new URLSearchParams(params)}`

describe('The files of npm run conformance:plan', () => {
  test('are JSON, one for each plan, static and dynamic', () => {
    const names = plans().map(({ name }) => name)
    expect(names).toEqual([...new Set(names)])
    expect(names).toEqual(
      expect.arrayContaining([
        'config',
        'basic-static',
        'basic-dynamic',
        'formpost-basic-static',
        'implicit-dynamic',
        'formpost-implicit-static',
        'hybrid-static',
        'formpost-hybrid-dynamic',
        'dynamic',
        '3rdparty-init-login',
        'rp-initiated-logout-static',
        'backchannel-logout-static',
      ]),
    )
  })

  test('are printed by the command as they are', async () => {
    const { code, out } = await runWith(
      idp.dataDir,
      { IDP_CONFORMANCE_SUITE: SUITE },
      'conformance-plan',
      '--issuer',
      idp.issuer,
      '--print',
      'config',
    )
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual(planOf('config'))
  })

  test('and the guide name the members as they are', () => {
    const guide = sourceText('docs/conformance.md')
    const { members } = ownMembersFile({ issuer: idp.issuer, mailbox: 'http://localhost:3002' })
    for (const { username, password, totpSecret } of members) {
      expect(guide).toContain(`| \`${username}\` | \`${password}\` |`)
      if (username === 'conf-totp') expect(guide).toContain(`\`${totpSecret}\``)
    }
  })

  test('name clients that the profile has, with their secrets', () => {
    const registered = new Map(
      conformanceClients(SUITE).map((entry) => [entry.client_id, entry.client_secret]),
    )
    for (const { configuration, name } of plans()) {
      const { client, client2, client_secret_post: post } = configuration
      if (configuration.alias === undefined) {
        expect([name, client]).toEqual([name, { client_name: expect.any(String) }])
        continue
      }
      expect(SUITE.endsWith(`/a/${configuration.alias}`)).toBe(true)
      for (const one of [client, client2, post]) {
        expect(one?.client_secret).toBe(registered.get(one?.client_id))
      }
    }
  })
})

describe('The scripts in them find their way through the real pages', () => {
  test.each([
    ['code', ''],
    ['id_token', ''],
    ['id_token token', ''],
    ['code id_token', ''],
    ['code token', ''],
    ['code id_token token', ''],
  ])('signing in with response_type %s', async (type) => {
    const { url } = await play(
      scripted(),
      planOf('hybrid-static').browser,
      request({
        response_type: type,
      }),
    )
    const told = type === 'code' ? url.searchParams : new URLSearchParams(url.hash.slice(1))
    const names = type.split(' ').map((one) => (one === 'token' ? 'access_token' : one))
    expect(names.filter((name) => !told.has(name))).toEqual([])
    expect(told.get('state')).toBe('a state')
  })

  test('signing in with a wish for every acr there is', async () => {
    const { acr_values_supported: all } = (await (
      await fetch(`${idp.issuer}/.well-known/openid-configuration`)
    ).json()) as Readonly<{ acr_values_supported: readonly string[] }> // OpenID Connect Discovery 3
    const wish = { acr_values: all.join(' ') }
    const { url } = await play(scripted(), planOf('basic-static').browser, request(wish))
    expect(url.searchParams.has('code')).toBe(true)
  })

  test('consent, where prompt=consent asks for it', async () => {
    const tokens = await signIn(scripted(), planOf('basic-static').browser, {
      scope: 'openid offline_access',
      prompt: 'consent',
    })
    expect(tokens.refresh_token).toBeDefined()
  })

  test.each(['oidcc-prompt-login', 'oidcc-max-age-1'])(
    'the second sign-in page of %s',
    async (module) => {
      const { browser, override } = planOf('basic-static')
      const visitor = scripted()
      await play(visitor, browser, request())
      // The engine's own clock goes on while ours stands still.
      await idp.clock.advance(60)
      const params = module === 'oidcc-max-age-1' ? { max_age: '1' } : { prompt: 'login' }
      await play(visitor, override[module]?.browser ?? [], request(params))
      expect(visitor.page.url.href.startsWith(`${SUITE}/callback`)).toBe(true)
    },
  )

  test.each([
    [
      'oidcc-ensure-registered-redirect-uri',
      { redirect_uri: 'https://suite.conformance.example/x' },
    ],
    ['oidcc-redirect-uri-query-added', { redirect_uri: `${SUITE}/callback?foo=bar` }],
    ['oidcc-ensure-redirect-uri-in-authorization-request', { redirect_uri: '' }],
  ])('the error page of %s', async (module, params) => {
    const { override } = planOf('basic-static')
    const page = await play(scripted(), override[module]?.browser ?? [], request(params))
    expect(page.status).toBe(400)
  })

  test('signing out, and back to the suite', async () => {
    const { browser } = planOf('rp-initiated-logout-static')
    const visitor = scripted()
    const { id_token: hint = '' } = await signIn(visitor, browser)
    const leave = { id_token_hint: hint, post_logout_redirect_uri: `${SUITE}/post_logout_redirect` }
    const { url } = await play(visitor, browser, endSession({ ...leave, state: 'b' }))
    expect(url.href).toBe(`${SUITE}/post_logout_redirect?state=b`)
  })

  const modified = (jwt: string) => jwt.replace(/\.[^.]{8}/, '.AAAAAAAA')
  test.each([
    [
      'bad-post-logout-redirect-uri',
      (hint: string) => ({
        id_token_hint: hint,
        post_logout_redirect_uri: 'https://suite.conformance.example/other',
      }),
    ],
    [
      'query-added-to-post-logout-redirect-uri',
      (hint: string) => ({
        id_token_hint: hint,
        post_logout_redirect_uri: `${SUITE}/post_logout_redirect?foo=bar`,
      }),
    ],
    [
      'modified-id-token-hint',
      (hint: string) => ({
        id_token_hint: modified(hint),
        post_logout_redirect_uri: `${SUITE}/post_logout_redirect`,
      }),
    ],
    [
      'bad-id-token-hint',
      () => ({
        id_token_hint: 'not.a.token',
        post_logout_redirect_uri: `${SUITE}/post_logout_redirect`,
      }),
    ],
    ['no-id-token-hint', () => ({ post_logout_redirect_uri: `${SUITE}/post_logout_redirect` })],
    ['no-params', () => ({})],
    ['no-post-logout-redirect-uri', (hint: string) => ({ id_token_hint: hint, state: 's' })],
    ['only-state', () => ({ state: 's' })],
  ])('the page at the end of sign-out %s', async (name, params) => {
    const { override } = planOf('rp-initiated-logout-static')
    const visits = override[`oidcc-rp-initiated-logout-${name}`]?.browser ?? []
    const visitor = scripted()
    const { id_token: hint = '' } = await signIn(visitor, visits)
    await play(visitor, visits, endSession(params(hint)))
    expect(visitor.page.url.origin).toBe(idp.issuer)
  })
})

/** As the suite's own registrations are, without a token. */
const register = async (more: Readonly<Record<string, unknown>>) => {
  const response = await fetch(`${idp.issuer}/reg`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Conformance one',
      redirect_uris: ['https://suite.conformance.example/test/xyz/callback'],
      response_types: ['code id_token token'],
      grant_types: ['authorization_code', 'implicit', 'refresh_token'],
      token_endpoint_auth_method: 'client_secret_basic',
      contacts: ['certification@oidf.org'],
      ...more,
    }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

test('serve refuses the profile in production, and says why', async () => {
  const issuer = 'https://op.conformance.example'
  const env = { NODE_ENV: 'production', IDP_CONFORMANCE_ISSUERS: issuer }
  const args = ['serve', '--profile', 'conformance', '--issuer', issuer]
  const { code, err } = await startCommand(idp.dataDir, env, args).ended
  expect(code).toBe(1)
  expect(err).toContain('--profile conformance cannot be used with NODE_ENV=production')
})

describe('Registration is open in the profile', () => {
  test('a client registers itself without a token and signs the member in', async () => {
    const { status, body } = await register({})
    expect([status, body]).toEqual([
      201,
      expect.objectContaining({ client_id: expect.any(String) }),
    ])
    const { url } = await play(
      scripted(),
      planOf('hybrid-dynamic').browser,
      request({
        client_id: String(body.client_id),
        redirect_uri: 'https://suite.conformance.example/test/xyz/callback',
        response_type: 'code id_token token',
      }),
    )
    expect(new URLSearchParams(url.hash.slice(1)).has('access_token')).toBe(true)
  })

  test('whatever it leaves out that the standard lets it leave out', async () => {
    const { status, body } = await register({ client_name: undefined, contacts: undefined })
    expect(status).toBe(201)
    expect(body.client_name).toBe(body.client_id)
  })

  test('a public client still sends a code_challenge', async () => {
    const { body } = await register({
      token_endpoint_auth_method: 'none',
      response_types: ['code'],
    })
    const { url } = await scripted().visit(
      request({
        client_id: String(body.client_id),
        redirect_uri: 'https://suite.conformance.example/test/xyz/callback',
      }),
    )
    expect(url.searchParams.get('error')).toBe('invalid_request')
  })

  test('its policy and terms are on the sign-in page', async () => {
    const { body } = await register({
      policy_uri: 'https://suite.conformance.example/policy',
      tos_uri: 'https://suite.conformance.example/tos',
    })
    const { override } = planOf('dynamic')
    const page = await play(
      scripted(),
      override['oidcc-registration-policy-uri']?.browser ?? [],
      request({
        client_id: String(body.client_id),
        redirect_uri: 'https://suite.conformance.example/test/xyz/callback',
        response_type: 'code id_token token',
      }),
    )
    expect(
      page.root.querySelector('a[href="https://suite.conformance.example/policy"]'),
    ).not.toBeNull()
    expect(
      page.root.querySelector('a[href="https://suite.conformance.example/tos"]'),
    ).not.toBeNull()
  })
})

describe('Every page of the profile says what it is', () => {
  test.each([
    ['ja', '適合性試験のプロファイル'],
    ['en', 'This is the conformance profile'],
  ])('in %s', async (language, words) => {
    const httpsPort = (suite.address() as AddressInfo).port // TCP, so no path
    const visitor = aVisitor({ language })
    const signedIn = aVisitor({ language, httpsPort })
    await play(signedIn, planOf('basic-static').browser, request())
    const pages = [
      await visitor.visit(request()),
      await visitor.visit(request({ client_id: 'nobody' })),
      await visitor.visit(`${idp.issuer}/no-such-page`),
      await visitor.visit(`${idp.issuer}/help/conformance`),
      await signedIn.visit(`${idp.issuer}/session/end`),
      await signedIn.visit(`${idp.issuer}/account/conformance`),
    ]
    for (const { root, url } of pages) {
      expect([url.pathname, textOf(root.querySelector('#conformance'))]).toEqual([
        url.pathname,
        expect.stringContaining(words),
      ])
    }
  })

  test('and no page elsewhere does', async () => {
    const usual = await startIdp()
    const { root } = await aVisitor().visit(`${usual.issuer}/help/sakura`)
    expect(root.querySelector('#conformance')).toBeNull()
    await usual.close()
  })
})
