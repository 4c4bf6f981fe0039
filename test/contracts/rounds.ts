/** A race is run this often, by this many callers each time; over HTTP (test/faults/races.test.ts)
 * five times as often. */
export const ROUNDS = Array.from({ length: 10 }, (_, round) => round)
const CALLERS = 20

/** Runs `call` in parallel by twenty callers and returns every outcome, in order of caller. */
export const inParallel = <T>(
  call: (caller: number) => Promise<T>,
): Promise<PromiseSettledResult<T>[]> =>
  Promise.allSettled(Array.from({ length: CALLERS }, (_, caller) => call(caller)))

export const valuesOf = <T>(outcomes: readonly PromiseSettledResult<T>[]): readonly T[] =>
  outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))

export const reasonsOf = (outcomes: readonly PromiseSettledResult<unknown>[]): readonly unknown[] =>
  outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
