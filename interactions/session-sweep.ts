import { SESSION_IDLE_SECONDS } from '../accounts/policy.ts'
import type { SessionRecord } from '../accounts/sign-ins.ts'
import type { Services } from './services.ts'
import {
  type Ended,
  endedKey,
  endSession,
  type SessionDependencies,
  tellRelyingParties,
} from './sessions.ts'

type Dependencies = SessionDependencies & Readonly<{ services: Pick<Services, 'members'> }>

const BATCH = 50
/** Longer than a batch takes; a session that goes on after all is looked into again after this. */
const LEASE_SECONDS = 60

/** Whether the member may not be signed in there any more, whatever the engine remembers. */
const isBarred = async ({ services }: Dependencies, record: SessionRecord): Promise<boolean> => {
  const member = await services.members.findById(record.memberId)
  if (!member || member.blocked) return true
  const { signedOut } = member
  return signedOut !== undefined && signedOut.except !== record.uid && signedOut.at > record.since
}

const endWhereOver = async (
  dependencies: Dependencies,
  record: SessionRecord,
): Promise<boolean> => {
  const { provider, services } = dependencies
  const session = await provider.Session.findByUid(record.uid)
  const ended = await services.transient.get<Ended>(endedKey(record.uid))
  // Begun and broken off, or never begun: what it has left behind ends too, be it gone or not.
  if (ended === 'onPurpose' || (await isBarred(dependencies, record))) {
    await endSession(dependencies, record.memberId, record.uid)
    return true
  }
  if (session?.accountId === record.memberId) return false
  // A request that loaded it in its last moment may save it again: whoever uses that is signed out.
  const how: Ended = 'inTime'
  await services.transient.put(endedKey(record.uid), how, SESSION_IDLE_SECONDS)
  await tellRelyingParties(dependencies, record.memberId, record.sids)
  await services.sessions.settle(record.uid, record.endsAt)
  return true
}

/**
 * Looks into the sessions whose time has come, which the engine forgets without a word: their relying
 * parties are told. A session of a member who is blocked or has been signed out ends here at the
 * latest. Returns how many were over; run it every minute, in any number of processes.
 */
export const sweepSessions = async (dependencies: Dependencies): Promise<number> => {
  const { sessions, clock, log } = dependencies.services
  let over = 0
  for (;;) {
    const due = await sessions.claimEnded(clock.now(), BATCH, LEASE_SECONDS)
    if (due.length === 0) return over
    for (const record of due) {
      try {
        if (await endWhereOver(dependencies, record)) over += 1
      } catch (error) {
        // Its lease runs out and it is looked into again.
        log.error({ err: error }, 'session_sweep_failed')
      }
    }
  }
}
