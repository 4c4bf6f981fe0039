import type { StopReason } from '../../accounts/enrolment.ts'
import type { ChosenFactor } from '../../accounts/member.ts'
import type { Pages, PasswordRuleId, ViewName } from '../pages.ts'
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

const faults: Record<FaultReason, (v: FaultValues) => string> = {
  'id.empty': () => 'ユーザIDを入力してください',
  'id.long': () => 'ユーザIDは64文字以内です。はがきのとおりに入力してください',
  'pw.empty': () => 'パスワードを入力してください',
  'pw.toolong': () => 'パスワードは128文字以内です。はがきのとおりに入力してください',
  'login.bad': (v) =>
    `ユーザIDかパスワードが違います。大文字と小文字、0（ゼロ）とO（オー）を確かめてください${v.left === undefined ? '' : `。あと${v.left}回まちがえると、しばらく使えなくなります`}`,
  'login.locked': (v) =>
    `安全のため、${v.time}まで使えません。${v.time}を過ぎてから、もう一度入力してください。お急ぎのときは、電話でお問い合わせください`,
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
  'mail.used': () =>
    'このメールアドレスは使えません。別のアドレスを入力するか、お問い合わせください',
  'code.empty': () => '確認コードを入力してください',
  'code.len': (v) => `確認コードは数字6桁で入力してください（今は${v.n}桁です）`,
  'code.digits': () => '確認コードは数字だけで入力してください',
  'code.wrong': (v) => `コードが違います。いちばん新しいメールの6桁を入力してください${left(v)}`,
  'code.expired': () => 'コードの期限（10分）が切れました。新しいコードを送りました',
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
  'form.invalid': () => '入力を受け取れませんでした。もう一度入力して、送ってください',
  busy: () => 'ただいま混み合っています。少し待ってから、もう一度押してください',
}

const headings: { [V in ViewName]: (page: Pages[V]) => string } = {
  password: () => 'ログイン',
  birthdate: () => '生年月日を入力してください',
  terms: () => '利用規約の確認',
  'terms-declined': () => '同意しない場合',
  email: () => 'メールアドレスの確認',
  'email-desk': () => 'メールアドレスの登録が必要です',
  'email-old': () => '今のメールアドレスを確認します',
  'email-wait': () => 'メールを確認してください',
  'choose-factor': () => '認証方法を選んでください',
  'new-password': () => '新しいパスワードを決めてください',
  'email-code': () => '確認コードを入力してください',
  enrolled: () => '初回ログインが終わりました',
  done: () => '設定が終わりました',
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

const stopReasons: Record<StopReason, readonly string[]> = {
  blocked: [
    '安全のため、ログインを止めています。',
    'メールアドレスの変更に心当たりがないと、連絡があったためです。',
    '電話でお問い合わせください。ご本人を確かめてから、使えるようにします。',
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
  skip: '本文へ',
  languageNav: '言語',
  errorTitle: 'エラー：',
  errorHeading: '入力内容を確認してください',
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
    restarted:
      '時間がたったため、もう一度ログインしてください。終わったところの続きから始まります。',
    first: 'はじめてログインする方へ',
    firstIntro: '約10分で終わります。次の2つを用意してください。',
    firstNeeds: [
      '健康保険組合から届いたはがき（ユーザIDとパスワードが書かれています）',
      'メールを見られるスマートフォンかPC',
    ],
    firstResume: '途中でやめても大丈夫です。同じユーザIDでログインすると、続きから始まります。',
    forgot: 'パスワードを忘れたとき',
    forgotText: 'お電話ください。ご本人を確かめてから、新しいパスワードをお知らせします。',
    unknownId: 'ユーザIDがわからないとき',
    unknownIdText:
      'ユーザIDは、健康保険組合から届いたはがきに書かれています。はがきがないときは、お電話ください。',
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
    notices: {
      sent: '確認メールを送りました。',
      resent: 'もう一度送りました。いちばん新しいメールを見てください。',
      codeExpired: 'コードの期限（10分）が切れました。新しいコードを送りました。',
    },
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
      `今の場所（${network}）では使えません。スマートフォンや自宅のPCからは選べます。`,
    bySociety: 'この健康保険組合では使えません。',
    submit: '決定',
    none: '今の場所で使える方法がありません。スマートフォンや自宅のPCから、もう一度ログインしてください。続きから始まります。',
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
    submit: 'ログイン',
  },

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
    submit: '次へ進む',
  },

  stopped: { reasons: stopReasons },

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
          '電話でお問い合わせください。ご本人を確かめてから、新しい端末を使えるようにします。',
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
