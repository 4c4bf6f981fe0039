import type { Middleware } from 'koa'
import type { Clock, Log, RandomBytes } from './accounts/ports.ts'
import type { Adapters } from './adapters/adapters.ts'
import { watchClientFile } from './adapters/client-file.ts'
import { openAdapters } from './adapters/index.ts'
import { createOutboundFetch } from './adapters/outbound.ts'
import { type Clients, createClients } from './clients/index.ts'
import type { Fetch } from './clients/sector.ts'
import type { AppConfig } from './config/index.ts'
import { accountClient } from './provider/account-client.ts'

/** The relying parties of this configuration, open. */
export type OpenClients = Readonly<{
  clients: Clients
  /** The only way to addresses that relying parties name. */
  fetch: Fetch
  close(): void
}>

/** Puts together where clients are registered: our own, the watched file, the store. */
export const openClients = (
  config: AppConfig,
  adapters: Pick<Adapters, 'clientStore' | 'registrationTokens' | 'audit'>,
  ports: Readonly<{ clock: Clock; randomBytes: RandomBytes; log: Log }>,
): OpenClients => {
  const { clientRules: rules, encryptionKeys, issuer, outbound, societies } = config
  const file = watchClientFile(config.clientFile, ports.log)
  const fetch = createOutboundFetch(outbound)
  const clients = createClients({
    ...ports,
    own: [...societies.keys()].map((id) => accountClient(issuer, id)),
    file: file.clients,
    rules,
    encryptionKeys,
    store: adapters.clientStore,
    tokens: adapters.registrationTokens,
    audit: adapters.audit,
    fetch,
  })
  return { clients, fetch, close: file.close }
}

/** The admin API with stores of its own, for a process that serves no members. */
export const openAdmin = async (
  config: AppConfig,
  ports: Readonly<{ clock: Clock; randomBytes: RandomBytes; log: Log }>,
): Promise<Readonly<{ routes: Middleware; close: () => Promise<void> }>> => {
  // Commands that only need the clients load neither.
  const { createAdminRoutes } = await import('./management/admin.ts')
  const { explainReference } = await import('./provider/refusals/explanation.ts')
  const adapters = await openAdapters(config, ports.clock, ports.log)
  const { clients, close } = openClients(config, adapters, ports)
  return {
    routes: createAdminRoutes({
      clients,
      explainRefusal: explainReference(adapters),
      tokens: config.adminTokens,
      log: ports.log,
    }),
    close: async () => {
      close()
      await adapters.close()
    },
  }
}
