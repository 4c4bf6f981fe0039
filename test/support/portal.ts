import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createPortal } from '../../portal/index.ts'
import { type Idp, type IdpOptions, startIdp } from './idp.ts'

/** Two instances on Redis and MongoDB behind a balancer that takes turns. */
export const AS_IN_PRODUCTION = { store: 'redis+mongo', instances: 2 } as const

/** The same as `npm run cluster -- 2` has it: a process each, behind that balancer. */
export const ON_A_CLUSTER = { store: 'redis+mongo', instances: 'cluster' } as const

/** The provider and a society's portal before it, as members meet them. */
export type PortalAndIdp = Readonly<{
  idp: Idp
  /** http://localhost:port, the portal's front page. */
  portalUrl: string
  close(): Promise<void>
}>

/** The demo's health portal on a port of its own, registered at the provider that it sends to. */
export const startPortalAndIdp = async (options: IdpOptions = {}): Promise<PortalAndIdp> => {
  // The portal's address must be known before the provider is: the portal comes in once it is.
  let handle: RequestListener | undefined
  const server = createServer((request, response) => handle?.(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // TCP, so no path
  const portalUrl = `http://localhost:${port}`

  const idp = await startIdp({
    ...options,
    clients: [
      {
        client_id: 'health-portal',
        redirect_uris: [`${portalUrl}/callback`],
        post_logout_redirect_uris: [`${portalUrl}/signed-out`],
        initiate_login_uri: `${portalUrl}/login`,
        backchannel_logout_uri: `${portalUrl}/backchannel-logout`,
        backchannel_logout_session_required: true,
        client_uri: `${portalUrl}/`,
      },
      ...(options.clients ?? []),
    ],
  })
  const { clientId, clientSecret = '' } = idp.client('health-portal')
  const door = {
    path: '/',
    clientId,
    clientSecret,
    name: { ja: '健康ポータル', en: 'Health Portal' },
    loginHint: '12345-678',
  }
  handle = createPortal({ issuer: idp.issuer, portalUrl, clients: [door] }).callback()

  return {
    idp,
    portalUrl,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
      await idp.close()
    },
  }
}
