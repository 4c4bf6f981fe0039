import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { Clock, TransientStore } from '../../accounts/ports.ts'
import { createSteppedClock, type SteppedClock } from './clock.ts'
import { inParallel, ROUNDS, valuesOf } from './rounds.ts'

export type OpenTransientStore = (
  options: Readonly<{ clock: Clock }>,
) => Promise<{ store: TransientStore; close: () => Promise<void> }>

const VALUE = {
  proofs: [{ factor: 'password', at: 1 }],
  text: '髙﨑𠮷\r\n"',
  no: false,
  none: null,
}

/** What every transient store must do. */
export const transientStoreContract = (name: string, open: OpenTransientStore): void => {
  describe(`${name}, a transient store`, () => {
    let clock: SteppedClock
    let store: TransientStore
    let close: () => Promise<void>
    beforeEach(async () => {
      clock = createSteppedClock()
      ;({ store, close } = await open({ clock }))
    })
    afterEach(() => close())

    test('a value comes back as it was put, as often as it is read', async () => {
      await store.put('flow:1', VALUE, 60)
      expect(await store.get('flow:1')).toStrictEqual(VALUE)
      expect(await store.get('flow:1')).toStrictEqual(VALUE)
    })

    test.each([[false], [0], [''], [null], [[]], [{}]])(
      '%j is a value like any other',
      async (v) => {
        await store.put('key', v, 60)
        expect(await store.get('key')).toStrictEqual(v)
        expect(await store.replace('key', undefined, 'new', 60)).toBe(false)
        expect(await store.take('key')).toStrictEqual(v)
      },
    )

    test('an unknown key is undefined', async () => {
      await store.put('flow:1', VALUE, 60)
      expect(await store.get('flow:2')).toBeUndefined()
      expect(await store.take('FLOW:1')).toBeUndefined()
    })

    test('a second put takes the place of the first and of its end', async () => {
      await store.put('key', 'old', 10)
      await store.put('key', 'new', 100)
      await clock.advance(50)
      expect(await store.get('key')).toBe('new')
    })

    test('a value is there until its time is over and not after', async () => {
      await store.put('key', VALUE, 60)
      await clock.advance(59)
      expect(await store.get('key')).toStrictEqual(VALUE)
      await clock.advance(1)
      expect(await store.get('key')).toBeUndefined()
      expect(await store.take('key')).toBeUndefined()
      expect(await store.replace('key', VALUE, 'new', 60)).toBe(false)
      expect(await store.get('key')).toBeUndefined()
    })

    test('a value put with no time left is never there', async () => {
      await store.put('key', VALUE, 0)
      expect(await store.get('key')).toBeUndefined()
      await store.put('key', VALUE, -5)
      expect(await store.take('key')).toBeUndefined()
    })

    test('a value taken is gone', async () => {
      await store.put('key', VALUE, 60)
      expect(await store.take('key')).toStrictEqual(VALUE)
      expect(await store.take('key')).toBeUndefined()
      expect(await store.get('key')).toBeUndefined()
    })

    test('a value is replaced only while it is the one expected', async () => {
      await store.put('key', { tries: 1 }, 60)
      expect(await store.replace('key', { tries: 2 }, { tries: 3 }, 60)).toBe(false)
      expect(await store.get('key')).toEqual({ tries: 1 })
      expect(await store.replace('key', { tries: 1 }, { tries: 2 }, 120)).toBe(true)
      await clock.advance(100)
      expect(await store.get('key')).toEqual({ tries: 2 })
    })

    test('what was read can be named as the value expected', async () => {
      await store.put('key', VALUE, 60)
      expect(await store.replace('key', await store.get('key'), 'new', 60)).toBe(true)
    })

    test('a value is written where none is expected only while there is none', async () => {
      expect(await store.replace('key', undefined, 'first', 60)).toBe(true)
      expect(await store.replace('key', undefined, 'second', 60)).toBe(false)
      expect(await store.get('key')).toBe('first')
      await clock.advance(60)
      expect(await store.replace('key', undefined, 'third', 60)).toBe(true)
      expect(await store.get('key')).toBe('third')
    })

    test('a key that is not there is not replaced', async () => {
      expect(await store.replace('key', 'old', 'new', 60)).toBe(false)
      expect(await store.get('key')).toBeUndefined()
    })

    test('of twenty parallel callers one takes the value, fifty times over', async () => {
      for (const round of ROUNDS) {
        await store.put(`code:${round}`, round, 60)
        const taken = valuesOf(await inParallel(() => store.take(`code:${round}`)))
        expect(taken).toHaveLength(20)
        expect(taken.filter((value) => value !== undefined)).toEqual([round])
      }
    })

    test('of twenty parallel callers one replaces the value, fifty times over', async () => {
      for (const round of ROUNDS) {
        const key = `flow:${round}`
        for (const previous of [undefined, 'a']) {
          if (previous !== undefined) await store.put(key, previous, 60)
          const outcomes = await inParallel(async (caller) => ({
            caller,
            written: await store.replace(key, previous, { caller }, 60),
          }))
          const values = valuesOf(outcomes)
          expect(values).toHaveLength(20)
          const winners = values.filter(({ written }) => written)
          expect(winners).toHaveLength(1)
          expect(await store.get(key)).toEqual({ caller: winners[0]!.caller })
        }
      }
    })
  })
}
