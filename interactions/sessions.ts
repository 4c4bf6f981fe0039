import type { Middleware } from 'koa'
import type { Provider } from 'oidc-provider'
import type { MemberId } from '../accounts/member.ts'
import { SESSION_SECONDS } from '../accounts/policy.ts'
import type { SessionRecord } from '../accounts/sign-ins.ts'
import type { Services } from './services.ts'
import { deviceText } from './wording.ts'

type Dependencies = Readonly<{
  provider: Provider
  services: Pick<Services, 'sessions' | 'transient' | 'clock' | 'log'>
}>
type Session = InstanceType<Provider['Session']> & Readonly<{ destroyed?: boolean }>

const endedKey = (uid: string): string => `ended-session:${uid}`

const grantsOf = (session: Session | undefined): readonly string[] =>
  Object.values(session?.authorizations ?? {}).flatMap(({ grantId }) => grantId ?? [])

/** Everything that was issued under the grant is dead at once, and nothing more is issued. */
const revokeGrant = async (provider: Provider, grantId: string): Promise<void> => {
  const grant = await provider.Grant.find(grantId)
  await grant?.destroy()
  await provider.AccessToken.revokeByGrantId(grantId)
  await provider.RefreshToken.revokeByGrantId(grantId)
  await provider.AuthorizationCode.revokeByGrantId(grantId)
}

/**
 * Ends one session of the member's, with every grant it was ever seen with: codes, access and
 * refresh tokens, also those meant to outlive it. A session that another request is just saving is
 * ended again by `trackSessions`.
 */
export const endSession = async (
  { provider, services }: Dependencies,
  memberId: MemberId,
  uid: string,
): Promise<void> => {
  const { sessions, transient, log } = services
  const record = (await sessions.list(memberId)).find((one) => one.uid === uid)
  await transient.put(endedKey(uid), true, SESSION_SECONDS)
  const session = await provider.Session.findByUid(uid)
  await session?.destroy()
  for (const grantId of new Set([...(record?.grantIds ?? []), ...grantsOf(session)])) {
    await revokeGrant(provider, grantId)
  }
  await sessions.remove(uid)
  log.info({ memberId }, 'session ended')
}

/** Ends all of the member's sessions but `kept`, and what ended sessions have left behind. */
export const endOtherSessions = async (
  dependencies: Dependencies,
  memberId: MemberId,
  kept?: string,
): Promise<void> => {
  for (const { uid } of await dependencies.services.sessions.list(memberId)) {
    if (uid !== kept) await endSession(dependencies, memberId, uid)
  }
}

/** The member's sessions that the engine still knows, last used first. */
export const liveSessions = async (
  { provider, services }: Dependencies,
  memberId: MemberId,
): Promise<readonly SessionRecord[]> => {
  const records = await services.sessions.list(memberId)
  const found = await Promise.all(records.map(({ uid }) => provider.Session.findByUid(uid)))
  return records.filter((_, index) => found[index]?.accountId === memberId)
}

/** After each of the engine's answers: which member's browser it was, and when. */
export const trackSessions =
  (dependencies: Dependencies): Middleware =>
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
    })
    if (await transient.get(endedKey(session.uid))) {
      await endSession(dependencies, memberId, session.uid)
    }
  }
