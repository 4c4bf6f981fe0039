import type { Clock, Log } from '../accounts/ports.ts'
import type { SigningKeys } from './index.ts'
import type { PrivateJwk } from './make.ts'
import { type KeyRing, type KeyState, placesOf, publishedAt } from './ring.ts'

/** How long each algorithm's key has been signing. */
export type KeyAge = Readonly<{ alg: string; seconds: number }>

/** The keys as one instance uses them. */
export type LiveKeys = Readonly<{
  /** The signing ones first. */
  jwks(): readonly PrivateJwk[]
  /** Of those that sign here, whatever should. */
  ages(): readonly KeyAge[]
  /** Published keys cannot be read here: others publish and sign with what this instance lacks. */
  isLacking(): boolean
  /**
   * Looks at the store and at the clock; true: `jwks` is another than before. Where the store fails,
   * all goes on with the keys known, at their times; where keys cannot be read, with the others.
   * @throws UnreadableSecretError where none is left
   */
  refresh(): Promise<boolean>
  /** Has the store forget, for good, what is gone. @throws StoreUnavailableError */
  tidy(): Promise<void>
}>

const namesOf = (keys: readonly Readonly<{ kid: string }>[]): string =>
  keys.map(({ kid }) => kid).join(' ')

/**
 * The installation's keys, made where there are none. @throws StoreUnavailableError,
 * UnreadableSecretError
 */
export const openLiveKeys = async (
  keys: SigningKeys,
  { clock, log }: Readonly<{ clock: Clock; log: Log }>,
): Promise<LiveKeys> => {
  const kidsIn = (state: KeyState): readonly string[] =>
    placesOf(ring, clock.now()).flatMap((place) => (place.state === state ? [place.key.kid] : []))
  const tell = (event: string) => {
    log.info({ kid: kidsIn('active'), pending: kidsIn('published') }, event)
  }

  const first = await keys.obtain()
  let { ring } = first
  /** Undefined: the last look failed. */
  let found: KeyRing | undefined
  let jwks = keys.open(ring, clock.now())
  let isLacking = false
  let failing = false
  if (first.made) tell('signing_keys_made')

  /** Told once, until all is well again. */
  const fail = (error: unknown): undefined => {
    if (!failing) log.error({ err: error }, 'signing_keys_unread')
    failing = true
  }

  return {
    jwks: () => jwks,

    ages: () =>
      jwks
        // The engine signs with the first of each algorithm.
        .filter(({ alg }, index) => jwks.findIndex((key) => key.alg === alg) === index)
        .flatMap(({ kid, alg }) => {
          const key = ring.keys.find((one) => one.kid === kid)
          return key ? [{ alg, seconds: clock.now() - key.activeAt }] : []
        }),

    isLacking: () => isLacking,

    refresh: async () => {
      found = await keys.find().catch(fail)
      // A ring that is no longer there, somebody is restoring.
      ring = found ?? ring
      const now = clock.now()
      const before = namesOf(jwks)
      const isAsBefore = namesOf(publishedAt(ring, now)) === before
      const { jwks: next, fault } = isAsBefore ? { jwks } : keys.read(ring, now)
      isLacking = fault !== undefined
      if (fault) fail(fault)
      else if (found) failing = false
      if (fault && next.length === 0) throw fault
      if (namesOf(next) === before) return false
      jwks = next
      tell('signing_keys_changed')
      return true
    },

    tidy: async () => {
      if (found) await keys.tidy(found)
    },
  }
}
