import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Log } from '../accounts/ports.ts'
import type { FileClient } from '../clients/directory.ts'
import type { ClientFile } from '../config/index.ts'

/** The clients file as it is now. */
export type WatchedClientFile = Readonly<{
  clients(): ReadonlyMap<string, FileClient>
  close(): void
}>

/** A change is seen after a second at most, by mount and editor of any kind: the file is looked at. */
const LOOK_MS = 1000

/**
 * Reads the clients file again whenever it changes. A text that cannot be taken as a whole changes
 * nothing: the clients stay as they were, and one log line says everything that is wrong with it.
 */
export const watchClientFile = (
  file: ClientFile,
  log: Log,
  lookMs: number = LOOK_MS,
): WatchedClientFile => {
  const { path } = file
  let { clients } = file
  if (path === undefined) return { clients: () => clients, close: () => {} }

  let reading = Promise.resolve()
  const read = async (): Promise<void> => {
    try {
      clients = file.reread(await readFile(path, 'utf8'))
      log.info({ count: clients.size }, 'clients_file_read')
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      log.error({ reason, count: clients.size }, 'clients_file_refused')
    }
  }
  const look = () => {
    // One after another: the last text is the one that counts.
    reading = reading.then(read)
  }
  watchFile(path, { persistent: false, interval: lookMs }, look)
  return { clients: () => clients, close: () => unwatchFile(path, look) }
}
