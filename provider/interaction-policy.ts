import { type Client, errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import type { Acr } from '../accounts/assurance.ts'
import { proofsOf } from '../accounts/assurance.ts'
import { isNothing, missingFrom } from '../accounts/consents.ts'
import { type Facts, next } from '../accounts/enrolment.ts'
import type { Member, MemberId } from '../accounts/member.ts'
import {
  type NetworkPolicy,
  requestedAt,
  requestPolicy,
  type SocietyPolicy,
} from '../accounts/policy.ts'
import type { Clock } from '../accounts/ports.ts'
import { type MemberAccount, pairwiseIdentifier } from './account.ts'
import { termsOf } from './clients.ts'
import { askedBy, consentRequestOf, type FindConsent } from './consents.ts'

/** What the policy asks of the rest of the product about one request. */
export type PolicyContext = Readonly<{
  clock: Clock
  clientOf(client: Client): Readonly<{ requiredAcr: Acr; maxAge?: number; society: string }>
  societyOf(societyId: string): SocietyPolicy
  networkOf(ctx: KoaContextWithOIDC, societyId: string): NetworkPolicy
}>

const factsOf = (ctx: KoaContextWithOIDC, policy: PolicyContext): Facts => {
  const { session, client, params, account, entities, result } = ctx.oidc
  if (!client || !params) throw new Error('the policy runs on authorization requests only')
  const now = policy.clock.now()
  const clientPolicy = policy.clientOf(client)
  const since = requestedAt(result, entities.Interaction?.iat ?? now)
  const request = requestPolicy(clientPolicy, params, since)
  // What is only wished for is no reason to refuse a request that must not ask anything.
  const silent = params.prompt === 'none'
  const member: Member | undefined = (account as MemberAccount | undefined)?.member
  const ours = member?.societyId === clientPolicy.society
  return {
    now,
    member: ours ? member : undefined,
    request: silent ? { ...request, voluntaryAcrs: [] } : request,
    network: policy.networkOf(ctx, clientPolicy.society),
    society: policy.societyOf(clientPolicy.society),
    session: {
      proofs: proofsOf(session?.amr ?? [], session?.loginTs ?? 0),
      ...(session && { id: session.uid }),
      enrolledHere: false,
      doneSeen: false,
      offerDevice: false,
    },
  }
}

/**
 * What this request is told of the session's proofs, before the engine's own checks look at it. One
 * that makes a weaker acr essential is told that one, and the next must not be told the same.
 */
const tellAcr = (ctx: KoaContextWithOIDC, policy: PolicyContext): void => {
  const { session } = ctx.oidc
  const due = next(factsOf(ctx, policy))
  if (session && due.kind === 'finish') session.acr = due.acr
}

/** The subject of a JWT that the engine validated when the request came in. */
const subjectOf = (jwt: string): unknown =>
  JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()).sub

/**
 * Whether the one now signed in is another than id_token_hint names (OIDC Core section 3.1.2.1).
 * The engine asks this when a request comes in and not when it comes back from our pages.
 */
const isOtherThanHinted = (ctx: KoaContextWithOIDC, salt: string): boolean => {
  const { params, session, client, result } = ctx.oidc
  const hint = params?.id_token_hint
  if (!result?.login || typeof hint !== 'string' || !client || !session?.accountId) return false
  const { accountId } = session
  const sub =
    client.subjectType === 'pairwise' ? pairwiseIdentifier(salt)(ctx, accountId, client) : accountId
  return subjectOf(hint) !== sub
}

/** Whether a third party asks for something that the member has not allowed it. */
const isConsentMissing = async (
  ctx: KoaContextWithOIDC,
  findConsent: FindConsent,
): Promise<boolean> => {
  const { client, session } = ctx.oidc
  if (!client || !session?.accountId || termsOf(client).thirdParty !== true) return false
  // The engine's account IDs are ours.
  const consent = await findConsent(session.accountId as MemberId, client.clientId)
  return !consent || !isNothing(missingFrom(consent, askedBy(ctx)))
}

/**
 * Whether an answer would go to whatever app on the member's device has taken the address: any can
 * say that it is this client, so the member is asked each time (RFC 8252 section 8.6).
 */
const isNobodysApp = ({ oidc }: KoaContextWithOIDC): boolean => {
  const { client, params, result } = oidc
  if (!client || termsOf(client).thirdParty !== true || result?.consent) return false
  return client.applicationType === 'native' && !String(params?.redirect_uri).startsWith('https:')
}

/**
 * When the engine must send the member to our pages: whenever `next` would still ask something, and
 * then where something is to be allowed. The society's own applications need no word for that,
 * unless they ask for one (prompt=consent).
 * The engine's own checks of id_token_hint, requested sub and essential acr stay in force; its
 * max_age check is replaced by ours, which knows the client's own limit too.
 */
export const createInteractionPolicy = (
  policy: PolicyContext & Readonly<{ pairwiseSalt: string; findConsent: FindConsent }>,
) => {
  const { base, Check, Prompt } = interactionPolicy
  const prompts = base()
  prompts.remove('consent')
  const login = prompts.get('login')
  if (!login) throw new Error('the engine has no login prompt')
  login.checks.remove('max_age')
  login.checks.add(
    new Check('acr_told', 'nothing is asked for this', 'login_required', (ctx) => {
      tellAcr(ctx, policy)
      return Check.NO_NEED_TO_PROMPT
    }),
    0,
  )
  login.checks.add(
    new Check('other_member', 'another member signed in', 'login_required', (ctx) => {
      if (isOtherThanHinted(ctx, policy.pairwiseSalt)) {
        throw new errors.LoginRequired('another member signed in than id_token_hint names')
      }
      return Check.NO_NEED_TO_PROMPT
    }),
  )
  login.checks.add(
    new Check('steps_due', 'the member has steps to complete', 'login_required', (ctx) =>
      next(factsOf(ctx, policy)).kind === 'finish' ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT,
    ),
  )
  prompts.add(
    new Prompt(
      { name: 'consent', requestable: true },
      (ctx) => ({ ...consentRequestOf(ctx) }),
      new Check(
        'consent_missing',
        'the member has not allowed this yet',
        'consent_required',
        (ctx) => isConsentMissing(ctx, policy.findConsent),
      ),
      new Check('native_app', 'an app is allowed each time', 'interaction_required', (ctx) =>
        isNobodysApp(ctx),
      ),
    ),
  )
  return prompts
}
