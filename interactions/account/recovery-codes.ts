import type { Fields } from '../form.ts'
import { showCodes, recoveryCodes as step } from '../steps/recovery-codes.ts'
import type { AccountContext } from './access.ts'
import type { AccountPage } from './page.ts'

const FIELDS: Fields = { saved: { max: 10, optional: true } }

/** Codes stand in for a passkey or an app, so whoever has neither has no use for them. */
const isUseful = ({ facts }: AccountContext): boolean =>
  facts.member.credentials.some(({ factor }) => factor === 'passkey' || factor === 'totp')

/** Ten new recovery codes, by the first login's own page; the former ones end with saving them. */
export const recoveryCodes: AccountPage = {
  show: async (context) => (isUseful(context) ? showCodes(context) : undefined),
  acts: {
    recoveryCodes: {
      fields: FIELDS,
      async submit(context, form) {
        if (!isUseful(context)) return { ok: true }
        const result = await step.submit(context, form)
        if (!result.ok) return { ok: false, faults: result.faults }
        if (!result.member) return { ok: true }
        return { ok: true, member: result.member, done: 'codesRenewed' }
      },
    },
  },
}
