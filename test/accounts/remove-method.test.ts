import { describe, expect, test } from '@jest/globals'
import type { ChosenFactor, Credential, FactorId } from '../../accounts/member.ts'
import { methodsWithout, removeMethod } from '../../accounts/remove-method.ts'
import { anEnrolledMember } from '../support/builders.ts'

const ALL: readonly ChosenFactor[] = ['passkey', 'totp', 'emailCode']
const STRONG: readonly ChosenFactor[] = ['passkey', 'totp']

const held = (id: string, factor: FactorId): Credential => ({
  id,
  factor,
  registeredAt: 1,
  data: {},
})
const KEY = held('key', 'passkey')
const KEY2 = held('key2', 'passkey')
const APP = held('app', 'totp')
const CODES = held('codes', 'recoveryCode')

describe('Removing a method', () => {
  test.each([
    // held, chosen, removed, permitted → chosen afterwards, undefined: refused
    [[KEY], 'passkey', 'key', ALL, 'emailCode'],
    [[KEY], 'passkey', 'key', STRONG, undefined],
    [[KEY, CODES], 'passkey', 'key', STRONG, undefined],
    [[KEY, KEY2], 'passkey', 'key', STRONG, 'passkey'],
    [[KEY, APP], 'passkey', 'key', STRONG, 'totp'],
    [[KEY, APP], 'passkey', 'app', STRONG, 'passkey'],
    [[KEY, APP], 'passkey', 'key', ['passkey'] as const, undefined],
    [[APP], 'emailCode', 'app', ALL, 'emailCode'],
    [[KEY, CODES], 'passkey', 'codes', ALL, undefined],
    [[KEY], 'passkey', 'nothing', ALL, undefined],
  ] as const)('%j, %s chosen, without %s', (credentials, chosenFactor, id, permitted, chosen) => {
    const removed = removeMethod(anEnrolledMember({ credentials, chosenFactor }), id, permitted)
    expect(removed?.chosenFactor).toBe(chosen)
    expect(removed?.credentials.some((credential) => credential.id === id) ?? false).toBe(false)
  })

  test('an address on file that is not proven is no method', () => {
    const member = anEnrolledMember({ credentials: [KEY], email: { address: 'a@example.jp' } })
    expect(methodsWithout(member, 'key', ALL)).toEqual([])
  })
})
