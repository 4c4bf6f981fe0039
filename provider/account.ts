import { createHmac } from 'node:crypto'
import type { Account, Client, KoaContextWithOIDC, UnknownObject } from 'oidc-provider'
import type { Member, MemberId } from '../accounts/member.ts'
import type { MemberStore } from '../accounts/ports.ts'
import type { KnownClients } from '../clients/directory.ts'

/** The engine's account with the member it stands for. */
export type MemberAccount = Account & Readonly<{ member: Member }>

/** Standard claims only: symbol, number and birthdate are no default claims (健康保険法第194条の2). */
const claimsOf = (member: Member) => ({
  sub: member.id,
  locale: member.locale,
  ...(member.email?.verifiedAt !== undefined && {
    email: member.email.address,
    email_verified: true,
  }),
})

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

/** A blocked member is no account: codes, refresh and userinfo end with the block. */
export const findAccount =
  (members: MemberStore, known: Pick<KnownClients, 'find'>) =>
  async (
    _ctx: KoaContextWithOIDC,
    sub: string,
    token?: unknown,
  ): Promise<MemberAccount | undefined> => {
    if (await isOutlived(known, token)) return undefined
    const member = await members.findById(sub as MemberId)
    if (!member || member.blocked || isSignedOut(member, token)) return undefined
    return { accountId: member.id, member, claims: () => ({ ...claimsOf(member), ...told(token) }) }
  }

/** Apps with schemes of their own, or on loopback addresses, have no host that is theirs: each is a
 * sector by itself. */
const sectorOf = (client: Client): string => {
  const sector = String(client.sectorIdentifier ?? '')
  const isNobodys = /^(localhost|127\.0\.0\.1|\[::1\])?(:\d+)?$/.test(sector)
  return isNobodys ? client.clientId : sector
}

/** A `sub` that two sectors cannot compare (OIDC Core section 8.1). */
export const pairwiseIdentifier =
  (salt: string) =>
  (_ctx: KoaContextWithOIDC, accountId: string, client: Client): string =>
    createHmac('sha256', salt)
      .update(`${sectorOf(client)}|${accountId}`)
      .digest('base64url')
