import type { MailTexts } from '../mail.ts'

const METHODS = { passkey: 'パスキー', totp: '認証アプリ', emailCode: 'メール' } as const

const asked = (at: string, from: string) => `操作した日時：${at}\n操作した端末：${from}`
const NEVER_TELL =
  'このコードは、ほかの人に教えないでください。職員がコードをお聞きすることはありません。'
const NOT_YOU = '心当たりがないときは、何もしないでください。何も変わりません。'
const CALL_US = '心当たりがないときは、すぐに下の番号へお電話ください。'

export const mailsJa: MailTexts = {
  letters: {
    confirmAddress: (v, society) => ({
      subject: `【${society}】メールアドレスの確認`,
      body: [
        'メールアドレスを確認します。次のコードを画面に入力してください。',
        { label: `確認コード（${v.minutes}分間有効）`, code: v.code },
        'または、次のリンクを押してください。スマートフォンで開いても大丈夫です。',
        {
          label: 'リンク（24時間有効・1回）',
          link: v.link,
          button: 'このメールアドレスを確認する',
        },
        `リンクの画面では、元の画面と同じ番号「${v.matchNumber}」が出ることを確かめてください。`,
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        NOT_YOU,
      ],
    }),
    proveAddressOnFile: (v, society) => ({
      subject: `【${society}】メールアドレスを変える前の確認`,
      body: [
        'メールアドレスを変える申し込みがありました。ご本人のときは、次のコードを画面に入力してください。',
        { label: `確認コード（${v.minutes}分間有効）`, code: v.code },
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        `${NOT_YOU}何度も届くときは、お電話ください。`,
      ],
    }),
    signInCode: (v, society) => ({
      subject: `【${society}】ログイン用の確認コード`,
      body: [
        `${v.appName}へのログインに使います。次のコードを画面に入力してください。`,
        { label: `確認コード（${v.minutes}分間有効・1回）`, code: v.code },
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        '心当たりがないときは、ほかの人がパスワードを知っているかもしれません。下の番号へお電話ください。',
      ],
    }),
    addressChanged: (v, society) => ({
      subject: `【${society}】メールアドレスの変更`,
      body: [
        'ログインに使うメールアドレスが変更されました。これからは、このアドレスに確認コードを送りません。',
        `変更した日時：${v.changedAt}`,
        'ご自分で変更したときは、何もする必要はありません。',
        '心当たりがないときは、次のリンクから取り消してください。',
        { label: '取り消し（7日以内）', link: v.link, button: '変更を取り消す' },
        '取り消すと、安全のためログインを止めます。そのあと、電話でご本人を確かめます。',
      ],
    }),
    passwordChanged: (v, society) => ({
      subject: `【${society}】パスワードが変更されました`,
      body: [
        'ログインに使うパスワードが変更されました。',
        `変更した日時：${v.at}`,
        'ご自分で変更したときは、何もする必要はありません。',
        CALL_US,
      ],
    }),
    methodAdded: (v, society) => ({
      subject: `【${society}】認証方法が追加されました`,
      body: [
        'ログインに使う認証方法が追加されました。',
        `認証方法：${METHODS[v.method]}\n追加した日時：${v.at}`,
        'ご自分で追加したときは、何もする必要はありません。',
        CALL_US,
      ],
    }),
  },
  signature: ({ name, phone, hours }) => [
    name,
    `電話：${phone}（${hours}）`,
    'このメールは送信専用です。返信しても届きません。',
  ],
}
