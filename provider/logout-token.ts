import { randomUUID } from 'node:crypto'
import type { Client, Provider } from 'oidc-provider'
import type { LogoutCall, LogoutRequest } from '../accounts/ports.ts'

/** OpenID Connect Back-Channel Logout 1.0 section 2.4 */
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout'

const tokenFor = async (
  provider: Provider,
  client: Client,
  { memberId, sid }: LogoutRequest,
): Promise<string> => {
  const token = new provider.IdToken({ sub: memberId }, { client })
  // The engine names no claim that is not asked for; its types leave this out.
  Object.assign(token, { mask: { sub: null } })
  token.set('events', { [LOGOUT_EVENT]: {} })
  token.set('jti', randomUUID())
  // Without it, the relying party was told no sid in the ID token and would look for it in vain.
  if (client.backchannelLogoutSessionRequired) token.set('sid', sid)
  return token.issue({ use: 'logout' })
}

/**
 * Makes the logout token for one relying party, at the moment it is sent: nothing signed is kept,
 * and its two minutes start now. Undefined where the client is no longer registered for it.
 */
export const createLogoutCalls =
  (providerNow: () => Provider) =>
  async (request: LogoutRequest): Promise<LogoutCall | undefined> => {
    const provider = providerNow()
    const client = await provider.Client.find(request.clientId)
    const uri = client?.backchannelLogoutUri
    if (!client || uri === undefined) return undefined
    return { uri, token: await tokenFor(provider, client, request) }
  }

/** One client to be told that one of its sessions is over. */
export type EndedAtClient = Readonly<{ clientId: string; accountId: string; sid: string }>

/**
 * At its own sign-out page the engine would call each relying party while the member waits. It calls
 * `Client#backchannelLogout` for that, which only notes it from here on.
 * @throws where the engine no longer has that method
 */
export const noteLogouts = (
  provider: Provider,
  note: (ended: EndedAtClient) => Promise<void>,
): void => {
  const { prototype } = provider.Client
  if (!('backchannelLogout' in prototype)) {
    throw new Error('the engine has no Client#backchannelLogout: see provider/logout-token.ts')
  }
  Object.defineProperty(prototype, 'backchannelLogout', {
    value(this: Client, accountId: string, sid: string) {
      return note({ clientId: this.clientId, accountId, sid })
    },
  })
}
