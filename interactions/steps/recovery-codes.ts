import {
  type Credential,
  putOffRecoveryCodes,
  replaceRecoveryCodes,
} from '../../accounts/member.ts'
import { INTERACTION_SECONDS } from '../../accounts/policy.ts'
import { tellMember } from '../methods/outcome.ts'
import { ceremonyOf, fault, type Page, type StepContext, type StepHandler } from '../step.ts'

/** Codes being shown: sealed, until the member says that they are saved. */
type Pending = Readonly<{ sealedCodes: string; credential: Credential }>

const keyOf = ({ uid, facts }: StepContext): string => `recovery-codes:${uid}:${facts.member.id}`
const placeOf = ({ facts }: StepContext): string => `recoveryCodes|${facts.member.id}`

/** The codes on the page: the same through reloads and second tabs. */
const pending = async (context: StepContext): Promise<Pending> => {
  const { services, factors, facts } = context
  const kept = await services.transient.get<Pending>(keyOf(context))
  if (kept) return kept
  const { codes, credential } = factors.recoveryCode.generate(facts.member, ceremonyOf(context))
  const sealedCodes = factors.seal.seal(Buffer.from(codes.join('\n')), placeOf(context))
  const begun = { sealedCodes, credential }
  const first = await services.transient.replace(
    keyOf(context),
    undefined,
    begun,
    INTERACTION_SECONDS,
  )
  return first ? begun : pending(context)
}

/** The page with ten codes; `left`: of those held, where the member may keep these for now. */
export const showCodes = async (context: StepContext, left?: number): Promise<Page> => {
  const { sealedCodes } = await pending(context)
  const codes = context.factors.seal.open(sealedCodes, placeOf(context)).toString().split('\n')
  return { view: 'recovery-codes', locals: { codes, ...(left !== undefined && { left }) } }
}

/**
 * F9: ten recovery codes, shown once; they count from the moment the member has saved them. Those
 * that replace earlier ones can be put off until the next sign-in.
 */
export const recoveryCodes: StepHandler = {
  fields: { saved: { max: 10, optional: true } },
  position: ({ facts }) =>
    facts.member.enrolledAt === undefined || facts.session.enrolledHere ? 7 : undefined,
  async show(context) {
    const { facts, factors } = context
    const held = facts.member.credentials.find(({ factor }) => factor === 'recoveryCode')
    return showCodes(context, held && factors.recoveryCode.remaining(held))
  },
  async submit(context, form) {
    if (form.saved !== 'yes') return { ok: false, faults: [fault('recovery.unsaved', 'saved')] }
    const kept = await context.services.transient.take<Pending>(keyOf(context))
    if (!kept) return { ok: true }
    const { id, factor } = kept.credential
    await tellMember(context, 'methodAdded', id, { factor })
    return { ok: true, member: (member) => replaceRecoveryCodes(member, kept.credential) }
  },
  acts: {
    'codes-later': {
      fields: {},
      async submit(context) {
        const { services, facts } = context
        const now = services.clock.now()
        if (putOffRecoveryCodes(facts.member, now) === facts.member) return { ok: true }
        // Nobody has saved these: the next sign-in shows others.
        await services.transient.take(keyOf(context))
        services.log.info({ memberId: facts.member.id }, 'new recovery codes put off')
        return { ok: true, member: (member) => putOffRecoveryCodes(member, now) }
      },
    },
  },
}
