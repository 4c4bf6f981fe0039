import { setTimeout as delay } from 'node:timers/promises'
import { StoreUnavailableError } from '../accounts/errors.ts'
import type { Log } from '../accounts/ports.ts'

const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 2000

/**
 * Opens what may not answer yet, again and again until it does: a server whose stores are down
 * starts, says so, and becomes ready by itself. Any other error is the operator's to mend.
 * @throws whatever `open` throws but StoreUnavailableError; that too once `signal` is aborted
 */
export const persist = async <T>(
  open: () => Promise<T>,
  { log, signal }: Readonly<{ log: Log; signal: AbortSignal }>,
): Promise<T> => {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * 2, LONGEST_WAIT_MS)) {
    try {
      return await open()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
      log.warn({ err: error, durationMs: wait }, 'store_unavailable_at_start')
      await delay(wait, undefined, { signal })
    }
  }
}
