import type { EpochSeconds } from '../../accounts/member.ts'
import type { Clock } from '../../accounts/ports.ts'

export interface TestClock extends Clock {
  advance(seconds: number): void
  /** Called with each advance's seconds: by what has a clock of its own. */
  readonly followers: Set<(seconds: number) => void>
}

/**
 * A clock that stands still until it is advanced. It starts at the real time, since the engine and
 * relying parties look at the machine's own clock.
 */
export const aClock = (start: EpochSeconds = Math.floor(Date.now() / 1000)): TestClock => {
  let now = start
  const followers = new Set<(seconds: number) => void>()
  return {
    now: () => now,
    advance(seconds) {
      now += seconds
      for (const follow of followers) follow(seconds)
    },
    followers,
  }
}
