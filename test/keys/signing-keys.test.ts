import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals'
import { createAuditTrail } from '../../adapters/embedded/audit-trail.ts'
import { createRecordStore } from '../../adapters/embedded/records.ts'
import { systemRandom } from '../../adapters/system.ts'
import { type KeyRing, SPREAD_SECONDS } from '../../keys/ring.ts'
import { keysAtRest, openSigningKeys } from '../../signing-keys.ts'
import { openTemporary } from '../adapters/embedded/temporary.ts'
import { aClock } from '../support/clock.ts'
import { keysMadeBefore } from '../support/made-keys.ts'

const LOOK_MS = 2000
const log = { info() {}, warn() {}, error() {} }
const ours = { id: 'ours', key: systemRandom(32) }
const other = { id: 'other', key: systemRandom(32) }

let open: ReturnType<typeof openTemporary>
beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask'] })
  open = openTemporary()
})
afterEach(async () => {
  jest.useRealTimers()
  await open.close()
})

/** A server's keys, and what an operator does to them with these encryption keys. */
const aServer = async () => {
  const adapters = {
    signingKeys: createRecordStore<KeyRing>(open.db, 'signingKeys'),
    audit: createAuditTrail(open.db),
  }
  const ports = { clock: aClock(), randomBytes: systemRandom, log, make: keysMadeBefore() }
  const signing = await openSigningKeys(
    { encryptionKeys: [ours], jwks: undefined },
    adapters,
    ports,
  )
  const atRest = (encryptionKeys = [ours]) => keysAtRest({ encryptionKeys }, adapters, ports)
  return { signing, atRest, clock: ports.clock }
}

describe('A server whose signing keys change', () => {
  test('tries again where they could not be taken into use', async () => {
    const { signing, atRest } = await aServer()
    let tries = 0
    signing.onChange(() => {
      tries += 1
      if (tries < 3) throw new Error('no file may be opened')
    })
    await atRest().rotate('alice')
    await jest.advanceTimersByTimeAsync(5 * LOOK_MS)
    expect(tries).toBe(3)
    await signing.close()
  })

  test('is not ready while it cannot read them, and says when none is left', async () => {
    const { signing, atRest, clock } = await aServer()
    const losses: string[] = []
    signing.onLoss(({ code }) => void losses.push(code))
    expect(signing.missing()).toEqual([])
    await atRest([other, ours]).revoke('alice')
    await jest.advanceTimersByTimeAsync(LOOK_MS)
    expect(signing.missing()).toEqual([expect.stringContaining('IDP_ENCRYPTION_KEYS')])
    expect(losses).toEqual([])
    await clock.advance(SPREAD_SECONDS)
    await jest.advanceTimersByTimeAsync(LOOK_MS)
    expect(losses).toEqual(['unreadable_secret'])
    await signing.close()
  })
})
