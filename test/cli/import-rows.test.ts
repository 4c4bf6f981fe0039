import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import iconv from 'iconv-lite'
import { parseEmailAddress } from '../../accounts/email-address.ts'
import type { RuleId } from '../../cli/import/rules.ts'
import { exportMembers } from '../../cli/member-export.ts'
import { aDesk, readCsv, type TestDesk } from './desk.ts'

let desk: TestDesk
beforeAll(() => {
  desk = aDesk()
})
afterAll(() => desk.close())

let made = 0
const aFile = (content: string | Buffer): string => {
  made += 1
  return desk.write(`file-${made}.csv`, content)
}
const HEADER = 'ユーザID,記号,番号,生年月日,メールアドレス,言語,健保組合'
const answersTo = async (file: string, more: Parameters<TestDesk['run']>[0] | object = {}) => {
  made += 1
  const report = desk.path(`report-${made}.csv`)
  await desk.run({ dryRun: true, report, ...more, file })
  return readCsv(report)
    .slice(1)
    .map(([line, loginId, result, column, rule]) => ({ line, loginId, result, column, rule }))
}

/** A row that is sound but for one cell. */
const row = (over: Readonly<Record<string, string>> = {}): string => {
  const cells = {
    id: '1-1',
    symbol: '10',
    number: '20',
    born: '1985-04-01',
    email: 'a@example.jp',
    lang: 'ja',
    society: '',
    ...over,
  }
  return Object.values(cells).join(',')
}

const EVIL: readonly (readonly [string, string, RuleId])[] = [
  ['a formula as the user ID', row({ id: '=1+1' }), 'cell.formula'],
  ['a program as the user ID', row({ id: "=cmd|'/c calc'!A0" }), 'cell.formula'],
  ['a link that sends cells away', row({ id: '"=HYPERLINK(""http://a"",A1)"' }), 'cell.formula'],
  ['a formula that begins with +', row({ email: '+a@example.jp' }), 'cell.formula'],
  ['a formula that begins with -', row({ number: '-2' }), 'cell.formula'],
  ['a formula that begins with @', row({ id: '@SUM(A1:A9)' }), 'cell.formula'],
  ['a tab in front', row({ id: '\t1-1' }), 'cell.formula'],
  ['a carriage return in front', row({ id: '"\r1-1"' }), 'cell.formula'],
  ['a line break in front', row({ id: '"\n1-1"' }), 'cell.formula'],
  ['a space and a formula', row({ id: ' =1+1' }), 'cell.formula'],
  ['a formula in full width', row({ id: '＝1+1' }), 'cell.formula'],
  ['a full-width plus', row({ number: '＋2' }), 'cell.formula'],
  ['a full-width at sign', row({ email: '＠example.jp' }), 'cell.formula'],
  ['a formula as the birthdate', row({ born: '=TODAY()' }), 'cell.formula'],
  ['a formula that an export made harmless', row({ id: "'=1+1" }), 'loginId.form'],
  ['a line break in the user ID', row({ id: '"1-\n1"' }), 'cell.control'],
  ['a zero-width space', row({ id: '1\u200b-1' }), 'cell.control'],
  ['a mark that turns the text round', row({ id: '1-\u202e1' }), 'cell.control'],
  ['a terminal’s escape sequence', row({ id: '1\u001b[2J' }), 'cell.control'],
  ['a bell', row({ symbol: '\u00071' }), 'cell.control'],
  ['a delete character', row({ id: '1\u007f1' }), 'cell.control'],
  ['a soft hyphen in the address', row({ email: 'a\u00adb@example.jp' }), 'cell.control'],
  ['a second byte order mark', row({ id: '\ufeff1-1' }), 'cell.control'],
  ['a line separator', row({ email: 'a@example.jp\u2028b' }), 'cell.control'],
  ['a header for the mail', row({ email: '"a@example.jp\r\nBcc: b@example.jp"' }), 'cell.control'],
  ['a cell without an end', row({ id: 'x'.repeat(257) }), 'cell.long'],
  ['too few cells', '1-1,10,20,1985-04-01', 'row.cells'],
  ['too many cells', `${row()},x`, 'row.cells'],
  ['a comma in the address', row({ email: 'a,b@example.jp' }), 'row.cells'],
  ['no user ID', row({ id: '' }), 'loginId.empty'],
  ['a user ID of spaces', row({ id: '　 ' }), 'loginId.empty'],
  ['a user ID in kanji', row({ id: '加入者1' }), 'loginId.form'],
  ['a user ID of 65 characters', row({ id: '1'.repeat(65) }), 'loginId.form'],
  ['a user ID with a space', row({ id: '1 1' }), 'loginId.form'],
  ['a user ID with a slash', row({ id: '../1' }), 'loginId.form'],
  ['a user ID as Excel spoils it', row({ id: '1.23E+11' }), 'loginId.form'],
  ['SQL', row({ id: "1' OR '1'='1" }), 'loginId.form'],
  ['a query', row({ id: '{$ne:null}' }), 'loginId.form'],
  ['HTML', row({ id: '<b>1</b>' }), 'loginId.form'],
  ['a Cyrillic letter', row({ id: 'А-1' }), 'loginId.form'],
  ['a symbol with a sign', row({ symbol: '1;2' }), 'insured.form'],
  ['a number of 21 digits', row({ number: '1'.repeat(21) }), 'insured.form'],
  ['a private character', row({ symbol: '\ue000' }), 'insured.form'],
  ['a number without its symbol', row({ symbol: '' }), 'insured.both'],
  ['a symbol without its number', row({ number: '' }), 'insured.both'],
  ['no birthdate', row({ born: '' }), 'birthdate.empty'],
  ['a word as the birthdate', row({ born: '不明' }), 'birthdate.form'],
  ['a year alone', row({ born: '1985' }), 'birthdate.form'],
  ['two digits and no era', row({ born: '60.4.1' }), 'birthdate.form'],
  ['a day that Excel counts', row({ born: '31138' }), 'birthdate.form'],
  ['a date with a time', row({ born: '1985-04-01T00:00' }), 'birthdate.form'],
  ['a month 13', row({ born: '1985-13-01' }), 'birthdate.form'],
  ['30 February', row({ born: '1985-02-30' }), 'birthdate.impossible'],
  ['昭和65年', row({ born: '昭和65年1月1日' }), 'birthdate.impossible'],
  ['an era by number, and no such day', row({ born: '3650401' }), 'birthdate.impossible'],
  ['a date of long ago', row({ born: '1870-01-01' }), 'birthdate.impossible'],
  ['today', row({ born: '2026-04-10' }), 'birthdate.future'],
  ['tomorrow', row({ born: 'R8.4.11' }), 'birthdate.future'],
  ['an address without @', row({ email: 'example.jp' }), 'email.form'],
  ['two addresses', row({ email: 'a@example.jp;b@example.jp' }), 'email.form'],
  ['an address with a name', row({ email: 'A <a@example.jp>' }), 'email.form'],
  ['a literal address', row({ email: 'a@[127.0.0.1]' }), 'email.form'],
  ['an unknown language', row({ lang: 'fr' }), 'locale.unknown'],
  ['a word of every object', row({ lang: 'constructor' }), 'locale.unknown'],
  ['another society', row({ society: 'minato' }), 'society.other'],
]

describe('Rows that a society’s file must not get in', () => {
  test(`each of ${EVIL.length} is refused by its own rule, and nobody is stored`, async () => {
    expect(EVIL.length).toBeGreaterThanOrEqual(60)
    const file = aFile(`${HEADER}\n${EVIL.map(([, cells]) => cells).join('\n')}\n`)
    const report = desk.path('evil.csv')
    const { counts, said } = await desk.run({ file, report })
    const answers = readCsv(report).slice(1)
    const rules = answers.map(([, , result, , rule], index) => [EVIL[index]?.[0], result, rule])
    expect(rules).toEqual(EVIL.map(([what, , rule]) => [what, 'refused', rule]))
    expect(counts).toEqual({ created: 0, updated: 0, unchanged: 0, refused: EVIL.length })
    expect(await desk.all()).toEqual([])
    // What it says of them runs in no spreadsheet and moves nothing on a terminal.
    expect(answers.flat().filter((cell) => /^[=+\-@\t\r]/u.test(cell))).toEqual([])
    expect(said.filter((line) => /[\p{C}\u2028\u2029]/u.test(line))).toEqual([])
    expect(said[0]).toMatch(/^2行目 =1\+1：取り込みません。ユーザID：/u)
  })

  test('a row is told everything that is wrong with it, in the language asked for', async () => {
    const file = aFile(`${HEADER}\n${row({ id: '', born: '', email: 'x' })}\n`)
    const { said } = await desk.run({ file, dryRun: true, locale: 'en' })
    expect(said.map((line) => line.replace(/^.*refused\. /u, '').split(':')[0])).toEqual([
      'login_id',
      'birthdate',
      'email',
    ])
  })

  test('the same user ID twice is refused the second time, in whatever width and case', async () => {
    const ids = ['ab-1', 'ＡＢ－１', 'AB‐1', 'ab-2']
    const file = aFile(`${HEADER}\n${ids.map((id) => row({ id })).join('\n')}\n`)
    expect((await answersTo(file)).map(({ result, rule }) => [result, rule])).toEqual([
      ['created', ''],
      ['refused', 'loginId.twice'],
      ['refused', 'loginId.twice'],
      ['created', ''],
    ])
  })

  test('one file may hold several societies, but none that is unknown or missing', async () => {
    const rows = ['minato', 'sakura', 'tsubaki', ''].map((society) => row({ society, id: '7-7' }))
    const file = aFile(`${HEADER}\n${rows.join('\n')}\n`)
    made += 1
    const report = desk.path(`report-${made}.csv`)
    await desk.run({ file, dryRun: true, report, societyId: undefined })
    expect(
      readCsv(report)
        .slice(1)
        .map(([, , , , rule]) => rule),
    ).toEqual(['', '', 'society.unknown', 'society.empty'])
  })
})

describe('What a society’s file may look like', () => {
  const WRITTEN = [
    ['1985-04-01', '1985/4/1', '19850401', '１９８５年４月１日', '昭和60年4月1日'],
    ['S60.4.1', 's60/04/01', '昭60.4.1', '3600401', '昭和６０年４月１日'],
  ].flat()

  test('a birthdate is read in the western calendar, in eras and in their numbers', async () => {
    const rows = WRITTEN.map((born, index) => row({ id: `born-${index}`, born }))
    const file = aFile(`${HEADER}\n${rows.join('\n')}\n`)
    await desk.run({ file, passwordsFile: desk.path('born.csv') })
    const stored = await Promise.all(WRITTEN.map((_, index) => desk.find(`born-${index}`)))
    expect(stored.map((member) => member?.birthdate)).toEqual(WRITTEN.map(() => '1985-04-01'))
  })

  test('full-width letters, digits and dashes are the same as half-width ones', async () => {
    const cells = {
      id: '１２３４５－６７８',
      symbol: '１２３４５',
      number: '６７８',
      email: 'ａ＠ｅｘａｍｐｌｅ．ｊｐ',
    }
    const file = aFile(`${HEADER}\n${row(cells)}\n`)
    await desk.run({ file, passwordsFile: desk.path('wide.csv') })
    expect(await desk.find('12345-678')).toMatchObject({
      loginId: '12345-678',
      insured: { symbol: '12345', number: '678' },
      email: { address: 'a@example.jp' },
      locale: 'ja',
    })
  })

  const JAPANESE = `ユーザＩＤ,記号,番号,生年月日,メールアドレス\r\nen-1,髙,①,平成２年１月１日,\r\n`
  test.each([
    ['UTF-8', Buffer.from(JAPANESE)],
    ['UTF-8 with its mark', Buffer.from(`\ufeff${JAPANESE}`)],
    ['Shift_JIS as Windows writes it', iconv.encode(JAPANESE, 'cp932')],
    ['Shift_JIS without a line break at the end', iconv.encode(JAPANESE.trimEnd(), 'cp932')],
  ])('%s is told by itself', async (_name, bytes) => {
    made += 1
    await desk.clock.advance(1)
    const loginId = `en-${made}`
    const text = bytes.toString('latin1').replace('en-1', loginId)
    const file = aFile(Buffer.from(text, 'latin1'))
    await desk.run({ file, passwordsFile: desk.path(`en-${made}.csv`) })
    expect((await desk.find(loginId))?.insured).toEqual({ symbol: '髙', number: '1' })
  })

  test('English names of columns do, in any case, and columns beside them on demand only', async () => {
    const file = aFile('User ID,Birthdate,所属\nenglish-1,1990-01-01,=1+1\n')
    await expect(desk.run({ file, dryRun: true })).rejects.toThrow('"所属"')
    expect((await answersTo(file, { skip: ['所属'] })).map(({ result }) => result)).toEqual([
      'created',
    ])
  })

  test('blank lines, and lines of nothing but commas, are passed over', async () => {
    const file = aFile(`${HEADER}\n\n${row({ id: '8-1' })}\n,,,,,,\n\n${row({ id: '8-2' })}\n\n`)
    expect((await answersTo(file)).map(({ line }) => line)).toEqual(['3', '6'])
  })

  test('a slip in the address is taken as written, and told', async () => {
    const address = 'taro@gmial.com'
    expect(parseEmailAddress(address)).toMatchObject({ suggestion: 'taro@gmail.com' })
    const file = aFile(`${HEADER}\n${row({ id: '8-3', email: address })}\n`)
    expect(await answersTo(file)).toMatchObject([{ result: 'created', rule: 'email.suggestion' }])
  })
})

const broken = (offset: number, text = `${HEADER}\n${row()}\n${row()}\n`) => {
  const bytes = Buffer.from(text)
  bytes[bytes.length - offset] = 0xff
  return bytes
}

describe('Files that are refused as a whole', () => {
  test.each<[string, Buffer | string, string]>([
    ['nothing', '', 'ファイルに何もありません'],
    ['bytes of neither encoding', broken(4), 'utf-8 としては3行目、cp932 としては1行目'],
    [
      'half a character at the end of a line',
      Buffer.concat([
        iconv.encode('ユーザID,生年月日\n', 'cp932'),
        Buffer.from([0x31, 0x83, 0x0a]),
      ]),
      'cp932 としては2行目',
    ],
    ['UTF-16', Buffer.from(`\ufeff${HEADER}\n`, 'utf16le'), 'UTF-16'],
    ['a zero byte', `${HEADER}\n1\u0000-1\n`, '2行目'],
    ['a line of a megabyte', `${HEADER}\n${'x'.repeat(1_000_000)}`, '2行目'],
    ['a quote that never closes', `${HEADER}\n"1-1,10\n${row()}\n`, '引用符'],
    ['text after a closed quote', `${HEADER}\n"1"-1,10,20\n`, '引用符'],
    ['no header', `${row()}\n${row()}\n`, '知らない列'],
    ['a header without the birthdate', 'ユーザID,記号\n1-1,1\n', '「生年月日」の列がありません'],
    ['a column twice', 'ユーザID,user_id,生年月日\n1,2,3\n', '同じ列が2つ'],
    ['a column without a name', 'ユーザID,生年月日,\n1-1,1990-01-01,\n', '#3'],
  ])('%s', async (_what, content, says) => {
    const before = await desk.all()
    const file = aFile(content)
    await expect(desk.run({ file, passwordsFile: desk.path('none.csv') })).rejects.toThrow(says)
    expect(await desk.all()).toEqual(before)
  })

  test('an encoding that is said is the only one that is tried', async () => {
    const file = aFile(iconv.encode(`${HEADER}\n${row()}\n`, 'cp932'))
    await expect(desk.run({ file, encoding: 'utf-8' })).rejects.toThrow('as utf-8, line 1')
  })

  test('a file that is not there', async () => {
    await expect(desk.run({ file: desk.path('nowhere.csv') })).rejects.toThrow('ENOENT')
  })
})

describe('What a file says of members for apps', () => {
  const head = 'ユーザID,生年月日,氏名,フリガナ,電話番号,郵便番号,住所\n'
  const line =
    '7-1,1985-04-01,健保 花子,ｹﾝﾎﾟ ﾊﾅｺ,０３－１２３４－５６７８,1000001,東京都千代田区千代田１－１\n'

  test('is kept by the names of the claims, and comes back the same from an export', async () => {
    const own = aDesk()
    try {
      const file = own.write('members.csv', head + line)
      expect((await own.run({ file })).counts).toMatchObject({ created: 1, refused: 0 })
      const [member] = await own.all()
      expect(member?.profile).toEqual({
        name: '健保 花子',
        'name#ja-Kana-JP': 'ケンポ ハナコ',
        phone_number: '+81312345678',
        phone_number_verified: false,
        address: { formatted: '東京都千代田区千代田1-1', postal_code: '100-0001', country: 'JP' },
        updated_at: expect.any(Number),
      })
      expect((await own.run({ file })).counts).toMatchObject({ unchanged: 1 })

      const out = own.path('export.csv')
      await exportMembers(own.ports, { societyId: 'sakura', operator: '山田', out, locale: 'ja' })
      expect((await own.run({ file: out, societyId: undefined })).counts).toMatchObject({
        unchanged: 1,
      })

      const moved = own.write(
        'moved.csv',
        'ユーザID,生年月日,電話番号,住所\n7-1,1985-04-01,,大阪府\n',
      )
      expect((await own.run({ file: moved })).counts).toMatchObject({ updated: 1 })
      expect((await own.all())[0]?.profile).toMatchObject({
        name: '健保 花子',
        phone_number: '+81312345678',
        address: { formatted: '大阪府', postal_code: '100-0001' },
      })
    } finally {
      await own.close()
    }
  })

  test.each([
    ['電話番号', '1234-5678', 'phone.form'],
    ['電話番号', '03-1234-567890', 'phone.form'],
    ['電話番号', '03-1234-56x8', 'phone.form'],
    ['郵便番号', '100-001', 'postalCode.form'],
    ['郵便番号', '１００－０００１０', 'postalCode.form'],
    ['氏名', '=1+1', 'cell.formula'],
  ])('is refused as %s %j', async (column, cell, rule) => {
    const file = aFile(`ユーザID,生年月日,${column}\n7-2,1985-04-01,${cell}\n`)
    expect(await answersTo(file)).toMatchObject([{ loginId: '7-2', result: 'refused', rule }])
  })
})
