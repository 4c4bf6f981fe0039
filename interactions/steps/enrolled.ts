import type { StepHandler } from '../step.ts'

/**
 * Manual steps 10 and 11, for societies that keep its shape: the first login is complete, and the
 * method is registered at the next sign-in, which starts here.
 */
export const enrolled: StepHandler = {
  fields: {},
  /** A method is still to be registered, or there is nothing to come. */
  position: ({ facts }) =>
    (facts.member.chosenFactor ?? 'emailCode') === 'emailCode' ? undefined : 6,
  async show({ facts }) {
    return { view: 'enrolled', locals: { method: facts.member.chosenFactor ?? 'emailCode' } }
  },
  async submit() {
    return {
      ok: true,
      flow: { memberId: undefined, proofs: [], doneSeen: true },
    }
  },
}
