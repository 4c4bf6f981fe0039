import { parse } from 'node-html-parser'
import type { Page } from '../drivers/driver.ts'
import type { Member } from '../drivers/page-rules.ts'
import { askedOn, authorize, placeAt, refused, signIn } from '../flows.ts'
import type { Module, Plan, Text } from '../module.ts'
import {
  aClient,
  clientWithRole,
  guessedMember,
  memberBy,
  newMember,
  passkeys,
  seesPages,
} from '../needs.ts'

const firstLogin: Module = {
  id: 'member-first-login',
  title: [
    'Who has not finished the first login never gets a code',
    '初回ログインが済むまでコードは渡らない',
  ],
  section: ['Member rules 1'],
  requires: [aClient, newMember, seesPages],
  async run(t) {
    const client = await t.client()
    const member = t.expect(
      ['there is a new member', '初回ログイン前の会員がいる'],
      t.target.driver.members.find((one) => one.firstLogin === 'yes'),
    )
    const browser = await t.newBrowser(member)
    const half = await authorize(t, { client, browser, stopAt: ['enrolment'] })
    t.must(
      [
        'the right initial password leads to the first login, not back',
        '初期パスワードでは戻れない',
      ],
      half.arrival.kind === 'page' && half.arrival.page.asking === 'enrolment',
      placeAt(half),
    )
    const silent = await authorize(t, { client, browser, params: { prompt: 'none' } })
    refused(t, silent, ['login_required', 'interaction_required'])
    const again = await authorize(t, { client, browser, stopAt: ['sign-in', 'enrolment'] })
    t.must(
      ['nor does a second try', 'やり直しても戻れない'],
      again.arrival.kind === 'page',
      placeAt(again),
    )
    const tokens = await signIn(t, { client, browser })
    t.must(
      ['the pages of the first login led there', '初回ログインの画面を経て戻る'],
      askedOn(tokens.arrival).includes('enrolment'),
      askedOn(tokens.arrival),
    )
    t.must(
      ['then the member is signed in', 'その後ログインできる'],
      typeof tokens.claims.sub === 'string',
    )
  },
}

/** Signs in by a method, and looks at what the relying party is told of it (RFC 8176 section 2). */
const byMethod = (
  id: string,
  title: Text,
  method: string,
  amr: readonly string[],
): Omit<Module, 'requires'> => ({
  id,
  title,
  section: ['Member rules 2', 'RFC 8176 2'],
  async run(t) {
    const client = t.target.clients.find((one) => one.role === 'stronger') ?? (await t.client())
    const browser = await t.newBrowser(t.memberBy(method))
    const tokens = await signIn(t, {
      client,
      browser,
      params: { claims: JSON.stringify({ id_token: { acr: null, amr: null } }) },
    })
    const told = [tokens.claims.amr].flat().map(String)
    t.must(
      [`amr holds ${amr.join(', ')}`, `amrに ${amr.join(', ')} がある`],
      amr.every((one) => told.includes(one)),
      told,
    )
    const listed = [t.target.metadata.acr_values_supported].flat().map(String)
    t.must(
      ['acr is one of those advertised', 'acrが告知されたもの'],
      listed.includes(String(tokens.claims.acr)),
      tokens.claims.acr ?? 'missing',
    )
  },
})

const totp: Module = {
  ...byMethod('member-totp', ['Password and app', 'パスワードと認証アプリ'], 'totp', [
    'pwd',
    'otp',
    'mfa',
  ]),
  requires: [aClient, memberBy('totp')],
}

const mail: Module = {
  ...byMethod(
    'member-mail-otp',
    ['Password and e-mail code', 'パスワードとメールのコード'],
    'email',
    ['pwd', 'otp'],
  ),
  requires: [clientWithRole('stronger'), memberBy('email')],
}

const passkey: Module = {
  ...byMethod('member-passkey', ['Passkey', 'パスキー'], 'passkey', ['user']),
  requires: [aClient, memberBy('passkey'), passkeys],
}

/** More than any provider should allow. */
const TRIES = 20
const WRONG_CODE = '000000'

/** What a page says, whatever the numbers in it: how many tries are left may be told. */
const saysOf = ({ html }: Page): string => {
  const root = parse(html)
  for (const one of root.querySelectorAll('script, style, input')) one.remove()
  return root.structuredText.replace(/\s+/g, ' ').trim().replace(/\d+/g, '0')
}

const guess: Module = {
  id: 'member-otp-guess',
  title: ['A code cannot be guessed', 'コードの当て推量ができない'],
  section: ['Member rules 3'],
  requires: [clientWithRole('stronger'), guessedMember, seesPages],
  async run(t) {
    const client = t.clientWithRole('stronger')
    const member = t.expect(
      ['there is a member to be guessed at', '試される会員がいる'],
      t.target.driver.members.find((one) => one.guess === 'yes'),
    )
    const guesser: Member = { ...member, mailCode: WRONG_CODE, totp: WRONG_CODE }
    const browser = await t.newBrowser(guesser)
    const seen: Page[] = []
    let isIn = false
    for (let round = 0; !isIn && seen.length < TRIES && round < TRIES; round += 1) {
      const { arrival } = await authorize(t, { client, browser })
      isIn = arrival.kind === 'back'
      const asked = arrival.pages.filter(({ asking }) => asking === 'code')
      seen.push(...asked)
      if (asked.length === 0) break
    }
    t.must(['no wrong code leads on', '違うコードでは進めない'], !isIn)
    const answers = seen.filter(({ status }) => status !== 200).map(saysOf)
    t.must(['wrong codes were answered', '違うコードへの答えがある'], answers.length > 0)
    const first = answers[0]
    t.must(
      ['the second wrong code is answered as the first', '2回目の誤りへの答えが1回目と同じ'],
      answers[1] === undefined || answers[1] === first,
      answers.slice(0, 2),
    )
    // From here on the guesser knows: the code of the newest mail, or of the app.
    delete guesser.mailCode
    delete guesser.totp
    const right = await authorize(t, { client, browser }).catch((error: unknown) => String(error))
    t.must(
      ['then even the right code is refused for a while', 'その後は正しいコードもしばらく断る'],
      typeof right === 'string' || right.arrival.kind === 'page',
      typeof right === 'string' ? right : placeAt(right),
    )
  },
}

const policy: Module = {
  id: 'member-policy',
  title: [
    'A client that asks for more is never given less',
    '強い認証を求めるクライアントに弱い認証で渡さない',
  ],
  section: ['Member rules 4'],
  requires: [clientWithRole('strongest'), memberBy('email'), seesPages],
  async run(t) {
    const authorization = await authorize(t, {
      client: t.clientWithRole('strongest'),
      browser: await t.newBrowser(t.memberBy('email')),
      stopAt: ['enrolment'],
    })
    const { arrival } = authorization
    t.must(
      ['a member with a weaker method gets no code', '弱い方法の会員にコードが渡らない'],
      arrival.kind === 'page' || !arrival.params.has('code'),
      placeAt(authorization),
    )
  },
}

export const memberAuth: Plan = {
  id: 'member-auth',
  title: ['Members signing in', '会員のログイン'],
  // The last leaves a member paused.
  modules: [firstLogin, totp, mail, passkey, policy, guess],
}
