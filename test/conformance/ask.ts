import createBareDriver from './drivers/bare-oidc-provider.ts'
import type { Driver } from './drivers/driver.ts'
import { NO_LISTENER, startListener } from './listener.ts'
import { createMask } from './mask.ts'
import type { Plan } from './module.ts'
import { PLANS } from './plans/index.ts'
import { type Report, type RunOptions, runSuite } from './run.ts'
import { type BareProvider, INITIAL_ACCESS_TOKEN } from './targets/bare-oidc-provider.ts'
import { createWire, type Wire } from './wire.ts'

/** The plans cut down to these modules. */
export const only = (...ids: readonly string[]): readonly Plan[] =>
  PLANS.map((plan) => ({
    ...plan,
    modules: plan.modules.filter(({ id }) => ids.includes(id)),
  })).filter(({ modules }) => modules.length > 0)

/** Runs plans against a bare oidc-provider, with its own driver or another. */
export const askBare = async (
  provider: BareProvider,
  plans: readonly Plan[],
  options: Readonly<{ inbound?: URL; driver?: (wire: Wire) => Promise<Driver> }> &
    Partial<Pick<RunOptions, 'onModule'>> = {},
): Promise<Report> => {
  const { inbound } = options
  const wire = createWire({ mask: createMask(), timeoutSeconds: 10 })
  const driver = options.driver
    ? await options.driver(wire)
    : await createBareDriver({ wire, members: [], pages: undefined })
  const listener = inbound ? await startListener({ base: inbound }, wire) : undefined
  try {
    return await runSuite({
      plans,
      settings: {
        issuer: provider.issuer,
        codeLifetime: 2,
        initialAccessToken: INITIAL_ACCESS_TOKEN,
      },
      wire,
      driver,
      clients: provider.clients,
      listener: listener ?? NO_LISTENER,
      inbound: inbound && { base: inbound },
      mayRegister: true,
      moduleSeconds: 20,
      ...(options.onModule && { onModule: options.onModule }),
    })
  } finally {
    await driver.close()
    await listener?.close()
  }
}
