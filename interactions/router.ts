import Router from '@koa/router'
import type { Context } from 'koa'
import { type Facts, type KnownFacts, next, type StepId } from '../accounts/enrolment.ts'
import { DuplicateCredentialError } from '../accounts/errors.ts'
import { type Member, proveIn } from '../accounts/member.ts'
import { render } from '../views/render.ts'
import { commonLocals } from './common.ts'
import { asksConsent, consentPage, giveConsent } from './consent.ts'
import { csrfToken, hasCsrfToken, readCounted, refuseCrossSite, requireSameOrigin } from './csrf.ts'
import { isMailDelayed } from './email-challenge.ts'
import { finish } from './finish.ts'
import {
  changesOf,
  type Flow,
  type FlowDependencies,
  isStaleMember,
  loadFlow,
  saveChange,
  saveChangeNow,
  saveMember,
} from './flow.ts'
import { parseForm, readForm, TOKEN } from './form.ts'
import type { Services } from './services.ts'
import { endOtherSessions } from './sessions.ts'
import type { Act, FlowPatch, Page, StepContext, StepHandler, StepResult } from './step.ts'
import { fault, placeOf, signInOf } from './step.ts'
import { handlers } from './steps/index.ts'
import { rememberApp } from './way-back.ts'
import { timeText } from './wording.ts'

/** The handler of a step; all but `password` are only ever given facts with a member. */
const handlerOf = (step: StepId): StepHandler => handlers[step] as StepHandler
const known = (context: StepContext<Facts>): StepContext => context as StepContext<KnownFacts>

/** Where the member decides whether this is the application they mean. */
const SHOWS_LOGO: readonly Page['view'][] = ['password', 'consent']

const showPage = async (
  { logos }: FlowDependencies,
  ctx: Context,
  flow: Flow,
  page: Page,
  step: StepId | undefined,
  result?: Extract<StepResult, { ok: false }>,
): Promise<void> => {
  const { context } = flow
  const { settings } = context.services
  const shown = page.view === 'consent' ? 'consent' : step
  if (shown) ctx.state.step ??= shown
  const logo = SHOWS_LOGO.includes(page.view) ? await logos.pathOf(context.client) : undefined
  const common = commonLocals(ctx, context.locale, {
    society: context.society,
    client: context.client,
    logo,
    self: `/interaction/${context.uid}`,
    step: step && handlerOf(step).position?.(known(context)),
    faults: result?.faults ?? page.faults ?? [],
    values: { ...page.values, ...result?.values },
    csrf: csrfToken(settings.cookieKeys, context.uid),
    base: `/interaction/${context.uid}`,
    ...(shown && { until: timeText(flow.interaction.exp, context.locale) }),
    ...(page.otherWays && { otherWays: page.otherWays }),
  })
  rememberApp(ctx, context.client, context.uid)
  await render(ctx, page.view, common, page.locals)
}

const backToPage = (ctx: Context, uid: string, search = ''): void => {
  ctx.status = 303
  ctx.redirect(`/interaction/${uid}${search}`)
}

/** Has done what the page of the step that is due needs; false where that was nothing. */
const prepare = async (flow: Flow, step: StepId): Promise<boolean> =>
  (await handlerOf(step).prepare?.(known(flow.context), changesOf(flow))) ?? false

const MAX_ROUNDS = 4

/** Brings the request to the point where something must be asked, and asks it. */
const show = async (dependencies: FlowDependencies, ctx: Context): Promise<void> => {
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const flow = await loadFlow(dependencies, ctx)
    const { context } = flow
    let facts: Facts
    try {
      facts = await saveMember(context.services, context.facts, (member) => member)
    } catch (error) {
      if (isStaleMember(error)) continue
      throw error
    }
    if (facts.session.enrolledHere !== context.facts.session.enrolledHere) continue
    const due = next(facts)
    if (due.kind !== 'ask') {
      if (due.kind === 'stop') {
        ctx.status = 403
        const { name } = facts.network
        const locals = { reason: due.reason, ...(name !== '' && { network: name }) }
        return showPage(dependencies, ctx, flow, { view: 'stopped', locals }, undefined)
      }
      if (due.kind === 'finish' && asksConsent(flow)) {
        return showPage(dependencies, ctx, flow, await consentPage(flow), undefined)
      }
      return finish(dependencies, ctx, flow, due)
    }
    // What was prepared is written with this answer, or what another request has prepared stands: the
    // page is shown by a request that reads which.
    if (await prepare(flow, due.step)) return backToPage(ctx, context.uid, ctx.search)
    const page = await handlerOf(due.step).show(known(context))
    return showPage(dependencies, ctx, flow, page, due.step)
  }
  throw new Error('the request did not come to rest')
}

/** The act a path names at the step that is due; undefined where it belongs to another. */
const actOf = (step: StepId, name: string): Act | undefined => {
  const handler = handlerOf(step)
  if (name === step) return handler
  return Object.hasOwn(handler.acts ?? {}, name) ? handler.acts?.[name] : undefined
}

/** After a form: straight on to the relying party where nothing is due, else to the page. */
const goOn = async (dependencies: FlowDependencies, ctx: Context): Promise<void> => {
  const flow = await loadFlow(dependencies, ctx)
  const { context } = flow
  const asked = next(context.facts)
  if (asked.kind !== 'finish' || asksConsent(flow)) {
    // Along with what the form has changed, so that the page itself has only to read.
    if (asked.kind === 'ask') await prepare(flow, asked.step)
    return backToPage(ctx, context.uid)
  }
  try {
    const facts = await saveMember(context.services, context.facts, (member) => member)
    const due = next(facts)
    if (due.kind === 'finish') return finish(dependencies, ctx, flow, due)
  } catch (error) {
    if (!isStaleMember(error)) throw error
  }
  // What the page finds out by itself, too.
  backToPage(ctx, context.uid)
}

/** Another request of this member's may save first; the change is then applied to what it left. */
const MAX_SAVES = 3

type Success = Extract<StepResult, { ok: true }>

/** What a form's answer makes of the member, with what it proves told in the same write. */
const changeOf =
  ({ uid, flow }: StepContext<Facts>, { member: change, proof }: Success) =>
  (member: Member): Member => {
    const changed = change?.(member) ?? member
    return changed === member || !proof ? changed : proveIn(changed, signInOf(uid, flow), proof)
  }

/** The facts that a form's answer leaves, with what it proves among them. */
const patchOf = ({ flow }: StepContext<Facts>, { flow: patch, proof }: Success): FlowPatch => ({
  ...(proof && { proofs: [...flow.proofs, proof] }),
  ...patch,
})

/** Still the same member in the same sign-in at the same step. */
const isSameStep = (one: StepContext<Facts>, other: StepContext<Facts>): boolean => {
  const [before, now] = [next(one.facts), next(other.facts)]
  return (
    one.flow.memberId === other.flow.memberId &&
    signInOf(one.uid, one.flow) === signInOf(other.uid, other.flow) &&
    before.kind === 'ask' &&
    now.kind === 'ask' &&
    before.step === now.step
  )
}

const applyChange = async (
  dependencies: FlowDependencies,
  ctx: Context,
  flow: Flow,
  result: Success,
): Promise<void> => {
  const { services } = dependencies
  const own = flow.interaction.session
  let current = flow
  for (let attempt = 1; attempt <= MAX_SAVES; attempt += 1) {
    try {
      const { context } = current
      await saveMember(services, context.facts, changeOf(context, result))
      await saveChange(current, patchOf(context, result))
      if (result.endSessionsOf !== undefined) {
        await endOtherSessions(dependencies, result.endSessionsOf, own?.uid)
      }
      if (result.said) services.log.info(result.said.facts, result.said.event)
      return
    } catch (error) {
      if (!isStaleMember(error)) throw error
      current = await loadFlow(dependencies, ctx)
      if (!isSameStep(flow.context, current.context)) return
    }
  }
}

const COUNTED = { counted: { max: 200 } } as const

/** Counts a step's answer along with what is read first; whoever takes it is told the outcome. */
const countAhead = ({ settings, throttle }: Services, ctx: Context, body: unknown): void => {
  const name = String(ctx.params.act)
  const handler = Object.hasOwn(handlers, name) ? handlerOf(name as StepId) : undefined
  const uid = String(ctx.params.uid)
  const given = handler?.attempt && readForm(COUNTED, body)?.counted
  const counted = given && readCounted(settings.cookieKeys, uid, given)
  const attempt = counted && handler?.attempt?.({ settings, uid, counted, body })
  if (attempt) throttle.countAhead?.(attempt.limits, attempt.looks)
}

/** The page as it is due now, with what is wrong about the form just sent. */
const showFaults = async (
  dependencies: FlowDependencies,
  ctx: Context,
  flow: Flow,
  result: Extract<StepResult, { ok: false }>,
): Promise<void> => {
  if (result.flow) await saveChangeNow(flow, result.flow)
  const after = result.flow ? await loadFlow(dependencies, ctx) : flow
  const due = next(after.context.facts)
  if (due.kind !== 'ask') return backToPage(ctx, flow.context.uid)
  // The form may be of another page than is due now: the member moved to another network.
  if (await prepare(after, due.step)) return backToPage(ctx, flow.context.uid)
  const page = await handlerOf(due.step).show(known(after.context))
  ctx.status = 422
  return showPage(dependencies, ctx, after, page, due.step, result)
}

/**
 * Takes one form. Whatever it says, it acts only at the step that is due, and answers by a GET. A
 * form of this browser's without the interaction's token is shown again; any other is refused.
 */
const act = async (dependencies: FlowDependencies, ctx: Context): Promise<void> => {
  const { settings } = dependencies.services
  refuseCrossSite(ctx, settings.issuer)
  const body: unknown = ctx.request.body
  const token = readForm(TOKEN, body)?.csrf
  if (hasCsrfToken(settings.cookieKeys, String(ctx.params.uid), token)) {
    countAhead(dependencies.services, ctx, body)
  }
  const flow = await loadFlow(dependencies, ctx)
  const { context } = flow
  if (!hasCsrfToken(settings.cookieKeys, context.uid, token)) {
    requireSameOrigin(ctx)
    return showFaults(dependencies, ctx, flow, { ok: false, faults: [fault('form.invalid')] })
  }
  const name = String(ctx.params.act)
  if (name === 'abort') {
    return finish(dependencies, ctx, flow, { kind: 'deny', error: 'access_denied' })
  }
  const due = next(context.facts)
  if (name === 'consent' && due.kind === 'finish' && asksConsent(flow)) {
    ctx.state.step = name
    await giveConsent(flow)
    return finish(dependencies, ctx, flow, { kind: 'allow' })
  }
  const step = due.kind === 'ask' ? due.step : undefined
  const chosen = step && actOf(step, name)
  if (!chosen) return backToPage(ctx, context.uid)
  // Only the step's own form takes the member further; a mail sent again does not.
  if (name === step) ctx.state.step = step

  const { fields } = chosen
  const form = readForm(typeof fields === 'function' ? fields(known(context)) : fields, body)
  const result: StepResult = form
    ? await chosen.submit(known(context), form)
    : { ok: false, faults: [fault('form.invalid')] }
  if (!result.ok) {
    const reason = result.faults.map((one) => one.reason)
    const factor = chosen.proves?.(known(context))
    const facts = {
      reqId: ctx.state.reference,
      step,
      ...(factor && { factor }),
      reason,
      place: placeOf(context),
    }
    dependencies.services.log.info(facts, 'form refused')
    return showFaults(dependencies, ctx, flow, result)
  }
  try {
    await applyChange(dependencies, ctx, flow, result)
  } catch (error) {
    if (!(error instanceof DuplicateCredentialError)) throw error
    return showFaults(dependencies, ctx, flow, { ok: false, faults: [fault('pk.failed')] })
  }
  return goOn(dependencies, ctx)
}

/** Polled by the waiting page: whether to go on, and whether the mail is late. */
const emailStatus = async (dependencies: FlowDependencies, ctx: Context): Promise<void> => {
  const { context } = await loadFlow(dependencies, ctx)
  const due = next(context.facts)
  const waiting = due.kind === 'ask' && due.step === 'email'
  const { challengeId } = context.flow
  ctx.body = {
    confirmed: !waiting,
    delayed: challengeId !== undefined && (await isMailDelayed(context.services, challengeId)),
  }
}

/** `/interaction/:uid`: one page, the forms on it, and the waiting page's poll. */
export const interactionRouter = (dependencies: FlowDependencies): Router => {
  const router = new Router()
  router.get('/interaction/:uid', (ctx) => show(dependencies, ctx))
  router.get('/interaction/:uid/email-status', (ctx) => emailStatus(dependencies, ctx))
  router.post('/interaction/:uid/:act', parseForm, (ctx) => act(dependencies, ctx))
  /** A step's address opened by hand, or reloaded after an error page. */
  router.get('/interaction/:uid/:act', (ctx) => backToPage(ctx, String(ctx.params.uid)))
  return router
}
