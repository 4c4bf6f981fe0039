import { mayAddMethod } from '../../accounts/enrolment.ts'
import { preferOverEmail } from '../../accounts/held-methods.ts'
import { passkey } from '../methods/passkey.ts'
import { totp } from '../methods/totp.ts'
import type { Act, FlowPatch, Page, StepContext } from '../step.ts'

const registrations = { passkey: passkey.registration, totp: totp.registration }
type Another = keyof typeof registrations
const ANOTHER: readonly Another[] = ['passkey', 'totp']

/** What can be registered beside what the member has, here and now. */
const registrable = ({ facts }: StepContext): readonly Another[] =>
  mayAddMethod(facts) ? ANOTHER.filter((id) => facts.network.factors.includes(id)) : []

export const canRegisterAnother = (context: StepContext): boolean => registrable(context).length > 0

/** The registration that is open; undefined where none is, or none may be any more. */
const openOne = (context: StepContext) => {
  const id = registrable(context).find((each) => each === context.flow.another)
  const registration = id && registrations[id]
  return registration && { id, registration }
}

const CLOSED: FlowPatch = { aside: undefined, another: undefined, passkeyHint: undefined }

const turnTo = (flow: FlowPatch): Act => ({
  fields: {},
  submit: async () => ({ ok: true, flow }),
})

/** As on the account page, what was added is asked for in place of e-mail from now on. */
const register: Act = {
  fields: (context) => openOne(context)?.registration.fields ?? {},
  async submit(context, form) {
    const open = openOne(context)
    if (!open) return { ok: true }
    const result = await open.registration.submit(context, form)
    if (!result.ok || !result.member) return result
    const { member: add, flow } = result
    return {
      ...result,
      member: (member) => preferOverEmail(add(member), open.id),
      flow: { ...flow, ...CLOSED },
    }
  },
}

/** F10, 「もう1台登録する」: the pages beside the last one; undefined where the member is not there. */
export const showAnother = async (context: StepContext): Promise<Page | undefined> => {
  if (context.flow.aside !== 'anotherMethod') return undefined
  const open = openOne(context)
  if (open) return open.registration.show(context)
  const ways = registrable(context)
  return ways.length > 0 ? { view: 'another-method', locals: { ways } } : undefined
}

/** The registrations are the first login's own pages, whose "another way" leads back to the list. */
export const anotherActs: Readonly<Record<string, Act>> = {
  'register-another': turnTo({ ...CLOSED, aside: 'anotherMethod' }),
  'another-method': {
    fields: { method: { max: 40 } },
    async submit(context, form) {
      const another = registrable(context).find((id) => id === form.method)
      return { ok: true, flow: another ? { another } : {} }
    },
  },
  'another-later': turnTo(CLOSED),
  'choose-again': turnTo({ another: undefined, passkeyHint: undefined }),
  registerFactor: register,
  ...passkey.registration?.acts,
}
