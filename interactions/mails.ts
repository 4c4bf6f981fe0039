import type { Locale } from '../accounts/member.ts'
import type { MailRequest, WrittenMail } from '../accounts/ports.ts'
import { CODE_SECONDS, codeOf, linkTokenOf, matchNumberOf } from '../factors/email-code.ts'
import { writeMail } from '../views/mail.ts'
import { type AddressChange, undoKey } from './confirm-address.ts'
import { findChallenge, isLive, type KeptChallenge } from './email-challenge.ts'
import { UNDO_PREFIX } from './email-link.ts'
import type { Services } from './services.ts'
import { dateTimeText } from './wording.ts'

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
  switch (challenge.purpose) {
    case 'confirmAddress':
      return writeMail('confirmAddress', locale, {
        society,
        values: {
          ...asked,
          link: `${settings.issuer}/email/${linkTokenOf(settings.codeKey, challenge.id)}`,
          matchNumber: matchNumberOf(settings.codeKey, challenge.id),
        },
      })
    case 'proveAddressOnFile':
      return writeMail('proveAddressOnFile', locale, { society, values: asked })
    case 'signIn':
      return writeMail('signInCode', locale, {
        society,
        values: { ...asked, appName: challenge.appName },
      })
  }
}

/** A notice to the member; what it tells of has happened already. */
const notice = async (
  { settings, transient }: Services,
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
    case 'passwordChanged':
      return writeMail('passwordChanged', locale, { society, values: { at } })
    default:
      return undefined
  }
}

/** Turns queued requests into letters; codes and links come into being here and nowhere earlier. */
export const createMailWriter =
  (services: Services) =>
  async (mail: MailRequest): Promise<WrittenMail | undefined> => {
    const isCode = ['confirmAddress', 'proveAddressOnFile', 'signInCode'].includes(mail.template)
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
