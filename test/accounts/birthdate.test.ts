import { describe, expect, test } from '@jest/globals'
import { ERA_IDS, eraYearsOf, parseBirthdate } from '../../accounts/birthdate.ts'

const TODAY = '2026-11-23'

/** 'era|year|month|day' → the form. */
const form = (typed: string) => {
  const [era = '', year = '', month = '', day = ''] = typed.split('|')
  return { era, year, month, day }
}

/** The date, or the faults as 'field reason [value]'. */
const read = (typed: string, today = TODAY): string => {
  const parsed = parseBirthdate(form(typed), today)
  if (parsed.ok) return parsed.date
  return parsed.faults
    .map(({ field, reason, values }) => [field, reason, ...Object.values(values ?? {})].join(' '))
    .join('; ')
}

const impossible = (date: string) => `year bday.impossible ${date}`

describe('one day, many ways to write it', () => {
  const FIRST_OF_APRIL_1985 = [
    ...[
      'seireki|1985|4|1',
      'seireki|1985|04|01',
      'seireki|１９８５|４|１',
      'seireki|１９８５|０４|０１',
    ],
    ...['seireki| 1985 | 4 | 1 ', 'seireki|1985年|4月|1日', 'seireki|１９８５年|４月|１日'],
    ...['seireki|西暦1985年|4|1', 'seireki|AD1985|4|1', 'seireki|1985　年|4　月|1　日'],
    ...[
      'showa|60|4|1',
      'showa|６０|４|１',
      'showa|60年|4月|1日',
      'showa| 60|4 |1',
      'showa|060|4|1',
    ],
    ...[
      'showa|昭和60|4|1',
      'showa|昭和６０年|4|1',
      'showa|昭60|4|1',
      'showa|S60|4|1',
      'showa|s60|4|1',
    ],
    ...['showa|Ｓ６０|4|1', 'showa|S.60|4|1', 'showa|S60年|4月|1日', 'showa|Showa 60|4|1'],
    ...['showa|㍼60|4|1', 'showa|昭和 60 年|4|1'],
    // whatever the select says
    ...['seireki|S60|4|1', 'heisei|S60|4|1', 'reiwa|昭60|4|1', 'meiji|昭和60年|4|1', '|S60|4|1'],
    ...[
      'showa|1985|4|1',
      'heisei|1985|4|1',
      'reiwa|１９８５|4|1',
      'taisho|1985年|4|1',
      '|1985|4|1',
    ],
    ...['nonsense|1985|4|1', 'showa|西暦1985|4|1'],
    // pasted whole into the year field
    ...['seireki|19850401||', 'showa|19850401||', '|19850401||', 'seireki|１９８５０４０１||'],
    ...['seireki|1985/4/1||', 'seireki|1985/04/01||', 'seireki|1985-4-1||', 'seireki|1985-04-01||'],
    ...['seireki|1985.4.1||', 'seireki|１９８５／４／１||', 'seireki|1985－04－01||'],
    ...['seireki|1985ー4ー1||', 'seireki|1985−4−1||', 'seireki|1985‐4‐1||', 'seireki|1985、4、1||'],
    ...['seireki|1985・4・1||', 'seireki|1985。4。1||', 'seireki| 1985 / 4 / 1 ||'],
    ...['seireki|1985年4月1日||', 'seireki|1985年04月01日||', 'seireki|1985年4月1日生||'],
    ...['seireki|1985年4月1日生まれ||', 'seireki|西暦1985年4月1日||', 'heisei|1985年4月1日||'],
    ...['seireki|昭和60年4月1日||', 'showa|昭和60年4月1日||', 'reiwa|昭和６０年４月１日||'],
    ...[
      '|昭和60年4月1日生||',
      'seireki|昭60年4月1日||',
      'seireki|昭60.4.1||',
      'seireki|昭和60/4/1||',
    ],
    ...['seireki|S60.4.1||', 'seireki|S60/4/1||', 'seireki|s60-4-1||', 'seireki|S.60.4.1||'],
    ...['seireki|S600401||', 'seireki|Ｓ６００４０１||', 'seireki|昭和600401||', 'showa|600401||'],
    ...['showa|60年4月1日||', 'showa|60/4/1||', 'showa|60.4.1||', 'seireki|Showa 60-4-1||'],
    // pasted whole, and the other fields say the same
    ...['seireki|19850401|4|1', 'seireki|1985/4/1|04|01', 'showa|昭和60年4月1日|4月|1日'],
    ...['seireki|1985-04-01|4|', 'seireki|1985-04-01||1'],
  ]
  test.each(FIRST_OF_APRIL_1985)('%s is 1 April 1985', (typed) => {
    expect(read(typed)).toBe('1985-04-01')
  })

  test.each([
    ['heisei|元|1|8', '1989-01-08'],
    ['heisei|元年|1|8', '1989-01-08'],
    ['heisei|1|1|8', '1989-01-08'],
    ['heisei|01|1|8', '1989-01-08'],
    ['seireki|H元|1|8', '1989-01-08'],
    ['seireki|Ｈ元年|1|8', '1989-01-08'],
    ['seireki|平元|1|8', '1989-01-08'],
    ['seireki|平成元年1月8日||', '1989-01-08'],
    ['seireki|H1.1.8||', '1989-01-08'],
    ['seireki|H010108||', '1989-01-08'],
    ['heisei|010108||', '1989-01-08'],
    ['seireki|H30|12|31', '2018-12-31'],
    ['reiwa|元|5|1', '2019-05-01'],
    ['reiwa|令和元年|5|1', '2019-05-01'],
    ['seireki|R元|5|1', '2019-05-01'],
    ['seireki|R1.5.1||', '2019-05-01'],
    ['seireki|㋿7|1|1', '2025-01-01'],
    ['reiwa|7|1|1', '2025-01-01'],
    ['taisho|元|8|1', '1912-08-01'],
    ['seireki|T15|1|1', '1926-01-01'],
    ['seireki|大15|1|1', '1926-01-01'],
    ['seireki|大正9年12月31日||', '1920-12-31'],
    ['meiji|45|1|1', '1912-01-01'],
    ['seireki|M45.7.1||', '1912-07-01'],
    ['seireki|明治40年2月3日||', '1907-02-03'],
    ['showa|元|12|31', '1926-12-31'],
    ['showa|2|1|1', '1927-01-01'],
    ['seireki|2000|12|31', '2000-12-31'],
  ])('%s is %s', (typed, date) => {
    expect(read(typed)).toBe(date)
  })
})

describe('where one era ends and the next begins', () => {
  test.each([
    ['meiji|45|7|29', '1912-07-29'],
    ['meiji|45|7|30', '1912-07-30'],
    ['meiji|45|7|31', impossible('明治45年7月31日')],
    ['taisho|元|7|29', impossible('大正元年7月29日')],
    ['taisho|元|7|30', '1912-07-30'],
    ['taisho|1|7|31', '1912-07-31'],
    ['taisho|15|12|24', '1926-12-24'],
    ['taisho|15|12|25', '1926-12-25'],
    ['taisho|15|12|26', impossible('大正15年12月26日')],
    ['taisho|16|1|1', impossible('大正16年1月1日')],
    ['showa|1|12|24', impossible('昭和元年12月24日')],
    ['showa|1|12|25', '1926-12-25'],
    ['showa|63|12|31', '1988-12-31'],
    ['showa|64|1|1', '1989-01-01'],
    ['showa|64|1|7', '1989-01-07'],
    ['showa|64|1|8', impossible('昭和64年1月8日')],
    ['showa|64|2|1', impossible('昭和64年2月1日')],
    ['seireki|S64.2.1||', impossible('昭和64年2月1日')],
    ['showa|65|1|1', impossible('昭和65年1月1日')],
    ['showa|70|1|1', impossible('昭和70年1月1日')],
    ['showa|100|1|1', impossible('昭和100年1月1日')],
    ['heisei|元|1|7', impossible('平成元年1月7日')],
    ['heisei|1|1|8', '1989-01-08'],
    ['heisei|31|4|30', '2019-04-30'],
    ['heisei|31|5|1', '2019-05-01'],
    ['heisei|31|12|31', '2019-12-31'],
    ['heisei|32|1|1', impossible('平成32年1月1日')],
    ['heisei|99|1|1', impossible('平成99年1月1日')],
    ['reiwa|1|4|30', impossible('令和元年4月30日')],
    ['reiwa|1|5|1', '2019-05-01'],
    ['reiwa|2|2|29', '2020-02-29'],
    ['seireki|1926|12|25', '1926-12-25'],
    ['seireki|1989|1|7', '1989-01-07'],
    ['seireki|2019|4|30', '2019-04-30'],
  ])('%s: %s', (typed, expected) => {
    expect(read(typed)).toBe(expected)
  })

  test('every day around a change of era agrees with the calendar of Intl', () => {
    const japanese = new Intl.DateTimeFormat('ja-JP-u-ca-japanese', {
      timeZone: 'UTC',
      era: 'long',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
    })
    const disagreements: string[] = []
    for (const change of ['1912-07-30', '1926-12-25', '1989-01-08', '2019-05-01']) {
      for (let offset = -400; offset <= 400; offset += 1) {
        const time = new Date(Date.parse(change) + offset * 86_400_000)
        const date = time.toISOString().slice(0, 10)
        const parts = new Map(japanese.formatToParts(time).map(({ type, value }) => [type, value]))
        const written = `${parts.get('era')}${parts.get('year')}年`
        const said = read(`|${written}|${parts.get('month')}|${parts.get('day')}`)
        const year = eraYearsOf(date)[0]?.year
        if (said !== date || parts.get('year') !== String(year)) {
          disagreements.push(`${date} ${written} ${said} ${year}`)
        }
      }
    }
    expect(disagreements).toEqual([])
  })

  test('every day of a hundred and nineteen years is read in each of its eras', () => {
    const kanji = { reiwa: '令和', heisei: '平成', showa: '昭和', taisho: '大正', meiji: '明治' }
    let asked = 0
    const wrong: string[] = []
    for (let time = Date.parse('1907-01-01'); time < Date.parse('2026-01-01'); time += 86_400_000) {
      const date = new Date(time).toISOString().slice(0, 10)
      const [, month, day] = date.split('-')
      for (const { era, year } of eraYearsOf(date)) {
        asked += 1
        if (era === 'seireki') throw new Error('seireki is no era')
        if (read(`${era}|${year}|${month}|${day}`) !== date) wrong.push(`${era}${year} ${date}`)
        if (read(`seireki|${kanji[era]}${year}年${month}月${day}日||`) !== date) wrong.push(date)
      }
    }
    expect(wrong).toEqual([])
    expect(asked).toBeGreaterThan(43_000)
  })
})

describe('days that are in no calendar', () => {
  test.each([
    ['seireki|2000|2|29', '2000-02-29'],
    ['seireki|2024|2|29', '2024-02-29'],
    ['seireki|1908|2|29', '1908-02-29'],
    ['showa|59|2|29', '1984-02-29'],
    ['seireki|2023|2|29', impossible('2023年2月29日')],
    ['seireki|2023|2|30', impossible('2023年2月30日')],
    ['seireki|2024|2|30', impossible('2024年2月30日')],
    ['showa|60|2|29', impossible('昭和60年2月29日')],
    ['seireki|1985|4|31', impossible('1985年4月31日')],
    ['seireki|1985|6|31', impossible('1985年6月31日')],
    ['seireki|1985|9|31', impossible('1985年9月31日')],
    ['seireki|1985|11|31', impossible('1985年11月31日')],
    ['seireki|1985|1|31', '1985-01-31'],
    ['seireki|1985|12|31', '1985-12-31'],
    ['seireki|昭和60年4月31日||', impossible('昭和60年4月31日')],
    ['seireki|19850431||', impossible('1985年4月31日')],
    ['reiwa|元|6|31', impossible('令和元年6月31日')],
  ])('%s: %s', (typed, expected) => {
    expect(read(typed)).toBe(expected)
  })
})

describe('today and age', () => {
  test.each([
    ['seireki|2026|11|22', '2026-11-22'],
    ['seireki|2026|11|23', 'year bday.future'],
    ['seireki|2026|11|24', 'year bday.future'],
    ['seireki|2026|12|1', 'year bday.future'],
    ['seireki|2027|1|1', 'year bday.future'],
    ['seireki|2999|1|1', 'year bday.future'],
    ['seireki|9999|12|31', 'year bday.future'],
    ['reiwa|8|11|22', '2026-11-22'],
    ['reiwa|8|11|24', 'year bday.future'],
    ['reiwa|20|5|1', 'year bday.future'],
    ['reiwa|99|1|1', 'year bday.future'],
    ['seireki|20300101||', 'year bday.future'],
    ['seireki|2027|2|29', impossible('2027年2月29日')],
    ['seireki|1906|11|23', '1906-11-23'], // 120 today
    ['seireki|1905|11|24', '1905-11-24'], // 121 tomorrow
    ['seireki|1905|11|23', impossible('1905年11月23日')], // 121 today
    ['seireki|1900|1|1', impossible('1900年1月1日')],
    ['seireki|1000|1|1', impossible('1000年1月1日')],
    ['seireki|0085|1|1', impossible('85年1月1日')],
    ['meiji|38|11|24', '1905-11-24'],
    ['meiji|1|12|1', impossible('明治元年12月1日')],
    ['meiji|20|1|1', impossible('明治20年1月1日')],
  ])('on 23 November 2026 %s: %s', (typed, expected) => {
    expect(read(typed)).toBe(expected)
  })

  test('a date that lay in the future is accepted the day after', () => {
    expect(read('seireki|2026|11|23', '2026-11-23')).toBe('year bday.future')
    expect(read('seireki|2026|11|23', '2026-11-24')).toBe('2026-11-23')
  })
})

describe('faults', () => {
  test.each([
    ['seireki|||', 'year bday.empty'],
    ['|||', 'year bday.empty'],
    ['showa| |　|  ', 'year bday.empty'],
    ['showa||4|1', 'year bday.part year'],
    ['showa|60||1', 'month bday.part month'],
    ['showa|60|4|', 'day bday.part day'],
    ['showa|60||', 'month bday.part month,day'],
    ['showa||4|', 'year bday.part year,day'],
    ['showa|||1', 'year bday.part year,month'],
    ['seireki|1985||', 'month bday.part month,day'],
    ['|60|4|1', 'era bday.part era'],
    ['|60||', 'era bday.part era,month,day'],
    ['nonsense|60|4|1', 'era bday.part era'],
    ['|600401||', 'era bday.part era'],
    ['seireki|1985|月|日', 'month bday.part month,day'],
    ['seireki|60|4|1', 'year bday.year'],
    ['seireki|85|4|1', 'year bday.year'],
    ['seireki|198|4|1', 'year bday.year'],
    ['seireki|元|4|1', 'year bday.year'],
    ['seireki|西暦85|4|1', 'year bday.year'],
    ['seireki|850401||', 'year bday.year; month bday.part month,day'],
    ['seireki|0000|4|1', 'year bday.year'],
    ['showa|0|4|1', 'year bday.year'],
    ['showa|-60|4|1', 'year bday.year'],
    ['showa|abc|4|1', 'year bday.year'],
    ['showa|昭和|4|1', 'year bday.year'],
    ['showa|X60|4|1', 'year bday.year'],
    ['showa|60.5|4|1', 'year bday.year'],
    ['showa|1e3|4|1', 'year bday.year'],
    ['seireki|19855|4|1', 'year bday.year'],
    ['seireki|198504011||', 'year bday.year; month bday.part month,day'],
    ['seireki|1985年4月|4|1', 'year bday.year'],
    ['seireki|19850401|5|1', 'year bday.year'],
    ['seireki|1985/4/1|4|2', 'year bday.year'],
    ['seireki|1985|0|1', 'month bday.month'],
    ['seireki|1985|00|1', 'month bday.month'],
    ['seireki|1985|13|1', 'month bday.month'],
    ['seireki|1985|４月末|1', 'month bday.month'],
    ['seireki|1985|Apr|1', 'month bday.month'],
    ['seireki|1985|-4|1', 'month bday.month'],
    ['seireki|1985|4.0|1', 'month bday.month'],
    ['seireki|1985|004|1', 'month bday.month'],
    ['seireki|1985|4|0', 'day bday.day'],
    ['seireki|1985|4|32', 'day bday.day'],
    ['seireki|1985|4|x', 'day bday.day'],
    ['seireki|1985|4|1st', 'day bday.day'],
    ['seireki|1985|13|32', 'month bday.month; day bday.day'],
    ['seireki|abc|13|32', 'year bday.year; month bday.month; day bday.day'],
    ['seireki||13|32', 'year bday.part year; month bday.month; day bday.day'],
    ['seireki|85|4|', 'year bday.year; day bday.part day'],
    ['|60|13|1', 'era bday.part era; month bday.month'],
    ['seireki|19851301||', 'month bday.month'],
    ['seireki|1985/4/32||', 'day bday.day'],
    ['seireki|S60.13.40||', 'month bday.month; day bday.day'],
  ])('%s: %s', (typed, expected) => {
    expect(read(typed)).toBe(expected)
  })

  test('no typed text, however long, takes the reader off its feet', () => {
    for (const junk of [
      '1'.repeat(16_000),
      '昭和'.repeat(8000),
      '1985/'.repeat(3000),
      '年'.repeat(9000),
    ]) {
      expect(read(`showa|${junk}|${junk}|${junk}`)).toContain('year bday.year')
    }
  })
})

test('the era select offers the western calendar and the five eras', () => {
  expect(ERA_IDS).toEqual(['seireki', 'reiwa', 'heisei', 'showa', 'taisho', 'meiji'])
})
