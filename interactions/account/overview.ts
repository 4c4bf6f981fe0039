import { maskEmailAddress } from '../../accounts/email-address.ts'
import { heldMethods } from '../../accounts/held-methods.ts'
import type { ChosenFactor, Credential } from '../../accounts/member.ts'
import { clientName } from '../../accounts/policy.ts'
import { standingConsents } from '../../clients/consents.ts'
import { passkeysOf, userHandleFor } from '../../factors/passkey.ts'
import type { AccountDone, Pages } from '../../views/pages.ts'
import { itemsOf } from '../consent.ts'
import { liveSessions } from '../sessions.ts'
import type { Page } from '../step.ts'
import { dateText, dateTimeText } from '../wording.ts'
import type { AccountContext } from './access.ts'

type Locals = Pages['account']

/** Why a method cannot be registered here; undefined where it can. */
export const obstacleTo = (
  { facts, society }: AccountContext,
  factor: ChosenFactor,
): 'society' | 'network' | undefined => {
  if (!society.factors.includes(factor)) return 'society'
  return facts.network.factors.includes(factor) ? undefined : 'network'
}

const adding = (context: AccountContext, factor: ChosenFactor): Locals['adding'][number] => {
  const obstacle = obstacleTo(context, factor)
  const { name } = context.facts.network
  return { factor, ...(obstacle && { obstacle }), ...(name !== '' && { network: name }) }
}

const passkeyCards = ({ facts, locale }: AccountContext): Locals['passkeys'] =>
  passkeysOf(facts.member).map(({ id, label, registeredAt, data }) => ({
    id,
    label: label ?? '',
    registered: dateText(registeredAt, locale),
    synced: data.deviceType === 'multiDevice',
    ...(data.lastUsedAt !== undefined && { used: dateTimeText(data.lastUsedAt, locale) }),
  }))

const heldBy = ({ facts }: AccountContext, factor: Credential['factor']): readonly Credential[] =>
  facts.member.credentials.filter((credential) => credential.factor === factor)

const recoveryCodes = (context: AccountContext): Locals['recoveryCodes'] => {
  const [held] = heldBy(context, 'recoveryCode')
  const useful = heldBy(context, 'passkey').length > 0 || heldBy(context, 'totp').length > 0
  if (!held && !useful) return undefined
  return { left: held ? context.factors.recoveryCode.remaining(held) : 0, made: !!held }
}

const sessionCards = async (context: AccountContext): Promise<Locals['sessions']> => {
  const { facts, locale, session } = context
  const sessions = await liveSessions(context, facts.member.id)
  return sessions
    .map(({ uid, device, since, seenAt }) => ({
      uid,
      device,
      current: uid === session.uid,
      since: dateTimeText(since, locale),
      seen: dateTimeText(seenAt, locale),
    }))
    .sort((a, b) => Number(b.current) - Number(a.current))
}

const connectionCards = async ({
  services,
  logos,
  facts,
  locale,
}: AccountContext): Promise<Locals['connections']> =>
  Promise.all(
    (await standingConsents(services.consents, services.clients, facts.member.id)).map(
      async ({ consent, client }) => {
        const logo = client && (await logos.pathOf(client))
        return {
          clientId: consent.clientId,
          ...(client && { name: clientName(client, locale) }),
          ...(logo !== undefined && { logo }),
          since: dateText(consent.since, locale),
          items: itemsOf(consent),
        }
      },
    ),
  )

/** What a browser's own passkey list is to be brought in line with (WebAuthn Level 3 section 5.1.10). */
const signals = ({ facts, services }: AccountContext): string =>
  JSON.stringify({
    rpId: new URL(services.settings.issuer).hostname,
    userId: userHandleFor(facts.member.id),
    allAcceptedCredentialIds: passkeysOf(facts.member).map(({ id }) => id),
    name: facts.member.loginId,
    displayName: facts.member.loginId,
  })

const TELLS_BROWSER: readonly AccountDone[] = ['passkeyAdded', 'passkeyRenamed', 'passkeyRemoved']

/** Everything the member signs in with, and where they are signed in. */
export const overview = async (context: AccountContext, done?: AccountDone): Promise<Page> => {
  const { facts, locale } = context
  const { member } = facts
  const preferred =
    heldMethods(member, context.society.factors).length > 1 ? member.chosenFactor : undefined
  return {
    view: 'account',
    locals: {
      root: `/account/${context.society.id}`,
      loginId: member.loginId,
      passkeys: passkeyCards(context),
      apps: heldBy(context, 'totp').map(({ id, label, registeredAt }) => ({
        id,
        label: label ?? '',
        registered: dateText(registeredAt, locale),
      })),
      adding: [adding(context, 'passkey'), adding(context, 'totp')],
      address: maskEmailAddress(member.email?.address ?? ''),
      ...(member.secondEmail && { secondAddress: maskEmailAddress(member.secondEmail.address) }),
      ...(preferred && { preferred }),
      recoveryCodes: recoveryCodes(context),
      passwordChanged: dateText(member.password.changedAt, locale),
      sessions: await sessionCards(context),
      connections: await connectionCards(context),
      ...(done && { done }),
      ...(done && TELLS_BROWSER.includes(done) && { signals: signals(context) }),
    },
  }
}
