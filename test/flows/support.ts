import { setTimeout as delay } from 'node:timers/promises'
import { jest } from '@jest/globals'
import type { ChosenFactor, Member, MemberId } from '../../accounts/member.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { appCode } from '../support/authenticator-app.ts'
import { A_PASSWORD, aMember } from '../support/builders.ts'
import { steppedBy, type TestClock } from '../support/clock.ts'
import type { Idp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import {
  aRelyingParty,
  type RegisteredClient,
  type RelyingParty,
  type Tokens,
} from '../support/rp.ts'
import { codeIn, type SunkMail } from '../support/smtp-sink.ts'
import {
  creationOptionsOn,
  type Keyring,
  recoveryCodesOn,
  requestOptionsOn,
  secretOf,
  typedKeyOn,
} from './keys.ts'

/** The pages by what their headings say. */
export const PAGE = {
  password: 'ログイン',
  birthdate: '生年月日を入力してください',
  terms: '利用規約の確認',
  termsDeclined: '同意しない場合',
  email: 'メールアドレスの確認',
  emailDesk: 'メールアドレスの登録が必要です',
  emailOld: '今のメールアドレスを確認します',
  emailWait: 'メールを確認してください',
  choosePlace: 'どこでログインしますか',
  chooseFactor: '認証方法を選んでください',
  newPassword: '新しいパスワードを決めてください',
  emailCode: '確認コードを入力してください',
  emailCodeUnsent: '確認コードを送ります',
  registerPasskey: 'この端末にパスキーを登録します',
  registerPasskeyOnPhone: 'スマートフォンにパスキーを登録します',
  verifyPasskey: 'パスキーで確認します',
  registerTotp: '認証アプリを登録します',
  verifyTotp: '認証アプリの数字を入力してください',
  recoveryCodes: '回復コードを保存してください',
  verifyRecoveryCode: '回復コードを入力してください',
  lostFactor: 'スマートフォンをなくした・使えないとき',
  enrolled: '初回ログインが終わりました',
  done: '設定が終わりました',
  stopped: 'ログインを続けられません',
  signedIn: 'Signed in to the relying party',
  linkAsk: 'このメールアドレスを確認します',
  linkConfirmed: '確認できました',
  linkUsed: 'このリンクは確認済みです',
  stale: '画面の有効期限が切れました',
  forged: 'この操作は受け付けられませんでした',
  clientError: 'ログインを始められませんでした',
} as const

/** Meets every rule; nothing in it is about the member. */
export const NEW_PASSWORD = 'Kingyo_no_Hachi-39'

const REAL = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const

/**
 * The machine's own date in this process, standing still until advanced: the engine, the throttle
 * and openid-client read it themselves, so a product whose clock alone moved would disagree with
 * them. Timers stay real. Call `jest.useRealTimers()` in the end.
 */
export const theDate = (): TestClock => {
  jest.useFakeTimers({ doNotFake: [...REAL], now: Math.floor(Date.now() / 1000) * 1000 })
  return steppedBy(
    () => Math.floor(Date.now() / 1000),
    (seconds) => jest.setSystemTime(Date.now() + seconds * 1000),
  )
}

/** The token of the page's forms. */
export const csrfOf = (page: Page): string =>
  page.root.querySelector('input[name="csrf"]')?.getAttribute('value') ?? ''

/** What the page's form says ahead of the answer: under what that is counted. */
export const countedOf = (page: Page): string =>
  page.root.querySelector('input[name="counted"]')?.getAttribute('value') ?? ''

/**
 * What nonsense does to a form, or a wrong way to a step, is the same wherever things are kept: the
 * whole of these is tried on the embedded store, and every third of them on Redis and MongoDB.
 */
export const sampled = <T>(all: readonly T[]): readonly T[] =>
  process.env.KENPO_TEST_STORE === 'redis+mongo' ? all.filter((_, index) => index % 3 === 0) : all

let made = 0
/** A number nobody else in this process has. */
const another = (): number => {
  made += 1
  return made
}

/** Another member with a user ID, an address and a mailbox of their own, before their first login. */
export const aNewcomer = (over: Partial<Member> = {}): Member => {
  const number = String(1000 + another())
  return aMember({
    id: `member-${number}` as MemberId, // a test's own ID
    loginId: `23456-${number}`,
    insured: { symbol: '23456', number },
    email: { address: `m${number}@example.jp` },
    ...over,
  })
}

/** What turns a newcomer into a member whose first login is behind them. */
export const enrolled = (at: number): Partial<Member> => ({
  birthdateConfirmedAt: at,
  acceptedTerms: [{ version: '2026-04', textHash: 'x', at, clientId: 'health-portal' }],
  chosenFactor: 'emailCode',
  enrolledAt: at,
})

/** Another member whose first login is behind them; their password is A_PASSWORD. */
export const anOldHand = (at: number, over: Partial<Member> = {}): Member => {
  const member = aNewcomer()
  return {
    ...member,
    ...enrolled(at),
    email: { address: member.email?.address ?? '', verifiedAt: at },
    password: { hash: member.password.hash, changedAt: at },
    ...over,
  }
}

/** Another member whose first login is done but for registering the method they chose: password and
 * a mailed code lead them there. Their password is A_PASSWORD. */
export const aRegistrant = (at: number, chosenFactor: ChosenFactor): Member => {
  const { enrolledAt: _yetToCome, ...member } = anOldHand(at, { chosenFactor })
  return member
}

/** One member at one browser in front of one relying party. */
export interface Journey {
  readonly idp: Idp
  readonly member: Member
  readonly visitor: Visitor
  readonly rp: RelyingParty
  /** The password typed at the password page. */
  password: string
  /** The method chosen where it is asked. */
  method: ChosenFactor
  readonly keys: Keyring
  /** Starts a new authorization request. */
  start(params?: Readonly<Record<string, string>>): Promise<Page>
  /** Answers the page in front of the member, as the member would. */
  answer(): Promise<Page>
  /** Answers the pages that come until the one with this heading. @throws where it never comes */
  walkTo(heading: string): Promise<Page>
  /** Goes on to the relying party, whose page this must be, and redeems the code. */
  finish(): Promise<Tokens>
  /** The newest code mailed to the member's address. */
  newestCode(address?: string): Promise<string>
}

const clients = { sakura: 'health-portal', minato: 'minato-portal' } as const

export const mailsTo = (idp: Idp, address: string): readonly SunkMail[] =>
  idp.mails.mails.filter(({ to }) => to === address)

const hasCode = ({ text }: SunkMail): boolean => /^\s*\d{6}\s*$/mu.test(text)

/** All that has been queued has gone out or been given up. */
export const settled = async (idp: Idp): Promise<void> => {
  for (let tries = 0; tries < 1000; tries += 1) {
    if ((await idp.services.outbox.count()) === 0) return
    await delay(20)
  }
  const putOff = idp.log.filter(({ msg }) => msg === 'mail_put_off')
  throw new Error(
    `mails are still waiting after twenty seconds; put off: ${JSON.stringify(putOff)}`,
  )
}

/** The mails with a code that have come to this address, once all mails have gone out. */
export const codeMails = async (idp: Idp, address: string): Promise<readonly SunkMail[]> => {
  await settled(idp)
  return mailsTo(idp, address).filter(hasCode)
}

export const newestMail = async (idp: Idp, address: string): Promise<SunkMail> => {
  const mail = (await codeMails(idp, address)).at(-1)
  if (!mail) throw new Error(`no mail with a code to ${address}`)
  return mail
}

/** The member's answer to the page in front of them. */
const answer = async (journey: Journey, page: Page): Promise<Page> => {
  const { visitor, member } = journey
  const [year = '', month = '', day = ''] = member.birthdate.split('-')
  switch (page.heading) {
    case PAGE.password:
      return visitor.submit('password', { username: member.loginId, password: journey.password })
    case PAGE.birthdate:
      return visitor.submit('birthdate', { era: 'seireki', year, month, day })
    case PAGE.terms:
      return visitor.submit('terms', { agree: true })
    case PAGE.email:
      return visitor.submit('email', { email: member.email?.address ?? 'new@example.jp' })
    case PAGE.emailOld:
    case PAGE.emailWait:
      return visitor.submit('email', { code: await journey.newestCode() })
    case PAGE.choosePlace:
      return visitor.submit('choose-place', { phone: true })
    case PAGE.chooseFactor:
      return visitor.submit('chooseFactor', { factor: journey.method })
    case PAGE.newPassword:
      journey.password = NEW_PASSWORD
      return visitor.submit('newPassword', { password: NEW_PASSWORD })
    case PAGE.enrolled:
      return visitor.submit('enrolled')
    case PAGE.emailCode:
      return visitor.submit('verifyFactor', { code: await journey.newestCode() })
    case PAGE.done:
      return visitor.submit('done')
    default:
      return answerByKey(journey, page)
  }
}

/** The member's answer to a page about their passkey, app or recovery codes. */
const answerByKey = async ({ visitor, keys, idp }: Journey, page: Page): Promise<Page> => {
  switch (page.heading) {
    case PAGE.registerPasskey:
    case PAGE.registerPasskeyOnPhone: {
      keys.passkey = createAuthenticator({ origin: idp.issuer })
      const response = keys.passkey.register(creationOptionsOn(page))
      return visitor.submit('registerFactor', { response })
    }
    case PAGE.verifyPasskey: {
      const response = keys.passkey?.authenticate(requestOptionsOn(page))
      return visitor.submit('verifyFactor', { response: response ?? '' })
    }
    case PAGE.registerTotp:
      keys.appSecret = secretOf(typedKeyOn(page))
      return visitor.submit('registerFactor', { code: appCode(keys.appSecret, idp.clock.now()) })
    case PAGE.verifyTotp: {
      const code = keys.appSecret ? appCode(keys.appSecret, idp.clock.now()) : ''
      return visitor.submit('verifyFactor', { code })
    }
    case PAGE.recoveryCodes:
      keys.recoveryCodes = recoveryCodesOn(page)
      return visitor.submit('recoveryCodes', { saved: true })
    case PAGE.verifyRecoveryCode: {
      const [code = '', ...left] = keys.recoveryCodes ?? []
      keys.recoveryCodes = left
      return visitor.submit('verifyFactor', { code })
    }
    default:
      throw new Error(`nothing to answer on "${page.heading}" (${page.status} ${page.url.href})`)
  }
}

const MAX_PAGES = 14

export const aJourney = async (
  idp: Idp,
  member: Member,
  options: Readonly<{
    clientId?: string
    /** One that is registered elsewhere than in the clients file. */
    client?: RegisteredClient
    visitor?: Visitor
    password?: string
    method?: ChosenFactor
    keys?: Keyring
  }> = {},
): Promise<Journey> => {
  const society = member.societyId === 'minato' ? 'minato' : 'sakura'
  const rp = await aRelyingParty(
    idp,
    options.client ?? idp.client(options.clientId ?? clients[society]),
  )
  const visitor = options.visitor ?? aVisitor()
  const journey: Journey = {
    idp,
    member,
    visitor,
    rp,
    password: options.password ?? A_PASSWORD,
    method: options.method ?? 'emailCode',
    keys: { ...options.keys },
    start: async (params) => visitor.visit(await rp.authorizationUrl(params)),
    answer: () => answer(journey, visitor.page),
    async walkTo(heading) {
      for (let pages = 0; pages < MAX_PAGES; pages += 1) {
        if (visitor.page.heading === heading) return visitor.page
        await journey.answer()
      }
      throw new Error(`"${heading}" never came; now on "${visitor.page.heading}"`)
    },
    async finish() {
      await journey.walkTo(PAGE.signedIn)
      return rp.finish(visitor.page.url)
    },
    async newestCode(address = member.email?.address ?? 'new@example.jp') {
      return codeIn(await newestMail(idp, address))
    },
  }
  return journey
}

/**
 * Twenty posts of one form at once, shared between these browsers, each as it stands; redirects are
 * not followed. Returns the statuses.
 */
export const postAtOnce = async (
  journeys: readonly Journey[],
  act: string,
  fields: Readonly<Record<string, string>>,
): Promise<readonly number[]> => {
  const requests = journeys.map(({ visitor }) => {
    const { url } = visitor.page
    return {
      address: `${url.href}/${act}`,
      cookie: visitor.jar.getCookieStringSync(url.href),
      body: new URLSearchParams({ csrf: csrfOf(visitor.page), ...fields }),
    }
  })
  const rounds = Array.from({ length: 20 / journeys.length }, () => requests).flat()
  const answers = await Promise.all(
    rounds.map(({ address, cookie, body }) =>
      fetch(address, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, 'Sec-Fetch-Site': 'same-origin' },
        body,
      }),
    ),
  )
  return answers.map(({ status }) => status)
}

/** A journey of a member just added to the store. */
export const aJourneyOf = async (
  idp: Idp,
  member: Member,
  options?: Parameters<typeof aJourney>[2],
): Promise<Journey> => aJourney(idp, await idp.services.members.save(member), options)
