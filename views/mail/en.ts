import type { MailTexts } from '../mail.ts'

const METHODS = { passkey: 'Passkey', totp: 'Authenticator app', emailCode: 'Email' } as const

const asked = (at: string, from: string) => `Requested at: ${at}\nRequested from: ${from}`
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
        `Press the button there only if your first screen shows the number ${v.matchNumber} too.`,
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
  },
  signature: ({ name, phone, hours }) => [
    name,
    `Phone: ${phone} (${hours})`,
    'This address only sends email. Replies are not read.',
  ],
}
