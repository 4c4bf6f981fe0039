import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { changePassword, type Member, type MemberId } from '../../accounts/member.ts'
import type { MemberStore } from '../../accounts/ports.ts'
import { type Database, openDatabase } from '../../adapters/embedded/database.ts'
import { createMemberStore } from '../../adapters/embedded/members.ts'
import { addDemoMembers } from '../../config/demo-members.ts'
import { loadConfig } from '../../config/index.ts'
import { findPublicMembers } from '../../config/public-members.ts'
import { hashPassword, verifyPassword } from '../../factors/password.ts'

const NOW = 1_790_000_000
const config = loadConfig({})

describe('The demo members', () => {
  let folder: string
  let db: Database
  let members: MemberStore
  const add = () => addDemoMembers({ ...config, members, hashPassword, now: NOW })

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kenpo-id-demo-'))
    db = openDatabase(join(folder, 'test.sqlite'))
    members = createMemberStore(db)
  })
  afterEach(() => {
    db.close()
    rmSync(folder, { recursive: true })
  })

  test('can sign in with the passwords that are printed', async () => {
    for (const demo of await add()) {
      const member = await members.findByLoginId(demo.societyId, demo.loginId)
      expect(await verifyPassword(member?.password.hash, demo.password)).toBe(true)
      expect(member?.password.hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    }
  })

  test('stand at the start, half-way and at the end of first login', async () => {
    await add()
    const fresh = await members.findByLoginId('sakura', '12345-678')
    expect(fresh).toMatchObject({
      password: { initial: 'random' },
      email: { address: 'hanako@example.jp' },
      acceptedTerms: [],
    })
    expect(fresh?.email).not.toHaveProperty('verifiedAt')
    const legacy = await members.findByLoginId('sakura', '12345-701')
    expect(legacy?.password.initial).toBe('derived')
    const halfway = await members.findByLoginId('sakura', '12345-703')
    expect(halfway).toMatchObject({
      birthdateConfirmedAt: NOW,
      acceptedTerms: [{ version: '2026-04', clientId: 'health-portal' }],
      password: { initial: 'random' },
    })
    const enrolled = await members.findByLoginId('minato', '200-1236')
    expect(enrolled).toMatchObject({
      enrolledAt: NOW,
      chosenFactor: 'emailCode',
      email: { verifiedAt: NOW },
      acceptedTerms: [{ clientId: 'minato-portal' }],
    })
    expect(enrolled?.password).not.toHaveProperty('initial')
  })

  test('a legacy password is symbol, number and birthdate', async () => {
    for (const demo of await add()) {
      if (demo.initial !== 'derived') continue
      const derived = `${demo.loginId}-${demo.birthdate}`.replaceAll('-', '')
      expect(demo.password).toBe(derived)
    }
  })

  test('stay as they have become when the server starts again', async () => {
    await add()
    const before = await members.findByLoginId('sakura', '12345-678')
    if (!before) throw new Error('no such member')
    await members.save(changePassword(before, 'changed', NOW + 1))
    await add()
    const after = await members.findByLoginId('sakura', '12345-678')
    expect(after).toMatchObject({ id: before.id, password: { hash: 'changed' }, revision: 2 })
  })

  test('are added for configured societies only', async () => {
    const societies = new Map([...config.societies].filter(([id]) => id === 'minato'))
    const added = await addDemoMembers({
      ...config,
      societies,
      members,
      hashPassword,
      now: NOW,
    })
    expect(new Set(added.map(({ societyId }) => societyId))).toEqual(new Set(['minato']))
    expect(await members.findByLoginId('sakura', '12345-678')).toBeUndefined()
  })

  test('and nobody else are told to be public, whatever they have become', async () => {
    expect(await findPublicMembers(members)).toEqual([])
    const added = await add()
    const theirs = (found: readonly Member[]) => found.map(({ loginId }) => loginId).sort()
    expect(theirs(await findPublicMembers(members))).toEqual(
      added.map(({ loginId }) => loginId).sort(),
    )
    const [member] = await findPublicMembers(members)
    if (!member) throw new Error('no such member')
    const changed = await members.save({
      ...changePassword(member, 'changed', NOW + 1),
      loginId: 'other-1',
    })
    expect(theirs(await findPublicMembers(members))).toContain('other-1')
    await members.save({ ...changed, blocked: { reason: 'disabled', since: NOW + 2 } })
    expect(theirs(await findPublicMembers(members))).toHaveLength(added.length - 1)
    await members.save({ ...changed, id: 'x' as MemberId, loginId: '12345-900', revision: 0 })
    expect(theirs(await findPublicMembers(members))).toHaveLength(added.length - 1)
  })
})
