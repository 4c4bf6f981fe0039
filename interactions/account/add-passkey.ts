import { preferOverEmail } from '../../accounts/held-methods.ts'
import type { Member } from '../../accounts/member.ts'
import { passkey } from '../methods/passkey.ts'
import type { StepResult } from '../step.ts'
import type { AccountContext } from './access.ts'
import { obstacleTo } from './overview.ts'
import { type AccountPage, type AccountResult, goTo } from './page.ts'

/**
 * What a method's registration says, as the account page takes it: the next sign-in asks for it in
 * place of e-mail. Recovery codes are not due here: the page shows that there are none, one press
 * away.
 */
export const registeredAs = (result: StepResult, factor: 'passkey' | 'totp'): AccountResult => {
  if (!result.ok)
    return { ok: false, faults: result.faults, ...(result.values && { values: result.values }) }
  const { member: register } = result
  if (!register) return { ok: true }
  const member = (current: Member): Member => {
    const { recoveryCodesDue: _offered, ...changed } = preferOverEmail(register(current), factor)
    return { ...changed, ...(current.recoveryCodesDue && { recoveryCodesDue: true }) }
  }
  return { ok: true, member, done: factor === 'passkey' ? 'passkeyAdded' : 'appAdded' }
}

/** `/add-passkey/phone`: on a phone, by QR code (manual chapter 2, the star section). */
const hinted = (context: AccountContext): AccountContext => ({
  ...context,
  flow: {
    ...context.flow,
    passkeyHint: context.id === 'phone' ? 'remoteDevice' : 'localDevice',
  },
})

const { registration } = passkey
if (!registration) throw new Error('a passkey can be registered')

/** One more passkey, by the first login's own page. */
export const addPasskey: AccountPage = {
  show: async (context) =>
    obstacleTo(context, 'passkey') ? undefined : registration.show(hinted(context)),
  acts: {
    registerFactor: {
      fields: registration.fields,
      async submit(context, form) {
        if (obstacleTo(context, 'passkey')) return { ok: true }
        return registeredAs(await registration.submit(hinted(context), form), 'passkey')
      },
    },
    'passkey-phone': goTo('/add-passkey/phone'),
    'passkey-here': goTo('/add-passkey'),
    'choose-again': goTo(),
  },
}
