import Router from '@koa/router'
import type { Context } from 'koa'
import { accountPath } from '../../accounts/account-client.ts'
import { StaleMemberError } from '../../accounts/errors.ts'
import type { Member } from '../../accounts/member.ts'
import type { Society } from '../../accounts/society.ts'
import { ACCOUNT_DONE, type AccountDone, type Pages } from '../../views/pages.ts'
import { render } from '../../views/render.ts'
import { commonLocals } from '../common.ts'
import { csrfToken, hasCsrfToken, refuseCrossSite, requireSameOrigin } from '../csrf.ts'
import { isMailDelayed } from '../email-challenge.ts'
import type { FlowDependencies } from '../flow.ts'
import { parseForm, readForm, TOKEN } from '../form.ts'
import { localeOf } from '../locale.ts'
import { sessionOf } from '../sessions.ts'
import { fault, type Page } from '../step.ts'
import { updateMember } from '../update-member.ts'
import { rememberedApp } from '../way-back.ts'
import {
  type AccountContext,
  isFresh,
  loadAccount,
  needsStrongerProof,
  saveAddressFlow,
} from './access.ts'
import { isAddressChanged } from './email.ts'
import { accountPages } from './index.ts'
import { overview } from './overview.ts'
import type { AccountPage, AccountResult } from './page.ts'
import { startRequest, takeResponse } from './request.ts'

const societyOf = ({ services }: FlowDependencies, ctx: Context): Society | undefined =>
  services.settings.societies.get(String(ctx.params.society))

const seeOther = (ctx: Context, path: string): void => {
  ctx.redirect(path)
  ctx.status = 303
}

const toOverview = (ctx: Context, { id }: Society, done?: AccountDone): void =>
  seeOther(ctx, `${accountPath(id)}${done ? `?done=${done}` : ''}`)

/** The page's part of the path: `rename/<credential>`. */
const placeOf = (ctx: Context): string =>
  [ctx.params.page, ctx.params.id].filter((part) => part !== undefined).join('/')

const PLACE = /^[a-z-]{1,20}(?:\/[A-Za-z0-9_-]{1,1400})?$/u

/** Of an address that somebody may have written: one of our pages, or the overview. */
const knownPlace = (place: unknown): string => {
  if (typeof place !== 'string' || !PLACE.test(place)) return ''
  return accountPages.has(place.split('/', 1)[0] ?? '') ? `/${place}` : ''
}

const csrfId = ({ session }: AccountContext): string => `account|${session.uid}`

const showPage = async (
  ctx: Context,
  context: AccountContext,
  page: Page,
  result?: Extract<AccountResult, { ok: false }>,
): Promise<void> => {
  const { society, services, locale } = context
  const root = accountPath(society.id)
  const place = placeOf(ctx)
  const self = place === '' ? root : `${root}/${place}`
  const common = commonLocals(ctx, locale, {
    society,
    self,
    faults: result?.faults ?? page.faults ?? [],
    values: { ...page.values, ...result?.values },
    csrf: csrfToken(services.settings.cookieKeys, csrfId(context)),
    base: self,
    ...(page.view !== 'account' && { back: root }),
  })
  await render(ctx, page.view, common, page.locals)
}

/** Before a change: says why and how the member is asked again, and that they come back here. */
const askForProof = (ctx: Context, context: AccountContext): Promise<void> => {
  const to = new URLSearchParams({ to: placeOf(ctx) })
  const { facts, society } = context
  const shutOut =
    needsStrongerProof(facts) &&
    !facts.member.credentials.some(({ factor }) => facts.network.factors.some((f) => f === factor))
  const locals: Pages['account-prove'] = {
    href: `${accountPath(society.id)}/prove?${to}`,
    ...(shutOut && { network: facts.network.name }),
  }
  return showPage(ctx, context, { view: 'account-prove', locals })
}

/** The page as it is now; back to the overview where it has nothing to show. */
const showOne = async (
  ctx: Context,
  context: AccountContext,
  page: AccountPage,
  result?: Extract<AccountResult, { ok: false }>,
): Promise<void> => {
  const shown = await page.show(context)
  if (shown === undefined || typeof shown === 'string') {
    return toOverview(ctx, context.society, shown)
  }
  if (result) ctx.status = 422
  return showPage(ctx, context, shown, result)
}

const ADD_PASSKEY = 'add-passkey'

/**
 * `/account`, for what knows no society (a password manager that read the well-known addresses): the
 * society of the session or of the relying party last seen, else the member says which.
 */
const chooseSociety = async (
  { provider, services }: FlowDependencies,
  ctx: Context,
): Promise<void> => {
  const { settings, members } = services
  const place = ctx.query.page === ADD_PASSKEY ? `/${ADD_PASSKEY}` : ''
  const { accountId } = await sessionOf(provider, ctx)
  const member = accountId === undefined ? undefined : await members.findById(accountId)
  const known = member?.societyId ?? (await rememberedApp(ctx, services)).client?.societyId
  const societies = [...settings.societies.values()]
  const only = known ?? (societies.length === 1 ? societies[0]?.id : undefined)
  if (only !== undefined) return seeOther(ctx, `${accountPath(only)}${place}`)
  const locale = localeOf(ctx)
  await render(ctx, 'account-choose', commonLocals(ctx, locale, { self: '/account' }), {
    societies: societies.map(({ id, name }) => ({
      name: name[locale],
      href: `${accountPath(id)}${place}`,
    })),
  })
}

const isDone = (value: unknown): value is AccountDone => ACCOUNT_DONE.includes(value as AccountDone)

const show = async (dependencies: FlowDependencies, ctx: Context): Promise<void> => {
  const society = societyOf(dependencies, ctx)
  const place = placeOf(ctx)
  const page = accountPages.get(String(ctx.params.page))
  if (!society || (place !== '' && !page)) return
  const context = await loadAccount(dependencies, ctx, society)
  if (!context) {
    return startRequest(dependencies, ctx, society, { to: knownPlace(place), fresh: false })
  }
  if (!page) {
    const { done } = ctx.query
    return showPage(ctx, context, await overview(context, isDone(done) ? done : undefined))
  }
  if (!isFresh(context) && !(await page.anytime?.(context))) {
    return askForProof(ctx, context)
  }
  return showOne(ctx, context, page)
}

/** Whether what the session was granted still holds for the member as stored now. */
const isSameAuthority = (before: Member, now: Member): boolean =>
  !now.blocked &&
  before.methodsClearedAt === now.methodsClearedAt &&
  before.password.hash === now.password.hash &&
  before.email?.address === now.email?.address

const apply = async (
  ctx: Context,
  context: AccountContext,
  result: Extract<AccountResult, { ok: true }>,
): Promise<void> => {
  const { services, facts, society } = context
  const { member: change } = result
  if (change) {
    await updateMember(services, facts.member, (current) => {
      // What was permitted to the account as it was is not done to one that has changed hands.
      if (!isSameAuthority(facts.member, current)) throw new StaleMemberError(current.id)
      return change(current)
    })
  }
  if (result.addressFlow) await saveAddressFlow(context, result.addressFlow)
  await result.after?.()
  if (result.to !== undefined) return seeOther(ctx, `${accountPath(society.id)}${result.to}`)
  return toOverview(ctx, society, result.done)
}

/**
 * Takes one form. Without a session, or without a fresh proof where one is needed, nothing is done
 * and the page is shown by GET, which asks for it.
 */
const act = async (dependencies: FlowDependencies, ctx: Context): Promise<void> => {
  const society = societyOf(dependencies, ctx)
  const page = accountPages.get(String(ctx.params.page))
  const name = String(ctx.params.act)
  if (!society || !page || !Object.hasOwn(page.acts, name)) return
  const { settings } = dependencies.services
  refuseCrossSite(ctx, settings.issuer)
  const context = await loadAccount(dependencies, ctx, society)
  const chosen = page.acts[name]
  const self = `${accountPath(society.id)}${knownPlace(placeOf(ctx))}`
  if (!context || !chosen) return seeOther(ctx, self)

  const isOpen = chosen.anytime === true || isFresh(context)
  const body: unknown = ctx.request.body
  const token = readForm(TOKEN, body)?.csrf
  if (!hasCsrfToken(settings.cookieKeys, csrfId(context), token)) {
    requireSameOrigin(ctx)
    if (!isOpen) return seeOther(ctx, self)
    return showOne(ctx, context, page, { ok: false, faults: [fault('form.invalid')] })
  }
  if (!isOpen) return seeOther(ctx, self)

  const form = readForm(chosen.fields, body)
  const result: AccountResult = form
    ? await chosen.submit(context, form)
    : { ok: false, faults: [fault('form.invalid')] }
  if (result.ok) return apply(ctx, context, result)
  const reason = result.faults.map((one) => one.reason)
  const facts = { reqId: ctx.state.reference, step: `account/${ctx.params.page}`, reason }
  dependencies.services.log.info(facts, 'form refused')
  if (result.addressFlow) await saveAddressFlow(context, result.addressFlow)
  const after = result.addressFlow ? await loadAccount(dependencies, ctx, society) : context
  return after ? showOne(ctx, after, page, result) : seeOther(ctx, self)
}

/** The member said yes: our own authorization request, which comes back to the page. */
const prove = async (dependencies: FlowDependencies, ctx: Context): Promise<void> => {
  const society = societyOf(dependencies, ctx)
  if (!society) return
  startRequest(dependencies, ctx, society, { to: knownPlace(ctx.query.to), fresh: true })
}

/** The authorization response; a request that was broken off is not begun again by itself. */
const callback = async (dependencies: FlowDependencies, ctx: Context): Promise<void> => {
  const society = societyOf(dependencies, ctx)
  if (!society) return
  const { to, error } = takeResponse(dependencies, ctx, society)
  const root = accountPath(society.id)
  if (error === undefined) return seeOther(ctx, to)
  const common = commonLocals(ctx, localeOf(ctx), { society, self: root })
  await render(ctx, 'account-closed', common, { href: root })
}

/** Polled by the page that waits for the new address's code. */
const emailStatus = async (dependencies: FlowDependencies, ctx: Context): Promise<void> => {
  const society = societyOf(dependencies, ctx)
  const context = society && (await loadAccount(dependencies, ctx, society))
  if (!context) return
  const { challengeId } = context.addressFlow
  ctx.body = {
    confirmed: isAddressChanged(context),
    delayed: challengeId !== undefined && (await isMailDelayed(context.services, challengeId)),
  }
}

/**
 * `/account/:society` and below, protected like a relying party: who has no session that would do is sent
 * through our own authorization endpoint.
 */
export const accountRouter = (dependencies: FlowDependencies): Router => {
  const router = new Router({ prefix: '/account' })
  router.get('/', (ctx) => chooseSociety(dependencies, ctx))
  router.get('/:society', (ctx) => show(dependencies, ctx))
  router.get('/:society/callback', (ctx) => callback(dependencies, ctx))
  router.get('/:society/prove', (ctx) => prove(dependencies, ctx))
  router.get('/:society/email-status', (ctx) => emailStatus(dependencies, ctx))
  router.get('/:society/:page', (ctx) => show(dependencies, ctx))
  router.get('/:society/:page/:id', (ctx) => show(dependencies, ctx))
  router.post('/:society/:page/:act', parseForm, (ctx) => act(dependencies, ctx))
  router.post('/:society/:page/:id/:act', parseForm, (ctx) => act(dependencies, ctx))
  return router
}
