import type { EpochSeconds } from '../../accounts/member.ts'
import type { Clock } from '../../accounts/ports.ts'

export type SteppedClock = Clock & Readonly<{ advance(seconds: number): void }>

/** A clock that stands still until it is moved. */
export const createSteppedClock = (start: EpochSeconds = 1_800_000_000): SteppedClock => {
  let now = start
  return {
    now: () => now,
    advance: (seconds) => {
      now += seconds
    },
  }
}
