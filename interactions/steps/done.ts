import { CHOSEN_FACTORS, type Member } from '../../accounts/member.ts'
import { REGISTRATION_WINDOW_SECONDS } from '../../accounts/policy.ts'
import type { StepContext, StepHandler } from '../step.ts'
import { anotherActs, canRegisterAnother, showAnother } from './another-method.ts'

const DAY_SECONDS = 86_400

/** What the member signs in with, by the names they gave; a code by mail where there is no other. */
const registeredBy = ({ credentials }: Member) => {
  const held = credentials.flatMap(({ factor, label }) => {
    const id = CHOSEN_FACTORS.find((chosen) => chosen === factor)
    return id ? [{ id, ...(label !== undefined && { label }) }] : []
  })
  return held.length > 0 ? held : [{ id: 'emailCode' as const }]
}

/** The method chosen is still to be registered, on a network that permits it. */
const isForLater = ({ facts: { member, network } }: StepContext): boolean => {
  const { chosenFactor, credentials } = member
  return (
    chosenFactor !== undefined &&
    chosenFactor !== 'emailCode' &&
    !network.factors.includes(chosenFactor) &&
    !credentials.some(({ factor }) => factor === chosenFactor)
  )
}

/** Manual [4]: everything is set; the button leads into the relying party. */
export const done: StepHandler = {
  fields: {},
  async show(context) {
    const another = await showAnother(context)
    if (another) return another
    const { member, network } = context.facts
    const days = REGISTRATION_WINDOW_SECONDS / DAY_SECONDS
    return {
      view: 'done',
      locals: {
        loginId: member.loginId,
        address: member.email?.address ?? '',
        method: member.chosenFactor ?? 'emailCode',
        registered: registeredBy(member),
        ...(member.credentials.some(({ factor }) => factor === 'recoveryCode') && { codes: true }),
        ...(isForLater(context) && { later: { network: network.name, days } }),
        ...(canRegisterAnother(context) && { another: true }),
      },
    }
  },
  submit: async () => ({ ok: true, flow: { doneSeen: true, aside: undefined } }),
  acts: anotherActs,
}
