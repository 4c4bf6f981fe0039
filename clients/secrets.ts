import type { EpochSeconds } from '../accounts/member.ts'
import { sealedUnder, UnreadableSecretError } from '../factors/seal.ts'
import { liveSecrets, type RegisteredClient, type SealedSecret } from './client.ts'

/** A secret that counts and proves nobody, and why; nothing of it is secret. */
export type UnreadableSecret = Readonly<{
  createdAt: EpochSeconds
  /** The ID of the key that sealed it. */
  encryptionKey: string
  reason: string
}>

/** What counts at some time, newest first. */
export type OpenedSecrets = Readonly<{
  readable: readonly Readonly<{ kept: SealedSecret; secret: string }>[]
  unreadable: readonly UnreadableSecret[]
}>

/** @throws UnreadableSecretError */
export type OpenSecret = (client: RegisteredClient, sealed: string) => string

/** Opens each by itself: one whose key is lost takes none of the others with it. */
export const openSecrets = (
  client: RegisteredClient,
  now: EpochSeconds,
  open: OpenSecret,
): OpenedSecrets => {
  const readable: OpenedSecrets['readable'][number][] = []
  const unreadable: UnreadableSecret[] = []
  for (const kept of liveSecrets(client, now)) {
    try {
      readable.push({ kept, secret: open(client, kept.sealed) })
    } catch (error) {
      if (!(error instanceof UnreadableSecretError)) throw error
      const { createdAt, sealed } = kept
      const reason = error.detail ?? error.code
      unreadable.push({ createdAt, encryptionKey: sealedUnder(sealed), reason })
    }
  }
  return { readable, unreadable }
}
