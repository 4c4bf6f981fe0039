import type { AdapterFactory } from 'oidc-provider'

/** So long after its end a code is still known to be an expired one, and not one of nobody's. */
const KNOWN_SECONDS = 600

/**
 * The engine's artifacts, with authorization codes kept for a while beyond their end: the engine
 * reads the end in the code itself and refuses it, and can say why.
 */
export const knowExpiredCodes =
  (artifacts: AdapterFactory): AdapterFactory =>
  (model) => {
    const adapter = artifacts(model)
    if (model !== 'AuthorizationCode') return adapter
    return {
      ...adapter,
      upsert: (id, payload, expiresIn) =>
        adapter.upsert(id, payload, expiresIn && expiresIn + KNOWN_SECONDS),
    }
  }
