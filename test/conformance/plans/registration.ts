import type { Context } from '../context.ts'
import { authorize, placeAt, signIn, told } from '../flows.ts'
import type { Module, Plan, Text } from '../module.ts'
import { advertised, inboundHttps, members, seesPages } from '../needs.ts'
import { client, RP_ORIGIN } from '../relying-party.ts'
import type { Section } from '../specifications.ts'
import type { Answer } from '../wire.ts'

const usual = [advertised('registration_endpoint')] as const

const WEB = {
  client_name: 'Conformance',
  redirect_uris: [`${RP_ORIGIN}/registered`],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  token_endpoint_auth_method: 'client_secret_basic',
}

type Metadata = Readonly<Record<string, unknown>>

const bearer = (token: string | undefined): Record<string, string> =>
  token === undefined ? {} : { Authorization: `Bearer ${token}` }

const register = (
  t: Context,
  metadata: Metadata,
  token = t.settings.initialAccessToken,
): Promise<Answer> =>
  t.send({ url: t.endpoint('registration_endpoint'), json: metadata, headers: bearer(token) })

/** Leaves nothing behind at the provider, where it allows that. */
const forget = async (t: Context, answer: Answer): Promise<void> => {
  const url = answer.json?.registration_client_uri
  const token = answer.json?.registration_access_token
  if (typeof url !== 'string' || typeof token !== 'string') return
  await t.send({ url, method: 'DELETE', headers: bearer(token) })
}

/** Registers, and ends the module where that is refused. */
const registered = async (t: Context, metadata: Metadata) => {
  const answer = await register(t, metadata)
  t.expect(
    ['the registration is accepted with 201', '登録が201で受け付けられる'],
    answer.status === 201,
    told(answer),
    'OIDC Registration 3.2',
  )
  return { answer, client: client.parse(answer.json) }
}

/** A registration that must not be accepted. */
const bad = (
  id: string,
  title: Text,
  section: Section,
  metadata: readonly Metadata[],
  errors: readonly string[] = ['invalid_client_metadata'],
): Module => ({
  id,
  title,
  section: [section],
  requires: [...usual],
  async run(t) {
    for (const one of metadata) {
      const answer = await register(t, { ...WEB, ...one })
      t.must(['it is refused with 400', '400で断られる'], answer.status === 400, {
        sent: one,
        answer: told(answer),
      })
      t.must(
        [`the error is ${errors.join(' or ')}`, `エラーが ${errors.join(' か ')}`],
        errors.includes(String(answer.json?.error)),
        told(answer),
        'OIDC Registration 3.3',
      )
      if (answer.status === 201) await forget(t, answer)
    }
  },
})

const happy: Module = {
  id: 'dcr-happy',
  title: ['A client is registered', 'クライアントが登録できる'],
  section: ['OIDC Registration 3.2'],
  requires: [...usual],
  async run(t) {
    const { answer } = await registered(t, {
      client_name: 'Conformance',
      redirect_uris: WEB.redirect_uris,
    })
    const { json = {} } = answer
    t.must(
      ['there is a client_id', 'client_idがある'],
      typeof json.client_id === 'string',
      told(answer),
    )
    t.must(
      ['what was sent is echoed', '送ったものが返る'],
      JSON.stringify(json.redirect_uris) === JSON.stringify(WEB.redirect_uris),
      json.redirect_uris,
    )
    t.must(
      ['the defaults are told', '既定値が示される'],
      String(json.response_types) === 'code' &&
        String(json.grant_types).includes('authorization_code'),
      { response_types: json.response_types, grant_types: json.grant_types },
    )
    const secret = json.client_secret
    if (secret !== undefined) {
      t.must(
        ['with the secret comes when it expires', '秘密の期限が示される'],
        typeof json.client_secret_expires_at === 'number',
        told(answer),
      )
      t.should(
        ['the secret is long enough', '秘密が十分に長い'],
        typeof secret === 'string' && secret.length >= 32,
        `${String(secret).length} characters`,
        'OIDC Core 16.19',
      )
    }
    t.must(
      ['the answer is not stored', '応答が保存されない'],
      /\bno-store\b/.test(answer.headers['cache-control'] ?? ''),
      answer.headers['cache-control'] ?? 'missing',
      'RFC 7591 3.2.1',
    )
    await forget(t, answer)
  },
}

const noToken: Module = {
  id: 'dcr-no-token',
  title: ['Without its token nobody registers', '登録用トークンなしでは登録できない'],
  section: ['RFC 7591 3', 'RFC 6750 3.1'],
  requires: [...usual],
  async run(t) {
    if (t.settings.initialAccessToken === undefined) {
      t.skip([
        'registration needs no initial access token here',
        'この提供者の登録には登録用トークンが要らない',
      ])
    }
    for (const headers of [{}, bearer('conformance-no-such-token')]) {
      const answer = await t.send({
        url: t.endpoint('registration_endpoint'),
        json: WEB,
        headers,
      })
      t.must(['the status is 401', 'ステータスが401'], answer.status === 401, told(answer))
      t.should(
        ['WWW-Authenticate names Bearer', 'WWW-AuthenticateがBearer'],
        /\bbearer\b/i.test(answer.headers['www-authenticate'] ?? ''),
        answer.headers['www-authenticate'] ?? 'missing',
        'RFC 6750 3',
      )
      if (answer.status === 201) await forget(t, answer)
    }
  },
}

const URI_ERRORS = ['invalid_redirect_uri', 'invalid_client_metadata']

const fragment = bad(
  'dcr-fragment',
  ['A redirect URI with a fragment is refused', 'フラグメント付きのリダイレクトURIを断る'],
  'OIDC Registration 2',
  [{ redirect_uris: [`${RP_ORIGIN}/callback#fragment`] }],
  URI_ERRORS,
)

const implicitLocalhost = bad(
  'dcr-implicit-localhost',
  [
    'A web client of the implicit flow has no http or localhost URI',
    'インプリシットのWebクライアントのhttp・localhostを断る',
  ],
  'OIDC Registration 2',
  ['http://rp.conformance.example/callback', 'https://localhost/callback'].map((uri) => ({
    application_type: 'web',
    redirect_uris: [uri],
    response_types: ['id_token'],
    grant_types: ['implicit'],
  })),
  URI_ERRORS,
)

const nativeLoopback: Module = {
  id: 'dcr-native-loopback',
  title: ['A native client may come back to any port', 'ネイティブアプリはどのポートにも戻れる'],
  section: ['RFC 8252 7.3'],
  requires: [...usual, members(1), seesPages],
  async run(t) {
    const { answer, client: native } = await registered(t, {
      ...WEB,
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback'],
      token_endpoint_auth_method: 'none',
    })
    const authorization = await authorize(t, {
      client: native,
      browser: await t.newBrowser(),
      params: { redirect_uri: 'http://127.0.0.1:51234/callback' },
      stopAt: ['sign-in'],
    })
    const { arrival } = authorization
    t.must(
      ['the request is not refused', '断られない'],
      arrival.kind === 'back' || arrival.page.asking !== undefined,
      placeAt(authorization),
    )
    const elsewhere = await authorize(t, {
      client: native,
      browser: await t.newBrowser(),
      params: { redirect_uri: 'http://127.0.0.1:51234/elsewhere' },
      stopAt: ['sign-in'],
    })
    t.must(
      ['another path is', '別のパスは断られる'],
      elsewhere.arrival.kind === 'page' && elsewhere.arrival.page.asking === undefined,
      placeAt(elsewhere),
    )
    await forget(t, answer)
  },
}

const badScheme = bad(
  'dcr-bad-scheme',
  ['A redirect URI that a browser would run is refused', '実行されるリダイレクトURIを断る'],
  'RFC 9700 4.1.3',
  ['javascript:alert(1)', 'data:text/html,x', 'file:///etc/passwd', 'vbscript:x'].map((uri) => ({
    redirect_uris: [uri],
  })),
  URI_ERRORS,
)

const initiateHttp = bad(
  'dcr-initiate-http',
  ['initiate_login_uri must be https', 'httpのinitiate_login_uriを断る'],
  'OIDC Registration 2',
  [{ initiate_login_uri: 'http://rp.conformance.example/login' }],
)

const algNone = bad(
  'dcr-alg-none',
  ['No client asks for unsigned ID tokens', '署名なしのIDトークンを断る'],
  'RFC 8725 3.2',
  [{ id_token_signed_response_alg: 'none' }],
)

const jwksBoth = bad(
  'dcr-jwks-both',
  ['jwks and jwks_uri together are refused', 'jwksとjwks_uriの併用を断る'],
  'OIDC Registration 2',
  [{ jwks: { keys: [] }, jwks_uri: `${RP_ORIGIN}/jwks` }],
)

const sectorGood: Module = {
  id: 'dcr-sector-good',
  title: ['A sector document that lists the URI is accepted', 'セクター文書が正しければ受け付ける'],
  section: ['OIDC Registration 5'],
  requires: [...usual, inboundHttps],
  async run(t) {
    const sector = t.listener.serve({ json: WEB.redirect_uris })
    const { answer } = await registered(t, {
      ...WEB,
      subject_type: 'pairwise',
      sector_identifier_uri: sector.href,
    })
    t.must(
      ['the provider read the document', '提供者が文書を読んだ'],
      (await t.listener.called(sector, 1)) !== undefined,
    )
    await forget(t, answer)
  },
}

const sectorBad: Module = {
  id: 'dcr-sector-bad',
  title: ['A sector document without the URI is refused', 'セクター文書にURIがなければ断る'],
  section: ['OIDC Registration 5'],
  requires: [...usual, inboundHttps],
  async run(t) {
    const sector = t.listener.serve({ json: ['https://other.conformance.example/callback'] })
    const answer = await register(t, {
      ...WEB,
      subject_type: 'pairwise',
      sector_identifier_uri: sector.href,
    })
    t.must(['it is refused with 400', '400で断られる'], answer.status === 400, told(answer))
    if (answer.status === 201) await forget(t, answer)
  },
}

const managed = async (t: Context) => {
  const { answer } = await registered(t, WEB)
  const url = answer.json?.registration_client_uri
  const token = answer.json?.registration_access_token
  if (typeof url !== 'string' || typeof token !== 'string') {
    return t.skip([
      'the feature is off: registered clients cannot be managed (RFC 7592)',
      '機能がオフ: 登録したクライアントを管理できない（RFC 7592）',
    ])
  }
  return { url, token, id: String(answer.json?.client_id), answer }
}

const readUpdateDelete: Module = {
  id: 'dcr-read-update-delete',
  title: ['A registration is read, changed and deleted', '登録の参照・変更・削除'],
  section: ['RFC 7592 2'],
  requires: [...usual],
  async run(t) {
    const { url, token, id } = await managed(t)
    const read = await t.send({ url, headers: bearer(token) })
    t.must(
      ['it is read with 200', '200で読める'],
      read.status === 200 && read.json?.client_id === id,
      told(read),
      'RFC 7592 2.1',
    )
    // A provider may give a new token with every answer (section 3).
    const next = String(read.json?.registration_access_token ?? token)
    const update = await t.send({
      url,
      method: 'PUT',
      headers: bearer(next),
      json: { ...WEB, client_id: id, client_name: 'Conformance 2' },
    })
    if (update.status === 403 || update.status === 405 || update.status === 404) {
      t.should(['it can be changed', '変更できる'], false, told(update), 'RFC 7592 2.2')
    } else {
      t.must(
        ['it is changed with 200', '200で変わる'],
        update.status === 200 && update.json?.client_name === 'Conformance 2',
        told(update),
        'RFC 7592 2.2',
      )
    }
    const last = String(update.json?.registration_access_token ?? next)
    const deleted = await t.send({ url, method: 'DELETE', headers: bearer(last) })
    t.must(
      ['it is deleted with 204', '204で消える'],
      deleted.status === 204,
      told(deleted),
      'RFC 7592 2.3',
    )
    const gone = await t.send({ url, headers: bearer(last) })
    t.must(
      ['then its token is dead', 'その後トークンが無効'],
      gone.status === 401,
      told(gone),
      'RFC 7592 2.3',
    )
  },
}

const wrongToken: Module = {
  id: 'dcr-wrong-rat',
  title: ['A registration is for its own token only', '登録はそのトークンだけが扱える'],
  section: ['RFC 7592 2.1'],
  requires: [...usual],
  async run(t) {
    const own = await managed(t)
    const other = await managed(t)
    for (const method of ['GET', 'DELETE']) {
      for (const token of ['conformance-no-such-token', other.token]) {
        const answer = await t.send({ url: own.url, method, headers: bearer(token) })
        t.must(
          [`${method} with another token is 401`, `別のトークンでの${method}が401`],
          answer.status === 401,
          told(answer),
        )
      }
    }
    await forget(t, own.answer)
    await forget(t, other.answer)
  },
}

const ui: Module = {
  id: 'dcr-ui',
  title: [
    'The sign-in page shows the client’s name, logo, policy and terms',
    'ログイン画面にクライアントの名前・ロゴ・方針・規約が出る',
  ],
  section: ['OIDC Registration 2'],
  requires: [...usual, members(1), seesPages],
  async run(t) {
    const { answer, client: shown } = await registered(t, {
      ...WEB,
      client_name: 'Conformance Shown',
      logo_uri: `${RP_ORIGIN}/logo.png`,
      policy_uri: `${RP_ORIGIN}/policy`,
      tos_uri: `${RP_ORIGIN}/terms`,
    })
    const authorization = await authorize(t, {
      client: shown,
      browser: await t.newBrowser(),
      stopAt: ['sign-in'],
    })
    const { arrival } = authorization
    const html = arrival.kind === 'page' ? arrival.page.html : ''
    const names = ['Conformance Shown', '/logo.png', '/policy', '/terms']
    t.review(
      ['are name, logo, policy and terms to be seen?', '名前・ロゴ・方針・規約が見えるか'],
      names.map(
        (one) => `${one}: ${html.includes(one) ? 'in the page' : 'not in the page as such'}`,
      ),
    )
    await forget(t, answer)
  },
}

/** A registered client is worth something only if it can be used. */
const usable: Module = {
  id: 'dcr-sign-in',
  title: ['A client just registered signs a member in', '登録直後のクライアントでログインできる'],
  section: ['OIDC Registration 3.2'],
  requires: [...usual, members(1)],
  async run(t) {
    const { answer, client: fresh } = await registered(t, WEB)
    await signIn(t, { client: fresh })
    await forget(t, answer)
  },
}

export const registration: Plan = {
  id: 'registration',
  title: ['Dynamic client registration', 'クライアントの動的登録'],
  modules: [
    happy,
    noToken,
    fragment,
    implicitLocalhost,
    nativeLoopback,
    badScheme,
    initiateHttp,
    algNone,
    jwksBoth,
    sectorGood,
    sectorBad,
    readUpdateDelete,
    wrongToken,
    ui,
    usable,
  ],
}
