import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { MailRequest, Outbox } from '../../accounts/ports.ts'
import { inParallel, ROUNDS, valuesOf } from './rounds.ts'

export type OpenOutbox = () => Promise<{ outbox: Outbox; close: () => Promise<void> }>

const NOW = 1_800_000_000

const aMail = (fields: Partial<MailRequest> = {}): MailRequest => ({
  id: 'mail-1',
  to: 'hanako@example.jp',
  template: 'signInCode',
  locale: 'ja',
  societyId: 'kita',
  challengeId: 'challenge-1',
  facts: { device: '花子の"iPhone"' },
  requestedAt: NOW,
  expiresAt: NOW + 600,
  ...fields,
})

/** What every outbox must do. */
export const outboxContract = (name: string, open: OpenOutbox): void => {
  describe(`${name}, an outbox`, () => {
    let outbox: Outbox
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ outbox, close } = await open())
    })
    afterEach(() => close())
    const claimedIds = async (now: number, limit = 10, leaseSeconds = 60) =>
      (await outbox.claim(now, limit, leaseSeconds)).map(({ item }) => item.id)

    test('a mail added is queued and handed out as it was added', async () => {
      await outbox.add(aMail())
      expect(await outbox.stateOf('mail-1')).toBe('queued')
      expect(await outbox.claim(NOW, 10, 60)).toStrictEqual([{ item: aMail(), attempts: 1 }])
      expect(await outbox.stateOf('mail-1')).toBe('queued')
    })

    test('an unknown mail has no state, and reporting on it changes nothing', async () => {
      await outbox.sent('nothing', NOW)
      await outbox.failed('nothing', NOW)
      await outbox.retry('nothing', NOW)
      expect(await outbox.stateOf('nothing')).toBeUndefined()
      expect(await claimedIds(NOW)).toEqual([])
    })

    test('a mail added twice is one mail, the first', async () => {
      await outbox.add(aMail())
      await outbox.add(aMail({ to: 'taro@example.jp' }))
      expect(await outbox.claim(NOW, 10, 60)).toEqual([{ item: aMail(), attempts: 1 }])
    })

    test('a mail sent is not sent again, nor queued again by adding it again', async () => {
      await outbox.add(aMail())
      await outbox.claim(NOW, 10, 60)
      expect(await outbox.count()).toBe(1)
      await outbox.sent('mail-1', NOW + 1)
      expect(await outbox.count()).toBe(0)
      await outbox.add(aMail())
      expect(await outbox.stateOf('mail-1')).toBe('sent')
      expect(await claimedIds(NOW + 120)).toEqual([])
    })

    test('a mail given up is not handed out again', async () => {
      await outbox.add(aMail())
      await outbox.claim(NOW, 10, 60)
      await outbox.failed('mail-1', NOW + 1)
      expect(await outbox.stateOf('mail-1')).toBe('failed')
      expect(await claimedIds(NOW + 120)).toEqual([])
    })

    test('a late report does not undo an earlier success', async () => {
      await outbox.add(aMail())
      await outbox.claim(NOW, 10, 60)
      await outbox.sent('mail-1', NOW + 1)
      await outbox.failed('mail-1', NOW + 2)
      await outbox.retry('mail-1', NOW + 2)
      expect(await outbox.stateOf('mail-1')).toBe('sent')
      expect(await claimedIds(NOW + 120)).toEqual([])
    })

    test('a claimed mail whose sender died is handed out again after the lease', async () => {
      await outbox.add(aMail())
      await outbox.claim(NOW, 10, 60)
      expect(await outbox.claim(NOW + 59, 10, 60)).toEqual([])
      expect(await outbox.claim(NOW + 60, 10, 60)).toEqual([{ item: aMail(), attempts: 2 }])
    })

    test('a mail to be tried again waits until then', async () => {
      await outbox.add(aMail())
      await outbox.claim(NOW, 10, 60)
      await outbox.retry('mail-1', NOW + 30)
      expect(await claimedIds(NOW + 29)).toEqual([])
      expect(await outbox.claim(NOW + 30, 10, 60)).toEqual([{ item: aMail(), attempts: 2 }])
    })

    test('the soonest due comes first, and of equals the one added first', async () => {
      await outbox.add(aMail({ id: 'z', requestedAt: NOW - 1 }))
      await outbox.add(aMail({ id: 'y', requestedAt: NOW - 1 }))
      await outbox.add(aMail({ id: 'x', requestedAt: NOW - 2 }))
      expect(await claimedIds(NOW, 2)).toEqual(['x', 'z'])
      expect(await claimedIds(NOW, 2)).toEqual(['y'])
    })

    test('a mail asked for later than now is not due', async () => {
      await outbox.add(aMail({ requestedAt: NOW + 5 }))
      expect(await claimedIds(NOW + 4)).toEqual([])
      expect(await claimedIds(NOW + 5)).toEqual(['mail-1'])
    })

    test('a mail no longer worth sending is given up and not handed out', async () => {
      await outbox.add(aMail({ expiresAt: NOW + 10 }))
      expect(await claimedIds(NOW + 10)).toEqual([])
      expect(await outbox.stateOf('mail-1')).toBe('failed')
    })

    test('each mail given up for its age is told to one caller, as it was added', async () => {
      await outbox.add(aMail({ id: 'tried', expiresAt: NOW + 10 }))
      await outbox.claim(NOW, 10, 5)
      await outbox.add(aMail({ id: 'never tried', expiresAt: NOW + 10 }))
      await outbox.add(aMail({ id: 'in time', expiresAt: NOW + 11 }))
      const told: string[] = []
      const tell = ({ id, template }: MailRequest, attempts: number) =>
        void told.push(`${id} ${template} ${attempts}`)
      const rounds = await inParallel(() => outbox.claim(NOW + 10, 10, 60, tell))
      const handedOut = valuesOf(rounds).flat()
      expect(handedOut.map(({ item }) => item.id)).toEqual(['in time'])
      expect(told.sort()).toEqual(['never tried signInCode 0', 'tried signInCode 1'])
    })

    test('twenty parallel senders get each mail once, fifty times over', async () => {
      for (const round of ROUNDS) {
        const ids = Array.from({ length: 7 }, (_, index) => `${round}-${index}`)
        for (const id of ids) await outbox.add(aMail({ id }))
        const handedOut = valuesOf(await inParallel(() => claimedIds(NOW, 2)))
        expect(handedOut).toHaveLength(20)
        expect(handedOut.flat().sort()).toEqual(ids)
      }
    })
  })
}
