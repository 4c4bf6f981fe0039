import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { AuditTrail } from '../../accounts/ports.ts'
import type { EncryptionKey } from '../../factors/seal.ts'
import { createSigningKeys, KeysRefusedError } from '../../keys/index.ts'
import type { MakeKey } from '../../keys/make.ts'
import { type KeyRingStore, LEAD_SECONDS, SPREAD_SECONDS } from '../../keys/ring.ts'
import { aClock, type TestClock } from '../support/clock.ts'
import { keysMadeBefore } from '../support/made-keys.ts'

export type OpenKeyStores = () => Promise<{
  store: KeyRingStore
  audit: AuditTrail
  close: () => Promise<void>
}>

/** What every store of the signing keys must do, seen through what keeps them there. */
export const keyRingContract = (name: string, open: OpenKeyStores): void => {
  describe(`${name}, a store of signing keys`, () => {
    const encryptionKeys: readonly EncryptionKey[] = [{ id: 'one', key: randomBytes(32) }]
    let clock: TestClock
    let make: MakeKey
    let stores: Awaited<ReturnType<OpenKeyStores>>
    beforeEach(async () => {
      clock = aClock()
      make = keysMadeBefore()
      stores = await open()
    })
    afterEach(() => stores.close())

    const anInstance = (keys = encryptionKeys) =>
      createSigningKeys({ ...stores, encryptionKeys: keys, clock, randomBytes, make })

    test('servers that start at once make one set of keys, one for each algorithm', async () => {
      const found = await Promise.all([1, 2, 3, 4].map(() => anInstance().obtain()))
      expect(found.filter(({ made }) => made)).toHaveLength(1)
      const [first] = found
      for (const { ring } of found) expect(ring).toEqual(first?.ring)
      const keys = anInstance().open(first!.ring, clock.now())
      expect(keys.map(({ alg, kty, use }) => [alg, kty, use])).toEqual([
        ['ES256', 'EC', 'sig'],
        ['RS256', 'RSA', 'sig'],
        ['PS256', 'RSA', 'sig'],
      ])
      expect(new Set(keys.map(({ kid }) => kid)).size).toBe(3)
    })

    test('keys are sealed at rest, each for its own place', async () => {
      const { ring } = await anInstance().obtain()
      const [one, other] = ring.keys
      const [jwk] = anInstance().open(ring, clock.now())
      expect(JSON.stringify(await stores.store.list())).not.toContain(String(jwk?.d))
      const swapped = { ...ring, keys: [{ ...one!, sealed: other!.sealed }] }
      expect(() => anInstance().open(swapped, clock.now())).toThrow('unreadable_secret')
      const strange = anInstance([{ id: 'two', key: randomBytes(32) }])
      expect(() => strange.open(ring, clock.now())).toThrow('unreadable_secret')
      // Whoever has lost the encryption keys begins anew.
      const anew = await strange.revoke('alice')
      expect(strange.open(anew, clock.now())).toHaveLength(3)
    })

    test('of two rotations at once one takes place, and a second waits until it is over', async () => {
      await anInstance().obtain()
      const both = await Promise.allSettled([
        anInstance().rotate('alice'),
        anInstance().rotate('bob'),
      ])
      expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      await expect(anInstance().rotate('carol')).rejects.toThrow(KeysRefusedError)
      expect((await anInstance().find())?.keys).toHaveLength(6)
      await clock.advance(LEAD_SECONDS)
      expect((await anInstance().rotate('carol')).keys).toHaveLength(9)
      const told = await stores.audit.eventsOf('signing-keys')
      expect(told.map(({ act }) => act)).toEqual(['signingKeysRotated', 'signingKeysRotated'])
    })

    test('revoked keys are taken out for good, whichever server is first', async () => {
      const { ring } = await anInstance().obtain()
      await anInstance().revoke('alice')
      await clock.advance(SPREAD_SECONDS)
      const found = (await anInstance().find())!
      await Promise.all([1, 2, 3].map(() => anInstance().tidy(found)))
      const left = (await anInstance().find())!
      expect(left.keys).toHaveLength(3)
      const former = new Set(ring.keys.map(({ kid }) => kid))
      expect(left.keys.filter(({ kid }) => former.has(kid))).toEqual([])
    })
  })
}
