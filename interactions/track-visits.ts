import type { Context, Middleware } from 'koa'
import type { Provider } from 'oidc-provider'
import { flowKey } from './flow.ts'
import type { Services } from './services.ts'
import type { FlowFacts } from './step.ts'
import { endVisit, visitOf } from './visit.ts'

type Dependencies = Readonly<{
  provider: Provider
  services: Pick<Services, 'transient' | 'randomBytes'>
}>

/** What the engine has made of the request. */
type Outcome = Readonly<{
  session?: Readonly<{ destroyed?: boolean }>
  result?: Readonly<{ login?: object }>
}>

/**
 * Around the engine's own routes. A sign-in that was answered on our pages goes on to the relying
 * party in the visit it was made in, else back to our pages, which look at it anew. Taken by the
 * engine, or with the browser signed out, it ends the visit.
 */
export const trackVisits =
  ({ provider, services }: Dependencies): Middleware =>
  async (ctx, next) => {
    // As the engine goes by it: its cookie, wherever that was sent.
    const resumed = ctx.cookies.get(provider.cookieName('resume'), { signed: false })
    const flow =
      resumed === undefined ? undefined : await services.transient.get<FlowFacts>(flowKey(resumed))
    if (flow && flow.visit !== (await visitOf(ctx, services))) {
      ctx.redirect(`/interaction/${resumed}`)
      ctx.status = 303
      return
    }
    await next()
    const { oidc } = ctx as Context & { oidc?: Outcome }
    if (oidc?.session?.destroyed || (flow && oidc?.result?.login)) await endVisit(ctx, services)
  }
