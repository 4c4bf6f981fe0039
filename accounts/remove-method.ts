import { heldMethods } from './held-methods.ts'
import { type ChosenFactor, type Member, removeCredential } from './member.ts'

/** The methods that a member without `credentialId` could sign in with, the strongest first. */
export const methodsWithout = (
  member: Member,
  credentialId: string,
  permitted: readonly ChosenFactor[],
): readonly ChosenFactor[] => heldMethods(removeCredential(member, credentialId), permitted)

/**
 * The member without one of their passkeys or apps; undefined where it is the last method that the
 * society permits, or not theirs. A chosen method whose last credential goes is followed by the
 * strongest one left, so that the next sign-in does not ask for its registration.
 */
export const removeMethod = (
  member: Member,
  credentialId: string,
  permitted: readonly ChosenFactor[],
): Member | undefined => {
  const removed = member.credentials.find(({ id }) => id === credentialId)
  if (removed?.factor !== 'passkey' && removed?.factor !== 'totp') return undefined
  const [strongest] = methodsWithout(member, credentialId, permitted)
  if (strongest === undefined) return undefined
  const without = removeCredential(member, credentialId)
  const followed =
    member.chosenFactor === removed.factor &&
    !without.credentials.some(({ factor }) => factor === removed.factor)
  return followed ? { ...without, chosenFactor: strongest } : without
}
