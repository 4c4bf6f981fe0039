import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Member, MemberId } from '../../accounts/member.ts'
import { post, stepsOf } from '../crash/first-login.ts'
import { aServerProcess, type ServerProcess } from '../crash/server-process.ts'
import { aVisitor } from '../support/agent.ts'
import { aMember } from '../support/builders.ts'
import { aRelyingParty } from '../support/rp.ts'
import { type FailingStores, failingStores } from '../support/stores.ts'

/**
 * kill -9 at each step of the first login on Redis and MongoDB (security.md F13 to F22): before what
 * it writes has reached them, and after it has, before anybody hears of it.
 */
describe('When the server is killed at a step of the first login', () => {
  let stores: FailingStores
  let server: ServerProcess
  const newcomers: Member[] = []
  beforeAll(async () => {
    stores = await failingStores()
    server = await aServerProcess(stores)
    await server.start()
    for (const number of [1, 2]) {
      const member = aMember({
        id: `killed-${number}` as MemberId, // a test's own ID
        loginId: `56789-${number}`,
        insured: { symbol: '56789', number: `${number}` },
        email: { address: `killed${number}@example.jp` },
      })
      newcomers.push(await server.addMember(member))
    }
  }, 90_000)
  afterAll(() => server.close())

  const mend = async () => {
    await stores.toRedis.set('ok')
    await stores.toMongo.set('ok')
  }

  const isWhole = ({ email, password, enrolledAt }: Member): boolean =>
    enrolledAt === undefined || (email?.verifiedAt !== undefined && password.initial === undefined)

  test('before its writes arrive, the step is due again, and then the next one', async () => {
    const [member] = newcomers
    if (!member) throw new Error('there is no newcomer')
    const rp = await aRelyingParty(server, server.client)
    const visitor = aVisitor()
    const { url } = await visitor.visit(await rp.authorizationUrl())
    for (const step of stepsOf(server, member)) {
      expect(visitor.page.heading).toBe(step.heading)
      // Nothing gets through from here on, so nothing can have been written.
      const before = await server.memberOf(member)
      const fields = await step.fields()
      await stores.toRedis.set('blackhole')
      await stores.toMongo.set('blackhole')
      const answer = post(visitor, { ...step, fields: async () => fields }).catch(() => undefined)
      await delay(100)
      await server.kill()
      stores.toRedis.cut()
      stores.toMongo.cut()
      const status = await answer
      expect([undefined, 503]).toContain(status)
      await mend()
      expect(await server.memberOf(member)).toEqual(before)
      await server.start()
      await visitor.visit(url)
      expect(visitor.page.heading).toBe(step.heading)
      expect([step.heading, await post(visitor, step)]).toEqual([step.heading, 303])
      await visitor.visit(url)
    }
    expect(visitor.page.heading).toBe('Signed in to the relying party')
    expect((await rp.finish(visitor.page.url)).claims()?.amr).toEqual(['pwd', 'otp', 'mca'])
  }, 240_000)

  test('once MongoDB has written and nobody knows, the member goes on from there', async () => {
    const [, member] = newcomers
    if (!member) throw new Error('there is no second newcomer')
    const rp = await aRelyingParty(server, server.client)
    const visitor = aVisitor()
    const { url } = await visitor.visit(await rp.authorizationUrl())
    for (const step of stepsOf(server, member)) {
      if (visitor.page.heading !== step.heading) continue
      const fields = await step.fields()
      await stores.toMongo.set({ cutAfter: 0, of: 'replies', where: 'findAndModify' })
      await post(visitor, { ...step, fields: async () => fields }).catch(() => undefined)
      await server.kill()
      await mend()
      const after = await server.memberOf(member)
      expect([step.heading, isWhole(after)]).toEqual([step.heading, true])
      await server.start()
      await visitor.visit(url)
      // Where the write was not made after all, the same form makes it now.
      if (visitor.page.heading === step.heading) {
        await post(visitor, step)
        await visitor.visit(url)
      }
      expect([step.heading, Boolean(step.confirmed(await server.memberOf(member)))]).toEqual([
        step.heading,
        true,
      ])
    }
    expect(visitor.page.heading).toBe('Signed in to the relying party')
    expect((await rp.finish(visitor.page.url)).claims()?.amr).toEqual(['pwd', 'otp', 'mca'])
  }, 240_000)
})
