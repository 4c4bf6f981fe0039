import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { openDatabase } from '../../adapters/embedded/database.ts'
import { createMemberStore } from '../../adapters/embedded/members.ts'
import { verifyPassword } from '../../factors/password.ts'
import { temporaryFolder } from '../adapters/embedded/temporary.ts'
import { startCommand } from './command.ts'
import { readCsv } from './desk.ts'

/** More than two chunks go through together. */
const ROWS = 80
const IDS = Array.from({ length: ROWS }, (_, index) => `12345-${1000 + index}`)

/** Every byte of the running process's arguments. */
const argumentsOf = (pid: number | undefined): string =>
  existsSync('/proc/self/cmdline') ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : ''

/** Read while nobody else has the file open. */
const membersIn = async (dataDir: string): Promise<readonly Member[]> => {
  const db = openDatabase(join(dataDir, 'kenpo-id.sqlite'))
  const members: Member[] = []
  for await (const member of createMemberStore(db).ofSociety('sakura')) members.push(member)
  db.close()
  return members
}

test('an import that is killed half way leaves whole members only, and goes on where it stopped', async () => {
  const { folder, remove } = temporaryFolder()
  const dataDir = join(folder, 'data')
  mkdirSync(dataDir)
  const file = join(folder, 'members.csv')
  const passwords = join(folder, 'passwords.csv')
  const part = `${passwords}.part`
  const row = (id: string) => `${id},12345,${id.slice(6)},1985-04-01,m${id}@example.jp`
  writeFileSync(file, `login_id,symbol,number,birthdate,email\n${IDS.map(row).join('\n')}\n`)
  const report = join(folder, 'report.csv')
  const plain = [
    ...['member', 'import', file, '--society', 'sakura', '--operator', '山田花子'],
    ...['--passwords-file', passwords, '--lang', 'en'],
  ]
  const args = [...plain, '--report', report]
  try {
    const first = startCommand(dataDir, {}, args)
    const promised = () => (existsSync(part) ? readFileSync(part, 'utf8').split('\n').length : 0)
    while (promised() < ROWS / 2 && first.child.exitCode === null) await delay(5)
    const typed = argumentsOf(first.child.pid)
    first.child.kill('SIGKILL')
    await first.ended

    const half = await membersIn(dataDir)
    expect(half.length).toBeGreaterThan(0)
    expect(half.length).toBeLessThan(ROWS)
    expect([existsSync(passwords), existsSync(report)]).toEqual([false, false])
    const journal = readFileSync(part, 'utf8')
    for (const { loginId, ...member } of half) {
      expect(member).toMatchObject({
        societyId: 'sakura',
        birthdate: '1985-04-01',
        insured: { symbol: '12345', number: loginId.slice(6) },
        email: { address: `m${loginId}@example.jp` },
        password: { initial: 'random', hash: expect.stringMatching(/^\$argon2id\$.{80}/u) },
        revision: 1,
      })
      // Whoever is stored has a password that stands in a file.
      expect(journal).toContain(member.id)
    }
    for (const line of journal.split('\n').slice(0, -1)) {
      expect(typed).not.toContain(String(JSON.parse(line).password))
    }

    const again = await startCommand(dataDir, {}, args).ended
    expect(again.code).toBe(2)
    expect(again.err).toContain('--resume')
    expect(await membersIn(dataDir)).toEqual(half)

    // A crash may also tear the last line.
    writeFileSync(part, `${journal.slice(0, journal.lastIndexOf('\n') + 1)}{"memberId":"torn`)
    const resumed = await startCommand(dataDir, {}, [...args, '--resume']).ended
    expect(resumed.err).not.toContain('Error')
    expect(resumed.code).toBe(0)
    expect(resumed.out).toContain(
      `created ${ROWS - half.length}, updated 0, unchanged ${half.length}, refused 0`,
    )

    const all = await membersIn(dataDir)
    expect(all.map(({ loginId }) => loginId)).toEqual(IDS)
    for (const member of half) expect(all).toContainEqual(member)
    expect(existsSync(part)).toBe(false)
    const [, ...written] = readCsv(passwords)
    expect(written).toHaveLength(ROWS)
    const secrets = new Map(written.map(([, loginId = '', password = '']) => [loginId, password]))
    for (const { loginId, password } of all) {
      expect(await verifyPassword(password.hash, secrets.get(loginId) ?? '')).toBe(true)
    }
    expect(resumed.out + resumed.err).not.toContain(secrets.get(IDS[0] ?? ''))

    // An answer to every row, in the place of what the first run had begun.
    expect(readCsv(report).map(([, id]) => id)).toEqual(['login_id', ...IDS])
    expect(existsSync(`${report}.part`)).toBe(false)

    const settled = await startCommand(dataDir, {}, plain).ended
    expect(settled.out).toContain(`created 0, updated 0, unchanged ${ROWS}, refused 0`)
    expect(await membersIn(dataDir)).toEqual(all)
  } finally {
    remove()
  }
}, 120_000)
