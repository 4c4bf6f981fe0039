import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Member, MemberId } from '../../accounts/member.ts'
import { post, stepsOf } from '../crash/first-login.ts'
import { aServerProcess, type ServerProcess } from '../crash/server-process.ts'
import { creationOptionsOn, recoveryCodesOn, secretOf, typedKeyOn } from '../flows/keys.ts'
import { aRegistrant, PAGE } from '../flows/support.ts'
import { aVisitor } from '../support/agent.ts'
import { createAuthenticator } from '../support/authenticator.ts'
import { appCode } from '../support/authenticator-app.ts'
import { A_PASSWORD, aMember } from '../support/builders.ts'
import { type Invariants, invariantsOfDeployment } from '../support/invariants.ts'
import { onServer } from '../support/mongo.ts'
import type { Page } from '../support/page.ts'
import { aRelyingParty } from '../support/rp.ts'
import { type FailingStores, failingStores, SAVES_A_MEMBER } from '../support/server-stores.ts'
import { codeIn } from '../support/smtp-sink.ts'

/**
 * kill -9 at each step of the first login on Redis and MongoDB (security.md F13 to F22), a method's
 * challenge and its saving too: before what it writes has reached them, and after it has, before
 * anybody hears of it. After each the stores are held against the invariants.
 */
describe('When the server is killed at a step of the first login', () => {
  let stores: FailingStores
  let server: ServerProcess
  let invariants: Invariants
  const newcomers: Member[] = []
  beforeAll(async () => {
    stores = await failingStores()
    server = await aServerProcess(stores)
    invariants = invariantsOfDeployment(server)
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

  /** A mail that a killed server was sending is sent once its lease has run out: here, at once. */
  const endLeases = () =>
    onServer(stores.env.IDP_MONGO_URL ?? '', (db) =>
      db.collection('outbox').updateMany({ state: 'queued' }, { $set: { dueAt: 0 } }),
    )

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
      expect([step.heading, await invariants.broken()]).toEqual([step.heading, []])
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
      await stores.toMongo.set({ cutAfter: 0, of: 'replies', where: SAVES_A_MEMBER })
      await post(visitor, { ...step, fields: async () => fields }).catch(() => undefined)
      await server.kill()
      await mend()
      expect([step.heading, await invariants.broken()]).toEqual([step.heading, []])
      await endLeases()
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

  /** The answer to a page that registers a method, whose secret or challenge stands on it. */
  const ANSWERS = {
    totp: (page: Page) => ({
      code: appCode(secretOf(typedKeyOn(page)), Math.floor(Date.now() / 1000)),
    }),
    passkey: (page: Page) => ({
      response: createAuthenticator({ origin: server.issuer }).register(creationOptionsOn(page)),
    }),
  }

  test.each([
    ['totp', PAGE.registerTotp],
    ['passkey', PAGE.registerPasskey],
  ] as const)(
    'as a method is asked for or saved (%s), what was asked before is taken, and saved once',
    async (factor, heading) => {
      const now = Math.floor(Date.now() / 1000)
      const member = await server.addMember({
        ...aRegistrant(now, factor),
        acceptedTerms: [{ version: '2026-04', textHash: 'x', at: now, clientId: 'health-portal' }],
      })
      const rp = await aRelyingParty(server, server.client)
      const visitor = aVisitor()
      const { url } = await visitor.visit(await rp.authorizationUrl())
      await visitor.submit('password', { username: member.loginId, password: A_PASSWORD })
      const mail = await server.mails.waitFor(({ to }) => to === member.email?.address, 70_000)
      const code = { act: 'verifyFactor', fields: async () => ({ code: codeIn(mail) }) }
      expect(await post(visitor, code)).toBe(303)
      const killed = async () => {
        await server.kill()
        stores.toRedis.cut()
        stores.toMongo.cut()
        await mend()
        expect(await invariants.broken()).toEqual([])
      }
      const held = async () =>
        (await server.memberOf(member)).credentials.filter((one) => one.factor === factor).length

      // Before the challenge is kept: nobody has seen it, and another is made.
      await stores.toRedis.set('blackhole')
      const asked = visitor.visit(url).catch(() => undefined)
      await delay(100)
      await killed()
      await asked
      await server.start()
      expect((await visitor.visit(url)).heading).toBe(heading)

      // After it: what stands on the page is what is asked for still.
      const fields = async () => answer
      const answer = ANSWERS[factor](visitor.page)
      const step = { act: 'registerFactor', fields }
      await killed()
      await server.start()

      // Before the method is saved: it is not there, and the page takes it as before.
      await stores.toRedis.set('blackhole')
      await stores.toMongo.set('blackhole')
      const lost = post(visitor, step).catch(() => undefined)
      await delay(100)
      await killed()
      expect([undefined, 503]).toContain(await lost)
      expect(await held()).toBe(0)
      await server.start()

      // After it, and nobody knows: it is there once, and not asked for again.
      await stores.toMongo.set({ cutAfter: 0, of: 'replies', where: SAVES_A_MEMBER })
      await post(visitor, step).catch(() => undefined)
      await killed()
      expect(await held()).toBe(1)
      await server.start()
      expect((await visitor.visit(url)).heading).toBe(PAGE.recoveryCodes)
      const codes = recoveryCodesOn(visitor.page)
      await visitor.submit('recoveryCodes', { saved: true })
      await visitor.submit('done')
      expect((await rp.finish(visitor.page.url)).claims()?.sub).toBeDefined()
      expect(await held()).toBe(1)

      // One of the codes, spent, and nobody knows: it is the proof that it was.
      const later = aVisitor()
      const start = await later.visit(await rp.authorizationUrl())
      await later.submit('password', { username: member.loginId, password: A_PASSWORD })
      await later.submit('use-method', { method: 'recoveryCode' })
      expect(later.page.heading).toBe(PAGE.verifyRecoveryCode)
      await stores.toMongo.set({ cutAfter: 0, of: 'replies', where: SAVES_A_MEMBER })
      const spend = { act: 'verifyFactor', fields: async () => ({ code: codes[0] ?? '' }) }
      await post(later, spend).catch(() => undefined)
      await killed()
      await server.start()
      await later.visit(start.url)
      expect((await rp.finish(later.page.url)).claims()?.amr).toEqual(['pwd', 'otp', 'mfa'])
    },
    240_000,
  )
})
