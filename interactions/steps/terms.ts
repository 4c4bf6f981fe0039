import { acceptTerms } from '../../accounts/member.ts'
import { termsHash } from '../../accounts/society.ts'
import type { StepHandler } from '../step.ts'
import { fault } from '../step.ts'

/** Manual step 4. Asked again only when the society's version changes. */
export const terms: StepHandler = {
  fields: { agree: { max: 10, optional: true } },
  position: ({ facts }) => (facts.member.enrolledAt === undefined ? 3 : undefined),

  async show({ flow, society, locale }) {
    if (flow.aside === 'termsDeclined') return { view: 'terms-declined', locals: {} }
    const { version, effectiveFrom, summary, text } = society.terms
    return {
      view: 'terms',
      locals: { version, effectiveFrom, summary: summary[locale], text: text[locale] },
    }
  },

  async submit({ services, society, client, locale }, form) {
    if (form.agree !== 'yes') return { ok: false, faults: [fault('terms.required', 'agree')] }
    const acceptance = {
      version: society.terms.version,
      textHash: termsHash(society.terms.text[locale]),
      at: services.clock.now(),
      clientId: client.clientId,
    }
    return {
      ok: true,
      member: (member) => acceptTerms(member, acceptance),
      flow: { aside: undefined },
    }
  },

  acts: {
    'terms-decline': {
      fields: {},
      submit: async () => ({ ok: true, flow: { aside: 'termsDeclined' } }),
    },
    'terms-back': { fields: {}, submit: async () => ({ ok: true, flow: { aside: undefined } }) },
  },
}
