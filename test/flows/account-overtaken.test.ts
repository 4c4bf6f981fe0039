import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { aVisitor } from '../support/agent.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { accountSteps, theAccountPages } from './account-support.ts'
import { requestOptionsOn, withPasskey } from './keys.ts'
import { theDate } from './support.ts'

const clock = theDate()
let idp: Idp
beforeAll(async () => {
  idp = await startIdp({
    ...theAccountPages(clock),
    instances: 1,
    inThisProcess: 'another save comes right before each of its own',
  })
})
afterAll(async () => {
  await idp.close()
  jest.useRealTimers()
})
const { aMemberHere, accountUrl, passkeysOf } = accountSteps(() => idp, clock)

describe('An account that changes hands while a form is on its way', () => {
  /** Saves this right before the product saves the member next: a lost race, every time. */
  const overtakeWith = (change: (member: Member) => Member): void => {
    const { members } = idp.services
    const { save } = members
    members.save = async (member) => {
      members.save = save
      const current = await idp.memberOf(member)
      await save(change(current))
      return save(member)
    }
  }

  /** A member about to rename their passkey. */
  const renaming = async () => {
    const { member, passkey } = await withPasskey(idp, await aMemberHere())
    await idp.services.members.save(member)
    const visitor = aVisitor()
    await visitor.visit(accountUrl(`/rename/${passkey.id}`))
    const response = passkey.authenticate(requestOptionsOn(visitor.page))
    await visitor.submit('passkey', { response })
    expect(visitor.page.heading).toBe('パスキーの名前を変えます')
    return { member, visitor, passkey }
  }
  const labelOf = async (member: Member) => (await passkeysOf(member))[0]?.label

  test.each<[string, (member: Member) => Partial<Member>]>([
    ['was blocked', () => ({ blocked: { reason: 'emailChangeUndone', since: clock.now() } })],
    ['was opened anew by the desk', () => ({ methodsClearedAt: clock.now() })],
    ['has another password', ({ password }) => ({ password: { ...password, hash: 'another' } })],
    ['has another address', () => ({ email: { address: 'x@example.jp', verifiedAt: 1 } })],
  ])('is not changed once it %s', async (_what, over) => {
    const { member, visitor } = await renaming()
    const before = await labelOf(member)
    overtakeWith((current) => ({ ...current, ...over(current) }))
    await visitor.submit('save', { label: '泥棒のPC' })
    const after = await idp.memberOf(member)
    expect(after).toMatchObject(over(member))
    expect(await labelOf(member)).toBe(before)
  })

  test('is changed where something else was: both are kept', async () => {
    const { member, visitor } = await renaming()
    overtakeWith((current) => ({ ...current, deviceOfferedAt: 1 }))
    await visitor.submit('save', { label: '居間のPC' })
    expect(visitor.page.text).toContain('パスキーの名前を変えました')
    expect(await labelOf(member)).toBe('居間のPC')
    expect((await idp.memberOf(member)).deviceOfferedAt).toBe(1)
  })
})
