import { describe, expect, test } from '@jest/globals'
import {
  addSecondEmail,
  provenAddresses,
  removeSecondEmail,
  spendDeskPass,
  undoEmailChange,
  verifyEmail,
} from '../../accounts/member.ts'
import { anEnrolledMember, T0 } from '../support/builders.ts'

const FIRST = 'hanako@example.com'
const SECOND = 'hanako@work.example.jp'
const withSecond = addSecondEmail(anEnrolledMember(), SECOND, T0)

describe('A second address', () => {
  test('stands beside the first, and goes again', () => {
    expect(withSecond.secondEmail).toEqual({ address: SECOND, verifiedAt: T0 })
    expect(provenAddresses(withSecond)).toEqual([FIRST, SECOND])
    expect(provenAddresses(removeSecondEmail(withSecond))).toEqual([FIRST])
    expect(removeSecondEmail(withSecond)).not.toHaveProperty('secondEmail')
  })

  test('is never the first one, however the two come about', () => {
    const member = anEnrolledMember()
    expect(addSecondEmail(member, 'hanako@EXAMPLE.com', T0)).toBe(member)
    const changed = verifyEmail(withSecond, SECOND, T0)
    expect(changed.email?.address).toBe(SECOND)
    expect(changed.secondEmail).toBeUndefined()
    expect(verifyEmail(withSecond, 'new@example.jp', T0).secondEmail?.address).toBe(SECOND)
  })

  test.each([
    {
      name: 'a change undone',
      after: undoEmailChange(withSecond, { former: 'former@example.jp', changedAt: 3 }, T0),
    },
    { name: 'a pass of the desk', after: spendDeskPass(withSecond, T0) },
  ])('goes with $name: a stranger may have added it', ({ after }) => {
    expect(after.secondEmail).toBeUndefined()
  })

  test('an address that is only on file receives nothing', () => {
    expect(provenAddresses(anEnrolledMember({ email: { address: FIRST } }))).toEqual([])
  })
})
