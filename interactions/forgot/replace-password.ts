import type { Facts } from '../../accounts/enrolment.ts'
import { changePassword, type Member, resetPassword } from '../../accounts/member.ts'
import { hashPassword } from '../../factors/password.ts'
import { spendPass } from '../desk-pass.ts'
import { pendingKey } from '../email-challenge.ts'
import { sendNotice } from '../notice.ts'
import { judgePassword, rulesFor } from '../password-choice.ts'
import { type Act, fault, type Page, type StepContext } from '../step.ts'
import { updateMember } from '../update-member.ts'
import { hasMailboxOnly, resetAddress } from './resettable.ts'

/** The member whose mailbox was proven, while nothing has happened to the account since. */
const provenMember = async ({
  services,
  flow,
}: StepContext<Facts>): Promise<Member | undefined> => {
  const proven = flow.reset?.proven
  const member = proven && (await services.members.findById(proven.memberId))
  return resetAddress(member) !== undefined &&
    member?.password.changedAt === proven?.passwordChangedAt
    ? member
    : undefined
}

/** A2, shown after the code. */
export const showNewPassword = async (context: StepContext<Facts>): Promise<Page | undefined> => {
  const member = await provenMember(context)
  if (!member) return undefined
  return {
    view: 'reset-password',
    locals: {
      loginId: member.loginId,
      rules: rulesFor(member),
      needsPass: hasMailboxOnly(member),
    },
  }
}

/** The account as it is told afterwards: by mail, in the audit trail, in the log. */
const announce = async (
  { services, locale }: StepContext<Facts>,
  member: Member,
  proof: 'mailbox' | 'mailboxAndPass',
): Promise<void> => {
  const id = `password-${member.id}-${member.revision}`
  await sendNotice(services, member, { template: 'passwordChanged', id, locale })
  await services.audit.append({
    id: `reset-${member.id}-${member.revision}`,
    at: services.clock.now(),
    act: 'passwordReset',
    societyId: member.societyId,
    memberId: member.id,
    facts: { proof },
  })
  services.log.info({ memberId: member.id }, 'password reset')
}

/**
 * A2: the new password takes effect; nobody is signed in by it, and the second factor is asked at
 * the next sign-in as before. Where the mailbox is the only other thing the member has, the desk's
 * pass stands in for the missing proof.
 */
export const replacePassword: Act<Facts> = {
  fields: { password: { max: 1000 }, pass: { max: 100, optional: true } },
  async submit(context, form) {
    const { services, flow } = context
    if (!flow.reset?.proven) return { ok: true }
    const member = await provenMember(context)
    if (!member) return { ok: true, flow: { reset: undefined } }
    const candidate = form.password ?? ''
    const judged = await judgePassword(member, candidate)
    const withPass = hasMailboxOnly(member)
    if (!judged.ok) {
      const faults = withPass && !form.pass ? [fault('pass.format', 'pass')] : []
      return { ok: false, faults: [...faults, ...judged.faults] }
    }
    const hash = await hashPassword(candidate)
    const now = services.clock.now()
    const untouched = (current: Member) =>
      current.password.changedAt === member.password.changedAt &&
      hasMailboxOnly(current) === withPass

    // Told before it is done, once: no reset goes untold.
    if (!withPass) await announce(context, member, 'mailbox')
    if (withPass) {
      const spent = await spendPass(context, member, form.pass ?? '', {
        announce: () => announce(context, member, 'mailboxAndPass'),
        change: (current) => changePassword(current, hash, now),
      })
      if (!spent.ok) return { ok: false, faults: [spent.fault] }
    } else {
      let replaced = false
      await updateMember(services, member, (current) => {
        replaced = untouched(current)
        return replaced ? resetPassword(current, hash, now) : current
      })
      if (!replaced) return { ok: true, flow: { reset: undefined } }
    }
    await services.transient.take(pendingKey(member.id))
    await services.throttle.forget('password', flow.reset.account)
    return {
      ok: true,
      flow: {
        aside: undefined,
        reset: undefined,
        notice: undefined,
        memberId: undefined,
        proofs: [],
        loginId: member.loginId,
        passwordReset: true,
      },
      endSessionsOf: member.id,
    }
  },
}
