import { createHash } from 'node:crypto'
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import type { Context } from './context.ts'
import type { Arrival, Asking, Browser } from './drivers/driver.ts'
import {
  type AuthMethod,
  authentication,
  type Client,
  challengeOf,
  randomText,
} from './relying-party.ts'
import type { Answer } from './wire.ts'

type Params = Readonly<Record<string, string | undefined>>

export type AuthorizationOptions = Readonly<{
  client?: Client
  /** How the client authenticates, where any client of that kind will do. */
  by?: AuthMethod
  /** Added to the request; undefined leaves a parameter out. */
  params?: Params
  /** Last changes to the address, e.g. a parameter twice. */
  edit?: (url: URL) => void
  /** The members' shared session where not said. */
  browser?: Browser
  stopAt?: readonly Asking[]
  cancel?: boolean
  /** By POST, from the relying party's site. */
  post?: boolean
}>

/** An authorization request, and where the browser came to. */
export type Authorization = Readonly<{
  client: Client
  redirectUri: string
  state: string
  nonce: string | undefined
  verifier: string
  arrival: Arrival
}>

export type Tokens = Readonly<{
  accessToken: string
  idToken: string
  refreshToken: string | undefined
  claims: Readonly<Record<string, unknown>>
  answer: Answer
}>

const redirectUriOf = (client: Client): string => client.redirect_uris[0] ?? ''

/** The parameters of a usual request: code, openid, PKCE S256, state and nonce. */
const usualParams = (client: Client, verifier: string): Record<string, string> => ({
  client_id: client.client_id,
  redirect_uri: redirectUriOf(client),
  response_type: 'code',
  scope: 'openid',
  state: randomText(),
  nonce: randomText(),
  code_challenge: challengeOf(verifier),
  code_challenge_method: 'S256',
})

/** The same address but for query and fragment. */
const placeOf = (address: string | URL): string => {
  const url = new URL(address)
  return `${url.host}${url.pathname}`
}

/** Sends a browser with an authorization request to the provider, and waits where it comes to. */
export const authorize = async (
  t: Context,
  options: AuthorizationOptions = {},
): Promise<Authorization> => {
  const client = options.client ?? (await t.client(options.by))
  const verifier = randomText(32)
  const params = { ...usualParams(client, verifier), ...options.params }
  const url = new URL(t.endpoint('authorization_endpoint'))
  const form: Record<string, string> = {}
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined) continue
    form[name] = value
    if (!options.post) url.searchParams.append(name, value)
  }
  options.edit?.(url)
  const asked = params.redirect_uri
  const places = new Set([
    ...client.redirect_uris.map(placeOf),
    ...(asked !== undefined && URL.canParse(asked) ? [placeOf(asked)] : []),
  ])
  const browser = options.browser ?? (await t.session()).browser
  const arrival = await browser.walk(
    { url: url.href, ...(options.post && { form }) },
    {
      origin: new URL(redirectUriOf(client)).origin,
      isBack: (one) => places.has(placeOf(one)),
      ...(options.stopAt && { stopAt: options.stopAt }),
      ...(options.cancel && { cancel: true }),
    },
  )
  return {
    client,
    redirectUri: asked ?? redirectUriOf(client),
    state: params.state ?? '',
    nonce: params.nonce,
    verifier,
    arrival,
  }
}

/** Where the browser stands, in words for a report. */
export const placeAt = ({ arrival }: Pick<Authorization, 'arrival'>): string => {
  if (arrival.kind === 'back') return `back at ${arrival.url.href} by ${arrival.mode}`
  const { url, status, asking } = arrival.page
  return `a page at ${url.pathname}, status ${status ?? 'unknown'}${asking ? `, asking: ${asking}` : ''}`
}

/** What the member was asked on the way. */
export const askedOn = (arrival: Arrival): readonly Asking[] =>
  arrival.pages.flatMap(({ asking }) => (asking ? [asking] : []))

/** The authorization response's parameters. Ends the module where the browser is not back. */
export const response = (t: Context, authorization: Authorization): URLSearchParams => {
  const { arrival } = authorization
  return t.expect(
    ['the browser is back at the redirect URI', 'ブラウザがリダイレクトURIに戻る'],
    arrival.kind === 'back' ? arrival.params : undefined,
    placeAt(authorization),
  )
}

/** The code. Ends the module where there is none. */
export const codeOf = (t: Context, authorization: Authorization): string => {
  const params = response(t, authorization)
  return t.expect(
    ['the response has a code', '応答に認可コードがある'],
    params.get('code'),
    Object.fromEntries(params),
  )
}

/** One token request; `form` replaces or adds parameters, undefined leaves one out. */
export const tokenRequest = async (
  t: Context,
  client: Client,
  form: Params,
  by?: Awaited<ReturnType<typeof authentication>>,
): Promise<Answer> => {
  const url = t.endpoint('token_endpoint')
  const own = by ?? (await authentication(client, t.settings.issuer))
  const sent = Object.entries({ ...form, ...own.form }).filter(
    (pair): pair is [string, string] => pair[1] !== undefined,
  )
  return t.send({ url, form: sent, headers: own.headers })
}

/** Redeems a code as its client would; `form` replaces parameters. */
export const redeem = (
  t: Context,
  authorization: Authorization,
  code: string,
  form: Params = {},
): Promise<Answer> =>
  tokenRequest(t, authorization.client, {
    grant_type: 'authorization_code',
    code,
    redirect_uri: authorization.redirectUri,
    code_verifier: authorization.verifier,
    ...form,
  })

const textIn = (json: Answer['json'], name: string): string | undefined => {
  const value = json?.[name]
  return typeof value === 'string' ? value : undefined
}

/** What an answer says, short enough for a report. */
export const told = (answer: Answer): string =>
  `${answer.status} ${answer.json ? JSON.stringify(answer.json) : answer.body.slice(0, 200)}`

/** The payload of a JWT, unverified. */
export const payloadOf = (jwt: string): Readonly<Record<string, unknown>> => {
  try {
    const text = Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** The tokens of an answer. Ends the module where they are missing. */
export const tokensIn = (t: Context, answer: Answer): Tokens => {
  t.expect(
    ['the token endpoint answers 200 with JSON', 'トークンエンドポイントが200とJSONを返す'],
    answer.status === 200 && answer.json,
    told(answer),
  )
  const idToken = t.expect(
    ['there is an ID token', 'IDトークンがある'],
    textIn(answer.json, 'id_token'),
    told(answer),
  )
  return {
    accessToken: t.expect(
      ['there is an access token', 'アクセストークンがある'],
      textIn(answer.json, 'access_token'),
      told(answer),
    ),
    idToken,
    refreshToken: textIn(answer.json, 'refresh_token'),
    claims: payloadOf(idToken),
    answer,
  }
}

/** The whole code flow. Ends the module where it does not come to tokens. */
export const signIn = async (
  t: Context,
  options: AuthorizationOptions = {},
): Promise<Authorization & Tokens> => {
  const authorization = await authorize(t, options)
  const answer = await redeem(t, authorization, codeOf(t, authorization))
  return { ...authorization, ...tokensIn(t, answer) }
}

/** RFC 6749 section 4.1.2.1: told at the redirect URI, with the state and without a code. */
export const refused = (
  t: Context,
  authorization: Authorization,
  errors: readonly string[],
  options: Readonly<{ pageWillDo?: boolean }> = {},
): void => {
  const { arrival, state } = authorization
  const isErrorPage =
    arrival.kind === 'page' &&
    arrival.page.asking === undefined &&
    (arrival.page.status === undefined || arrival.page.status >= 400)
  if (options.pageWillDo && isErrorPage) {
    t.must(['the request is refused', '要求が断られる'], true)
    return
  }
  const params = response(t, authorization)
  const found = Object.fromEntries(params)
  t.must(
    [`the error is ${errors.join(' or ')}`, `エラーが ${errors.join(' か ')}`],
    errors.includes(params.get('error') ?? ''),
    found,
  )
  t.must(['no code comes with it', '認可コードは付かない'], !params.has('code'), found)
  t.must(
    ['the state is returned unchanged', 'stateがそのまま返る'],
    params.get('state') === state,
    found,
    'RFC 6749 4.1.2.1',
  )
  if (t.target.metadata.authorization_response_iss_parameter_supported === true) {
    t.must(
      ['the error names the issuer', 'エラーに発行者(iss)が付く'],
      params.get('iss') === t.settings.issuer,
      found,
      'RFC 9207 2',
    )
  }
}

/** The request is refused on a page, and the browser is never sent on. */
export const refusedOnPage = (
  t: Context,
  authorization: Authorization,
  what: readonly [en: string, ja: string] = ['', ''],
): void => {
  const { arrival } = authorization
  const [en, ja] = what[0] === '' ? ['', ''] : [`${what[0]}: `, `${what[1]}: `]
  t.must(
    [`${en}the browser is not sent to the address`, `${ja}その宛先へ送られない`],
    arrival.kind === 'page',
    placeAt(authorization),
  )
  if (arrival.kind !== 'page') return
  t.must(
    [`${en}the request is refused, not gone on with`, `${ja}要求が断られ、先へ進まない`],
    arrival.page.asking === undefined,
    placeAt(authorization),
  )
  const { status } = arrival.page
  if (status === undefined) {
    t.review(['an error page is shown', 'エラーの画面が出る'], placeAt(authorization))
  } else {
    t.should(
      [`${en}the page's status is an error`, `${ja}画面のステータスがエラー`],
      status >= 400 && status < 500,
      status,
    )
  }
}

/** The token endpoint refuses with this error (RFC 6749 section 5.2). */
export const tokenRefused = (
  t: Context,
  answer: Answer,
  error: 'invalid_grant' | 'invalid_client' | 'invalid_request',
  others: readonly string[] = [],
): void => {
  t.must(
    [`the token endpoint refuses: ${error}`, `トークンエンドポイントが断る: ${error}`],
    [error, ...others].includes(String(answer.json?.error)),
    told(answer),
  )
  t.must(
    ['the status is 400 or 401', 'ステータスが400か401'],
    answer.status === 400 || answer.status === 401,
    told(answer),
    'RFC 6749 5.2',
  )
}

/** UserInfo, by default with the token in the header. */
export const userInfo = (t: Context, accessToken: string, method = 'GET'): Promise<Answer> =>
  t.send({
    url: t.endpoint('userinfo_endpoint'),
    method,
    headers: { Authorization: `Bearer ${accessToken}` },
  })

const CLOCK_SECONDS = 60

const halfHash = (text: string, alg: string): string => {
  const size = alg.slice(-3)
  const digest = createHash(['256', '384', '512'].includes(size) ? `sha${size}` : 'sha512')
    .update(text)
    .digest()
  return digest.subarray(0, digest.length / 2).toString('base64url')
}

/** The key of the provider's JWK set that verifies the JWT; undefined: none does. */
export const verifiedBy = async (
  t: Context,
  jwt: string,
): Promise<Readonly<{ alg: string; kid: string | undefined }> | undefined> => {
  for (const fresh of [false, true]) {
    const keys = await t.jwks(fresh)
    try {
      const set = createLocalJWKSet({ keys } as unknown as JSONWebKeySet) // as fetched; jose checks it
      const { protectedHeader } = await jwtVerify(jwt, set, { currentDate: new Date(0) })
      return { alg: protectedHeader.alg, kid: protectedHeader.kid }
    } catch (error) {
      const code = (error as Readonly<{ code?: string }>).code
      if (code === 'ERR_JWKS_NO_MATCHING_KEY') continue
      // The times and the rest of the claims are judged one by one.
      if (code !== 'ERR_JWT_EXPIRED' && code !== 'ERR_JWT_CLAIM_VALIDATION_FAILED') return undefined
      const { alg = '', kid } = decodeProtectedHeader(jwt)
      return { alg, kid }
    }
  }
  return undefined
}

/** OIDC Core section 3.1.3.7, each rule by itself. */
export const checkIdToken = async (
  t: Context,
  tokens: Pick<Tokens, 'idToken' | 'accessToken' | 'claims'> &
    Pick<Authorization, 'client' | 'nonce'>,
): Promise<void> => {
  const { claims, client, nonce } = tokens
  const now = Date.now() / 1000
  const signer = await verifiedBy(t, tokens.idToken)
  t.must(
    ['its signature verifies with a key of the JWK set', '署名がJWK Setの鍵で検証できる'],
    signer !== undefined,
    `header: ${tokens.idToken.split('.')[0]}`,
  )
  t.must(
    ['iss is exactly the issuer', 'issが発行者と完全に同じ'],
    claims.iss === t.settings.issuer,
    claims.iss,
    'OIDC Core 2',
  )
  const audience = [claims.aud].flat()
  t.must(
    ['aud is the client', 'audがクライアント'],
    audience.includes(client.client_id),
    claims.aud,
  )
  t.must(
    ['no other audience without azp', 'azpなしにほかの宛先がない'],
    audience.length === 1 || claims.azp === client.client_id,
    claims,
  )
  t.must(
    ['azp, if there, is the client', 'azpがあればクライアント'],
    claims.azp === undefined || claims.azp === client.client_id,
    claims.azp,
  )
  const { sub, exp, iat } = claims
  t.must(
    ['sub is a text of at most 255 characters', 'subが255文字までの文字列'],
    typeof sub === 'string' && sub.length > 0 && sub.length <= 255,
    sub,
    'OIDC Core 2',
  )
  t.must(['exp has not passed', 'expが過ぎていない'], Number(exp) > now - CLOCK_SECONDS, exp)
  t.must(
    ['iat is now, not a time to come or long gone', 'iatが今（未来でも遠い過去でもない）'],
    typeof iat === 'number' && Math.abs(iat - now) < 600 && iat < now + CLOCK_SECONDS,
    iat,
  )
  t.must(
    nonce === undefined
      ? ['there is no nonce, as none was sent', '送らなかったのでnonceがない']
      : ['the nonce is the one sent', 'nonceが送ったもの'],
    claims.nonce === nonce,
    claims.nonce,
  )
  if (claims.auth_time !== undefined) {
    t.must(
      ['auth_time is a time that has passed', 'auth_timeが過ぎた時刻'],
      typeof claims.auth_time === 'number' && claims.auth_time <= now + CLOCK_SECONDS,
      claims.auth_time,
      'OIDC Core 2',
    )
  }
  if (claims.at_hash !== undefined) {
    t.must(
      ['at_hash is of this access token', 'at_hashがこのアクセストークンのもの'],
      claims.at_hash === halfHash(tokens.accessToken, signer?.alg ?? 'RS256'),
      claims.at_hash,
      'OIDC Core 3.1.3.8',
    )
  }
}
