import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import type { Member, MemberId } from '../../accounts/member.ts'
import { removeCredential } from '../../accounts/member.ts'
import { aJourneyOf, aNewcomer, settled } from '../flows/support.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { type Evidence, evidenceOf, invariantsOf, violations } from '../support/invariants.ts'
import type { StoredArtifact } from '../support/stores.ts'

/** What every test of faults holds its stores against must itself be able to find fault. */
describe('What is held against the stores after a fault', () => {
  let idp: Idp
  let real: Evidence
  let member: Member
  beforeAll(async () => {
    idp = await startIdp()
    const journey = await aJourneyOf(idp, aNewcomer(), { method: 'totp' })
    await journey.start()
    await journey.finish()
    await settled(idp)
    member = await idp.memberOf(journey.member)
    real = await evidenceOf(idp)
  })
  afterAll(() => idp.close())

  test('finds nothing against a member who has just signed in, and has looked at all of it', () => {
    expect(violations(real, real)).toEqual([])
    expect(real.members).toEqual([member])
    expect(real.signIns).toHaveLength(1)
    expect(real.mails.length).toBeGreaterThan(0)
    expect(real.log.length).toBeGreaterThan(0)
    expect(new Set(real.artifacts.map(({ model }) => model))).toContain('AccessToken')
    expect(real.required.get('health-portal')).toBe('urn:kenpo-id:acr:email')
  })

  const one = (change: (member: Member) => Member) => (evidence: Evidence) => ({
    ...evidence,
    members: evidence.members.map(change),
  })
  const another = (change: (member: Member) => Member) => (evidence: Evidence) => ({
    ...evidence,
    members: evidence.members.flatMap((was) => [
      was,
      change({ ...was, id: 'another' as MemberId, loginId: 'another', credentials: [] }),
    ]),
  })
  const token =
    (model: string, over: object, is: Partial<StoredArtifact> = {}) =>
    (evidence: Evidence) => {
      const payload = {
        ...{ accountId: member.id, clientId: 'health-portal', grantId: 'grant', iiat: 1 },
        ...{ acr: 'urn:kenpo-id:acr:email', amr: ['pwd', 'otp', 'mca'] },
        ...over,
      }
      const made = { model, payload: JSON.stringify(payload), consumed: false, revoked: false }
      return { ...evidence, artifacts: [...evidence.artifacts, { ...made, ...is }] }
    }
  const rotated = { rotations: 1 }
  const line = (over: object) => (evidence: Evidence) => ({
    ...evidence,
    log: [...evidence.log, { level: 'info', msg: 'request', route: '/token', ...over }],
  })
  const without =
    <K extends keyof Member>(...names: readonly K[]) =>
    (was: Member): Member =>
      // Only what a member may lack is taken.
      Object.fromEntries(
        Object.entries(was).filter(([name]) => !names.includes(name as K)),
      ) as unknown as Member
  const mail = (code: string, id = '<one@example.jp>') => ({
    text: `\n  ${code}\n`,
    headers: { 'message-id': id },
  })

  test.each<readonly [string, (evidence: Evidence) => Evidence, RegExp]>([
    [
      'a pass that was used and never issued',
      (now) => ({
        ...now,
        audit: [
          {
            ...{ id: 'used', at: 1, act: 'deskPassUsed' as const, societyId: 'sakura' },
            ...{ memberId: member.id, facts: {} },
          },
        ],
      }),
      /^I1: .* more passes/,
    ],
    [
      'two refresh tokens of one family',
      (now) => token('RefreshToken', rotated)(token('RefreshToken', rotated)(now)),
      /^I1: two refresh tokens/,
    ],
    [
      'one mail with two codes',
      (now) => ({ ...now, mails: [mail('123456'), mail('654321')] }),
      /^I1: two codes/,
    ],
    [
      'a code in the queue',
      (now) => ({ ...now, mails: [mail('123456')], outbox: '{"code":"123456"}' }),
      /^I1: a code stands in the queue/,
    ],
    ['a token of nobody', token('AccessToken', { accountId: 'nobody' }), /^I2: .* who is nobody/],
    [
      'a token before the end of the first login',
      one(without('enrolledAt')),
      /^I2: .* not enrolled/,
    ],
    ['a token for the password alone', token('AccessToken', { amr: ['pwd'] }), /^I2: .* claims/],
    [
      'a token of less than its client asks for',
      token('RefreshToken', { acr: 'urn:kenpo-id:acr:pwd', amr: ['pwd'] }),
      /^I2: .* its client asks for/,
    ],
    ['a member who is gone', (now) => ({ ...now, members: [] }), /^I3: .* lost everything/],
    ['a date of birth that is gone', one(without('birthdateConfirmedAt')), /^I3: .* date of birth/],
    ['terms that are gone', one((was) => ({ ...was, acceptedTerms: [] })), /^I3: .* terms/],
    ['a first login to be done anew', one(without('enrolledAt')), /^I3: .* the first login/],
    [
      'the initial password again',
      one((was) => ({ ...was, password: { ...was.password, initial: 'random' } })),
      /^I3: .* a password of their own/,
    ],
    [
      'an address that is not confirmed any more',
      one((was) => ({ ...was, email: { address: was.email?.address ?? '' } })),
      /^I3: .* a confirmed address/,
    ],
    [
      'a method that is gone',
      one((was) => removeCredential(was, was.credentials[0]?.id ?? '')),
      /^I3: .* a method/,
    ],
    ['a sign-in that is gone', (now) => ({ ...now, signIns: [] }), /^I3: .* sign-in/],
    [
      'an enrolled member without terms',
      one((was) => ({ ...was, acceptedTerms: [] })),
      /^I4: .* terms/,
    ],
    [
      'an enrolled member without a date of birth',
      one(without('birthdateConfirmedAt')),
      /^I4: .* a date of birth/,
    ],
    [
      'an enrolled member with the initial password',
      one((was) => ({ ...was, password: { ...was.password, initial: 'random' } })),
      /^I4: .* the initial password/,
    ],
    ['an enrolled member without an address', one(without('email')), /^I4: .* enrolled without an/],
    ['an enrolled member without a method', one(without('chosenFactor')), /^I4: .* a method/],
    [
      'a method before an address',
      one(without('email', 'enrolledAt')),
      /^I4: .* a method before an address/,
    ],
    [
      'an address before terms',
      one((was) => ({ ...without('enrolledAt')(was), acceptedTerms: [] })),
      /^I4: .* an address before terms/,
    ],
    [
      'one method twice',
      one((was) => ({ ...was, credentials: [...was.credentials, ...was.credentials] })),
      /^I4: .* one method twice/,
    ],
    [
      'two sets of recovery codes',
      one((was) => ({
        ...was,
        credentials: ['a', 'b'].map((id) => ({
          ...{ id, factor: 'recoveryCode' as const, registeredAt: 1, data: {} },
        })),
      })),
      /^I4: .* two sets/,
    ],
    [
      'one address twice',
      one((was) => ({
        ...was,
        secondEmail: { address: was.email?.address ?? '', verifiedAt: 1 },
      })),
      /^I4: .* one address twice/,
    ],
    [
      'two members of one user ID',
      another((copy) => ({ ...copy, loginId: member.loginId })),
      /^I4: two members have the user ID/,
    ],
    [
      'two members with one passkey',
      (now) => {
        const passkey = { id: 'key', factor: 'passkey', registeredAt: 1, data: {} } as const
        const held = one((was) => ({ ...was, credentials: [...was.credentials, passkey] }))(now)
        return another((copy) => ({ ...copy, credentials: [passkey] }))(held)
      },
      /^I4: two members have the passkey/,
    ],
    [
      'an older version of a member',
      one((was) => ({ ...was, revision: was.revision - 1 })),
      /^I5: .* older version/,
    ],
    [
      'a counter that went back',
      one((was) => ({
        ...was,
        credentials: was.credentials.map((held) => ({ ...held, data: { lastStep: 0 } })),
      })),
      /^I5: a counter/,
    ],
    ['an answer of 500', line({ status: 500 }), /^I7: .* answered 500/],
    ['a fault told to an application', line({ error: 'server_error' }), /^I7: an application/],
    ['a fault that nobody caught', line({ msg: 'uncaught' }), /^I7: a fault that nobody caught/],
  ])('finds %s', (_what, plant, says) => {
    expect(violations(plant(real), real)).toContainEqual(expect.stringMatching(says))
  })

  test('lets pass what the desk has done, what is revoked or used, and a store that is away', () => {
    const cleared = one((was) => ({ ...was, credentials: [], methodsClearedAt: 2 }))(real)
    const events = (['deskPassIssued', 'deskPassUsed', 'methodsRemoved'] as const).map((act) => ({
      ...{ id: act, at: 1, act, societyId: 'sakura', memberId: member.id, facts: {} },
    }))
    expect(violations({ ...cleared, audit: events }, real)).toEqual([])
    const weak = { amr: ['pwd'] }
    expect(violations(token('AccessToken', weak, { revoked: true })(real), real)).toEqual([])
    expect(violations(token('AuthorizationCode', weak, { consumed: true })(real), real)).toEqual([])
    expect(violations(line({ status: 503 })(real), real)).toEqual([])
  })

  test('reads what is there from the stores themselves, and what was there before', async () => {
    const invariants = invariantsOf(idp)
    expect(await invariants.broken()).toEqual([])
    const { enrolledAt: _, ...half } = await idp.memberOf(member)
    await idp.services.members.save({ ...half, acceptedTerms: [] })
    const found = await invariants.broken()
    for (const says of [
      /^I2: AccessToken .* not enrolled/,
      /^I3: .* terms/,
      /^I4: .* before terms/,
    ]) {
      expect(found).toContainEqual(expect.stringMatching(says))
    }
  })
})
