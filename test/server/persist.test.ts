import { describe, expect, test } from '@jest/globals'
import { StoreUnavailableError } from '../../accounts/errors.ts'
import { persist } from '../../runtime/persist.ts'

const aLog = () => {
  const events: string[] = []
  const note = (_facts: object, event: string) => void events.push(event)
  return { events, log: { info: note, warn: note, error: note } }
}

describe('A start while a store is down', () => {
  test('is tried again until the store answers, and each failure is a line of the log', async () => {
    const { events, log } = aLog()
    let tries = 0
    const open = async () => {
      tries += 1
      if (tries < 3) throw new StoreUnavailableError('redis')
      return 'open'
    }
    expect(await persist(open, { log, signal: new AbortController().signal })).toBe('open')
    expect(events).toEqual(['store_unavailable_at_start', 'store_unavailable_at_start'])
  })

  test('ends at once where the store will not do at all', async () => {
    const { events, log } = aLog()
    const open = async () => {
      throw new Error('appendonly is off')
    }
    const starting = persist(open, { log, signal: new AbortController().signal })
    await expect(starting).rejects.toThrow('appendonly is off')
    expect(events).toEqual([])
  })

  test('ends when the server is told to stop', async () => {
    const { log } = aLog()
    const told = new AbortController()
    const open = async () => {
      throw new StoreUnavailableError('redis')
    }
    const starting = persist(open, { log, signal: told.signal })
    told.abort()
    await expect(starting).rejects.toThrow('aborted')
  })
})
