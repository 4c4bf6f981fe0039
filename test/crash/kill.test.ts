import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Member, MemberId } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import { aMember } from '../support/builders.ts'
import { type Invariants, invariantsOfDeployment } from '../support/invariants.ts'
import { aRelyingParty } from '../support/rp.ts'
import { linkIn } from '../support/smtp-sink.ts'
import { post, stepsOf } from './first-login.ts'
import { aServerProcess, type ServerProcess } from './server-process.ts'

/** kill -9 of the server (security.md F13 to F22): nothing confirmed is lost, nothing is half done. */
describe('When the server is killed', () => {
  let server: ServerProcess
  let invariants: Invariants
  const newcomers: Member[] = []
  beforeAll(async () => {
    server = await aServerProcess()
    invariants = invariantsOfDeployment(server)
    for (let number = 1; number <= 4; number += 1) {
      const member = aMember({
        id: `crash-${number}` as MemberId, // a test's own ID
        loginId: `45678-${number}`,
        insured: { symbol: '45678', number: `${number}` },
        email: { address: `crash${number}@example.jp` },
      })
      newcomers.push(await server.addMember(member))
    }
    await server.start()
  }, 90_000)
  afterAll(() => server.close())

  /** The next member who has not been here yet. */
  const aNewcomer = (): Member => {
    const member = newcomers.shift()
    if (!member) throw new Error('no newcomer is left')
    return member
  }

  test('right after each answer of the first login, the member goes on at the next step', async () => {
    const member = aNewcomer()
    const rp = await aRelyingParty(server, server.client)
    const visitor = aVisitor()
    const { url } = await visitor.visit(await rp.authorizationUrl())
    for (const step of stepsOf(server, member)) {
      expect(visitor.page.heading).toBe(step.heading)
      expect([step.heading, await post(visitor, step)]).toEqual([step.heading, 303])
      // A mail in the very act of being sent is only sent again when its lease has run out.
      if (step.heading === 'メールアドレスの確認') {
        await server.mails.waitFor(({ to }) => to === member.email?.address)
      }
      await server.kill()
      expect(await invariants.broken()).toEqual([])
      const stored = await server.memberOf(member)
      expect([step.heading, Boolean(step.confirmed(stored))]).toEqual([step.heading, true])
      await server.start()
      await visitor.visit(url)
    }
    expect(visitor.page.heading).toBe('Signed in to the relying party')
    const tokens = await rp.finish(visitor.page.url)
    expect(tokens.claims()?.amr).toEqual(['pwd', 'otp', 'mca'])
    await server.kill()
    expect(await invariants.broken()).toEqual([])
    await server.start()
    expect((await rp.userInfo(tokens)).sub).toBe(tokens.claims()?.sub)
    const silent = await visitor.visit(await rp.authorizationUrl({ prompt: 'none' }))
    const again = await rp.finish(silent.url)
    expect(again.claims()?.sub).toBe(tokens.claims()?.sub)
    await server.kill()
    expect(await invariants.broken()).toEqual([])
    await server.start()
    // The code was redeemed before the crash, and stays so.
    await expect(rp.finish(silent.url)).rejects.toThrow()
  }, 240_000)

  test('while a form is on its way, the step is done or still due, never half done', async () => {
    const member = aNewcomer()
    const rp = await aRelyingParty(server, server.client)
    const visitor = aVisitor()
    const { url } = await visitor.visit(await rp.authorizationUrl())
    const steps = stepsOf(server, member)
    const killed = ['birthdate', 'terms', 'chooseFactor', 'newPassword']
    for (const [index, step] of steps.entries()) {
      expect(visitor.page.heading).toBe(step.heading)
      if (killed.includes(step.act)) {
        const answer = post(visitor, step).catch(() => 'cut off')
        await delay(3 + 7 * index)
        await server.kill()
        await answer
        expect(await invariants.broken()).toEqual([])
        const stored = await server.memberOf(member)
        await server.start()
        const page = await visitor.visit(url)
        const possible = [step.heading, steps[index + 1]?.heading]
        expect(possible).toContain(page.heading)
        expect(Boolean(step.confirmed(stored))).toBe(page.heading !== step.heading)
        if (page.heading !== step.heading) continue
      }
      await post(visitor, step)
      await visitor.visit(url)
    }
    expect((await rp.finish(visitor.page.url)).claims()?.acr).toBe('urn:kenpo-id:acr:email')
  }, 240_000)

  test('with a mail not out yet, it goes out afterwards, and its link still works', async () => {
    const member = aNewcomer()
    const address = member.email?.address ?? ''
    const rp = await aRelyingParty(server, server.client)
    const visitor = aVisitor()
    const { url } = await visitor.visit(await rp.authorizationUrl())
    for (const step of stepsOf(server, member).slice(0, 3)) {
      await post(visitor, step)
      await visitor.visit(url)
    }
    await server.mails.pause()
    const putOff = () => server.lines.filter((line) => line.includes('mail_put_off')).length
    const before = putOff()
    await visitor.submit('email', { email: address })
    for (let tries = 0; putOff() === before && tries < 1000; tries += 1) await delay(10)
    await server.kill()
    expect(await invariants.broken()).toEqual([])
    await server.mails.resume()
    await server.start()
    const mail = await server.mails.waitFor(({ to }) => to === address, 70_000)
    const phone = aVisitor()
    await phone.visit(linkIn(mail))
    await phone.submit()
    await server.kill()
    expect(await invariants.broken()).toEqual([])
    expect((await server.memberOf(member)).email?.verifiedAt).toBeDefined()
    await server.start()
    expect((await visitor.visit(url)).heading).toBe('どこでログインしますか')
    const mails = server.mails.mails.filter(({ to }) => to === address)
    expect(mails).toHaveLength(1)
  }, 240_000)

  test('after a wrong password, the try still counts', async () => {
    const member = aNewcomer()
    const rp = await aRelyingParty(server, server.client)
    const visitor = aVisitor()
    const { url } = await visitor.visit(await rp.authorizationUrl())
    const wrong = { username: member.loginId, password: 'wrong' }
    const first = await visitor.submit('password', wrong)
    expect(first.faults.join()).toContain('あと9回')
    await server.kill()
    expect(await invariants.broken()).toEqual([])
    await server.start()
    await visitor.visit(url)
    const second = await visitor.submit('password', wrong)
    expect(second.faults.join()).toContain('あと8回')
  }, 90_000)
})
