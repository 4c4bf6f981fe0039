import type { Page } from 'playwright-core'
import type { Member } from '../../accounts/member.ts'
import { newestMail } from '../flows/support.ts'
import { A_PASSWORD } from '../support/builders.ts'
import type { Idp } from '../support/idp.ts'
import { codeIn } from '../support/smtp-sink.ts'
import { headingOf } from './walk.ts'

export const NEW_PASSWORD = 'Kingyo_no_Hachi-39'

/** The pages of a first login by what their headings say, in order, and the portal after them. */
export const PAGE = {
  login: 'ログイン',
  birthdate: '生年月日を入力してください',
  terms: '利用規約の確認',
  email: 'メールアドレスの確認',
  waiting: 'メールを確認してください',
  place: 'どこでログインしますか',
  choice: '認証方法を選んでください',
  newPassword: '新しいパスワードを決めてください',
  done: '設定が終わりました',
  portal: 'ようこそ',
} as const

/** Where the member says that they will sign in, and the method they choose, by their labels. */
export type Picks = Readonly<{ place?: string; method?: string }>

type Answer = (page: Page, member: Member, idp: Idp, picks: Picks) => Promise<void>

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** A check box or radio card, by what its words start with. */
export const tick = (page: Page, words: string): Promise<void> =>
  page.getByLabel(new RegExp(`^\\s*${words}`, 'u')).check()

/** What a new member does on each page, in order. */
export const ANSWERS: Readonly<Record<string, Answer>> = {
  async [PAGE.login](page, member) {
    await page.getByLabel('ユーザID').fill(member.loginId)
    await page.getByLabel('パスワード', { exact: true }).fill(A_PASSWORD)
    await press(page, 'ログイン')
  },
  async [PAGE.birthdate](page) {
    await page.getByLabel('元号').selectOption({ label: '昭和' })
    await page.getByLabel('年', { exact: true }).fill('60')
    await page.getByLabel('月', { exact: true }).fill('4')
    await page.getByLabel('日', { exact: true }).fill('1')
    await press(page, '次へ')
  },
  async [PAGE.terms](page) {
    await page.getByLabel('利用規約を読み、同意します').check()
    await press(page, '同意して次へ')
  },
  [PAGE.email]: (page) => press(page, '確認メールを送る'),
  async [PAGE.waiting](page, member, idp) {
    const mail = await newestMail(idp, member.email?.address ?? '')
    await page.getByLabel('確認コード').fill(codeIn(mail))
    await press(page, '次へ')
  },
  async [PAGE.place](page, _member, _idp, { place = 'スマートフォン' }) {
    await tick(page, place)
    await press(page, '次へ')
  },
  async [PAGE.choice](page, _member, _idp, { method = 'メール' }) {
    await tick(page, method)
    await press(page, '決定')
  },
  async [PAGE.newPassword](page) {
    await page.getByLabel('新しいパスワード').fill(NEW_PASSWORD)
    await press(page, '設定する')
  },
  [PAGE.done]: (page) => press(page, '健康ポータルへ進む'),
}

/** Answers the page in front of the member as a new member does. */
export const answer = async (
  page: Page,
  member: Member,
  idp: Idp,
  picks: Picks = {},
): Promise<void> => {
  const heading = await headingOf(page)
  const given = ANSWERS[heading]
  if (!given) throw new Error(`nothing to answer on "${heading}"`)
  await given(page, member, idp, picks)
}

/** Answers page after page until the one with this heading. */
export const walkTo = async (
  page: Page,
  member: Member,
  idp: Idp,
  heading: string,
  picks: Picks = {},
): Promise<void> => {
  for (let pages = 0; pages < Object.keys(PAGE).length; pages += 1) {
    if ((await headingOf(page)) === heading) return
    await answer(page, member, idp, picks)
  }
  throw new Error(`"${heading}" never came; now on "${await headingOf(page)}"`)
}
