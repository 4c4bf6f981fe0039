import type { Catalogue, FaultValues } from './index.ts'

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

/** How many tries are left, where the page knows. */
const left = (v: FaultValues) => (v.left === undefined ? '' : ` (${tries(v.left)} left)`)

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
  skip: 'Skip to main content',
  languageNav: 'Language',
  errorTitle: 'Error: ',
  errorHeading: 'Check what you entered',
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

  faults: {
    'id.empty': () => 'Enter your user ID',
    'id.long': () => 'A user ID has at most 64 characters. Enter it as printed on your postcard',
    'pw.empty': () => 'Enter your password',
    'pw.toolong': () =>
      'A password has at most 128 characters. Enter it as printed on your postcard',
    'login.bad': (v: FaultValues) =>
      `The user ID or password does not match. Check upper and lower case, and 0 (zero) and O${v.left === undefined ? '' : `. You have ${tries(v.left)} left before a pause`}`,
    'login.locked': (v) =>
      `For your safety, login is paused until ${v.time}. Try again after ${v.time}. If it is urgent, call us`,
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
    'mail.used': () => 'This address cannot be used. Enter another one or contact us',
    'code.empty': () => 'Enter the code',
    'code.len': (v) => `Enter all 6 digits of the code (now ${v.n})`,
    'code.digits': () => 'Enter the code in numbers only',
    'code.wrong': (v) => `The code does not match. Use the 6 digits in the newest email${left(v)}`,
    'code.expired': () => 'The code expired after 10 minutes. We have sent a new one',
    'code.toomany': (v) =>
      `There were too many tries. Sending and entering codes is paused until ${v.time}. Try again after that`,
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
    'link.expired': () => 'The link has expired. Send a new email from the first screen',
    'link.used': () => 'This link is already confirmed. Go back to the first screen',
    'link.old': () => 'Use the link in the newest email',
    'form.invalid': () => 'We could not read what was sent. Enter it again and send it once more',
    busy: () => 'We are busy right now. Wait a moment and press again',
  },

  headings: {
    password: () => 'Log in',
    birthdate: () => 'Enter your date of birth',
    terms: () => 'Terms of use',
    'terms-declined': () => 'If you do not agree',
    email: () => 'Confirm your email address',
    'email-desk': () => 'An email address is needed',
    'email-old': () => 'Confirm your current email address',
    'email-wait': () => 'Check your email',
    'choose-factor': () => 'Choose how you will log in',
    'new-password': () => 'Choose a new password',
    'email-code': () => 'Enter the code',
    enrolled: () => 'First login complete',
    done: () => 'All set',
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
    logout: () => 'Log out?',
    'logged-out': () => 'You are logged out',
    help: () => 'Help',
    'terms-text': () => 'Terms of use',
    error: ({ kind }) =>
      ({
        stale: 'This page has expired',
        client: 'Login could not start',
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
    restarted:
      'Some time has passed, so please log in again. You will continue where you left off.',
    first: 'Logging in for the first time',
    firstIntro: 'It takes about 10 minutes. Have these two things ready.',
    firstNeeds: [
      'The postcard from your health insurance society, with your user ID and password',
      'A phone or computer on which you can read your email',
    ],
    firstResume:
      'You can stop at any time. Log in with the same user ID and you continue where you left off.',
    forgot: 'Forgot your password',
    forgotText: 'Please call us. We confirm that it is you and then give you a new password.',
    unknownId: 'Do not know your user ID',
    unknownIdText:
      'Your user ID is printed on the postcard from your health insurance society. If you do not have it, please call us.',
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
    notices: {
      sent: 'We sent the email.',
      resent: 'We sent it again. Look at the newest email.',
      codeExpired: 'The code expired after 10 minutes. We have sent a new one.',
    },
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
      `Cannot be used where you are now (${network}). You can choose it on your phone or your computer at home.`,
    bySociety: 'Your health insurance society does not use this method.',
    submit: 'Choose',
    none: 'No method can be used where you are now. Log in again on your phone or your computer at home. You continue where you left off.',
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
    submit: 'Log in',
  },

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
    submit: 'Continue',
  },

  stopped: {
    reasons: {
      blocked: [
        'For your safety, your login is stopped.',
        'Someone told us that they did not ask for the change of your email address.',
        'Please call us. We confirm that it is you and then open it again.',
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
  },

  emailLink: {
    address: 'Email address',
    requestedAt: 'Requested at',
    requestedFrom: 'Requested from',
    match: 'Number',
    askText: 'If your first screen shows the same number, press “Confirm”.',
    stranger:
      'If the number differs or you did not ask for this, close this page without pressing it.',
    submit: 'Confirm',
    confirmedText: 'Your first screen moves on by itself. You can close this page.',
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

  logout: {
    text: 'You will also be logged out of the other services you use on this device.',
    submit: 'Log out',
    stay: 'Stay logged in',
    doneText: 'If you used a shared device, close all windows of the browser.',
  },

  helpPage: {
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
        text: ['Please call us. We confirm that it is you and then let you use your new device.'],
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
