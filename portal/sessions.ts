import { randomBytes } from 'node:crypto'
import type { EndedSignIn } from './logout-token.ts'
import type { SignIn, StartedSignIn } from './relying-party.ts'

/** What a browser has going on at one front door. */
export type Session = {
  /** By `state`; the oldest goes when there are too many. */
  readonly started: Map<string, StartedSignIn>
  signIn?: SignIn
}

const MAX_SESSIONS = 10_000
const MAX_STARTED = 20

/** Sessions in memory, by an unguessable ID; the longest unused go first. */
export const createSessions = () => {
  const sessions = new Map<string, Session>()

  const dropOldest = <Value>(map: Map<string, Value>, limit: number) => {
    for (const key of map.keys()) {
      if (map.size <= limit) return
      map.delete(key)
    }
  }

  return {
    find(id: string | undefined): Session | undefined {
      const session = id === undefined ? undefined : sessions.get(id)
      if (id === undefined || session === undefined) return undefined
      sessions.delete(id)
      sessions.set(id, session)
      return session
    },
    open(session: Session): string {
      const id = randomBytes(24).toString('base64url')
      sessions.set(id, session)
      dropOldest(sessions, MAX_SESSIONS)
      return id
    },
    end(id: string | undefined): void {
      if (id !== undefined) sessions.delete(id)
    },
    /** Signs out every browser whose ID token says so. */
    endSignIns({ sub, sid }: EndedSignIn): void {
      for (const [id, { signIn }] of sessions) {
        const claims = signIn?.claims
        const meant = sid === undefined || claims?.sid === sid
        if (claims && meant && (sub === undefined || claims.sub === sub)) sessions.delete(id)
      }
    },
    remember(session: Session, started: StartedSignIn): void {
      session.started.set(started.state, started)
      dropOldest(session.started, MAX_STARTED)
    },
  }
}
