import type { MemberId } from '../accounts/member.ts'
import { type Adapters, keepSetting, openAdapters } from '../adapters/index.ts'
import { createLog, systemClock, systemRandom } from '../adapters/system.ts'
import { policyOf } from '../clients/client.ts'
import { type AppConfig, type Environment, loadConfig } from '../config/index.ts'
import type { Desk } from './desk.ts'

/** Ends sessions as the server does: by the engine, which the other commands have no need of. */
const openSessions =
  (config: AppConfig, adapters: Adapters, closing: (() => unknown)[]): Desk['openSessions'] =>
  async (memberId: MemberId) => {
    const [{ createApp }, { openClients }, { endOtherSessions }, { openSigningKeys }] =
      await Promise.all([
        import('../app.ts'),
        import('../relying-parties.ts'),
        import('../interactions/sessions.ts'),
        import('../signing-keys.ts'),
      ])
    const log = createLog({
      level: 'warn',
      pretty: false,
      destination: { write: (line) => void process.stderr.write(line) },
    })
    const ports = { clock: systemClock, randomBytes: systemRandom, log }
    // It signs nothing here, and takes no client whose tokens it could not sign.
    const signing = await openSigningKeys(config, adapters, ports)
    closing.push(signing.close)
    const { clients, fetch, close } = openClients(config, adapters, ports)
    closing.push(close)
    const settings = { ...config, jwks: signing.jwks() }
    const services = { settings, ...adapters, clients, fetch, ...ports }
    const dependencies = { provider: createApp(services), services }
    await adapters.sessions.list(memberId)
    return () => endOtherSessions(dependencies, memberId)
  }

/** The relying parties, for whoever only looks; the file hides what the store has of the same ID. */
const clientsOf = (
  { clientFile }: Pick<AppConfig, 'clientFile'>,
  { clientStore }: Pick<Adapters, 'clientStore'>,
): Desk['clients'] => ({
  find: async (id) => {
    const client = clientFile.clients.get(id)?.client ?? (await clientStore.find(id))
    return client && !client.disabled ? policyOf(client) : undefined
  },
})

/** Opens the stores of the configuration for one command, beside a server. */
export const withStores = async <T>(
  env: Environment,
  work: (desk: Desk, config: AppConfig) => Promise<T>,
): Promise<T> => {
  const config = loadConfig(env, undefined, keepSetting)
  const adapters = await openAdapters(config, systemClock)
  const closing: (() => unknown)[] = []
  try {
    const desk: Desk = {
      ...adapters,
      settings: config,
      clients: clientsOf(config, adapters),
      societies: config.societies,
      clock: systemClock,
      randomBytes: systemRandom,
      openSessions: openSessions(config, adapters, closing),
    }
    return await work(desk, config)
  } finally {
    await Promise.all(closing.map((close) => close()))
    await adapters.close()
  }
}
