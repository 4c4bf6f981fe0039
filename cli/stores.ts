import type { MemberId } from '../accounts/member.ts'
import { type Adapters, keepSetting, openAdapters } from '../adapters/index.ts'
import { createLog, systemClock, systemRandom } from '../adapters/system.ts'
import { type AppConfig, type Environment, loadConfig } from '../config/index.ts'
import type { Desk } from './desk.ts'

/** Ends sessions as the server does: by the engine, which the other commands have no need of. */
const endSessions =
  (config: AppConfig, adapters: Adapters) =>
  async (memberId: MemberId): Promise<void> => {
    const [{ createApp }, { openClients }, { endOtherSessions }] = await Promise.all([
      import('../app.ts'),
      import('../relying-parties.ts'),
      import('../interactions/sessions.ts'),
    ])
    const log = createLog({
      level: 'warn',
      pretty: false,
      destination: { write: (line) => void process.stderr.write(line) },
    })
    const ports = { clock: systemClock, randomBytes: systemRandom, log }
    const { clients, fetch, close } = openClients(config, adapters, ports)
    const services = { settings: config, ...adapters, clients, fetch, ...ports }
    try {
      await endOtherSessions({ provider: createApp(services), services }, memberId)
    } finally {
      close()
    }
  }

/** Opens the stores of the configuration for one command, beside a server. */
export const withStores = async <T>(
  env: Environment,
  work: (desk: Desk, config: AppConfig) => Promise<T>,
): Promise<T> => {
  const config = loadConfig(env, undefined, keepSetting)
  const adapters = await openAdapters(config, systemClock)
  try {
    const desk: Desk = {
      ...adapters,
      settings: config,
      societies: config.societies,
      clock: systemClock,
      randomBytes: systemRandom,
      endSessions: endSessions(config, adapters),
    }
    return await work(desk, config)
  } finally {
    await adapters.close()
  }
}
