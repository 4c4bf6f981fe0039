import type { Context } from '../context.ts'
import { authorize, payloadOf, refused, signIn, told, userInfo } from '../flows.ts'
import type { Module, Plan } from '../module.ts'
import { aClient, advertised, members } from '../needs.ts'
import type { Answer } from '../wire.ts'

const usual = [advertised('userinfo_endpoint'), aClient, members(1)] as const

/** The claims of an answer, which may be signed (application/jwt). */
const claimsIn = (answer: Answer): Readonly<Record<string, unknown>> =>
  answer.json ?? payloadOf(answer.body)

const mustBeClaimsOf = (t: Context, answer: Answer, sub: unknown): void => {
  t.must(['the status is 200', 'ステータスが200'], answer.status === 200, told(answer))
  t.must(
    ['its sub is exactly that of the ID token', 'subがIDトークンのものと完全に同じ'],
    claimsIn(answer).sub === sub,
    { userinfo: claimsIn(answer).sub, idToken: sub },
    'OIDC Core 5.3.2',
  )
}

const get: Module = {
  id: 'userinfo-get',
  title: ['UserInfo by GET', 'GETでのUserInfo'],
  section: ['OIDC Core 5.3'],
  requires: [...usual],
  async run(t) {
    const { accessToken, claims } = await signIn(t)
    const answer = await userInfo(t, accessToken)
    mustBeClaimsOf(t, answer, claims.sub)
    t.must(
      ['the type is JSON or a JWT', '種類がJSONかJWT'],
      /^application\/(json|jwt)\b/.test(answer.headers['content-type'] ?? ''),
      answer.headers['content-type'],
      'OIDC Core 5.3.2',
    )
  },
}

const postHeader: Module = {
  id: 'userinfo-post-header',
  title: ['UserInfo by POST, token in the header', 'POSTでのUserInfo（ヘッダーにトークン）'],
  section: ['OIDC Core 5.3.1'],
  requires: [...usual],
  async run(t) {
    const { accessToken, claims } = await signIn(t)
    mustBeClaimsOf(t, await userInfo(t, accessToken, 'POST'), claims.sub)
  },
}

const postBody: Module = {
  id: 'userinfo-post-body',
  title: ['UserInfo by POST, token in the body', 'POSTでのUserInfo（本文にトークン）'],
  section: ['RFC 6750 2.2'],
  requires: [...usual],
  async run(t) {
    const { accessToken, claims } = await signIn(t)
    const url = t.endpoint('userinfo_endpoint')
    const answer = await t.send({ url, form: { access_token: accessToken } })
    t.should(['the status is 200', 'ステータスが200'], answer.status === 200, told(answer))
    if (answer.status === 200) mustBeClaimsOf(t, answer, claims.sub)
  },
}

const queryToken: Module = {
  id: 'userinfo-query-token',
  title: ['A token in the address is refused', 'アドレスに付いたトークンを断る'],
  section: ['RFC 9700 4.3.2', 'RFC 6750 2.3'],
  requires: [...usual],
  async run(t) {
    const { accessToken } = await signIn(t)
    const url = new URL(t.endpoint('userinfo_endpoint'))
    url.searchParams.set('access_token', accessToken)
    const answer = await t.send({ url })
    t.must(['it is refused', '断られる'], [400, 401].includes(answer.status), told(answer))
  },
}

const noToken: Module = {
  id: 'userinfo-no-token',
  title: ['Without a token there are no claims', 'トークンなしでは情報を返さない'],
  section: ['RFC 6750 3'],
  requires: [advertised('userinfo_endpoint')],
  async run(t) {
    const answer = await t.send({ url: t.endpoint('userinfo_endpoint') })
    t.must(['the status is 401', 'ステータスが401'], answer.status === 401, told(answer))
    t.must(
      ['WWW-Authenticate names Bearer', 'WWW-AuthenticateがBearer'],
      /\bbearer\b/i.test(answer.headers['www-authenticate'] ?? ''),
      answer.headers['www-authenticate'] ?? 'missing',
    )
  },
}

const badToken: Module = {
  id: 'userinfo-bad-token',
  title: ['A made-up token is refused', '作りもののトークンを断る'],
  section: ['RFC 6750 3.1'],
  requires: [advertised('userinfo_endpoint')],
  async run(t) {
    const answer = await userInfo(t, 'conformance-no-such-token')
    t.must(['the status is 401', 'ステータスが401'], answer.status === 401, told(answer))
    t.must(
      ['WWW-Authenticate says invalid_token', 'WWW-Authenticateがinvalid_token'],
      /error="?invalid_token/.test(answer.headers['www-authenticate'] ?? ''),
      answer.headers['www-authenticate'] ?? 'missing',
    )
  },
}

/** OIDC Core section 5.4. */
const SCOPES: Readonly<Record<string, readonly string[]>> = {
  profile: [
    'name',
    'family_name',
    'given_name',
    'middle_name',
    'nickname',
    'preferred_username',
    'profile',
    'picture',
    'website',
    'gender',
    'birthdate',
    'zoneinfo',
    'locale',
    'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
}

const listed = (t: Context, member: string): readonly string[] =>
  [t.target.metadata[member]].flat().map(String)

const scopeClaims: Module = {
  id: 'scope-claims',
  title: ['Each scope gives its claims, and no other', 'スコープごとの情報だけが返る'],
  section: ['OIDC Core 5.4'],
  requires: [...usual],
  async run(t) {
    const scopes = Object.keys(SCOPES).filter((one) => {
      const isListed = listed(t, 'scopes_supported').includes(one)
      const offered = SCOPES[one]?.some((claim) => listed(t, 'claims_supported').includes(claim))
      return isListed || offered
    })
    const least = claimsIn(await userInfo(t, (await signIn(t)).accessToken))
    for (const scope of Object.keys(SCOPES)) {
      const unasked = SCOPES[scope]?.filter((claim) => claim in least) ?? []
      t.must(
        [`openid alone gives no claim of ${scope}`, `openidだけでは ${scope} の情報が出ない`],
        unasked.length === 0,
        unasked,
      )
    }
    if (scopes.length === 0) return
    const tokens = await signIn(t, { params: { scope: `openid ${scopes.join(' ')}` } })
    const all = claimsIn(await userInfo(t, tokens.accessToken))
    for (const scope of scopes) {
      const offered = (SCOPES[scope] ?? []).filter((claim) =>
        listed(t, 'claims_supported').includes(claim),
      )
      const missing = offered.filter((claim) => !(claim in all))
      t.should(
        [`${scope} gives what claims_supported names of it`, `${scope} の告知どおりの情報が返る`],
        missing.length === 0,
        `missing: ${missing.join(', ')}`,
      )
    }
  },
}

const claimsParam: Module = {
  id: 'claims-param',
  title: ['The claims parameter is honoured and checked', 'claimsパラメータに応じ、確かめる'],
  section: ['OIDC Core 5.5'],
  requires: [advertised('claims_parameter_supported'), ...usual],
  async run(t) {
    const offered = ['name', 'email', 'locale'].find((claim) =>
      listed(t, 'claims_supported').includes(claim),
    )
    if (offered !== undefined) {
      const wanted = { userinfo: { [offered]: { essential: true } } }
      const tokens = await signIn(t, { params: { claims: JSON.stringify(wanted) } })
      const claims = claimsIn(await userInfo(t, tokens.accessToken))
      t.should([`${offered} is returned`, `${offered} が返る`], offered in claims, claims)
    }
    for (const claims of ['{', '[]', '"text"']) {
      const authorization = await authorize(t, { params: { claims } })
      refused(t, authorization, ['invalid_request'], { pageWillDo: true })
    }
  },
}

export const userinfoClaims: Plan = {
  id: 'userinfo-claims',
  title: ['UserInfo and claims', 'UserInfoとクレーム'],
  modules: [get, postHeader, postBody, queryToken, noToken, badToken, scopeClaims, claimsParam],
}
