import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { StoreUnavailableError } from '../../accounts/errors.ts'
import { createAuditTrail } from '../../adapters/embedded/audit-trail.ts'
import { createRecordStore } from '../../adapters/embedded/records.ts'
import { systemRandom } from '../../adapters/system.ts'
import { createSigningKeys } from '../../keys/index.ts'
import { openLiveKeys } from '../../keys/live.ts'
import type { MakeKey } from '../../keys/make.ts'
import { type KeyRingStore, LEAD_SECONDS, SPREAD_SECONDS } from '../../keys/ring.ts'
import { openTemporary } from '../adapters/embedded/temporary.ts'
import { aClock, type TestClock } from '../support/clock.ts'
import { keysMadeBefore } from '../support/made-keys.ts'

const ours = { id: 'ours', key: systemRandom(32) }
const other = { id: 'other', key: systemRandom(32) }

describe('The keys as one server uses them', () => {
  let clock: TestClock
  let open: ReturnType<typeof openTemporary>
  let store: KeyRingStore
  let events: string[]
  let make: MakeKey
  beforeEach(() => {
    clock = aClock()
    open = openTemporary()
    store = createRecordStore(open.db, 'signingKeys')
    events = []
    make = keysMadeBefore()
  })
  afterEach(() => open.close())

  const atRest = (over: Partial<KeyRingStore> = {}, encryptionKeys = [ours]) =>
    createSigningKeys({
      store: { ...store, ...over },
      encryptionKeys,
      audit: createAuditTrail(open.db),
      clock,
      randomBytes: systemRandom,
      make,
    })
  const aServer = (over: Partial<KeyRingStore> = {}) => {
    const note = (_facts: object, event: string) => void events.push(event)
    return openLiveKeys(atRest(over), { clock, log: { info: note, warn: note, error: note } })
  }
  const kids = ({ jwks }: Awaited<ReturnType<typeof aServer>>) => jwks().map(({ kid }) => kid)

  test('are as fresh as those that sign', async () => {
    const live = await aServer()
    await clock.advance(100)
    await atRest().rotate('alice', LEAD_SECONDS)
    expect(await live.refresh()).toBe(true)
    expect(live.ages().map(({ seconds }) => seconds)).toEqual([100, 100, 100])
    await clock.advance(LEAD_SECONDS + 7)
    expect(await live.refresh()).toBe(true)
    expect(live.ages().map(({ seconds }) => seconds)).toEqual([7, 7, 7])
  })

  test('that cannot be read are lacking, and those known sign on', async () => {
    const live = await aServer()
    const [ring, before] = [await store.find('signing'), kids(live)]
    const [key] = (await atRest({}, [other, ours]).rotate('alice')).keys.slice(-1)
    expect(await live.refresh()).toBe(false)
    expect(live.isLacking()).toBe(true)
    expect(kids(live)).toEqual(before)
    await clock.advance(LEAD_SECONDS + 7)
    await live.refresh()
    // Its own, older than those that should sign.
    expect(live.ages().map(({ seconds }) => seconds)).toEqual(Array(3).fill(LEAD_SECONDS + 7))
    expect(events.filter((event) => event === 'signing_keys_unread')).toHaveLength(1)

    const held = await store.find('signing')
    await store.save({ ...ring!, revision: held!.revision })
    expect(await live.refresh()).toBe(false)
    expect(live.isLacking()).toBe(false)
    expect(kids(live)).not.toContain(key?.kid)
  })

  test('are given up where they are revoked, even if none can take their place', async () => {
    const live = await aServer()
    await atRest({}, [other, ours]).revoke('alice')
    await live.refresh()
    expect(kids(live)).toHaveLength(3)
    await clock.advance(SPREAD_SECONDS)
    await expect(live.refresh()).rejects.toThrow('unreadable_secret')
    // And again, until somebody has acted on it.
    await expect(live.refresh()).rejects.toThrow('unreadable_secret')
  })

  test('go on at their times while the store does not answer', async () => {
    let isDown = false
    const live = await aServer({
      find: async (id) => {
        if (isDown) throw new StoreUnavailableError('MongoDB')
        return store.find(id)
      },
    })
    const ring = await atRest().revoke('alice')
    await live.refresh()
    isDown = true
    await clock.advance(SPREAD_SECONDS)
    expect(await live.refresh()).toBe(true)
    expect(kids(live)).toEqual(ring.keys.slice(3).map(({ kid }) => kid))
    expect(live.isLacking()).toBe(false)
  })

  test('are used though what is gone cannot be deleted', async () => {
    let isReadOnly = false
    const live = await aServer({
      save: async (ring) => {
        if (isReadOnly) throw new StoreUnavailableError('MongoDB')
        return store.save(ring)
      },
    })
    const ring = await atRest().revoke('alice')
    isReadOnly = true
    await clock.advance(SPREAD_SECONDS)
    expect(await live.refresh()).toBe(true)
    expect(kids(live)).toEqual(ring.keys.slice(3).map(({ kid }) => kid))
    await expect(live.tidy()).rejects.toThrow(StoreUnavailableError)
    isReadOnly = false
    await live.tidy()
    expect((await store.find('signing'))?.keys).toHaveLength(3)
  })
})
