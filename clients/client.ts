import type { EpochSeconds } from '../accounts/member.ts'
import type { ClientPolicy } from '../accounts/policy.ts'
import type { ClientMetadata, PolicyEntry } from './schema.ts'

/** A secret at rest: sealed under the installation's keys, for this client alone. */
export type SealedSecret = Readonly<{
  sealed: string
  createdAt: EpochSeconds
  /** Not taken from then on: another has taken its place. */
  expiresAt?: EpochSeconds
}>

/** What a client that registered itself was let do, and is held to when it changes itself. */
export type RegistrationLimits = Readonly<{
  tokenId: string
  /** Hosts of its redirect URIs, and of what members see as its own. */
  hosts: readonly string[]
  scopes: readonly string[]
}>

/** A relying party as it is registered, lasting. */
export type RegisteredClient = Readonly<{
  /** Its client_id. */
  id: string
  metadata: Readonly<ClientMetadata>
  policy: Readonly<PolicyEntry>
  /** Newest first; none where it has none, two while one takes the other's place. */
  secrets: readonly SealedSecret[]
  registeredAt: EpochSeconds
  updatedAt: EpochSeconds
  /** Tokens from before are dead: it was disabled since, or is another of the same ID. */
  tokensSince: EpochSeconds
  disabled?: Readonly<{ at: EpochSeconds; reason?: string }>
  registration?: RegistrationLimits
  /** 0: not stored yet. */
  revision: number
}>

/** A relying party as our pages and policy see it. */
export const policyOf = ({
  id,
  metadata,
  policy,
  registeredAt,
}: RegisteredClient): ClientPolicy => {
  const { 'client_name#ja': ja, 'client_name#en': en } = metadata
  const { client_name: name } = metadata
  return {
    clientId: id,
    name,
    ...((ja ?? en) !== undefined && { names: { ja: ja ?? name, en: en ?? name } }),
    societyId: policy.society,
    requiredAcr: policy.requiredAcr,
    ...(metadata.client_uri !== undefined && { uri: metadata.client_uri }),
    ...(metadata.initiate_login_uri !== undefined && {
      initiateLoginUri: metadata.initiate_login_uri,
    }),
    ...(policy.maxAge !== undefined && { maxAge: policy.maxAge }),
    ...(policy.thirdParty === true && { thirdParty: true }),
    ...(registeredAt > 0 && { registeredAt }),
    ...(metadata.logo_uri !== undefined && { logoUri: metadata.logo_uri }),
    ...(metadata.policy_uri !== undefined && { policyUri: metadata.policy_uri }),
    ...(metadata.tos_uri !== undefined && { tosUri: metadata.tos_uri }),
  }
}

/** The secrets that count now, newest first. */
export const liveSecrets = (
  { secrets }: Pick<RegisteredClient, 'secrets'>,
  now: EpochSeconds,
): readonly SealedSecret[] =>
  secrets.filter(({ expiresAt }) => expiresAt === undefined || now < expiresAt)
