import type { Context } from 'koa'
import type { KnownFacts, Next } from '../accounts/enrolment.ts'
import type { Member } from '../accounts/member.ts'
import { requestedAt } from '../accounts/policy.ts'
import { type Flow, type FlowDependencies, saveChange } from './flow.ts'
import { endSession, sessionOf } from './sessions.ts'
import { recordSignIn } from './sign-ins.ts'
import { placeOf, type StepContext } from './step.ts'

type Ending =
  | Extract<Next, { kind: 'finish' }>
  | Readonly<{ kind: 'deny'; error: 'access_denied' | 'unmet_authentication_requirements' }>
  /** The member allows what this request asks for. */
  | Readonly<{ kind: 'allow' }>

const descriptions = {
  access_denied: 'the member went back to the application',
  unmet_authentication_requirements: 'the member has no method that reaches the acr asked for',
} as const

/**
 * Another member's session in this browser ends before this one's begins, with the grants it had
 * given: nothing of the first is left to the second. Be it the one that the request came with, or one
 * begun in another tab since.
 */
const endForeignSession = async (
  dependencies: FlowDependencies,
  ctx: Context,
  { interaction, context }: Flow,
): Promise<void> => {
  const isForeign = (accountId: string | undefined): accountId is Member['id'] =>
    accountId !== undefined && accountId !== context.facts.member?.id
  const { session } = interaction
  const current = await sessionOf(dependencies.provider, ctx)
  if (isForeign(current.accountId) && current.uid !== session?.uid) {
    await endSession(dependencies, current.accountId, current.uid)
  }
  if (!session || !isForeign(session.accountId)) return
  await endSession(dependencies, session.accountId, session.uid)
  interaction.session = undefined
  await interaction.persist()
}

/** Hands the engine the outcome and sends the browser on its way to the relying party. */
export const finish = async (
  dependencies: FlowDependencies,
  ctx: Context,
  flow: Flow,
  ending: Ending,
): Promise<void> => {
  const { provider, services } = dependencies
  const { facts, client } = flow.context
  if (ending.kind === 'deny') {
    const place = placeOf(flow.context)
    services.log.info({ clientId: client.clientId, error: ending.error, place }, 'request denied')
    ctx.redirect(
      await provider.interactionResult(ctx.req, ctx.res, {
        error: ending.error,
        error_description: descriptions[ending.error],
      }),
    )
    ctx.status = 303
    return
  }
  if (ending.kind === 'allow') {
    // With the sign-in of this same request, if there was one.
    ctx.redirect(await provider.interactionResult(ctx.req, ctx.res, { consent: {} }))
    ctx.status = 303
    return
  }
  const { member, session, request } = facts
  if (!member) throw new Error('nobody to sign in')
  const known: StepContext<KnownFacts> = { ...flow.context, facts: { ...facts, member } }
  await endForeignSession(dependencies, ctx, flow)
  // Begun anew and nothing asked: what was left half-way is of another visit than this answer.
  if (flow.stored && flow.stored.visit !== flow.context.flow.visit) await saveChange(flow, {})
  await recordSignIn(ctx, known)
  const first = Math.min(
    ...session.proofs.filter(({ at }) => at >= request.proofsSince).map(({ at }) => at),
  )
  const proven = session.proofs.map(({ factor }) => factor)
  services.log.info(
    {
      memberId: member.id,
      clientId: client.clientId,
      acr: ending.acr,
      amr: ending.amr,
      factor: proven.find((factor) => factor !== 'password') ?? 'password',
      place: placeOf(flow.context),
    },
    'signed in',
  )
  ctx.redirect(
    await provider.interactionResult(
      ctx.req,
      ctx.res,
      {
        login: {
          accountId: member.id,
          acr: ending.acr,
          amr: [...ending.amr],
          ts: first,
          remember: false,
        },
        requestedAt: requestedAt(flow.interaction.lastSubmission, flow.interaction.iat),
      },
      { mergeWithLastSubmission: false },
    ),
  )
  ctx.status = 303
}
