import type { Context } from 'koa'
import type { Provider } from 'oidc-provider'
import { accountClientPolicy } from '../../accounts/account-client.ts'
import { proofsOf } from '../../accounts/assurance.ts'
import { type KnownFacts, next } from '../../accounts/enrolment.ts'
import type { EpochSeconds, MemberId } from '../../accounts/member.ts'
import { requestPolicy } from '../../accounts/policy.ts'
import { FRESH_PROOF_SECONDS } from '../../accounts/sign-ins.ts'
import type { Society } from '../../accounts/society.ts'
import { CODE_SECONDS } from '../../factors/email-code.ts'
import type { FlowDependencies } from '../flow.ts'
import { localeOf } from '../locale.ts'
import type { Logos } from '../logos.ts'
import { sessionOf } from '../sessions.ts'
import type { FlowFacts, StepContext } from '../step.ts'
import { addressOf, networkOf } from '../trust.ts'
import { deviceText } from '../wording.ts'

/** What the account page remembers of a change of address under way in one session. */
export type AddressFlow = Pick<
  FlowFacts,
  'challengeId' | 'notice' | 'mailsPausedUntil' | 'typoAskedFor' | 'wantedAddress'
> &
  Readonly<{
    /** The member's address at the time its code was answered. */ provenAddress?: string
  }>

/** A member at their account page: everything that the steps of a sign-in look at, and the session. */
export type AccountContext = StepContext &
  Readonly<{
    provider: Provider
    logos: Logos
    session: Readonly<{ uid: string; provenAt: EpochSeconds }>
    addressFlow: AddressFlow
    /** The last part of the page's path: a credential, or which kind. */
    id: string | undefined
    /** The page's own address. */
    path: string
  }>

const addressFlowKey = (sessionUid: string, memberId: MemberId): string =>
  `account-address:${sessionUid}:${memberId}`

/** Replaces what is remembered of the change of address; as long as a code lives. */
export const saveAddressFlow = (
  { services, session, facts }: AccountContext,
  flow: AddressFlow,
): Promise<void> =>
  services.transient.put(addressFlowKey(session.uid, facts.member.id), flow, CODE_SECONDS)

/**
 * The member whose session this browser holds, if it would do for an authorization request of the
 * account page without asking anything: the society's member, not blocked, within the session's
 * limits, enough proven. Undefined: send an authorization request.
 */
export const loadAccount = async (
  { services, factors, provider, logos }: FlowDependencies,
  ctx: Context,
  society: Society,
): Promise<AccountContext | undefined> => {
  const session = await sessionOf(provider, ctx)
  const client = accountClientPolicy(services.settings.issuer, society)
  if (!session.accountId || session.loginTs === undefined) return undefined
  const member = await services.members.findById(session.accountId)
  if (member?.societyId !== society.id) return undefined

  const now = services.clock.now()
  const address = addressOf(ctx)
  const locale = localeOf(ctx)
  const proofs = proofsOf(session.amr ?? [], session.loginTs)
  const facts: KnownFacts = {
    now,
    member,
    request: requestPolicy(client, {}, now),
    network: networkOf(society, address, locale),
    society: {
      id: society.id,
      termsVersion: society.terms.version,
      registerFactor: society.registerFactor,
    },
    session: { id: session.uid, proofs, enrolledHere: false, doneSeen: false, offerDevice: false },
  }
  if (next(facts).kind !== 'finish') return undefined

  const addressFlow =
    (await services.transient.get<AddressFlow>(addressFlowKey(session.uid, member.id))) ?? {}
  const { provenAddress: _, ...mailFlow } = addressFlow
  return {
    facts,
    flow: { proofs, doneSeen: false, ...mailFlow },
    services,
    factors,
    client,
    society,
    locale,
    uid: `account-${session.uid}`,
    device: deviceText(ctx.get('User-Agent')),
    userAgent: ctx.get('User-Agent').slice(0, 512),
    address,
    atAccount: true,
    provider,
    logos,
    session: { uid: session.uid, provenAt: session.loginTs },
    addressFlow,
    id: ctx.params.id === undefined ? undefined : String(ctx.params.id),
    path: ctx.path,
  }
}

/**
 * ASVS 5.0 7.5.1: whoever changes the account has proven themselves within five minutes, and by no
 * less than the strongest kind that the account holds.
 */
export const isFresh = ({ facts, session }: AccountContext): boolean =>
  facts.now - session.provenAt <= FRESH_PROOF_SECONDS && !needsStrongerProof(facts)

/** A passkey or an app is held, and this session rests on less: an e-mail code of a company network. */
export const needsStrongerProof = ({ member, session }: KnownFacts): boolean => {
  const isStrong = ({ factor }: { factor: string }) => factor === 'passkey' || factor === 'totp'
  return member.credentials.some(isStrong) && !session.proofs.some(isStrong)
}
