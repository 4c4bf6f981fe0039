import type { Context } from 'koa'
import type { Provider } from 'oidc-provider'
import { proofsOf } from '../accounts/assurance.ts'
import { type Facts, type KnownFacts, settle } from '../accounts/enrolment.ts'
import { IdentityError, StaleInteractionError, StaleMemberError } from '../accounts/errors.ts'
import type { Locale, Member } from '../accounts/member.ts'
import type { ClientPolicy } from '../accounts/policy.ts'
import { INTERACTION_SECONDS, requestedAt, requestPolicy } from '../accounts/policy.ts'
import type { Society } from '../accounts/society.ts'
import type { Factors } from '../factors/index.ts'
import { localeOf } from './locale.ts'
import type { Logos } from './logos.ts'
import type { Services } from './services.ts'
import { sessionOf } from './sessions.ts'
import {
  type FlowFacts,
  type FlowPatch,
  type SaveFlow,
  type StepContext,
  signInOf,
} from './step.ts'
import { addressOf, networkOf } from './trust.ts'
import { visitOf } from './visit.ts'
import { deviceText } from './wording.ts'

type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>

/** One authorization request as it stands: the engine's interaction and the facts about it. */
export type Flow = Readonly<{
  interaction: Interaction
  /** As stored, for compare-and-set; undefined before the first act. */
  stored: FlowFacts | undefined
  context: StepContext<Facts>
}>

export const flowKey = (uid: string) => `flow:${uid}`

const NEW_FLOW: FlowFacts = { proofs: [], doneSeen: false }

/** What an existing session brings along, unless the request wants the member to sign in anew. */
const fromSession = async (
  provider: Provider,
  { prompt }: Interaction,
  session: Readonly<{ accountId?: string | undefined; uid: string }> | undefined,
): Promise<Pick<FlowFacts, 'memberId' | 'proofs' | 'sessionUid'> | undefined> => {
  const anew = ['login_prompt', 'id_token_hint', 'claims_id_token_sub_value']
  if (!session?.accountId || prompt.reasons.some((reason) => anew.includes(reason)))
    return undefined
  const found = await provider.Session.findByUid(session.uid)
  // The session as it is now: a weaker sign-in since then makes no older proof new.
  if (!found?.loginTs || found.accountId !== session.accountId) return undefined
  return {
    memberId: session.accountId as Member['id'],
    proofs: proofsOf(found.amr ?? [], found.loginTs),
    sessionUid: session.uid,
  }
}

const begin = async (
  provider: Provider,
  interaction: Interaction,
  visit: string,
): Promise<FlowFacts> => {
  const hint = interaction.params.login_hint
  return {
    ...NEW_FLOW,
    visit,
    ...(typeof hint === 'string' && { loginId: hint.slice(0, 64) }),
    ...(await fromSession(provider, interaction, interaction.session)),
  }
}

/**
 * What was left half-way in a visit that has ended since begins anew: nothing proven then counts, nor
 * goes to the relying party. Where the same member has signed in in this browser meanwhile, in another
 * tab, their session stands for them; but not for what a form says, which may be somebody else's.
 */
const beginAnew = async (
  provider: Provider,
  ctx: Context,
  interaction: Interaction,
  { left, visit }: Readonly<{ left: FlowFacts; visit: string }>,
): Promise<FlowFacts> => {
  if (interaction.result) {
    interaction.result = undefined
    await interaction.persist()
  }
  const begun = await begin(provider, interaction, visit)
  const session = ctx.method === 'GET' ? await sessionOf(provider, ctx) : undefined
  const isSame = session?.accountId !== undefined && session.accountId === left.memberId
  return {
    ...begun,
    ...(isSame && (await fromSession(provider, interaction, session))),
    // The record tells of nothing that was done in this one.
    signIn: `${interaction.uid}|${visit}`,
  }
}

/** What was proven in this sign-in as the member's record tells (`provenIn`), should the flow not: by a
 * mailed link, on whatever device, or by a form that was not answered to its end. */
const withProofOnRecord = (uid: string, flow: FlowFacts, member: Member | undefined): FlowFacts => {
  const told = member?.provenIn
  if (told?.signIn !== signInOf(uid, flow)) return flow
  const { factor, at } = told.proof
  if (flow.proofs.some((proof) => proof.factor === factor && proof.at >= at)) return flow
  return { ...flow, proofs: [...flow.proofs, told.proof] }
}

/** Where this sign-in is the one that goes on alone, what was proven in it before stands as of then. */
const withProofsKept = (uid: string, flow: FlowFacts, member: Member | undefined): FlowFacts => {
  const { at, signIn } = member?.begunAnew ?? {}
  if (at === undefined || signIn !== signInOf(uid, flow)) return flow
  return { ...flow, proofs: flow.proofs.map((proof) => (proof.at < at ? { ...proof, at } : proof)) }
}

export type FlowDependencies = Readonly<{
  services: Services
  factors: Factors
  provider: Provider
  logos: Logos
}>

const interactionOf = async (provider: Provider, ctx: Context): Promise<Interaction> => {
  let interaction: Interaction
  try {
    interaction = await provider.interactionDetails(ctx.req, ctx.res)
  } catch (error) {
    if (error instanceof Error && 'error' in error) {
      throw new StaleInteractionError(error.message, { cause: error })
    }
    throw error
  }
  if (interaction.uid !== ctx.params.uid) {
    throw new StaleInteractionError('the cookie is another interaction’s')
  }
  return interaction
}

const partiesOf = async ({ settings, clients }: Services, interaction: Interaction) => {
  const client = await clients.find(String(interaction.params.client_id))
  const society = client && settings.societies.get(client.societyId)
  if (!client || !society) throw new IdentityError('unknown_client', 400, 'client without policy')
  return { client, society }
}

/** Facts from the records: the member's, the flow's, the request's, the network's. */
const factsOf = (
  services: Services,
  parts: Readonly<{
    flow: FlowFacts
    member: Member | undefined
    client: ClientPolicy
    society: Society
    interaction: Interaction
    address: string
    locale: Locale
  }>,
): Facts => {
  const { flow, member, client, society, interaction, address, locale } = parts
  const signIn = signInOf(interaction.uid, flow)
  return {
    now: services.clock.now(),
    member,
    request: requestPolicy(
      client,
      interaction.params,
      requestedAt(interaction.lastSubmission, interaction.iat),
    ),
    network: networkOf(society, address, locale),
    society: {
      id: society.id,
      termsVersion: society.terms.version,
      registerFactor: society.registerFactor,
    },
    session: {
      proofs: flow.proofs,
      ...(flow.sessionUid !== undefined && { id: flow.sessionUid }),
      signIn,
      enrolledHere: member?.enrolledIn === signIn,
      doneSeen: flow.doneSeen,
      offerDevice: flow.offerDevice === true,
    },
  }
}

/**
 * Loads the request behind `ctx.params.uid`, which must be the one of the browser's own cookie.
 * @throws StaleInteractionError when it is expired, finished or another browser's
 */
export const loadFlow = async (
  { services, factors, provider }: FlowDependencies,
  ctx: Context,
): Promise<Flow> => {
  const interaction = await interactionOf(provider, ctx)
  const { uid } = interaction
  const { client, society } = await partiesOf(services, interaction)
  const stored = await services.transient.get<FlowFacts>(flowKey(uid))
  const visit = await visitOf(ctx, services)
  const begun =
    stored === undefined
      ? await begin(provider, interaction, visit)
      : stored.visit === visit
        ? stored
        : await beginAnew(provider, ctx, interaction, { left: stored, visit })
  const found = begun.memberId && (await services.members.findById(begun.memberId))
  const member = found && found.societyId === society.id ? found : undefined
  // Who is signed in already need not type the ID again.
  const named = member ? { loginId: member.loginId, ...begun } : begun
  const flow = withProofsKept(uid, withProofOnRecord(uid, named, member), member)
  const address = addressOf(ctx)
  const locale = localeOf(ctx, interaction.params.ui_locales)
  const facts = factsOf(services, { flow, member, client, society, interaction, address, locale })
  return {
    interaction,
    stored,
    context: {
      facts,
      flow,
      services,
      factors,
      client,
      society,
      locale,
      uid,
      device: deviceText(ctx.get('User-Agent')),
      userAgent: ctx.get('User-Agent').slice(0, 512),
      address,
    },
  }
}

/** Facts whose value is undefined are none. */
const withoutUndefined = (facts: object): FlowFacts =>
  // The same facts, less those that a patch has removed.
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as FlowFacts

/** The change made to what another request of this interaction has left; undefined: to nothing, as
 * where that is of another visit. */
const changeAnew =
  (read: FlowFacts, patch: FlowPatch, isMoot?: (now: FlowFacts) => boolean) =>
  (current: unknown): unknown => {
    // Only this file writes values under such keys.
    const now = (current ?? { ...NEW_FLOW, visit: read.visit }) as FlowFacts
    if (now.visit !== read.visit) return undefined
    if (!('memberId' in patch) && now.memberId !== read.memberId) return undefined
    if (isMoot?.(now)) return current
    // Who gives the password twice at once waits for the one code that was mailed.
    const isAgain = 'memberId' in patch && patch.memberId === now.memberId
    return withoutUndefined({
      ...now,
      ...patch,
      ...(isAgain && { signInCode: now.signInCode }),
    })
  }

const MAX_WRITES = 5

/** `saveChange`, made at once: what is read after it is what the store holds. */
export const saveChangeNow = async (
  flow: Flow,
  patch: FlowPatch,
  isMoot?: (now: FlowFacts) => boolean,
): Promise<void> => {
  const { uid, flow: read, services } = flow.context
  const { transient } = services
  const anew = changeAnew(read, patch, isMoot)
  let previous: unknown = flow.stored
  let value: unknown = withoutUndefined({ ...read, ...patch })
  for (let writes = 1; value !== undefined && writes <= MAX_WRITES; writes += 1) {
    if (await transient.replace(flowKey(uid), previous, value, INTERACTION_SECONDS)) break
    previous = await transient.get(flowKey(uid))
    value = anew(previous)
  }
}

/**
 * Writes what a form has changed, by the time the request is answered. Where another request of this
 * interaction wrote first, the change is made to what that one left, as long as it is still about
 * the same member: no proof of one joins another's. Unless `isMoot` says of that that there is no
 * need. Returns the flow with the change, for the next one.
 */
export const saveChange = async (
  flow: Flow,
  patch: FlowPatch,
  isMoot?: (now: FlowFacts) => boolean,
): Promise<Flow> => {
  const { uid, flow: read, services } = flow.context
  const { replaceLater } = services.transient
  const first = withoutUndefined({ ...read, ...patch })
  if (replaceLater) {
    const anew = changeAnew(read, patch, isMoot)
    await replaceLater(flowKey(uid), flow.stored, first, INTERACTION_SECONDS, anew)
  } else {
    await saveChangeNow(flow, patch, isMoot)
  }
  return { ...flow, stored: first, context: { ...flow.context, flow: first } }
}

/** Saves one change after another. */
export const changesOf = (flow: Flow): SaveFlow => {
  let current = flow
  return async (patch, isMoot) => {
    current = await saveChange(current, patch, isMoot)
  }
}

export const isKnown = (facts: Facts): facts is KnownFacts => facts.member !== undefined

/**
 * The member changed and saved, with the first login marked complete where this completes it.
 * Returns the session facts as they are then. @throws StaleMemberError when another request saved
 * the member first: the caller looks again at what is due
 */
export const saveMember = async (
  services: Services,
  facts: Facts,
  change: (member: Member) => Member,
): Promise<Facts> => {
  if (!isKnown(facts)) return facts
  const settled = settle({ ...facts, member: change(facts.member) })
  if (settled.member === facts.member) return facts
  const member = await services.members.save(settled.member)
  return { ...settled, member }
}

export const isStaleMember = (error: unknown): boolean => error instanceof StaleMemberError
