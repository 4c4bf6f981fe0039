import type { Member } from '../../accounts/member.ts'
import type { Visitor } from '../support/agent.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { codeIn } from '../support/smtp-sink.ts'
import type { ServerProcess } from './server-process.ts'

export const NEW_PASSWORD = 'Kingyo_no_Hachi-39'

export type Step = Readonly<{
  heading: string
  act: string
  fields(): Promise<Readonly<Record<string, string>>>
  /** What must be so once the answer has come, whatever happens after it. */
  confirmed(member: Member): unknown
}>

/** Every answer of the first login, with the e-mail code as the method. */
export const stepsOf = (server: Pick<ServerProcess, 'mails'>, member: Member): readonly Step[] => {
  const address = member.email?.address ?? ''
  const mail = () => server.mails.waitFor(({ to }) => to === address, 70_000)
  return [
    {
      heading: 'ログイン',
      act: 'password',
      fields: async () => ({ username: member.loginId, password: A_PASSWORD }),
      confirmed: () => true,
    },
    {
      heading: '生年月日を入力してください',
      act: 'birthdate',
      fields: async () => ({ era: 'showa', year: '60', month: '4', day: '1' }),
      confirmed: ({ birthdateConfirmedAt }) => birthdateConfirmedAt,
    },
    {
      heading: '利用規約の確認',
      act: 'terms',
      fields: async () => ({ agree: 'yes' }),
      confirmed: ({ acceptedTerms }) => acceptedTerms.length === 1,
    },
    {
      heading: 'メールアドレスの確認',
      act: 'email',
      fields: async () => ({ email: address }),
      confirmed: () => true,
    },
    {
      heading: 'メールを確認してください',
      act: 'email',
      fields: async () => ({ code: codeIn(await mail()) }),
      confirmed: ({ email }) => email?.verifiedAt,
    },
    {
      heading: 'どこでログインしますか',
      act: 'choose-place',
      fields: async () => ({ phone: 'yes' }),
      confirmed: () => true,
    },
    {
      heading: '認証方法を選んでください',
      act: 'chooseFactor',
      fields: async () => ({ factor: 'emailCode' }),
      confirmed: ({ chosenFactor }) => chosenFactor,
    },
    {
      heading: '新しいパスワードを決めてください',
      act: 'newPassword',
      fields: async () => ({ password: NEW_PASSWORD }),
      confirmed: ({ password, enrolledAt }) => password.initial === undefined && enrolledAt,
    },
    {
      heading: '設定が終わりました',
      act: 'done',
      fields: async () => ({}),
      confirmed: ({ enrolledAt }) => enrolledAt,
    },
  ]
}

/** Sends a step's form and does not follow the answer; undefined: there was none. */
export const post = async (
  visitor: Visitor,
  step: Pick<Step, 'act' | 'fields'>,
): Promise<number> => {
  const { url, root } = visitor.page
  const csrf = root.querySelector('input[name="csrf"]')?.getAttribute('value') ?? ''
  const { status } = await fetch(`${url.href}/${step.act}`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: await visitor.jar.getCookieString(url.href), connection: 'close' },
    body: new URLSearchParams({ ...(await step.fields()), csrf }),
  })
  return status
}
