import { existsSync, readFileSync, statSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { reissuePassword } from '../../accounts/initial-password.ts'
import {
  completeEnrolment,
  disable,
  type Member,
  type MemberId,
  verifyEmail,
} from '../../accounts/member.ts'
import { exportMembers } from '../../cli/member-export.ts'
import { verifyPassword } from '../../factors/password.ts'
import { aDesk, readCsv, type TestDesk } from './desk.ts'

let desk: TestDesk
beforeEach(() => {
  desk = aDesk()
})
afterEach(() => desk.close())

const HEADER = 'ユーザID,記号,番号,生年月日,メールアドレス'
const aFile = (...rows: readonly string[]): string =>
  desk.write('members.csv', `${[HEADER, ...rows].join('\n')}\n`)
const THREE = [
  '12345-1,12345,1,1985-04-01,hanako@example.jp',
  '12345-2,12345,2,1972-11-03,',
  '12345-3,,,1990-02-28,jiro@example.jp',
]
const stored = async (loginId: string): Promise<Member> => {
  const member = await desk.find(loginId)
  if (!member) throw new Error(`no member ${loginId}`)
  return member
}
const save = async (member: Member): Promise<Member> => desk.ports.members.save(member)
const actsOf = async (loginId: string) =>
  (await desk.ports.audit.eventsOf((await stored(loginId)).id)).map(({ act }) => act)

describe('New members', () => {
  test('get a password each, which stands in one private file and fits its member', async () => {
    const { counts } = await desk.run({ file: aFile(...THREE) })
    expect(counts).toEqual({ created: 3, updated: 0, unchanged: 0, refused: 0 })
    expect(statSync(desk.path('passwords.csv')).mode & 0o777).toBe(0o600)
    expect(existsSync(desk.path('passwords.csv.part'))).toBe(false)
    const [header, ...rows] = readCsv(desk.path('passwords.csv'))
    expect(header).toEqual(['健保組合', 'ユーザID', '初期パスワード', '期限'])
    expect(new Set(rows.map(([, , password]) => password)).size).toBe(3)
    for (const [society, loginId = '', password = '', until] of rows) {
      expect([society, until]).toEqual(['sakura', '2026-07-09'])
      const { password: kept } = await stored(loginId)
      expect(kept).toMatchObject({ initial: 'random', changedAt: desk.clock.now() })
      // The end of 9 July in Japan.
      expect(kept.initialExpiresAt).toBe(Date.UTC(2026, 6, 9, 15) / 1000)
      expect(await verifyPassword(kept.hash, password)).toBe(true)
    }
    const [event] = await desk.ports.audit.eventsOf((await stored('12345-1')).id)
    expect(event).toMatchObject({ act: 'memberImported', operator: '山田花子' })
  })

  test('of the legacy rule have symbol, number and birthdate, and a warning is given', async () => {
    const file = aFile(...THREE.slice(0, 2))
    const { said } = await desk.run({ file, passwords: 'derived', expiresDays: 0 })
    expect(said[0]).toContain('推測されます')
    const { password } = await stored('12345-1')
    expect(password.initial).toBe('derived')
    expect(password).not.toHaveProperty('initialExpiresAt')
    expect(await verifyPassword(password.hash, '12345119850401')).toBe(true)
    expect(existsSync(desk.path('passwords.csv'))).toBe(false)
  })

  test('without symbol and number cannot have the legacy password', async () => {
    const { counts } = await desk.run({ file: aFile(...THREE), passwords: 'derived' })
    expect(counts).toMatchObject({ created: 2, refused: 1 })
    expect(await desk.find('12345-3')).toBeUndefined()
  })

  test('a dry run answers every row and changes nothing', async () => {
    const report = desk.path('report.csv')
    const { counts, text } = await desk.run({
      file: aFile(...THREE, 'x y,,,,'),
      dryRun: true,
      report,
    })
    expect(counts).toEqual({ created: 3, updated: 0, unchanged: 0, refused: 1 })
    expect(text).toContain('何も変えていません')
    expect(readCsv(report)).toHaveLength(1 + 3 + 2)
    expect(await desk.all()).toEqual([])
    expect(existsSync(desk.path('passwords.csv'))).toBe(false)
    expect(existsSync(desk.path('passwords.csv.part'))).toBe(false)
  })
})

describe('The same file again', () => {
  test('changes nothing: not a member, not a password, not the file of passwords', async () => {
    const file = aFile(...THREE)
    await desk.run({ file })
    const [members, passwords] = [await desk.all(), readCsv(desk.path('passwords.csv'))]
    await desk.clock.advance(86_400)
    const { counts, text } = await desk.run({ file })
    expect(counts).toEqual({ created: 0, updated: 0, unchanged: 3, refused: 0 })
    expect(text).toContain('変更なし 3')
    expect(await desk.all()).toEqual(members)
    expect(readCsv(desk.path('passwords.csv'))).toEqual(passwords)
    expect(await actsOf('12345-1')).toEqual(['memberImported'])
  })

  test('with new members needs a new file of passwords, and holds theirs alone', async () => {
    await desk.run({ file: aFile(...THREE) })
    const file = aFile(...THREE, '12345-4,,,1990-01-01,')
    await expect(desk.run({ file })).rejects.toThrow('すでにあります')
    expect(await desk.find('12345-4')).toBeUndefined()
    const passwordsFile = desk.path('more.csv')
    const { counts } = await desk.run({ file, passwordsFile })
    expect(counts).toMatchObject({ created: 1, unchanged: 3 })
    expect(readCsv(passwordsFile).map(([, loginId]) => loginId)).toEqual(['ユーザID', '12345-4'])
  })

  test('is refused where the file of passwords cannot be made, before anybody is stored', async () => {
    const passwordsFile = desk.path('no/folder/p.csv')
    await expect(desk.run({ file: aFile(...THREE), passwordsFile })).rejects.toThrow('ENOENT')
    expect(await desk.all()).toEqual([])
  })

  test('after a crash gives the promised passwords, but none that has been replaced since', async () => {
    await desk.run({ file: aFile(...THREE.slice(0, 2)), passwordsFile: desk.path('former.csv') })
    const [one, two] = [await stored('12345-1'), await stored('12345-2')]
    const promise = ({ id, loginId, password }: Member, secret: string) =>
      JSON.stringify({
        ...{ memberId: id, societyId: 'sakura', loginId, password: secret },
        at: password.changedAt,
      })
    const at = desk.clock.now()
    await save(reissuePassword(one, { hash: 'h', initial: 'random', at: at + 60 }))
    const promises = [
      promise(one, 'replaced-since'),
      promise(two, 'still-good'),
      promise({ ...two, id: 'new' as MemberId, loginId: '12345-3' }, 'never-stored'),
    ]
    desk.write('passwords.csv.part', promises.map((line) => `${line}\n`).join(''))
    await desk.clock.advance(600)
    await desk.run({ file: aFile(...THREE), resume: true })
    expect(readCsv(desk.path('passwords.csv')).map(([, id, secret]) => [id, secret])).toEqual([
      ['ユーザID', '初期パスワード'],
      ['12345-2', 'still-good'],
      ['12345-3', 'never-stored'],
    ])
    const third = await stored('12345-3')
    expect(third).toMatchObject({ id: 'new', password: { changedAt: at } })
    expect(await verifyPassword(third.password.hash, 'never-stored')).toBe(true)
  })
})

describe('The report', () => {
  /** Breaks the import off after the first member is stored. */
  const breakOff = async (request: Parameters<TestDesk['run']>[0]) => {
    const ends = new Error('the store is gone')
    const { audit } = desk.ports
    let stored = 0
    const append: typeof audit.append = async (event) => {
      stored += 1
      if (stored > 1) throw ends
      return audit.append(event)
    }
    await expect(desk.run(request, { audit: { ...audit, append } })).rejects.toThrow(ends)
  }

  test.each([
    ['random passwords', {}],
    ['legacy passwords', { passwords: 'derived' as const }],
  ])('of an import with %s that was broken off is whole once it is resumed', async (_of, kind) => {
    const report = desk.path('report.csv')
    const request = { file: aFile(...THREE.slice(0, 2)), report, ...kind }
    await breakOff(request)
    expect([existsSync(report), existsSync(`${report}.part`)]).toEqual([false, true])
    await expect(desk.run(request)).rejects.toThrow('--resume')
    await desk.run({ ...request, resume: true })
    expect(readCsv(report).map(([, id]) => id)).toEqual(['login_id', '12345-1', '12345-2'])
    expect(existsSync(`${report}.part`)).toBe(false)
  })

  test('is written although all passwords are in their file already', async () => {
    const file = aFile(...THREE)
    await desk.run({ file })
    const passwords = readCsv(desk.path('passwords.csv'))
    const report = desk.path('report.csv')
    // The first run ended between its two files.
    desk.write('report.csv.part', '\ufeffline,login_id,res')
    const { counts } = await desk.run({ file, report, resume: true })
    expect(counts).toMatchObject({ created: 0, unchanged: 3 })
    expect(readCsv(report)).toHaveLength(1 + 3)
    expect(readCsv(desk.path('passwords.csv'))).toEqual(passwords)
  })

  test.each([
    ['a report that is whole', 'report.csv', '\ufeffline,login_id,result,column,rule,message\r\n'],
    ['a file that is no report', 'report.csv.part', 'ユーザID,生年月日\n'],
  ])('never takes the place of %s, and then nobody is stored', async (_of, name, content) => {
    const path = desk.write(name, content)
    const request = { file: aFile(...THREE), report: desk.path('report.csv'), resume: true }
    await expect(desk.run(request)).rejects.toThrow('上書き')
    expect(readFileSync(path, 'utf8')).toBe(content)
    expect(await desk.all()).toEqual([])
    expect(existsSync(desk.path('passwords.csv.part'))).toBe(false)
  })
})

describe('A member who is there already', () => {
  const CHANGED = '12345-1,12345,9,1985-04-02,other@example.jp'

  test('gets what the society knows better, and is asked for the new birthdate', async () => {
    await desk.run({ file: aFile(...THREE) })
    const before = await save({ ...(await stored('12345-1')), birthdateConfirmedAt: 1 })
    const report = desk.path('report.csv')
    const { counts } = await desk.run({ file: aFile(CHANGED), report })
    expect(counts).toMatchObject({ updated: 1 })
    const { birthdateConfirmedAt: _, ...unchanged } = before
    expect(await stored('12345-1')).toEqual({
      ...unchanged,
      revision: before.revision + 1,
      birthdate: '1985-04-02',
      insured: { symbol: '12345', number: '9' },
      email: { address: 'other@example.jp' },
    })
    expect(readCsv(report)[1]).toEqual([
      '2',
      '12345-1',
      'updated',
      'birthdate number email',
      '',
      '',
    ])
    const events = await desk.ports.audit.eventsOf(before.id)
    expect(events.at(-1)).toMatchObject({
      act: 'memberUpdated',
      operator: '山田花子',
      facts: { columns: 'birthdate number email' },
    })
    expect(JSON.stringify(events)).not.toContain('other@example.jp')
  })

  test('keeps a proven address, the password and the methods, whatever the file says', async () => {
    await desk.run({ file: aFile(...THREE) })
    const proven = verifyEmail(await stored('12345-1'), 'own@example.jp', 5)
    const before = await save(
      completeEnrolment(
        { ...proven, birthdateConfirmedAt: 4, password: { hash: 'h', changedAt: 5 } },
        6,
      ),
    )
    const { said } = await desk.run({ file: aFile(CHANGED) })
    expect(said.join('\n')).toContain('確認済みのメールアドレスは加入者本人のもの')
    expect(await stored('12345-1')).toEqual({
      ...before,
      revision: before.revision + 1,
      birthdate: '1985-04-02',
      insured: { symbol: '12345', number: '9' },
    })
  })

  test('keeps a legacy password when the birthdate is corrected, and that is told', async () => {
    await desk.run({ file: aFile(THREE[0] ?? ''), passwords: 'derived' })
    const { password } = await stored('12345-1')
    const { said } = await desk.run({ file: aFile(CHANGED), passwords: 'derived' })
    expect(said.join('\n')).toContain('member password で再発行')
    expect((await stored('12345-1')).password).toEqual(password)
  })

  test('is not taken out of what the file leaves empty, nor enabled by it', async () => {
    await desk.run({ file: aFile(...THREE) })
    const before = await save(disable(await stored('12345-1'), 7))
    const { counts } = await desk.run({ file: aFile('12345-1,,,1985-04-01,') })
    expect(counts).toMatchObject({ unchanged: 1 })
    expect(await stored('12345-1')).toEqual(before)
  })
})

describe('An export', () => {
  test('comes back in without a change, and holds no secret and no formula', async () => {
    await desk.run({ file: aFile(...THREE) })
    await save({
      ...(await stored('12345-3')),
      email: { address: '=1+1@example.jp' },
      locale: 'en',
    })
    const out = desk.path('export.csv')
    const asked = { societyId: 'sakura', operator: '山田花子', out, locale: 'ja' as const }
    await exportMembers(desk.ports, asked)
    expect(statSync(out).mode & 0o777).toBe(0o600)
    const [header, ...rows] = readCsv(out)
    expect(header?.slice(0, 7)).toEqual([
      '健保組合',
      'ユーザID',
      '記号',
      '番号',
      '生年月日',
      'メールアドレス',
      '言語',
    ])
    expect(rows.map(([, loginId]) => loginId)).toEqual(['12345-1', '12345-2', '12345-3'])
    expect(rows[2]?.[5]).toBe("'=1+1@example.jp")
    expect(rows.flat().join()).not.toContain('argon2')
    expect(await actsOf('12345-2')).toEqual(['memberImported', 'memberExported'])

    const before = await desk.all()
    const { counts } = await desk.run({ file: out, societyId: undefined })
    expect(counts).toEqual({ created: 0, updated: 0, unchanged: 3, refused: 0 })
    expect(await desk.all()).toEqual(before)

    await expect(exportMembers(desk.ports, asked)).rejects.toThrow('すでにあります')
  })
})
