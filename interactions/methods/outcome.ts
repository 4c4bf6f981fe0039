import type { Proof } from '../../accounts/assurance.ts'
import type { SecondFactor } from '../../accounts/enrolment.ts'
import { StaleMemberError } from '../../accounts/errors.ts'
import {
  addMethod,
  type Credential,
  type Member,
  replaceCredential,
} from '../../accounts/member.ts'
import type { MailTemplate } from '../../accounts/ports.ts'
import type { Authentication } from '../../factors/factor.ts'
import { sendNotice } from '../notice.ts'
import type { StepContext, StepResult } from '../step.ts'

/** Tells the member by mail what has happened to the account; once per `id`. */
export const tellMember = async (
  { services, facts: { member }, locale }: StepContext,
  template: MailTemplate,
  id: string,
  facts: Readonly<Record<string, string>> = {},
): Promise<void> => {
  await sendNotice(services, member, { template, id: `${template}-${id}`, locale, facts })
}

const held = (member: Member, id: string): string =>
  JSON.stringify(member.credentials.find((credential) => credential.id === id))

/**
 * Stores a credential as its use left it, only if it is still the one that was checked: the second
 * of two requests with one code finds it changed. @throws StaleMemberError
 */
export const storeUsed =
  (checked: Member, credential: Credential) =>
  (current: Member): Member => {
    if (held(current, credential.id) !== held(checked, credential.id)) {
      throw new StaleMemberError(checked.id)
    }
    return replaceCredential(current, credential)
  }

/** The second factor is proven: its proof joins the request's, its credential is stored as used. */
export const proved = (
  { services, facts }: StepContext,
  factor: SecondFactor,
  { credential, synced, elsewhere }: Authentication = {},
): StepResult => {
  const proof: Proof = {
    factor,
    at: services.clock.now(),
    ...(synced !== undefined && { synced }),
  }
  return {
    ok: true,
    said: { facts: { memberId: facts.member.id, factor }, event: 'second step proven' },
    ...(credential && { member: storeUsed(facts.member, credential) }),
    proof,
    flow: {
      challengeId: undefined,
      signInCode: undefined,
      otherSignInCode: undefined,
      notice: undefined,
      method: undefined,
      ...(elsewhere && { offerDevice: true }),
    },
  }
}

/** A method was registered, which also proves it; the member is told by mail. */
export const registered = async (
  context: StepContext,
  credential: Credential,
  { synced }: Pick<Authentication, 'synced'> = {},
): Promise<StepResult> => {
  const { services, facts } = context
  const { factor, id } = credential
  await tellMember(context, 'methodAdded', id, { factor })
  services.log.info({ memberId: facts.member.id, factor }, 'method registered')
  const proof: Proof = {
    factor,
    at: services.clock.now(),
    ...(synced !== undefined && { synced }),
  }
  return {
    ok: true,
    member: (current) => addMethod(current, credential),
    proof,
    flow: { passkeyHint: undefined },
  }
}
