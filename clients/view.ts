import type { RegisteredClient } from './client.ts'
import type { Origin } from './directory.ts'
import type { RegistrationToken } from './tokens.ts'

const isoTime = (seconds: number): string => new Date(seconds * 1000).toISOString()

/** A client as operators are shown it, in every door alike: all but its secrets. */
export const clientView = (client: RegisteredClient, origin: Origin = 'store') => {
  const { id, metadata, policy, secrets, disabled, registration, revision } = client
  return {
    client_id: id,
    ...metadata,
    policy,
    origin,
    // What stands in a file has no history.
    ...(client.registeredAt > 0 && {
      revision,
      registered_at: isoTime(client.registeredAt),
      updated_at: isoTime(client.updatedAt),
      secrets: secrets.map(({ createdAt, expiresAt }) => ({
        created_at: isoTime(createdAt),
        ...(expiresAt !== undefined && { expires_at: isoTime(expiresAt) }),
      })),
    }),
    ...(disabled && {
      disabled: {
        at: isoTime(disabled.at),
        ...(disabled.reason !== undefined && { reason: disabled.reason }),
      },
    }),
    ...(registration && { registration_token: registration.tokenId }),
  }
}
export type ClientView = ReturnType<typeof clientView>

/** A registration token as operators are shown it: what it allows and how far it is used. */
export const tokenView = (token: RegistrationToken) => ({
  id: token.id,
  policy: token.policy,
  hosts: token.hosts,
  scopes: token.scopes,
  uses: token.uses,
  used: token.used,
  created_at: isoTime(token.createdAt),
  expires_at: isoTime(token.expiresAt),
  ...(token.revokedAt !== undefined && { revoked_at: isoTime(token.revokedAt) }),
})
