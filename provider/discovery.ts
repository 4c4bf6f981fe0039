import type { Middleware } from 'koa'
import type { Features } from '../clients/features.ts'

type Facts = Readonly<{ response_modes_supported?: readonly string[] }>

/** In discovery, what is done beside the engine, and what it does but is switched off here. */
export const discoveryFacts =
  (features: Features): Middleware =>
  async (ctx, next) => {
    await next()
    const { route } = (ctx as { oidc?: Readonly<{ route?: string }> }).oidc ?? {}
    if (route !== 'discovery' || ctx.method !== 'GET' || ctx.status !== 200) return
    // The engine's own answer, an object that becomes JSON later.
    const facts = ctx.body as Facts
    const byReference = features.has('request-uri')
    ctx.body = {
      ...facts,
      response_modes_supported: facts.response_modes_supported?.filter(
        (mode) => mode !== 'form_post' || features.has('form-post'),
      ),
      request_uri_parameter_supported: byReference,
      ...(byReference && { require_request_uri_registration: true }),
    }
  }
