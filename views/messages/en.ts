import { accountEn, accountHeadingsEn } from './account-en.ts'
import { consentEn } from './consent-en.ts'
import type { Catalogue, FaultValues, Rich } from './index.ts'

const NUMBERS = [
  'no',
  'one',
  'two',
  'three',
  'four',
  'five',
  'six',
  'seven',
  'eight',
  'nine',
  'ten',
]
const tries = (left: string | number | undefined) =>
  `${NUMBERS[Number(left)] ?? left} ${Number(left) === 1 ? 'try' : 'tries'}`

/** How many tries are left, where the page knows; none is said in words of its own. */
const left = (v: FaultValues) => (v.left ? ` (${tries(v.left)} left)` : '')

/** 'year,month' as words: the year and the month */
const listed = (ids: string | number | undefined, words: Readonly<Record<string, string>>) =>
  new Intl.ListFormat('en', { type: 'conjunction' }).format(
    String(ids ?? '')
      .split(',')
      .map((id) => words[id] ?? id),
  )

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

const ERAS: Readonly<Record<string, string>> = {
  明治: 'Meiji',
  大正: 'Taisho',
  昭和: 'Showa',
  平成: 'Heisei',
  令和: 'Reiwa',
}

/** 昭和64年2月1日, as the birth date's fault writes it: 1 February Showa 64 */
const dateWords = (date: string | number | undefined) =>
  String(date).replace(
    /^(\D*)(\d+|元)年(\d+)月(\d+)日$/u,
    (_, era: string, year: string, month: string, day: string) =>
      `${day} ${MONTHS[Number(month) - 1]} ${era ? `${ERAS[era] ?? era} ` : ''}${year === '元' ? 1 : year}`,
  )

/** Natural English of the same length and tone as `ja`, not a word-by-word translation. */
export const en: Catalogue = {
  service: 'Login service',
  conformance: {
    label: 'Test environment',
    text: 'This is the conformance profile: a test environment whose members and passwords are public. Do not enter a password of yours.',
  },
  skip: 'Skip to main content',
  languageNav: 'Language',
  errorTitle: 'Error: ',
  errorHeading: 'Check what you entered',
  noticeHeading: 'Please check',
  waitHeading: 'Please wait a while',
  footerNav: 'Help and contact',
  help: 'Help',
  contact: 'Contact',
  hours: (hours) => ` (${hours})`,
  furiganaOn: 'Show furigana',
  furiganaOff: 'Hide furigana',
  privacy: 'Privacy',
  loggingInTo: (app) => ['You are logging in to ', { strong: app }],
  backTo: (app) => `Back to ${app}`,
  goTo: (app) => `Continue to ${app}`,
  until: (time, app) =>
    `You can use this page until ${time} (Japan time). After that, start again from ${app}: you continue where you left off.`,
  untilAgain: (time, app) =>
    `You can use this page until ${time} (Japan time). After that, start again from ${app}.`,
  theApp: 'the service you came from',
  reference: (reference) => ['Reference number: ', { strong: reference }],
  next: 'Continue',
  resend: 'Send again',

  stepsNav: 'Steps',
  stepOf: (n) => `Step ${n} of 7`,
  minutesLeft: (minutes) => `about ${minutes} min left`,
  stepDone: ' (done)',
  steps: [
    'Log in',
    'Date of birth',
    'Terms of use',
    'Email address',
    'Choose a method',
    'New password',
    'Register the method',
  ],

  methods: { passkey: 'Passkey', totp: 'Authenticator app', emailCode: 'Email' },
  ways: {
    passkey: 'Passkey',
    totp: 'Digits from your app',
    emailCode: 'Code by email',
    recoveryCode: 'Recovery code',
  },

  faults: {
    'id.empty': () => 'Enter your user ID',
    'id.long': () => 'A user ID has at most 64 characters. Enter it as printed on your postcard',
    'pw.empty': () => 'Enter your password',
    'pw.toolong': () => 'A password has at most 128 characters. Check it and enter it again',
    'login.bad': (v: FaultValues) =>
      `The user ID or password does not match. Check upper and lower case, and 0 (zero) and O${v.left ? `. You have ${tries(v.left)} left before a pause` : ''}`,
    'login.locked': (v) =>
      `For your safety, login is paused until ${v.time}. Try again after ${v.time}. To continue sooner, press “Forgot your password” and set a new one if your first login is behind you; if not, please call`,
    'bday.empty': () => 'Enter your date of birth',
    'bday.part': (v) =>
      v.missing === 'era'
        ? 'Choose the era, or enter a western year such as 1985'
        : `Also enter ${listed(v.missing, { era: 'the era', year: 'the year', month: 'the month', day: 'the day' })}`,
    'bday.impossible': (v) =>
      `${dateWords(v.date)} is not in the calendar. Check the era and the date`,
    'bday.year': () => 'Enter the year in numbers, such as 1985, or 60 for Showa 60',
    'bday.month': () => 'The month must be a number from 1 to 12',
    'bday.day': () => 'The day must be a number from 1 to 31',
    'bday.future': () => 'Enter a date before today',
    'bday.mismatch': (v) =>
      `This does not match our record. Check the date on your notice of eligibility${left(v)}`,
    'bday.locked': (v) =>
      `For your safety, this is paused until ${v.time}. Log in again after ${v.time}`,
    'terms.required': () => 'To continue, read the terms of use and tick the box',
    'mail.empty': () => 'Enter your email address',
    'mail.format': () => 'Enter an email address like name@example.jp',
    'mail.typo': (v) => `Did you mean ${v.suggest}?`,
    'mail.limit': (v) =>
      `We cannot send another email yet. You can ask for the next one from ${v.time}. A code you already have works until it expires`,
    'mail.paused': (v) =>
      `We have just sent you emails and cannot send another yet. You can ask for one from ${v.time}`,
    'code.empty': () => 'Enter the code',
    'code.len': (v) => `Enter all 6 digits of the code (now ${v.n})`,
    'code.digits': () => 'Enter the code in numbers only',
    'code.wrong': (v) => `The code does not match. Use the 6 digits in the newest email${left(v)}`,
    'code.expired': () => 'The code expired after 10 minutes. We have sent a new one',
    'code.expiredHeld': (v) =>
      `The code expired after 10 minutes. You can ask for a new one from ${v.time}`,
    'code.checking': () =>
      'This code was sent before and is still being checked. Wait about a minute, then send it again',
    'code.toomany': (v) =>
      `There were too many tries. Sending and entering codes is paused until ${v.time}. Try again after that`,
    'code.spent': () =>
      'There were too many wrong tries, so this code no longer works. Press “Send again” for a new one',
    'code.restart': (v) =>
      `There were too many wrong tries, so nothing more can be entered on this page. Press “Back to ${v.app}” and log in again`,
    'choice.empty': () => 'Choose a method',
    'choice.unavailable': () => 'That method cannot be used now. Choose another one',
    'pw.short': (v) => `Use at least 8 characters (now ${v.n})`,
    'pw.long': () => 'Use 64 characters or fewer',
    'pw.classes': (v) =>
      `Also include ${listed(v.missing, { upper: 'an upper-case letter', lower: 'a lower-case letter', digit: 'a number', symbol: 'a symbol' })}`,
    'pw.chars': () => 'Use half-width letters, numbers and symbols only',
    'pw.hasid': () => 'Leave out your user ID. Use other words',
    'pw.same': () => 'Choose a password different from the one you have now',
    'pw.personal': () =>
      'Leave out your date of birth and your insurance symbol and number. Use other words',
    'pw.weak': () => 'This is easy to guess. Add unrelated words or symbols',
    'pw.current': (v) =>
      `The current password does not match. Check upper and lower case and enter it again${left(v)}`,
    'mail.same': () => 'This is the address you have now. Enter a different one',
    'mail.held': () => 'This address is registered already. Enter a different one',
    'label.empty': () => 'Enter a name for the passkey',
    'method.last': () => 'This is your last method and stays. Add another method first',
    'form.invalid': () => 'We could not read what was sent. Enter it again and send it once more',
    'place.empty': () => 'Choose at least one place where you log in',
    'method.place': (v) =>
      `That method cannot be used where you are now${v.network ? ` (${v.network})` : ''}. Log in another way`,
    'pk.cancel': () =>
      'Not finished: your device’s screen was closed or the time ran out. Try again or choose another way',
    'pk.dup': () => 'This device is already registered. You can use it to log in',
    'pk.unsupported': () =>
      'This browser cannot use passkeys. Open the page in a recent Chrome, Edge or Safari, or choose another way',
    'pk.nolock': () =>
      'Set up the screen lock of your device (face, fingerprint or PIN) and press again. If you cannot, choose another way',
    'pk.gone': () =>
      'This passkey was removed here. Delete it on your device too, and log in another way',
    'pk.failed': () => 'We could not check the passkey. Try again or choose another way',
    'totp.wrong': (v) =>
      `The digits do not match. Enter the 6 digits your app shows now${left(v)}. If it happens again, set your device’s clock to automatic`,
    'totp.used': () => 'These digits were used already. Wait for the next ones and enter those',
    'totp.skew': () =>
      'The clock of your device is off. Set it to automatic and enter the new digits',
    'totp.stopped': () =>
      'There were so many wrong tries that your authenticator app is stopped. Use another way, or call us',
    'recovery.format': () =>
      'A recovery code has 8 letters and numbers, such as 7K2M-9QXD. Enter it as you saved it',
    'recovery.wrong': (v) =>
      `The code does not match or was used already. Enter another recovery code${left(v)}`,
    'pass.format': () =>
      'The pass has 12 letters and digits (such as 7K2M-9QXD-4TAE). Enter it as we told you',
    'pass.wrong': (v) =>
      `This pass is wrong or has expired (60 minutes at most). Check it again${left(v)}. If it does not match, please call us`,
    'recovery.unsaved': () => 'Save the codes, then tick “I have saved them”',
    busy: () => 'We are busy right now. Wait a moment and press again',
  },

  headings: {
    password: () => 'Log in',
    'forgot-password': () => 'Forgot your password',
    'reset-code': () => 'Enter the code we sent',
    'reset-password': () => 'Set a new password',
    'forgot-id': () => 'Do not know your user ID',
    'lost-factor': () => 'Lost your phone, or cannot use it',
    'desk-pass': () => 'Enter the pass from our desk',
    birthdate: () => 'Enter your date of birth',
    terms: () => 'Terms of use',
    'terms-declined': () => 'If you do not agree',
    email: () => 'Confirm your email address',
    'email-desk': () => 'An email address is needed',
    'email-old': () => 'Confirm your current email address',
    'email-wait': () => 'Check your email',
    'choose-place': () => 'Where will you log in?',
    'choose-factor': () => 'Choose how you will log in',
    'new-password': () => 'Choose a new password',
    'email-code': ({ address }) => (address === '' ? 'We send you a code' : 'Enter the code'),
    'register-passkey': ({ where, offer }) => {
      if (offer) return 'Use a passkey on this device too?'
      return where === 'here'
        ? 'Register a passkey on this device'
        : 'Register a passkey on your phone'
    },
    'verify-passkey': () => 'Confirm with your passkey',
    'register-totp': () => 'Register your authenticator app',
    'verify-totp': () => 'Enter the digits from your app',
    'recovery-codes': () => 'Save your recovery codes',
    'verify-recovery-code': () => 'Enter a recovery code',
    consent: ({ client }) => `Share your information with ${client}?`,
    enrolled: () => 'First login complete',
    done: () => 'All set',
    'another-method': () => 'Register one more device',
    stopped: () => 'You cannot log in now',
    'email-link': ({ state }) =>
      ({
        ask: 'Confirm this email address',
        confirmed: 'Confirmed',
        used: 'This link is already confirmed',
        expired: 'This link has expired',
        superseded: 'There is a newer email',
      })[state],
    'email-undo': ({ state }) =>
      ({
        ask: 'Undo the change of your email address?',
        undone: 'The change is undone',
        expired: 'The time to undo has passed',
      })[state],
    ...accountHeadingsEn,
    'form-post': () => 'Going on to the next page',
    logout: () => 'Log out?',
    'logged-out': ({ stayed }) => (stayed ? 'You are still logged in' : 'You are logged out'),
    front: () => 'The login service of your health insurance society',
    help: () => 'Help',
    'terms-text': () => 'Terms of use',
    error: ({ kind }) =>
      ({
        stale: 'This page has expired',
        client: 'Login could not start',
        logout: 'You could not be logged out',
        system: 'There is a temporary problem',
        busy: 'We are busy right now',
        notFound: 'Page not found',
        forged: 'This action was not accepted',
      })[kind],
  },

  show: 'Show',
  hide: 'Hide',
  showPassword: 'Show password',
  hidePassword: 'Hide password',
  passwordShown: 'Your password is shown',
  passwordHidden: 'Your password is hidden',

  password: {
    loginId: 'User ID',
    loginIdHint: (example) => `Printed on your postcard (example: ${example})`,
    password: 'Password',
    submit: 'Log in',
    or: 'or',
    passkey: 'Log in with a passkey',
    noPasskey: (network) =>
      `On this network (${network}), the rules of your society do not allow a passkey. Log in with your user ID and password.`,
    first: 'Logging in for the first time',
    firstIntro: 'It takes about 10 minutes. Have these two things ready.',
    firstNeeds: [
      'The postcard from your health insurance society, with your user ID and password',
      'A phone or computer on which you can read your email',
    ],
    firstResume:
      'You can stop at any time. Log in with the same user ID and you continue where you left off.',
    forgot: 'Forgot your password',
    unknownId: 'Do not know your user ID',
  },

  forgot: {
    back: 'Back to the login screen',
    lead: 'Enter your user ID and date of birth. If they match our record, we send you a code by email.',
    loginIdHint: 'The ID on your postcard',
    send: 'Send the code',
    sent: (time: string) =>
      `If what you entered matches our record, we have sent a code to your registered email address (${time}). Enter the 6 digits in the email.`,
    resent: 'If it matches our record, we have sent it again. Use the newest email.',
    noMail: 'If you get no code',
    noMailText: [
      'In these cases no code is sent. Please call us.',
      'Your first login is not finished, you no longer use your registered email address, or your login is stopped.',
      'No code is sent either if the user ID or date of birth is different. Check your postcard and your notice of eligibility.',
    ],
    newLead: 'Your email is confirmed. Choose a new password.',
    needsPass: [
      'You also log in with codes by email, so email alone cannot change your password.',
      'Call us for a one-use pass, then enter it here with your new password. You can leave this screen open.',
    ],
    done: 'Your new password is set. Log in with it.',
    idLead: 'We send your user ID to your registered email address.',
    idSend: 'Send my user ID',
    idSent: (address: string): Rich => [
      'If it is registered, we have sent your user ID to ',
      { strong: address },
      '.',
    ],
    idSentText: ['Read the email, then go back to the login screen.'],
    idNoMail: 'If no email arrives',
    idNoMailText: [
      'Your user ID is printed on the postcard from your health insurance society.',
      'We cannot send it to an address that was not confirmed. If you do not have the postcard either, please call us.',
    ],
  },

  lost: {
    lead: 'Do not worry. You can log in one of these ways.',
    ways: 'Ways you can use',
    desk: 'If you can use none of them',
    deskText: [
      'Please call us. We confirm that it is you and give you a one-use pass.',
      'With the pass you can register a new sign-in method.',
    ],
    back: 'Back',
  },

  deskPass: {
    label: 'The pass from our desk',
    hint: '12 letters and digits (such as 7K2M-9QXD-4TAE)',
    consequence:
      'Using the pass removes your earlier passkeys, authenticator app and recovery codes. Then you choose a new method.',
    submit: 'Use this pass',
    stoppedText: [
      'Your login is stopped. We have given you a one-use pass.',
      'Enter it to go on from where you were.',
    ],
  },

  birthdate: {
    lead: 'We use it to confirm that it is you. Enter the date as on your notice of eligibility (資格情報のお知らせ).',
    legend: 'Date of birth',
    era: 'Era',
    year: 'Year',
    month: 'Month',
    day: 'Day',
    chooseEra: 'Choose',
    eras: [
      { id: 'seireki', name: 'Western' },
      { id: 'reiwa', name: 'Reiwa 令和' },
      { id: 'heisei', name: 'Heisei 平成' },
      { id: 'showa', name: 'Showa 昭和' },
      { id: 'taisho', name: 'Taisho 大正' },
    ],
    whose: 'Not sure which date to enter?',
    whoseText: [
      'Enter the date of birth of the person who is logging in.',
      'Family members enter their own date of birth, not that of the insured employee.',
      'For a western year such as 1985, the era does not matter. Full-width numbers are fine too.',
    ],
  },

  terms: {
    lead: 'To continue, you need to agree to the terms of use. Please read the main points first.',
    summary: 'Main points',
    full: 'Read the full terms of use',
    version: (version, from) => `Version ${version}, in force from ${from}`,
    versionOnly: (version) => `Version ${version}`,
    date: (year, month, day) => `${day} ${MONTHS[month - 1] ?? month} ${year}`,
    agree: 'I have read the terms of use and agree',
    submit: 'Agree and continue',
    decline: 'I do not agree',
    declinedText: [
      'Without agreeing to the terms of use, you cannot finish setting up your login.',
      'What you have done so far is saved. You can agree later and continue where you left off.',
      'If you would rather use paper forms, please call us.',
    ],
    back: 'Back to the terms of use',
  },

  email: {
    leadOnFile:
      'This is the address we have on file. If it is right, press “Send confirmation email”.',
    leadMasked:
      'This is the address we have on file. If it is right, press “Send to this address”. For your safety, we show only part of it.',
    onFile: 'Address on file',
    keep: 'Send to this address',
    another: 'To use another address',
    lead: 'Enter the address you want to use for login and notices. We will send it a confirmation email.',
    label: 'Email address',
    hint: 'Use an address that only you can read',
    changeNeedsOld: 'To change it, we first send a code to your current address.',
    submit: 'Send confirmation email',
    suggestionUse: (address) => `Send to ${address}`,
    suggestionKeep:
      'If the address you entered is right, press “Send confirmation email” once more.',
    shared: 'If you share an address with family or colleagues',
    sharedText:
      'Login codes are sent to this address. If others can read it, they may be able to log in as you.',
    carrier: 'If you have a docomo, au or SoftBank address',
    carrierText:
      'To receive our email, allow email from computers and email with links in your carrier’s settings.',
    deskText: [
      'There is no email address on file. For your safety, you cannot add one on this page.',
      'Please call us. We confirm that it is you and then register your email address.',
      'After that, log in again. You continue where you left off.',
    ],
  },

  code: {
    label: 'Code',
    hint: 'The 6 digits in the email',
    sentTo: (address, time) => [
      'We sent a confirmation email to ',
      { strong: address },
      ` (${time}).`,
    ],
    reference: (reference) => [
      'Reference number ',
      { strong: reference },
      ' (the email shows the same)',
    ],
    resent: 'We sent it again. Look at the newest email.',
    delayed: 'Sending email is slow right now. Please wait until it arrives.',
    resendLater: (seconds) => `You can send again in about ${seconds} seconds.`,
    missing: 'If the email does not arrive',
    missingText: (seconds) => [
      'Wait about a minute and look in your spam folder.',
      `If it is still not there, press “Send again” after ${seconds} seconds. A code you already have works until it expires (10 minutes).`,
    ],
    allow: 'Allow email from this address:',
    carriers: [
      'docomo: add it under メール設定 › 受信リスト設定, and switch off 特定URL付メール拒否設定.',
      'au: add it under 迷惑メールフィルター › 受信リスト設定.',
      'SoftBank: add it under 迷惑メール対策 › 許可リスト.',
    ],
    neverTell: 'Never tell anyone the code. Our staff will not ask for it.',
  },

  emailOld: {
    lead: 'Before you change the address, we confirm that the current one is yours.',
    keep: 'Keep my current address',
  },

  emailWait: {
    linkNote:
      'You can also press the link in the email. Even if you press it on your phone, this screen moves on by itself.',
    match: (number) => [
      'Make sure that the page the link opens shows the number ',
      { strong: number },
      '.',
    ],
    confirmed: 'Confirmed. Moving on.',
    check: 'I pressed the link',
    checkText: 'Press this if you pressed the link and this screen does not change.',
    change: 'Correct the address',
    changeText:
      'You can send the email to another address. The present code and link will stop working.',
    resumed: [
      'On this page, enter the 6 digits in the email. The number to compare with the link’s page is not shown here.',
      'The link confirms the address only. To make sure that it is you, we then send you another code by email.',
    ],
  },

  choose: {
    lead: 'From now on you log in with your password and this method. You can add or change methods later.',
    legend: 'Method',
    recommended: 'Recommended',
    describe: {
      passkey: () =>
        'Uses the face, fingerprint or PIN of your phone or computer. You log in without a password. Takes about 1 minute to register.',
      totp: () =>
        'Enter 6 digits shown by an app such as Google Authenticator. Works without a signal. Takes about 2 minutes to register.',
      emailCode: (address) =>
        `Enter 6 digits that we send to ${address}. Nothing else to register.`,
    },
    byNetwork: (network) =>
      `Cannot be used where you are now${network && ` (${network})`}. You can choose it on your phone or your computer at home.`,
    byPlace:
      'Cannot be used on a company computer. If you will log in on other devices too, choose the places again.',
    atWork: 'Works on company computers',
    companyPc: 'On a company computer',
    companyPcText: (names) =>
      `On a company network, the rules of your society allow ${names.length > 0 ? `only: ${names.join(', ')}` : 'no login'}. On your phone or your computer at home you use the method you choose.`,
    changePlace: 'Choose the places again',
    bySociety: 'Your health insurance society does not use this method.',
    byBrowser:
      'This browser cannot register passkeys. Open the page in a recent Chrome, Edge or Safari, or choose another method.',
    submit: 'Choose',
    none: 'No method can be used where you are now. Log in again on your phone or your computer at home. You continue where you left off.',
  },

  choosePlace: {
    lead: 'Which methods you can use depends on the place. Choose all that apply.',
    legend: 'Places where you log in',
    several: 'You can choose several',
    atWork: 'You are on a company network now.',
    places: [
      {
        id: 'companyPc',
        icon: 'office',
        title: 'Company computer',
        text: 'A computer your company lends you',
      },
      {
        id: 'ownPc',
        icon: 'computer',
        title: 'My own computer',
        text: 'The one you use at home, for example',
      },
      { id: 'phone', icon: 'totp', title: 'Phone or tablet', text: 'One that only you use' },
    ],
  },

  newPassword: {
    lead: 'You will use this password from your next login.',
    loginId: 'User ID',
    label: 'New password',
    rulesLabel: 'Password rules',
    rules: {
      length: '8 to 64 characters',
      upperLower: 'Upper- and lower-case letters',
      digit: 'A number',
      symbol: 'A symbol (such as - _ ! ?)',
      characters: 'Half-width letters, numbers and symbols only',
      noLoginId: 'Does not contain your user ID',
      notInitial: 'Different from the password you have now',
      notPersonal: 'No date of birth or insurance number',
      notGuessable: 'Hard to guess',
    },
    ruleMet: ' (done)',
    ruleOpen: ' (not yet)',
    onSending: 'checked on sending',
    submit: 'Set password',
    generate: 'Make a password for me',
    generated: 'We made a password. Write it down or save it in your browser.',
    ideas: 'How to make a good password',
    ideasText:
      'Take two or three unrelated words and put numbers and symbols around them: easy to remember, hard to guess. Do not use a password from another service.',
  },

  emailCode: {
    lead: 'We use it to confirm that it is you.',
    rule: (network, permitted) =>
      `On this network (${network}) you can use only: ${permitted.map((id) => (id === 'emailCode' ? 'a code by email' : en.methods[id])).join(', ')}.`,
    submit: 'Log in',
    unsent: 'No code has been sent yet.',
    addressConfirmed:
      'Your email address is confirmed. To go on, you need another code, so that we know that it is you.',
    send: 'Send a code',
    other: (address) => `Send a code to your other address (${address})`,
  },

  otherWays: {
    heading: 'Log in another way',
    none: 'If you have no way to log in at hand',
    noneText: 'Please call us. We confirm that it is you and then let you log in.',
    lost: 'I lost my phone or cannot use it',
  },

  registerPasskey: {
    lead: [
      'When you press “Register”, a screen of your device opens. Confirm with the ',
      { strong: 'face, fingerprint or PIN' },
      ' you unlock it with. Your face and fingerprint never leave the device.',
    ],
    label: 'Name of this device',
    labelHint: 'So that you can tell it apart later (up to 30 characters)',
    submit: 'Register',
    phone: 'Register on a phone',
    other: 'Choose another method',
    offer: {
      lead: 'Register a passkey on this device too, and next time you can log in without your phone. If other people use this device, press “Not now”. You can register it later in the login settings.',
      later: 'Not now',
      noPlatform:
        'Face, fingerprint or PIN do not seem to be set up on this device. Press “Not now” to go on.',
    },
    noPlatform:
      'Face, fingerprint or PIN do not seem to be set up on this device. Set one up first, or choose another way.',
    trouble: 'If it does not work',
    troubleText: [
      'Set up the screen lock of your device (face, fingerprint or PIN), update the browser and press again.',
      'If your device asks where or how, choose face, fingerprint, PIN or this device.',
      'If you opened this page inside an app such as LINE, open it in Safari or Chrome.',
    ],
    devices: [
      {
        title: 'Windows computer',
        steps: [
          'Open Settings, Accounts, Sign-in options.',
          'Set up Windows Hello: face, fingerprint or PIN.',
          'Come back to this page and press “Register”.',
          'Confirm with face, fingerprint or PIN on the Windows screen and press OK.',
        ],
        note: 'This may not work on a company computer. Choose another method there.',
      },
      {
        title: 'Mac',
        steps: ['Press “Register”.', 'Confirm with Touch ID or the password of your Mac.'],
        note: 'Chrome may ask where to save the passkey. Choose the one you usually use.',
      },
      {
        title: 'Phone',
        steps: ['Press “Register”.', 'Confirm with face, fingerprint or screen lock.'],
        note: 'With the same Apple or Google account, the passkey moves to your next phone. One that is saved on the device only has to be registered again.',
      },
    ],
  },

  passkeyOnPhone: {
    lead: 'You scan a QR code on the computer with your phone. The passkey is saved on the phone, and from then on you can use it to log in on this computer too.',
    steps: [
      'Turn on Bluetooth on the computer and the phone and keep them close together. No pairing is needed.',
      'Connect both to the internet.',
      'Press “Show QR code”. If the computer asks, choose “iPhone, iPad or Android device”.',
      'Scan the QR code with the camera of your phone.',
      'Confirm on the phone with face, fingerprint or screen lock.',
    ],
    limits:
      'This does not work on company computers or computers without Bluetooth. Choose another method there.',
    label: 'Name of the phone',
    name: 'Phone',
    submit: 'Show QR code',
    here: 'Register on this device',
    trouble: 'If you cannot scan the QR code',
    troubleText: [
      'Turn Bluetooth off and on again on both.',
      'Make the screen brighter and hold the camera closer to the QR code.',
      'An older phone may not be able to do this: it takes iOS 16 or Android 9.',
    ],
  },

  passkeyPage: {
    noScript:
      'Passkeys need JavaScript in your browser. Turn JavaScript on, or choose another way.',
    inApp: [
      'Passkeys do not work inside other apps. Open this page in Safari or Chrome.',
      'In LINE, press this link to do so. In other apps, choose “Open in browser” from the menu of the screen. What you have done so far is saved.',
    ],
    inAppSignIn: [
      'You cannot log in with a passkey inside other apps. If you use one, open this page in Safari or Chrome.',
      'In LINE, press this link to do so. In other apps, choose “Open in browser” from the menu of the screen.',
    ],
    open: (app) => `Open ${app} in the browser`,
  },

  verifyPasskey: {
    lead: [
      'When you press “Confirm with passkey”, a screen of your device opens. Confirm with the ',
      { strong: 'face, fingerprint or PIN' },
      ' you unlock it with.',
    ],
    submit: 'Confirm with passkey',
    phone: 'If the passkey is on your phone',
    phoneSteps: [
      'Turn on Bluetooth on the computer and the phone and keep them close together. No pairing is needed.',
      'Press “Confirm with passkey” and choose “iPhone, iPad or Android device”.',
      'Scan the QR code with the camera of your phone.',
      'Confirm on the phone with face, fingerprint or screen lock.',
    ],
  },

  registerTotp: {
    qrAlt:
      'QR code to set up your authenticator app. If you cannot scan it, open “Cannot scan it?”',
    save: 'Save QR code as PNG',
    saveNote: 'Delete the picture once you have registered',
    name: 'Name of the authenticator app',
    nameHint: 'So that you can tell it apart later (may be left empty)',
    steps: [
      'Open a free authenticator app, such as Google Authenticator, and press “+”',
      'Choose “Scan a QR code” and point it at this screen',
      'Enter the 6 digits that the app shows below',
    ],
    samePhone: 'If the app is on this device, you do not need the QR code.',
    open: 'Open in the app',
    cannotScan: 'Cannot scan it?',
    typeKey: 'Choose “Enter a setup key” in the app and enter the following.',
    account: 'Account name',
    keyType: 'Type of key',
    timeBased: 'Time based',
    key: 'Key',
    label: '6 digits from the app',
    hint: 'Spaces between them are fine',
    submit: 'Register',
    other: 'Choose another method',
    help: [
      {
        title: 'With a phone only',
        steps: [
          'Install “Google Authenticator” from the App Store or Google Play. A free app is enough.',
          'Open “Cannot scan it?” and press “Open in the app”. If nothing opens, press “Copy”.',
          'In the app press “+”, choose “Enter a setup key” and paste the key.',
          'Make sure that the type of key is “Time based” and add it.',
          'Come back to this page and enter the 6 digits that the app shows.',
        ],
        note: '',
      },
      {
        title: 'With a computer and a phone',
        steps: [
          'Install “Google Authenticator” on your phone. A free app is enough.',
          'In the app press “+”, choose “Scan a QR code” and point it at the QR code on the computer.',
          'Enter the 6 digits that the app shows on the computer.',
        ],
        note: 'If an Android phone cannot scan it, use the QR code scanner in the quick settings.',
      },
      {
        title: 'With a computer only (Chrome extension)',
        steps: [
          'Find “Authenticator” in the Chrome Web Store and add it to Chrome.',
          'Press the extensions button of Chrome and pin “Authenticator”.',
          'Press “Scan QR code” in Authenticator and draw a frame around the QR code.',
          'Once it says that it was added, open Authenticator and enter the 6 digits.',
        ],
        note: 'Your company may not allow extensions. Choose another method then.',
      },
      {
        title: 'With a computer only (Edge extension)',
        steps: [
          'Find “Open Two-Factor Authenticator” among the Edge add-ons and add it to Edge.',
          'Press “Save QR code as PNG” on this page.',
          'Open Open Two-Factor Authenticator, press “+”, choose to scan a QR code and select the picture you saved.',
          'Choose a master password, enter it and send it.',
          'Press the key and enter the 6 digits it shows. Spaces between them are fine.',
        ],
        note: 'Delete the picture once you have registered.',
      },
    ],
  },

  verifyTotp: {
    label: '6 digits from the app',
    hint: 'Spaces between them are fine',
    submit: 'Log in',
    trouble: 'If the digits do not match',
    troubleText: [
      'If the app shows several, use the digits under the name of your health insurance society.',
      'The digits change every 30 seconds. Wait for new ones to have more time.',
      'They do not match if the clock of your device is off. Set date and time to automatic in its settings.',
    ],
  },

  recoveryCodes: {
    lead: 'They take the place of your method when you have lost your phone, for example. You see them on this page only.',
    list: 'Recovery codes',
    print: 'Print',
    copy: 'Copy',
    download: 'Save as a file',
    fileName: 'recovery-codes.txt',
    fileTitle: (society) => `${society} – recovery codes for the login service`,
    once: 'Use them in any order, each one once.',
    counts: (button) =>
      `These codes do not work yet. Once you have saved them, tick “I have saved them” and press “${button}”: they work from then on.`,
    replaced:
      'Until then your earlier recovery codes work. Afterwards they do not, so throw them away.',
    shownBefore:
      'If you printed or saved other codes on this page before, those do not work. Throw them away and save the ones below.',
    made: (at) => `Made at: ${at}`,
    keep: 'Keep them apart from your phone, for example printed at home. Do not show them to anyone.',
    saved: 'I have saved them',
    submit: 'Continue',
    replace: 'Switch to these codes',
    few: (left) =>
      `${left > 0 ? `You have ${left} recovery ${left === 1 ? 'code' : 'codes'} left` : 'You have no recovery codes left'}. Here are new ones. If you cannot save them now, choose “Later”: we offer you new ones again the next time you log in.`,
    later: 'Later',
  },

  verifyRecoveryCode: {
    lead: 'Enter one of the recovery codes you saved. A code works only once.',
    remaining: (n) => ['Codes you can still use: ', { strong: `${n}` }, '.'],
    few: 'After you log in, we give you new recovery codes.',
    label: 'Recovery code',
    hint: '8 letters and numbers, such as 7K2M-9QXD',
    submit: 'Log in',
  },

  copy: { copied: 'Copied', failed: 'Copying did not work. Select the text and copy it' },

  enrolled: {
    nextMethod: (method) => ['Next, register this method: ', { strong: method }, '.'],
    again: 'To do so, log in once more with the new password you just chose.',
    deadline: 'Please register it within 14 days. After that you may not be able to log in.',
    mailLead: 'Next, log in once more with your new password and the code we send you by email.',
    submit: 'Log in again',
  },

  done: {
    lead: {
      passkey: 'From now on you can log in with your passkey.',
      totp: 'From now on you log in with your password and the digits in your app.',
      emailCode: 'From now on you log in with your password and the code we send by email.',
    },
    loginId: 'User ID',
    address: 'Email address',
    method: 'Method',
    codes: 'Recovery codes',
    codesSaved: 'Saved',
    submit: 'Continue',
    later: (method, network) => [
      { strong: method },
      ` cannot be registered where you are now${network && ` (${network})`}.`,
    ],
    laterText: (days) =>
      `Within ${days} days, log in on your phone or your computer at home: the page to register it opens by itself. Until then you log in with your password and a code by email.`,
    another: 'Register one more device',
  },

  anotherMethod: {
    lead: 'With one more registered, you can still log in on another device when you lose one.',
    ways: 'What you can register',
    way: {
      passkey: 'A passkey (this device or a phone)',
      totp: 'An authenticator app',
    },
    own: 'Do not register a device that other people use too.',
    back: 'Go back without registering',
  },

  stopped: {
    reasons: {
      blocked: [
        'For your safety, your login is stopped.',
        'Someone told us that they did not ask for the change of your email address.',
        'Please call us. We confirm that it is you and then open it again.',
      ],
      disabled: [
        'Your health insurance society has stopped the login of this user ID.',
        'If you do not know why, please call us.',
      ],
      initialPasswordExpired: [
        'The time to use your first password has passed.',
        'Please call us. We confirm that it is you and then give you a new one.',
      ],
      enrolmentExpired: [
        'The time for your first login (30 days from the start) has passed.',
        'Please call us. We will open it for you again.',
      ],
      registrationExpired: [
        'The time to register your method (14 days from the first login) has passed.',
        'Please call us. We will open it for you again.',
      ],
    },
    networkForbids: (network) => [
      `You cannot log in to this service with the methods that work ${network ? `on this network (${network})` : 'where you are now'}: by the rules of your society, the method you registered cannot be used on ${network ? 'it' : 'a company network'}.`,
      'Please log in again from another network, on your phone or your computer at home.',
      'If you need help, please call us.',
    ],
  },

  emailLink: {
    address: 'Email address',
    requestedAt: 'Requested at',
    requestedFrom: 'Requested from',
    match: 'Number',
    askText: 'If your first screen shows the same number, press “Confirm”.',
    noNumber:
      'If your first screen shows no number, you need not press it. Go back to that screen and enter the 6 digits in the email.',
    stranger:
      'If the number differs or you did not ask for this, close this page without pressing it.',
    submit: 'Confirm',
    confirmedText: [
      'Your first screen moves on by itself. You can close this page.',
      'If you have closed your first screen, log in again.',
    ],
    confirmedShared: [
      'Go back to your first screen.',
      'To make sure that it is you, we send you another code by email. Enter it there.',
    ],
    confirmedHere: 'You can continue here.',
    continue: 'Continue',
    usedText: 'You do not need to press it again. Go back to your first screen.',
    expiredText: 'Press “Send again” on your first screen and use the link in the new email.',
    supersededText: 'This link is out of date. Use the link in the newest email.',
  },

  emailUndo: {
    former: 'Former address',
    changedAt: 'Changed at',
    askText: 'If you did not make this change, undo it. Your former address will be restored.',
    consequence:
      'When you undo it, login is stopped for your safety. Your health insurance society then confirms by phone that it is you.',
    known: 'If you made the change yourself, close this page. There is nothing to do.',
    submit: 'Undo the change',
    undoneText: [
      'Your former address is restored. For your safety, your login is stopped.',
      'Please call us. We confirm that it is you and then open it again.',
    ],
    expiredText:
      'More than 7 days have passed since the change. If you did not make it, please call us right away.',
  },

  account: accountEn,
  consent: consentEn,

  formPost: {
    text: 'If nothing happens, press “Continue”.',
    submit: 'Continue',
  },

  logout: {
    text: 'You will also be logged out of the other services you use on this device.',
    submit: 'Log out',
    stay: 'Stay logged in',
    doneText: 'If you used a shared device, close all windows of the browser.',
    stayedText: (app) =>
      app === undefined
        ? 'You are still logged in on this device.'
        : `You are logged out of ${app}. On this device you are still logged in to the other services you use.`,
  },

  front: {
    lead: 'You begin to log in from the portal or app of your society.',
    start:
      'Open the portal or app that you use and press “Log in”. The login page opens from there.',
    help: 'Choose your health insurance society to see common questions and how to contact it.',
    demo: 'Demo',
    portal: 'Open the demo portal',
    mailbox: 'See the mails received',
  },

  helpPage: {
    back: 'Back to the page before',
    lead: 'Press what you want to know.',
    topics: [
      {
        title: 'Logging in for the first time',
        text: [
          'Have ready the postcard from your health insurance society and a phone or computer on which you can read your email. It takes about 10 minutes.',
          'You can stop at any time. Log in with the same user ID and you continue where you left off.',
        ],
      },
      {
        title: 'The user ID or password does not match',
        text: [
          'Check upper and lower case, 0 (zero) and O, 1 (one) and l.',
          'Press “Show” to see what you type.',
          'After many wrong tries, login is paused for about 15 minutes for your safety.',
        ],
      },
      {
        title: 'The date of birth does not match',
        text: [
          'Enter the date of birth of the person who is logging in. Family members enter their own.',
          'Check the era. You can also enter a western year such as 1985.',
        ],
      },
      {
        title: 'The email does not arrive',
        text: [
          'Wait about a minute and look in your spam folder.',
          'With a docomo, au or SoftBank address, allow email from computers and email with links.',
          'If the address was wrong, press “Correct the address”.',
        ],
      },
      {
        title: 'Using a computer at work',
        text: [
          'On a company network, the rules of your society may limit the methods you can use.',
          'The page then shows you the methods that work there, such as a code by email.',
        ],
      },
      {
        title: 'You lost or changed your phone',
        text: [
          'Under “Log in another way” on the login page you can use another method or a recovery code.',
          'If you can use none of them, please call us. We confirm that it is you and then let you use your new device.',
        ],
      },
    ],
    desk: 'If this does not help',
    deskText: 'Please call us.',
  },

  error: {
    stale: (app) =>
      `For your safety, pages expire after 1 hour. What you have done so far is saved. Start again from ${app} and you continue where you left off.`,
    client: (app) =>
      `There is a problem with how ${app} is set up. Please tell its support the following.`,
    logout:
      'You are still logged in. Press the button below to log out. If this goes on, please tell the support of the service you use the following.',
    loggedOut:
      'You are not logged in on this device now. If this goes on, please tell the support of the service you use the following.',
    logoutHere: 'Go on to log out',
    system: 'Please try again in a few minutes.',
    busy: (seconds) => `Please wait about ${seconds} seconds and try again.`,
    busySoon: 'Please wait a moment and try again.',
    notFound:
      'The address may be wrong, or the page is gone. Start again from the service you use.',
    forged: (app) =>
      `For your safety, we stopped this action. Close the other windows and start again from ${app}.`,
    code: 'Kind of error',
    description: 'Details',
    retry: 'Try again',
  },
}
