import type { Log } from '../accounts/ports.ts'

/**
 * Loads one after another what a start has put off, so that nobody waits for it who needs it next,
 * and what cannot be loaded is heard of before anybody does.
 */
export const loadLater = async (
  loads: readonly (() => Promise<unknown>)[],
  log: Log,
): Promise<void> => {
  for (const load of loads) {
    await load().catch((error: unknown) => log.error({ err: error }, 'not_loaded'))
  }
}
