import { type SecondFactor, usefulFactors } from '../../accounts/enrolment.ts'
import { useDeskPass } from '../desk-pass.ts'
import { methods } from '../methods/index.ts'
import type { Verification } from '../methods/method.ts'
import type { Act, Page, StepContext, StepHandler } from '../step.ts'

/** The method asked for: the one the member chose under "another way", else the first useful one. */
const methodOf = ({ facts, flow }: StepContext): SecondFactor => {
  const useful = usefulFactors(facts)
  const [first] = useful
  if (first === undefined) throw new Error('no factor to verify')
  return flow.method && useful.includes(flow.method) ? flow.method : first
}

const verificationOf = (context: StepContext): Verification => {
  const method = methods[methodOf(context)]
  if (!method) throw new Error(`no pages for ${methodOf(context)}`)
  return method.verification
}

/** "Another way": only what the member holds and this network permits. */
const useMethod: Act = {
  fields: { method: { max: 40 } },
  async submit({ facts }, form) {
    const method = usefulFactors(facts).find((factor) => factor === form.method)
    return { ok: true, flow: method ? { method, notice: undefined, aside: undefined } : {} }
  },
}

const own: readonly SecondFactor[] = ['passkey', 'totp', 'emailCode', 'recoveryCode']

/** Every act of every method, each taken only while that method is the one asked for. */
const methodActs = (): Record<string, Act> => {
  const acts: Record<string, Act> = {}
  for (const id of own) {
    for (const [name, act] of Object.entries(methods[id]?.verification.acts ?? {})) {
      acts[name] = {
        ...act,
        submit: async (context, form) =>
          methodOf(context) === id ? act.submit(context, form) : { ok: true },
      }
    }
  }
  return acts
}

/** A3: what can be done without the phone. */
const showLost = ({ facts }: StepContext): Page => ({
  view: 'lost-factor',
  locals: { ways: usefulFactors(facts) },
})

const lostActs: Readonly<Record<string, Act>> = {
  'lost-factor': {
    fields: {},
    submit: async () => ({ ok: true, flow: { aside: 'lostFactor', notice: undefined } }),
  },
  'not-lost': { fields: {}, submit: async () => ({ ok: true, flow: { aside: undefined } }) },
  'desk-pass': useDeskPass,
}

/** The second step of a sign-in, by the member's own method; others one press away. */
export const verifyFactor: StepHandler = {
  fields: (context) => verificationOf(context).fields,
  /** Which method's page it was, and what that one said. */
  attempt(told) {
    const [method, ...counted] = told.counted.split('.')
    const id = own.find((one) => one === method)
    return id && methods[id].verification.attempt?.({ ...told, counted: counted.join('.') })
  },
  /** In a first login that is taken up again: a part of the step that it comes after. */
  position: ({ facts: { member } }) => {
    if (member.enrolledAt !== undefined) return undefined
    if (member.chosenFactor === undefined) return 4
    return member.password.initial === undefined ? 7 : 6
  },
  prepare: async (context, save) =>
    context.flow.aside !== 'lostFactor' &&
    ((await verificationOf(context).prepare?.(context, save)) ?? false),
  async show(context) {
    if (context.flow.aside === 'lostFactor') return showLost(context)
    const page = await verificationOf(context).show(context)
    const current = methodOf(context)
    const otherWays = usefulFactors(context.facts).filter((factor) => factor !== current)
    return { ...page, otherWays }
  },
  submit: (context, form) => verificationOf(context).submit(context, form),
  proves: methodOf,
  acts: { ...methodActs(), 'use-method': useMethod, ...lostActs },
}
