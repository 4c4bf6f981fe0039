import type { StepHandler } from '../step.ts'

/** Manual [4]: everything is set; the button leads into the relying party. */
export const done: StepHandler = {
  fields: {},
  async show({ facts: { member } }) {
    return {
      view: 'done',
      locals: {
        loginId: member.loginId,
        address: member.email?.address ?? '',
        method: member.chosenFactor ?? 'emailCode',
      },
    }
  },
  submit: async () => ({ ok: true, flow: { doneSeen: true } }),
}
