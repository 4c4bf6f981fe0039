import type { EpochSeconds } from '../../accounts/member.ts'
import { type Member, offerDevice } from '../../accounts/member.ts'
import { passkey } from '../methods/passkey.ts'
import type { StepContext, StepHandler } from '../step.ts'

const { registration } = passkey
if (!registration) throw new Error('a passkey can be registered')

/** Of this very device, whatever was chosen at an earlier page. */
const here = (context: StepContext): StepContext => ({
  ...context,
  flow: { ...context.flow, passkeyHint: 'localDevice' },
})

const answered =
  (at: EpochSeconds, change: (member: Member) => Member = (member) => member) =>
  (member: Member): Member =>
    offerDevice(change(member), at)

/**
 * After a sign-in through a phone, one offer to register this device too: the passkey's own page,
 * with a way past it. Either answer is the last.
 */
export const addDevice: StepHandler = {
  fields: registration.fields,
  async show(context) {
    const page = await registration.show(here(context))
    if (page.view !== 'register-passkey') throw new Error(`"${page.view}" registers no passkey`)
    return { ...page, locals: { ...page.locals, offer: true } }
  },
  async submit(context, form) {
    const result = await registration.submit(here(context), form)
    if (!result.ok || !result.member) return result
    return { ...result, member: answered(context.services.clock.now(), result.member) }
  },
  acts: {
    'device-later': {
      fields: {},
      submit: async ({ services, facts }) => {
        services.log.info({ memberId: facts.member.id }, 'passkey of this device put off')
        return { ok: true, member: answered(services.clock.now()) }
      },
    },
  },
}
