import type { AdapterFactory, AdapterPayload } from 'oidc-provider'
import { INTERACTION_SECONDS } from '../accounts/policy.ts'

/** By how much a proof's `iat` may be ahead of the clock, for which the engine asks us to remember
 * no longer: until then it is good once more (RFC 9449 section 11.1). */
const PROOF_AHEAD_SECONDS = 300

const later = (payload: AdapterPayload, seconds: number): AdapterPayload => ({
  ...payload,
  ...(payload.exp !== undefined && { exp: payload.exp + seconds }),
})

/**
 * The engine's artifacts, with what shows that something was used kept for as long as it could be
 * used again:
 * - a pushed request for the time of a sign-in beyond its end: the engine reads the end in it and
 *   begins no other, and uses it up with the code, however late that comes (RFC 9126 section 4);
 * - the `jti` of a proof or an assertion.
 */
export const rememberUses =
  (artifacts: AdapterFactory): AdapterFactory =>
  (model) => {
    const adapter = artifacts(model)
    if (model === 'PushedAuthorizationRequest') {
      return {
        ...adapter,
        upsert: (id, payload, expiresIn) =>
          adapter.upsert(id, payload, expiresIn && expiresIn + INTERACTION_SECONDS),
      }
    }
    if (model === 'ReplayDetection') {
      return {
        ...adapter,
        upsert: (id, payload, expiresIn) =>
          adapter.upsert(
            id,
            later(payload, PROOF_AHEAD_SECONDS),
            expiresIn && expiresIn + PROOF_AHEAD_SECONDS,
          ),
      }
    }
    return adapter
  }
