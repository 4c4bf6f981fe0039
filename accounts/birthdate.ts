/**
 * The calendars a birth date may be given in. `starts` and `ends` (YYYY-MM-DD) are the first and
 * the last day an era is taken for. A day of change in 1912 and 1926 belongs to both eras; in 1989
 * and 2019 the new one began at midnight, but papers made earlier said 平成31年 for all of 2019.
 */
const ERAS = [
  { id: 'seireki', label: '', names: ['西暦', 'ad'], starts: '0001-01-01', ends: '9999-12-31' },
  {
    id: 'reiwa',
    label: '令和',
    names: ['令和', '令', 'reiwa', 'r'],
    starts: '2019-05-01',
    ends: '9999-12-31',
  },
  {
    id: 'heisei',
    label: '平成',
    names: ['平成', '平', 'heisei', 'h'],
    starts: '1989-01-08',
    ends: '2019-12-31',
  },
  {
    id: 'showa',
    label: '昭和',
    names: ['昭和', '昭', 'showa', 's'],
    starts: '1926-12-25',
    ends: '1989-01-07',
  },
  {
    id: 'taisho',
    label: '大正',
    names: ['大正', '大', 'taisho', 't'],
    starts: '1912-07-30',
    ends: '1926-12-25',
  },
  {
    id: 'meiji',
    label: '明治',
    names: ['明治', '明', 'meiji', 'm'],
    starts: '1868-10-23',
    ends: '1912-07-30',
  },
] as const
type Era = (typeof ERAS)[number]
export type EraId = Era['id']

/** The values of the form's era select: the western calendar, then the eras, latest first. */
export const ERA_IDS: readonly EraId[] = ERAS.map((era) => era.id)

/** The eras that a date falls in, with its year in each: two of them around a change. */
export const eraYearsOf = (date: string): readonly Readonly<{ era: EraId; year: number }>[] =>
  ERAS.filter(({ id, starts, ends }) => id !== 'seireki' && starts <= date && date <= ends).map(
    ({ id, starts }) => ({
      era: id,
      year: Number(date.slice(0, 4)) - Number(starts.slice(0, 4)) + 1,
    }),
  )

/** A date that makes a member older than this is a slip. */
const OLDEST_AGE_YEARS = 120

/** The four fields as typed; `era` is one of `ERA_IDS`, or anything where none is selected. */
export type BirthdateForm = Readonly<{ era: string; year: string; month: string; day: string }>

const FIELDS = ['era', 'year', 'month', 'day'] as const

export type BirthdateFault = Readonly<{
  field: (typeof FIELDS)[number]
  reason:
    | 'bday.empty'
    | 'bday.part'
    | 'bday.year'
    | 'bday.month'
    | 'bday.day'
    | 'bday.impossible'
    | 'bday.future'
  /** `missing`: the fields to fill in, e.g. "year,month". `date`: as written, e.g. 昭和64年2月1日. */
  values?: Readonly<Record<string, string>>
}>

export type ParsedBirthdate =
  | Readonly<{ ok: true /** YYYY-MM-DD */; date: string }>
  | Readonly<{ ok: false; faults: readonly BirthdateFault[] }>

const ERA = `(?:(?<era>${ERAS.flatMap((era) => era.names).join('|')})\\.?)?`
const YEAR = new RegExp(`^${ERA}(?<year>\\d{1,4}|元)年?$`, 'u')
const WHOLE_DATES = [
  new RegExp(
    `^${ERA}(?<year>\\d{1,4}|元)[年./-](?<month>\\d{1,2})[月./-](?<day>\\d{1,2})日?$`,
    'u',
  ),
  new RegExp(`^${ERA}(?<year>\\d{4}|\\d{2})(?<month>\\d{2})(?<day>\\d{2})$`, 'u'),
]

/** Full width made half width, spaces gone, every dash a hyphen, every stop a point, lower case. */
const tidy = (typed: string): string =>
  typed
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\s/gu, '')
    .replace(/[\u2010-\u2015\u2212\u30fc]/gu, '-')
    .replace(/[。、,・]/gu, '.')

/** A date as the member means it, before anyone has asked whether it exists. */
type Written = Readonly<{
  /** Undefined: neither written nor selected. */
  era: Era | undefined
  year: number
  month: string
  day: string
}>

/** The three number fields, tidied. */
type Fields = Readonly<{ year: string; month: string; day: string }>

/** Undefined where the year field cannot be read, or contradicts the other two. */
const readDate = (selected: string, { year: typed, month, day }: Fields): Written | undefined => {
  const whole = WHOLE_DATES.map((pattern) => pattern.exec(typed)?.groups).find(Boolean)
  const groups = whole ?? YEAR.exec(typed)?.groups
  if (!groups?.year) return undefined
  const year = groups.year === '元' ? 1 : Number(groups.year)
  const era =
    groups.year.length === 4
      ? ERAS[0] // nobody counts four digits in an era, whatever is selected
      : ERAS.find(({ id, names }) =>
          groups.era ? names.some((name) => name === groups.era) : id === selected,
        )
  if (year === 0 || (era?.id === 'seireki' && groups.year.length !== 4)) return undefined
  if (!whole) return { era, year, month, day }
  const agrees = (field: string, part: string | undefined) =>
    field === '' || Number(field) === Number(part)
  if (!agrees(month, whole.month) || !agrees(day, whole.day)) return undefined
  return { era, year, month: whole.month ?? '', day: whole.day ?? '' }
}

/** NaN where the field holds no whole number from 1 to `max`. */
const numberUpTo = (max: number, field: string): number => {
  const value = /^\d{1,2}$/u.test(field) ? Number(field) : Number.NaN
  return value >= 1 && value <= max ? value : Number.NaN
}

const isoDate = (year: number, month: number, day: number): string =>
  `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`

const lastDayOf = (year: number, month: number): number =>
  new Date(Date.UTC(year, month, 0)).getUTCDate()

/** The date in the western calendar, or how it was written where there is no such day of birth. */
const placeDate = (
  era: Era,
  year: number,
  month: number,
  day: number,
  today: string,
): Readonly<{ date: string } | { impossible: string }> => {
  const western = era.id === 'seireki' ? year : Number(era.starts.slice(0, 4)) + year - 1
  const date = isoDate(western, month, day)
  const exists =
    day <= lastDayOf(western, month) &&
    date >= era.starts &&
    date <= era.ends &&
    date > `${Number(today.slice(0, 4)) - OLDEST_AGE_YEARS - 1}${today.slice(4)}`
  if (exists) return { date }
  const yearWritten = era.id !== 'seireki' && year === 1 ? '元' : year
  return { impossible: `${era.label}${yearWritten}年${month}月${day}日` }
}

/**
 * The birth date in the four fields, read as generously as can be without guessing: full-width
 * digits, an era by name, character or letter in the year field, 元年, a western year whatever era
 * is selected, a whole date pasted into the year field. Faults are told all at once, in the order
 * of the fields.
 *
 * @param today YYYY-MM-DD in Japan; the date must lie before it.
 */
export const parseBirthdate = (form: BirthdateForm, today: string): ParsedBirthdate => {
  const fields = {
    year: tidy(form.year).replace(/生(?:まれ)?$/u, ''),
    month: tidy(form.month).replace(/月$/u, ''),
    day: tidy(form.day).replace(/日$/u, ''),
  }
  if (Object.values(fields).every((field) => field === '')) {
    return { ok: false, faults: [{ field: 'year', reason: 'bday.empty' }] }
  }

  const written = readDate(form.era, fields)
  const given = {
    ...fields,
    month: written?.month ?? fields.month,
    day: written?.day ?? fields.day,
  }
  const month = numberUpTo(12, given.month)
  const day = numberUpTo(31, given.day)
  const missing = FIELDS.filter((field) =>
    field === 'era' ? written !== undefined && !written.era : given[field] === '',
  )
  const faults: BirthdateFault[] = []
  if (missing[0]) {
    faults.push({ field: missing[0], reason: 'bday.part', values: { missing: missing.join(',') } })
  }
  if (given.year !== '' && !written) faults.push({ field: 'year', reason: 'bday.year' })
  if (given.month !== '' && !month) faults.push({ field: 'month', reason: 'bday.month' })
  if (given.day !== '' && !day) faults.push({ field: 'day', reason: 'bday.day' })
  if (faults.length > 0 || !written?.era) {
    const inOrder = faults.sort((a, b) => FIELDS.indexOf(a.field) - FIELDS.indexOf(b.field))
    return { ok: false, faults: inOrder }
  }

  const placed = placeDate(written.era, written.year, month, day, today)
  if ('impossible' in placed) {
    const values = { date: placed.impossible }
    return { ok: false, faults: [{ field: 'year', reason: 'bday.impossible', values }] }
  }
  if (placed.date >= today) return { ok: false, faults: [{ field: 'year', reason: 'bday.future' }] }
  return { ok: true, date: placed.date }
}
