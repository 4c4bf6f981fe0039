import type { Context } from '../context.ts'
import type { Module, Plan } from '../module.ts'

const WELL_KNOWN = '/.well-known/openid-configuration'

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

/** https; plain http on this machine is a WARNING, since nobody else can listen there. */
export const mustBeHttps = (t: Context, what: string, address: string): void => {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol === 'http:' && LOOPBACK.has(url.hostname)) {
    t.should(
      [
        `${what} is https (plain http on loopback: good for a test, not for members)`,
        `${what} がhttps（ループバックのhttpは試験用のみ）`,
      ],
      false,
      address,
    )
  } else {
    t.must([`${what} is https`, `${what} がhttps`], url?.protocol === 'https:', address)
  }
}

const listOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []

const document: Module = {
  id: 'disc-document',
  title: ['The configuration is one JSON document', '設定が1つのJSON文書で返る'],
  section: ['OIDC Discovery 4.2'],
  async run(t) {
    const answer = await t.send({ url: `${t.settings.issuer}${WELL_KNOWN}` })
    t.must(
      ['the status is 200, no redirect', '転送なしの200'],
      answer.status === 200,
      answer.status,
    )
    t.must(
      ['the type is application/json', '種類がapplication/json'],
      /^application\/json\b/.test(answer.headers['content-type'] ?? ''),
      answer.headers['content-type'],
    )
    t.must(['the body is a JSON object', '本文がJSONオブジェクト'], answer.json !== undefined)
    const empty = Object.entries(answer.json ?? {}).filter(
      ([, value]) => value === null || (Array.isArray(value) && value.length === 0),
    )
    t.must(
      ['no member is null or an empty list', '空のメンバーがない'],
      empty.length === 0,
      Object.fromEntries(empty),
    )
  },
}

const issuer: Module = {
  id: 'disc-issuer',
  title: ['The issuer is exactly the address it was asked at', '発行者が問い合わせ先と完全に同じ'],
  section: ['OIDC Discovery 4.3'],
  async run(t) {
    const answer = await t.send({ url: `${t.settings.issuer}${WELL_KNOWN}` })
    const named = String(answer.json?.issuer)
    t.must(
      ['it is the same, character by character', '1文字も違わない'],
      named === t.settings.issuer,
      named,
    )
    mustBeHttps(t, 'issuer', named)
    t.must(
      ['it has neither query nor fragment', 'クエリもフラグメントもない'],
      !/[?#]/.test(named),
      named,
      'OIDC Discovery 3',
    )
  },
}

const REQUIRED = {
  issuer: 'text',
  authorization_endpoint: 'text',
  token_endpoint: 'text',
  jwks_uri: 'text',
  response_types_supported: 'list',
  subject_types_supported: 'list',
  id_token_signing_alg_values_supported: 'list',
} as const

const required: Module = {
  id: 'disc-required',
  title: ['The required members are there', '必須のメンバーがある'],
  section: ['OIDC Discovery 3'],
  async run(t) {
    for (const [name, kind] of Object.entries(REQUIRED)) {
      const value = t.target.metadata[name]
      const isRight = kind === 'text' ? typeof value === 'string' : listOf(value).length > 0
      t.must([`${name} is a ${kind}`, `${name} がある`], isRight, value ?? 'missing')
    }
    const types = listOf(t.target.metadata.response_types_supported)
    t.must(['response type code is offered', 'response_type codeが使える'], types.includes('code'))
    for (const name of ['userinfo_endpoint', 'scopes_supported', 'claims_supported']) {
      const isThere = t.target.metadata[name] !== undefined
      t.should([`${name} is there`, `${name} がある`], isThere, 'missing')
    }
    const scopes = listOf(t.target.metadata.scopes_supported)
    t.must(
      ['scope openid is listed, if any is', 'スコープの一覧にopenidがある'],
      scopes.length === 0 || scopes.includes('openid'),
      scopes,
    )
  },
}

const https: Module = {
  id: 'disc-https',
  title: ['Every endpoint is https', 'すべてのエンドポイントがhttps'],
  section: ['OIDC Discovery 3'],
  async run(t) {
    for (const [name, value] of Object.entries(t.target.metadata)) {
      const isAddress = name.endsWith('_endpoint') || name === 'jwks_uri'
      if (isAddress && typeof value === 'string') mustBeHttps(t, name, value)
    }
  },
}

const rs256: Module = {
  id: 'disc-rs256',
  title: ['RS256 is offered for ID tokens', 'IDトークンにRS256が使える'],
  section: ['OIDC Discovery 3'],
  async run(t) {
    const algorithms = listOf(t.target.metadata.id_token_signing_alg_values_supported)
    t.must(['RS256 is listed', 'RS256がある'], algorithms.includes('RS256'), algorithms)
  },
}

const PRIVATE_PARTS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']
const MIN_RSA_BITS = 2048

const jwks: Module = {
  id: 'disc-jwks',
  title: ['The keys are public, named and strong', '鍵が公開鍵で、名前と強さがある'],
  section: ['OIDC Core 10.1', 'RFC 7517 4'],
  async run(t) {
    const keys = await t.jwks(true)
    t.must(['there is a key', '鍵がある'], keys.length > 0)
    const kids = keys.map(({ kid }) => kid)
    t.must(
      ['every key has a kid of its own', 'どの鍵にも別々のkidがある'],
      new Set(kids).size === keys.length && kids.every((kid) => typeof kid === 'string'),
      kids,
    )
    for (const key of keys) {
      const parts = PRIVATE_PARTS.filter((part) => part in key)
      t.must(
        ['no private part is published', '秘密の部分が出ていない'],
        parts.length === 0,
        `key ${String(key.kid)} shows ${parts.join(', ')}`,
        'RFC 7517 4',
      )
      if (key.kty !== 'RSA') continue
      const bits = Buffer.from(String(key.n), 'base64url').length * 8
      t.must(['RSA keys have 2048 bits', 'RSAの鍵が2048ビット以上'], bits >= MIN_RSA_BITS, bits)
    }
  },
}

const noNone: Module = {
  id: 'disc-no-none',
  title: ['No list of algorithms offers "none"', 'どのアルゴリズム一覧にも "none" がない'],
  section: ['RFC 8725 3.2'],
  async run(t) {
    const lists = Object.entries(t.target.metadata).filter(([name]) =>
      /_alg_values_supported$/.test(name),
    )
    for (const [name, list] of lists) {
      t.should(
        [`${name} is without "none"`, `${name} に "none" がない`],
        !listOf(list).includes('none'),
      )
    }
  },
}

const s256: Module = {
  id: 'disc-s256',
  title: ['PKCE is announced, by S256 only', 'PKCEがS256だけで告知される'],
  section: ['RFC 8414 2', 'RFC 9700 2.1.1'],
  async run(t) {
    const methods = listOf(t.target.metadata.code_challenge_methods_supported)
    t.must(['S256 is listed', 'S256がある'], methods.includes('S256'), methods, 'RFC 9700 2.1.1')
    t.should(['plain is not', 'plainがない'], !methods.includes('plain'), methods, 'RFC 9700 2.1.1')
  },
}

const iss: Module = {
  id: 'disc-iss',
  title: ['The iss response parameter is announced', '応答のissパラメータが告知される'],
  section: ['RFC 9207 3'],
  async run(t) {
    const value = t.target.metadata.authorization_response_iss_parameter_supported
    t.should(
      ['authorization_response_iss_parameter_supported is true', '対応がtrueで告知される'],
      value === true,
      value ?? 'missing',
    )
  },
}

export const discovery: Plan = {
  id: 'discovery',
  title: ['Discovery', 'ディスカバリー'],
  modules: [document, issuer, required, https, rs256, jwks, noNone, s256, iss],
}
