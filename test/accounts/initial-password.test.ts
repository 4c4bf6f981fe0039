import { describe, expect, test } from '@jest/globals'
import { next } from '../../accounts/enrolment.ts'
import {
  deriveInitialPassword,
  endOfDayIn,
  generateInitialPassword,
  issuedPassword,
  reissuePassword,
} from '../../accounts/initial-password.ts'
import { disable, enable, type Member, unblock, undoEmailChange } from '../../accounts/member.ts'
import { aMember, anEnrolledMember, aProof, facts, T0 } from '../support/builders.ts'
import { seededRandom } from '../support/random.ts'

const DAY = 86_400

describe('An initial password', () => {
  test('for a postcard has twelve characters that cannot be mistaken, all equally likely', () => {
    const randomBytes = seededRandom('postcards')
    const made = Array.from({ length: 2000 }, () => generateInitialPassword(randomBytes))
    for (const password of made) {
      expect(password).toMatch(/^[bcdfghjkmnprstvwxy2-8]{4}(?:-[bcdfghjkmnprstvwxy2-8]{4}){2}$/u)
    }
    expect(new Set(made).size).toBe(made.length)
    const counts = new Map<string, number>()
    for (const character of made.join('').replaceAll('-', '')) {
      counts.set(character, (counts.get(character) ?? 0) + 1)
    }
    expect(counts.size).toBe(25)
    // 24,000 draws of 25: 960 each, give or take five standard deviations.
    for (const count of counts.values()) expect(Math.abs(count - 960)).toBeLessThan(155)
  })

  test('throws away every byte that would make some characters likelier', () => {
    const from = (bytes: readonly number[]) => {
      let next = 0
      return generateInitialPassword((size) =>
        Uint8Array.from({ length: size }, () => bytes[next++ % bytes.length] ?? 0),
      )
    }
    const bytes = [0, 24, 25, 249, 7, 100]
    expect(from(bytes)).toBe('b8b8-kbb8-b8kb')
    expect(from(bytes.flatMap((byte) => [250, byte, 255]))).toBe(from(bytes))
  })

  test('is not made of bytes that are not random, which are an error and no endless wait', () => {
    expect(() => generateInitialPassword((size) => new Uint8Array(size).fill(255))).toThrow(
      'random_source',
    )
  })

  test('of the legacy rule is symbol, number and birthdate', () => {
    const insured = { symbol: '12345', number: '701' }
    expect(deriveInitialPassword(insured, '1972-11-03')).toBe('1234570119721103')
  })

  test('ends with a day in Japan, whatever the hour it was given', () => {
    const end = Date.UTC(2026, 3, 17, 15) / 1000 // midnight after 17 April
    expect(endOfDayIn(7, Date.UTC(2026, 3, 9, 15) / 1000)).toBe(end) // 10 April, 00:00
    expect(endOfDayIn(7, Date.UTC(2026, 3, 10, 14, 59, 59) / 1000)).toBe(end) // 23:59:59
    expect(endOfDayIn(7, Date.UTC(2026, 3, 10, 15) / 1000)).toBe(end + DAY)
  })

  const ending = (at: number, member: Member = aMember()): Member => ({
    ...member,
    password: issuedPassword({ hash: 'h', initial: 'random', at: 0, expiresAt: at }),
  })

  test('that is proven before its end leads on, and from its end on to the desk', () => {
    const about = (member: Member) => next(facts({ member }))
    expect(about(ending(T0 + 1))).toEqual({ kind: 'ask', step: 'birthdate' })
    expect(about(ending(T0))).toEqual({ kind: 'stop', reason: 'initialPasswordExpired' })
    // The first login goes on where it was begun in time.
    const later = facts({ member: ending(T0 + 1), now: T0 + 100 })
    expect(next(later)).toEqual({ kind: 'ask', step: 'birthdate' })
  })

  test('that has ended does not keep out who signs in by passkey', () => {
    const passkey = { id: 'p', factor: 'passkey', registeredAt: 0, data: {} } as const
    const member = ending(T0, anEnrolledMember({ credentials: [passkey], chosenFactor: 'passkey' }))
    const session = { ...facts().session, proofs: [aProof({ factor: 'passkey' })] }
    expect(next(facts({ member, session }))).toEqual({ kind: 'ask', step: 'newPassword' })
  })

  test('given anew ends every sign-in, and lets an unfinished first login begin again', () => {
    const issued = { hash: 'new', initial: 'random', at: T0, expiresAt: T0 + DAY } as const
    const halfway = reissuePassword(aMember({ birthdateConfirmedAt: 1 }), issued)
    expect(halfway).not.toHaveProperty('birthdateConfirmedAt')
    expect(halfway.signedOut).toEqual({ at: T0 })
    const enrolled = anEnrolledMember()
    const again = reissuePassword(enrolled, issued)
    expect(again.birthdateConfirmedAt).toBe(enrolled.birthdateConfirmedAt)
    // The method that is held stands before the new password.
    expect(next(facts({ member: again }))).toEqual({ kind: 'ask', step: 'verifyFactor' })
  })
})

describe('A member whom the desk has disabled', () => {
  test('is stopped with a reason of its own, and no pass leads round it', () => {
    const pass = { hash: 'h', expiresAt: T0 + 60 }
    const member = disable(anEnrolledMember({ deskPass: pass }), T0)
    expect(member).not.toHaveProperty('deskPass')
    const late = facts({ member: { ...member, deskPass: pass } })
    expect(next(late)).toEqual({ kind: 'stop', reason: 'disabled' })
  })

  test('is signed out for good, and stays so when enabled', () => {
    const enabled = enable(disable(anEnrolledMember(), T0 + 1))
    expect(enabled.blocked).toBeUndefined()
    expect(next(facts({ member: enabled }))).toEqual({ kind: 'ask', step: 'password' })
  })

  test('is blocked again as before when enabled, and unblocking enables nobody', () => {
    const undone = undoEmailChange(
      anEnrolledMember(),
      { former: 'former@example.jp', changedAt: 3 },
      5,
    )
    const disabled = disable(undone, T0)
    expect(unblock(disabled)).toBe(disabled)
    expect(disable(disabled, T0 + 9)).toBe(disabled)
    expect(enable(disabled).blocked).toEqual(undone.blocked)
    expect(unblock(undone).blocked).toBeUndefined()
  })

  test('stays disabled when the former address’s holder undoes a change, which counts afterwards', () => {
    const undone = undoEmailChange(
      disable(anEnrolledMember(), T0),
      { former: 'former@example.jp', changedAt: 3 },
      T0 + 9,
    )
    expect(undone.blocked?.reason).toBe('disabled')
    expect(unblock(undone)).toBe(undone)
    expect(enable(undone).blocked).toEqual({ reason: 'emailChangeUndone', since: T0 + 9 })
  })
})
