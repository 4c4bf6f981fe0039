import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto'
// biome-ignore lint/style/noRestrictedImports: what is written here is the engine's
import type { AdapterPayload } from 'oidc-provider'

/** What a store keeps in place of an ID whose holder may act on it. */
export const digest = (id: string): string => hash('sha256', id, 'base64url')

const PREFIX = '~'
/** Good for the life of this process: nothing made with it is ever stored. */
const KEY = randomBytes(32)
const proofOf = (digested: string): string =>
  createHmac('sha256', KEY).update(digested).digest('base64url')

/**
 * A stand-in for an ID of which only the digest is known, for an artifact that was found by
 * something else. Nobody but this process can make one, so a digest read from a store opens nothing.
 */
export const aliasOf = (digested: string): string => `${PREFIX}${digested}.${proofOf(digested)}`

/** The digest of an ID, or the one that a stand-in stands for. */
export const digestOf = (id: string): string => {
  if (!id.startsWith(PREFIX)) return digest(id)
  const [digested = '', proof = ''] = id.slice(PREFIX.length).split('.')
  const expected = Buffer.from(proofOf(digested))
  const given = Buffer.from(proof)
  const isOurs = given.length === expected.length && timingSafeEqual(given, expected)
  return isOurs ? digested : digest(id)
}

/**
 * The payload as it is written down: without live IDs, which are the artifact's own, of which its
 * key holds a digest, and the session's in an Interaction, which the engine puts there and never
 * reads.
 */
export const withoutIds = (id: string, payload: AdapterPayload): AdapterPayload => {
  const { session } = payload
  const { cookie: _, ...rest } = session ?? {}
  return {
    ...payload,
    ...(payload.jti === id && { jti: '' }),
    // The engine's type asks for the cookie that it never reads.
    ...(session && { session: rest as typeof session }),
  }
}

/** The payload as it was saved, for whoever knows its ID or has found it (`aliasOf`). */
export const withId = (id: string, written: AdapterPayload): AdapterPayload =>
  written.jti === '' ? { ...written, jti: id } : written

/** The models that stand and fall with their grant. An Interaction only mentions one. */
const GRANTABLE: ReadonlySet<string> = new Set([
  'AccessToken',
  'AuthorizationCode',
  'RefreshToken',
  'DeviceCode',
  'BackchannelAuthenticationRequest',
  'PreAuthorizedCode',
])

/** The ID of the grant that an artifact stands and falls with, if any: a Grant's is its own. */
export const grantIdOf = (
  model: string,
  id: string,
  { grantId }: AdapterPayload,
): string | undefined => (model === 'Grant' ? id : GRANTABLE.has(model) ? grantId : undefined)
