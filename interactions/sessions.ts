import type { Context, Middleware } from 'koa'
import type { KoaContextWithOIDC, Provider } from 'oidc-provider'
import { logoutRequest } from '../accounts/logouts.ts'
import type { MemberId } from '../accounts/member.ts'
import { SESSION_SECONDS, sessionEnd } from '../accounts/policy.ts'
import type { SessionRecord } from '../accounts/sign-ins.ts'
import type { Services } from './services.ts'
import { deviceText } from './wording.ts'

export type SessionDependencies = Readonly<{
  provider: Provider
  services: Pick<Services, 'sessions' | 'transient' | 'logouts' | 'clock' | 'log'>
}>
type Session = InstanceType<Provider['Session']> & Readonly<{ destroyed?: boolean }>

/** The engine's session in this browser; its account IDs are our member IDs. */
export const sessionOf = async (
  provider: Provider,
  ctx: Context,
): Promise<InstanceType<Provider['Session']> & { readonly accountId?: MemberId | undefined }> =>
  // The engine reads its cookie off any koa context; its types know its own routes only.
  (await provider.Session.get(ctx as unknown as KoaContextWithOIDC)) as Awaited<
    ReturnType<typeof sessionOf>
  >

/** Set, to how, where a session has ended that a request under way may still save again. */
export const endedKey = (uid: string): string => `ended-session:${uid}`
/** `onPurpose`: with every grant it was seen with. `inTime`: what is to outlive it does. */
export type Ended = 'onPurpose' | 'inTime'

const grantsOf = (session: Session | undefined): readonly string[] =>
  Object.values(session?.authorizations ?? {}).flatMap(({ grantId }) => grantId ?? [])

const sidsOf = (session: Session | undefined): SessionRecord['sids'] =>
  Object.fromEntries(
    Object.entries(session?.authorizations ?? {}).flatMap(([clientId, { sid }]) =>
      sid === undefined ? [] : [[clientId, sid]],
    ),
  )

/** Everything that was issued under the grant is dead at once, and nothing more is issued. */
const revokeGrant = async (provider: Provider, grantId: string): Promise<void> => {
  const grant = await provider.Grant.find(grantId)
  await grant?.destroy()
  await provider.AccessToken.revokeByGrantId(grantId)
  await provider.RefreshToken.revokeByGrantId(grantId)
  await provider.AuthorizationCode.revokeByGrantId(grantId)
}

/** Queues the word to each relying party that wants it; the page that ends a session never waits. */
export const tellRelyingParties = async (
  { provider, services }: SessionDependencies,
  memberId: MemberId,
  sids: SessionRecord['sids'],
): Promise<void> => {
  const { logouts, clock } = services
  for (const [clientId, sid] of Object.entries(sids)) {
    const client = await provider.Client.find(clientId)
    if (client?.backchannelLogoutUri === undefined) continue
    await logouts.add(logoutRequest({ clientId, memberId, sid }, clock.now()))
  }
}

/**
 * Ends one session of the member's, with every grant it was ever seen with: codes, access and
 * refresh tokens, also those meant to outlive it; its relying parties are told. A session that
 * another request is just saving is ended again by `trackSessions`.
 */
export const endSession = async (
  dependencies: SessionDependencies,
  memberId: MemberId,
  uid: string,
): Promise<void> => {
  const { provider, services } = dependencies
  const { sessions, transient, log } = services
  const record = (await sessions.list(memberId)).find((one) => one.uid === uid)
  const how: Ended = 'onPurpose'
  await transient.put(endedKey(uid), how, SESSION_SECONDS)
  const session = await provider.Session.findByUid(uid)
  // What outlives a session goes first: broken off here, the session still stands to be ended again.
  for (const grantId of new Set([...(record?.grantIds ?? []), ...grantsOf(session)])) {
    await revokeGrant(provider, grantId)
  }
  await tellRelyingParties(dependencies, memberId, { ...record?.sids, ...sidsOf(session) })
  await session?.destroy()
  await sessions.remove(uid)
  log.info({ memberId }, 'session ended')
}

/** Revokes whatever this member's sessions, those that are over too, have granted the client. */
export const revokeGrantsOf = async (
  { provider, services }: SessionDependencies,
  memberId: MemberId,
  clientId: string,
): Promise<void> => {
  for (const { uid, grantIds } of await services.sessions.list(memberId)) {
    const session = await provider.Session.findByUid(uid)
    for (const grantId of new Set([...grantIds, ...grantsOf(session)])) {
      const grant = await provider.Grant.find(grantId)
      if (grant?.clientId === clientId) await revokeGrant(provider, grantId)
    }
  }
}

/** Ends all of the member's sessions but `kept`, and what ended sessions have left behind. */
export const endOtherSessions = async (
  dependencies: SessionDependencies,
  memberId: MemberId,
  kept?: string,
): Promise<void> => {
  for (const { uid } of await dependencies.services.sessions.list(memberId)) {
    if (uid !== kept) await endSession(dependencies, memberId, uid)
  }
}

/** The member's sessions that the engine still knows, last used first. */
export const liveSessions = async (
  { provider, services }: SessionDependencies,
  memberId: MemberId,
): Promise<readonly SessionRecord[]> => {
  const records = await services.sessions.list(memberId)
  const found = await Promise.all(records.map(({ uid }) => provider.Session.findByUid(uid)))
  return records.filter((_, index) => found[index]?.accountId === memberId)
}

/** After each of the engine's answers: which member's browser it was, and when. */
export const trackSessions =
  (dependencies: SessionDependencies): Middleware =>
  async (ctx, next) => {
    await next()
    const { oidc } = ctx as { oidc?: { session?: Session } }
    const session = oidc?.session
    if (!session?.accountId || session.destroyed || session.loginTs === undefined) return
    const { sessions, transient, clock } = dependencies.services
    const memberId = session.accountId as MemberId // the engine's account IDs are ours
    await sessions.see({
      uid: session.uid,
      memberId,
      device: deviceText(ctx.get('User-Agent')),
      since: session.loginTs,
      seenAt: clock.now(),
      grantIds: grantsOf(session),
      sids: sidsOf(session),
      endsAt: sessionEnd(session.loginTs, clock.now()),
    })
    if (await transient.get(endedKey(session.uid))) {
      await endSession(dependencies, memberId, session.uid)
    }
  }
