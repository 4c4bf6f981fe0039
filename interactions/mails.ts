import { CHOSEN_FACTORS, type Locale } from '../accounts/member.ts'
import type { MailRequest, MailTemplate, WrittenMail } from '../accounts/ports.ts'
import {
  CODE_SECONDS,
  codeOf,
  linkTokenOf,
  matchNumberOf,
  referenceOf,
} from '../factors/email-code.ts'
import { writeMail } from '../views/mail.ts'
import { type AddressChange, undoKey } from './confirm-address.ts'
import { findChallenge, isLive, type KeptChallenge } from './email-challenge.ts'
import { UNDO_PREFIX } from './email-link.ts'
import type { Services } from './services.ts'
import { dateTimeText } from './wording.ts'

const CODE_TEMPLATES: readonly MailTemplate[] = [
  'confirmAddress',
  'confirmSecondAddress',
  'proveAddressOnFile',
  'signInCode',
  'resetCode',
]

/** What a mail says was added or removed: a method, or a second address for its codes. */
const REMOVED = [...CHOSEN_FACTORS, 'secondEmail'] as const
const ADDED = [...REMOVED, 'recoveryCode'] as const

type Letter = ReturnType<typeof writeMail>

/** A mail with a code: written only while the code can still be used. */
const codeLetter = (
  { settings, clock }: Services,
  mail: MailRequest,
  challenge: KeptChallenge | undefined,
): Letter | undefined => {
  const society = settings.societies.get(mail.societyId)
  if (!society || !challenge || challenge.answeredAt !== undefined) return undefined
  if (!isLive(challenge, clock.now())) return undefined
  const { locale } = mail
  const code = codeOf(settings.codeKey, challenge)
  const asked = {
    code,
    minutes: CODE_SECONDS / 60,
    requestedAt: dateTimeText(challenge.createdAt, locale),
    requestedFrom: challenge.requestedFrom,
  }
  const shown = { ...asked, reference: referenceOf(settings.codeKey, challenge.id) }
  switch (challenge.purpose) {
    case 'confirmAddress':
      return writeMail('confirmAddress', locale, {
        society,
        values: {
          ...shown,
          link: `${settings.issuer}/email/${linkTokenOf(settings.codeKey, challenge.id)}`,
          matchNumber: matchNumberOf(settings.codeKey, challenge.id),
        },
      })
    case 'confirmSecondAddress':
      return writeMail('confirmSecondAddress', locale, { society, values: shown })
    case 'proveAddressOnFile':
      return writeMail('proveAddressOnFile', locale, { society, values: shown })
    case 'signIn':
      return writeMail('signInCode', locale, {
        society,
        values: { ...shown, appName: challenge.appName },
      })
    case 'resetPassword':
      // Asked for by somebody who named no member: it goes to nobody.
      if (challenge.address === '') return undefined
      return writeMail('resetCode', locale, { society, values: asked })
  }
}

/** A notice to the member; what it tells of has happened already. */
const notice = async (
  { settings, transient, members }: Services,
  mail: MailRequest,
): Promise<Letter | undefined> => {
  const society = settings.societies.get(mail.societyId)
  if (!society) return undefined
  const { locale } = mail
  const at = dateTimeText(mail.requestedAt, locale)
  switch (mail.template) {
    case 'addressChanged': {
      const id = mail.challengeId ?? ''
      const change = await transient.get<AddressChange>(undoKey(id))
      if (!change) return undefined
      const token = linkTokenOf(settings.codeKey, `${UNDO_PREFIX}${id}`)
      const link = `${settings.issuer}/email-undo/${token}`
      return writeMail('addressChanged', locale, { society, values: { changedAt: at, link } })
    }
    case 'addressConfirmed': {
      const address = mail.facts.address ?? ''
      return writeMail('addressConfirmed', locale, { society, values: { address, at } })
    }
    case 'passwordChanged':
      return writeMail('passwordChanged', locale, { society, values: { at } })
    case 'methodAdded': {
      const method = ADDED.find((factor) => factor === mail.facts.factor)
      if (!method) return undefined
      return writeMail('methodAdded', locale, { society, values: { method, at } })
    }
    case 'methodRemoved': {
      const method = REMOVED.find((factor) => factor === mail.facts.factor)
      if (!method) return undefined
      return writeMail('methodRemoved', locale, { society, values: { method, at } })
    }
    case 'newDevice': {
      const device = mail.facts.device ?? '—'
      return writeMail('newDevice', locale, { society, values: { device, at } })
    }
    case 'recoveryCodeUsed': {
      const left = mail.facts.left ?? ''
      return writeMail('recoveryCodeUsed', locale, { society, values: { left, at } })
    }
    case 'appConnected':
    case 'appDisconnected':
      return writeMail(mail.template, locale, {
        society,
        values: { app: mail.facts.app ?? '', at },
      })
    case 'deskPassUsed':
      return writeMail('deskPassUsed', locale, { society, values: { at } })
    case 'locked': {
      if (mail.to === '') return undefined
      const until = mail.facts.until ?? ''
      return writeMail('locked', locale, { society, values: { until, at } })
    }
    case 'userIdReminder': {
      const holders = await members.findByVerifiedEmail(society.id, mail.to)
      if (holders.length === 0) return undefined
      const loginIds = holders.map(({ loginId }) => loginId).join('\n')
      return writeMail('userIdReminder', locale, { society, values: { loginIds, at } })
    }
    default:
      return undefined
  }
}

/** Turns queued requests into letters; codes and links come into being here and nowhere earlier. */
export const createMailWriter =
  (services: Services) =>
  async (mail: MailRequest): Promise<WrittenMail | undefined> => {
    const isCode = CODE_TEMPLATES.includes(mail.template)
    const letter = isCode
      ? codeLetter(services, mail, await findChallenge(services, mail.challengeId))
      : await notice(services, mail)
    if (!letter) return undefined
    const society = services.settings.societies.get(mail.societyId)
    const sender = (locale: Locale) => society?.name[locale] ?? ''
    return {
      id: mail.id,
      to: mail.to,
      from: { name: sender(mail.locale), address: services.settings.mailFrom },
      ...letter,
    }
  }
