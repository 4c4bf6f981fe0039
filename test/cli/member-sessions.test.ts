import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { MemberId } from '../../accounts/member.ts'
import { openDatabase } from '../../adapters/embedded/database.ts'
import { type Adapters, keepSetting, openAdapters } from '../../adapters/index.ts'
import { systemClock, systemRandom } from '../../adapters/system.ts'
import { loadConfig } from '../../config/index.ts'
import { verifyPassword } from '../../factors/password.ts'
import { openSigningKeys } from '../../signing-keys.ts'
import { temporaryFolder } from '../adapters/embedded/temporary.ts'
import { aSettledMember } from '../flows/recovery-support.ts'
import { A_PASSWORD } from '../support/builders.ts'
import { runHere, runWith } from './command.ts'

const log = { info() {}, warn() {}, error() {} }
const ports = { clock: systemClock, randomBytes: systemRandom, log }
const member = aSettledMember()

let dataDir: string
let remove: () => void
beforeEach(async () => {
  ;({ folder: dataDir, remove } = temporaryFolder())
  // A member who is signed in, and a server that has made its keys.
  await inStores(async (adapters, config) => {
    await (await openSigningKeys(config, adapters, ports)).close()
    await adapters.members.save(member)
    const now = systemClock.now()
    const when = { since: now, seenAt: now, endsAt: now + 3600 }
    await adapters.sessions.see({
      ...{ uid: 'uid-1', memberId: member.id, device: 'Chrome', grantIds: [], sids: {} },
      ...when,
    })
  })
})
afterEach(() => remove())

const inStores = async <T>(
  work: (adapters: Adapters, config: ReturnType<typeof loadConfig>) => Promise<T>,
): Promise<T> => {
  const config = loadConfig({ IDP_DATA_DIR: dataDir }, undefined, keepSetting)
  const adapters = await openAdapters(config, systemClock)
  try {
    return await work(adapters, config)
  } finally {
    await adapters.close()
  }
}
const standing = () =>
  inStores(async ({ members, sessions, audit }) => ({
    member: await members.findById(member.id as MemberId),
    sessions: (await sessions.list(member.id)).length,
    acts: (await audit.eventsOf(member.id)).map(({ act }) => act),
  }))
const typed = (name: string) =>
  ['member', name, member.societyId, member.loginId, '--operator', '山田花子'] as const

const inDatabase = (sql: string): void => {
  const db = openDatabase(join(dataDir, 'kenpo-id.sqlite'))
  db.run(sql)
  db.close()
}
/** The store takes everything but the mark of a session that has ended. */
const breakEndings = () =>
  inDatabase(
    `CREATE TRIGGER broken BEFORE INSERT ON transient WHEN NEW.key LIKE 'ended-session:%'
     BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END`,
  )
const mendEndings = () => inDatabase('DROP TRIGGER broken')

describe('A command that ends the member’s sessions', () => {
  test.each(['password', 'disable'])(
    '%s changes nothing where the signing keys cannot be read, however often it is given',
    async (name) => {
      const before = await standing()
      const env = { IDP_ENCRYPTION_KEYS: `another:${randomBytes(32).toString('base64url')}` }
      for (let times = 0; times < 2; times += 1) {
        const { code, out, err } = await runWith(dataDir, env, ...typed(name))
        expect([code, out]).toEqual([1, ''])
        expect(err).toContain('Nothing was changed')
        expect(err).toContain('unreadable_secret')
      }
      expect(await standing()).toEqual(before)
    },
  )

  test('password shows the new one though sessions cannot be ended, and says what to do', async () => {
    breakEndings()
    const { code, out, err } = await runHere(dataDir, ...typed('password'))
    expect(code).toBe(1)
    const password = /[a-z2-8]{4}-[a-z2-8]{4}-[a-z2-8]{4}/u.exec(out)?.[0] ?? ''
    expect(err).toContain('the disk is broken')
    expect(err).toContain('run member disable, then member enable')
    expect(err).not.toContain(password)
    expect((await standing()).sessions).toBe(1)

    mendEndings()
    expect((await runHere(dataDir, ...typed('disable'))).code).toBe(0)
    expect((await runHere(dataDir, ...typed('enable'))).code).toBe(0)
    const { member: now, sessions } = await standing()
    expect(sessions).toBe(0)
    expect(await verifyPassword(now?.password.hash ?? '', password)).toBe(true)
    expect(await verifyPassword(now?.password.hash ?? '', A_PASSWORD)).toBe(false)
  })

  test('disable says that the account is stopped though sessions are left, and ends them when given again', async () => {
    breakEndings()
    for (const said of ['利用を止めました。\n', 'すでに止められています。\n']) {
      const { code, out, err } = await runHere(dataDir, ...typed('disable'))
      expect(code).toBe(1)
      expect(out).toContain(said)
      expect(err).toContain('Run member disable again')
    }
    mendEndings()
    expect((await runHere(dataDir, ...typed('disable'))).code).toBe(0)
    expect(await standing()).toMatchObject({ sessions: 0, acts: ['memberDisabled'] })
  })
})
