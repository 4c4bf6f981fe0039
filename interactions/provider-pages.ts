import type { Context } from 'koa'
import type { KoaContextWithOIDC } from 'oidc-provider'
import type { ClientPolicy } from '../accounts/policy.ts'
import type { ProviderPages } from '../provider/index.ts'
import { render } from '../views/render.ts'
import { commonLocals } from './common.ts'
import { showError } from './errors.ts'
import { localeOf } from './locale.ts'
import type { PageServices } from './services.ts'
import { rememberedApp } from './way-back.ts'

/** The engine's context is the application's own: the provider is the Koa application. */
const asContext = (ctx: KoaContextWithOIDC): Context => ctx as unknown as Context

const clientOf = async (
  ctx: KoaContextWithOIDC,
  services: PageServices,
): Promise<ClientPolicy | undefined> => {
  const named = ctx.oidc.client?.clientId
  return named === undefined
    ? (await rememberedApp(asContext(ctx), services)).client
    : services.clients.find(named)
}

/** The engine's own pages in our dress. */
export const providerPages = (services: PageServices): ProviderPages => {
  const { settings } = services
  const common = async (ctx: KoaContextWithOIDC) => {
    const client = await clientOf(ctx, services)
    const locale = localeOf(asContext(ctx), ctx.oidc.params?.ui_locales)
    return commonLocals(asContext(ctx), locale, {
      society: client && settings.societies.get(client.societyId),
      client,
      self: `${ctx.path}${ctx.search}`,
    })
  }
  return {
    async error(ctx, out, error) {
      const expired = error.name === 'SessionNotFound'
      const kind = expired ? 'stale' : out.error === 'server_error' ? 'system' : 'client'
      await showError(
        asContext(ctx),
        services,
        {
          code: expired ? 'session_expired' : out.error,
          kind,
          ...(kind === 'client' &&
            out.error_description !== undefined && { description: out.error_description }),
        },
        await clientOf(ctx, services),
      )
    },
    async logout(ctx) {
      const secret = ctx.oidc.session?.state?.secret
      await render(asContext(ctx), 'logout', await common(ctx), {
        formAction: ctx.oidc.urlFor('end_session_confirm'),
        secret: String(secret),
      })
    },
    async loggedOut(ctx) {
      await render(asContext(ctx), 'logged-out', await common(ctx), {})
    },
  }
}
