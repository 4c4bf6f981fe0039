import { randomBytes } from 'node:crypto'
import type { EndedSignIn } from './logout-token.ts'
import type { SignIn } from './relying-party.ts'

const MAX_SESSIONS = 10_000

/** Who is signed in at one front door: in memory, by an unguessable ID; the longest unused go first. */
export const createSessions = () => {
  const sessions = new Map<string, SignIn>()

  return {
    find(id: string | undefined): SignIn | undefined {
      const signIn = id === undefined ? undefined : sessions.get(id)
      if (id === undefined || signIn === undefined) return undefined
      sessions.delete(id)
      sessions.set(id, signIn)
      return signIn
    },
    open(signIn: SignIn): string {
      const id = randomBytes(24).toString('base64url')
      sessions.set(id, signIn)
      for (const oldest of sessions.keys()) {
        if (sessions.size <= MAX_SESSIONS) break
        sessions.delete(oldest)
      }
      return id
    },
    end(id: string | undefined): void {
      if (id !== undefined) sessions.delete(id)
    },
    /** Signs out every browser whose ID token says so. */
    endSignIns({ sub, sid }: EndedSignIn): void {
      for (const [id, { claims }] of sessions) {
        const meant = sid === undefined || claims.sid === sid
        if (meant && (sub === undefined || claims.sub === sub)) sessions.delete(id)
      }
    },
  }
}
