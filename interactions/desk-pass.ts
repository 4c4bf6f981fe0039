import type { Facts } from '../accounts/enrolment.ts'
import { type Member, spendDeskPass } from '../accounts/member.ts'
import type { AuditAct } from '../accounts/ports.ts'
import { isDeskPassShaped, verifyDeskPass } from '../factors/desk-pass.ts'
import { requireHashingRoom } from '../factors/password.ts'
import type { Fault } from '../views/pages.ts'
import { pendingKey } from './email-challenge.ts'
import { sendNotice } from './notice.ts'
import { type Act, fault, type StepContext, signInOf } from './step.ts'
import { tooMany } from './too-many.ts'
import { updateMember } from './update-member.ts'

/** Queued and written down before the member is saved, so that no use goes untold; each once. */
const announce = async (
  { services, locale }: StepContext<Facts>,
  member: Member,
  { expiresAt }: NonNullable<Member['deskPass']>,
): Promise<void> => {
  const id = `${member.id}-${expiresAt}`
  const append = (act: AuditAct, facts: Readonly<Record<string, string>>) =>
    services.audit.append({
      id: `${act}-${id}`,
      at: services.clock.now(),
      act,
      societyId: member.societyId,
      memberId: member.id,
      facts,
    })
  await sendNotice(services, member, { template: 'deskPassUsed', id: `pass-${id}`, locale })
  await append('deskPassUsed', member.blocked ? { lifted: member.blocked.reason } : {})
  const methods = [...new Set(member.credentials.map(({ factor }) => factor))]
  if (methods.length > 0) await append('methodsRemoved', { methods: methods.join(' ') })
}

/** What else becomes of a member whose pass is right, or why the pass is not spent on it. */
export type Besides = Readonly<
  | {
      ok: true
      /** Queued and written down before the member is saved. */
      announce?: () => Promise<void>
      change?: (member: Member) => Member
    }
  | { ok: false; fault: Fault }
>

/**
 * Takes the desk's pass: counted before it is compared, used once among any number of requests; what
 * is no pass at all costs no attempt. The member is saved without it and without any method
 * (`spendDeskPass`), and as `besides` says, in one write: whatever fails after it can be done
 * without.
 * `proves`: the pass is a proof in this sign-in. `besides` is asked once the pass is right.
 */
export const spendPass = async (
  context: StepContext<Facts>,
  member: Member,
  typed: string,
  {
    proves,
    besides = async () => ({ ok: true }),
  }: Readonly<{ proves?: true; besides?: () => Promise<Besides> }> = {},
): Promise<Readonly<{ ok: true }> | Readonly<{ ok: false; fault: Fault }>> => {
  const { services } = context
  if (!isDeskPassShaped(typed)) return { ok: false, fault: fault('pass.format', 'pass') }
  requireHashingRoom()
  const limit = ['deskPass', member.id] as const
  const attempt = await services.throttle.count(...limit)
  if (!attempt.ok) return { ok: false, fault: await tooMany(context, [limit], 'pass') }
  /** Why the pass was not taken, or that no other is for a while. */
  const refused = async (reason: string) => {
    const { left } = attempt
    const why =
      left === 0 ? await tooMany(context, [limit], 'pass') : fault(reason, 'pass', { left })
    return { ok: false, fault: why } as const
  }
  const now = services.clock.now()
  const verdict = await verifyDeskPass(member, typed, now)
  if (!verdict.ok) return refused(verdict.reason)
  const more = await besides()
  if (!more.ok) {
    // A right pass is no wrong one: only those are to be counted.
    await services.throttle.forget('deskPass', member.id)
    return more
  }
  const { announce: announceMore, change = (same) => same } = more
  await announce(context, member, verdict.value)
  await announceMore?.()
  // An address that whoever had got in may have asked for; where the save fails it is asked for anew.
  await services.transient.take(pendingKey(member.id))
  // Sign-ins from before this one end, finished or under way; begun since, they go on no further.
  const since = Math.min(now, ...context.flow.proofs.map(({ at }) => at))
  let spent = false
  await updateMember(services, member, (current) => {
    spent = current.deskPass?.hash === verdict.value.hash
    const signIn = proves && signInOf(context.uid, context.flow)
    return spent ? change(spendDeskPass(current, now, { since, signIn })) : current
  })
  if (!spent) return refused('pass.wrong')
  await services.throttle.forget(...limit)
  services.log.warn({ memberId: member.id }, 'desk pass used: every method removed')
  return { ok: true }
}

/** A3: the pass after the password, in place of the methods that are lost. */
export const useDeskPass: Act = {
  fields: { pass: { max: 100 } },
  proves: () => 'deskPass',
  async submit(context, form) {
    const { facts } = context
    const spent = await spendPass(context, facts.member, form.pass ?? '', { proves: true })
    if (!spent.ok) return { ok: false, faults: [spent.fault] }
    return {
      ok: true,
      proof: { factor: 'deskPass', at: context.services.clock.now() },
      flow: {
        aside: undefined,
        challengeId: undefined,
        signInCode: undefined,
        otherSignInCode: undefined,
        notice: undefined,
        method: undefined,
      },
      endSessionsOf: facts.member.id,
    }
  },
}
