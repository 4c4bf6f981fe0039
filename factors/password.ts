import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import pLimit from 'p-limit'
import { OverloadedError } from '../accounts/errors.ts'
import { INTERACTION_SECONDS } from '../accounts/policy.ts'
import type { AuthenticationFactor } from './factor.ts'

/** OWASP Password Storage Cheat Sheet: argon2id (2), 19 MiB, two passes, one lane. */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Hashing as many at once as there are cores; this many more may wait, the rest are told to retry. */
const running = pLimit(availableParallelism())
const MAX_WAITING = 40

/**
 * Asked before an attempt is counted, so that a busy machine costs nobody a try.
 * @throws OverloadedError when no more hashing can be taken on now
 */
export const requireHashingRoom = (): void => {
  if (running.pendingCount >= MAX_WAITING) throw new OverloadedError('password hashing queue full')
}

/** What this process hashes now, and what waits for its turn. */
export const hashingLoad = () => ({
  running: running.activeCount,
  waiting: running.pendingCount,
})

const bounded = async <T>(work: () => Promise<T>): Promise<T> => {
  requireHashingRoom()
  return running(work)
}

/** @throws OverloadedError when more hashing is under way than this machine can do soon */
export const hashPassword = (password: string): Promise<string> =>
  bounded(() => hash(password, ARGON2ID))

/** The hash of a password nobody has, so that an unknown member takes as long as a wrong password. */
let decoy: Promise<string> | undefined
export const decoyHash = (): Promise<string> => {
  decoy ??= hash('\u0000 no password matches this', ARGON2ID)
  return decoy
}

/**
 * Whether `password` is the one `phc` was made from; with no hash it takes the same time and is
 * never true. @throws OverloadedError
 */
export const verifyPassword = async (
  phc: string | undefined,
  password: string,
): Promise<boolean> => {
  const against = phc ?? (await decoyHash())
  const matches = await bounded(() => verify(against, password))
  return phc !== undefined && matches
}

/** No longer password is ever hashed, in code points. */
const LONGEST_PASSWORD = 128
/** Whether what was typed is longer than any member's password. */
export const isTooLong = (typed: string): boolean => [...typed].length > LONGEST_PASSWORD

/**
 * The member's own password (`answer.password`), a memorized secret (NIST SP 800-63B-4 section
 * 3.1.1): nothing is kept and an accepted one is accepted again. Where there may be no such member,
 * `verifyPassword` takes as long for nobody.
 */
export const passwordFactor: AuthenticationFactor<Record<string, never>, Record<string, never>> = {
  id: 'password',

  async beginAuthentication() {
    return { shown: {}, kept: {}, expiresInSeconds: INTERACTION_SECONDS }
  },

  async finishAuthentication(member, _kept, { password = '' }) {
    const plausible = password !== '' && !isTooLong(password)
    return plausible && (await verifyPassword(member.password.hash, password))
      ? { ok: true, value: {} }
      : { ok: false, reason: 'login.bad' }
  },
}
