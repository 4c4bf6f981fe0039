import type { Credential } from '../../accounts/member.ts'
import { methodsWithout, removeMethod } from '../../accounts/remove-method.ts'
import { tellMember } from '../methods/outcome.ts'
import { fault } from '../step.ts'
import { dateText } from '../wording.ts'
import type { AccountContext } from './access.ts'
import type { AccountPage } from './page.ts'

type Removable = Credential & Readonly<{ factor: 'passkey' | 'totp' }>

const credentialIn = ({ facts, id }: AccountContext): Removable | undefined =>
  facts.member.credentials.find(
    (held): held is Removable => held.id === id && ['passkey', 'totp'].includes(held.factor),
  )

/** `/remove/<credential>`: says what follows, and why the last method cannot go. */
export const remove: AccountPage = {
  async show(context) {
    const { facts, society, locale } = context
    const held = credentialIn(context)
    if (!held) return undefined
    const [strongest] = methodsWithout(facts.member, held.id, society.factors)
    return {
      view: 'account-remove',
      locals: {
        factor: held.factor,
        label: held.label ?? '',
        registered: dateText(held.registeredAt, locale),
        ...(strongest !== undefined && { next: strongest }),
      },
    }
  },
  acts: {
    yes: {
      fields: {},
      async submit(context) {
        const { facts, society } = context
        const held = credentialIn(context)
        if (!held) return { ok: true }
        if (!removeMethod(facts.member, held.id, society.factors)) {
          return { ok: false, faults: [fault('method.last')] }
        }
        await tellMember(context, 'methodRemoved', held.id, { factor: held.factor })
        context.services.log.info(
          { memberId: facts.member.id, factor: held.factor },
          'method removed',
        )
        return {
          ok: true,
          // Asked again of what is stored by then: of two last methods one stays.
          member: (current) => removeMethod(current, held.id, society.factors) ?? current,
          done: held.factor === 'passkey' ? 'passkeyRemoved' : 'appRemoved',
        }
      },
    },
  },
}
