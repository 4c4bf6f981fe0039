import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import { createRemoteJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose'
import { systemRandom } from '../../adapters/system.ts'
import type { SigningKeys } from '../../keys/index.ts'
import { JWKS_MAX_AGE_SECONDS, RETIRED_SECONDS, SPREAD_SECONDS } from '../../keys/ring.ts'
import { keysAtRest } from '../../signing-keys.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { aJourneyOf, anOldHand, type Journey, PAGE, theDate } from './support.ts'

const LEAD = JWKS_MAX_AGE_SECONDS + 60
const POLL_MS = 50
/** Between two sign-ins of one member: many of them fall into every change, and into the waiting. */
const PAUSE_MS = 25

let idp: Idp
const tokens: string[] = []

/** As a command has them, beside the servers. */
const atRest = (): SigningKeys =>
  keysAtRest(idp.services.settings, idp.services, {
    clock: idp.clock,
    randomBytes: systemRandom,
    make: idp.makeKey,
  })

const kidOf = (token: string): string => String(decodeProtectedHeader(token).kid)

const published = async (): Promise<readonly (string | undefined)[]> => {
  const { body } = await aVisitor().visit(`${idp.issuer}/jwks`)
  return (JSON.parse(body) as JSONWebKeySet).keys.map(({ kid }) => kid)
}

/** Asks until every one of the two instances, which answer in turn, publishes so. */
const untilBoth = async (holds: (kids: readonly (string | undefined)[]) => boolean) => {
  for (let row = 0; row < 4; ) {
    row = holds(await published()) ? row + 1 : 0
    if (row < 4) await delay(POLL_MS)
  }
}

/** A relying party that asks for the keys only when they have reached their age, and for no other
 * reason: a key that it has not heard of is a failure. */
const aStrictCache = () =>
  createRemoteJWKSet(new URL(`${idp.issuer}/jwks`), {
    cacheMaxAge: JWKS_MAX_AGE_SECONDS * 1000,
    cooldownDuration: Number.POSITIVE_INFINITY,
  })

const verify = (token: string, cache: ReturnType<typeof aStrictCache>) =>
  jwtVerify(token, cache, { issuer: idp.issuer, audience: 'health-portal' })

/** One more sign-in from the member's session, and its ID token. */
const idToken = async (journey: Journey): Promise<string> => {
  const page = await journey.start({ prompt: 'none' })
  const { id_token = '' } = await journey.rp.finish(page.url)
  tokens.push(id_token)
  return id_token
}

const aSession = async (): Promise<Journey> => {
  const journey = await aJourneyOf(idp, anOldHand(idp.clock.now()))
  await journey.start()
  await journey.walkTo(PAGE.signedIn)
  return journey
}

beforeAll(async () => {
  idp = await startIdp({ clock: theDate(), instances: 2 })
}, 60_000)
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})

describe('The keys of two servers', () => {
  test('are the same from the start, named, of one use each, and told how long to keep', async () => {
    await untilBoth((kids) => kids.length === 3)
    const [one, other] = [await published(), await published()]
    expect(one).toEqual(other)
    const answer = await fetch(`${idp.issuer}/jwks`)
    expect(answer.headers.get('cache-control')).toBe(`public, max-age=${JWKS_MAX_AGE_SECONDS}`)
    const { keys } = (await answer.json()) as JSONWebKeySet
    expect(keys.map(({ alg, use, kty }) => [alg, use, kty])).toEqual([
      ['ES256', 'sig', 'EC'],
      ['RS256', 'sig', 'RSA'],
      ['PS256', 'sig', 'RSA'],
    ])
    for (const { n } of keys.slice(1)) expect(Buffer.from(n!, 'base64url')).toHaveLength(256)
    const discovery = await fetch(`${idp.issuer}/.well-known/openid-configuration`)
    expect(await discovery.json()).toMatchObject({
      id_token_signing_alg_values_supported: expect.arrayContaining(['RS256', 'PS256', 'ES256']),
    })
  })

  test('are rotated under load, and no ID token fails at an app that keeps the keys as told', async () => {
    const sessions = await Promise.all([aSession(), aSession()])
    const cache = aStrictCache()
    const former = new Set(await published())
    let isOver = false
    let isHeld = false
    let busy = 0
    const failures: unknown[] = []
    const load = sessions.map(async (journey) => {
      while (!isOver) {
        if (isHeld) await delay(POLL_MS)
        else {
          busy += 1
          const token = await idToken(journey)
          await verify(token, cache).catch((error: unknown) => failures.push(error))
          busy -= 1
          await delay(PAUSE_MS)
        }
      }
    })
    /** Between two sign-ins: a code does not outlive such a leap. */
    const advance = async (seconds: number) => {
      isHeld = true
      while (busy > 0) await delay(POLL_MS)
      await idp.clock.advance(seconds)
      isHeld = false
    }
    const signedAfter = async (count: number) => {
      const wanted = tokens.length + count
      while (tokens.length < wanted) await delay(POLL_MS)
    }

    try {
      await signedAfter(4)
      await atRest().rotate('alice', LEAD)
      await untilBoth((kids) => kids.length === 6)
      await signedAfter(4)
      expect(tokens.every((token) => former.has(kidOf(token)))).toBe(true)
      // The last moment at which an app may have none but the keys from before.
      await advance(JWKS_MAX_AGE_SECONDS - 1)
      await signedAfter(4)
      await advance(LEAD - JWKS_MAX_AGE_SECONDS + 1)
      await untilBoth((kids) => !former.has(String(kids[0])))
      await signedAfter(4)
    } finally {
      isOver = true
      await Promise.allSettled(load)
    }
    await Promise.all(load)

    expect(failures).toEqual([])
    expect(former.has(kidOf(tokens[0]!))).toBe(true)
    expect(former.has(kidOf(tokens.at(-1)!))).toBe(false)
    const fresh = aStrictCache()
    for (const token of tokens) await verify(token, fresh)
    expect(idp.log).toContainEqual(expect.objectContaining({ msg: 'signing_keys_changed' }))
  }, 60_000)

  test('that have retired still prove whom an app wants signed out', async () => {
    const url = new URL(`${idp.issuer}/session/end`)
    url.searchParams.set('id_token_hint', tokens[0]!)
    expect((await aVisitor().visit(url)).status).toBe(200)
  })

  test('are the same after a restart, and gone once nothing needs them', async () => {
    const before = await published()
    await idp.restart()
    expect(await published()).toEqual(before)
    await idp.clock.advance(RETIRED_SECONDS)
    await untilBoth((kids) => kids.length === 3)
    expect((await atRest().find())?.keys.map(({ kid }) => kid).toSorted()).toEqual(
      [...(await published())].toSorted(),
    )
    const url = new URL(`${idp.issuer}/session/end`)
    url.searchParams.set('id_token_hint', tokens[0]!)
    expect((await aVisitor().visit(url)).status).toBe(400)
  })

  test('that are revoked are dropped at once: what they signed is good no more', async () => {
    const journey = await aSession()
    const { id_token: token = '' } = await journey.rp.finish(journey.visitor.page.url)
    await verify(token, aStrictCache())
    const former = new Set(await published())
    await atRest().revoke('alice')
    await idp.clock.advance(SPREAD_SECONDS)
    await untilBoth((kids) => kids.length === 3 && !kids.some((kid) => former.has(kid)))
    await expect(verify(token, aStrictCache())).rejects.toThrow('no applicable key')
    await verify(await idToken(journey), aStrictCache())
    await untilBoth(() => true)
    expect((await atRest().find())?.keys).toHaveLength(3)
  })
})
