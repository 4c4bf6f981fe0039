import { unwatchFile, watchFile } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { Log } from '../accounts/ports.ts'
import type { FileClient } from '../clients/directory.ts'
import type { ClientFile, ConfigError } from '../config/index.ts'
import { LIST_LENGTH } from './system.ts'

/** The clients file as it is now. */
export type WatchedClientFile = Readonly<{
  clients(): ReadonlyMap<string, FileClient>
  close(): void
}>

/** A change is seen after a second at most, by mount and editor of any kind: the file is looked at. */
const LOOK_MS = 1000

/** By its name: adapters take only types from config/. */
const isOfContent = (error: unknown): error is ConfigError =>
  error instanceof Error && error.name === 'ConfigError'

/**
 * Reads the clients file again whenever it changes. A text that cannot be taken as a whole changes
 * nothing: the clients stay as they were, and the log says everything that is wrong with it, in one
 * line for every 20 problems.
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
      if (!isOfContent(error)) {
        log.error({ err: error, count: clients.size }, 'clients_file_refused')
        return
      }
      const all = error.problems.map(({ name, rule, remedy }) => `${name} ${rule}. ${remedy}`)
      for (let from = 0; from < all.length; from += LIST_LENGTH) {
        const problems = all.slice(from, from + LIST_LENGTH)
        log.error({ problems, count: clients.size }, 'clients_file_refused')
      }
    }
  }
  const look = () => {
    // One after another: the last text is the one that counts.
    reading = reading.then(read)
  }
  watchFile(path, { persistent: false, interval: lookMs }, look)
  return { clients: () => clients, close: () => unwatchFile(path, look) }
}
