import type { ChosenFactor } from '../../accounts/member.ts'
import { methods } from '../methods/index.ts'
import type { Registration } from '../methods/method.ts'
import type { Act, StepContext, StepHandler } from '../step.ts'

const chosenOf = ({ facts }: StepContext): ChosenFactor => {
  const { chosenFactor } = facts.member
  if (chosenFactor === undefined) throw new Error('no method chosen')
  return chosenFactor
}

const registrationOf = (context: StepContext): Registration => {
  const registration = methods[chosenOf(context)]?.registration
  if (!registration) throw new Error(`no registration page for ${chosenOf(context)}`)
  return registration
}

/** Back to the choice; nothing registered is lost. */
const chooseAgain: Act = {
  fields: {},
  submit: async () => ({
    ok: true,
    member: ({ chosenFactor: _forgotten, ...member }) => member,
  }),
}

const methodActs = (): Record<string, Act> => {
  const acts: Record<string, Act> = {}
  for (const id of ['passkey', 'totp'] as const) {
    for (const [name, act] of Object.entries(methods[id]?.registration?.acts ?? {})) {
      acts[name] = {
        ...act,
        submit: async (context, form) =>
          chosenOf(context) === id ? act.submit(context, form) : { ok: true },
      }
    }
  }
  return acts
}

/** Manual chapter 2: the chosen method is registered here, without a logout in between. */
export const registerFactor: StepHandler = {
  fields: (context) => registrationOf(context).fields,
  position: ({ facts }) => (facts.member.enrolledAt === undefined ? 7 : undefined),
  show: (context) => registrationOf(context).show(context),
  submit: (context, form) => registrationOf(context).submit(context, form),
  acts: { ...methodActs(), 'choose-again': chooseAgain },
}
