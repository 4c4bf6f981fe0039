import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { RegisteredClient } from '../../clients/client.ts'
import { type ClientStore, StaleRecordError } from '../../clients/ports.ts'
import { inParallel, reasonsOf, valuesOf } from './rounds.ts'

export type OpenClientStores = () => Promise<{
  /** Two stores of different kinds in one place. */
  clients: ClientStore
  others: ClientStore
  close: () => Promise<void>
}>

const NOW = 1_800_000_000

export const aStoredClient = (over: Partial<RegisteredClient> = {}): RegisteredClient => ({
  id: 'app-1',
  metadata: {
    client_name: '健康アプリ “1”',
    application_type: 'web',
    redirect_uris: ['https://app.example.jp/cb?a=1&b=%20'],
    response_types: ['code'],
    grant_types: ['authorization_code'],
    token_endpoint_auth_method: 'client_secret_basic',
    require_auth_time: true,
  },
  policy: { society: 'sakura', requiredAcr: 'phr' },
  secrets: [{ sealed: 'v1.a.b.c', createdAt: NOW }],
  registeredAt: NOW,
  updatedAt: NOW,
  tokensSince: NOW,
  revision: 0,
  ...over,
})

/** What every store of clients, or of anything else kept by revision, must do. */
export const clientStoreContract = (name: string, open: OpenClientStores): void => {
  describe(`${name}, a store of clients`, () => {
    let clients: ClientStore
    let others: ClientStore
    let close: () => Promise<void>
    beforeEach(async () => {
      ;({ clients, others, close } = await open())
    })
    afterEach(() => close())

    test('a client comes back as it was saved, one revision up', async () => {
      const saved = await clients.save(aStoredClient())
      expect(saved).toEqual(aStoredClient({ revision: 1 }))
      expect(await clients.find('app-1')).toStrictEqual(saved)
      expect(await clients.find('App-1')).toBeUndefined()
    })

    test('all are listed by ID, those of another kind elsewhere', async () => {
      for (const id of ['b', 'a', 'c']) await clients.save(aStoredClient({ id }))
      await others.save(aStoredClient({ id: 'a', registeredAt: 1 }))
      expect((await clients.list()).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
      expect((await others.list()).map(({ registeredAt }) => registeredAt)).toEqual([1])
    })

    test('a save on an older revision, or a second insert, is refused and changes nothing', async () => {
      const first = await clients.save(aStoredClient())
      const second = await clients.save({ ...first, updatedAt: NOW + 1 })
      await expect(clients.save({ ...first, updatedAt: NOW + 2 })).rejects.toThrow(StaleRecordError)
      await expect(clients.save(aStoredClient())).rejects.toThrow(StaleRecordError)
      expect(await clients.find('app-1')).toEqual(second)
    })

    test('of twenty that register one ID, and twenty that change it, one each succeeds', async () => {
      const made = await inParallel(() => clients.save(aStoredClient()))
      expect(valuesOf(made)).toHaveLength(1)
      const [first] = valuesOf(made)
      const changed = await inParallel((caller) =>
        clients.save({ ...aStoredClient(), ...first, updatedAt: NOW + caller }),
      )
      expect(valuesOf(changed)).toHaveLength(1)
      for (const reason of [...reasonsOf(made), ...reasonsOf(changed)]) {
        expect(reason).toBeInstanceOf(StaleRecordError)
      }
      expect((await clients.find('app-1'))?.revision).toBe(2)
    })

    test('a removed client is gone, and cannot be saved again as if it were not', async () => {
      const first = await clients.save(aStoredClient())
      const second = await clients.save(first)
      await expect(clients.remove(first)).rejects.toThrow(StaleRecordError)
      await clients.remove(second)
      expect(await clients.find('app-1')).toBeUndefined()
      expect(await clients.list()).toEqual([])
      await expect(clients.save(second)).rejects.toThrow(StaleRecordError)
      await expect(clients.remove(second)).rejects.toThrow(StaleRecordError)
    })
  })
}
