import type { MailTexts } from '../mail.ts'

const METHODS = {
  passkey: 'パスキー',
  totp: '認証アプリ',
  emailCode: 'メール',
  recoveryCode: '回復コード',
  secondEmail: '2つ目のメールアドレス',
} as const

const asked = (at: string, from: string) => `操作した日時：${at}\n操作した端末：${from}`
const numbered = (reference: string) => `受付番号：${reference}（画面と同じ番号です）`
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
        `リンクの画面では、元の画面と同じ番号「${v.matchNumber}」が出ることを確かめてください。元の画面に番号がないときは、リンクではなくコードを使ってください。`,
        numbered(v.reference),
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        NOT_YOU,
      ],
    }),
    confirmSecondAddress: (v, society) => ({
      subject: `【${society}】2つ目のメールアドレスの確認`,
      body: [
        '2つ目のメールアドレスを登録します。次のコードを画面に入力してください。',
        { label: `確認コード（${v.minutes}分間有効・1回）`, code: v.code },
        numbered(v.reference),
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
        numbered(v.reference),
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
        numbered(v.reference),
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
    addressConfirmed: (v, society) => ({
      subject: `【${society}】メールアドレスの登録`,
      body: [
        'ログインに使うメールアドレスが、次のアドレスに変わりました。',
        `新しいアドレス：${v.address}\n変更した日時：${v.at}`,
        'ご自分で変更したときは、何もする必要はありません。',
        CALL_US,
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
    methodRemoved: (v, society) => ({
      subject: `【${society}】認証方法が外されました`,
      body: [
        'ログインに使う認証方法が外されました。',
        `認証方法：${METHODS[v.method]}\n外した日時：${v.at}`,
        'ご自分で外したときは、何もする必要はありません。',
        CALL_US,
      ],
    }),
    newDevice: (v, society) => ({
      subject: `【${society}】新しい端末からのログイン`,
      body: [
        'いつもと違う端末かブラウザで、ログインがありました。',
        `ログインした日時：${v.at}\n端末：${v.device}`,
        'ご自分でログインしたときは、何もする必要はありません。',
        CALL_US,
      ],
    }),
    recoveryCodeUsed: (v, society) => ({
      subject: `【${society}】回復コードが使われました`,
      body: [
        '回復コードを使ったログインがありました。',
        `使った日時：${v.at}\n残りの回復コード：${v.left}個`,
        'ご自分で使ったときは、何もする必要はありません。スマートフォンをなくしたときは、お電話ください。',
        CALL_US,
      ],
    }),
    resetCode: (v, society) => ({
      subject: `【${society}】パスワードの再設定`,
      body: [
        'パスワードを新しくする申し込みがありました。ご本人のときは、次のコードを画面に入力してください。',
        { label: `確認コード（${v.minutes}分間有効・1回）`, code: v.code },
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        `${NOT_YOU}何度も届くときは、お電話ください。`,
      ],
    }),
    userIdReminder: (v, society) => ({
      subject: `【${society}】ユーザIDのお知らせ`,
      body: [
        'このメールアドレスで登録されているユーザIDをお知らせします。',
        `ユーザID：\n${v.loginIds}`,
        `申し込みの日時：${v.at}`,
        'ログインには、ユーザIDのほかにパスワードなどが必要です。',
        NOT_YOU,
      ],
    }),
    appConnected: (v, society) => ({
      subject: `【${society}】アプリと連携しました`,
      body: [
        `「${v.app}」に情報を渡すことを許可しました。組合の外のアプリです。`,
        `許可した日時：${v.at}`,
        '渡す情報は「ログインの設定」の「連携しているアプリ」で見られます。連携は、そこからいつでもやめられます。',
        CALL_US,
      ],
    }),
    appDisconnected: (v, society) => ({
      subject: `【${society}】アプリとの連携をやめました`,
      body: [
        `「${v.app}」との連携をやめました。このアプリには、もう何も渡しません。`,
        `やめた日時：${v.at}`,
        'これまでに渡した情報を消してほしいときは、アプリの窓口へお問い合わせください。',
        CALL_US,
      ],
    }),
    deskPassUsed: (v, society) => ({
      subject: `【${society}】認証方法の登録がやり直されています`,
      body: [
        '窓口でお渡しした「一度だけ使える番号」が使われました。これまでの認証方法（パスキー・認証アプリ・回復コード）は、すべて使えなくなりました。',
        `使った日時：${v.at}`,
        'ご自分で使ったときは、画面の案内にそって、新しい認証方法を登録してください。',
        CALL_US,
      ],
    }),
    locked: (v, society) => ({
      subject: `【${society}】ログインを一時停止しました`,
      body: [
        '違うパスワードが何度も入力されたため、ログインを一時停止しました。',
        `停止した日時：${v.at}\n再開する時刻：${v.until}`,
        'お急ぎのときは、ログインの画面の「パスワードを忘れたとき」から新しいパスワードを設定できます。',
        '心当たりがないときも、パスワードは知られていません。何度も届くときは、お電話ください。',
      ],
    }),
  },
  signature: ({ name, phone, hours }) => [
    name,
    `電話：${phone}（${hours}）`,
    'このメールは送信専用です。返信しても届きません。',
  ],
}
