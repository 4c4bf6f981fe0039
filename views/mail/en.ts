import type { MailTexts } from '../mail.ts'

const METHODS = {
  passkey: 'Passkey',
  totp: 'Authenticator app',
  emailCode: 'Email',
  recoveryCode: 'Recovery codes',
  secondEmail: 'Second email address',
} as const

const asked = (at: string, from: string) => `Requested at: ${at}\nRequested from: ${from}`
const numbered = (reference: string) => `Reference number: ${reference} (the screen shows the same)`
const NEVER_TELL = 'Never tell anyone this code. Our staff will not ask for it.'
const NOT_YOU = 'If this was not you, do nothing. Nothing will change.'
const CALL_US = 'If this was not you, please call us at the number below.'

export const mailsEn: MailTexts = {
  letters: {
    confirmAddress: (v, society) => ({
      subject: `[${society}] Confirm your email address`,
      body: [
        'Enter this code on the screen to confirm your email address.',
        { label: `Code (valid for ${v.minutes} minutes)`, code: v.code },
        'Or press the link. You can open it on any device.',
        {
          label: 'Link (valid for 24 hours, once)',
          link: v.link,
          button: 'Confirm this email address',
        },
        `Press the button there only if your first screen shows the number ${v.matchNumber} too. If it shows no number, use the code.`,
        numbered(v.reference),
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        NOT_YOU,
      ],
    }),
    confirmSecondAddress: (v, society) => ({
      subject: `[${society}] Confirm your second email address`,
      body: [
        'Enter this code on the screen to register your second email address.',
        { label: `Code (valid for ${v.minutes} minutes, once)`, code: v.code },
        numbered(v.reference),
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        NOT_YOU,
      ],
    }),
    proveAddressOnFile: (v, society) => ({
      subject: `[${society}] Before you change your email address`,
      body: [
        'Someone asked to change your email address. If it was you, enter this code on the screen.',
        { label: `Code (valid for ${v.minutes} minutes)`, code: v.code },
        numbered(v.reference),
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        `${NOT_YOU} If it happens again, please call us.`,
      ],
    }),
    signInCode: (v, society) => ({
      subject: `[${society}] Your login code`,
      body: [
        `Enter this code on the screen to log in to ${v.appName}.`,
        { label: `Code (valid for ${v.minutes} minutes, once)`, code: v.code },
        numbered(v.reference),
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        'If this was not you, someone may know your password. Please call us at the number below.',
      ],
    }),
    addressChanged: (v, society) => ({
      subject: `[${society}] Your email address was changed`,
      body: [
        'Your email address for the login service was changed. We no longer send codes to this address.',
        `Changed at: ${v.changedAt}`,
        'If you made this change, there is nothing to do.',
        'If you did not, undo it with this link.',
        { label: 'Undo (within 7 days)', link: v.link, button: 'Undo the change' },
        'Undoing stops your login for your safety, until we have spoken with you by phone.',
      ],
    }),
    addressConfirmed: (v, society) => ({
      subject: `[${society}] Your new email address`,
      body: [
        'Your email address for the login service is now this one.',
        `New address: ${v.address}\nChanged at: ${v.at}`,
        'If you made this change, there is nothing to do.',
        CALL_US,
      ],
    }),
    passwordChanged: (v, society) => ({
      subject: `[${society}] Your password was changed`,
      body: [
        'Your password for the login service was changed.',
        `Changed at: ${v.at}`,
        'If you made this change, there is nothing to do.',
        CALL_US,
      ],
    }),
    methodAdded: (v, society) => ({
      subject: `[${society}] A sign-in method was added`,
      body: [
        'A sign-in method was added to your login.',
        `Method: ${METHODS[v.method]}\nAdded at: ${v.at}`,
        'If you added it, there is nothing to do.',
        CALL_US,
      ],
    }),
    methodRemoved: (v, society) => ({
      subject: `[${society}] A sign-in method was removed`,
      body: [
        'A sign-in method was removed from your login.',
        `Method: ${METHODS[v.method]}\nRemoved at: ${v.at}`,
        'If you removed it, there is nothing to do.',
        CALL_US,
      ],
    }),
    newDevice: (v, society) => ({
      subject: `[${society}] Login from a new device`,
      body: [
        'Someone logged in from a device or browser that you have not used before.',
        `Logged in at: ${v.at}\nDevice: ${v.device}`,
        'If it was you, there is nothing to do.',
        CALL_US,
      ],
    }),
    recoveryCodeUsed: (v, society) => ({
      subject: `[${society}] A recovery code was used`,
      body: [
        'Someone logged in with one of your recovery codes.',
        `Used at: ${v.at}\nCodes left: ${v.left}`,
        'If it was you, there is nothing to do. If you lost your phone, please call us.',
        CALL_US,
      ],
    }),
    resetCode: (v, society) => ({
      subject: `[${society}] Reset your password`,
      body: [
        'Someone asked to set a new password. If it was you, enter this code on the screen.',
        { label: `Code (valid for ${v.minutes} minutes, once)`, code: v.code },
        asked(v.requestedAt, v.requestedFrom),
        NEVER_TELL,
        `${NOT_YOU} If it happens again, please call us.`,
      ],
    }),
    userIdReminder: (v, society) => ({
      subject: `[${society}] Your user ID`,
      body: [
        'These user IDs are registered with this email address.',
        `User ID:\n${v.loginIds}`,
        `Requested at: ${v.at}`,
        'Logging in takes your password and more, not the user ID alone.',
        NOT_YOU,
      ],
    }),
    appConnected: (v, society) => ({
      subject: `[${society}] An app was connected`,
      body: [
        `You allowed “${v.app}”, an app outside our society, to receive your information.`,
        `Allowed at: ${v.at}`,
        'What it receives is listed under “Connected apps” in Login settings. You can disconnect it there at any time.',
        CALL_US,
      ],
    }),
    appDisconnected: (v, society) => ({
      subject: `[${society}] An app was disconnected`,
      body: [
        `“${v.app}” is disconnected. It receives nothing any more.`,
        `Disconnected at: ${v.at}`,
        'To have information deleted that it already holds, please ask the app’s own support.',
        CALL_US,
      ],
    }),
    deskPassUsed: (v, society) => ({
      subject: `[${society}] Your sign-in methods are being set up anew`,
      body: [
        'The one-use pass from our desk was used. Your earlier sign-in methods (passkeys, authenticator app, recovery codes) no longer work.',
        `Used at: ${v.at}`,
        'If you used it, follow the screen and register a new method.',
        CALL_US,
      ],
    }),
    locked: (v, society) => ({
      subject: `[${society}] Your login is paused`,
      body: [
        'A wrong password was entered too many times, so we paused your login.',
        `Paused at: ${v.at}\nOpen again at: ${v.until}`,
        'To continue sooner, press “Forgot your password” on the login screen and set a new one.',
        'If this was not you, your password is still safe. If it happens again, please call us.',
      ],
    }),
  },
  signature: ({ name, phone, hours }) => [
    name,
    `Phone: ${phone} (${hours})`,
    'This address only sends email. Replies are not read.',
  ],
}
