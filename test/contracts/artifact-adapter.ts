import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { type Adapter, errors } from 'oidc-provider'
import type { Clock } from '../../accounts/ports.ts'
import { createSteppedClock, type SteppedClock } from './clock.ts'
import { inParallel, ROUNDS, reasonsOf, valuesOf } from './rounds.ts'

export type OpenArtifactAdapter = (
  options: Readonly<{
    clock: Clock
    /** How long a revoked grant is remembered. */
    tombstoneSeconds: number
  }>,
) => Promise<{ adapterFor: (model: string) => Adapter; close: () => Promise<void> }>

const TOMBSTONE_SECONDS = 1000
const UNDER_A_GRANT = ['AuthorizationCode', 'AccessToken', 'RefreshToken', 'DeviceCode']

/** What every store of the engine's artifacts must do; one that does not keep for ever (`lasting`)
 * refuses what has no end. */
export const artifactAdapterContract = (
  name: string,
  open: OpenArtifactAdapter,
  { lasting = true }: Readonly<{ lasting?: boolean }> = {},
): void => {
  describe(`${name}, a store of the engine's artifacts`, () => {
    let clock: SteppedClock
    let adapterFor: (model: string) => Adapter
    let close: () => Promise<void>
    beforeEach(async () => {
      clock = createSteppedClock()
      ;({ adapterFor, close } = await open({ clock, tombstoneSeconds: TOMBSTONE_SECONDS }))
    })
    afterEach(() => close())

    test('an artifact is found by its ID and model, as it was saved', async () => {
      const payload = {
        jti: 'c1',
        kind: 'AuthorizationCode',
        grantId: 'g1',
        claims: { id_token: { acr: null } },
        scope: 'openid 髙',
      }
      await adapterFor('AuthorizationCode').upsert('c1', payload, 60)
      expect(await adapterFor('AuthorizationCode').find('c1')).toStrictEqual(payload)
      expect(await adapterFor('AccessToken').find('c1')).toBeUndefined()
      expect(await adapterFor('AuthorizationCode').find('c2')).toBeUndefined()
    })

    test('a second save takes the place of the first and of its end', async () => {
      const sessions = adapterFor('Session')
      await sessions.upsert('s1', { uid: 'u1', accountId: 'a' }, 10)
      await sessions.upsert('s1', { uid: 'u1', accountId: 'b' }, 100)
      await clock.advance(50)
      expect(await sessions.find('s1')).toEqual({ uid: 'u1', accountId: 'b' })
    })

    test('an artifact is there until its time is over and not after', async () => {
      const sessions = adapterFor('Session')
      await sessions.upsert('s1', { uid: 'u1', userCode: 'w1' }, 60)
      await clock.advance(59)
      expect(await sessions.find('s1')).toBeDefined()
      await clock.advance(1)
      expect(await sessions.find('s1')).toBeUndefined()
      expect(await sessions.findByUid('u1')).toBeUndefined()
      expect(await sessions.findByUserCode('w1')).toBeUndefined()
    })

    test('a client has no end', async () => {
      const clients = adapterFor('Client')
      if (!lasting) {
        const saved = clients.upsert('portal', { client_id: 'portal' })
        await expect(saved).rejects.toThrow('belongs in the lasting store')
        return
      }
      await clients.upsert('portal', { client_id: 'portal', redirect_uris: ['https://rp/cb'] })
      await clock.advance(10 * 365 * 86_400)
      expect(await clients.find('portal')).toEqual({
        client_id: 'portal',
        redirect_uris: ['https://rp/cb'],
      })
    })

    test('an artifact destroyed is gone, and only that one', async () => {
      const sessions = adapterFor('Session')
      await sessions.upsert('s1', { uid: 'u1' }, 60)
      await sessions.upsert('s2', { uid: 'u2' }, 60)
      await adapterFor('Interaction').upsert('s1', { uid: 's1' }, 60)
      await sessions.destroy('s1')
      await sessions.destroy('never saved')
      expect(await sessions.find('s1')).toBeUndefined()
      expect(await sessions.findByUid('u1')).toBeUndefined()
      expect(await sessions.find('s2')).toBeDefined()
      expect(await adapterFor('Interaction').find('s1')).toBeDefined()
    })

    test('a session is found by its uid, after its ID has changed too', async () => {
      const sessions = adapterFor('Session')
      await sessions.upsert('s1', { jti: 's1', uid: 'u1', accountId: 'a' }, 60)
      await adapterFor('Interaction').upsert('u1', { uid: 'u1', kind: 'Interaction' }, 60)
      expect(await sessions.findByUid('u1')).toMatchObject({ uid: 'u1', accountId: 'a' })
      await sessions.destroy('s1')
      await sessions.upsert('s2', { jti: 's2', uid: 'u1', accountId: 'b' }, 60)
      expect(await sessions.findByUid('u1')).toMatchObject({ uid: 'u1', accountId: 'b' })
      expect(await sessions.findByUid('u2')).toBeUndefined()
    })

    test('what was found by its uid is saved and destroyed like what its ID leads to', async () => {
      const sessions = adapterFor('Session')
      await sessions.upsert('s1', { jti: 's1', uid: 'u1' }, 60)
      const found = (await sessions.findByUid('u1'))!
      await sessions.upsert(String(found.jti), { ...found, accountId: 'a' }, 60)
      expect(await sessions.find('s1')).toEqual({ jti: 's1', uid: 'u1', accountId: 'a' })
      expect(await sessions.findByUid('u1')).toMatchObject({ accountId: 'a' })
      await sessions.destroy(String(found.jti))
      expect(await sessions.find('s1')).toBeUndefined()
      expect(await sessions.findByUid('u1')).toBeUndefined()
    })

    test('a device code is found by its user code', async () => {
      const codes = adapterFor('DeviceCode')
      await codes.upsert('d1', { jti: 'd1', userCode: 'ABCD-EFGH' }, 60)
      expect(await codes.findByUserCode('ABCD-EFGH')).toMatchObject({ userCode: 'ABCD-EFGH' })
      expect(await codes.findByUserCode('ABCD-EFGX')).toBeUndefined()
    })

    test('a consumed artifact is found with the time of that', async () => {
      const codes = adapterFor('AuthorizationCode')
      await codes.upsert('c1', { jti: 'c1' }, 60)
      await clock.advance(5)
      await codes.consume('c1')
      expect(await codes.find('c1')).toEqual({ jti: 'c1', consumed: clock.now() })
    })

    test('an artifact consumed stays so when it is saved again', async () => {
      const codes = adapterFor('DeviceCode')
      await codes.upsert('d1', { jti: 'd1' }, 60)
      await codes.consume('d1')
      await codes.upsert('d1', { jti: 'd1', accountId: 'late' }, 60)
      expect(await codes.find('d1')).toMatchObject({ accountId: 'late', consumed: clock.now() })
      await expect(codes.consume('d1')).rejects.toThrow(errors.InvalidGrant)
    })

    test('what is unknown, destroyed or over cannot be consumed', async () => {
      const codes = adapterFor('AuthorizationCode')
      await codes.upsert('destroyed', {}, 60)
      await codes.destroy('destroyed')
      await codes.upsert('over', {}, 60)
      await clock.advance(60)
      for (const id of ['unknown', 'destroyed', 'over']) {
        await expect(codes.consume(id)).rejects.toThrow(errors.InvalidGrant)
      }
    })

    test('of twenty parallel callers one consumes the code, fifty times over', async () => {
      const codes = adapterFor('AuthorizationCode')
      for (const round of ROUNDS) {
        await codes.upsert(`c${round}`, { jti: `c${round}` }, 60)
        const outcomes = await inParallel(() => codes.consume(`c${round}`))
        expect(valuesOf(outcomes)).toHaveLength(1)
        expect(reasonsOf(outcomes).every((r) => r instanceof errors.InvalidGrant)).toBe(true)
      }
    })

    test('of twenty parallel records of one jti one is saved, fifty times over', async () => {
      const records = adapterFor('ReplayDetection')
      for (const round of ROUNDS) {
        const outcomes = await inParallel(() => records.upsert(`j${round}`, { iss: 'rp' }, 60))
        expect(valuesOf(outcomes)).toHaveLength(1)
        expect(reasonsOf(outcomes).every((r) => r instanceof errors.InvalidRequest)).toBe(true)
      }
      await clock.advance(60)
      await records.upsert('j0', { iss: 'rp' }, 60)
      expect(await records.find('j0')).toEqual({ iss: 'rp' })
    })

    test('what was issued under a revoked grant is gone, and the grant itself', async () => {
      await adapterFor('Grant').upsert('g1', { accountId: 'a', clientId: 'rp' }, 600)
      for (const model of UNDER_A_GRANT) {
        await adapterFor(model).upsert(`${model}-1`, { grantId: 'g1' }, 60)
        await adapterFor(model).upsert(`${model}-2`, { grantId: 'g2' }, 60)
      }
      await adapterFor('AccessToken').revokeByGrantId('g1')
      expect(await adapterFor('Grant').find('g1')).toBeUndefined()
      for (const model of UNDER_A_GRANT) {
        expect(await adapterFor(model).find(`${model}-1`)).toBeUndefined()
        await expect(adapterFor(model).consume(`${model}-1`)).rejects.toThrow(errors.InvalidGrant)
        expect(await adapterFor(model).find(`${model}-2`)).toEqual({ grantId: 'g2' })
      }
    })

    test('what is saved late under a revoked grant is not found', async () => {
      await adapterFor('RefreshToken').revokeByGrantId('g1')
      for (const model of UNDER_A_GRANT) {
        await adapterFor(model)
          .upsert('late', { grantId: 'g1', userCode: 'w1', uid: 'u1' }, 60)
          .catch(() => {})
        expect(await adapterFor(model).find('late')).toBeUndefined()
        expect(await adapterFor(model).findByUserCode('w1')).toBeUndefined()
        expect(await adapterFor(model).findByUid('u1')).toBeUndefined()
      }
      await adapterFor('Grant')
        .upsert('g1', { accountId: 'a' }, 60)
        .catch(() => {})
      expect(await adapterFor('Grant').find('g1')).toBeUndefined()
    })

    test('a grant stays revoked while a token issued under it could live', async () => {
      await adapterFor('AccessToken').revokeByGrantId('g1')
      await clock.advance(TOMBSTONE_SECONDS / 2)
      await adapterFor('AccessToken').revokeByGrantId('g1')
      await clock.advance(TOMBSTONE_SECONDS - 1)
      await adapterFor('AccessToken')
        .upsert('late', { grantId: 'g1' }, 60)
        .catch(() => {})
      expect(await adapterFor('AccessToken').find('late')).toBeUndefined()
    })

    test('sessions and interactions that mention a revoked grant go on', async () => {
      await adapterFor('Interaction').upsert('i1', { grantId: 'g1', uid: 'i1' }, 60)
      await adapterFor('AccessToken').revokeByGrantId('g1')
      await adapterFor('Interaction').upsert('i2', { grantId: 'g1', uid: 'i2' }, 60)
      expect(await adapterFor('Interaction').find('i1')).toBeDefined()
      expect(await adapterFor('Interaction').find('i2')).toBeDefined()
    })

    test('whoever wins a race between revoking and saving, nothing stays alive', async () => {
      for (const round of ROUNDS) {
        const grantId = `g${round}`
        await inParallel((caller) =>
          caller === 10
            ? adapterFor('RefreshToken').revokeByGrantId(grantId)
            : adapterFor('AccessToken').upsert(`${round}-${caller}`, { grantId }, 60),
        )
        const found = valuesOf(
          await inParallel((caller) => adapterFor('AccessToken').find(`${round}-${caller}`)),
        )
        expect(found.filter((payload) => payload !== undefined)).toEqual([])
      }
    })
  })
}
