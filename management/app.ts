import Router from '@koa/router'
import Koa, { type Middleware } from 'koa'

/** What the management port tells. */
export type ManagementSources = Readonly<{
  /** One plain sentence for each thing that is missing; empty: ready. */
  missing(): Promise<readonly string[]>
  metrics(): Promise<Readonly<{ contentType: string; text: string }>>
  /** The admin API, once its stores are open; absent: there is none here. */
  admin?: () => Middleware | undefined
}>

/**
 * The application of the management port: `/healthz` says that the process lives, whatever its
 * stores do; `/readyz` whether requests should be sent to it, and in plain words why not; `/metrics`
 * is in Prometheus' text format. None of it knows a member, and none of it is for the public.
 */
export const createManagementApp = ({ missing, metrics, admin }: ManagementSources): Koa => {
  const app = new Koa()
  const router = new Router()
  router.get('/healthz', (ctx) => {
    ctx.body = 'alive\n'
  })
  router.get('/readyz', async (ctx) => {
    const reasons = await missing()
    ctx.status = reasons.length === 0 ? 200 : 503
    ctx.body =
      reasons.length === 0 ? 'ready\n' : reasons.map((reason) => `not ready: ${reason}\n`).join('')
  })
  router.get('/metrics', async (ctx) => {
    const { contentType, text } = await metrics()
    ctx.body = text
    ctx.set('Content-Type', contentType)
  })
  app.use(async (ctx, next) => {
    ctx.set('Cache-Control', 'no-store')
    await next()
  })
  app.use(router.routes())
  app.use(async (ctx, next) => {
    if (!admin || !ctx.path.startsWith('/admin/')) return next()
    const answer = admin()
    if (answer) return answer(ctx, next)
    ctx.status = 503
    ctx.body = 'not ready: the stores are not open yet\n'
  })
  return app
}
