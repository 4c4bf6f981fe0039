import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Member, type MemberId, undoEmailChange } from '../../accounts/member.ts'
import { countersOf } from '../../cli/counters.ts'
import type { Desk } from '../../cli/desk.ts'
import { disableMember, enableMember, unlockMember } from '../../cli/member-block.ts'
import { reissueInitialPassword } from '../../cli/member-password.ts'
import { showMember } from '../../cli/member-show.ts'
import { checkSocieties } from '../../cli/society-check.ts'
import {
  aSettledMember,
  aVisit,
  mailsTo,
  NEW_PASSWORD,
  newestCode,
  PAGE,
  passFor,
  signIn,
  type Visit,
  withApp,
} from '../flows/recovery-support.ts'
import { settled } from '../flows/support.ts'
import { A_PASSWORD, aMember } from '../support/builders.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { runCommand, runHere, startCommand } from './command.ts'

let idp: Idp
let folder: string
beforeAll(async () => {
  idp = await startIdp()
  folder = mkdtempSync(join(tmpdir(), 'kenpo-id-cli-'))
})
afterAll(async () => {
  rmSync(folder, { recursive: true })
  await idp.close()
})

const stored = (member: Member) => idp.services.members.save(member)
const eventsOf = ({ id }: Member) => idp.services.audit.eventsOf(id)
/** The command in a process of its own, whose clock is the machine's: the server's is not behind it. */
const act = async (name: string, member: Member, ...more: readonly string[]) => {
  const outcome = await runCommand(
    idp.dataDir,
    ...['member', name, member.societyId, member.loginId, '--operator', '山田花子', ...more],
  )
  await idp.clock.advance(Math.max(0, Math.ceil(Date.now() / 1000) - idp.clock.now()))
  return outcome
}
/** The commands' own functions on the running server's stores, for what needs no process. */
const desk = (): Desk => ({
  ...idp.services,
  societies: idp.services.settings.societies,
  openSessions: async () => async () => {},
})
const asked = (member: Member) => ({
  societyId: member.societyId,
  loginId: member.loginId,
  operator: '山田花子',
})

const signInWithCode = async (visit: Visit, member: Member, password = A_PASSWORD) => {
  await signIn(visit, member, password)
  return visit.visitor.submit('verifyFactor', { code: await newestCode(idp, member) })
}

describe('member disable and member enable', () => {
  test('end every session and token at once, and open the account without them again', async () => {
    const { member: one, app } = await withApp(idp, aSettledMember())
    const member = await stored(one)
    const enter = async (browser: Visit) => {
      await idp.clock.advance(60) // a code of the app is good once
      await signIn(browser, member)
      await browser.visitor.submit('verifyFactor', { code: app.codeAt(idp.clock.now()) })
    }
    const visit = await aVisit(idp)
    await enter(visit)
    expect(visit.visitor.page.heading).toBe(PAGE.signedIn)
    const tokens = await visit.rp.finish(visit.visitor.page.url)
    await visit.rp.userInfo(tokens)

    const disabled = await act('disable', member)
    expect(disabled).toMatchObject({ code: 0, out: expect.stringContaining('利用を止めました') })
    await expect(visit.rp.userInfo(tokens)).rejects.toThrow()
    expect(await idp.services.sessions.list(member.id)).toEqual([])
    await visit.visitor.visit(await visit.rp.authorizationUrl())
    expect(visit.visitor.page.heading).toBe(PAGE.password)
    await signIn(visit, member)
    expect(visit.visitor.page.heading).toBe(PAGE.stopped)
    expect(visit.visitor.page.status).toBe(403)
    expect(visit.visitor.page.text).toContain(
      '健康保険組合が、このユーザIDのログインを止めています',
    )

    await expect(passFor(idp, member)).rejects.toThrow('member enable')
    await expect(unlockMember(desk(), asked(member))).rejects.toThrow('member enable')
    expect(await disableMember(desk(), asked(member))).toContain('すでに')
    expect(await enableMember(desk(), asked(member))).toContain('利用を再開しました')
    // What was issued before stays dead.
    await expect(visit.rp.userInfo(tokens)).rejects.toThrow()
    const next = await aVisit(idp)
    await enter(next)
    expect(next.visitor.page.heading).toBe(PAGE.signedIn)
    expect((await eventsOf(member)).map(({ act: done, operator }) => [done, operator])).toEqual([
      ['memberDisabled', '山田花子'],
      ['memberEnabled', '山田花子'],
    ])
  })
})

describe('member unlock', () => {
  test('forgets every counter of the member and lifts a block', async () => {
    const member = await stored(
      undoEmailChange(aSettledMember(), { former: 'former@example.jp', changedAt: 3 }, 5),
    )
    const { throttle, settings } = idp.services
    for (const [limit, key] of countersOf(settings, member)) {
      for (let tries = 0; (await throttle.count(limit, key)).ok && tries < 200; ) tries += 1
    }
    await unlockMember(desk(), asked(member))
    for (const [limit, key] of countersOf(settings, member)) {
      expect([limit, (await throttle.look(limit, key)).ok]).toEqual([limit, true])
    }
    expect((await idp.memberOf(member)).blocked).toBeUndefined()
    const [event] = await eventsOf(member)
    expect(event).toMatchObject({ act: 'memberUnlocked', facts: { lifted: 'emailChangeUndone' } })
    expect(event?.facts.paused?.split(' ')).toContain('password')
  })
})

describe('member password', () => {
  const passwordIn = (out: string): string =>
    /[a-z2-8]{4}-[a-z2-8]{4}-[a-z2-8]{4}/u.exec(out)?.[0] ?? ''

  test('gives a way in once, behind the method that the member holds, and tells them by mail', async () => {
    const member = await stored(aSettledMember())
    const { code, out } = await act('password', member, '--days', '3')
    expect(code).toBe(0)
    const password = passwordIn(out)
    await settled(idp)
    const subjects = mailsTo(idp, member.email?.address).map(({ subject }) => subject)
    expect(subjects.join()).toContain('パスワード')

    const visit = await aVisit(idp)
    await signIn(visit, member, A_PASSWORD)
    expect(visit.visitor.page.heading).toBe(PAGE.password)
    await signInWithCode(visit, member, password)
    expect(visit.visitor.page.heading).toBe('新しいパスワードを決めてください')
    await visit.visitor.submit('newPassword', { password: NEW_PASSWORD })
    expect(visit.visitor.page.heading).toBe(PAGE.signedIn)
    await signIn(await aVisit(idp), member, password)
    expect((await idp.memberOf(member)).password).not.toHaveProperty('initial')

    const events = JSON.stringify(await eventsOf(member))
    expect(events).toContain('initialPasswordIssued')
    expect(events).not.toContain(password)
  })

  test('opens a first login again that ran out of time, until its own end', async () => {
    const late = idp.clock.now() - 31 * 86_400
    const member = await stored(
      aMember({ id: 'late' as MemberId, loginId: '77777-1', birthdateConfirmedAt: late }),
    )
    const out = await reissueInitialPassword(desk(), { ...asked(member), days: 7 })
    const { password, birthdateConfirmedAt } = await idp.memberOf(member)
    expect(birthdateConfirmedAt).toBeUndefined()
    const visit = await aVisit(idp)
    await signIn(visit, member, passwordIn(out))
    expect(visit.visitor.page.heading).toBe('生年月日を入力してください')

    await idp.clock.advance((password.initialExpiresAt ?? 0) - idp.clock.now())
    const tooLate = await aVisit(idp)
    await signIn(tooLate, member, passwordIn(out))
    expect(tooLate.visitor.page.heading).toBe(PAGE.stopped)
    expect(tooLate.visitor.page.text).toContain('最初のパスワードの期限が過ぎました')
    expect(tooLate.visitor.page.text).toContain('電話でお問い合わせください')
  })
})

describe('member show', () => {
  test('tells where the member stands and no secret, in either language', async () => {
    const member = await stored(
      aSettledMember({
        email: { address: 'secret-name@example.jp', verifiedAt: 1_775_000_000 },
        birthdate: '1961-02-03',
      }),
    )
    const pass = await passFor(idp, member)
    const ja = await showMember(desk(), { ...asked(member), locale: 'ja' })
    expect(ja).toContain('s•••••@example.jp')
    expect(ja).toContain('  ✓ 新しいパスワード')
    expect(ja).toContain('最初に使う方法: メールのコード')
    const en = await showMember(desk(), { ...asked(member), locale: 'en' })
    expect(en).toContain('First login: complete')
    expect(en).toMatch(/memberShown 山田花子/u)
    for (const secret of ['secret-name', 'argon2', pass, '1961', member.id]) {
      expect(ja + en).not.toContain(secret)
    }
  })

  test('says why a member cannot go on, and what is paused', async () => {
    const expired = { initial: 'random' as const, initialExpiresAt: 9, hash: 'h', changedAt: 1 }
    const member = await stored(
      aMember({ id: 'shown' as MemberId, loginId: '77777-2', password: expired }),
    )
    const { throttle, settings } = idp.services
    const [limit, key] = countersOf(settings, member)[0] ?? ['password', '']
    while ((await throttle.count(limit, key)).ok);
    const shown = await showMember(desk(), { ...asked(member), locale: 'en' })
    expect(shown).toContain('Sign-in stops: initialPasswordExpired')
    expect(shown).toMatch(/Initial password: postcard \/ expired/u)
    expect(shown).toMatch(/Paused by attempts: password → /u)
  })
})

test('member show lists what the member has allowed the application that has the ID now', async () => {
  const member = await stored(aSettledMember({ id: 'allows' as MemberId, loginId: '77777-3' }))
  const { consents, clients } = idp.services
  const now = idp.clock.now()
  const given = { memberId: member.id, since: now, updatedAt: now, claims: [], resources: [] }
  const ids = ['remade', 'gone', 'health-portal']
  for (const clientId of ids) await consents.give({ ...given, clientId, scopes: ['openid'] })
  await idp.clock.advance(120)
  await clients.registry.create(
    {
      client_id: 'remade',
      client_name: '別のアプリ',
      redirect_uris: [idp.redirectUri],
      policy: { society: 'sakura', thirdParty: true },
    },
    { operator: '山田花子', door: 'cli' },
  )
  const shown = await showMember(desk(), { ...asked(member), locale: 'en' })
  expect(shown).toContain('Connected apps: 2')
  expect(shown).toContain(' gone openid')
  expect(shown).toContain(' health-portal openid')
  expect(shown).not.toContain('remade')
})

describe('society check', () => {
  test('counts the members who cannot go on, and finds terms that no file has any more', async () => {
    const { settings, members } = idp.services
    const minato = settings.societies.get('minato')
    if (!minato) throw new Error('the demo has no minato')
    const [accepted] = aSettledMember().acceptedTerms
    if (!accepted) throw new Error('a settled member has accepted the terms')
    const over = (id: string, more: Partial<Member>): Member =>
      aSettledMember({ id: id as MemberId, societyId: 'minato', loginId: id, ...more })
    await stored(over('m-1', { acceptedTerms: [{ ...accepted, version: '1999' }] }))
    await stored(over('m-2', {}))
    const password = { initial: 'derived' as const, initialExpiresAt: 9, hash: 'h', changedAt: 1 }
    await stored(aMember({ id: 'm-3' as MemberId, societyId: 'minato', loginId: 'm-3', password }))

    const request = { inUse: settings.societies, now: idp.clock.now(), locale: 'en' as const }
    const societies = new Map([['minato', minato]])
    const { text, problems } = await checkSocieties({ members }, { ...request, societies })
    expect(text).toContain('  members: 3')
    expect(text).toContain('initial password expired → member password: 1')
    expect(text).toContain('still of symbol + number + birthdate: 1')
    expect(text).toContain('version of the terms that the file no longer has')
    // The third: sakura has members and is left out.
    expect(text).toContain('members of a society that the new file does not have')
    expect(problems).toBe(3)
    expect(text).not.toContain('m-1')
  })
})

describe('The command line', () => {
  const typed = (...args: readonly string[]) => runHere(join(folder, 'data'), ...args)

  test.each<[string, number, readonly string[], string]>([
    ['no command', 2, ['member'], 'Usage'],
    ['an unknown command', 2, ['member', 'delete'], 'unknown command'],
    ['no operator', 2, ['member', 'disable', 'sakura', 'x'], '--operator'],
    [
      'an operator of two lines',
      2,
      ['member', 'enable', 'sakura', 'x', '--operator', 'a\nb'],
      '100',
    ],
    ...['a\u2028b', 'a\u2029b', 'a\u202eb'].map((name): [string, number, string[], string] => [
      `an operator named ${JSON.stringify(name)}`,
      2,
      ['member', 'enable', 'sakura', 'x', '--operator', name],
      'on one line',
    ]),
    ['an unknown society', 1, ['member', 'show', 'kita', 'x', '--operator', 'A'], 'sakura, minato'],
    [
      'an unknown member',
      1,
      ['member', 'unlock', 'sakura', 'nobody', '--operator', 'A'],
      '"nobody"',
    ],
    [
      'too many days',
      2,
      ['member', 'password', 'sakura', 'x', '--operator', 'A', '--days', '91'],
      '90',
    ],
    ['no file to write', 2, ['member', 'export', 'sakura', '--operator', 'A'], '--out'],
    [
      'no file for passwords',
      2,
      ['member', 'import', 'x.csv', '--operator', 'A'],
      '--passwords-file',
    ],
    [
      'a file that is not there',
      2,
      ['member', 'import', 'x.csv', '--operator', 'A', '--dry-run'],
      'ENOENT',
    ],
    [
      'an unknown encoding',
      2,
      ['member', 'import', 'x', '--operator', 'A', '--encoding', 'euc'],
      'cp932',
    ],
  ])('with %s it says so, with exit code %i', async (_what, exitCode, args, says) => {
    const { code, out, err } = await typed(...args)
    expect(code).toBe(exitCode)
    expect(out).toBe('')
    expect(err).toContain(says)
    expect(err).not.toMatch(/ at .*\.ts:\d+/u)
  })

  test('help that was asked for is no mistake, and no option takes a secret', async () => {
    const { code, out } = await typed('help', 'member')
    expect(code).toBe(0)
    expect(out).toContain('import')
    const help = await typed('member', 'password', '--help')
    expect(help.out.match(/--[a-z-]+/gu)).toEqual(['--operator', '--days', '--help'])
  })

  test('a file with a row that is refused ends with exit code 1, and the others are in', async () => {
    const file = join(folder, 'two.csv')
    writeFileSync(file, 'login_id,birthdate\n88888-1,1990-01-01\n88888-2,1990-02-30\n')
    const passwords = join(folder, 'two-passwords.csv')
    const { child, ended } = startCommand(idp.dataDir, {}, [
      ...['member', 'import', file, '--society', 'sakura', '--operator', 'A', '--lang', 'en'],
      ...['--passwords-file', passwords],
    ])
    const shown = existsSync('/proc') ? readFileSync(`/proc/${child.pid}/cmdline`, 'utf8') : ''
    const { code, out } = await ended
    expect(code).toBe(1)
    expect(out).toContain('Line 3 88888-2: refused. birthdate:')
    expect(await idp.services.members.findByLoginId('sakura', '88888-1')).toBeDefined()
    const [, , secret = ''] = readFileSync(passwords, 'utf8').split('\r\n')[1]?.split(',') ?? []
    expect(secret).toMatch(/^[a-z2-8]{4}(?:-[a-z2-8]{4}){2}$/u)
    expect(shown + out).not.toContain(secret)
  })
})
