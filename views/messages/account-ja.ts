import type { ChosenFactor, FactorId } from '../../accounts/member.ts'
import type { AccountDone, AccountViewName, Pages } from '../pages.ts'

const done: Record<AccountDone, string> = {
  passkeyAdded: 'パスキーを登録しました。',
  passkeyRenamed: 'パスキーの名前を変えました。',
  passkeyRemoved:
    'パスキーを外しました。端末に残っているときは、端末の設定からも削除してください。',
  appAdded: '認証アプリを登録しました。',
  appRemoved: '認証アプリを外しました。アプリに残っている項目も削除してください。',
  addressChanged: 'メールアドレスを変えました。前のアドレスにもお知らせしました。',
  secondAddressAdded: '2つ目のアドレスを登録しました。',
  secondAddressRemoved: '2つ目のアドレスを外しました。',
  methodPreferred: '最初に使う方法を変えました。',
  codesRenewed: '新しい回復コードにしました。前のコードは使えません。',
  passwordChanged: 'パスワードを変えました。ほかの端末はログアウトしました。',
  sessionEnded: '選んだ端末をログアウトしました。',
  sessionsEnded: 'ほかの端末をすべてログアウトしました。',
  connectionEnded: '連携をやめました。このアプリには、もう何も渡しません。',
}

const factors: Record<FactorId, string> = {
  password: 'パスワード',
  passkey: 'パスキー',
  totp: '認証アプリ',
  emailCode: 'メールのコード',
  recoveryCode: '回復コード',
  deskPass: '窓口の番号',
}

const after: Record<ChosenFactor, string> = {
  passkey: '外したあとも、ほかのパスキーでログインできます。',
  totp: '外したあとは、パスワードと認証アプリの数字でログインします。',
  emailCode: '外したあとは、パスワードとメールの確認コードでログインします。',
}

export const accountHeadingsJa: { [V in AccountViewName]: (page: Pages[V]) => string } = {
  account: () => 'ログインの設定',
  'account-choose': () => 'どの健康保険組合ですか',
  'account-prove': ({ network }) =>
    network === undefined ? 'もう一度ログインしてください' : 'ここでは設定を変えられません',
  'account-closed': () => 'ログインを中止しました',
  'account-rename': () => 'パスキーの名前を変えます',
  'account-remove': ({ factor }) =>
    factor === 'passkey' ? 'パスキーを外しますか' : '認証アプリを外しますか',
  'account-email': () => 'メールアドレスを変えます',
  'account-second-email': ({ second }) =>
    second === undefined
      ? '2つ目のメールアドレスを登録します'
      : '2つ目のメールアドレスを外しますか',
  'account-second-code': () => 'メールを確認してください',
  'account-method': () => '最初に使う方法を選んでください',
  'account-password': () => 'パスワードを変えます',
  'account-history': () => 'ログインの履歴',
}

/** The account page. */
export const accountJa = {
  loginId: 'ユーザID',
  back: 'ログインの設定に戻る',
  done,
  passkeys: 'パスキー',
  noPasskeys: 'まだ登録していません。',
  unnamed: '（名前なし）',
  synced: '同期',
  oneDevice: '登録した端末でだけ使えます',
  registered: (day: string) => `${day}に登録`,
  registeredUsed: (day: string, used: string) => `${day}に登録／${used}に使用`,
  rename: '名前を変える',
  renameOf: (label: string) => `${label}の名前を変える`,
  remove: '外す',
  removeOf: (label: string) => `${label}を外す`,
  addPasskey: 'パスキーを追加',
  others: 'ほかの方法',
  app: '認証アプリ',
  addApp: '認証アプリを追加',
  obstacle: {
    network: (network: string) =>
      `今の場所${network && `（${network}）`}では追加できません。スマートフォンや自宅のPCから追加できます。`,
    society: () => 'この健康保険組合では使えません。',
  } satisfies Record<string, (network: string) => string>,
  email: 'メール',
  changeEmail: 'アドレスを変える',
  secondEmail: '2つ目のアドレス',
  noSecondEmail: 'いつものメールが見られないときに、確認コードを受け取れます。',
  add: '追加する',
  preferred: '最初に使う方法',
  change: '変える',
  recoveryCodes: '回復コード',
  codesLeft: (left: number) => `あと${left}個使えます`,
  noCodes: 'まだ作っていません。スマートフォンをなくしたときに使えます。',
  makeCodes: '作る',
  renewCodes: '新しく作り直す',
  password: 'パスワード',
  passwordChanged: (day: string) => `${day}に変更`,
  changePassword: '変える',
  sessions: 'ログインしている端末',
  thisDevice: 'この端末',
  since: (at: string) => `${at}から`,
  sinceSeen: (at: string, seen: string) => `${at}から／最後に使用：${seen}`,
  endSession: 'ログアウトさせる',
  endSessionOf: (device: string) => `${device}をログアウトさせる`,
  endOthers: 'ほかの端末をすべてログアウトさせる',
  connections: '連携しているアプリ',
  connectionsLead: '組合の外のアプリで、情報を渡すことを許可したものです。',
  goneApp: (id: string) => `登録がなくなったアプリ（${id}）`,
  connectedSince: (day: string, what: string) => `${day}から／渡す情報：${what}`,
  disconnect: '連携をやめる',
  disconnectFrom: (app: string) => `${app}との連携をやめる`,
  history: 'ログインの履歴を見る（90日分）',
  choose: '加入している健康保険組合を選んでください。',
  open: 'ログインの設定（パスキー・パスワード・端末）を開く',
  prove: {
    lead: '設定を変える前に、ご本人か確かめます。登録した認証方法で、もう一度ログインしてください。',
    next: '「ログインへ進む」を押すと、ログインの画面が開きます。終わると、この続きに戻ります。',
    submit: 'ログインへ進む',
    notHere: (network: string) =>
      `今の場所（${network}）では、登録したパスキーや認証アプリを使えません。設定は、スマートフォンや自宅のPCから変えてください。`,
  },
  closed: {
    text: 'ログインの設定を見るには、ログインが必要です。',
    submit: 'もう一度ログインする',
  },
  renamePage: {
    lead: 'どの端末のパスキーか、ご自分でわかる名前にしてください。',
    label: 'パスキーの名前',
    hint: '30文字以内',
    submit: '名前を変える',
  },
  removePage: {
    what: '外すもの',
    registered: '登録した日',
    after,
    last: 'これを外すと、ログインできなくなります。先に、ほかの方法を追加してください。',
    mail: '外したことを、メールでもお知らせします。',
    submit: '外す',
  },
  emailPage: {
    now: '今のアドレス',
    lead: '今のアドレスと新しいアドレスの両方に、確認コードを送ります。両方を入力すると、変更が終わります。',
    label: '新しいメールアドレス',
    submit: '確認コードを送る',
    noAccess: '今のアドレスのメールを見られないとき',
    noAccessText: '電話でお問い合わせください。ご本人を確かめてから、アドレスを変えます。',
  },
  secondEmailPage: {
    now: '登録したアドレス',
    lead: 'ログインのとき、このアドレスでも確認コードを受け取れます。今見られるアドレスを入力してください。',
    label: '2つ目のメールアドレス',
    submit: '確認コードを送る',
    confirm: '登録する',
    removeText: '外すと、このアドレスには確認コードもお知らせも届かなくなります。',
    remove: '外す',
    mail: '両方のアドレスに、メールでもお知らせします。',
  },
  methodPage: {
    lead: 'ログインのとき、選んだ方法を最初に確かめます。パスキーか認証アプリを選ぶと、メールのコードは、どちらも使えない場所だけで使います。',
    describe: {
      passkey: '顔・指紋・PINで確認します。',
      totp: 'アプリに出る6桁の数字を入れます。',
      emailCode: 'メールで届く6桁の数字を入れます。パスキーや認証アプリのほうが安全です。',
    } satisfies Record<ChosenFactor, string>,
    submit: 'この方法にする',
  },
  passwordPage: {
    lead: '変えると、ほかの端末はすべてログアウトします。この端末はそのまま使えます。',
    current: '今のパスワード',
    submit: 'パスワードを変える',
  },
  historyPage: {
    lead: '90日間のログインです。心当たりのないものがあるときは、パスワードを変えて、電話でお問い合わせください。',
    factors,
    join: '・',
    none: 'まだありません。',
  },
}
