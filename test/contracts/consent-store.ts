import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Consent } from '../../accounts/consents.ts'
import type { MemberId } from '../../accounts/member.ts'
import type { ConsentStore } from '../../accounts/ports.ts'
import { inParallel, ROUNDS } from './rounds.ts'

export type OpenConsentStore = () => Promise<{
  consents: ConsentStore
  close: () => Promise<void>
}>

const NOW = 1_800_000_000
const HANAKO = 'hanako' as MemberId
const TARO = 'taro' as MemberId

const aConsent = (fields: Partial<Consent> = {}): Consent => ({
  memberId: HANAKO,
  clientId: 'walking-app',
  since: NOW,
  updatedAt: NOW,
  scopes: ['openid', 'email'],
  claims: ['name'],
  resources: ['https://api.example.jp steps'],
  ...fields,
})

/** What every store of consents must do. */
export const consentStoreContract = (name: string, open: OpenConsentStore): void => {
  describe(`${name}, a store of consents`, () => {
    let consents: ConsentStore
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ consents, close } = await open())
    })
    afterEach(() => close())

    test('a consent is found as it was given, by this member and this application only', async () => {
      await consents.give(aConsent())
      expect(await consents.find(HANAKO, 'walking-app')).toStrictEqual(aConsent())
      expect(await consents.find(TARO, 'walking-app')).toBeUndefined()
      expect(await consents.find(HANAKO, 'walking')).toBeUndefined()
    })

    test('what is allowed later is added, and since when stays', async () => {
      await consents.give(aConsent())
      const more = { scopes: ['openid', 'profile'], claims: [], resources: ['urn:other read'] }
      await consents.give(aConsent({ ...more, since: NOW + 9, updatedAt: NOW + 9 }))
      expect(await consents.find(HANAKO, 'walking-app')).toStrictEqual(
        aConsent({
          updatedAt: NOW + 9,
          scopes: ['openid', 'email', 'profile'],
          resources: ['https://api.example.jp steps', 'urn:other read'],
        }),
      )
    })

    test('a member’s are listed, the newest first, and nobody else’s', async () => {
      const newer = aConsent({ clientId: 'diary', since: NOW + 5 })
      await consents.give(aConsent())
      await consents.give(newer)
      await consents.give(aConsent({ memberId: TARO }))
      expect(await consents.list(HANAKO)).toStrictEqual([newer, aConsent()])
    })

    test('one that is withdrawn is gone, once, and given anew it begins anew', async () => {
      await consents.give(aConsent())
      await consents.give(aConsent({ memberId: TARO }))
      expect(await consents.withdraw(HANAKO, 'walking-app')).toBe(true)
      expect(await consents.withdraw(HANAKO, 'walking-app')).toBe(false)
      expect(await consents.find(HANAKO, 'walking-app')).toBeUndefined()
      expect(await consents.find(TARO, 'walking-app')).toBeDefined()
      const anew = aConsent({ since: NOW + 60, updatedAt: NOW + 60, scopes: ['openid'] })
      await consents.give(anew)
      expect(await consents.find(HANAKO, 'walking-app')).toStrictEqual(anew)
    })

    test('of twenty given at once nothing is lost', async () => {
      for (const round of ROUNDS.slice(0, 5)) {
        const clientId = `app-${round}`
        await inParallel((caller) =>
          consents.give(aConsent({ clientId, scopes: ['openid', `scope-${caller}`] })),
        )
        const found = await consents.find(HANAKO, clientId)
        expect(found?.scopes).toHaveLength(21)
      }
    })
  })
}
