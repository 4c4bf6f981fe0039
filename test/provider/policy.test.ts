import { describe, expect, test } from '@jest/globals'
import type { Client, KoaContextWithOIDC } from 'oidc-provider'
import type { MemberId } from '../../accounts/member.ts'
import type { MemberStore } from '../../accounts/ports.ts'
import { findAccount, pairwiseIdentifier } from '../../provider/account.ts'
import { ttl } from '../../provider/ttl.ts'
import { aMember, anEnrolledMember, T0 } from '../support/builders.ts'

const NO_CONTEXT = {} as KoaContextWithOIDC // what is tested here does not look at it

const NO_CLIENTS = { find: async () => undefined }
const NO_CONSENT = async () => undefined

const storeOf = (...members: ReturnType<typeof aMember>[]): MemberStore => ({
  findById: async (id) => members.find((member) => member.id === id),
  findByLoginId: async () => undefined,
  findByVerifiedEmail: async () => [],
  ofSociety: async function* () {
    yield* members
  },
  save: async (member) => member,
})

describe('The engine’s account', () => {
  const accountOf = async (
    member: ReturnType<typeof aMember>,
    client: Readonly<{ scope: string; policy?: object }> = { scope: 'openid' },
  ) => {
    const ctx = { oidc: { client: { policy: {}, ...client } } } as unknown as KoaContextWithOIDC // all it reads
    return findAccount(storeOf(member), NO_CLIENTS, NO_CONSENT)(ctx, member.id)
  }
  const claimsOf = async (...of: Parameters<typeof accountOf>) =>
    (await accountOf(...of))?.claims('userinfo', 'openid', {}, [])

  test('tells the address once it is proven', async () => {
    const scope = 'openid email'
    expect(await claimsOf(anEnrolledMember(), { scope })).toEqual({
      sub: 'member-1',
      email: 'hanako@example.com',
      email_verified: true,
    })
    const onFile = aMember({ email: { address: 'hanako@example.com' } })
    expect(await claimsOf(onFile, { scope })).toEqual({ sub: 'member-1' })
  })

  test('tells no client more than its own scopes and our terms with it allow', async () => {
    const member = anEnrolledMember({ profile: { name: '健保 花子', phone_number: '+8130' } })
    const told = async (scope: string, policy: object = {}) =>
      Object.keys((await claimsOf(member, { scope, policy })) ?? {}).sort()
    expect(await told('openid')).toEqual(['sub'])
    expect(await told('openid profile')).toEqual(['birthdate', 'locale', 'name', 'sub'])
    expect(await told('openid profile', { claims: ['name'] })).toEqual(['name', 'sub'])
    expect(await told('openid phone', { claims: [] })).toEqual(['sub'])
    expect(await told('openid insured')).toEqual(['insured_number', 'insured_symbol', 'sub'])
  })

  test('is nobody for an unknown or blocked member', async () => {
    const blocked = { reason: 'emailChangeUndone', since: T0 } as const
    expect(await accountOf(anEnrolledMember({ blocked }))).toBeUndefined()
    expect(
      await findAccount(storeOf(), NO_CLIENTS, NO_CONSENT)(NO_CONTEXT, 'member-1'),
    ).toBeUndefined()
  })
})

describe('A token of a sign-in that the member has ended since', () => {
  const member = anEnrolledMember({ signedOut: { at: T0, except: 'this-one' } })
  const client = { tokensSince: 0, policy: { society: member.societyId } }
  const known = { find: async () => ({ client }) } as unknown as Parameters<typeof findAccount>[1] // all it reads
  const accountFor = (token: object) =>
    findAccount(storeOf(member), known, NO_CONSENT)(NO_CONTEXT, member.id, {
      clientId: 'portal',
      ...token,
    })

  test('is nobody’s; one of the session it was ended in, or of a later sign-in, is', async () => {
    expect(await accountFor({ iat: T0 - 1, sessionUid: 'another' })).toBeUndefined()
    expect(await accountFor({ iat: T0 - 1, sessionUid: 'this-one' })).toBeDefined()
    expect(await accountFor({ iat: T0 + 1, sessionUid: 'another' })).toBeDefined()
  })
})

describe('A pairwise subject', () => {
  const sectorOf = (sectorIdentifier: string) => ({ sectorIdentifier }) as unknown as Client // all it reads
  const subOf = (salt: string, sector: string, id: string) =>
    pairwiseIdentifier(salt)(NO_CONTEXT, id as MemberId, sectorOf(sector))

  test('is the same for one member in one sector, and another in any other', () => {
    const sub = subOf('salt', 'a.example', 'member-1')
    expect(subOf('salt', 'a.example', 'member-1')).toBe(sub)
    const others = [
      subOf('salt', 'b.example', 'member-1'),
      subOf('salt', 'a.example', 'member-2'),
      subOf('other', 'a.example', 'member-1'),
    ]
    expect(new Set([sub, ...others]).size).toBe(4)
    expect(sub).toMatch(/^[\w-]{43}$/u)
  })

  test.each(['', 'localhost:3001', '127.0.0.1', '[::1]:80'])(
    'of apps whose sector is %j, which is nobody’s host, is another at each',
    (sectorIdentifier) => {
      const at = (clientId: string) =>
        pairwiseIdentifier('salt')(NO_CONTEXT, 'member-1', {
          clientId,
          sectorIdentifier,
        } as unknown as Client) // all it reads
      expect(at('one')).not.toBe(at('other'))
    },
  )
})

describe('A session’s remaining life', () => {
  const { Session } = ttl(() => T0)
  const left = (loginTs: number | undefined): number => {
    if (typeof Session !== 'function') throw new Error('the session’s life is not computed')
    // The session's sign-in time is all that is read.
    return Session(NO_CONTEXT, { loginTs } as Parameters<typeof Session>[1])
  }

  test('is half an hour, but never beyond twelve hours after sign-in', () => {
    expect(left(undefined)).toBe(1800)
    expect(left(T0)).toBe(1800)
    expect(left(T0 - 12 * 3600 + 1800)).toBe(1800)
    expect(left(T0 - 12 * 3600 + 60)).toBe(60)
    expect(left(T0 - 12 * 3600)).toBe(1)
    expect(left(T0 - 13 * 3600)).toBe(1)
  })
})
