// biome-ignore lint/style/noRestrictedImports: this adapter is the engine's; it refuses in its words
import type { Adapter } from 'oidc-provider'
import { isAlreadyConsumed } from './engine-refusals.ts'

/**
 * The engine revokes what was issued for a code or refresh token when it finds it consumed. Where two
 * requests find it unconsumed and one loses the race to consume it, that is a replay as well: the
 * loser revokes the grant, before or after the winner's tokens are stored (RFC 6749 section 4.1.2,
 * RFC 9700 section 4.14.2).
 */
export const revokingReplays =
  (adapterFor: (model: string) => Adapter): ((model: string) => Adapter) =>
  (model) => {
    const adapter = adapterFor(model)
    return {
      ...adapter,
      consume: async (id) => {
        try {
          await adapter.consume(id)
        } catch (error) {
          if (!(await isAlreadyConsumed(error))) throw error
          const payload = await adapter.find(id)
          if (payload?.consumed && payload.grantId) await adapter.revokeByGrantId(payload.grantId)
          throw error
        }
      },
    }
  }
