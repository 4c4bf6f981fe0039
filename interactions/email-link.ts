import Router from '@koa/router'
import type { Context } from 'koa'
import type { Provider } from 'oidc-provider'
import { maskEmailAddress } from '../accounts/email-address.ts'
import {
  type Member,
  type MemberId,
  proveIn,
  undoEmailChange,
  undoneWith,
} from '../accounts/member.ts'
import { challengeIdOf, LINK_SECONDS, matchNumberOf } from '../factors/email-code.ts'
import type { Pages } from '../views/pages.ts'
import { render } from '../views/render.ts'
import { commonLocals } from './common.ts'
import { type AddressChange, confirmAddress, undoKey } from './confirm-address.ts'
import { refuseCrossSite } from './csrf.ts'
import {
  answerOnce,
  findChallenge,
  hasProven,
  isAnswered,
  isShared,
  type KeptChallenge,
  type PendingAddress,
  pendingKey,
} from './email-challenge.ts'
import { parseForm } from './form.ts'
import { localeOf } from './locale.ts'
import type { Services } from './services.ts'
import { endOtherSessions } from './sessions.ts'
import { updateMember } from './update-member.ts'
import { rememberedApp } from './way-back.ts'
import { dateTimeText } from './wording.ts'

type LinkDependencies = Readonly<{ provider: Provider; services: Services }>
type LinkState = Pages['email-link']['state']
/** An undo link's token is that of a challenge whose ID starts so. */
export const UNDO_PREFIX = 'undo-'

/** Not blocked, nor has the sign-in that asked been ended since, by whomever. */
const isOpen = ({ blocked, signedOut }: Member, { createdAt }: KeptChallenge): boolean =>
  !blocked && !(signedOut && signedOut.at > createdAt)

const stateOf = async (
  services: Services,
  challenge: KeptChallenge | undefined,
): Promise<LinkState> => {
  if (challenge?.purpose !== 'confirmAddress') return 'expired'
  const member = await services.members.findById(challenge.memberId)
  if (!member) return 'expired'
  if (hasProven(member, challenge.address)) return 'used'
  if (services.clock.now() - challenge.createdAt >= LINK_SECONDS) return 'expired'
  const pending = await services.transient.get<PendingAddress>(pendingKey(member.id))
  // The newest mail's link only, and none of a change that was given up or an account that is blocked.
  return pending?.challengeId === challenge.id && isOpen(member, challenge) ? 'ask' : 'superseded'
}

const challengeOf = (services: Services, ctx: Context): Promise<KeptChallenge | undefined> =>
  findChallenge(services, challengeIdOf(services.settings.codeKey, String(ctx.params.token)))

/** GET never changes anything: mail scanners follow links. */
const showLink = async (services: Services, ctx: Context): Promise<void> => {
  const { settings } = services
  const challenge = await challengeOf(services, ctx)
  const state = await stateOf(services, challenge)
  const locale = localeOf(ctx, challenge?.locale)
  const waiting = await rememberedApp(ctx, services)
  const here = challenge !== undefined && waiting.uid === challenge.uid
  const shared = challenge !== undefined && (await isShared(services, challenge))
  const justNow = state === 'used' && ctx.query.confirmed !== undefined
  if (state === 'expired' || state === 'superseded') ctx.status = 410
  await render(
    ctx,
    'email-link',
    commonLocals(ctx, locale, {
      society: challenge && settings.societies.get(challenge.societyId),
    }),
    {
      state: justNow ? 'confirmed' : state,
      address: challenge ? maskEmailAddress(challenge.address) : '',
      matchNumber: challenge ? matchNumberOf(settings.codeKey, challenge.id) : '',
      requestedAt: challenge ? dateTimeText(challenge.createdAt, locale) : '',
      requestedFrom: challenge?.requestedFrom ?? '',
      token: String(ctx.params.token),
      ...(shared && { shared }),
      ...(here && { continuePath: `/interaction/${challenge.uid}` }),
    },
  )
}

/** Proven by whichever request is first, and by none that a block or a sign-out overtook. */
const unlessProven =
  (challenge: KeptChallenge, change: (member: Member) => Member) =>
  (member: Member): Member =>
    isOpen(member, challenge) && !hasProven(member, challenge.address) ? change(member) : member

/**
 * The button: confirms the address once, and lets the request that asked for it go on. Saving the
 * member is what counts it as confirmed, so that after a crash before that the link is still good.
 */
const confirmLink = async (services: Services, ctx: Context): Promise<void> => {
  refuseCrossSite(ctx, services.settings.issuer)
  const challenge = await challengeOf(services, ctx)
  const asked = (await stateOf(services, challenge)) === 'ask'
  const member = challenge && asked && (await services.members.findById(challenge.memberId))
  if (challenge && member && (isAnswered(challenge) || (await answerOnce(services, challenge)))) {
    const { signIn } = challenge
    const change = await confirmAddress(services, challenge, member)
    const proof = { factor: 'emailCode', at: services.clock.now() } as const
    const isOwn = !(await isShared(services, challenge))
    await updateMember(
      services,
      member,
      unlessProven(challenge, (current) => {
        const changed = change(current)
        return isOwn ? proveIn(changed, signIn, proof) : changed
      }),
    )
    await services.transient.take(pendingKey(member.id))
    services.log.info({ memberId: member.id }, 'address confirmed by link')
  }
  ctx.redirect(`/email/${ctx.params.token}${asked ? '?confirmed' : ''}`)
  ctx.status = 303
}

const undoId = (services: Services, ctx: Context): string | undefined => {
  const id = challengeIdOf(services.settings.codeKey, String(ctx.params.token))
  return id?.startsWith(UNDO_PREFIX) ? id.slice(UNDO_PREFIX.length) : undefined
}

/** The change that a link undoes, as long as it can be: not once an earlier one was undone. */
const undoable = async (
  services: Services,
  id: string | undefined,
): Promise<Readonly<{ change: AddressChange; member: Member }> | undefined> => {
  const change =
    id === undefined ? undefined : await services.transient.get<AddressChange>(undoKey(id))
  const member = change && (await services.members.findById(change.memberId as MemberId))
  if (!member) return undefined
  const undone = undoneWith(member, change.changedAt) ?? change.changedAt
  return undone === change.changedAt ? { change, member } : undefined
}

const showUndo = async (
  { settings }: Services,
  ctx: Context,
  state: Pages['email-undo']['state'],
  found?: Readonly<{ change: AddressChange; member: Member }>,
): Promise<void> => {
  const locale = localeOf(ctx, found?.member.locale)
  if (state === 'expired') ctx.status = 410
  await render(
    ctx,
    'email-undo',
    commonLocals(ctx, locale, {
      society: found && settings.societies.get(found.member.societyId),
    }),
    {
      state,
      formerAddress: found ? maskEmailAddress(found.change.former) : '',
      changedAt: found ? dateTimeText(found.change.changedAt, locale) : '',
      token: String(ctx.params.token),
    },
  )
}

const askToUndo = async (services: Services, ctx: Context): Promise<void> => {
  const found = await undoable(services, undoId(services, ctx))
  return showUndo(services, ctx, found ? 'ask' : 'expired', found)
}

/** The former holder's "that was not me": the address comes back and sign-in stops. */
const undoChange = async (dependencies: LinkDependencies, ctx: Context): Promise<void> => {
  const { services } = dependencies
  refuseCrossSite(ctx, services.settings.issuer)
  const id = undoId(services, ctx)
  const found = await undoable(services, id)
  if (id === undefined || !found) return showUndo(services, ctx, 'expired')
  const { change, member } = found
  const now = services.clock.now()
  await updateMember(services, member, (current) => undoEmailChange(current, change, now))
  await endOtherSessions(dependencies, member.id)
  await services.audit.append({
    id: `undone-${id}`,
    at: now,
    act: 'addressChangeUndone',
    societyId: member.societyId,
    memberId: member.id,
    facts: {},
  })
  await services.transient.take(pendingKey(member.id))
  // Spent last: a crash before leaves the link good, and undoing twice undoes no more.
  await services.transient.take(undoKey(id))
  services.log.warn(
    { memberId: member.id },
    'address change undone by its former holder: sign-in stopped',
  )
  return showUndo(services, ctx, 'undone', found)
}

/** The pages that mailed links open: on any device, without an interaction cookie. */
export const emailLinkRouter = (dependencies: LinkDependencies): Router => {
  const { services } = dependencies
  const router = new Router()
  router.get('/email/:token', (ctx) => showLink(services, ctx))
  router.post('/email/:token', parseForm, (ctx) => confirmLink(services, ctx))
  router.get('/email-undo/:token', (ctx) => askToUndo(services, ctx))
  router.post('/email-undo/:token', parseForm, (ctx) => undoChange(dependencies, ctx))
  return router
}
