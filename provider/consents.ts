import type { KoaContextWithOIDC } from 'oidc-provider'
import {
  askable,
  type Consent,
  type ConsentRequest,
  type Permissions,
} from '../accounts/consents.ts'
import type { MemberId } from '../accounts/member.ts'
import type { ConsentStore } from '../accounts/ports.ts'
import { claimsOfScopes, heldConsent } from '../clients/consents.ts'
import type { KnownClients } from '../clients/directory.ts'
import { claimsGranted, claimsToldTo } from './claims.ts'

/** What this authorization request asks for, of what the client may be told at all. */
export const askedBy = ({ oidc }: KoaContextWithOIDC): Permissions => {
  const { client } = oidc
  const scopes = [...oidc.requestParamOIDCScopes]
  const told = client ? claimsToldTo(client) : new Set<string>()
  return askable({
    scopes,
    // Each by its name: a scope may stand for more once our terms with the client are others.
    claims: [
      ...claimsOfScopes(scopes).filter((claim) => told.has(claim)),
      ...(client ? claimsGranted(oidc.requestParamClaims, client) : []),
    ],
    resources: Object.entries(oidc.resourceServers ?? {}).flatMap(([indicator, api]) => {
      const wanted = [...oidc.requestParamScopes].filter((scope) => api.scopes.has(scope))
      // A token for the API comes without any scope of it, too.
      return wanted.length === 0 ? [indicator] : wanted.map((scope) => `${indicator} ${scope}`)
    }),
  })
}

/** The claims that the parameter marks essential, wherever it asks for them. */
const essentialIn = (claims: unknown): readonly string[] => {
  // The engine has validated the text: an object of objects, each null or an object.
  const parts = typeof claims === 'string' ? Object.values(JSON.parse(claims) as object) : []
  return parts.flatMap((part) =>
    Object.entries((part ?? {}) as Record<string, Readonly<{ essential?: unknown }> | null>)
      .filter(([, wish]) => wish?.essential === true)
      .map(([claim]) => claim),
  )
}

/** What the page has to show, for the interaction to keep. */
export const consentRequestOf = (ctx: KoaContextWithOIDC): ConsentRequest => {
  const asked = askedBy(ctx)
  const essential = essentialIn(ctx.oidc.params?.claims)
  return { asked, essential: asked.claims.filter((claim) => essential.includes(claim)) }
}

/** Looks up what a member has allowed the client that has this ID now. */
export type FindConsent = (memberId: MemberId, clientId: string) => Promise<Consent | undefined>

export const createFindConsent =
  (consents: ConsentStore, known: Pick<KnownClients, 'find'>): FindConsent =>
  async (memberId, clientId) => {
    const found = await known.find(clientId)
    return found && heldConsent(consents, memberId, found.client)
  }
