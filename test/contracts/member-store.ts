import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import {
  DuplicateCredentialError,
  DuplicateLoginIdError,
  StaleMemberError,
} from '../../accounts/errors.ts'
import { changePassword, type Member, type MemberId, verifyEmail } from '../../accounts/member.ts'
import type { MemberStore } from '../../accounts/ports.ts'
import { aMember } from './members.ts'
import { inParallel, ROUNDS, reasonsOf, valuesOf } from './rounds.ts'

export type OpenMemberStore = () => Promise<{ store: MemberStore; close: () => Promise<void> }>

const NOW = 1_800_000_000

const aFullMember = () =>
  aMember({
    insured: { symbol: '髙﨑', number: '𠮷12' },
    profile: {
      name: '髙﨑 花子',
      'name#ja-Kana-JP': 'タカサキ ハナコ',
      phone_number: '+81312345678',
      phone_number_verified: false,
      address: { postal_code: '100-0001', country: 'JP' },
      updated_at: NOW,
    },
    email: { address: "o'neil+社@example.jp", verifiedAt: NOW },
    password: { hash: 'h', initial: 'derived', initialExpiresAt: NOW + 9, changedAt: NOW },
    birthdateConfirmedAt: NOW,
    acceptedTerms: [{ version: '2026-10', textHash: 'aGFzaA', at: NOW, clientId: 'portal' }],
    chosenFactor: 'passkey',
    credentials: [
      {
        id: 'c1',
        factor: 'passkey',
        label: 'iPhone "花子"\n',
        registeredAt: NOW,
        data: {
          counter: 0,
          transports: ['internal', 'hybrid'],
          nested: { backedUp: true },
          none: null,
        },
      },
    ],
    enrolledAt: NOW,
    blocked: {
      reason: 'disabled',
      since: NOW + 1,
      under: { reason: 'emailChangeUndone', since: NOW },
    },
  })

/** What every member store must do. */
export const memberStoreContract = (name: string, open: OpenMemberStore): void => {
  describe(`${name}, a member store`, () => {
    let store: MemberStore
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ store, close } = await open())
    })
    afterEach(() => close())

    test('a new member is at revision 1 and is found by ID and by login ID', async () => {
      const saved = await store.save(aMember())
      expect(saved).toEqual({ ...aMember(), revision: 1 })
      expect(await store.findById(saved.id)).toEqual(saved)
      expect(await store.findByLoginId('kita', 'A-0001')).toEqual(saved)
    })

    test('an unknown member is undefined', async () => {
      await store.save(aMember())
      expect(await store.findById('nobody' as MemberId)).toBeUndefined()
      expect(await store.findByLoginId('kita', 'A-0002')).toBeUndefined()
    })

    test('everybody of a society comes once, by login ID, and nobody of another', async () => {
      const COUNT = 1203
      const number = (n: number) => String(n).padStart(4, '0')
      for (let n = COUNT; n > 0; n -= 1) {
        await store.save(aMember({ id: `m${n}`, loginId: `A-${number(n)}` }))
      }
      await store.save(aMember({ id: 'other', societyId: 'minami' }))
      const loginIds: string[] = []
      for await (const { loginId } of store.ofSociety('kita')) loginIds.push(loginId)
      expect(loginIds).toEqual(Array.from({ length: COUNT }, (_, n) => `A-${number(n + 1)}`))
    })

    test('every field comes back as it was saved', async () => {
      const saved = await store.save(aFullMember())
      expect(await store.findById(saved.id)).toStrictEqual({ ...aFullMember(), revision: 1 })
    })

    test('a field taken away stays away', async () => {
      const { email: _, chosenFactor: __, ...rest } = await store.save(aFullMember())
      await store.save(rest)
      expect(await store.findById(rest.id)).toStrictEqual({ ...rest, revision: 2 })
    })

    test('a change made to a found member does not reach the store unsaved', async () => {
      const saved = await store.save(aFullMember())
      const found = (await store.findById(saved.id)) as { password: { hash: string } }
      found.password.hash = 'changed'
      expect((await store.findById(saved.id))?.password.hash).toBe('h')
    })

    test('a login ID is found by any spelling of it', async () => {
      const { id } = await store.save(aMember({ loginId: 'Ab-0001' }))
      for (const spelling of ['ab-0001', 'AB-0001', 'Ａｂ－０００１', ' Ab−0001 ', 'ABー0001']) {
        expect((await store.findByLoginId('kita', spelling))?.id).toBe(id)
      }
    })

    describe('by a proven address', () => {
      const proven = (id: string, address: string, more: object = {}) =>
        store.save(aMember({ id, loginId: id, email: { address, verifiedAt: NOW }, ...more }))
      const idsAt = async (address: string, society = 'kita') =>
        (await store.findByVerifiedEmail(society, address)).map(({ id }) => id)

      test('all of a family that shares a mailbox are found, by login ID', async () => {
        await proven('b-2', 'ie@example.jp')
        await proven('a-1', 'ie@example.jp')
        await proven('c-3', 'other@example.jp')
        await proven('d-4', 'ie@example.jp', { societyId: 'minami' })
        expect(await idsAt('ie@example.jp')).toEqual(['a-1', 'b-2'])
        expect(await idsAt('ie@example.jp', 'minami')).toEqual(['d-4'])
        expect(await idsAt('nobody@example.jp')).toEqual([])
      })

      test('a member comes back whole', async () => {
        const saved = await store.save(aFullMember())
        expect(await store.findByVerifiedEmail('kita', "o'neil+社@example.jp")).toEqual([saved])
      })

      test('the domain knows no case, the part before it does', async () => {
        await proven('a-1', 'Hanako@Example.JP')
        expect(await idsAt('Hanako@eXample.jp')).toEqual(['a-1'])
        expect(await idsAt('hanako@example.jp')).toEqual([])
      })

      test('an address on file that nobody has proven is nobody’s', async () => {
        await store.save(aMember({ email: { address: 'ie@example.jp' } }))
        expect(await idsAt('ie@example.jp')).toEqual([])
      })

      test('a changed address is found by the new one only', async () => {
        const member = await proven('a-1', 'old@example.jp')
        await store.save(verifyEmail(member, 'new@example.jp', NOW))
        expect(await idsAt('old@example.jp')).toEqual([])
        expect(await idsAt('new@example.jp')).toEqual(['a-1'])
      })
    })

    test('a login ID taken in the society is refused, in another spelling too', async () => {
      await store.save(aMember({ loginId: 'Ab-0001' }))
      for (const loginId of ['Ab-0001', 'aＢ－０００１']) {
        await expect(store.save(aMember({ id: 'member-2', loginId }))).rejects.toThrow(
          DuplicateLoginIdError,
        )
      }
      expect(await store.findById('member-2' as MemberId)).toBeUndefined()
    })

    test('another society may have the same login ID', async () => {
      const kita = await store.save(aMember())
      const minami = await store.save(aMember({ id: 'member-2', societyId: 'minami' }))
      expect((await store.findByLoginId('kita', 'A-0001'))?.id).toBe(kita.id)
      expect((await store.findByLoginId('minami', 'A-0001'))?.id).toBe(minami.id)
    })

    test('a member cannot be renamed to a login ID that is taken, and keeps the old one', async () => {
      await store.save(aMember())
      const second = await store.save(aMember({ id: 'member-2', loginId: 'A-0002' }))
      await expect(store.save({ ...second, loginId: 'a-0001' })).rejects.toThrow(
        DuplicateLoginIdError,
      )
      expect(await store.findByLoginId('kita', 'A-0002')).toEqual(second)
    })

    test('a renamed member is found by the new login ID only, and the old one is free', async () => {
      const first = await store.save(aMember())
      await store.save({ ...first, loginId: 'B-0001' })
      expect((await store.findByLoginId('kita', 'b-0001'))?.revision).toBe(2)
      expect(await store.findByLoginId('kita', 'A-0001')).toBeUndefined()
      await store.save(aMember({ id: 'member-2' }))
    })

    const withPasskey = (member: Member, id: string): Member => ({
      ...member,
      credentials: [{ id, factor: 'passkey', registeredAt: NOW, data: {} }],
    })

    test('a passkey of one member is no other member’s, until it is removed', async () => {
      const first = await store.save(withPasskey(aMember({ id: 'p1', loginId: 'p-1' }), 'key'))
      const second = await store.save(aMember({ id: 'p2', loginId: 'p-2' }))
      await expect(store.save(withPasskey(second, 'key'))).rejects.toThrow(DuplicateCredentialError)
      expect(await store.findById(second.id)).toEqual(second)
      const without = await store.save({ ...first, credentials: [] })
      expect((await store.save(withPasskey(second, 'key'))).credentials).toHaveLength(1)
      await expect(store.save(withPasskey(without, 'key'))).rejects.toThrow(
        DuplicateCredentialError,
      )
    })

    test('of two changes made to one revision the second is refused and changes nothing', async () => {
      const loaded = await store.save(aMember())
      const first = await store.save(verifyEmail(loaded, 'hanako@example.jp', NOW))
      await expect(store.save(changePassword(loaded, 'stolen', NOW))).rejects.toThrow(
        StaleMemberError,
      )
      expect(await store.findById(loaded.id)).toEqual(first)
    })

    test('a revision that the store has not reached is refused', async () => {
      const saved = await store.save(aMember())
      await expect(store.save({ ...saved, revision: 5 })).rejects.toThrow(StaleMemberError)
      await expect(store.save(aMember({ id: 'nobody', revision: 3 }))).rejects.toThrow(
        StaleMemberError,
      )
    })

    test('a member who exists is not inserted again', async () => {
      const saved = await store.save(aMember())
      await expect(store.save(aMember())).rejects.toThrow(StaleMemberError)
      await expect(store.save(aMember({ loginId: 'A-0009' }))).rejects.toThrow(StaleMemberError)
      expect(await store.findById(saved.id)).toEqual(saved)
    })

    test('of twenty parallel changes to one revision one is saved, fifty times over', async () => {
      let member = await store.save(aMember())
      for (const round of ROUNDS) {
        const outcomes = await inParallel((caller) =>
          store.save(changePassword(member, `${round}-${caller}`, NOW)),
        )
        const [saved, ...more] = valuesOf(outcomes)
        expect(more).toEqual([])
        expect(reasonsOf(outcomes).every((reason) => reason instanceof StaleMemberError)).toBe(true)
        expect(await store.findById(member.id)).toEqual(saved)
        member = saved!
      }
      expect(member.revision).toBe(ROUNDS.length + 1)
    })

    test('of twenty parallel members with one login ID one is saved, fifty times over', async () => {
      for (const round of ROUNDS) {
        const loginId = `R-${round}`
        const outcomes = await inParallel((caller) =>
          store.save(aMember({ id: `m-${round}-${caller}`, loginId })),
        )
        const [saved, ...more] = valuesOf(outcomes)
        expect(more).toEqual([])
        expect(reasonsOf(outcomes).every((r) => r instanceof DuplicateLoginIdError)).toBe(true)
        expect(await store.findByLoginId('kita', loginId)).toEqual(saved)
      }
    })
  })
}
