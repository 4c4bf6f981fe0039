import {
  type Credential,
  putOffRecoveryCodes,
  replaceRecoveryCodes,
} from '../../accounts/member.ts'
import { ENROLMENT_WINDOW_SECONDS, INTERACTION_SECONDS } from '../../accounts/policy.ts'
import { tellMember } from '../methods/outcome.ts'
import { ceremonyOf, fault, type Page, type StepContext, type StepHandler } from '../step.ts'
import { dateTimeText } from '../wording.ts'

/** Codes being shown: sealed, until the member says that they are saved. */
type Pending = Readonly<{
  sealedCodes: string
  credential: Credential
  /** Others had been shown by then. */
  again: boolean
}>

const keyOf = ({ uid, facts }: StepContext): string => `recovery-codes:${uid}:${facts.member.id}`
/** Which request last showed codes that were never saved. No codes: those are shown to it alone, so that
 * nobody who got as far once holds what the member saves later. */
const shownKey = ({ facts }: StepContext): string => `recovery-codes-shown:${facts.member.id}`
const placeOf = ({ facts }: StepContext): string => `recoveryCodes|${facts.member.id}`

/** The codes on the page: the same through reloads and second tabs. */
const pending = async (context: StepContext): Promise<Pending> => {
  const { services, factors, facts } = context
  const kept = await services.transient.get<Pending>(keyOf(context))
  if (kept) return kept
  const { codes, credential } = factors.recoveryCode.generate(facts.member, ceremonyOf(context))
  const sealedCodes = factors.seal.seal(Buffer.from(codes.join('\n')), placeOf(context))
  const last = await services.transient.get<string>(shownKey(context))
  const begun = { sealedCodes, credential, again: last !== undefined }
  const first = await services.transient.replace(
    keyOf(context),
    undefined,
    begun,
    INTERACTION_SECONDS,
  )
  if (!first) return pending(context)
  await services.transient.put(shownKey(context), context.uid, ENROLMENT_WINDOW_SECONDS)
  return begun
}

const heldBy = ({ facts }: StepContext): Credential | undefined =>
  facts.member.credentials.find(({ factor }) => factor === 'recoveryCode')

/** The page with ten codes; `left`: of those held, where the member may keep these for now. */
export const showCodes = async (context: StepContext, left?: number): Promise<Page> => {
  const { sealedCodes, credential, again } = await pending(context)
  const last = await context.services.transient.get<string>(shownKey(context))
  const shownBefore = again || (last !== undefined && last !== context.uid)
  const held = heldBy(context)
  const codes = context.factors.seal.open(sealedCodes, placeOf(context)).toString().split('\n')
  return {
    view: 'recovery-codes',
    locals: {
      codes,
      madeAt: dateTimeText(credential.registeredAt, context.locale),
      ...(left !== undefined && { left }),
      ...(held && context.factors.recoveryCode.remaining(held) > 0 && { replaces: true }),
      ...(shownBefore && { shownBefore }),
    },
  }
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
    const held = heldBy(context)
    return showCodes(context, held && context.factors.recoveryCode.remaining(held))
  },
  async submit(context, form) {
    if (form.saved !== 'yes') return { ok: false, faults: [fault('recovery.unsaved', 'saved')] }
    const kept = await context.services.transient.take<Pending>(keyOf(context))
    if (!kept) return { ok: true }
    await context.services.transient.take(shownKey(context))
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
