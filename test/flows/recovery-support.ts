import { Secret, TOTP } from 'otpauth'
import type { EpochSeconds, Member, MemberId } from '../../accounts/member.ts'
import { issuePass } from '../../cli/member-pass.ts'
import { createFactors } from '../../factors/index.ts'
import { aVisitor, type Visitor } from '../support/agent.ts'
import { A_PASSWORD, anEnrolledMember } from '../support/builders.ts'
import type { Idp } from '../support/idp.ts'
import type { Page } from '../support/page.ts'
import { aRelyingParty, type RelyingParty } from '../support/rp.ts'
import type { SunkMail } from '../support/smtp-sink.ts'
import { settled } from './support.ts'

/** The pages by what their headings say. */
export const PAGE = {
  password: 'ログイン',
  forgotPassword: 'パスワードを忘れたとき',
  resetCode: '届いたコードを入力してください',
  resetPassword: 'パスワードを新しくします',
  forgotId: 'ユーザIDがわからないとき',
  lost: 'スマートフォンをなくした・使えないとき',
  deskPass: '窓口の番号を入力してください',
  app: '認証アプリの数字を入力してください',
  registerApp: '認証アプリを登録します',
  recoveryCodes: '回復コードを保存してください',
  emailCode: '確認コードを入力してください',
  email: 'メールアドレスの確認',
  choosePlace: 'どこでログインしますか',
  choose: '認証方法を選んでください',
  stopped: 'ログインを続けられません',
  signedIn: 'Signed in to the relying party',
} as const

/** Meets every rule; nothing in it is about the member. */
export const NEW_PASSWORD = 'Kingyo_no_Hachi-39'

let made = 0

/** Another member whose first login is behind them, with the e-mail code; password A_PASSWORD. */
export const aSettledMember = (over: Partial<Member> = {}): Member => {
  made += 1
  const number = String(1000 + made)
  return anEnrolledMember({
    id: `member-${number}` as MemberId, // a test's own ID
    loginId: `34567-${number}`,
    insured: { symbol: '34567', number },
    email: { address: `m${number}@example.jp`, verifiedAt: 1_775_000_000 },
    ...over,
  })
}

/** An app that holds a secret, at any time. */
export type App = Readonly<{ codeAt(now: EpochSeconds): string }>

export const appOf = (secretGroups: string): App => {
  const secret = Secret.fromBase32(secretGroups.replaceAll(' ', ''))
  const totp = new TOTP({ secret, algorithm: 'SHA1', digits: 6, period: 30 })
  return { codeAt: (now) => totp.generate({ timestamp: now * 1000 }) }
}

/** The member with an authenticator app registered a few minutes ago, and that app. */
export const withApp = async (
  idp: Idp,
  member: Member,
): Promise<Readonly<{ member: Member; app: App }>> => {
  const { settings, randomBytes } = idp.services
  const { totp } = createFactors(settings, randomBytes)
  const now = idp.clock.now() - 300
  const { host } = new URL(idp.issuer)
  const ceremony = { now, origin: idp.issuer, rpId: host, issuerName: 'さくら' }
  const { kept, shown } = await totp.beginRegistration(member, ceremony)
  const app = appOf(shown.secretGroups)
  const verdict = await totp.finishRegistration(member, kept, { code: app.codeAt(now) }, ceremony)
  if (!verdict.ok) throw new Error(verdict.reason)
  return {
    member: { ...member, chosenFactor: 'totp', credentials: [verdict.value] },
    app,
  }
}

/** One browser at the password page of one relying party. */
export type Visit = Readonly<{ idp: Idp; visitor: Visitor; rp: RelyingParty }>

export const aVisit = async (idp: Idp, visitor: Visitor = aVisitor()): Promise<Visit> => {
  const rp = await aRelyingParty(idp, idp.client())
  await visitor.visit(await rp.authorizationUrl())
  return { idp, visitor, rp }
}

export const signIn = ({ visitor }: Visit, member: Member, password = A_PASSWORD): Promise<Page> =>
  visitor.submit('password', { username: member.loginId, password })

/** From the password page to the request of a code. */
export const askForReset = async (
  { visitor }: Visit,
  claim: Readonly<{ loginId: string; birthdate: string }>,
): Promise<Page> => {
  const [year = '', month = '', day = ''] = claim.birthdate.split('-')
  await visitor.submit('forgot-password')
  return visitor.submit('reset-request', {
    username: claim.loginId,
    era: 'seireki',
    year,
    month,
    day,
  })
}

/** The pass that the desk reads out to the member. */
export const passFor = async (idp: Idp, member: Member, minutes = 60): Promise<string> => {
  const shown = await issuePass(
    { ...idp.services, societies: idp.services.settings.societies },
    { societyId: member.societyId, loginId: member.loginId, operator: '山田花子', minutes },
  )
  const pass = /[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/u.exec(shown)?.[0]
  if (pass === undefined) throw new Error(`no pass in: ${shown}`)
  return pass
}

export const mailsTo = (idp: Idp, address: string | undefined): readonly SunkMail[] =>
  idp.mails.mails.filter(({ to }) => to === address)

/** The newest code mailed to the member. */
export const newestCode = async (idp: Idp, member: Member): Promise<string> => {
  await settled(idp)
  const codes = mailsTo(idp, member.email?.address).flatMap(
    ({ text }) => /^\s*(\d{6})\s*$/mu.exec(text)?.[1] ?? [],
  )
  const code = codes.at(-1)
  if (code === undefined) throw new Error(`no code was mailed to ${member.email?.address}`)
  return code
}

/** A page as everybody gets it: without what is of one request alone. */
export const bare = ({ status, body }: Page): string =>
  `${status} ${body
    .replace(/name="(?:csrf|counted)" value="[^"]*"/gu, '')
    .replace(/<p class="hint until">[^<]*/gu, '')
    .replace(/\/interaction\/[\w-]+/gu, '/interaction')
    .replace(/data-hide-after="\d+"|約\d+秒後/gu, '')}`
