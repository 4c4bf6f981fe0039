import { setTimeout as delay } from 'node:timers/promises'
import { StoreRefusedError } from './store-refusal.ts'

const CONNECT_MS = 10_000
const POLL_MS = 50

/** Resolves once each has answered. @throws StoreRefusedError `unreachable` after ten seconds */
export const connected = async (
  servers: readonly Readonly<{ name: string; ping(): Promise<void> }>[],
): Promise<void> => {
  for (const { name, ping } of servers) {
    for (let waited = 0; ; waited += POLL_MS) {
      try {
        await ping()
        break
      } catch (error) {
        if (waited >= CONNECT_MS) {
          throw new StoreRefusedError('unreachable', `${name}: ${(error as Error).message}`)
        }
        await delay(POLL_MS)
      }
    }
  }
}
