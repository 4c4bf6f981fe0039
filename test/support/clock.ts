import type { EpochSeconds } from '../../accounts/member.ts'
import type { Clock } from '../../accounts/ports.ts'

export interface TestClock extends Clock {
  /** Once `rests` have resolved: a date that jumps would fail a connection being made, and end the
   * lease of a mail on its way. */
  advance(seconds: number): Promise<void>
  /** Each resolves when what it stands for has nothing on its way. */
  readonly rests: Set<() => Promise<void>>
  /** Called with each advance's seconds: by what has a clock of its own. */
  readonly followers: Set<(seconds: number) => void>
}

/** The clock that tells this time and is moved by this step. */
export const steppedBy = (now: () => EpochSeconds, step: (seconds: number) => void): TestClock => {
  const rests = new Set<() => Promise<void>>()
  const followers = new Set<(seconds: number) => void>()
  return {
    now,
    async advance(seconds) {
      for (const rest of rests) await rest()
      step(seconds)
      for (const follow of followers) follow(seconds)
    },
    rests,
    followers,
  }
}

/**
 * A clock that stands still until it is advanced. It starts at the real time, since the engine and
 * relying parties look at the machine's own clock.
 */
export const aClock = (start: EpochSeconds = Math.floor(Date.now() / 1000)): TestClock => {
  let now = start
  return steppedBy(
    () => now,
    (seconds) => {
      now += seconds
    },
  )
}
