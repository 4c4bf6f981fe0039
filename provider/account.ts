import { createHmac } from 'node:crypto'
import type { Account, Client, KoaContextWithOIDC, UnknownObject } from 'oidc-provider'
import { isFromBefore } from '../accounts/consents.ts'
import type { Member, MemberId } from '../accounts/member.ts'
import type { MemberStore } from '../accounts/ports.ts'
import type { KnownClients } from '../clients/directory.ts'
import { ownSector } from '../clients/sector.ts'
import { claimsOf, claimsToldTo } from './claims.ts'
import { termsOf } from './clients.ts'
import type { FindConsent } from './consents.ts'

/** The engine's account with the member it stands for. */
export type MemberAccount = Account & Readonly<{ member: Member }>

/** What this client may be told of the member, whichever way it asks: what our terms with it allow,
 * and of that a third party what the member has allowed it. */
const toldOf = async (
  member: Member,
  client: Client | undefined,
  findConsent: FindConsent,
): Promise<Readonly<Record<string, unknown>>> => {
  if (!client) return {}
  const allowed = claimsToldTo(client)
  const asked = termsOf(client).thirdParty === true
  const consent = asked ? await findConsent(member.id, client.clientId) : undefined
  return Object.fromEntries(
    Object.entries(claimsOf(member)).filter(
      ([claim]) => allowed.has(claim) && (!asked || consent?.claims.includes(claim) === true),
    ),
  )
}

/** How the member signed in, kept with each access token for userinfo. */
export const assuranceOfToken = (ctx: KoaContextWithOIDC): UnknownObject | undefined => {
  const { AuthorizationCode: code, RefreshToken: refresh } = ctx.oidc.entities
  const source = code ?? refresh
  return source && { acr: source.acr, amr: source.amr }
}

const told = (token: unknown): Readonly<{ acr?: unknown; amr?: unknown }> => {
  const extra = (token as { extra?: { acr?: unknown; amr?: unknown } } | undefined)?.extra
  return { ...(extra?.acr !== undefined && extra) }
}

/** Whether its client was disabled, or made anew, since this token was issued. */
const isOutlived = async (known: Pick<KnownClients, 'find'>, token: unknown): Promise<boolean> => {
  const { clientId, iat } = (token ?? {}) as Readonly<{ clientId?: string; iat?: number }>
  if (clientId === undefined || iat === undefined) return false
  const found = await known.find(clientId)
  return found === undefined || iat < found.client.tokensSince
}

/** Whether the member has ended, elsewhere and since, the sign-in that this token comes from. */
const isSignedOut = ({ signedOut }: Member, token: unknown): boolean => {
  const { iat, sessionUid } = (token ?? {}) as Readonly<{ iat?: number; sessionUid?: string }>
  if (!signedOut || iat === undefined || sessionUid === undefined) return false
  return sessionUid !== signedOut.except && iat < signedOut.at
}

/** Whether its client has become another society's since this token was issued. */
const isAnothers = async (
  known: Pick<KnownClients, 'find'>,
  { societyId }: Member,
  token: unknown,
): Promise<boolean> => {
  const { clientId } = (token ?? {}) as Readonly<{ clientId?: string }>
  if (clientId === undefined) return false
  return (await known.find(clientId))?.client.policy.society !== societyId
}

/** Whether it is a third party's, and the member has not allowed it anything since, or no more. */
const isWithdrawn = async (
  known: Pick<KnownClients, 'find'>,
  findConsent: FindConsent,
  memberId: MemberId,
  token: unknown,
): Promise<boolean> => {
  const { clientId, iat } = (token ?? {}) as Readonly<{ clientId?: string; iat?: number }>
  if (clientId === undefined || iat === undefined) return false
  const found = await known.find(clientId)
  if (found?.client.policy.thirdParty !== true) return false
  const consent = await findConsent(memberId, clientId)
  return consent === undefined || isFromBefore(consent, iat)
}

/** A blocked member is no account: codes, refresh and userinfo end with the block, and with what was
 * allowed to a third party. */
export const findAccount =
  (members: MemberStore, known: Pick<KnownClients, 'find'>, findConsent: FindConsent) =>
  async (
    ctx: KoaContextWithOIDC,
    sub: string,
    token?: unknown,
  ): Promise<MemberAccount | undefined> => {
    if (await isOutlived(known, token)) return undefined
    const member = await members.findById(sub as MemberId)
    if (!member || member.blocked || isSignedOut(member, token)) return undefined
    if (await isAnothers(known, member, token)) return undefined
    if (await isWithdrawn(known, findConsent, member.id, token)) return undefined
    const claims = async () => ({
      ...(await toldOf(member, ctx.oidc.client, findConsent)),
      sub: member.id,
      ...told(token),
    })
    return { accountId: member.id, member, claims }
  }

/** Apps with schemes of their own, or on loopback addresses, have no host that is theirs: each is a
 * sector by itself. */
const sectorOf = (client: Client): string =>
  ownSector(client.clientId, String(client.sectorIdentifier ?? ''))

/** A `sub` that two sectors cannot compare (OIDC Core section 8.1). */
export const pairwiseIdentifier =
  (salt: string) =>
  (_ctx: KoaContextWithOIDC, accountId: string, client: Client): string =>
    createHmac('sha256', salt)
      .update(`${sectorOf(client)}|${accountId}`)
      .digest('base64url')
