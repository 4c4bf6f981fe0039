import type { Clock, Log } from '../accounts/ports.ts'
import type { AppConfig } from '../config/index.ts'
import type { Adapters } from './adapters.ts'
import { openEmbedded } from './embedded/index.ts'
import { revokingReplays } from './replays.ts'
import type { openServers as OpenServers } from './servers.ts'

export type { Adapters } from './adapters.ts'
export { keepSetting } from './embedded/index.ts'

/** Loaded where they are used: their clients take longer to load than everything of ours. */
const openServers: typeof OpenServers = async (...args) =>
  (await import('./servers.ts')).openServers(...args)

/** Opens the stores that the configuration names; servers that do not answer yet are waited for
 * in the background. */
export const openAdapters = async (
  { store, dataDir, production }: Pick<AppConfig, 'store' | 'dataDir' | 'production'>,
  clock: Clock,
  log?: Log,
): Promise<Adapters> => {
  const adapters =
    store.kind === 'embedded'
      ? openEmbedded(dataDir, clock)
      : await openServers(store, { migrates: !production, clock, log })
  return { ...adapters, artifacts: revokingReplays(adapters.artifacts) }
}
