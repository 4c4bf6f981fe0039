import { CHOSEN_FACTORS, type ChosenFactor, chooseFactor, type Member } from './member.ts'

/** The methods that a member could sign in with, the strongest first. */
export const heldMethods = (
  member: Member,
  permitted: readonly ChosenFactor[],
): readonly ChosenFactor[] =>
  CHOSEN_FACTORS.filter(
    (factor) =>
      permitted.includes(factor) &&
      (factor === 'emailCode'
        ? member.email?.verifiedAt !== undefined
        : member.credentials.some((credential) => credential.factor === factor)),
  )

/** The method to be asked for first from now on; undefined where the member does not hold it. */
export const preferMethod = (
  member: Member,
  factor: ChosenFactor,
  permitted: readonly ChosenFactor[],
): Member | undefined =>
  heldMethods(member, permitted).includes(factor) ? chooseFactor(member, factor) : undefined

/** A passkey or an app was added: it takes the place of e-mail, but not of another such method. */
export const preferOverEmail = (member: Member, added: 'passkey' | 'totp'): Member =>
  member.chosenFactor === 'emailCode' ? chooseFactor(member, added) : member
