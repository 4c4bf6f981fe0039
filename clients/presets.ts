import type { z } from 'zod'
import type { ClientRules, clientSchema } from './schema.ts'

/** What kind of software a client is; each comes with what is safe for it. */
export const PRESETS = ['web', 'spa', 'native', 'service'] as const
export type Preset = (typeof PRESETS)[number]
type Metadata = Partial<z.input<ReturnType<typeof clientSchema>>>

/** Cheaper to make and to check than RS256, which stays the default of who says nothing. */
const idToken = ({ signingAlgorithms }: Pick<ClientRules, 'signingAlgorithms'>): Metadata =>
  signingAlgorithms.includes('ES256') ? { id_token_signed_response_alg: 'ES256' } : {}

const METADATA: Readonly<Record<Preset, Metadata>> = {
  // A server that keeps a secret.
  web: { token_endpoint_auth_method: 'client_secret_basic' },
  // A page in the browser: no secret, PKCE.
  spa: { token_endpoint_auth_method: 'none' },
  // An app on the member's device: no secret, PKCE, a loopback address or a scheme of its own.
  native: { token_endpoint_auth_method: 'none', application_type: 'native' },
  // A server that signs nobody in and speaks for itself.
  service: {
    token_endpoint_auth_method: 'client_secret_basic',
    grant_types: ['client_credentials'],
    response_types: [],
    subject_type: 'public',
  },
}

/** Metadata to start from; what the operator says takes its place. */
export const presetMetadata = (
  preset: Preset,
  rules: Pick<ClientRules, 'signingAlgorithms'>,
): Metadata => ({ ...METADATA[preset], ...(preset !== 'service' && idToken(rules)) })
