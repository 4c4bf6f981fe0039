import { describe, expect, test } from '@jest/globals'
import {
  checkPassword,
  PASSWORD_RULES,
  type PasswordContext,
  passwordRules,
  variantsOf,
} from '../../accounts/password-policy.ts'
import { PASSWORD_RULE_IDS } from '../../views/pages.ts'

const HANAKO: PasswordContext = {
  loginId: '12345-678',
  birthdate: '1985-04-01',
  insured: { symbol: '12345', number: '678' },
  email: 'hanako.yamada@example.jp',
}
/** A member about whom there is nothing to guess, for the rules that are about characters only. */
const NOBODY: PasswordContext = { loginId: 'zzzz-9999', birthdate: '1950-12-31' }

/** The faults as 'reason [value]', or what is kept. */
const judge = async (password: string, context: PasswordContext = HANAKO): Promise<string> => {
  const { ok, faults } = await checkPassword(password, context, false)
  expect(ok).toBe(faults.length === 0)
  return ok
    ? 'kept'
    : faults
        .map(({ reason, values }) => [reason, ...Object.values(values ?? {})].join(' '))
        .join('; ')
}

test('the page shows exactly the rules the server holds to, in this order', () => {
  expect(PASSWORD_RULES.map((rule) => rule.id)).toEqual([...PASSWORD_RULE_IDS])
})

describe('characters and length (manual step 9)', () => {
  test.each([
    ['Vu7#qeLz', 'kept'],
    ['vU7 qeLz#', 'pw.chars'],
    ['Vu7#qeL', 'pw.short 7'],
    ['A1#a', 'pw.short 4'],
    ['vu7#qelz', 'pw.classes upper'],
    ['VU7#QELZ', 'pw.classes lower'],
    ['Vux#qeLz', 'pw.classes digit'],
    ['Vu7kqeLz', 'pw.classes symbol'],
    ['vukqelzm', 'pw.classes upper,digit,symbol'],
    ['', 'pw.empty'],
    ['abc', 'pw.short 3; pw.classes upper,digit,symbol'],
    ['パスワード', 'pw.short 5; pw.classes upper,lower,digit,symbol; pw.chars'],
    ['Ｖｕ７＃ｑｅＬｚ', 'pw.classes upper,lower,digit,symbol; pw.chars'],
    ['Vu7#qeLzé', 'pw.chars'],
    ['Vu7#qeLz\u007f', 'pw.chars'],
    ['Vu7#qeLz\u0000', 'pw.chars'],
    ['Vu7#qeLz\n', 'pw.chars'],
    [' Vu7#qeLz', 'pw.chars'],
    ['𠮷𠮷𠮷𠮷', 'pw.short 4; pw.classes upper,lower,digit,symbol; pw.chars'],
    ['𠮷𠮷𠮷𠮷𠮷𠮷𠮷𠮷', 'pw.classes upper,lower,digit,symbol; pw.chars'],
  ])('%j: %s', async (password, expected) => {
    expect(await judge(password, NOBODY)).toBe(expected)
  })

  test('64 characters are kept and 65 are not, whatever the last one is', async () => {
    const longest = 'Kx7mq-9WzR-tn4AbHq3vp-6TyK-dm8Xscs2Ne-wZ5g-Rj9fuGk4hV-b7Pc-Lt6y'
    expect(longest).toHaveLength(63)
    for (const last of ['a', '!', '7', 'Z']) {
      expect(await judge(longest + last, NOBODY)).toBe('kept')
      expect(await judge(`${longest}${last}x`, NOBODY)).toBe('pw.long')
    }
  })

  test.each([...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'])('%s is a symbol', async (symbol) => {
    expect(await judge(`Vu7qeLzm${symbol}k`, NOBODY)).toBe('kept')
  })

  test('a password of any length is answered with its faults', async () => {
    expect(await judge('A'.repeat(16_000), NOBODY)).toBe('pw.long; pw.classes lower,digit,symbol')
    expect(await judge('1-'.repeat(8000))).toBe('pw.long; pw.classes upper,lower')
  })
})

describe('a password without the user ID', () => {
  test.each([
    ['12345-678', 'Vu#qe12345-678Lz'],
    ['12345-678', 'Vu#qe12345678Lz'],
    ['12345-678', 'Vu#qe1-2-3-4-5-6-7-8Lz'],
    ['12345-678', 'Vu#qe12345Lz'],
    ['12345-678', 'Vu#qe123-45Lz'],
    ['１２３４５－６７８', 'Vu#qe12345Lz'],
    ['12345ー678', 'Vu#qe12345678Lz'],
    ['12345678', 'Vu#qe1234-5678Lz'],
    ['ab-4711', 'Vu#qeAB4711Lz'],
    ['ab-4711', 'Vu#qe4711Lz'],
    ['AB-4711', 'Vu#qeaB-4711Lz'],
    ['Hana.ko', 'Vu7#hAnA.KoLz'],
    ['a+b(c', 'Vu7#A+B(CqeLz'],
    [' hanako ', 'Vu7#HANAKOqLz'],
  ])('ID %s is found in %s', async (loginId, password) => {
    const { faults } = await checkPassword(password, { ...NOBODY, loginId }, false)
    expect(faults.map((fault) => fault.reason)).toContain('pw.hasid')
  })

  test.each([
    ['12345-678', 'Vu#qe1235Lz'],
    ['12345-678', 'Vu#qe678LzKm'],
    ['ab-471', 'Vu#qe471LzKm'],
    ['Hana.ko', 'Vu7#hanaxkoLz'],
    ['a+b(c', 'Vu7#aabc-qeLz'],
    ['1', 'Vu#qe1LzKmT'],
    ['', 'Vu#qe1LzKmT'],
  ])('ID %s is not found in %s', async (loginId, password) => {
    expect(await judge(password, { ...NOBODY, loginId })).toBe('kept')
  })
})

describe('the rows of the checklist', () => {
  test('a row with a pattern says in the browser what the server says', async () => {
    const samples = [
      ...[
        'Vu7#qeLz',
        'abc',
        'ABC',
        '12345-678Aa',
        'aA1#12-345bcd',
        'あいうえおかきく',
        'Aa1# Aa1#',
      ],
      ...[
        'A'.repeat(65),
        'aA1#'.repeat(16),
        '----',
        'Vu#qe1-2-3-4-5-6-7-8Lz',
        'Ab3!Ab3!',
        '𠮷aA1#',
      ],
    ]
    for (const password of samples) {
      const verdict = await checkPassword(password, HANAKO, false)
      for (const { id, pattern } of passwordRules(HANAKO)) {
        if (pattern === undefined) continue
        const live = new RegExp(pattern, 'u').test(password)
        expect([password, id, live]).toEqual([
          password,
          id,
          verdict.rules.find((rule) => rule.id === id)?.ok,
        ])
      }
    }
  })

  test('six rows can be checked live; what only the server knows stays there', () => {
    const rows = passwordRules(HANAKO)
    expect(rows.filter((row) => row.pattern !== undefined).map((row) => row.id)).toEqual([
      ...['length', 'upperLower', 'digit', 'symbol', 'characters', 'noLoginId'],
    ])
    expect(JSON.stringify(rows)).not.toMatch(/1985|0401|85-?04/)
  })

  test('an empty field has no row met', async () => {
    const { rules } = await checkPassword('', HANAKO, false)
    expect(rules.some((rule) => rule.ok)).toBe(false)
  })

  test('a row is unmet exactly where a fault says so', async () => {
    const rowOf: Record<string, string[]> = {
      'pw.short': ['length'],
      'pw.long': ['length'],
      'pw.chars': ['characters'],
      'pw.hasid': ['noLoginId'],
      'pw.same': ['notInitial'],
      'pw.personal': ['notPersonal'],
      'pw.weak': ['notGuessable'],
    }
    for (const password of ['Vu7#qeLz', 'Password1!', 'Aa#12345-678', 'Vu#19850401Lz', 'kenpo']) {
      for (const initial of [true, false]) {
        const { rules, faults } = await checkPassword(password, HANAKO, initial)
        const unmet = new Set(rules.filter((rule) => !rule.ok).map((rule) => rule.id as string))
        for (const fault of faults) {
          for (const row of rowOf[fault.reason] ?? []) expect(unmet).toContain(row)
        }
        expect(faults.length === 0).toBe(unmet.size === 0)
      }
    }
  })

  test('all faults are told at once, in the order of the rows', async () => {
    const { faults } = await checkPassword('12345-678あ19850401', HANAKO, true)
    expect(faults.map((fault) => fault.reason)).toEqual([
      'pw.classes',
      'pw.chars',
      'pw.hasid',
      'pw.same',
      'pw.personal',
    ])
  })
})

describe('a password that is not about the member', () => {
  test.each([
    ...['Vu#19850401Lz', 'Vu#850401qeLz', 'Vu#1985-04-01Lz', 'Vu1985/04/01Lz', 'Vu1985.4.1qeLz'],
    ...['Vu1985/4/1qeLz', 'Vu#198541qeLz', 'Vu#85-04-01Lz', 'Vu#85/04/01qeLz', 'Vu#04011985Lz'],
    ...['Vu#4/1/1985Lz', 'Vu#01-04-1985Lz', 'Vu#040185qeLz', 'Vu#010485qeLz', 'Vu#S600401Lz'],
    ...['Vu#s60-04-01Lz', 'Vu#S60.4.1qeLz', 'Vu#s6041qeLz', 'Vu#600401qeLz', 'Vu#Showa60qeLz'],
    ...['Vu#showa-60-qeLz', 'Vu#0401qe1985Lz', 'Vu1985#qeLz0401', 'Vu#19_85_04_01Lz'],
  ])('%s holds the birth date 1 April 1985', async (password) => {
    expect(await judge(password, { ...NOBODY, birthdate: '1985-04-01' })).toContain('pw.personal')
  })

  test.each([
    ...['Vu#0401qeLzK', 'Vu#1985qeLzK', 'Vu#60qeLzKmT', 'Vu#1986-04-01Kz', 'Vu#4/1qeLzKm'],
  ])('%s does not', async (password) => {
    expect(await judge(password, { ...NOBODY, birthdate: '1985-04-01' })).toBe('kept')
  })

  test.each([
    ['1989-01-07', 'Vu#S640107Lz'],
    ['1989-01-08', 'Vu#H010108Lz'],
    ['2019-04-30', 'Vu#H310430Lz'],
    ['2019-05-01', 'Vu#R010501Lz'],
    ['2019-05-01', 'Vu#reiwa1qeLz'],
    ['1926-12-25', 'Vu#T151225Lz'],
    ['1926-12-25', 'Vu#S011225Lz'],
    ['1926-12-25', 'Vu#taisho15Lz'],
    ['1910-06-05', 'Vu#M430605Lz'],
    ['1985-12-25', 'Vu#19851225Lz'],
    ['1985-12-25', 'Vu#251285qeLz'],
  ])('born on %s: %s is refused', async (birthdate, password) => {
    expect(await judge(password, { ...NOBODY, birthdate })).toContain('pw.personal')
  })

  test.each([
    [{ symbol: '12345', number: '678' }, 'Vu#qe12345Lz'],
    [{ symbol: '12345', number: '678' }, 'Vu#qe678LzKm'],
    [{ symbol: '12345', number: '678' }, 'Vu#qe12-345Lz'],
    [{ symbol: '１２３４５', number: '６７８' }, 'Vu#qe678LzKm'],
    [{ symbol: '健-471', number: '0000678' }, 'Vu#qe471LzKm'],
    [{ symbol: '健-471', number: '0000678' }, 'Vu#qe678LzKm'],
  ])('symbol and number %j are found in %s', async (insured, password) => {
    expect(await judge(password, { ...NOBODY, insured })).toContain('pw.personal')
  })

  test('numbers of one or two digits are let be', async () => {
    expect(
      await judge('Vu#qe12LzKm', { ...NOBODY, insured: { symbol: '12', number: '0007' } }),
    ).toBe('kept')
  })
})

describe('a password that is hard to guess', () => {
  test.each([
    ...[
      'Password1!',
      'P@ssw0rd!',
      'Passw0rd#1',
      'Qwerty12345!',
      'Qwertyuiop1!',
      'Abcd1234!',
      'Aa123456!',
    ],
    ...[
      'Kenpo2026!',
      'Kenpo-2026',
      'K3np0#2026',
      'Kosmo-web1',
      'KosmoWeb#1',
      'Kosmo2026!!',
      'Hoken#2026a',
    ],
    ...[
      'Hokensho#1',
      'Kenko-2026!',
      'Kenkou12345!',
      'Kumiai#2026',
      'KenpoKosmo2026!',
      'Kaisha#2026',
    ],
    ...[
      'Sakura2026!',
      'S@kura2026!',
      'Haru2026!',
      'Natsu#2026',
      'Fuyu-2026-x',
      'Spring2026!',
      'Reiwa-2026!',
    ],
    ...[
      'Reiwa8nen!',
      'Welcome2026!',
      'Login#2026',
      'Tokyo2026!',
      'Nippon#1985',
      'Admin2026!',
      'Himitsu#1',
    ],
    ...[
      'Tanaka#1985',
      'Aa1!Aa1!',
      'Aaaaaaa1!',
      'aB3!aB3!',
      'Zaq12wsx!',
      '1qaz@WSX',
      'Aaa111!!!',
      'Hanako1985!',
    ],
  ])('%s is refused', async (password) => {
    expect(await judge(password)).toContain('pw.weak')
  })

  test("the member's own ID, mailbox and society are no secrets either", async () => {
    expect(await judge('Wakatsuki#77', { ...NOBODY, email: 'wakatsuki@example.jp' })).toBe(
      'pw.weak',
    )
    expect(await judge('Wakatsuki#77', { ...NOBODY, email: 'taro.wakatsuki@example.jp' })).toBe(
      'pw.weak',
    )
    expect(await judge('Jswmuroran#7', { ...NOBODY, words: ['jswmuroran'] })).toBe('pw.weak')
  })

  test.each([
    ...[
      'correct-Horse7-battery',
      'Vu7#qeLz',
      'Kx7-mPq9-Wz3r-Tn',
      'Neko_ga3-biki.Nemuru',
      'kenpo-Vu7#qeLzm',
    ],
    ...['umi-no-Mieru-8choume', 'Ringo5ko!tabetai'],
  ])('%s is kept', async (password) => {
    expect(await judge(password)).toBe('kept')
  })

  test('a contrived password is judged all the same', async () => {
    for (const password of [
      'Aa1!'.repeat(16),
      '4@8({[369#!1|0$5+%2'.repeat(3).slice(0, 62).concat('aA'),
    ]) {
      const { rules } = await checkPassword(password, NOBODY, false)
      expect(rules).toHaveLength(PASSWORD_RULES.length)
    }
    expect(await judge('Aa1!'.repeat(16), NOBODY)).toBe('pw.weak')
  })
})

describe('a password that is not the initial one', () => {
  test('the caller says so and the member is told', async () => {
    expect(await checkPassword('Vu7#qeLz', HANAKO, true)).toMatchObject({
      ok: false,
      faults: [{ field: 'password', reason: 'pw.same' }],
    })
  })

  test.each([
    ['Xk7#mPq9', 'Xk7#mPq9'],
    ['Xk7#mPq9', 'xK7#MpQ9'],
    ['Xk7#mPq9', 'Xk7#mPq9!'],
    ['Xk7#mPq', 'Xk7#mPq9!'],
    ['xk7mpq9z', 'Xk7mPq9Z'],
    ['Xk7mPq9', 'Xk7-mPq9'],
    ['Xk7#mPq9', '9qPm#7kX'],
    ['1234567819850401', '1234567819850401Aa!'],
    ['1234567819850401', 'Aa!12345-678-1985-04-01'],
  ])('%s made into %s is found', (initial, candidate) => {
    expect(variantsOf(candidate)).toContain(initial)
  })

  test('there are at most eight to verify, all different, none empty', () => {
    for (const candidate of ['Xk7-mPq9-1', 'a', '', '1', '----', 'Aa1!', 'あ🎌']) {
      const variants = variantsOf(candidate)
      expect(variants.length).toBeLessThanOrEqual(8)
      expect(new Set(variants).size).toBe(variants.length)
      expect(variants).not.toContain('')
    }
  })

  test('an unrelated password shares no variant with it', () => {
    expect(variantsOf('Vu7#qeLz')).not.toContain('Xk7#mPq9')
  })
})
