import { type AppConfig, ConfigError } from '../config/index.ts'

/** A start that failed for a reason the operator can mend; the message says how. */
export class StartError extends Error {}

const optionOf = (port: number, { demo, management }: AppConfig): string => {
  if (port === management.port) return 'IDP_MANAGEMENT_PORT'
  if (port === demo?.portalPort) return 'IDP_PORTAL_PORT'
  return port === demo?.mailboxPort ? 'IDP_MAILBOX_PORT' : 'IDP_PORT'
}

/** Why a start failed: the operator's mistakes in words, anything else with its stack. */
export const explain = (error: unknown, config: AppConfig | undefined): string => {
  if (error instanceof ConfigError || error instanceof StartError) return error.message
  if (!(error instanceof Error)) return String(error)
  const { code, port } = error as NodeJS.ErrnoException & { port?: number }
  if (config && port !== undefined && (code === 'EADDRINUSE' || code === 'EACCES')) {
    const fault = code === 'EADDRINUSE' ? 'is in use already' : 'may not be opened by this user'
    return `Port ${port} ${fault}. Stop what listens there, or set ${optionOf(port, config)} to another port.`
  }
  return error.stack ?? error.message
}
