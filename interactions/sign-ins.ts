import type { Context } from 'koa'
import { DEVICE_SECONDS } from '../accounts/sign-ins.ts'
import { hostCookie } from './cookie-names.ts'
import { tellMember } from './methods/outcome.ts'
import type { StepContext } from './step.ts'

const COOKIE = 'idp_device'
const DEVICE_ID = /^[A-Za-z0-9_-]{22}$/u

/** The browser's random ID, kept a year from each sign-in. It proves nothing. */
const deviceIdOf = (ctx: Context, { services }: StepContext): string => {
  const held = ctx.cookies.get(hostCookie(ctx, COOKIE))
  const id =
    held !== undefined && DEVICE_ID.test(held)
      ? held
      : services.randomBytes(16).toString('base64url')
  ctx.cookies.set(hostCookie(ctx, COOKIE), id, {
    httpOnly: true,
    sameSite: 'lax',
    overwrite: true,
    maxAge: DEVICE_SECONDS * 1000,
  })
  return id
}

/** Writes the sign-in down, and tells the member by mail where it came from a browser new to them. */
export const recordSignIn = async (ctx: Context, context: StepContext): Promise<void> => {
  const { services, facts, client, device, uid } = context
  const { newDevice } = await services.signIns.record(
    {
      id: uid,
      memberId: facts.member.id,
      at: services.clock.now(),
      device,
      clientId: client.clientId,
      factors: [
        ...new Set(
          facts.session.proofs
            .filter(({ at }) => at >= facts.request.proofsSince)
            .map(({ factor }) => factor),
        ),
      ],
    },
    deviceIdOf(ctx, context),
  )
  // In the member's own language: whoever is at this browser need not be the member.
  const own = { ...context, locale: facts.member.locale }
  if (newDevice) await tellMember(own, 'newDevice', uid, { device })
}
