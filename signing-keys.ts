import type { JWKS } from 'oidc-provider'
import type { Clock, Log, RandomBytes } from './accounts/ports.ts'
import type { Adapters } from './adapters/adapters.ts'
import type { AppConfig } from './config/index.ts'
import { UnreadableSecretError } from './factors/seal.ts'
import { createSigningKeys, type SigningKeys, type SigningKeysPorts } from './keys/index.ts'
import { type KeyAge, openLiveKeys } from './keys/live.ts'

/** What this process signs with. */
export type OpenKeys = Readonly<{
  /** As of now, the signing ones first. */
  jwks(): JWKS
  /** None where the operator keeps the keys. */
  ages(): readonly KeyAge[]
  /** Why this process is not fit to serve, in plain sentences; it goes on as well as it can. */
  missing(): readonly string[]
  /** Calls back after every change of `jwks`, which is seen within five seconds; again where that
   * throws, until it does not. */
  onChange(changed: () => void): void
  /** Calls back when no key is left that could be read: from then on nothing may be signed. */
  onLoss(lost: (error: UnreadableSecretError) => void): void
  /** Resolves once the store is not asked any more. */
  close(): Promise<void>
}>

type Ports = Readonly<{ clock: Clock; randomBytes: RandomBytes; log: Log }> &
  Pick<SigningKeysPorts, 'make'>

const LOOK_MS = 2000
const LACKING =
  'the signing keys in the store cannot all be read with these IDP_ENCRYPTION_KEYS: see the log'

/** The installation's signing keys at rest. */
export const keysAtRest = (
  { encryptionKeys }: Pick<AppConfig, 'encryptionKeys'>,
  { signingKeys, audit }: Pick<Adapters, 'signingKeys' | 'audit'>,
  ports: Pick<Ports, 'clock' | 'randomBytes' | 'make'>,
): SigningKeys => createSigningKeys({ ...ports, store: signingKeys, encryptionKeys, audit })

/**
 * The operator's own keys where there are some, else the installation's, which are made where there
 * are none yet. @throws StoreUnavailableError, UnreadableSecretError
 */
export const openSigningKeys = async (
  config: Pick<AppConfig, 'encryptionKeys' | 'jwks'>,
  adapters: Pick<Adapters, 'signingKeys' | 'audit'>,
  ports: Ports,
): Promise<OpenKeys> => {
  const { jwks } = config
  if (jwks) {
    return {
      jwks: () => jwks,
      ages: () => [],
      missing: () => [],
      onChange: () => {},
      onLoss: () => {},
      close: async () => {},
    }
  }

  const live = await openLiveKeys(keysAtRest(config, adapters, ports), ports)
  const listeners: (() => void)[] = []
  const losers: ((error: UnreadableSecretError) => void)[] = []
  let isDue = false
  let looking: Promise<void> | undefined
  const look = async () => {
    try {
      isDue = (await live.refresh()) || isDue
      if (isDue) for (const changed of listeners) changed()
      isDue = false
    } catch (error) {
      ports.log.error({ err: error }, 'signing_keys_unused')
      if (error instanceof UnreadableSecretError) for (const lost of losers) lost(error)
    }
    await live
      .tidy()
      .catch((error: unknown) => ports.log.warn({ err: error }, 'signing_keys_untidied'))
    looking = undefined
  }
  const timer = setInterval(() => {
    looking ??= look()
  }, LOOK_MS)
  return {
    // The engine knows the algorithms that we make keys for.
    jwks: () => ({ keys: [...live.jwks()] as JWKS['keys'] }),
    ages: live.ages,
    missing: () => (live.isLacking() ? [LACKING] : []),
    onChange: (changed) => void listeners.push(changed),
    onLoss: (lost) => void losers.push(lost),
    close: async () => {
      clearInterval(timer)
      await looking
    },
  }
}
