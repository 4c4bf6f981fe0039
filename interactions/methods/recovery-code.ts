import { isRecoveryCodeShaped } from '../../factors/recovery-code.ts'
import { ceremonyOf, fault, type StepContext } from '../step.ts'
import { tooMany } from '../too-many.ts'
import { countAttempt, forgetAttempts } from './attempts.ts'
import type { Method } from './method.ts'
import { proved, tellMember } from './outcome.ts'

/** With this many left, new ones are offered. */
const FEW = 3

const limitsOf = ({ facts }: StepContext) => [['recoveryCode', facts.member.id]] as const

const remainingOf = ({ facts, factors }: StepContext): number => {
  const held = facts.member.credentials.find(({ factor }) => factor === 'recoveryCode')
  return held ? factors.recoveryCode.remaining(held) : 0
}

/** A recovery code in place of a device that is not at hand. */
export const recoveryCode: Method = {
  verification: {
    fields: { code: { max: 100 } },
    show: async (context) => ({
      view: 'verify-recovery-code',
      locals: { remaining: remainingOf(context) },
    }),
    async submit(context, form) {
      const { facts, factors } = context
      // What is no code at all costs no attempt.
      if (!isRecoveryCodeShaped(form.code ?? '')) {
        return { ok: false, faults: [fault('recovery.format', 'code')] }
      }
      const counted = await countAttempt(context, limitsOf(context))
      if (!counted.ok) return { ok: false, faults: [counted.fault] }
      const verdict = await factors.recoveryCode.finishAuthentication(
        facts.member,
        {},
        form,
        ceremonyOf(context),
      )
      if (!verdict.ok && counted.left === 0) {
        return { ok: false, faults: [await tooMany(context, limitsOf(context))] }
      }
      if (!verdict.ok) {
        return { ok: false, faults: [fault(verdict.reason, 'code', { left: counted.left })] }
      }
      await forgetAttempts(context, limitsOf(context))
      const left = remainingOf(context) - 1
      await tellMember(context, 'recoveryCodeUsed', `${facts.member.id}-${facts.member.revision}`, {
        left: String(left),
      })
      const result = proved(context, 'recoveryCode', verdict.value)
      const use = result.ok ? result.member : undefined
      if (!use || left > FEW) return result
      return { ...result, member: (member) => ({ ...use(member), recoveryCodesDue: true }) }
    },
  },
}
