import { z } from 'zod'
import { ACR_LADDER } from '../accounts/assurance.ts'
import type { ClientPolicy } from '../accounts/policy.ts'
import { type Problem, readEntries } from './problem.ts'

/** Client metadata (RFC 7591 section 2) as the engine takes it. */
export type ClientMetadata = Readonly<
  Omit<ClientEntry, 'policy'> & {
    grant_types: readonly ('authorization_code' | 'refresh_token')[]
    response_types: readonly 'code'[]
    require_auth_time: boolean
  }
>

/** The relying parties: their metadata for the engine, their policy for us. */
export type Clients = Readonly<{
  metadata: readonly ClientMetadata[]
  policies: ReadonlyMap<string, ClientPolicy>
}>

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])
const urlOf = (text: string): URL | undefined => (URL.canParse(text) ? new URL(text) : undefined)

/** https, or http on this machine (RFC 8252 section 7.3); no fragment (RFC 6749 section 3.1.2). */
const webUri = z.string().refine((text) => {
  const url = urlOf(text)
  if (!url || url.hash || url.username || url.password || text.includes('*')) return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname))
}, 'must be an https URI without fragment or wildcard (http on localhost only)')

const clientSchema = z
  .strictObject({
    client_id: z
      .string()
      .regex(/^[A-Za-z0-9._~-]{1,128}$/, 'must be 1 to 128 letters, digits, "-", ".", "_" or "~"'),
    client_name: z.string().min(1),
    client_secret: z.string().min(32, 'must be at least 32 characters').exactOptional(),
    application_type: z.enum(['web', 'native']).exactOptional(),
    redirect_uris: z.array(webUri).min(1, 'must name at least one URI'),
    post_logout_redirect_uris: z.array(webUri).exactOptional(),
    token_endpoint_auth_method: z
      .enum(['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'])
      .default('client_secret_basic'),
    jwks: z.object({ keys: z.array(z.looseObject({ kty: z.string() })) }).exactOptional(),
    jwks_uri: webUri.exactOptional(),
    initiate_login_uri: webUri.exactOptional(),
    backchannel_logout_uri: webUri.exactOptional(),
    backchannel_logout_session_required: z.boolean().exactOptional(),
    client_uri: webUri.exactOptional(),
    policy_uri: webUri.exactOptional(),
    tos_uri: webUri.exactOptional(),
    contacts: z.array(z.string()).exactOptional(),
    scope: z.string().exactOptional(),
    grant_types: z.array(z.enum(['authorization_code', 'refresh_token'])).exactOptional(),
    sector_identifier_uri: webUri.exactOptional(),
    subject_type: z.enum(['pairwise', 'public']).exactOptional(),
    id_token_signed_response_alg: z.enum(['RS256', 'PS256', 'ES256', 'EdDSA']).exactOptional(),
    require_auth_time: z.boolean().exactOptional(),
    policy: z.strictObject({
      society: z.string(),
      requiredAcr: z.enum(ACR_LADDER),
      maxAge: z.int().min(0, 'must be 0 or more seconds').exactOptional(),
    }),
  })
  .superRefine((client, context) => {
    const method = client.token_endpoint_auth_method
    const fault = (key: string, message: string) =>
      context.addIssue({ code: 'custom', path: [key], message })
    const usesSecret = method === 'client_secret_basic' || method === 'client_secret_post'
    if (usesSecret && client.client_secret === undefined) {
      fault('client_secret', `is missing, as "token_endpoint_auth_method" is "${method}"`)
    }
    if (!usesSecret && client.client_secret !== undefined) {
      fault('client_secret', `must not be given, as "token_endpoint_auth_method" is "${method}"`)
    }
    if (method === 'private_key_jwt' && (client.jwks === undefined) === !client.jwks_uri) {
      fault('jwks', 'or "jwks_uri", exactly one of them, must be given for "private_key_jwt"')
    }
    if (client.backchannel_logout_session_required && !client.backchannel_logout_uri) {
      fault('backchannel_logout_session_required', 'is true without a "backchannel_logout_uri"')
    }
    for (const key of client.jwks?.keys ?? []) {
      if ('d' in key || 'k' in key) fault('jwks', 'must hold public keys only')
    }
  })
type ClientEntry = z.output<typeof clientSchema>

const policyOf = (client: ClientEntry): ClientPolicy => ({
  clientId: client.client_id,
  name: client.client_name,
  societyId: client.policy.society,
  requiredAcr: client.policy.requiredAcr,
  ...(client.client_uri === undefined ? {} : { uri: client.client_uri }),
  ...(client.initiate_login_uri === undefined
    ? {}
    : { initiateLoginUri: client.initiate_login_uri }),
  ...(client.policy.maxAge === undefined ? {} : { maxAge: client.policy.maxAge }),
})

/** The engine takes an initiate_login_uri by https only; our pages use one on this machine too. */
const metadataOf = ({
  policy,
  initiate_login_uri: start,
  ...metadata
}: ClientEntry): ClientMetadata => ({
  ...metadata,
  ...(start?.startsWith('https:') && { initiate_login_uri: start }),
  grant_types: metadata.grant_types ?? ['authorization_code'],
  response_types: ['code'],
  // The society's sign-in rules hold for every request, so auth_time is never left out.
  require_auth_time: metadata.require_auth_time ?? true,
})

/**
 * Reads the clients file: OpenID Connect client metadata (RFC 7591 section 2) with a `policy`
 * member of ours. Adds what is wrong to `problems`. In production a web client cannot be sent back
 * to this machine.
 */
export const readClients = (
  source: Readonly<{
    file: string
    text: string
    /** Undefined: the societies file could not be read, so this is not checked. */
    societyIds: ReadonlySet<string> | undefined
    production: boolean
  }>,
  problems: Problem[],
): Clients => {
  const { file, societyIds, production } = source
  const entries = readEntries({ ...source, idKey: 'client_id', schema: clientSchema }, problems)
  for (const client of entries) {
    const fault = (place: string, rule: string, remedy: string) =>
      problems.push({ name: `${file}: ${client.client_id}: "${place}"`, rule, remedy })
    if (societyIds && !societyIds.has(client.policy.society)) {
      fault('policy.society', 'is not in the societies file', 'Use the id of a society there.')
    }
    const logoutUri = client.backchannel_logout_uri
    if (production && logoutUri !== undefined && urlOf(logoutUri)?.protocol !== 'https:') {
      fault('backchannel_logout_uri', 'is not https', 'In production logout tokens need https.')
    }
    if (production && client.application_type !== 'native') {
      for (const [index, uri] of client.redirect_uris.entries()) {
        if (urlOf(uri)?.protocol === 'https:') continue
        fault(`redirect_uris[${index}]`, 'is not https', 'In production a web client needs https.')
      }
    }
  }
  return {
    metadata: entries.map(metadataOf),
    policies: new Map(entries.map((client) => [client.client_id, policyOf(client)])),
  }
}
