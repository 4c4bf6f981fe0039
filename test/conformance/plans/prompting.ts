import { setTimeout as delay } from 'node:timers/promises'
import { parse } from 'node-html-parser'
import { askedOn, authorize, placeAt, refused, response, signIn } from '../flows.ts'
import type { Module, Plan } from '../module.ts'
import { aClient, advertised, members, offers, seesPages } from '../needs.ts'

const usual = [aClient, members(1)] as const

const noneFresh: Module = {
  id: 'prompt-none-fresh',
  title: [
    'prompt=none without a session is login_required',
    '未ログインのprompt=noneはlogin_required',
  ],
  section: ['OIDC Core 3.1.2.6'],
  requires: [...usual],
  async run(t) {
    const browser = await t.newBrowser()
    const authorization = await authorize(t, { browser, params: { prompt: 'none' } })
    refused(t, authorization, ['login_required', 'interaction_required'])
    t.must(
      ['no page was shown', '画面が出ない'],
      authorization.arrival.pages.length === 0,
      authorization.arrival.pages.map(({ url }) => url.pathname),
    )
  },
}

const noneSession: Module = {
  id: 'prompt-none-session',
  title: ['prompt=none with a session is silent', 'ログイン済みのprompt=noneは無言で通る'],
  section: ['OIDC Core 3.1.2.1'],
  requires: [...usual],
  async run(t) {
    const shown = await signIn(t)
    const silent = await signIn(t, { client: shown.client, params: { prompt: 'none' } })
    t.must(
      ['no page was shown', '画面が出ない'],
      silent.arrival.pages.length === 0,
      askedOn(silent.arrival),
    )
    t.must(['the member is the same', '同じ会員'], silent.claims.sub === shown.claims.sub)
    t.must(
      ['auth_time is the same', 'auth_timeが同じ'],
      silent.claims.auth_time === shown.claims.auth_time,
      [silent.claims.auth_time, shown.claims.auth_time],
      'OIDC Core 2',
    )
  },
}

const login: Module = {
  id: 'prompt-login',
  title: ['prompt=login signs in again', 'prompt=loginで再ログインになる'],
  section: ['OIDC Core 3.1.2.1'],
  requires: [...usual],
  async run(t) {
    const before = await signIn(t, { params: { max_age: '100000' } })
    await delay(1100, undefined, { signal: t.signal })
    const again = await signIn(t, {
      client: before.client,
      params: { prompt: 'login', max_age: '100000' },
    })
    if (t.target.driver.can.headers) {
      t.must(
        ['the sign-in page was shown', 'ログイン画面が出た'],
        askedOn(again.arrival).includes('sign-in'),
        askedOn(again.arrival),
      )
    } else {
      t.review(['was the sign-in page shown?', 'ログイン画面が出たか'], placeAt(again))
    }
    t.must(
      ['auth_time is later than before', 'auth_timeが前より後'],
      Number(again.claims.auth_time) > Number(before.claims.auth_time),
      [before.claims.auth_time, again.claims.auth_time],
      'OIDC Core 2',
    )
    t.must(['the member is the same', '同じ会員'], again.claims.sub === before.claims.sub)
  },
}

const noneAndLogin: Module = {
  id: 'prompt-none-plus-login',
  title: ['prompt=none with another value is refused', 'prompt=noneとほかの値の併用を断る'],
  section: ['OIDC Core 3.1.2.1'],
  requires: [...usual],
  async run(t) {
    refused(t, await authorize(t, { params: { prompt: 'none login' } }), ['invalid_request'])
  },
}

const consent: Module = {
  id: 'prompt-consent',
  title: [
    'prompt=consent asks, and offline access is granted',
    'prompt=consentで同意を求め、オフラインアクセスが渡る',
  ],
  section: ['OIDC Core 11'],
  requires: [offers('scopes_supported', 'offline_access'), ...usual, seesPages],
  async run(t) {
    const client = await t.client()
    if (!client.grant_types.includes('refresh_token')) {
      t.skip([
        `client ${client.client_id} is not registered for refresh_token`,
        `クライアント ${client.client_id} にrefresh_tokenが登録されていない`,
      ])
    }
    const tokens = await signIn(t, {
      client,
      params: { scope: 'openid offline_access', prompt: 'consent' },
    })
    t.should(
      ['consent was asked for', '同意を求めた'],
      askedOn(tokens.arrival).includes('consent'),
      askedOn(tokens.arrival),
      'OIDC Core 3.1.2.4',
    )
    t.should(
      ['a refresh token was issued', 'リフレッシュトークンが出た'],
      tokens.refreshToken !== undefined,
      'none',
    )
  },
}

const maxAgeOne: Module = {
  id: 'max-age-1',
  title: ['max_age=1 signs in again', 'max_age=1で再ログインになる'],
  section: ['OIDC Core 3.1.2.1'],
  requires: [...usual],
  async run(t) {
    const before = await signIn(t)
    await delay(2100, undefined, { signal: t.signal })
    const started = Math.floor(Date.now() / 1000)
    const again = await signIn(t, { client: before.client, params: { max_age: '1' } })
    if (t.target.driver.can.headers) {
      t.must(
        ['the sign-in page was shown', 'ログイン画面が出た'],
        askedOn(again.arrival).includes('sign-in'),
        askedOn(again.arrival),
      )
    } else {
      t.review(['was the sign-in page shown?', 'ログイン画面が出たか'], placeAt(again))
    }
    t.must(
      ['auth_time is there, and not before this request', 'auth_timeがこの要求より後'],
      Number(again.claims.auth_time) >= started - 1,
      again.claims.auth_time ?? 'missing',
      'OIDC Core 2',
    )
  },
}

const maxAgeLarge: Module = {
  id: 'max-age-large',
  title: ['A large max_age does not sign in again', '大きなmax_ageでは再ログインしない'],
  section: ['OIDC Core 3.1.2.1'],
  requires: [...usual],
  async run(t) {
    await signIn(t)
    const tokens = await signIn(t, { params: { max_age: '10000' } })
    t.must(
      ['nobody had to sign in again', '再ログインがない'],
      !askedOn(tokens.arrival).includes('sign-in'),
      askedOn(tokens.arrival),
    )
    t.must(
      ['auth_time is there', 'auth_timeがある'],
      typeof tokens.claims.auth_time === 'number',
      tokens.claims.auth_time ?? 'missing',
      'OIDC Core 2',
    )
  },
}

const idTokenHint: Module = {
  id: 'id-token-hint',
  title: [
    'id_token_hint is silent for the same member only',
    'id_token_hintは同じ会員だけ無言で通る',
  ],
  section: ['OIDC Core 3.1.2.1'],
  requires: [aClient, members(2)],
  async run(t) {
    const own = await signIn(t)
    const { client } = own
    const silent = await signIn(t, {
      client,
      params: { prompt: 'none', id_token_hint: own.idToken },
    })
    t.must(['the member is the same', '同じ会員'], silent.claims.sub === own.claims.sub)
    const browser = await t.newBrowser(t.member(1))
    const theirs = await signIn(t, { client, browser })
    t.must(
      ['two members have two subs', '2人の会員のsubが違う'],
      theirs.claims.sub !== own.claims.sub,
      own.claims.sub,
      'OIDC Core 2',
    )
    const other = await authorize(t, {
      client,
      params: { prompt: 'none', id_token_hint: theirs.idToken },
    })
    refused(t, other, ['login_required', 'interaction_required', 'account_selection_required'])
  },
}

const loginHint: Module = {
  id: 'login-hint',
  title: ['login_hint fills in, and proves nothing', 'login_hintは入力を助けるだけ'],
  section: ['OIDC Core 3.1.2.1'],
  requires: [...usual, seesPages],
  async run(t) {
    const browser = await t.newBrowser()
    const hint = t.member(0).username ?? ''
    const authorization = await authorize(t, {
      browser,
      params: { login_hint: hint },
      stopAt: ['sign-in'],
    })
    const { arrival } = authorization
    t.must(
      ['the sign-in page is still shown', 'それでもログイン画面が出る'],
      arrival.kind === 'page' && arrival.page.asking === 'sign-in',
      placeAt(authorization),
    )
    if (arrival.kind !== 'page') return
    const values = parse(arrival.page.html)
      .querySelectorAll('input')
      .map((input) => input.getAttribute('value'))
    t.should(['it is filled in', '入力欄に入っている'], values.includes(hint), 'no field holds it')
  },
}

const uiLocales: Module = {
  id: 'ui-locales',
  title: ['ui_locales chooses the language', 'ui_localesで言語が選べる'],
  section: ['OIDC Core 3.1.2.1'],
  requires: [...usual, seesPages],
  async run(t) {
    const listed = t.target.metadata.ui_locales_supported
    for (const [language, other] of [
      ['ja', 'en'],
      ['en', 'ja'],
    ] as const) {
      const browser = await t.newBrowser(undefined, { language: other })
      const authorization = await authorize(t, {
        browser,
        params: { ui_locales: language },
        stopAt: ['sign-in'],
      })
      const { arrival } = authorization
      t.must(
        [`${language}: the sign-in page is shown`, `${language}: ログイン画面が出る`],
        arrival.kind === 'page' && arrival.page.asking === 'sign-in',
        placeAt(authorization),
      )
      if (arrival.kind !== 'page') return
      const shown = parse(arrival.page.html).querySelector('html')?.getAttribute('lang')
      if (!Array.isArray(listed) || !listed.includes(language)) {
        t.review([`is it in "${language}"?`, `"${language}" で表示されたか`], `html lang: ${shown}`)
        continue
      }
      t.should(
        [`the page is in "${language}"`, `画面が "${language}"`],
        shown?.startsWith(language) === true,
        `html lang: ${shown}`,
      )
    }
    const unknown = await authorize(t, { params: { ui_locales: 'tlh x-none' } })
    t.must(
      ['an unknown language is no error', '知らない言語でもエラーにならない'],
      response(t, unknown).has('code'),
      placeAt(unknown),
    )
  },
}

const acrWish: Module = {
  id: 'acr-wish',
  title: ['Of the acr values asked for one is returned', '希望したacrのどれかが返る'],
  section: ['OIDC Core 5.5.1.1'],
  requires: [advertised('acr_values_supported'), ...usual],
  async run(t) {
    const listed = [t.target.metadata.acr_values_supported].flat().map(String)
    const tokens = await signIn(t, { params: { acr_values: listed.join(' ') } })
    t.should(
      ['acr is in the ID token, and is one of them', 'IDトークンのacrがその1つ'],
      listed.includes(String(tokens.claims.acr)),
      tokens.claims.acr ?? 'missing',
    )
    const unknown = await signIn(t, {
      client: tokens.client,
      params: { acr_values: 'urn:conformance:no-such-acr' },
    })
    t.must(
      ['an acr that is only wished for is no reason to refuse', '希望だけなら断らない'],
      unknown.claims.acr !== 'urn:conformance:no-such-acr',
      unknown.claims.acr,
    )
  },
}

const acrEssential: Module = {
  id: 'acr-essential',
  title: ['An essential acr is met, or the request fails', '必須のacrは満たすか、失敗する'],
  section: ['OIDC Core 5.5.1.1'],
  requires: [
    advertised('claims_parameter_supported'),
    advertised('acr_values_supported'),
    ...usual,
  ],
  async run(t) {
    await signIn(t)
    const acr = 'urn:conformance:no-such-acr'
    const claims = JSON.stringify({ id_token: { acr: { essential: true, values: [acr] } } })
    const authorization = await authorize(t, {
      params: { claims },
      stopAt: ['sign-in', 'code', 'passkey', 'enrolment'],
    })
    const { arrival } = authorization
    t.must(
      ['no code is given with a weaker acr', 'より弱いacrでコードを渡さない'],
      arrival.kind === 'page' || !arrival.params.has('code'),
      placeAt(authorization),
    )
    if (arrival.kind !== 'back') return
    t.should(
      [
        'the error is unmet_authentication_requirements',
        'エラーがunmet_authentication_requirements',
      ],
      arrival.params.get('error') === 'unmet_authentication_requirements',
      Object.fromEntries(arrival.params),
    )
  },
}

const cancel: Module = {
  id: 'user-cancel',
  title: ['Who leaves the sign-in page is back with access_denied', 'やめるとaccess_deniedで戻る'],
  section: ['RFC 6749 4.1.2.1'],
  requires: [...usual, seesPages],
  async run(t) {
    const browser = await t.newBrowser()
    refused(t, await authorize(t, { browser, cancel: true }), ['access_denied'])
  },
}

export const prompting: Plan = {
  id: 'prompting',
  title: ['Prompting and re-authentication', '画面の要求と再認証'],
  modules: [
    noneFresh,
    noneSession,
    login,
    noneAndLogin,
    consent,
    maxAgeOne,
    maxAgeLarge,
    idTokenHint,
    loginHint,
    uiLocales,
    acrWish,
    acrEssential,
    cancel,
  ],
}
