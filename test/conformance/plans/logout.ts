import { generateKeyPairSync } from 'node:crypto'
import { SignJWT, UnsecuredJWT } from 'jose'
import type { Context } from '../context.ts'
import type { Arrival, Asking, Browser } from '../drivers/driver.ts'
import {
  authorize,
  codeOf,
  payloadOf,
  placeAt,
  redeem,
  refused,
  signIn,
  tokensIn,
  verifiedBy,
} from '../flows.ts'
import type { Module, Plan, Text } from '../module.ts'
import { aClient, advertised, inbound, members, seesPages } from '../needs.ts'
import { type Client, client as clientSchema, RP_ORIGIN, randomText } from '../relying-party.ts'
import type { Section } from '../specifications.ts'

const usual = [advertised('end_session_endpoint'), aClient, members(1)] as const

const returnOf = (t: Context, client: Client): string =>
  client.post_logout_redirect_uris[0] ??
  t.skip([
    `client ${client.client_id} has no post_logout_redirect_uris`,
    `クライアント ${client.client_id} にpost_logout_redirect_urisがない`,
  ])

/** Sends a browser to sign out; it is stopped at any address of a relying party. */
const signOut = (
  t: Context,
  browser: Browser,
  params: Readonly<Record<string, string>>,
  stopAt: readonly Asking[] = [],
): Promise<Arrival> => {
  const url = new URL(t.endpoint('end_session_endpoint'))
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value)
  const provider = new Set(
    Object.values(t.target.metadata)
      .filter((value): value is string => typeof value === 'string' && URL.canParse(value))
      .map((value) => new URL(value).origin),
  )
  return browser.walk(
    { url: url.href },
    { origin: RP_ORIGIN, isBack: (one) => !provider.has(one.origin), stopAt },
  )
}

const mustStay = (t: Context, arrival: Arrival): void => {
  t.must(
    ['a page is shown, and the browser is sent nowhere', '画面が出て、どこへも送られない'],
    arrival.kind === 'page',
    placeAt({ arrival }),
  )
}

const happy: Module = {
  id: 'logout-happy',
  title: [
    'Signing out goes back, and the session is gone',
    'ログアウトして戻り、セッションが消える',
  ],
  section: ['RP-Initiated Logout 2', 'RP-Initiated Logout 3'],
  requires: [...usual],
  async run(t) {
    const client = await t.client()
    const target = returnOf(t, client)
    const browser = await t.newBrowser()
    const { idToken } = await signIn(t, { client, browser })
    const state = randomText()
    const arrival = await signOut(t, browser, {
      id_token_hint: idToken,
      post_logout_redirect_uri: target,
      state,
    })
    const params = t.expect(
      ['the browser is back at the registered address', '登録したアドレスに戻る'],
      arrival.kind === 'back' && arrival.url.href.startsWith(target) && arrival.params,
      placeAt({ arrival }),
      'RP-Initiated Logout 3',
    )
    t.must(
      ['with the state', 'stateが付く'],
      params.get('state') === state,
      Object.fromEntries(params),
    )
    const after = await authorize(t, { client, browser, params: { prompt: 'none' } })
    refused(t, after, ['login_required', 'interaction_required'])
  },
}

const noParams: Module = {
  id: 'logout-no-params',
  title: ['Signing out needs no parameter', 'パラメータなしでもログアウトの画面が出る'],
  section: ['RP-Initiated Logout 2'],
  requires: [advertised('end_session_endpoint'), members(1), seesPages],
  async run(t) {
    const arrival = await signOut(t, await t.newBrowser(), {}, ['logout'])
    mustStay(t, arrival)
    if (arrival.kind !== 'page') return
    const { status } = arrival.page
    t.must(['it is no error', 'エラーではない'], status === undefined || status < 400, status)
  },
}

/** A sign-out that must not send the browser to an address. */
const stays = (
  id: string,
  title: Text,
  section: Section,
  paramsOf: (given: Readonly<{ target: string; idToken: string }>) => Promise<{
    readonly id_token_hint: string
    readonly post_logout_redirect_uri: string
  }>,
): Module => ({
  id,
  title,
  section: [section],
  requires: [...usual, seesPages],
  async run(t) {
    const client = await t.client()
    const target = returnOf(t, client)
    const { idToken } = await signIn(t, { client })
    const params = await paramsOf({ target, idToken })
    const arrival = await signOut(t, (await t.session()).browser, {
      ...params,
      state: randomText(),
    })
    mustStay(t, arrival)
  },
})

const badUri = stays(
  'logout-bad-uri',
  ['An unregistered address is never sent to', '未登録のアドレスへ送らない'],
  'RP-Initiated Logout 3',
  async ({ idToken }) => ({
    id_token_hint: idToken,
    post_logout_redirect_uri: 'https://attacker.example/signed-out',
  }),
)

const queryAdded = stays(
  'logout-query-added',
  ['An address with a query added is another', 'クエリを足したアドレスは別物として断る'],
  'RP-Initiated Logout 3',
  async ({ target, idToken }) => ({
    id_token_hint: idToken,
    post_logout_redirect_uri: `${target}?added=1`,
  }),
)

const forgedHint = stays(
  'logout-forged-hint',
  ['A hint signed by somebody else is refused', '他人が署名したヒントを断る'],
  'RP-Initiated Logout 4',
  async ({ target, idToken }) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const forged = await new SignJWT({ ...payloadOf(idToken) })
      .setProtectedHeader({ alg: 'RS256' })
      .sign(privateKey)
    return { id_token_hint: forged, post_logout_redirect_uri: target }
  },
)

const algNoneHint = stays(
  'logout-alg-none-hint',
  ['An unsigned hint is refused', '署名のないヒントを断る'],
  'RFC 8725 3.2',
  async ({ target, idToken }) => ({
    id_token_hint: new UnsecuredJWT({ ...payloadOf(idToken) }).encode(),
    post_logout_redirect_uri: target,
  }),
)

const csrf: Module = {
  id: 'logout-csrf',
  title: ['Nobody is signed out by a link alone', 'リンクだけではログアウトされない'],
  section: ['RP-Initiated Logout 2'],
  requires: [...usual, seesPages],
  async run(t) {
    const { browser } = await t.session()
    const before = await signIn(t)
    const arrival = await signOut(t, browser, {}, ['logout'])
    mustStay(t, arrival)
    if (arrival.kind === 'page') {
      t.must(
        ['the member is asked', '本人に尋ねる'],
        arrival.page.asking === 'logout',
        placeAt({ arrival }),
      )
    }
    const after = await authorize(t, { client: before.client, params: { prompt: 'none' } })
    t.must(
      ['until the answer the session stays', '答えるまでセッションが残る'],
      after.arrival.kind === 'back' && after.arrival.params.has('code'),
      placeAt(after),
    )
  },
}

const channel = [
  advertised('backchannel_logout_supported'),
  advertised('registration_endpoint'),
  inbound,
  ...usual,
] as const

/** A client of its own, told of sign-outs at this address, with somebody signed in to it. */
const listening = async (t: Context, address: URL) => {
  const answer = await t.send({
    url: t.endpoint('registration_endpoint'),
    headers:
      t.settings.initialAccessToken === undefined
        ? {}
        : { Authorization: `Bearer ${t.settings.initialAccessToken}` },
    json: {
      redirect_uris: [`${RP_ORIGIN}/callback`],
      post_logout_redirect_uris: [`${RP_ORIGIN}/signed-out`],
      backchannel_logout_uri: address.href,
      backchannel_logout_session_required: true,
    },
  })
  t.expect(
    [
      'a client with backchannel_logout_uri is registered',
      'backchannel_logout_uri付きで登録できる',
    ],
    answer.status === 201,
    answer.body,
    'Back-Channel Logout 2.2',
  )
  const client = clientSchema.parse(answer.json)
  const browser = await t.newBrowser()
  const authorization = await authorize(t, { client, browser })
  const tokens = tokensIn(t, await redeem(t, authorization, codeOf(t, authorization)))
  return { client, browser, tokens }
}

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

const backchannelToken: Module = {
  id: 'backchannel-token',
  title: [
    'The relying party is told by a valid logout token',
    '接続先へ正しいログアウトトークンが届く',
  ],
  section: ['Back-Channel Logout 2.4'],
  requires: [...channel],
  async run(t) {
    const address = t.listener.serve({ status: 200 })
    const { client, browser, tokens } = await listening(t, address)
    await signOut(t, browser, {
      id_token_hint: tokens.idToken,
      post_logout_redirect_uri: `${RP_ORIGIN}/signed-out`,
    })
    const call = t.expect(
      ['the provider calls within 10 s', '10秒以内に呼び出しが来る'],
      await t.listener.called(address, 10),
      'no call',
      'Back-Channel Logout 2.5',
    )
    t.must(
      ['by POST', 'POSTで届く'],
      call.method === 'POST',
      call.method,
      'Back-Channel Logout 2.5',
    )
    const token = t.expect(
      ['with a logout_token', 'logout_tokenがある'],
      new URLSearchParams(call.body).get('logout_token'),
      call.body,
      'Back-Channel Logout 2.5',
    )
    const claims = payloadOf(token)
    t.must(
      ['its signature verifies', '署名が検証できる'],
      (await verifiedBy(t, token)) !== undefined,
    )
    t.must(['iss is the issuer', 'issが発行者'], claims.iss === t.settings.issuer, claims.iss)
    t.must(
      ['aud is the client', 'audがクライアント'],
      [claims.aud].flat().includes(client.client_id),
      claims.aud,
    )
    t.must(['it has iat and jti', 'iatとjtiがある'], 'iat' in claims && 'jti' in claims, claims)
    t.must(
      ['events names back-channel logout', 'eventsがback-channel logout'],
      typeof claims.events === 'object' && claims.events !== null && LOGOUT_EVENT in claims.events,
      claims.events,
    )
    t.must(
      ['sub or sid names who signed out', 'subかsidがログアウトした人を指す'],
      claims.sub === tokens.claims.sub ||
        (claims.sid !== undefined && claims.sid === tokens.claims.sid),
      claims,
    )
    t.must(['it has no nonce', 'nonceがない'], !('nonce' in claims), claims)
  },
}

const backchannelDown: Module = {
  id: 'backchannel-down',
  title: [
    'A relying party that hangs does not hold up signing out',
    '応答しない接続先がログアウトを妨げない',
  ],
  section: ['Back-Channel Logout 2.5'],
  requires: [...channel],
  async run(t) {
    const address = t.listener.serve({ hangs: true })
    const { client, browser, tokens } = await listening(t, address)
    const started = performance.now()
    const arrival = await signOut(t, browser, {
      id_token_hint: tokens.idToken,
      post_logout_redirect_uri: `${RP_ORIGIN}/signed-out`,
    })
    const seconds = (performance.now() - started) / 1000
    t.must(['the browser is back', 'ブラウザが戻る'], arrival.kind === 'back', placeAt({ arrival }))
    t.should(['within 10 s', '10秒以内に戻る'], seconds < 10, `${seconds.toFixed(1)} s`)
    const after = await authorize(t, { client, browser, params: { prompt: 'none' } })
    refused(t, after, ['login_required', 'interaction_required'])
  },
}

export const logout: Plan = {
  id: 'logout',
  title: ['Signing out', 'ログアウト'],
  modules: [
    happy,
    noParams,
    badUri,
    queryAdded,
    forgedHint,
    algNoneHint,
    csrf,
    backchannelToken,
    backchannelDown,
  ],
}
