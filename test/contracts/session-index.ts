import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { MemberId } from '../../accounts/member.ts'
import type { SessionIndex } from '../../accounts/ports.ts'
import type { SessionRecord } from '../../accounts/sign-ins.ts'
import { inParallel, ROUNDS, valuesOf } from './rounds.ts'

export type OpenSessionIndex = () => Promise<{ index: SessionIndex; close: () => Promise<void> }>

const NOW = 1_800_000_000
const HANAKO = 'hanako' as MemberId

const aSession = (fields: Partial<SessionRecord> = {}): SessionRecord => ({
  uid: 'session-1',
  memberId: HANAKO,
  device: 'Chrome・Windows',
  since: NOW,
  seenAt: NOW,
  grantIds: ['grant-1'],
  sids: { portal: 'sid-1' },
  endsAt: NOW + 1800,
  ...fields,
})

/** What every index of sessions must do. */
export const sessionIndexContract = (name: string, open: OpenSessionIndex): void => {
  describe(`${name}, an index of sessions`, () => {
    let index: SessionIndex
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ index, close } = await open())
    })
    afterEach(() => close())

    test('a session seen is listed for its member, the last used first', async () => {
      const later = aSession({ uid: 'session-2', seenAt: NOW + 90 })
      await index.see(aSession())
      await index.see(later)
      await index.see(aSession({ uid: 'session-3', memberId: 'taro' as MemberId }))
      expect(await index.list(HANAKO)).toStrictEqual([later, aSession()])
    })

    test('its use is known to the minute', async () => {
      await index.see(aSession())
      await index.see(aSession({ seenAt: NOW + 59 }))
      expect((await index.list(HANAKO))[0]?.seenAt).toBeGreaterThanOrEqual(NOW)
      await index.see(aSession({ seenAt: NOW + 60 }))
      expect((await index.list(HANAKO))[0]?.seenAt).toBe(NOW + 60)
    })

    test('every grant is remembered that it was ever seen with, at once', async () => {
      await index.see(aSession())
      await index.see(aSession({ grantIds: ['grant-2'], seenAt: NOW + 1 }))
      await index.see(aSession({ grantIds: [], seenAt: NOW + 200 }))
      expect((await index.list(HANAKO))[0]?.grantIds).toEqual(['grant-1', 'grant-2'])
    })

    test('a new sign-in in the same session is told', async () => {
      await index.see(aSession())
      await index.see(aSession({ since: NOW + 5, seenAt: NOW + 5 }))
      expect((await index.list(HANAKO))[0]?.since).toBe(NOW + 5)
    })

    test('a session that another member took over is theirs alone, without the first one’s grants', async () => {
      const theirs = aSession({ memberId: 'taro' as MemberId, grantIds: ['grant-9'] })
      await index.see(aSession())
      await index.see(theirs)
      expect(await index.list(HANAKO)).toEqual([])
      expect(await index.list('taro' as MemberId)).toStrictEqual([theirs])
    })

    test('every relying party’s sid is remembered, and none twice', async () => {
      await index.see(aSession())
      await index.see(aSession({ sids: { points: 'sid-2' }, seenAt: NOW + 1 }))
      await index.see(aSession({ sids: { portal: 'sid-3' }, seenAt: NOW + 2 }))
      expect((await index.list(HANAKO))[0]?.sids).toEqual({ portal: 'sid-3', points: 'sid-2' })
    })

    test('its end moves on with its use and never back', async () => {
      await index.see(aSession())
      await index.see(aSession({ seenAt: NOW + 90, endsAt: NOW + 1890 }))
      await index.see(aSession({ seenAt: NOW + 180, endsAt: NOW + 100 }))
      expect((await index.list(HANAKO))[0]?.endsAt).toBe(NOW + 1890)
    })

    const claimed = async (now: number, limit = 10, leaseSeconds = 60) =>
      (await index.claimEnded(now, limit, leaseSeconds)).map(({ uid }) => uid)

    test('a session is handed out when its end has come, as it was seen', async () => {
      await index.see(aSession())
      expect(await claimed(NOW + 1799)).toEqual([])
      expect(await index.claimEnded(NOW + 1800, 10, 60)).toStrictEqual([aSession()])
    })

    test('of ended sessions the soonest comes first, and no more than asked for', async () => {
      await index.see(aSession({ uid: 'second', endsAt: NOW + 20 }))
      await index.see(aSession({ uid: 'first', endsAt: NOW + 10 }))
      await index.see(aSession({ uid: 'third', endsAt: NOW + 30 }))
      expect(await claimed(NOW + 30, 2)).toEqual(['first', 'second'])
      expect(await claimed(NOW + 30, 2)).toEqual(['third'])
    })

    test('an ended session whose caller died is handed out again after the lease', async () => {
      await index.see(aSession())
      await index.claimEnded(NOW + 1800, 10, 60)
      expect(await claimed(NOW + 1859)).toEqual([])
      expect(await claimed(NOW + 1860)).toEqual(['session-1'])
    })

    test('a session that goes on after all is handed out at its later end', async () => {
      await index.see(aSession())
      await index.claimEnded(NOW + 1800, 10, 60)
      await index.see(aSession({ endsAt: NOW + 1900 }))
      expect(await claimed(NOW + 1899)).toEqual([])
      expect(await claimed(NOW + 1900)).toEqual(['session-1'])
    })

    test('a settled session is handed out no more; its sids are forgotten, its grants are not', async () => {
      await index.see(aSession())
      await index.claimEnded(NOW + 1800, 10, 60)
      await index.settle('session-1', NOW + 1800)
      await index.settle('nothing', NOW)
      expect(await claimed(NOW + 9999)).toEqual([])
      expect(await index.list(HANAKO)).toStrictEqual([aSession({ sids: {} })])
    })

    test('a session used since is not settled by who thought it over', async () => {
      await index.see(aSession())
      await index.claimEnded(NOW + 1800, 10, 60)
      await index.see(aSession({ seenAt: NOW + 1801, endsAt: NOW + 3601 }))
      await index.settle('session-1', NOW + 1800)
      expect(await claimed(NOW + 3601)).toEqual(['session-1'])
    })

    test('a settled session that is seen again with a relying party is handed out again', async () => {
      await index.see(aSession())
      await index.settle('session-1', NOW + 1800)
      await index.see(aSession({ seenAt: NOW + 1 }))
      expect(await claimed(NOW + 1800)).toEqual(['session-1'])
    })

    test('twenty parallel callers get each ended session once, fifty times over', async () => {
      for (const round of ROUNDS) {
        const uids = Array.from({ length: 7 }, (_, count) => `${round}-${count}`)
        for (const uid of uids) await index.see(aSession({ uid }))
        const handedOut = valuesOf(await inParallel(() => claimed(NOW + 1800, 2)))
        expect(handedOut).toHaveLength(20)
        expect(handedOut.flat().sort()).toEqual(uids)
        for (const uid of uids) await index.remove(uid)
      }
    })

    test('a removed session is gone; removing nothing is no fault', async () => {
      await index.see(aSession())
      await index.remove('session-1')
      await index.remove('session-1')
      expect(await index.list(HANAKO)).toEqual([])
    })
  })
}
