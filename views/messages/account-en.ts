import type { ChosenFactor, FactorId } from '../../accounts/member.ts'
import type { AccountDone, AccountViewName, Pages } from '../pages.ts'
import type { accountJa } from './account-ja.ts'

const done: Record<AccountDone, string> = {
  passkeyAdded: 'The passkey is registered.',
  passkeyRenamed: 'The passkey has its new name.',
  passkeyRemoved:
    'The passkey is removed. If your device still shows it, delete it in the device’s settings too.',
  appAdded: 'The authenticator app is registered.',
  appRemoved: 'The authenticator app is removed. Delete the entry in the app too.',
  addressChanged: 'Your email address is changed. We also told the former address.',
  secondAddressAdded: 'Your second address is registered.',
  secondAddressRemoved: 'Your second address is removed.',
  methodPreferred: 'Your first method is changed.',
  codesRenewed: 'You have new recovery codes. The former ones no longer work.',
  passwordChanged: 'Your password is changed. Your other devices are logged out.',
  sessionEnded: 'That device is logged out.',
  sessionsEnded: 'All other devices are logged out.',
  connectionEnded: 'The app is disconnected. It receives nothing any more.',
}

const factors: Record<FactorId, string> = {
  password: 'Password',
  passkey: 'Passkey',
  totp: 'Authenticator app',
  emailCode: 'Email code',
  recoveryCode: 'Recovery code',
  deskPass: 'Code from the desk',
}

const after: Record<ChosenFactor, string> = {
  passkey: 'You can still log in with your other passkeys.',
  totp: 'Afterwards you log in with your password and the authenticator app.',
  emailCode: 'Afterwards you log in with your password and a code by email.',
}

export const accountHeadingsEn: { [V in AccountViewName]: (page: Pages[V]) => string } = {
  account: () => 'Login settings',
  'account-choose': () => 'Which society are you with?',
  'account-prove': ({ network }) =>
    network === undefined ? 'Please log in again' : 'You cannot change your settings here',
  'account-closed': () => 'You did not finish logging in',
  'account-rename': () => 'Rename the passkey',
  'account-remove': ({ factor }) =>
    factor === 'passkey' ? 'Remove this passkey?' : 'Remove this authenticator app?',
  'account-email': () => 'Change your email address',
  'account-second-email': ({ second }) =>
    second === undefined ? 'Add a second email address' : 'Remove your second email address?',
  'account-second-code': () => 'Check your email',
  'account-method': () => 'Choose the method to use first',
  'account-password': () => 'Change your password',
  'account-history': () => 'Login history',
}

export const accountEn: typeof accountJa = {
  loginId: 'User ID',
  back: 'Back to login settings',
  done,
  passkeys: 'Passkeys',
  noPasskeys: 'None registered yet.',
  unnamed: '(no name)',
  synced: 'Synced',
  oneDevice: 'Works on one device only',
  registered: (day) => `Registered ${day}`,
  registeredUsed: (day, used) => `Registered ${day}; used ${used}`,
  rename: 'Rename',
  renameOf: (label) => `Rename ${label}`,
  remove: 'Remove',
  removeOf: (label) => `Remove ${label}`,
  addPasskey: 'Add a passkey',
  others: 'Other methods',
  app: 'Authenticator app',
  addApp: 'Add an authenticator app',
  obstacle: {
    network: (network) =>
      `Cannot be added here${network && ` (${network})`}. You can add it from your phone or your own computer.`,
    society: () => 'Not used by this society.',
  },
  email: 'Email',
  changeEmail: 'Change address',
  secondEmail: 'Second address',
  noSecondEmail: 'Receives your codes when you cannot read your usual mail.',
  add: 'Add',
  preferred: 'Used first',
  change: 'Change',
  recoveryCodes: 'Recovery codes',
  codesLeft: (left) => (left === 1 ? 'One left' : `${left} left`),
  noCodes: 'Not made yet. They help when you lose your phone.',
  makeCodes: 'Make',
  renewCodes: 'Make new ones',
  password: 'Password',
  passwordChanged: (day) => `Changed ${day}`,
  changePassword: 'Change',
  sessions: 'Devices logged in',
  thisDevice: 'This device',
  since: (at) => `Since ${at}`,
  sinceSeen: (at, seen) => `Since ${at}; last used ${seen}`,
  endSession: 'Log out',
  endSessionOf: (device) => `Log out ${device}`,
  endOthers: 'Log out all other devices',
  connections: 'Connected apps',
  connectionsLead: 'Apps outside your society that you allowed to receive your information.',
  goneApp: (id) => `An app that is no longer registered (${id})`,
  connectedSince: (day, what) => `Since ${day} / receives: ${what}`,
  disconnect: 'Disconnect',
  disconnectFrom: (app) => `Disconnect ${app}`,
  history: 'See your login history (90 days)',
  choose: 'Choose your health insurance society.',
  open: 'Open your login settings (passkeys, password, devices)',
  prove: {
    lead: 'Before you change anything, we check that it is you. Log in again with the method you registered.',
    next: 'Press “Go to login” to open the login page. When you are done, you come back here.',
    submit: 'Go to login',
    notHere: (network) =>
      `The passkey or authenticator app you registered cannot be used on this network (${network}). Change your settings from your phone or your own PC.`,
  },
  closed: {
    text: 'You need to log in to see your login settings.',
    submit: 'Log in again',
  },
  renamePage: {
    lead: 'Choose a name that tells you which device the passkey is on.',
    label: 'Name of the passkey',
    hint: 'Up to 30 characters',
    submit: 'Rename',
  },
  removePage: {
    what: 'To be removed',
    registered: 'Registered',
    after,
    last: 'Without it you could no longer log in. Add another method first.',
    mail: 'We will also tell you by email that it was removed.',
    submit: 'Remove',
  },
  emailPage: {
    now: 'Current address',
    lead: 'We send a code to your current address and one to the new address. The change is complete once you have entered both.',
    label: 'New email address',
    submit: 'Send the codes',
    noAccess: 'If you cannot read mail at the current address',
    noAccessText: 'Please call us. We will check that it is you and change the address.',
  },
  secondEmailPage: {
    now: 'Registered address',
    lead: 'When you log in, this address can receive your code too. Enter one whose mail you can read now.',
    label: 'Second email address',
    submit: 'Send the code',
    confirm: 'Register',
    removeText: 'Once it is removed, neither codes nor notices go to this address.',
    remove: 'Remove',
    mail: 'We will tell you at both addresses.',
  },
  methodPage: {
    lead: 'When you log in, we ask for this method first. If it is a passkey or an app, codes by email are used only where neither is allowed.',
    describe: {
      passkey: 'Your face, fingerprint or PIN.',
      totp: 'The 6 digits that the app shows.',
      emailCode: 'The 6 digits in an email. A passkey or an authenticator app is safer.',
    },
    submit: 'Use this one',
  },
  passwordPage: {
    lead: 'Changing it logs out all your other devices. This device stays logged in.',
    current: 'Current password',
    submit: 'Change the password',
  },
  historyPage: {
    lead: 'Your logins of the last 90 days. If you do not recognise one, change your password and call us.',
    factors,
    join: ', ',
    none: 'None yet.',
  },
}
