import { describe, expect, test } from '@jest/globals'
import {
  catalogue,
  FAULT_REASONS,
  type FaultReason,
  type FaultValues,
  faultText,
} from '../../views/messages/index.ts'

const ja = catalogue('ja')
const en = catalogue('en')

/** Every key of a catalogue as a path; functions and texts are leaves, lists show their length. */
const shapeOf = (value: unknown, path = ''): readonly string[] => {
  if (typeof value === 'string') return [`${path}: text`]
  if (typeof value === 'function') return [`${path}: function of ${value.length}`]
  if (Array.isArray(value)) {
    return [
      `${path}: ${value.length}`,
      ...value.flatMap((each, i) => shapeOf(each, `${path}[${i}]`)),
    ]
  }
  return Object.entries(value as object).flatMap(([key, each]) => shapeOf(each, `${path}.${key}`))
}

/** The names of the values a fault's text reads. */
const valuesUsed = (text: (values: FaultValues) => string): readonly string[] => {
  const used = new Set<string>()
  text(new Proxy({}, { get: (_, name) => used.add(String(name)) && '2' }))
  return [...used].sort()
}

const reasons = Object.keys(FAULT_REASONS) as FaultReason[] // the keys of a constant table

test('Japanese and English have the same texts', () => {
  const withoutArity = (lines: readonly string[]) =>
    lines
      .map((line) => line.replace(/function of \d/u, 'function'))
      .filter((line) => !/\.eras\[/u.test(line))
      .sort()
  expect(withoutArity(shapeOf(en))).toEqual(withoutArity(shapeOf(ja)))
})

describe.each(reasons)('the fault %s', (reason) => {
  test('has a text in both languages, made of the same values', () => {
    expect(valuesUsed(en.faults[reason])).toEqual(valuesUsed(ja.faults[reason]))
    expect(valuesUsed(ja.faults[reason])).toEqual(
      expect.arrayContaining([...FAULT_REASONS[reason]]),
    )
    for (const t of [ja, en]) {
      const values = Object.fromEntries(FAULT_REASONS[reason].map((name) => [name, '3']))
      const text = faultText(t, { reason, values })
      expect(text).not.toMatch(/undefined/u)
      if (reason !== 'form.invalid') expect(text).not.toBe(t.faults['form.invalid']({}))
    }
  })

  test('does not scold', () => {
    const text = ja.faults[reason]({ left: 2, time: '20時15分', date: 'x', n: 3, missing: 'year' })
    expect(text).not.toMatch(/無効|不正|禁止|お忘れですか|エラー/u)
  })
})

test.each([
  {
    t: ja,
    reason: 'bday.part',
    values: { missing: 'year,month' },
    text: '年と月も入力してください',
  },
  {
    t: en,
    reason: 'bday.part',
    values: { missing: 'year,month' },
    text: 'Also enter the year and the month',
  },
  {
    t: ja,
    reason: 'bday.part',
    values: { missing: 'era' },
    text: '元号（昭和・平成など）を選んでください',
  },
  {
    t: ja,
    reason: 'pw.classes',
    values: { missing: 'upper,digit,symbol' },
    text: '大文字と数字と記号も入れてください',
  },
  {
    t: en,
    reason: 'pw.classes',
    values: { missing: 'upper,symbol' },
    text: 'Also include an upper-case letter and a symbol',
  },
  {
    t: en,
    reason: 'bday.impossible',
    values: { date: '昭和64年2月1日' },
    text: '1 February Showa 64 is not in the calendar. Check the era and the date',
  },
  {
    t: en,
    reason: 'code.wrong',
    values: { left: 1 },
    text: 'The code does not match. Use the 6 digits in the newest email (one try left)',
  },
])('$reason reads “$text”', ({ t, reason, values, text }) => {
  expect(faultText(t, { reason, values })).toBe(text)
})
