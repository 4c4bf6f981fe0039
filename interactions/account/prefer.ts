import { heldMethods, preferMethod } from '../../accounts/held-methods.ts'
import { CHOSEN_FACTORS } from '../../accounts/member.ts'
import { fault } from '../step.ts'
import type { AccountPage } from './page.ts'

/** The method that a sign-in asks for first, of those the member holds. */
export const prefer: AccountPage = {
  async show({ facts, society }) {
    const methods = heldMethods(facts.member, society.factors)
    if (methods.length < 2) return undefined
    const { chosenFactor } = facts.member
    return {
      view: 'account-method',
      locals: { methods },
      ...(chosenFactor && { values: { factor: chosenFactor } }),
    }
  },
  acts: {
    choose: {
      fields: { factor: { max: 40, optional: true } },
      async submit({ facts, society, services }, form) {
        if (form.factor === undefined) {
          return { ok: false, faults: [fault('choice.empty', 'factor')] }
        }
        const factor = CHOSEN_FACTORS.find((each) => each === form.factor)
        if (!factor || !preferMethod(facts.member, factor, society.factors)) {
          return { ok: false, faults: [fault('choice.unavailable', 'factor')] }
        }
        services.log.info({ memberId: facts.member.id, factor }, 'method preferred')
        return {
          ok: true,
          // Asked again of what is stored by then: it may have been removed.
          member: (current) => preferMethod(current, factor, society.factors) ?? current,
          done: 'methodPreferred',
        }
      },
    },
  },
}
