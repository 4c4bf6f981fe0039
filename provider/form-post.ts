import type { Middleware } from 'koa'
import { type KoaContextWithOIDC, Provider } from 'oidc-provider'
import { withReference } from './refusals/listen.ts'

/** A page whose one form carries these fields to this address, by itself where scripts run. */
export type FormPage = (
  ctx: KoaContextWithOIDC,
  action: string,
  fields: Readonly<Record<string, string>>,
) => Promise<void>

type ResponseMode = Parameters<Provider['registerResponseMode']>[1]

/** What the engine's own page answers with; any other status would be one of a redirect. */
const STATUSES: ReadonlySet<number> = new Set([200, 400, 500])

/**
 * The engine, with a page of ours for OAuth 2.0 Form Post Response Mode: it registers its own in its
 * constructor, and the first one registered stands.
 */
export const providerWithFormPage = (page: FormPage): typeof Provider => {
  const answer: ResponseMode = async (ctx, redirectUri, response) => {
    if (!STATUSES.has(ctx.status)) ctx.status = 'error' in response ? 400 : 200
    const { error_description: described, ...rest } = response
    const fields = {
      ...rest,
      ...('error' in response && {
        error_description: withReference(
          typeof described === 'string' ? described : undefined,
          ctx.state.reference,
        ),
      }),
    }
    await page(ctx, redirectUri, fields)
  }
  return class extends Provider {
    override registerResponseMode(name: string, handler: ResponseMode): void {
      super.registerResponseMode(name, name === 'form_post' ? answer : handler)
    }
  }
}

/**
 * Where nobody is signed in, the engine's sign-out asks nothing: a form carries the browser to its
 * end (RP-Initiated Logout 1.0 section 2). That form, as a page of ours.
 */
export const signedOutForm =
  (page: FormPage): Middleware =>
  async (koa, next) => {
    await next()
    const ctx = koa as unknown as KoaContextWithOIDC // the engine's context is the application's own
    if (ctx.status !== 200 || ctx.oidc?.route !== 'end_session') return
    const { session } = ctx.oidc
    const secret = session?.state?.secret
    if (session?.accountId !== undefined || typeof secret !== 'string') return
    await page(ctx, ctx.oidc.urlFor('end_session_confirm'), { xsrf: secret, logout: 'yes' })
  }
