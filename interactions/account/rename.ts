import { replaceCredential } from '../../accounts/member.ts'
import { passkeysOf, tidyLabel } from '../../factors/passkey.ts'
import { fault } from '../step.ts'
import type { AccountContext } from './access.ts'
import type { AccountPage } from './page.ts'

const passkeyIn = ({ facts, id }: AccountContext) =>
  passkeysOf(facts.member).find((passkey) => passkey.id === id)

/** `/rename/<credential>`: the member's own name for a passkey. */
export const rename: AccountPage = {
  async show(context) {
    const passkey = passkeyIn(context)
    if (!passkey) return undefined
    const label = passkey.label ?? ''
    return { view: 'account-rename', locals: { label }, values: { label } }
  },
  acts: {
    save: {
      fields: { label: { max: 200 } },
      async submit(context, form) {
        const passkey = passkeyIn(context)
        if (!passkey) return { ok: true }
        const label = tidyLabel(form.label)
        if (label === '') return { ok: false, faults: [fault('label.empty', 'label')] }
        return {
          ok: true,
          member(current) {
            const held = current.credentials.find(({ id }) => id === passkey.id)
            return held ? replaceCredential(current, { ...held, label }) : current
          },
          done: 'passkeyRenamed',
        }
      },
    },
  },
}
