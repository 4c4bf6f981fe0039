import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { MemberId } from '../../accounts/member.ts'
import type { SignInLog } from '../../accounts/ports.ts'
import { DEVICE_SECONDS, type SignIn } from '../../accounts/sign-ins.ts'
import { inParallel, ROUNDS, valuesOf } from './rounds.ts'

export type OpenSignInLog = () => Promise<{ log: SignInLog; close: () => Promise<void> }>

const NOW = 1_800_000_000
const HANAKO = 'hanako' as MemberId

const aSignIn = (fields: Partial<SignIn> = {}): SignIn => ({
  id: 'interaction-1',
  memberId: HANAKO,
  at: NOW,
  device: 'Chrome・Windows',
  clientId: 'health-portal',
  factors: ['password', 'emailCode'],
  ...fields,
})

/** What every log of sign-ins must do. */
export const signInLogContract = (name: string, open: OpenSignInLog): void => {
  describe(`${name}, a log of sign-ins`, () => {
    let log: SignInLog
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ log, close } = await open())
    })
    afterEach(() => close())

    test('a sign-in is found as it was recorded, the newest first, and only the member’s own', async () => {
      const later = aSignIn({ id: 'interaction-2', at: NOW + 5, factors: ['passkey'] })
      await log.record(aSignIn(), 'pc')
      await log.record(later, 'pc')
      await log.record(aSignIn({ id: 'interaction-3', memberId: 'taro' as MemberId }), 'pc')
      expect(await log.list(HANAKO, 0)).toStrictEqual([later, aSignIn()])
    })

    test('what is older than asked for is left out, what is as old is not', async () => {
      await log.record(aSignIn(), 'pc')
      expect(await log.list(HANAKO, NOW)).toHaveLength(1)
      expect(await log.list(HANAKO, NOW + 1)).toEqual([])
    })

    test('a sign-in recorded twice is one', async () => {
      await log.record(aSignIn(), 'pc')
      await log.record(aSignIn({ at: NOW + 9 }), 'pc')
      expect(await log.list(HANAKO, 0)).toStrictEqual([aSignIn()])
    })

    test('the first browser is no news, a second one is, once', async () => {
      const record = (id: string, deviceId: string) => log.record(aSignIn({ id }), deviceId)
      expect(await record('a', 'pc')).toEqual({ newDevice: false })
      expect(await record('b', 'pc')).toEqual({ newDevice: false })
      expect(await record('c', 'phone')).toEqual({ newDevice: true })
      expect(await record('c', 'phone')).toEqual({ newDevice: false })
      expect(await record('d', 'phone')).toEqual({ newDevice: false })
    })

    test('another member’s browser is none of the member’s', async () => {
      await log.record(aSignIn({ memberId: 'taro' as MemberId }), 'family-pc')
      await log.record(aSignIn({ id: 'b' }), 'phone')
      expect(await log.record(aSignIn({ id: 'c' }), 'family-pc')).toEqual({ newDevice: true })
    })

    test('a browser not used for a year is new again', async () => {
      await log.record(aSignIn({ id: 'a' }), 'pc')
      const after = NOW + DEVICE_SECONDS
      await log.record(aSignIn({ id: 'b', at: after - 1 }), 'phone')
      expect(await log.record(aSignIn({ id: 'c', at: after }), 'pc')).toEqual({ newDevice: true })
    })

    test('of twenty parallel records of one sign-in one is told that the browser is new', async () => {
      await log.record(aSignIn({ id: 'first' }), 'pc')
      for (const round of ROUNDS.slice(0, 10)) {
        const told = valuesOf(
          await inParallel(() => log.record(aSignIn({ id: `${round}` }), `phone-${round}`)),
        )
        expect(told.filter(({ newDevice }) => newDevice)).toHaveLength(1)
      }
    })
  })
}
