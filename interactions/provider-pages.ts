import type { Context } from 'koa'
import type { KoaContextWithOIDC } from 'oidc-provider'
import { type ClientPolicy, clientName } from '../accounts/policy.ts'
import type { ProviderPages } from '../provider/index.ts'
import type { Pages } from '../views/pages.ts'
import { render } from '../views/render.ts'
import { commonLocals } from './common.ts'
import { showError } from './errors.ts'
import { localeOf } from './locale.ts'
import type { PageServices } from './services.ts'
import { rememberedApp } from './way-back.ts'

/** The engine's context is the application's own: the provider is the Koa application. */
const asContext = (ctx: KoaContextWithOIDC): Context => ctx as unknown as Context

const namedClient = async (
  ctx: KoaContextWithOIDC,
  services: PageServices,
): Promise<ClientPolicy | undefined> => {
  const named = ctx.oidc.client?.clientId
  return named === undefined ? undefined : services.clients.find(named)
}

const kindOf = (
  { oidc }: KoaContextWithOIDC,
  code: string,
  expired: boolean,
): Pages['error']['kind'] => {
  if (expired) return 'stale'
  if (code === 'server_error') return 'system'
  return oidc.route === 'end_session' ? 'logout' : 'client'
}

/** The engine's own pages in our dress. */
export const providerPages = (services: PageServices): ProviderPages => {
  const { settings } = services
  const common = async (ctx: KoaContextWithOIDC) => {
    const client =
      (await namedClient(ctx, services)) ?? (await rememberedApp(asContext(ctx), services)).client
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
      const kind = kindOf(ctx, out.error, expired)
      await showError(
        asContext(ctx),
        services,
        {
          code: expired ? 'session_expired' : out.error,
          kind,
          ...((kind === 'client' || kind === 'logout') &&
            out.error_description !== undefined && { description: out.error_description }),
          ...(ctx.oidc.session?.accountId && { signedIn: true }),
        },
        await namedClient(ctx, services),
      )
    },
    async logout(ctx) {
      const secret = ctx.oidc.session?.state?.secret
      await render(asContext(ctx), 'logout', await common(ctx), {
        formAction: ctx.oidc.urlFor('end_session_confirm'),
        secret: String(secret),
      })
    },
    async formPost(ctx, action, fields) {
      const { status } = ctx
      await render(asContext(ctx), 'form-post', await common(ctx), { action, fields })
      ctx.status = status
    },
    async loggedOut(ctx) {
      const { accountId } = await ctx.oidc.provider.Session.get(ctx)
      const locals = await common(ctx)
      const left = await namedClient(ctx, services)
      await render(asContext(ctx), 'logged-out', locals, {
        ...(accountId !== undefined && {
          stayed: left ? { app: clientName(left, locals.locale) } : {},
        }),
      })
    },
  }
}
