import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { MemberId } from '../../accounts/member.ts'
import type { SessionIndex } from '../../accounts/ports.ts'
import type { SessionRecord } from '../../accounts/sign-ins.ts'

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

    test('a removed session is gone; removing nothing is no fault', async () => {
      await index.see(aSession())
      await index.remove('session-1')
      await index.remove('session-1')
      expect(await index.list(HANAKO)).toEqual([])
    })
  })
}
