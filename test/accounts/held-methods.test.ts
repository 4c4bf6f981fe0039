import { describe, expect, test } from '@jest/globals'
import { heldMethods, preferMethod, preferOverEmail } from '../../accounts/held-methods.ts'
import type { ChosenFactor, Credential, FactorId } from '../../accounts/member.ts'
import { anEnrolledMember } from '../support/builders.ts'

const ALL: readonly ChosenFactor[] = ['passkey', 'totp', 'emailCode']
const held = (factor: FactorId): Credential => ({ id: factor, factor, registeredAt: 1, data: {} })

describe('The methods a member holds', () => {
  test.each([
    // credentials, permitted → held
    [[], ALL, ['emailCode']],
    [['totp', 'passkey', 'recoveryCode'], ALL, ['passkey', 'totp', 'emailCode']],
    [['totp', 'passkey'], ['totp'], ['totp']],
    [[], ['passkey', 'totp'], []],
  ] as const)('%j where %j is permitted: %j', (factors, permitted, methods) => {
    const member = anEnrolledMember({ credentials: factors.map(held) })
    expect(heldMethods(member, permitted)).toEqual(methods)
  })

  test('an address that is not proven is none of them', () => {
    const member = anEnrolledMember({ email: { address: 'a@example.jp' } })
    expect(heldMethods(member, ALL)).toEqual([])
    expect(preferMethod(member, 'emailCode', ALL)).toBeUndefined()
  })

  test.each([
    ['emailCode', 'passkey', 'passkey'],
    ['emailCode', 'totp', 'totp'],
    ['totp', 'passkey', 'totp'],
    ['passkey', 'totp', 'passkey'],
  ] as const)('with %s chosen and %s added, %s is asked for', (chosenFactor, added, expected) => {
    const member = anEnrolledMember({ chosenFactor, credentials: [held(added)] })
    expect(preferOverEmail(member, added).chosenFactor).toBe(expected)
  })
})
