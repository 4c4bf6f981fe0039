import type { Log } from '../accounts/ports.ts'
import type { KnownClients } from './directory.ts'
import type { ClientRules } from './schema.ts'

/** So many are named in the line; their number is told besides. */
const NAMED = 20

/** Says in one line which clients wait for a signature that there is no key for any more: each of
 * their sign-ins fails until IDP_JWKS has such a key, or they are registered for another algorithm. */
export const tellOfUnsignable = async (
  known: Pick<KnownClients, 'list'>,
  { signingAlgorithms }: Pick<ClientRules, 'signingAlgorithms'>,
  log: Log,
): Promise<void> => {
  const lacking = (await known.list()).flatMap(({ client: { id, metadata } }) => {
    const named = [metadata.id_token_signed_response_alg, metadata.userinfo_signed_response_alg]
    const missing = named.filter((alg) => alg !== undefined && !signingAlgorithms.includes(alg))
    return missing.length > 0 ? [{ id, missing }] : []
  })
  if (lacking.length === 0) return
  const facts = {
    clients: lacking.length,
    clientIds: lacking.slice(0, NAMED).map(({ id }) => id),
    missing: [...new Set(lacking.flatMap(({ missing }) => missing))],
    signingAlgorithms,
  }
  log.warn(facts, 'client_algorithm_without_key')
}
