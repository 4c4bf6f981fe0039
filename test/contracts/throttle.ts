import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Allowance, Clock, Throttle } from '../../accounts/ports.ts'
import { countInOrder, LIMITS, type LimitId } from '../../accounts/throttle.ts'
import { createSteppedClock, type SteppedClock } from './clock.ts'
import { inParallel, valuesOf } from './rounds.ts'

export type OpenThrottle = (
  options: Readonly<{
    /** What `until` is counted from. */
    clock: Clock
    limits: Readonly<
      Record<LimitId, Readonly<{ points: number; seconds: number; pauseSeconds: number }>>
    >
  }>,
) => Promise<{ throttle: Throttle; close: () => Promise<void> }>

const LIMITS_HERE = {
  ...LIMITS,
  password: { points: 3, seconds: 600, pauseSeconds: 900 },
  birthdate: { points: 5, seconds: 600, pauseSeconds: 900 },
  emailCode: { points: 2, seconds: 2, pauseSeconds: 2 },
  mailCooldown: { points: 1, seconds: 60, pauseSeconds: 0 },
}

/** What every throttle must do. A store's own clock runs in real time, so two tests wait for it. */
export const throttleContract = (name: string, open: OpenThrottle): void => {
  describe(`${name}, a throttle`, () => {
    let clock: SteppedClock
    let throttle: Throttle
    let close: () => Promise<void>
    beforeEach(async () => {
      clock = createSteppedClock()
      ;({ throttle, close } = await open({ clock, limits: LIMITS_HERE }))
    })
    afterEach(() => close())

    const untilAllowed = async (limit: LimitId, key: string): Promise<Allowance> => {
      for (;;) {
        const allowance = await throttle.look(limit, key)
        if (allowance.ok) return allowance
        await sleep(50)
      }
    }

    test('so many attempts are allowed, then none until the pause is over', async () => {
      expect(await throttle.count('password', 'a')).toEqual({ ok: true, left: 2 })
      expect(await throttle.count('password', 'a')).toEqual({ ok: true, left: 1 })
      expect(await throttle.count('password', 'a')).toEqual({ ok: true, left: 0 })
      expect(await throttle.count('password', 'a')).toEqual({ ok: false, until: clock.now() + 900 })
    })

    test('of several limits each is counted until one refuses', async () => {
      const limits = [
        ['password', 'a'],
        ['emailCode', 'b'],
        ['birthdate', 'c'],
      ] as const
      expect(await countInOrder(throttle, limits)).toEqual({ ok: true, left: 1 })
      expect(await countInOrder(throttle, limits)).toEqual({ ok: true, left: 0 })
      expect(await countInOrder(throttle, limits)).toEqual({
        ok: false,
        until: clock.now() + 2,
        limit: 'emailCode',
      })
      expect(await throttle.look('birthdate', 'c')).toEqual({ ok: true, left: 2 })
      expect(await countInOrder(throttle, limits)).toEqual({
        ok: false,
        until: clock.now() + 900,
        limit: 'password',
      })
      expect(await throttle.count('password', 'a')).toEqual({ ok: false, until: clock.now() + 900 })
    })

    test('of twenty parallel counts in order no more pass than the limit allows', async () => {
      const limits = [
        ['birthdate', 'a'],
        ['password', 'a'],
      ] as const
      const allowances = valuesOf(await inParallel(() => countInOrder(throttle, limits)))
      expect(allowances.filter(({ ok }) => ok)).toHaveLength(3)
    })

    test('of twenty parallel attempts at what is allowed once, one passes, fifty times over', async () => {
      for (let round = 0; round < 50; round++) {
        const limits = [
          ['birthdate', `round ${round}`],
          ['emailCodeOnce', `round ${round}`],
        ] as const
        const allowances = valuesOf(await inParallel(() => countInOrder(throttle, limits)))
        expect(allowances).toHaveLength(20)
        expect(allowances.filter(({ ok }) => ok)).toEqual([{ ok: true, left: 0 }])
        expect(await throttle.look('emailCodeOnce', `round ${round}`)).toMatchObject({ ok: false })
      }
    })

    test('looking tells what counting would, and counts nothing', async () => {
      for (const left of [2, 1, 0]) {
        for (let i = 0; i < 5; i++) {
          expect(await throttle.look('password', 'a')).toEqual({ ok: true, left })
        }
        expect(await throttle.count('password', 'a')).toEqual({ ok: true, left })
      }
      const refused = { ok: false, until: clock.now() + 900 }
      expect(await throttle.look('password', 'a')).toEqual(refused)
      expect(await throttle.count('password', 'a')).toEqual(refused)
      expect(await throttle.look('password', 'a')).toMatchObject({ ok: false })
    })

    test('without a pause of its own a limit waits for the rest of its time', async () => {
      await throttle.count('mailCooldown', 'a')
      const looked = await throttle.look('mailCooldown', 'a')
      const counted = await throttle.count('mailCooldown', 'a')
      for (const allowance of [looked, counted]) {
        if (allowance.ok) throw new Error('allowed a second time')
        expect(allowance.until).toBeGreaterThan(clock.now())
        expect(allowance.until).toBeLessThanOrEqual(clock.now() + 60)
      }
    })

    test('keys and limits are counted apart, and keys as they are given', async () => {
      const keys = ['a', 'A', 'a ', 'ａ', 'a:b', "';--"]
      for (const key of keys) {
        for (const left of [2, 1, 0]) {
          expect(await throttle.count('password', key)).toEqual({ ok: true, left })
        }
      }
      expect(await throttle.count('birthdate', 'a')).toEqual({ ok: true, left: 4 })
    })

    test('a success forgets what was counted for that key only, a running pause too', async () => {
      for (let i = 0; i < 4; i++) await throttle.count('password', 'a')
      await throttle.count('password', 'b')
      await throttle.count('birthdate', 'a')
      await throttle.forget('password', 'a')
      await throttle.forget('password', 'never counted')
      expect(await throttle.count('password', 'a')).toEqual({ ok: true, left: 2 })
      expect(await throttle.count('password', 'b')).toEqual({ ok: true, left: 1 })
      expect(await throttle.count('birthdate', 'a')).toEqual({ ok: true, left: 3 })
    })

    test('of twenty parallel attempts no more than permitted pass, fifty times over', async () => {
      for (let round = 0; round < 50; round++) {
        const outcomes = valuesOf(
          await inParallel(() => throttle.count('birthdate', `round ${round}`)),
        )
        expect(outcomes).toHaveLength(20)
        const left = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.left] : []))
        expect(left.sort()).toEqual([0, 1, 2, 3, 4])
      }
    })

    test('attempts made during the pause do not prolong it', async () => {
      for (let i = 0; i < 3; i++) await throttle.count('emailCode', 'a')
      const outcomes: boolean[] = []
      while ((await throttle.count('emailCode', 'a')).ok === false) {
        outcomes.push(false)
        await sleep(100)
      }
      expect(outcomes).not.toEqual([])
      expect(await throttle.look('emailCode', 'a')).toMatchObject({ ok: true })
    })

    test('attempts far enough apart are counted anew', async () => {
      await throttle.count('emailCode', 'a')
      await throttle.count('emailCode', 'a')
      expect(await throttle.look('emailCode', 'a')).toMatchObject({ ok: false })
      expect(await untilAllowed('emailCode', 'a')).toEqual({ ok: true, left: 1 })
      expect(await throttle.count('emailCode', 'a')).toEqual({ ok: true, left: 1 })
    })
  })
}
