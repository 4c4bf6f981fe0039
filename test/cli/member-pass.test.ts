import { execFileSync } from 'node:child_process'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { verifyDeskPass } from '../../factors/desk-pass.ts'
import { temporaryFolder } from '../adapters/embedded/temporary.ts'
import {
  aSettledMember,
  aVisit,
  PAGE,
  passFor,
  signIn,
  withApp,
} from '../flows/recovery-support.ts'
import { aMember } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { type Outcome, runCommand, runHere } from './command.ts'

let idp: Idp
let member: Member
beforeAll(async () => {
  idp = await startIdp()
  member = await idp.services.members.save((await withApp(idp, aSettledMember())).member)
})
afterAll(() => idp.close())

const kenpoIdp = (...args: readonly string[]): Promise<Outcome> => runCommand(idp.dataDir, ...args)

const passIn = ({ out, err }: Outcome): string => {
  const pass = /[0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){2}/u.exec(out)?.[0]
  if (pass === undefined) throw new Error(`no pass in: ${out}${err}`)
  return pass
}

/** Every byte of the store's files. Read by another process: closing a file would drop the locks that
 * SQLite holds on it in this one. */
const storeText = (): string => {
  const script = `const { readdirSync, readFileSync } = require('node:fs')
    for (const name of readdirSync(process.argv[1])) {
      process.stdout.write(readFileSync(process.argv[1] + '/' + name))
    }`
  return execFileSync(process.execPath, ['-e', script, idp.dataDir], { encoding: 'latin1' })
}

test('the desk issues a pass beside the running server, and the member uses it', async () => {
  const now = idp.clock.now()
  const issued = await kenpoIdp(
    ...['member', 'pass', 'sakura', ` ${member.loginId.toUpperCase()}`],
    ...['--operator', '山田花子', '--minutes', '30'],
  )
  expect(issued.code).toBe(0)
  expect(issued.out).toMatch(/期限：\d{4}年\d+月\d+日（.）\d\d:\d\d まで/u)
  expect(issued.out).toMatch(/Valid until: .+ \(Japan time\), once/u)
  const pass = passIn(issued)

  const { deskPass } = await idp.memberOf(member)
  const seconds = (deskPass?.expiresAt ?? 0) - now
  expect(seconds).toBeGreaterThanOrEqual(1800)
  expect(seconds).toBeLessThan(1900)
  const [event, ...more] = await idp.services.audit.eventsOf(member.id)
  expect(more).toEqual([])
  expect(event).toMatchObject({
    act: 'deskPassIssued',
    operator: '山田花子',
    societyId: 'sakura',
    facts: { minutes: '30' },
  })

  const visit = await aVisit(idp)
  await signIn(visit, member)
  await visit.visitor.submit('lost-factor')
  const page = await visit.visitor.submit('desk-pass', { pass })
  expect([PAGE.choosePlace, PAGE.choose]).toContain(page.heading)
})

test('the pass is kept as a hash: neither it nor a part of it stands in the store', async () => {
  const pass = await passFor(idp, member)
  const kept = storeText()
  expect(kept).toContain('deskPassIssued')
  for (const trace of [pass, pass.replaceAll('-', ''), pass.slice(0, 9)]) {
    expect(kept).not.toContain(trace)
  }
  const { deskPass } = await idp.memberOf(member)
  expect(deskPass?.hash).toMatch(/^\$argon2id\$/u)
})

test('a new pass takes the place of the one before', async () => {
  const [first, second] = [await passFor(idp, member), await passFor(idp, member)]
  const now = idp.clock.now()
  const stored = await idp.memberOf(member)
  expect((await verifyDeskPass(stored, first, now)).ok).toBe(false)
  expect((await verifyDeskPass(stored, second, now)).ok).toBe(true)
})

test.each([
  ['an unknown member', 1, ['sakura', '00000-0', '--operator', 'A'], '00000-0'],
  ['an unknown society', 1, ['tsubaki', '12345-678', '--operator', 'A'], 'sakura, minato'],
  ['no operator', 2, ['sakura', '12345-678'], '--operator'],
  ['an empty operator', 2, ['sakura', '12345-678', '--operator', ' '], '--operator'],
  ['more than an hour', 2, ['sakura', '12345-678', '--operator', 'A', '--minutes', '61'], '60'],
  ['no number', 2, ['sakura', '12345-678', '--operator', 'A', '--minutes', 'x'], '60'],
])('with %s it says so and fails with exit code %i', async (_what, exitCode, args, says) => {
  const { folder, remove } = temporaryFolder()
  const { code, out, err } = await runHere(folder, 'member', 'pass', ...args)
  remove()
  expect(code).toBe(exitCode)
  expect(out).toBe('')
  expect(err).toContain(says)
  expect(err).not.toMatch(/ at .*\.ts:\d+/u)
})

test('a member whose first login is not finished gets another answer than a pass', async () => {
  const newcomer = await idp.services.members.save(aMember({ loginId: '45678-1' }))
  await expect(passFor(idp, newcomer)).rejects.toThrow('初期パスワードを再発行')
  expect((await idp.memberOf(newcomer)).deskPass).toBeUndefined()
  expect(await idp.services.audit.eventsOf(newcomer.id)).toEqual([])
})
