import type { Facts } from '../../accounts/enrolment.ts'
import { changePassword, type Member, resetPassword } from '../../accounts/member.ts'
import { hashPassword } from '../../factors/password.ts'
import type { Fault } from '../../views/pages.ts'
import { type Besides, spendPass } from '../desk-pass.ts'
import { pendingKey } from '../email-challenge.ts'
import { sendNotice } from '../notice.ts'
import { brokenRules, refusePresent, rulesFor } from '../password-choice.ts'
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

/** The new password on the member's record, unless it is the present one. */
const newPassword = async (
  context: StepContext<Facts>,
  member: Member,
  candidate: string,
  proof: 'mailbox' | 'mailboxAndPass',
): Promise<Besides> => {
  const same = await refusePresent(context, member, candidate)
  if (same) return { ok: false, fault: same }
  const hash = await hashPassword(candidate)
  const now = context.services.clock.now()
  const replace = proof === 'mailbox' ? resetPassword : changePassword
  return {
    ok: true,
    announce: () => announce(context, member, proof),
    change: (current) => replace(current, hash, now),
  }
}

/** With the mailbox alone; undefined where something has happened to the account meanwhile. */
const replaceByMailbox = async (
  context: StepContext<Facts>,
  member: Member,
  candidate: string,
): Promise<Readonly<{ ok: true }> | Readonly<{ ok: false; fault: Fault }> | undefined> => {
  const chosen = await newPassword(context, member, candidate, 'mailbox')
  if (!chosen.ok) return chosen
  // Told before it is done, once: no reset goes untold.
  await chosen.announce?.()
  let replaced = false
  await updateMember(context.services, member, (current) => {
    replaced = current.password.changedAt === member.password.changedAt && !hasMailboxOnly(current)
    return replaced && chosen.change ? chosen.change(current) : current
  })
  return replaced ? { ok: true } : undefined
}

/**
 * A2: the new password takes effect; nobody is signed in by it, and the second factor is asked at
 * the next sign-in as before. Where the mailbox is the only other thing the member has, the desk's
 * pass stands in for the missing proof: until it is right nothing is compared with the present
 * password, which whoever reads the mail would find out so, and it is spent on no password that is
 * refused.
 */
export const replacePassword: Act<Facts> = {
  fields: { password: { max: 1000 }, pass: { max: 100, optional: true } },
  async submit(context, form) {
    const { services, flow } = context
    if (!flow.reset?.proven) return { ok: true }
    const member = await provenMember(context)
    if (!member) return { ok: true, flow: { reset: undefined } }
    const { password: candidate = '', pass = '' } = form
    const withPass = hasMailboxOnly(member)
    const broken = await brokenRules(member, candidate)
    if (broken.length > 0) {
      const faults = withPass && pass === '' ? [fault('pass.format', 'pass')] : []
      return { ok: false, faults: [...faults, ...broken] }
    }
    const replaced = withPass
      ? await spendPass(context, member, pass, {
          besides: () => newPassword(context, member, candidate, 'mailboxAndPass'),
        })
      : await replaceByMailbox(context, member, candidate)
    if (!replaced) return { ok: true, flow: { reset: undefined } }
    if (!replaced.ok) return { ok: false, faults: [replaced.fault] }
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
