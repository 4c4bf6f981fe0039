import { randomBytes } from 'node:crypto'
import { DEVELOPMENT_PREFIX, type GeneratedSecret } from './options.ts'

const random = () => `${DEVELOPMENT_PREFIX}${randomBytes(32).toString('base64url')}`

const encryptionKey = () =>
  `${DEVELOPMENT_PREFIX}${randomBytes(6).toString('hex')}:${randomBytes(32).toString('base64url')}`

/**
 * Makes the secrets of a developer's machine, as the environment would have them. All carry a mark
 * that production refuses.
 */
export const DEVELOPMENT_SECRETS: Readonly<Record<GeneratedSecret, () => string>> = {
  IDP_COOKIE_KEYS: random,
  IDP_CODE_KEY: random,
  IDP_ENCRYPTION_KEYS: encryptionKey,
  IDP_PAIRWISE_SALT: random,
}

/** Keeps a made value in the data directory's store: the one held under `name`, else a new one. */
export type KeepSecret = (dataDir: string, name: string, make: () => string) => string
