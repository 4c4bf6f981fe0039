import { CHOSEN_FACTORS, type ChosenFactor, chooseFactor as choose } from '../../accounts/member.ts'
import { REGISTRY } from '../../factors/index.ts'
import type { StepHandler } from '../step.ts'
import { fault } from '../step.ts'

const isChosen = (value: unknown): value is ChosenFactor =>
  CHOSEN_FACTORS.includes(value as ChosenFactor)

/** Manual step 8: what the registry holds, what the society and this network permit. */
export const chooseFactor: StepHandler = {
  fields: { factor: { max: 40, optional: true } },
  position: () => 5,

  async show({ facts, society }) {
    const usable = CHOSEN_FACTORS.filter((id) => facts.network.factors.includes(id))
    const unavailable = REGISTRY.filter((id) => !usable.includes(id)).map((id) => ({
      id,
      reason: society.factors.includes(id) ? ('network' as const) : ('society' as const),
      ...(facts.network.name !== '' && { network: facts.network.name }),
    }))
    return {
      view: 'choose-factor',
      locals: {
        options: usable.map((id, index) => ({ id, recommended: index === 0 && usable.length > 1 })),
        unavailable,
        address: facts.member.email?.address ?? '',
      },
    }
  },

  async submit({ facts, services }, form) {
    const chosen = form.factor
    if (chosen === undefined) return { ok: false, faults: [fault('choice.empty', 'factor')] }
    if (!isChosen(chosen) || !facts.network.factors.includes(chosen)) {
      return { ok: false, faults: [fault('choice.unavailable', 'factor')] }
    }
    services.log.info({ memberId: facts.member.id, factor: chosen }, 'method chosen')
    return { ok: true, member: (member) => choose(member, chosen) }
  },
}
