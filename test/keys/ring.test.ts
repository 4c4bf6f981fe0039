import { describe, expect, test } from '@jest/globals'
import {
  JWKS_MAX_AGE_SECONDS,
  LEAD_SECONDS,
  placesOf,
  publishedAt,
  RETIRED_SECONDS,
  revokedAt,
  type SigningKey,
  SPREAD_SECONDS,
  withoutGone,
} from '../../keys/ring.ts'
import { ttl } from '../../provider/ttl.ts'

const NOW = 1_800_000_000

const aKey = (kid: string, activeAt: number, over: Partial<SigningKey> = {}): SigningKey => ({
  kid,
  alg: 'RS256',
  sealed: 'v1.a.b.c',
  createdAt: activeAt,
  activeAt,
  ...over,
})
const aRing = (...keys: readonly SigningKey[]) => ({ id: 'signing', revision: 1, keys })
const statesOf = (ring: ReturnType<typeof aRing>, now: number) =>
  placesOf(ring, now).map(({ key, state, until }) => [key.kid, state, until])
const kids = (keys: readonly SigningKey[]) => keys.map(({ kid }) => kid)

describe('A signing key', () => {
  const turn = NOW + LEAD_SECONDS
  const end = turn + RETIRED_SECONDS
  const ring = aRing(aKey('old', NOW - 1000), aKey('new', turn, { createdAt: NOW }))

  test('is published ahead, signs from its time on, retires, and is gone in the end', () => {
    expect(statesOf(ring, turn - 1)).toEqual([
      ['old', 'active', turn],
      ['new', 'published', turn],
    ])
    expect(statesOf(ring, turn)).toEqual([
      ['new', 'active', undefined],
      ['old', 'retired', end],
    ])
    expect(statesOf(ring, end - 1)).toContainEqual(['old', 'retired', end])
    expect(statesOf(ring, end)).toContainEqual(['old', 'gone', undefined])
    expect(kids(publishedAt(ring, end))).toEqual(['new'])
    expect(kids(withoutGone(ring, end).keys)).toEqual(['new'])
  })

  test('gives way to a key of its own algorithm only', () => {
    const other = aRing(aKey('rsa', NOW), aKey('ec', NOW + 10, { alg: 'ES256' }))
    expect(statesOf(other, NOW + 20).map(([kid, state]) => [kid, state])).toEqual([
      ['ec', 'active'],
      ['rsa', 'active'],
    ])
  })

  test('that is revoked is gone as the next one begins, even one that was yet to sign', () => {
    const at = NOW + SPREAD_SECONDS
    const revoked = aRing(...revokedAt(ring, at).keys, aKey('newest', at))
    expect(statesOf(revoked, at - 1)).toContainEqual(['old', 'active', at])
    expect(kids(publishedAt(revoked, at))).toEqual(['newest'])
    // Nor at the time at which the one published ahead would have signed.
    expect(kids(publishedAt(revoked, turn))).toEqual(['newest'])
  })

  test('is published for longer than anybody keeps the keys, and kept for as long as what it signed', () => {
    expect(LEAD_SECONDS).toBeGreaterThan(JWKS_MAX_AGE_SECONDS)
    const { IdToken, Grant } = ttl(() => NOW)
    expect(RETIRED_SECONDS).toBeGreaterThan(Number(IdToken))
    expect(RETIRED_SECONDS).toBeGreaterThanOrEqual(Number(Grant))
  })
})
