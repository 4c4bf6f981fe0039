import { keepSetting, openAdapters } from '../adapters/index.ts'
import { createLog, systemClock, systemRandom } from '../adapters/system.ts'
import { ClientRefusedError, refusalText } from '../clients/refusal.ts'
import { type AppConfig, type Environment, loadConfig } from '../config/index.ts'
import { type OpenClients, openClients } from '../relying-parties.ts'
import { CommandError } from './command-error.ts'

export type ClientDesk = OpenClients & Readonly<{ config: AppConfig; now: number }>

const inWords = (error: unknown): unknown =>
  error instanceof ClientRefusedError
    ? new CommandError(
        ['Refused:', ...error.refusals.map((one) => `  ${refusalText(one)}`)].join('\n'),
      )
    : error

/** Opens the clients of the configuration for one command, beside a server. */
export const withClients = async <T>(
  env: Environment,
  work: (desk: ClientDesk) => Promise<T>,
): Promise<T> => {
  const config = loadConfig(env, undefined, keepSetting)
  const log = createLog({
    level: 'warn',
    pretty: false,
    destination: { write: (line) => void process.stderr.write(line) },
  })
  const adapters = await openAdapters(config, systemClock, log)
  try {
    const ports = { clock: systemClock, randomBytes: systemRandom, log }
    const open = openClients(config, adapters, ports)
    try {
      return await work({ ...open, config, now: systemClock.now() })
    } finally {
      open.close()
    }
  } catch (error) {
    throw inWords(error)
  } finally {
    await adapters.close()
  }
}
