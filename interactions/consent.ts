import {
  type ConsentRequest,
  holdsFor,
  isNothing,
  missingFrom,
  namesOf,
  type Permissions,
} from '../accounts/consents.ts'
import type { KnownFacts } from '../accounts/enrolment.ts'
import { clientName } from '../accounts/policy.ts'
import { claimsOfScopes, heldConsent } from '../clients/consents.ts'
import { isLoopbackHost } from '../clients/uris.ts'
import type { ConsentItem } from '../views/pages.ts'
import { type Flow, isKnown } from './flow.ts'
import { tellMember } from './methods/outcome.ts'
import type { Page, StepContext } from './step.ts'

/**
 * Whether the member, who has nothing more to prove or to do, is asked to allow something. Where
 * they did something in this very interaction the engine takes their sign-in first, and asks again.
 */
export const asksConsent = ({ interaction, stored }: Flow): boolean =>
  interaction.prompt.name === 'consent' && stored === undefined

/** What the request asks for, as the policy has kept it with the interaction. */
const requestOf = ({ interaction }: Flow): ConsentRequest =>
  // Only provider/interaction-policy.ts writes the details of this prompt.
  interaction.prompt.details as ConsentRequest

const knownContext = (flow: Flow): StepContext => {
  const { context } = flow
  if (!isKnown(context.facts)) throw new Error('nobody is signed in')
  const facts: KnownFacts = context.facts
  return { ...context, facts }
}

/** What the member has allowed this client so far. */
const heldBy = ({ services, facts, client }: StepContext) =>
  heldConsent(services.consents, facts.member.id, { ...client, id: client.clientId })

/**
 * Each as one line of the list; that it may be used while the member is away comes last. A claim that
 * one of the scopes `within` brings along stands in that one's line.
 */
export const itemsOf = (
  { scopes, claims, resources }: Permissions,
  {
    essential = [],
    within = scopes,
  }: Readonly<{ essential?: readonly string[]; within?: readonly string[] }> = {},
): readonly ConsentItem[] => {
  const covered = claimsOfScopes(within)
  const lines = within
    .map((id) => {
      const its = claimsOfScopes([id])
      return { kind: 'scope' as const, id, claims: claims.filter((claim) => its.includes(claim)) }
    })
    .filter((line) => scopes.includes(line.id) || line.claims.length > 0)
  return [
    ...lines.filter(({ id }) => id !== 'offline_access'),
    ...claims
      .filter((id) => !covered.includes(id))
      .map(
        (id): ConsentItem => ({
          kind: 'claim',
          id,
          ...(essential.includes(id) && { essential: true }),
        }),
      ),
    ...resources.map((one): ConsentItem => {
      const [at = '', id = ''] = one.split(' ')
      return { kind: 'resource', id, at }
    }),
    ...lines.filter(({ id }) => id === 'offline_access'),
  ]
}

/** Where the answer goes: the one thing about an application that is proven. Undefined: to the
 * member's own device, where a host and a port name nobody. */
const siteOf = ({ interaction }: Flow): string | undefined => {
  const uri = String(interaction.params.redirect_uri)
  if (!URL.canParse(uri)) return undefined
  const { protocol, host, hostname } = new URL(uri)
  if (isLoopbackHost(hostname)) return undefined
  return protocol === 'https:' || protocol === 'http:' ? host : undefined
}

/** The page: who asks, for what of it anew, and what follows from either answer. */
export const consentPage = async (flow: Flow): Promise<Page> => {
  const context = knownContext(flow)
  const { client, society, locale } = context
  const { asked, essential } = requestOf(flow)
  const held = await heldBy(context)
  const fresh = missingFrom(held, asked)
  // Asked for all of it once more (prompt=consent): nothing of it is put behind.
  const shown = isNothing(fresh) ? asked : fresh
  const site = siteOf(flow)
  return {
    view: 'consent',
    locals: {
      client: clientName(client, locale),
      thirdParty: client.thirdParty === true,
      society: society.name[locale],
      ...(site !== undefined && { site }),
      items: itemsOf(shown, { essential, within: asked.scopes }),
      before: isNothing(fresh) ? [] : itemsOf(missingFrom(fresh, asked), { essential }),
    },
  }
}

/**
 * Tells what the member allows a third party, and then keeps it: broken off in between, it is still
 * to be allowed, and told once. The society's own applications are allowed this once: nothing is kept
 * of it, since nothing hangs on it.
 */
export const giveConsent = async (flow: Flow): Promise<void> => {
  const context = knownContext(flow)
  const { services, facts, client, society, uid } = context
  const { consents, audit, clock, log } = services
  const { clientId } = client
  const { id: memberId, locale } = facts.member
  const { asked } = requestOf(flow)
  if (client.thirdParty !== true) return
  const held = await heldBy(context)
  const fresh = missingFrom(held, asked)
  // Nothing to keep; ended meanwhile, it stays ended, and the engine asks for it anew.
  if (held && isNothing(fresh)) return
  const now = clock.now()
  await audit.append({
    id: `consent:${uid}`,
    at: now,
    act: 'consentGiven',
    societyId: society.id,
    memberId,
    facts: {
      client: clientId,
      allowed: namesOf(fresh).join(', '),
    },
  })
  if (!held) {
    const own = { ...context, locale }
    await tellMember(own, 'appConnected', uid, { app: clientName(client, locale) })
    // What was allowed to another client of the same ID is not this one's.
    const former = await consents.find(memberId, clientId)
    if (former && !holdsFor(former, client)) await consents.withdraw(memberId, clientId)
  }
  await consents.give({ memberId, clientId, since: now, updatedAt: now, ...fresh })
  log.info({ memberId, clientId }, 'consent given')
}
