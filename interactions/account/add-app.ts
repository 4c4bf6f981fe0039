import { totp } from '../methods/totp.ts'
import { registeredAs } from './add-passkey.ts'
import { obstacleTo } from './overview.ts'
import { type AccountPage, goTo } from './page.ts'

const { registration } = totp
if (!registration) throw new Error('an authenticator app can be registered')

/** An authenticator app, by the first login's own page. */
export const addApp: AccountPage = {
  async show(context) {
    if (obstacleTo(context, 'totp')) return undefined
    const page = await registration.show(context)
    if (page.view !== 'register-totp') throw new Error('an app has another page')
    return { ...page, locals: { ...page.locals, named: true } }
  },
  acts: {
    registerFactor: {
      fields: { ...registration.fields, label: { max: 200, optional: true } },
      async submit(context, form) {
        if (obstacleTo(context, 'totp')) return { ok: true }
        const result = registeredAs(await registration.submit(context, form), 'totp')
        return result.ok ? result : { ...result, values: { label: form.label ?? '' } }
      },
    },
    'choose-again': goTo(),
  },
}
