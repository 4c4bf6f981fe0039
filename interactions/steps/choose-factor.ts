import {
  CHOSEN_FACTORS,
  type ChosenFactor,
  chooseFactor as choose,
  type Member,
} from '../../accounts/member.ts'
import type { Society } from '../../accounts/society.ts'
import { type Act, fault, PLACES, type Place, type StepContext, type StepHandler } from '../step.ts'

const isChosen = (value: unknown): value is ChosenFactor =>
  CHOSEN_FACTORS.includes(value as ChosenFactor)

/** What the society permits at every company network of its members: what a company PC can use. */
const factorsAtWork = ({ networks, factors }: Society): readonly ChosenFactor[] =>
  factors.filter((factor) => networks.every((network) => network.factors.includes(factor)))

/** Whether asking for the places can change what is offered. */
const placesMatter = ({ society, facts }: StepContext): boolean =>
  facts.network.factors.length > 1 && factorsAtWork(society).length < facts.network.factors.length

/** Why a method is not offered, or undefined where it is. */
const obstacleOf = (
  { facts, society, flow }: StepContext,
  factor: ChosenFactor,
): 'society' | 'network' | 'place' | undefined => {
  if (!society.factors.includes(factor)) return 'society'
  if (!facts.network.factors.includes(factor)) return 'network'
  const onlyAtWork = flow.places?.length === 1 && flow.places[0] === 'companyPc'
  return onlyAtWork && !factorsAtWork(society).includes(factor) ? 'place' : undefined
}

/** F6: where the member will sign in; a company PC only narrows the choice to what it can use. */
const choosePlace: Act = {
  fields: Object.fromEntries(PLACES.map((place) => [place, { max: 10, optional: true }])),
  async submit(_context, form) {
    const places = PLACES.filter((place): place is Place => form[place] === 'yes')
    if (places.length === 0) return { ok: false, faults: [fault('place.empty', PLACES[0])] }
    return { ok: true, flow: { places } }
  },
}

/** Manual step 8: where one signs in, then how; what is not offered is shown with its reason. */
export const chooseFactor: StepHandler = {
  fields: { factor: { max: 40, optional: true } },
  position: ({ facts }) => (facts.member.enrolledAt === undefined ? 5 : undefined),

  async show(context) {
    const { facts, society, flow } = context
    const { network } = facts
    if (placesMatter(context) && flow.places === undefined) {
      return { view: 'choose-place', locals: { atWork: network.name !== '' } }
    }
    const offered = CHOSEN_FACTORS.filter((id) => obstacleOf(context, id) === undefined)
    const unavailable = CHOSEN_FACTORS.flatMap((id) => {
      const reason = obstacleOf(context, id)
      if (reason === undefined) return []
      return [{ id, reason, ...(network.name !== '' && { network: network.name }) }]
    })
    return {
      view: 'choose-factor',
      locals: {
        options: offered.map((id, index) => ({
          id,
          recommended: index === 0 && offered.length > 1,
          atWork: placesMatter(context) && factorsAtWork(society).includes(id),
        })),
        unavailable,
        address: facts.member.email?.address ?? '',
        companyPc: flow.places?.includes('companyPc') === true,
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
    return { ok: true, member: (member: Member) => choose(member, chosen) }
  },

  acts: {
    'choose-place': choosePlace,
    'change-place': {
      fields: {},
      submit: async () => ({ ok: true, flow: { places: undefined } }),
    },
  },
}
