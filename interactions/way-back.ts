import type { Context } from 'koa'
import type { ClientPolicy } from '../accounts/policy.ts'
import { hostCookie } from './cookie-names.ts'
import type { PageServices } from './services.ts'

const COOKIE = 'idp_app'
const DAY_MS = 86_400_000

/**
 * Remembers which relying party this browser came from, so that a page that has expired can still
 * show the way back (the engine forgets the request with the interaction). Also marks the browser
 * as the one that waits, for the page a mailed link opens.
 */
export const rememberApp = (ctx: Context, client: ClientPolicy, uid: string): void => {
  ctx.cookies.set(hostCookie(ctx, COOKIE), `${client.clientId}|${uid}`, {
    signed: true,
    httpOnly: true,
    sameSite: 'lax',
    overwrite: true,
    maxAge: DAY_MS,
  })
}

/** The relying party this browser last came from, and the interaction it was in. */
export const rememberedApp = async (
  ctx: Context,
  { clients }: Pick<PageServices, 'clients'>,
): Promise<Readonly<{ client?: ClientPolicy; uid?: string }>> => {
  const [clientId, uid] = (ctx.cookies.get(hostCookie(ctx, COOKIE), { signed: true }) ?? '').split(
    '|',
  )
  // The page that says that a store does not answer comes without it, too.
  const client = clientId ? await clients.find(clientId).catch(() => undefined) : undefined
  return { ...(client && { client }), ...(uid && { uid }) }
}

/** Where "start again" leads: the relying party's own sign-in start, else its front page. */
export const wayBack = (client: ClientPolicy | undefined, issuer: string): string | undefined => {
  if (client?.initiateLoginUri) {
    const start = new URL(client.initiateLoginUri)
    start.searchParams.set('iss', issuer)
    return start.href
  }
  return client?.uri
}
