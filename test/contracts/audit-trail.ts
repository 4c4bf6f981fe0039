import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { MemberId } from '../../accounts/member.ts'
import type { AuditEvent, AuditTrail } from '../../accounts/ports.ts'
import { inParallel } from './rounds.ts'

export type OpenAuditTrail = () => Promise<{ audit: AuditTrail; close: () => Promise<void> }>

const NOW = 1_800_000_000

const anEvent = (over: Partial<AuditEvent> = {}): AuditEvent => ({
  id: 'event-1',
  at: NOW,
  act: 'deskPassIssued',
  societyId: 'kita',
  memberId: 'member-1' as MemberId,
  operator: '山田 "花子"\n',
  facts: { minutes: '60' },
  ...over,
})

/** What every audit trail must do. */
export const auditTrailContract = (name: string, open: OpenAuditTrail): void => {
  describe(`${name}, an audit trail`, () => {
    let audit: AuditTrail
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ audit, close } = await open())
    })
    afterEach(() => close())

    test('an event comes back as it was appended, to its own member', async () => {
      await audit.append(anEvent())
      expect(await audit.eventsOf('member-1' as MemberId)).toStrictEqual([anEvent()])
      expect(await audit.eventsOf('member-2' as MemberId)).toEqual([])
    })

    test('events are told in the order they happened, within one second too', async () => {
      const ids = ['b', 'a', 'c']
      for (const id of ids) await audit.append(anEvent({ id }))
      const told = await audit.eventsOf('member-1' as MemberId)
      expect(told.map(({ id }) => id)).toEqual(ids)
    })

    test('an act of the member’s own names no operator', async () => {
      const { operator: _, ...event } = anEvent({ act: 'deskPassUsed', facts: {} })
      await audit.append(event)
      expect(await audit.eventsOf('member-1' as MemberId)).toStrictEqual([event])
    })

    test('an event told by twenty at once is kept once, as it was first told', async () => {
      await audit.append(anEvent())
      const outcomes = await inParallel((caller) => audit.append(anEvent({ at: NOW + caller })))
      expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true)
      expect(await audit.eventsOf('member-1' as MemberId)).toEqual([anEvent()])
    })
  })
}
