import { setTimeout as delay } from 'node:timers/promises'
import {
  askedOn,
  authorize,
  checkIdToken,
  codeOf,
  placeAt,
  redeem,
  refused,
  refusedOnPage,
  response,
  signIn,
  tokenRefused,
  tokenRequest,
  tokensIn,
  told,
  userInfo,
} from '../flows.ts'
import type { Module, Plan, Text } from '../module.ts'
import {
  aClient,
  advertised,
  clientBy,
  confidentialClient,
  members,
  offers,
  seesPages,
  twoClients,
} from '../needs.ts'
import { type AuthMethod, authentication } from '../relying-party.ts'

const usual = [aClient, members(1)] as const

const codeFlow = (id: string, by: AuthMethod, title: Text): Module => ({
  id,
  title,
  section: ['OIDC Core 3.1.3', 'OIDC Core 9'],
  requires: [clientBy(by), members(1)],
  async run(t) {
    await checkIdToken(t, await signIn(t, { by }))
  },
})

const basic = codeFlow('code-basic', 'client_secret_basic', [
  'Code flow with client_secret_basic',
  'client_secret_basicでの認可コードフロー',
])
const post = codeFlow('code-post', 'client_secret_post', [
  'Code flow with client_secret_post',
  'client_secret_postでの認可コードフロー',
])
const pkjwt = codeFlow('code-pkjwt', 'private_key_jwt', [
  'Code flow with private_key_jwt',
  'private_key_jwtでの認可コードフロー',
])

const idToken: Module = {
  id: 'code-idtoken',
  title: ['Every rule about the ID token holds', 'IDトークンの規則がすべて守られる'],
  section: ['OIDC Core 3.1.3.7', 'OIDC Core 2'],
  requires: [...usual],
  async run(t) {
    const first = await signIn(t)
    await checkIdToken(t, first)
    const second = await signIn(t, { client: first.client })
    t.must(
      ['the same member has the same sub again', '同じ会員は次も同じsub'],
      first.claims.sub === second.claims.sub,
      [first.claims.sub, second.claims.sub],
      'OIDC Core 2',
    )
    t.must(
      ['the sub is never a client_id', 'subがclient_idと同じにならない'],
      first.claims.sub !== first.client.client_id,
      first.claims.sub,
      'RFC 9700 4.15',
    )
  },
}

const kid: Module = {
  id: 'code-kid',
  title: ["The ID token's kid is in the JWK set", 'IDトークンのkidがJWK Setにある'],
  section: ['OIDC Core 10.1'],
  requires: [...usual],
  async run(t) {
    const tokens = await signIn(t)
    const header = JSON.parse(
      Buffer.from(tokens.idToken.split('.')[0] ?? '', 'base64url').toString(),
    ) as Record<string, unknown> // conditions below check what is used of it
    const key = (await t.jwks(true)).find((one) => one.kid === header.kid)
    t.must(['its kid names a key', 'kidが鍵を指す'], key !== undefined, header)
    t.must(
      ['the algorithm is not "none"', 'アルゴリズムが "none" でない'],
      header.alg !== 'none',
      header,
    )
    t.must(
      ["the key's alg, if it names one, is the token's", '鍵のalgがあればトークンと同じ'],
      key?.alg === undefined || key.alg === header.alg,
      [key?.alg, header.alg],
    )
    t.must(
      ['no key is taken from the token itself', '鍵をトークン自身から取らせない'],
      !('jwk' in header || 'jku' in header || 'x5u' in header),
      header,
      'RFC 8725 3.5',
    )
  },
}

const state: Module = {
  id: 'code-state',
  title: ['A state of 128 characters comes back unchanged', '128文字のstateがそのまま返る'],
  section: ['RFC 6749 4.1.2'],
  requires: [...usual],
  async run(t) {
    const every = Array.from({ length: 95 }, (_, index) => String.fromCharCode(0x20 + index))
    const sent = `${every.join('')}${'x'.repeat(33)}`
    const params = response(t, await authorize(t, { params: { state: sent } }))
    t.must(
      ['every printable character is as it was', '表示できる文字がすべて元のまま'],
      params.get('state') === sent,
      params.get('state') ?? 'missing',
    )
  },
}

const issParam: Module = {
  id: 'code-iss-param',
  title: ['The response names the issuer', '応答に発行者が付く'],
  section: ['RFC 9207 2'],
  requires: [...usual],
  async run(t) {
    const params = response(t, await authorize(t))
    const named = params.get('iss')
    if (named === null) {
      const announced = t.target.metadata.authorization_response_iss_parameter_supported === true
      const text: Text = ['iss is in the response', '応答にissがある']
      if (announced) t.must(text, false, 'announced, but missing')
      else t.should(text, false, 'neither announced nor sent')
      return
    }
    t.must(['iss is exactly the issuer', 'issが発行者と同じ'], named === t.settings.issuer, named)
  },
}

const noNonce: Module = {
  id: 'code-no-nonce',
  title: ['Without a nonce the code flow works', 'nonceなしでも認可コードフローが動く'],
  section: ['OIDC Core 3.1.2.1'],
  requires: [...usual],
  async run(t) {
    await checkIdToken(t, await signIn(t, { params: { nonce: undefined } }))
  },
}

const formPost: Module = {
  id: 'code-form-post',
  title: ['The response comes as a form, to another site', '応答が別のサイトへフォームで届く'],
  section: ['Form Post 2'],
  requires: [offers('response_modes_supported', 'form_post'), ...usual],
  async run(t) {
    const authorization = await authorize(t, { params: { response_mode: 'form_post' } })
    const params = response(t, authorization)
    const { arrival } = authorization
    if (arrival.kind !== 'back') return
    t.must(['by POST', 'POSTで届く'], arrival.mode === 'form_post', arrival.mode)
    t.must(
      ['nothing is in the address', 'アドレスには何も付かない'],
      arrival.url.search === '' && arrival.url.hash === '',
      arrival.url.href,
    )
    t.must(['the state is in it', 'stateがある'], params.get('state') === authorization.state)
    const page = arrival.pages.at(-1)
    t.must(
      ['the page with the form is not stored', 'フォームの画面が保存されない'],
      page === undefined ||
        page.status === undefined ||
        /no-store/.test(page.headers['cache-control'] ?? ''),
      page?.headers['cache-control'] ?? 'no Cache-Control',
      'Form Post 4',
    )
    tokensIn(t, await redeem(t, authorization, codeOf(t, authorization)))
  },
}

const postRequest: Module = {
  id: 'code-post-request',
  title: [
    'The authorization request may come by POST, from another site',
    '別のサイトからPOSTの認可要求ができる',
  ],
  section: ['OIDC Core 3.1.2.1'],
  requires: [...usual, seesPages],
  async run(t) {
    const authorization = await authorize(t, { post: true })
    t.should(
      ['the browser is back with a code', 'ブラウザがコードを持って戻る'],
      authorization.arrival.kind === 'back' && authorization.arrival.params.has('code'),
      placeAt(authorization),
    )
    if (authorization.arrival.kind !== 'back') return
    t.should(
      ['the session was recognised: nobody had to sign in again', '再ログインなしで通る'],
      askedOn(authorization.arrival).length === 0,
      askedOn(authorization.arrival),
    )
  },
}

const unknownParam: Module = {
  id: 'code-unknown-param',
  title: ['An unknown parameter is ignored', '知らないパラメータを無視する'],
  section: ['RFC 6749 3.1'],
  requires: [...usual],
  async run(t) {
    const params = { conformance: 'of no importance', 'x-empty': '' }
    const authorization = await authorize(t, { params })
    const answer = await redeem(t, authorization, codeOf(t, authorization), params)
    tokensIn(t, answer)
  },
}

const duplicate: Module = {
  id: 'code-dup-param',
  title: ['A parameter sent twice is refused', '2回送られたパラメータを断る'],
  section: ['RFC 6749 3.1'],
  requires: [...usual],
  async run(t) {
    const twice = await authorize(t, {
      edit: (url) => url.searchParams.append('scope', 'openid profile'),
    })
    refused(t, twice, ['invalid_request'], { pageWillDo: true })
    const authorization = await authorize(t)
    const { client } = authorization
    const own = await authentication(client, t.settings.issuer)
    const answer = await t.send({
      url: t.endpoint('token_endpoint'),
      headers: own.headers,
      form: [
        ...Object.entries(own.form),
        ['grant_type', 'authorization_code'],
        ['code', codeOf(t, authorization)],
        ['redirect_uri', authorization.redirectUri],
        ['redirect_uri', authorization.redirectUri],
        ['code_verifier', authorization.verifier],
      ],
    })
    tokenRefused(t, answer, 'invalid_request')
  },
}

const noResponseType: Module = {
  id: 'code-no-response-type',
  title: ['A request without response_type is refused', 'response_typeのない要求を断る'],
  section: ['RFC 6749 4.1.2.1'],
  requires: [...usual],
  async run(t) {
    const authorization = await authorize(t, { params: { response_type: undefined } })
    refused(t, authorization, ['invalid_request'], { pageWillDo: true })
  },
}

const tokenResponseType: Module = {
  id: 'code-token-response-type',
  title: ['No access token comes through the browser', 'アクセストークンをブラウザ経由で渡さない'],
  section: ['RFC 9700 2.1.2'],
  requires: [...usual],
  async run(t) {
    const types = t.target.metadata.response_types_supported
    const risky = (Array.isArray(types) ? types : []).filter((one) => /\btoken\b/.test(String(one)))
    t.should(
      [
        'no response type with a token is offered (a conformance profile may need them; members do not)',
        'トークンを返すresponse_typeがない（適合試験用の設定でだけ要ることがある）',
      ],
      risky.filter((one) => one !== 'id_token' && one !== 'code id_token').length === 0,
      risky,
    )
    const authorization = await authorize(t, { params: { response_type: 'token' } })
    refused(t, authorization, ['unsupported_response_type', 'unauthorized_client'], {
      pageWillDo: true,
    })
  },
}

const EVIL = 'https://attacker.example/callback'

const unregistered: Module = {
  id: 'code-redirect-unregistered',
  title: ['An unregistered redirect URI is never sent to', '未登録のリダイレクトURIへ送らない'],
  section: ['RFC 6749 3.1.2.4'],
  requires: [...usual],
  async run(t) {
    refusedOnPage(t, await authorize(t, { params: { redirect_uri: EVIL } }))
    // The worst redirect is that of an error: it needs no sign-in at all.
    const withError = { redirect_uri: EVIL, scope: 'openid', prompt: 'none login' }
    refusedOnPage(t, await authorize(t, { params: withError }), [
      'with another fault',
      '別の誤りもある時',
    ])
    const missing = await authorize(t, {
      params: { redirect_uri: undefined },
    })
    refusedOnPage(t, missing, ['left out', 'URIなし'])
  },
}

/** A registered URI in disguise; all are another string, and most another place. */
export const variantsOf = (
  registered: string,
): readonly (readonly [name: string, uri: string])[] => {
  const url = new URL(registered)
  const { protocol, host, hostname, pathname } = url
  const at = (rest: string) => `${protocol}//${rest}`
  return [
    ['a query added', `${registered}?added=1`],
    ['a fragment added', `${registered}#added`],
    ['the path in capitals', at(`${host}${pathname.toUpperCase()}`)],
    ['a slash added', `${registered}/`],
    ['a path below', `${registered}/below`],
    ['a longer last segment', `${registered}x`],
    ['a user name', at(`user@${host}${pathname}`)],
    ['the host as a user name', at(`${host}@attacker.example${pathname}`)],
    ['the host twice', at(`${host}@@attacker.example${pathname}`)],
    ['another port', at(`${hostname}:8443${pathname}`)],
    ['a longer host name', at(`${hostname}.attacker.example${pathname}`)],
    ['a subdomain', at(`sub.${host}${pathname}`)],
    ['another scheme', `javascript://${host}${pathname}`],
    ['dots up the path', `${registered}/../evil`],
    ['encoded dots up the path', `${registered}/%2e%2e/evil`],
    ['..; up the path', `${registered}/..;/evil`],
    ['a backslash', `${registered}\\@attacker.example`],
    ['an encoded slash', `${registered}%2f`],
    ['a line break', `${registered}\r\nX-Injected: 1`],
    ['a blank before it', ` ${registered}`],
  ]
}

const variants: Module = {
  id: 'code-redirect-variants',
  title: [
    'A redirect URI that differs in one character is refused',
    '1文字でも違うリダイレクトURIを断る',
  ],
  section: ['RFC 9700 4.1.3', 'RFC 6749 3.1.2.4'],
  requires: [...usual],
  async run(t) {
    const client = await t.client()
    for (const [name, uri] of variantsOf(client.redirect_uris[0] ?? '')) {
      const authorization = await authorize(t, { client, params: { redirect_uri: uri } })
      refusedOnPage(t, authorization, [name, name])
    }
  },
}

const unknownClient: Module = {
  id: 'code-unknown-client',
  title: ['An unknown client is refused on a page', '知らないクライアントを画面で断る'],
  section: ['RFC 6749 4.1.2.1'],
  requires: [...usual],
  async run(t) {
    refusedOnPage(t, await authorize(t, { params: { client_id: 'conformance-no-such-client' } }))
    refusedOnPage(t, await authorize(t, { params: { client_id: undefined } }), ['none', 'なし'])
  },
}

const reuse: Module = {
  id: 'code-reuse',
  title: ['A code is taken once', '認可コードは1回だけ使える'],
  section: ['RFC 6749 4.1.2'],
  requires: [...usual],
  async run(t) {
    const authorization = await authorize(t)
    const code = codeOf(t, authorization)
    const tokens = tokensIn(t, await redeem(t, authorization, code))
    tokenRefused(t, await redeem(t, authorization, code), 'invalid_grant')
    if (t.target.metadata.userinfo_endpoint === undefined) return
    const answer = await userInfo(t, tokens.accessToken)
    t.should(
      ['the tokens of the first use are dead', '最初のトークンも無効になる'],
      answer.status === 401,
      told(answer),
    )
  },
}

const LONGEST_SECONDS = 600

const expired: Module = {
  id: 'code-expired',
  title: ['A code dies soon', '認可コードは短時間で切れる'],
  section: ['RFC 6749 4.1.2'],
  requires: [...usual],
  waits: ({ codeLifetime }) => codeLifetime + 5,
  async run(t) {
    const seconds = t.settings.codeLifetime
    const authorization = await authorize(t)
    const code = codeOf(t, authorization)
    await delay(seconds * 1000 + 1500, undefined, { signal: t.signal })
    const answer = await redeem(t, authorization, code)
    const isDead = answer.json?.error === 'invalid_grant'
    const text: Text = [`it is refused after ${seconds} s`, `${seconds}秒後は断られる`]
    if (seconds >= LONGEST_SECONDS) t.must(text, isDead, told(answer))
    else t.should(text, isDead, told(answer))
  },
}

const otherClient: Module = {
  id: 'code-other-client',
  title: ['A code of another client is refused', 'ほかのクライアントのコードを断る'],
  section: ['RFC 6749 4.1.3'],
  requires: [twoClients, members(1)],
  async run(t) {
    const authorization = await authorize(t)
    const other = await t.otherClient(authorization.client)
    const answer = await redeem(t, { ...authorization, client: other }, codeOf(t, authorization))
    tokenRefused(t, answer, 'invalid_grant')
  },
}

const redirectMismatch: Module = {
  id: 'code-redirect-mismatch',
  title: [
    'The token request must name the same redirect URI',
    'トークン要求のリダイレクトURIが違えば断る',
  ],
  section: ['RFC 6749 4.1.3'],
  requires: [...usual],
  async run(t) {
    const authorization = await authorize(t)
    const code = codeOf(t, authorization)
    const answer = await redeem(t, authorization, code, {
      redirect_uri: `${authorization.redirectUri}/other`,
    })
    tokenRefused(t, answer, 'invalid_grant', ['invalid_request'])
  },
}

const badSecret: Module = {
  id: 'token-bad-secret',
  title: ['A wrong secret is refused as the standard says', '違う秘密を規格どおり断る'],
  section: ['RFC 6749 5.2'],
  requires: [clientBy('client_secret_basic')],
  async run(t) {
    const client = await t.client('client_secret_basic')
    const wrong = { ...client, client_secret: `not-${'x'.repeat(40)}` }
    const answer = await tokenRequest(t, wrong, {
      grant_type: 'authorization_code',
      code: 'of-no-importance',
      redirect_uri: client.redirect_uris[0],
    })
    t.must(
      ['the error is invalid_client', 'エラーがinvalid_client'],
      answer.json?.error === 'invalid_client',
      told(answer),
    )
    t.must(['the status is 401', 'ステータスが401'], answer.status === 401, answer.status)
    t.must(
      ['WWW-Authenticate names Basic', 'WWW-AuthenticateがBasic'],
      /^basic\b/i.test(answer.headers['www-authenticate'] ?? ''),
      answer.headers['www-authenticate'] ?? 'missing',
    )
  },
}

const noAuthentication: Module = {
  id: 'token-no-auth',
  title: [
    'A confidential client must authenticate',
    '秘密を持つクライアントは認証なしでは使えない',
  ],
  section: ['RFC 6749 3.2.1'],
  requires: [confidentialClient, members(1)],
  async run(t) {
    const authorization = await authorize(t)
    const { client } = authorization
    const bare = { ...client, token_endpoint_auth_method: 'none' as const }
    const answer = await redeem(t, { ...authorization, client: bare }, codeOf(t, authorization))
    tokenRefused(t, answer, 'invalid_client', ['invalid_request'])
  },
}

const headers: Module = {
  id: 'token-headers',
  title: ['Tokens are never stored on the way', 'トークンが途中で保存されない'],
  section: ['RFC 6749 5.1'],
  requires: [...usual],
  async run(t) {
    const { answer } = await signIn(t)
    t.must(
      ['Cache-Control is no-store', 'Cache-Controlがno-store'],
      /\bno-store\b/.test(answer.headers['cache-control'] ?? ''),
      answer.headers['cache-control'] ?? 'missing',
    )
    t.must(
      ['the type is application/json', '種類がapplication/json'],
      /^application\/json\b/.test(answer.headers['content-type'] ?? ''),
      answer.headers['content-type'],
    )
    t.must(
      ['token_type is Bearer', 'token_typeがBearer'],
      String(answer.json?.token_type).toLowerCase() === 'bearer',
      answer.json?.token_type,
    )
    t.should(
      ['expires_in is a number of seconds', 'expires_inが秒数'],
      typeof answer.json?.expires_in === 'number',
      answer.json?.expires_in ?? 'missing',
    )
    if (t.target.metadata.userinfo_endpoint === undefined) return
    const claims = await userInfo(t, String(answer.json?.access_token))
    t.should(
      ["the member's claims are not stored either", '会員の情報も保存されない'],
      /\b(no-store|private)\b/.test(claims.headers['cache-control'] ?? ''),
      claims.headers['cache-control'] ?? 'missing',
      'RFC 6750 5.3',
    )
  },
}

/** Refresh tokens are no plan of this cut, yet a code flow that gives one must bind it. */
const refreshOther: Module = {
  id: 'code-refresh-other-client',
  title: [
    'A refresh token works for its own client only',
    'リフレッシュトークンは持ち主だけが使える',
  ],
  section: ['RFC 6749 6'],
  requires: [advertised('grant_types_supported'), twoClients, members(1)],
  async run(t) {
    const client = await t.client()
    const params = { scope: 'openid offline_access', prompt: 'consent' }
    const authorization = await authorize(t, { client, params })
    const { arrival } = authorization
    const given = arrival.kind === 'back' ? arrival.params.get('code') : null
    const tokens = given === null ? undefined : tokensIn(t, await redeem(t, authorization, given))
    const refreshToken = tokens?.refreshToken
    if (!tokens || refreshToken === undefined) {
      return t.skip([
        'no refresh token was issued to this client',
        'このクライアントにはリフレッシュトークンが出ない',
      ])
    }
    const form = { grant_type: 'refresh_token', refresh_token: refreshToken }
    const other = await t.otherClient(client)
    tokenRefused(t, await tokenRequest(t, other, form), 'invalid_grant')
    const renewed = tokensIn(t, await tokenRequest(t, client, form))
    t.must(
      ['its own client gets tokens of the same member', '持ち主は同じ会員のトークンを得る'],
      renewed.claims.sub === tokens.claims.sub,
      [renewed.claims.sub, tokens.claims.sub],
      'OIDC Core 12.2',
    )
  },
}

export const code: Plan = {
  id: 'code',
  title: ['Authorization code flow', '認可コードフロー'],
  modules: [
    basic,
    post,
    pkjwt,
    idToken,
    kid,
    state,
    issParam,
    noNonce,
    formPost,
    postRequest,
    unknownParam,
    duplicate,
    noResponseType,
    tokenResponseType,
    unregistered,
    variants,
    unknownClient,
    reuse,
    expired,
    otherClient,
    redirectMismatch,
    badSecret,
    noAuthentication,
    headers,
    refreshOther,
  ],
}
