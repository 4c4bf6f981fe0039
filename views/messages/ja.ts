import type { StopReason } from '../../accounts/enrolment.ts'
import type { ChosenFactor } from '../../accounts/member.ts'
import type { Pages, PasswordRuleId, ViewName } from '../pages.ts'
import { accountHeadingsJa, accountJa } from './account-ja.ts'
import { consentJa } from './consent-ja.ts'
import type { FaultReason, FaultValues, Rich } from './index.ts'

/** 'year,month' as words: 年と月 */
const listed = (ids: string | number | undefined, words: Readonly<Record<string, string>>) =>
  String(ids ?? '')
    .split(',')
    .map((id) => words[id] ?? id)
    .join('と')

/** How many tries are left, where the page knows. */
const left = (v: FaultValues) => (v.left === undefined ? '' : `（あと${v.left}回）`)

const methods: Record<ChosenFactor, string> = {
  passkey: 'パスキー',
  totp: '認証アプリ',
  emailCode: 'メール',
}

/** The methods as things one signs in with. */
const ways: Record<ChosenFactor | 'recoveryCode', string> = {
  passkey: 'パスキー',
  totp: '認証アプリの数字',
  emailCode: 'メールの確認コード',
  recoveryCode: '回復コード',
}

const faults: Record<FaultReason, (v: FaultValues) => string> = {
  'id.empty': () => 'ユーザIDを入力してください',
  'id.long': () => 'ユーザIDは64文字以内です。はがきのとおりに入力してください',
  'pw.empty': () => 'パスワードを入力してください',
  'pw.toolong': () => 'パスワードは128文字以内です。はがきのとおりに入力してください',
  'login.bad': (v) =>
    `ユーザIDかパスワードが違います。大文字と小文字、0（ゼロ）とO（オー）を確かめてください${v.left === undefined ? '' : `。あと${v.left}回まちがえると、しばらく使えなくなります`}`,
  'login.locked': (v) =>
    `安全のため、${v.time}まで使えません。${v.time}を過ぎてから、もう一度入力してください。お急ぎのときは、「パスワードを忘れたとき」から新しく設定できます`,
  'bday.empty': () => '生年月日を入力してください',
  'bday.part': (v) =>
    v.missing === 'era'
      ? '元号（昭和・平成など）を選んでください'
      : `${listed(v.missing, { era: '元号', year: '年', month: '月', day: '日' })}も入力してください`,
  'bday.impossible': (v) => `${v.date}は暦にありません。元号と年月日を確かめてください`,
  'bday.year': () => '年は数字で入力してください（例：昭和60年は60、西暦は1985）',
  'bday.month': () => '月は1から12までの数字で入力してください',
  'bday.day': () => '日は1から31までの数字で入力してください',
  'bday.future': () => '今日より前の日付を入力してください',
  'bday.mismatch': (v) =>
    `登録された内容と合いません。資格情報のお知らせにある日付を確かめてください${left(v)}`,
  'bday.locked': (v) =>
    `安全のため、${v.time}まで入力できません。${v.time}を過ぎてから、もう一度ログインしてください`,
  'terms.required': () =>
    '続けるには、利用規約への同意が必要です。読んでから、チェックを入れてください',
  'mail.empty': () => 'メールアドレスを入力してください',
  'mail.format': () => 'メールアドレスは name@example.jp の形で入力してください',
  'mail.typo': (v) => `もしかして ${v.suggest} ですか？`,
  'mail.limit': (v) =>
    `今はメールを送れません。次は${v.time}から送れます。前に届いたコードは、期限まで使えます`,
  'mail.paused': (v) => `続けて送ったため、今はメールを送れません。次は${v.time}から送れます`,
  'mail.used': () =>
    'このメールアドレスは使えません。別のアドレスを入力するか、お問い合わせください',
  'code.empty': () => '確認コードを入力してください',
  'code.len': (v) => `確認コードは数字6桁で入力してください（今は${v.n}桁です）`,
  'code.digits': () => '確認コードは数字だけで入力してください',
  'code.wrong': (v) => `コードが違います。いちばん新しいメールの6桁を入力してください${left(v)}`,
  'code.expired': () => 'コードの期限（10分）が切れました。新しいコードを送りました',
  'code.expiredHeld': (v) =>
    `コードの期限（10分）が切れました。新しいコードは${v.time}から送れます`,
  'code.checking': () =>
    'このコードは、先に送られたものを確かめています。1分ほど待ってから、もう一度送ってください',
  'code.toomany': (v) =>
    `回数が多いため、${v.time}まで送信や入力ができません。${v.time}を過ぎてから、もう一度試してください`,
  'choice.empty': () => '認証方法を1つ選んでください',
  'choice.unavailable': () => 'その方法は、今は使えません。別の方法を選んでください',
  'pw.short': (v) => `8文字以上にしてください（今は${v.n}文字）`,
  'pw.long': () => '64文字以内にしてください',
  'pw.classes': (v) =>
    `${listed(v.missing, { upper: '大文字', lower: '小文字', digit: '数字', symbol: '記号' })}も入れてください`,
  'pw.chars': () => '半角の英数字と記号で入力してください',
  'pw.hasid': () => 'ユーザIDを含めないでください。別の言葉に変えてください',
  'pw.same': () => '今までのパスワードと違うものにしてください',
  'pw.personal': () => '生年月日や保険証の記号・番号を含めないでください。別の言葉に変えてください',
  'pw.weak': () => '推測されやすい言葉です。つながりのない言葉や記号を足してください',
  'link.expired': () => 'リンクの期限が切れました。元の画面で、もう一度メールを送ってください',
  'link.used': () => 'このリンクは確認済みです。元の画面に戻ってください',
  'link.old': () => '新しいメールのリンクを使ってください',
  'pw.current': (v) =>
    `今のパスワードが違います。大文字と小文字を確かめて、もう一度入力してください${left(v)}`,
  'mail.same': () => '今と同じアドレスです。別のアドレスを入力してください',
  'mail.held': () => 'このアドレスは登録済みです。別のアドレスを入力してください',
  'label.empty': () => 'パスキーの名前を入力してください',
  'method.last': () => 'これは最後の方法なので外せません。先に、ほかの方法を追加してください',
  'form.invalid': () => '入力を受け取れませんでした。もう一度入力して、送ってください',
  'place.empty': () => 'ログインする場所を1つ以上選んでください',
  'method.place': (v) =>
    `今の場所${v.network ? `（${v.network}）` : ''}では、その方法を使えません。別の方法でログインしてください`,
  'pk.cancel': () =>
    'まだ終わっていません。端末の画面を閉じたか、時間が過ぎました。もう一度試すか、別の方法を選んでください',
  'pk.dup': () => 'この端末は登録済みです。そのままログインに使えます',
  'pk.unsupported': () =>
    'このブラウザではパスキーを使えません。Chrome・Edge・Safariの新しい版で開くか、別の方法を選んでください',
  'pk.nolock': () =>
    '端末の画面ロック（顔・指紋・PIN）を設定してから、もう一度押してください。設定できないときは、別の方法を選んでください',
  'pk.gone': () =>
    'このパスキーは登録から外されています。端末からも削除してください。ログインには、別の方法を使ってください',
  'pk.failed': () => 'パスキーを確かめられませんでした。もう一度試すか、別の方法を選んでください',
  'totp.wrong': (v) =>
    `数字が違います。アプリに今出ている6桁を入力してください${left(v)}。続けて違うときは、端末の時刻を「自動設定」にしてください`,
  'totp.used': () => 'この数字は使用済みです。次の数字に変わるまで待ってから入力してください',
  'totp.skew': () =>
    '端末の時刻がずれています。時刻を「自動設定」にして、新しい数字を入力してください',
  'recovery.format': () =>
    '回復コードは英数字8文字です（例：7K2M-9QXD）。保存したものを見て入力してください',
  'recovery.wrong': (v) =>
    `コードが違うか、使用済みです。別の回復コードを入力してください${left(v)}`,
  'pass.format': () =>
    '番号は英数字12文字です（例：7K2M-9QXD-4TAE）。窓口で聞いたとおりに入力してください',
  'pass.wrong': (v) =>
    `番号が違うか、期限（最長60分）が過ぎています。もう一度確かめてください${left(v)}。合わないときは、お電話ください`,
  'recovery.unsaved': () => 'コードを保存してから、「保存しました」にチェックを入れてください',
  busy: () => 'ただいま混み合っています。少し待ってから、もう一度押してください',
}

const headings: { [V in ViewName]: (page: Pages[V]) => string } = {
  password: () => 'ログイン',
  'forgot-password': () => 'パスワードを忘れたとき',
  'reset-code': () => '届いたコードを入力してください',
  'reset-password': () => 'パスワードを新しくします',
  'forgot-id': () => 'ユーザIDがわからないとき',
  'lost-factor': () => 'スマートフォンをなくした・使えないとき',
  'desk-pass': () => '窓口の番号を入力してください',
  birthdate: () => '生年月日を入力してください',
  terms: () => '利用規約の確認',
  'terms-declined': () => '同意しない場合',
  email: () => 'メールアドレスの確認',
  'email-desk': () => 'メールアドレスの登録が必要です',
  'email-old': () => '今のメールアドレスを確認します',
  'email-wait': () => 'メールを確認してください',
  'choose-place': () => 'どこでログインしますか',
  'choose-factor': () => '認証方法を選んでください',
  'new-password': () => '新しいパスワードを決めてください',
  'email-code': () => '確認コードを入力してください',
  'register-passkey': ({ where, offer }) => {
    if (offer) return 'この端末でも、パスキーを使えるようにしますか'
    return where === 'here'
      ? 'この端末にパスキーを登録します'
      : 'スマートフォンにパスキーを登録します'
  },
  'verify-passkey': () => 'パスキーで確認します',
  'register-totp': () => '認証アプリを登録します',
  'verify-totp': () => '認証アプリの数字を入力してください',
  'recovery-codes': () => '回復コードを保存してください',
  'verify-recovery-code': () => '回復コードを入力してください',
  consent: ({ client }) => `${client}に情報を渡しますか`,
  enrolled: () => '初回ログインが終わりました',
  done: () => '設定が終わりました',
  'another-method': () => 'もう1台登録します',
  stopped: () => 'ログインを続けられません',
  'email-link': ({ state }) =>
    ({
      ask: 'このメールアドレスを確認します',
      confirmed: '確認できました',
      used: 'このリンクは確認済みです',
      expired: 'リンクの期限が切れました',
      superseded: '新しいメールを送ってあります',
    })[state],
  'email-undo': ({ state }) =>
    ({
      ask: 'メールアドレスの変更を取り消しますか',
      undone: '変更を取り消しました',
      expired: '取り消しの期限が切れました',
    })[state],
  ...accountHeadingsJa,
  logout: () => 'ログアウトしますか',
  'logged-out': () => 'ログアウトしました',
  help: () => '困ったときは',
  'terms-text': () => '利用規約',
  error: ({ kind }) =>
    ({
      stale: '画面の有効期限が切れました',
      client: 'ログインを始められませんでした',
      system: '一時的な問題が起きました',
      busy: 'ただいま混み合っています',
      notFound: 'ページが見つかりません',
      forged: 'この操作は受け付けられませんでした',
    })[kind],
}

const rules: Record<PasswordRuleId, string> = {
  length: '8文字以上、64文字以内',
  upperLower: '大文字と小文字',
  digit: '数字',
  symbol: '記号（例：- _ ! ?）',
  characters: '半角の英数字と記号だけ',
  noLoginId: 'ユーザIDを含まない',
  notInitial: '今までのパスワードと違う',
  notPersonal: '生年月日や保険証の番号を含まない',
  notGuessable: '推測されにくい',
}

const stopReasons: Record<Exclude<StopReason, 'networkForbids'>, readonly string[]> = {
  blocked: [
    '安全のため、ログインを止めています。',
    'メールアドレスの変更に心当たりがないと、連絡があったためです。',
    '電話でお問い合わせください。ご本人を確かめてから、使えるようにします。',
  ],
  disabled: [
    '健康保険組合が、このユーザIDのログインを止めています。',
    'お心当たりがないときは、電話でお問い合わせください。',
  ],
  initialPasswordExpired: [
    '最初のパスワードの期限が過ぎました。',
    '電話でお問い合わせください。ご本人を確かめてから、新しいパスワードをお渡しします。',
  ],
  enrolmentExpired: [
    '初回ログインの期限（始めてから30日）が過ぎました。',
    '電話でお問い合わせください。もう一度始められるようにします。',
  ],
  registrationExpired: [
    '認証方法を登録する期限（初回ログインから14日）が過ぎました。',
    '電話でお問い合わせください。もう一度登録できるようにします。',
  ],
}

/** The catalogue's source; `en` has the same shape. Plain Japanese: one idea a sentence, です・ます. */
export const ja = {
  service: 'ログインサービス',
  conformance: {
    label: '試験環境',
    text: 'これは適合性試験のプロファイルです。会員もパスワードも公開された試験環境なので、ご自分のパスワードは入力しないでください。',
  },
  skip: '本文へ',
  languageNav: '言語',
  errorTitle: 'エラー：',
  errorHeading: '入力内容を確認してください',
  noticeHeading: 'ご確認ください',
  waitHeading: 'しばらくお待ちください',
  footerNav: '案内',
  help: '困ったときは',
  contact: 'お問い合わせ',
  hours: (hours: string) => `（${hours}）`,
  furiganaOn: 'ふりがなをつける',
  furiganaOff: 'ふりがなを消す',
  privacy: 'プライバシー',
  loggingInTo: (app: string): Rich => [{ strong: app }, 'へログインします'],
  backTo: (app: string) => `${app}へ戻る`,
  goTo: (app: string) => `${app}へ進む`,
  theApp: '元のサービス',
  until: (time: string, app: string) =>
    `この画面は${time}まで使えます。過ぎたときは、${app}からもう一度始めると、続きから進めます。`,
  untilAgain: (time: string, app: string) =>
    `この画面は${time}まで使えます。過ぎたときは、${app}からもう一度始めてください。`,
  reference: (reference: string): Rich => ['お問い合わせの番号：', { strong: reference }],
  next: '次へ',
  resend: 'もう一度送る',

  stepsNav: '手順',
  stepOf: (n: number) => `ステップ${n}／7`,
  minutesLeft: (minutes: number) => `あと約${minutes}分`,
  stepDone: '（済み）',
  steps: [
    'ログイン',
    '生年月日の確認',
    '利用規約',
    'メールアドレス',
    '認証方法を選ぶ',
    '新しいパスワード',
    '認証方法の登録',
  ],

  methods,
  ways,
  faults,
  headings,

  show: '表示',
  hide: '隠す',
  showPassword: 'パスワードを表示する',
  hidePassword: 'パスワードを隠す',
  passwordShown: 'パスワードを表示しています',
  passwordHidden: 'パスワードを隠しました',

  password: {
    loginId: 'ユーザID',
    loginIdHint: (example: string) => `はがきに書かれたID（例：${example}）`,
    password: 'パスワード',
    submit: 'ログイン',
    or: 'または',
    passkey: 'パスキーでログイン',
    noPasskey: (network: string) =>
      `${network}では、組合の決まりにより、パスキーでログインできません。ユーザIDとパスワードでログインしてください。`,
    first: 'はじめてログインする方へ',
    firstIntro: '約10分で終わります。次の2つを用意してください。',
    firstNeeds: [
      '健康保険組合から届いたはがき（ユーザIDとパスワードが書かれています）',
      'メールを見られるスマートフォンかPC',
    ],
    firstResume: '途中でやめても大丈夫です。同じユーザIDでログインすると、続きから始まります。',
    forgot: 'パスワードを忘れたとき',
    unknownId: 'ユーザIDがわからないとき',
  },

  forgot: {
    back: 'ログインの画面に戻る',
    lead: 'ユーザIDと生年月日を入れてください。登録と合っていれば、確認コードをメールで送ります。',
    loginIdHint: 'はがきに書かれたID',
    send: '確認コードを送る',
    sent: (time: string) =>
      `入力した内容が登録と合っていれば、登録したメールアドレスに確認コードを送りました（${time}）。メールの6桁を入れてください。`,
    resent: '登録と合っていれば、もう一度送りました。いちばん新しいメールを見てください。',
    noMail: 'コードを受け取れないとき',
    noMailText: [
      '次のときは、コードが届きません。電話でお問い合わせください。',
      '初回ログインが終わっていない方、登録したメールアドレスを使えなくなった方、ログインを止めている方。',
      'ユーザIDか生年月日が違うときも届きません。はがきと資格情報のお知らせを確かめてください。',
    ],
    newLead: 'メールを確認できました。新しいパスワードを決めてください。',
    needsPass: [
      'ログインの確認もメールで受け取っているため、メールだけではパスワードを変えられません。',
      '電話で「一度だけ使える番号」を聞いてから、新しいパスワードといっしょに入れてください。この画面は開いたままで大丈夫です。',
    ],
    done: 'パスワードを新しくしました。新しいパスワードでログインしてください。',
    idLead: '登録したメールアドレスに、ユーザIDをお送りします。',
    idSend: 'ユーザIDを送る',
    idSent: (address: string): Rich => [
      '登録されているアドレスであれば、',
      { strong: address },
      ' にユーザIDを送りました。',
    ],
    idSentText: ['メールを見てから、ログインの画面に戻ってください。'],
    idNoMail: 'メールが届かないとき',
    idNoMailText: [
      'ユーザIDは、健康保険組合から届いたはがきに書かれています。',
      '確認が済んでいないアドレスには、お送りできません。はがきもないときは、お電話ください。',
    ],
  },

  lost: {
    lead: 'あわてなくて大丈夫です。次のどれかでログインできます。',
    ways: '使える方法',
    desk: 'どの方法も使えないとき',
    deskText: [
      '電話でお問い合わせください。ご本人を確かめてから、一度だけ使える番号をお伝えします。',
      '番号を入れると、新しい認証方法を登録できます。',
    ],
    back: '前の画面に戻る',
  },

  deskPass: {
    label: '窓口で聞いた番号',
    hint: '英数字12文字（例：7K2M-9QXD-4TAE）',
    consequence:
      '番号を使うと、これまでのパスキー・認証アプリ・回復コードは、すべて使えなくなります。続けて、新しい認証方法を選びます。',
    submit: 'この番号を使う',
    stoppedText: [
      'ログインを止めています。窓口から「一度だけ使える番号」をお伝えしました。',
      '番号を入れると、続きから始められます。',
    ],
  },

  birthdate: {
    lead: 'ご本人の確認に使います。資格情報のお知らせと同じ日付を入れてください。',
    legend: '生年月日',
    era: '元号',
    year: '年',
    month: '月',
    day: '日',
    chooseEra: '選ぶ',
    eras: [
      { id: 'showa', name: '昭和' },
      { id: 'heisei', name: '平成' },
      { id: 'reiwa', name: '令和' },
      { id: 'taisho', name: '大正' },
      { id: 'seireki', name: '西暦' },
    ],
    whose: 'どの日付かわからないとき',
    whoseText: [
      'ログインするご本人の生年月日です。',
      'ご家族の方は、被保険者（会社にお勤めの方）ではなく、ご自分の生年月日を入れてください。',
      '全角の数字や「元年」でも入力できます。西暦（1985など）で入れるときは、元号は何でもかまいません。',
    ],
  },

  terms: {
    lead: '続けるには、利用規約への同意が必要です。まず大切な点をお読みください。',
    summary: '大切な点',
    full: '利用規約の全文を読む',
    version: (version: string, from: string) => `版：${version}（${from}から有効）`,
    versionOnly: (version: string) => `版：${version}`,
    date: (year: number, month: number, day: number) => `${year}年${month}月${day}日`,
    agree: '利用規約を読み、同意します',
    submit: '同意して次へ',
    decline: '同意しない',
    declinedText: [
      '利用規約に同意しないと、ログインの設定を続けられません。',
      'ここまでの内容は保存されています。あとで同意して、続きから始められます。',
      '紙での手続きをご希望のときは、電話でお問い合わせください。',
    ],
    back: '利用規約に戻る',
  },

  email: {
    leadOnFile:
      '登録されているメールアドレスです。このままでよければ「確認メールを送る」を押してください。',
    lead: 'ログインやお知らせに使うメールアドレスを入れてください。確認のメールを送ります。',
    label: 'メールアドレス',
    hint: 'ご自分だけが見られるアドレスにしてください',
    changeNeedsOld: 'アドレスを変えるときは、先に今のアドレスへ確認コードを送ります。',
    submit: '確認メールを送る',
    suggestionUse: (address: string) => `${address} に送る`,
    suggestionKeep: '入力したアドレスでよければ、もう一度「確認メールを送る」を押してください。',
    shared: '家族や職場で同じアドレスを使っている方へ',
    sharedText:
      'このアドレスには、ログインの確認コードが届きます。ほかの人も見られるアドレスでは、ほかの人がログインできるおそれがあります。',
    carrier: 'docomo・au・SoftBankのアドレスの方へ',
    carrierText:
      '確認メールが届くように、PCからのメールとURL付きのメールの受信を許可してください。',
    deskText: [
      'メールアドレスが登録されていません。安全のため、この画面では新しく登録できません。',
      '電話でお問い合わせください。ご本人を確かめてから、メールアドレスを登録します。',
      'そのあとで、もう一度ログインしてください。続きから始まります。',
    ],
  },

  code: {
    label: '確認コード',
    hint: 'メールに書かれた6桁の数字',
    sentTo: (address: string, time: string): Rich => [
      { strong: address },
      ` に確認メールを送りました（${time}）。`,
    ],
    reference: (reference: string): Rich => [
      '受付番号 ',
      { strong: reference },
      '（メールにも同じ番号があります）',
    ],
    resent: 'もう一度送りました。いちばん新しいメールを見てください。',
    delayed: 'メールの送信が混み合っています。届くまで、そのままお待ちください。',
    resendLater: (seconds: number) => `次に送れるのは、約${seconds}秒後です。`,
    missing: 'メールが届かないとき',
    missingText: (seconds: number) => [
      '1分ほど待ってから、迷惑メールのフォルダも見てください。',
      `それでも届かないときは、${seconds}秒たってから「もう一度送る」を押してください。前に届いたコードも、期限（10分）までは使えます。`,
    ],
    allow: '次のアドレスからの受信を許可してください。',
    carriers: [
      'docomo：「メール設定」の「受信リスト設定」に追加します。「特定URL付メール拒否設定」は切ってください。',
      'au：「迷惑メールフィルター」の「受信リスト設定」に追加します。',
      'SoftBank：「迷惑メール対策」の「許可リスト」に追加します。',
    ],
    neverTell: '確認コードは、ほかの人に教えないでください。職員がお聞きすることもありません。',
  },

  emailOld: {
    lead: 'アドレスを変える前に、今のアドレスがご本人のものか確かめます。',
    keep: '今のアドレスをそのまま使う',
  },

  emailWait: {
    linkNote:
      'メールのリンクを押しても進めます。スマートフォンで押しても、この画面は自動で次へ進みます。',
    match: (number: string): Rich => [
      'リンクを押した画面に、番号 ',
      { strong: number },
      ' が出ることを確かめてください。',
    ],
    confirmed: '確認できました。次へ進みます。',
    check: '確認しました',
    checkText: 'リンクを押したあと、この画面が変わらないときに押してください。',
    change: 'アドレスを直す',
    changeText: '別のアドレスに確認メールを送れます。今のコードとリンクは使えなくなります。',
  },

  choose: {
    lead: '次からは、パスワードとこの方法でログインします。あとで追加や変更ができます。',
    legend: '認証方法',
    recommended: 'おすすめ',
    describe: {
      passkey: () =>
        'スマートフォンやPCの顔認証・指紋・PINを使います。パスワードを入れずにログインできます。登録は約1分です。',
      totp: () =>
        'Google Authenticatorなどのアプリに出る6桁の数字を入れます。電波がなくても使えます。登録は約2分です。',
      emailCode: (address: string) =>
        `${address} に届く6桁の数字を入れます。登録はすぐ終わります。`,
    } satisfies Record<ChosenFactor, (address: string) => string>,
    byNetwork: (network: string) =>
      `今の場所${network && `（${network}）`}では使えません。スマートフォンや自宅のPCからは選べます。`,
    byPlace: '会社のPCでは使えません。ほかの端末でもログインするときは、場所を選び直してください。',
    atWork: '会社のPCで使える',
    companyPc: '会社のPCでは',
    companyPcText: (names: readonly string[]) =>
      `会社のネットワークでは、組合の決まりにより${names.length > 0 ? `「${names.join('・')}」だけ使えます` : 'ログインできません'}。スマートフォンや自宅のPCでは、選んだ方法を使えます。`,
    changePlace: '場所を選び直す',
    bySociety: 'この健康保険組合では使えません。',
    byBrowser:
      '今お使いのブラウザでは、パスキーを登録できません。新しいChrome・Edge・Safariで開き直すか、ほかの方法を選んでください。',
    submit: '決定',
    none: '今の場所で使える方法がありません。スマートフォンや自宅のPCから、もう一度ログインしてください。続きから始まります。',
  },

  choosePlace: {
    lead: '使える認証方法は、場所によって違います。あてはまるものをすべて選んでください。',
    legend: 'ログインする場所',
    several: 'いくつでも選べます',
    atWork: '今は、会社のネットワークにつながっています。',
    places: [
      { id: 'companyPc', icon: 'office', title: '会社のPC', text: '会社から借りているPC' },
      { id: 'ownPc', icon: 'computer', title: '自分のPC', text: '自宅などで使うPC' },
      {
        id: 'phone',
        icon: 'totp',
        title: 'スマートフォン・タブレット',
        text: 'ご自分で使う端末',
      },
    ],
  },

  newPassword: {
    lead: '次のログインから、このパスワードを使います。',
    loginId: 'ユーザID',
    label: '新しいパスワード',
    rulesLabel: 'パスワードの決まり',
    rules,
    ruleMet: '（できています）',
    ruleOpen: '（まだです）',
    onSending: '送信後に確認',
    submit: '設定する',
    generate: 'パスワードを作る',
    generated: 'パスワードを作りました。メモするか、ブラウザに保存してください。',
    ideas: '作り方がわからないとき',
    ideasText:
      'つながりのない言葉を2つか3つ選び、数字と記号ではさむと、覚えやすくて推測されにくくなります。ほかのサービスと同じものは使わないでください。',
  },

  emailCode: {
    lead: 'ご本人の確認に使います。',
    rule: (network: string, permitted: readonly ChosenFactor[]) =>
      `${network}では、${permitted.map((id) => (id === 'emailCode' ? 'メールのコード' : methods[id])).join('と')}だけ使えます。`,
    submit: 'ログイン',
    unsent: 'コードはまだ送っていません。',
    send: 'コードを送る',
    other: (address: string) => `もう1つのアドレス（${address}）に送る`,
  },

  otherWays: {
    heading: '別の方法でログイン',
    none: '手元で使える方法がないとき',
    noneText: '電話でお問い合わせください。ご本人を確かめてから、ログインできるようにします。',
    lost: 'スマートフォンをなくした・使えない',
  },

  registerPasskey: {
    lead: [
      '「登録する」を押すと、端末の画面が開きます。ふだん画面を開けるときの',
      { strong: '顔・指紋・PIN' },
      'で確認してください。顔や指紋の情報は端末の外に出ません。',
    ] as Rich,
    label: 'この端末の名前',
    labelHint: 'あとで見分けるための名前です（30文字まで）',
    submit: '登録する',
    phone: 'スマートフォンに登録する',
    other: '別の方法にする',
    offer: {
      lead: 'この端末にもパスキーを登録すると、次からはスマートフォンがなくてもログインできます。ほかの人も使う端末なら、「あとで」を押してください。あとから「ログインの設定」で登録できます。',
      later: 'あとで',
      noPlatform:
        'この端末では、顔・指紋・PINの準備ができていないようです。「あとで」を押すと、このまま進めます。',
    },
    noPlatform:
      'この端末では、顔・指紋・PINの準備ができていないようです。準備してから登録するか、ほかの方法を選んでください。',
    trouble: 'うまくいかないとき',
    troubleText: [
      '端末の画面ロック（顔・指紋・PIN）を設定し、ブラウザを新しくしてから、もう一度押してください。',
      '端末の画面に選ぶものが出たときは、「顔」「指紋」「PIN」や「この端末」を選んでください。',
      'LINEなどのアプリの中で開いているときは、SafariやChromeで開き直してください。',
    ],
    devices: [
      {
        title: 'Windowsのパソコン',
        steps: [
          '「設定」→「アカウント」→「サインインオプション」を開きます。',
          'Windows Helloの顔認証・指紋認証・PINのどれかを用意します。',
          'この画面に戻り、「登録する」を押します。',
          'Windowsの画面で、顔・指紋・PINで確認し、「OK」を押します。',
        ],
        note: '会社のPCでは使えないことがあります。そのときは、別の方法にしてください。',
      },
      {
        title: 'Mac',
        steps: ['「登録する」を押します。', 'Touch IDか、Macのログインパスワードで確認します。'],
        note: 'Chromeでは、保存先を選ぶ画面が出ることがあります。ふだん使うものを選んでください。',
      },
      {
        title: 'スマートフォン',
        steps: ['「登録する」を押します。', '顔・指紋・画面ロックで確認します。'],
        note: '同じAppleやGoogleのアカウントを使うと、機種を変えても引き継げます。端末だけに保存したパスキーは、新しい端末で登録し直してください。',
      },
    ],
  },

  passkeyOnPhone: {
    lead: 'PCに出るQRコードをスマートフォンで読み取ります。パスキーはスマートフォンに保存され、次からこのPCのログインにも使えます。',
    steps: [
      'PCとスマートフォンのBluetoothをオンにして、近くに置きます。ペアリングはいりません。',
      '両方をインターネットにつなぎます。',
      '「QRを表示する」を押します。PCの画面で選ぶときは、「iPhone、iPad、またはAndroidデバイス」を選びます。',
      '出たQRコードを、スマートフォンのカメラで読み取ります。',
      'スマートフォンで、顔・指紋・画面ロックで確認します。',
    ],
    limits: '会社のPCや、BluetoothのないPCではできません。そのときは、別の方法にしてください。',
    label: 'スマートフォンの名前',
    name: 'スマートフォン',
    submit: 'QRを表示する',
    here: 'この端末に登録する',
    trouble: 'QRコードを読み取れないとき',
    troubleText: [
      '両方のBluetoothを切って、もう一度オンにしてください。',
      '画面を明るくし、カメラをQRコードに近づけてください。',
      'スマートフォンのOSが古いと使えません。iPhoneはiOS 16、AndroidはAndroid 9からです。',
    ],
  },

  passkeyPage: {
    noScript:
      'パスキーには、ブラウザのJavaScriptが必要です。JavaScriptを有効にするか、別の方法を選んでください。',
    inApp: [
      'アプリの中の画面では、パスキーを使えません。SafariやChromeで開き直してください。',
      'LINEでは、次のリンクを押すと開き直せます。ほかのアプリでは、画面のメニューから「ブラウザで開く」を選んでください。ここまでの内容は保存されています。',
    ],
    inAppSignIn: [
      'アプリの中の画面では、パスキーでログインできません。パスキーを使う方は、SafariやChromeで開き直してください。',
      'LINEでは、次のリンクを押すと開き直せます。ほかのアプリでは、画面のメニューから「ブラウザで開く」を選んでください。',
    ],
    open: (app: string) => `${app}をブラウザで開く`,
  },

  verifyPasskey: {
    lead: [
      '「パスキーで確認する」を押すと、端末の画面が開きます。ふだん画面を開けるときの',
      { strong: '顔・指紋・PIN' },
      'で確認してください。',
    ] as Rich,
    submit: 'パスキーで確認する',
    phone: 'スマートフォンのパスキーを使うとき',
    phoneSteps: [
      'PCとスマートフォンのBluetoothをオンにして、近くに置きます。ペアリングはいりません。',
      '「パスキーで確認する」を押し、「iPhone、iPad、またはAndroidデバイス」を選びます。',
      '出たQRコードを、スマートフォンのカメラで読み取ります。',
      'スマートフォンで、顔・指紋・画面ロックで確認します。',
    ],
  },

  registerTotp: {
    qrAlt:
      '認証アプリの設定用のQRコード。読み取れないときは「スキャンできませんか？」を開いてください',
    save: 'QRコードをPNGで保存',
    saveNote: '登録が終わったら、保存した画像を消してください',
    name: '認証アプリの名前',
    nameHint: 'あとで見分けるための名前です（なくてもかまいません）',
    steps: [
      '無料の認証アプリ（Google Authenticatorなど）を開き、「＋」を押します',
      '「QRコードをスキャン」でこの画面を写します',
      'アプリに出た6桁の数字を下に入れます',
    ],
    samePhone: 'アプリがこの端末にあるときは、QRコードはいりません。',
    open: 'アプリで開く',
    cannotScan: 'スキャンできませんか？',
    typeKey: 'アプリで「セットアップキーを入力」を選び、次のとおりに入れてください。',
    account: 'アカウント名',
    keyType: '鍵の種類',
    timeBased: '時間ベース',
    key: 'キー',
    label: 'アプリの6桁の数字',
    hint: '間の空白は、入れたままでも大丈夫です',
    submit: '登録する',
    other: '別の方法にする',
    help: [
      {
        title: 'スマートフォンだけで登録する',
        steps: [
          'App StoreかGoogle Playで「Google Authenticator」を入れます。無料のアプリで十分です。',
          '「スキャンできませんか？」を開き、「アプリで開く」を押します。開かないときは「コピー」を押します。',
          'アプリの「＋」→「セットアップキーを入力」を選び、キーを貼り付けます。',
          '「鍵の種類」が「時間ベース」になっていることを確かめて、追加します。',
          'この画面に戻り、アプリに出た6桁の数字を入れます。',
        ],
        note: '',
      },
      {
        title: 'PCの画面をスマートフォンで読み取る',
        steps: [
          'スマートフォンに「Google Authenticator」を入れます。無料のアプリで十分です。',
          'アプリの「＋」→「QRコードをスキャン」を選び、PCの画面のQRコードを写します。',
          'アプリに出た6桁の数字を、PCの画面に入れます。',
        ],
        note: 'Androidで読み取れないときは、クイック設定パネルの「QRコードスキャナ」を使ってください。',
      },
      {
        title: 'PCだけで登録する（Chromeの拡張機能）',
        steps: [
          'Chromeウェブストアで「Authenticator」を検索し、Chromeに追加します。',
          'Chromeの拡張機能のボタンを押し、「Authenticator」を固定します。',
          'Authenticatorの「二次元コードをスキャン」を押し、QRコードを囲みます。',
          '「追加されました」と出たら、Authenticatorを開き、6桁の数字を入れます。',
        ],
        note: '会社の決まりで、拡張機能を使えないことがあります。そのときは、別の方法にしてください。',
      },
      {
        title: 'PCだけで登録する（Edgeの拡張機能）',
        steps: [
          'Edgeアドオンで「Open Two-Factor Authenticator」を検索し、Edgeに追加します。',
          'この画面の「QRコードをPNGで保存」を押します。',
          'Open Two-Factor Authenticatorを開き、「＋」→「QRコードをスキャンする」を押して、保存した画像を選びます。',
          'マスターパスワードを決めて入力し、「送信」を押します。',
          'キーを押すと出る6桁の数字を入れます。間の空白は、入れたままでも大丈夫です。',
        ],
        note: '登録が終わったら、保存した画像を消してください。',
      },
    ],
  },

  verifyTotp: {
    label: 'アプリの6桁の数字',
    hint: '間の空白は、入れたままでも大丈夫です',
    submit: 'ログイン',
    trouble: '数字が合わないとき',
    troubleText: [
      'アプリにいくつも並んでいるときは、この健康保険組合の名前の数字を入れてください。',
      '数字は30秒ごとに変わります。変わったすぐあとの数字を入れると、あわてずに入力できます。',
      '端末の時刻がずれていると合いません。「設定」で、日付と時刻を「自動設定」にしてください。',
    ],
  },

  recoveryCodes: {
    lead: 'スマートフォンをなくしたときなどに、認証方法の代わりに使うコードです。この画面でだけ見られます。',
    list: '回復コード',
    print: '印刷する',
    copy: 'コピー',
    download: 'ファイルに保存',
    fileName: '回復コード.txt',
    fileTitle: (society: string) => `${society} ログインサービス 回復コード`,
    once: 'どの順でも使えます。1つのコードは1回だけ使えます。',
    replaced: '前に作った回復コードがあるときは、そのコードは使えなくなります。',
    keep: '印刷して家に置くなど、スマートフォンとは別の所に保存してください。ほかの人に見せないでください。',
    saved: '保存しました',
    submit: '次へ',
    few: (left: number) =>
      `使える回復コードが${left > 0 ? `、あと${left}個です` : 'なくなりました'}。新しいコードを用意しました。今保存できないときは、「あとで」を押してください。次のログインで、もう一度ご案内します。`,
    later: 'あとで',
  },

  verifyRecoveryCode: {
    lead: '保存した回復コードを1つ入力してください。使ったコードは、もう使えません。',
    remaining: (n: number): Rich => ['使えるコードは、あと', { strong: `${n}個` }, 'です。'],
    few: 'ログインのあとで、新しい回復コードをお渡しします。',
    label: '回復コード',
    hint: '英数字8文字（例：7K2M-9QXD）',
    submit: 'ログイン',
  },

  copy: { copied: 'コピーしました', failed: 'コピーできませんでした。選んでコピーしてください' },

  enrolled: {
    nextMethod: (method: string): Rich => ['次に、', { strong: method }, 'を登録します。'],
    again: 'そのために、もう一度ログインしてください。今決めた新しいパスワードを使います。',
    deadline: '14日以内に登録してください。過ぎると、ログインできなくなることがあります。',
    mailLead:
      '次は、新しいパスワードと、メールに届く確認コードを使って、もう一度ログインしてください。',
    submit: 'もう一度ログインする',
  },

  done: {
    lead: {
      passkey: '次からは、パスキーでログインできます。',
      totp: '次からは、パスワードと認証アプリの数字でログインします。',
      emailCode: '次からは、パスワードとメールの確認コードでログインします。',
    } satisfies Record<ChosenFactor, string>,
    loginId: 'ユーザID',
    address: 'メールアドレス',
    method: '認証方法',
    codes: '回復コード',
    codesSaved: '保存済み',
    submit: '次へ進む',
    later: (method: string, network: string): Rich => [
      { strong: method },
      `は、今の場所${network && `（${network}）`}では登録できません。`,
    ],
    laterText: (days: number) =>
      `${days}日以内に、スマートフォンや自宅のPCからログインしてください。登録の画面が自動で出ます。それまでは、パスワードとメールの確認コードでログインできます。`,
    another: 'もう1台登録する',
  },

  anotherMethod: {
    lead: 'もう1つ登録すると、端末をなくしたときも、ほかの端末でログインできます。',
    ways: '登録できるもの',
    way: {
      passkey: 'パスキー（この端末かスマートフォン）',
      totp: '認証アプリ',
    },
    own: 'ほかの人も使う端末には、登録しないでください。',
    back: '登録しないで戻る',
  },

  stopped: {
    reasons: stopReasons,
    networkForbids: (network: string): readonly string[] => [
      `${network || '今の場所'}で使える認証方法では、このサービスにログインできません。登録した方法は、${network ? '組合の決まりにより、この' : '会社の'}ネットワークでは使えないためです。`,
      'スマートフォンや自宅のPCなど、ほかのネットワークから、もう一度ログインしてください。',
      'お困りのときは、電話でお問い合わせください。',
    ],
  },

  emailLink: {
    address: 'メールアドレス',
    requestedAt: '申し込んだ日時',
    requestedFrom: '申し込んだ端末',
    match: '番号',
    askText: '元の画面と同じ番号なら、「確認する」を押してください。',
    stranger: '番号が違うときや心当たりがないときは、押さずにこの画面を閉じてください。',
    submit: '確認する',
    confirmedText: '元の画面は自動で次へ進みます。この画面は閉じてください。',
    confirmedHere: 'このまま続けられます。',
    continue: '続ける',
    usedText: 'もう一度押す必要はありません。元の画面に戻ってください。',
    expiredText: '元の画面で「もう一度送る」を押してください。新しいメールのリンクを使えます。',
    supersededText: 'このリンクは古くなりました。いちばん新しいメールのリンクを押してください。',
  },

  emailUndo: {
    former: '前のアドレス',
    changedAt: '変更した日時',
    askText: '変更に心当たりがないときは、取り消してください。前のアドレスに戻します。',
    consequence:
      '取り消すと、安全のためログインを止めます。そのあと、健康保険組合が電話でご本人を確かめます。',
    known: 'ご自分で変更したときは、何もせずにこの画面を閉じてください。',
    submit: '変更を取り消す',
    undoneText: [
      '前のアドレスに戻しました。安全のため、ログインを止めています。',
      '電話でお問い合わせください。ご本人を確かめてから、使えるようにします。',
    ],
    expiredText:
      '変更から7日が過ぎました。心当たりがないときは、すぐに電話でお問い合わせください。',
  },

  account: accountJa,
  consent: consentJa,

  logout: {
    text: 'この端末でログインしている、ほかのサービスからもログアウトします。',
    submit: 'ログアウトする',
    stay: 'ログインしたままにする',
    doneText: '共用の端末を使ったときは、ブラウザの画面をすべて閉じてください。',
  },

  helpPage: {
    lead: '知りたいことを押してください。',
    topics: [
      {
        title: 'はじめてログインするとき',
        text: [
          '健康保険組合から届いたはがきと、メールを見られるスマートフォンかPCを用意してください。約10分で終わります。',
          '途中でやめても大丈夫です。同じユーザIDでログインすると、続きから始まります。',
        ],
      },
      {
        title: 'ユーザIDやパスワードが違うと出るとき',
        text: [
          '大文字と小文字、0（ゼロ）とO（オー）、1（いち）とl（エル）を確かめてください。',
          '「表示」を押すと、入れた文字を見ながら入力できます。',
          '何度もまちがえると、安全のため15分ほど使えなくなります。',
        ],
      },
      {
        title: '生年月日が合わないとき',
        text: [
          'ログインするご本人の生年月日を入れてください。ご家族の方は、ご自分の生年月日です。',
          '元号を確かめてください。西暦（1985など）でも入力できます。',
        ],
      },
      {
        title: 'メールが届かないとき',
        text: [
          '1分ほど待ってから、迷惑メールのフォルダを見てください。',
          'docomo・au・SoftBankのアドレスは、PCからのメールとURL付きのメールの受信を許可してください。',
          'アドレスをまちがえたときは、「アドレスを直す」を押してください。',
        ],
      },
      {
        title: '会社のPCで使うとき',
        text: [
          '会社のネットワークでは、組合の決まりにより、使える認証方法が限られることがあります。',
          'その場合も、メールの確認コードなど、使える方法を画面でご案内します。',
        ],
      },
      {
        title: 'スマートフォンをなくしたとき・機種を変えたとき',
        text: [
          'ログインの画面の「別の方法でログイン」から、ほかの方法や回復コードを使えます。',
          'どれも使えないときは、電話でお問い合わせください。ご本人を確かめてから、新しい端末を使えるようにします。',
        ],
      },
    ],
    desk: '解決しないとき',
    deskText: 'お電話ください。',
  },

  error: {
    stale: (app: string) =>
      `安全のため、画面の有効期限は1時間です。ここまでの内容は保存されています。${app}からもう一度始めると、続きから進めます。`,
    client: (app: string) =>
      `${app}の設定に問題があります。${app}の窓口へ、下の内容を伝えてください。`,
    system: 'お手数ですが、数分たってからもう一度試してください。',
    busy: (seconds: number) => `${seconds}秒ほど待ってから、もう一度試してください。`,
    busySoon: '少し待ってから、もう一度試してください。',
    notFound:
      'アドレスをまちがえたか、ページがなくなりました。ご利用のサービスから、もう一度始めてください。',
    forged: (app: string) =>
      `安全のため、この操作を止めました。ほかの画面を閉じて、${app}からもう一度始めてください。`,
    code: 'エラーの種類',
    description: 'くわしい内容',
    retry: 'もう一度試す',
  },
}
