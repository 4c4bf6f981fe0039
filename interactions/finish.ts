import type { Context } from 'koa'
import type { Next } from '../accounts/enrolment.ts'
import type { Flow, FlowDependencies } from './flow.ts'

type Ending =
  | Extract<Next, { kind: 'finish' }>
  | Readonly<{ kind: 'deny'; error: 'access_denied' | 'unmet_authentication_requirements' }>

const descriptions = {
  access_denied: 'the member went back to the application',
  unmet_authentication_requirements: 'the member has no method that reaches the acr asked for',
} as const

/**
 * Another member's session in this browser ends before this one's begins, with the grants it had
 * given: nothing of the first is left to the second.
 */
const endForeignSession = async (
  { provider }: FlowDependencies,
  { interaction, context }: Flow,
): Promise<void> => {
  const { session } = interaction
  if (!session?.accountId || session.accountId === context.facts.member?.id) return
  const found = await provider.Session.findByUid(session.uid)
  for (const { grantId } of Object.values(found?.authorizations ?? {})) {
    if (!grantId) continue
    const grant = await provider.Grant.find(grantId)
    await grant?.destroy()
    await provider.AccessToken.revokeByGrantId(grantId)
    await provider.RefreshToken.revokeByGrantId(grantId)
    await provider.AuthorizationCode.revokeByGrantId(grantId)
  }
  await found?.destroy()
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
    services.log.info({ clientId: client.clientId, error: ending.error }, 'request denied')
    ctx.redirect(
      await provider.interactionResult(ctx.req, ctx.res, {
        error: ending.error,
        error_description: descriptions[ending.error],
      }),
    )
    ctx.status = 303
    return
  }
  const { member, session, request } = facts
  if (!member) throw new Error('nobody to sign in')
  await endForeignSession(dependencies, flow)
  const first = Math.min(
    ...session.proofs.filter(({ at }) => at >= request.proofsSince).map(({ at }) => at),
  )
  services.log.info(
    { memberId: member.id, clientId: client.clientId, acr: ending.acr, amr: ending.amr },
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
      },
      { mergeWithLastSubmission: false },
    ),
  )
  ctx.status = 303
}
