import { existsSync } from 'node:fs'
import { DuplicateLoginIdError, StaleMemberError } from '../../accounts/errors.ts'
import {
  endOfDayIn,
  generateInitialPassword,
  issuedPassword,
} from '../../accounts/initial-password.ts'
import type {
  EpochSeconds,
  InitialPassword,
  Locale,
  Member,
  MemberId,
} from '../../accounts/member.ts'
import { hashPassword } from '../../factors/password.ts'
import { japaneseDay } from '../../interactions/wording.ts'
import { misused, refused } from '../command-error.ts'
import { audited, type DeskPorts, findSociety, operatorName } from '../desk.ts'
import { type Answer, answerText, openReport, RESULTS, type Result } from './answer.ts'
import { detectEncoding } from './encoding.ts'
import { merge } from './merge.ts'
import type { Encoding } from './options.ts'
import { openPasswordsFile, type PasswordsFile, type Promised } from './passwords-file.ts'
import type { Progress } from './progress.ts'
import {
  checkRow,
  derivedPasswordOf,
  plainText,
  type Row,
  type RowContext,
  rawRows,
  readHeader,
  rowKey,
} from './rows.ts'
import type { Remark } from './rules.ts'

export type ImportRequest = Readonly<{
  file: string
  operator: string
  /** Of every row; else the file has a column. */
  societyId?: string
  encoding?: Encoding
  /** Names of columns that are not read. */
  skip: readonly string[]
  dryRun: boolean
  passwords: InitialPassword
  /** For random passwords: where they are written. */
  passwordsFile?: string
  resume: boolean
  /** The end of the initial passwords; 0: none. */
  expiresDays: number
  report?: string
  locale: Locale
}>

export type ImportOutput = Readonly<{
  /** One line about a row. */
  say: (line: string) => void
  progress: (total: number) => Progress
  /** Milliseconds, from any beginning. */
  stopwatch: () => number
}>

export type ImportOutcome = Readonly<{ counts: Readonly<Record<Result, number>>; text: string }>

/** So many rows go through together: fewer than may wait for hashing. */
const CHUNK = 32
/** More lines about rows are in the report only. */
const MOST_LINES = 200
const ATTEMPTS = 3

type Checked = Readonly<{ line: number; row: Row }>
type Work = DeskPorts &
  Readonly<{
    request: ImportRequest
    operator: string
    now: EpochSeconds
    file: PasswordsFile | undefined
  }>

const answered = (
  { line, row }: Checked,
  result: Result,
  rest: Partial<Pick<Answer, 'changed' | 'remarks'>> = {},
): Answer => ({
  line,
  loginId: row.loginId,
  result,
  changed: rest.changed ?? [],
  remarks: [
    ...(rest.remarks ?? []),
    ...(row.emailSuggestion !== undefined &&
    (result === 'created' || rest.changed?.includes('email'))
      ? [
          {
            column: 'email' as const,
            rule: 'email.suggestion' as const,
            values: { suggestion: row.emailSuggestion },
          },
        ]
      : []),
  ],
})

/** Changes a member who is there already, whoever else saves them meanwhile. */
const updateFrom = async (work: Work, checked: Checked, present: Member): Promise<Answer> => {
  let current: Member | undefined = present
  for (let attempt = 1; current; attempt += 1) {
    const { member, changed, notes } = merge(current, checked.row, work.now)
    if (changed.length === 0) return answered(checked, 'unchanged', { remarks: notes })
    if (!work.request.dryRun) {
      await audited(work, current, {
        act: 'memberUpdated',
        operator: work.operator,
        facts: { columns: changed.join(' ') },
        id: `memberUpdated-${current.id}-${current.revision}`,
      })
      try {
        await work.members.save(member)
      } catch (error) {
        if (!(error instanceof StaleMemberError) || attempt === ATTEMPTS) throw error
        current = await work.members.findById(current.id)
        continue
      }
    }
    return answered(checked, 'updated', { changed, remarks: notes })
  }
  throw new StaleMemberError(present.id)
}

/** The password that a new member is to have; the same again after an import was broken off. */
const promiseFor = ({ randomBytes, request, now, file }: Work, row: Row): Promised => {
  const earlier = file?.promised.get(rowKey(row))
  if (earlier) return earlier
  const { expiresDays, passwords } = request
  const passwordFor = (): string => {
    if (passwords === 'derived') return derivedPasswordOf(row)
    if (!file) throw new TypeError('a password that would be written nowhere')
    return generateInitialPassword(randomBytes)
  }
  return {
    memberId: randomBytes(16).toString('base64url') as MemberId, // where members' IDs are made
    societyId: row.societyId,
    loginId: row.loginId,
    password: passwordFor(),
    at: now,
    ...(expiresDays > 0 && { expiresAt: endOfDayIn(expiresDays, now) }),
  }
}

const memberOf = (
  row: Row,
  promised: Promised,
  hash: string,
  initial: InitialPassword,
): Member => ({
  id: promised.memberId,
  societyId: row.societyId,
  loginId: row.loginId,
  ...(row.insured && { insured: row.insured }),
  birthdate: row.birthdate,
  locale: row.locale ?? 'ja',
  ...(row.profile && { profile: { ...row.profile, updated_at: promised.at } }),
  ...(row.email !== undefined && { email: { address: row.email } }),
  password: issuedPassword({
    hash,
    initial,
    at: promised.at,
    ...(promised.expiresAt !== undefined && { expiresAt: promised.expiresAt }),
  }),
  acceptedTerms: [],
  credentials: [],
  revision: 0,
})

/** Stores the member, whose password is on disk already. */
const create = async (work: Work, checked: Checked, promised: Promised): Promise<Answer> => {
  const { passwords } = work.request
  const hash = await hashPassword(promised.password)
  const member = memberOf(checked.row, promised, hash, passwords)
  await audited(work, member, {
    act: 'memberImported',
    operator: work.operator,
    facts: { password: passwords },
    id: `memberImported-${member.id}`,
  })
  try {
    await work.members.save(member)
    return answered(checked, 'created')
  } catch (error) {
    // Somebody else has stored them just now, with a password of theirs.
    if (!(error instanceof DuplicateLoginIdError) && !(error instanceof StaleMemberError))
      throw error
    const { societyId, loginId } = checked.row
    const present = await work.members.findByLoginId(societyId, loginId)
    if (!present) throw error
    return updateFrom(work, checked, present)
  }
}

/** Answers rows together: those of new members after all their passwords are on disk. */
const importRows = async (work: Work, rows: readonly Checked[]): Promise<readonly Answer[]> => {
  const found = await Promise.all(
    rows.map(async (checked) => {
      const { societyId, loginId } = checked.row
      return { checked, present: await work.members.findByLoginId(societyId, loginId) }
    }),
  )
  if (work.request.dryRun) {
    return Promise.all(
      found.map(({ checked, present }) =>
        present ? updateFrom(work, checked, present) : answered(checked, 'created'),
      ),
    )
  }
  const promises = new Map(
    found.flatMap(({ checked, present }) =>
      present ? [] : [[checked, promiseFor(work, checked.row)] as const],
    ),
  )
  const fresh = [...promises.values()].filter((one) => work.file?.promised.get(rowKey(one)) !== one)
  if (fresh.length > 0) await work.file?.promise(fresh)
  return Promise.all(
    found.map(({ checked, present }) => {
      const promised = promises.get(checked)
      if (promised) return create(work, checked, promised)
      if (present) return updateFrom(work, checked, present)
      throw new TypeError('neither there nor new')
    }),
  )
}

/** Every row with its checks, each user ID once. */
async function* checkedRows(
  request: ImportRequest,
  encoding: Encoding,
  context: RowContext,
): AsyncGenerator<Checked | Answer> {
  const seen = new Map<string, number>()
  let isHeader = true
  for await (const raw of rawRows(request.file, encoding)) {
    if (isHeader) {
      isHeader = false
      continue
    }
    const { line } = raw
    const refusal = (loginId: string, remarks: readonly Remark[]): Answer => ({
      line,
      loginId: plainText(loginId),
      result: 'refused',
      changed: [],
      remarks,
    })
    const written = raw.cells[context.header.positions.get('loginId') ?? 0] ?? ''
    const checked = checkRow(raw, context)
    if (!checked.ok) {
      yield refusal(written, checked.remarks)
      continue
    }
    const key = rowKey(checked.row)
    const earlier = seen.get(key)
    if (earlier === undefined) {
      seen.set(key, line)
      yield { line, row: checked.row }
    } else {
      const values = { line: String(earlier) }
      yield refusal(written, [{ column: 'loginId', rule: 'loginId.twice', values }])
    }
  }
}

/** The whole file read once, before anything is written: its header, and how many rows follow. */
const survey = async (request: ImportRequest, encoding: Encoding) => {
  let names: readonly string[] | undefined
  let total = 0
  for await (const { cells } of rawRows(request.file, encoding)) {
    if (names) total += 1
    else names = cells
  }
  if (!names) {
    throw refused({ ja: 'ファイルに何もありません。', en: 'The file holds nothing.' })
  }
  const needsSociety = request.societyId === undefined
  return { header: readHeader(names, { skip: request.skip, needsSociety }), total }
}

/**
 * Whether a password may have to be written. Where the file is there already it is not, if every
 * member is: the same command given twice changes nothing.
 */
const needsFile = async (
  { members }: DeskPorts,
  request: ImportRequest,
  encoding: Encoding,
  context: RowContext,
): Promise<boolean> => {
  if (!existsSync(request.passwordsFile ?? '')) return true
  for await (const one of checkedRows(request, encoding, context)) {
    if (!('row' in one)) continue
    if (!(await members.findByLoginId(one.row.societyId, one.row.loginId))) return true
  }
  return false
}

const requirePasswordsFile = ({ dryRun, passwords, passwordsFile }: ImportRequest): void => {
  if (passwords === 'random' && passwordsFile === undefined && !dryRun) {
    throw misused({
      ja: '初期パスワードを書くファイルを --passwords-file で指定してください。',
      en: 'Name the file for the initial passwords with --passwords-file.',
    })
  }
  if (passwords === 'derived' && passwordsFile !== undefined) {
    throw misused({
      ja: '--passwords derived では、--passwords-file は使いません。',
      en: '--passwords derived takes no --passwords-file.',
    })
  }
}

const SUMMARY: Readonly<Record<Result, Readonly<Record<Locale, string>>>> = {
  created: { ja: '新規', en: 'created' },
  updated: { ja: '更新', en: 'updated' },
  unchanged: { ja: '変更なし', en: 'unchanged' },
  refused: { ja: '取り込まない', en: 'refused' },
}

const LEGACY_WARNING = {
  ja: '注意：記号+番号+生年月日のパスワードは、同僚や家族に推測されます。はがきなどで random のパスワードを送ることをおすすめします。',
  en: 'Warning: colleagues and family can guess passwords of symbol + number + birthdate. Random ones, sent by post, are safer.',
}

/**
 * Takes the society's file in, row by row, each whole or not at all, and answers every one. A second
 * run changes nothing. @throws CommandError where the file as a whole cannot be taken: nothing is
 * written then
 */
export const importMembers = async (
  ports: DeskPorts,
  request: ImportRequest,
  output: ImportOutput,
): Promise<ImportOutcome> => {
  const { locale, resume } = request
  const operator = operatorName(request.operator)
  requirePasswordsFile(request)
  if (request.societyId !== undefined) findSociety(ports, request.societyId)
  const encoding = await detectEncoding(request.file, request.encoding)
  const { header, total } = await survey(request, encoding)
  const now = ports.clock.now()
  const context: RowContext = {
    header,
    societies: ports.societies,
    ...(request.societyId !== undefined && { societyId: request.societyId }),
    passwords: request.passwords,
    today: japaneseDay(now),
  }
  if (request.passwords === 'derived') output.say(LEGACY_WARNING[locale])
  const needed =
    !request.dryRun && (await needsFile(ports, request, encoding, context))
      ? request.passwordsFile
      : undefined
  const file =
    needed === undefined
      ? undefined
      : await openPasswordsFile(needed, { resume, locale, key: rowKey })
  const report = await openReport(request.report, { resume, locale }).catch(
    async (error: unknown) => {
      await file?.close()
      throw error
    },
  )
  const work: Work = { ...ports, request, operator, now, file }
  const counts: Record<Result, number> = { created: 0, updated: 0, unchanged: 0, refused: 0 }
  let lines = 0
  const tell = async (answer: Answer): Promise<void> => {
    counts[answer.result] += 1
    for (const text of answerText(answer, locale)) {
      lines += 1
      if (lines <= MOST_LINES) output.say(text)
    }
    await report.add(answer)
  }

  const progress = output.progress(total)
  const begun = output.stopwatch()
  let written = 0
  try {
    let chunk: (Checked | Answer)[] = []
    const flush = async (): Promise<void> => {
      const rows = chunk.filter((one): one is Checked => 'row' in one)
      const answers = new Map(
        (await importRows(work, rows)).map((answer) => [answer.line, answer] as const),
      )
      for (const one of chunk) {
        const answer = 'row' in one ? answers.get(one.line) : one
        if (answer) await tell(answer)
      }
      progress.advance(chunk.length)
      chunk = []
    }
    for await (const one of checkedRows(request, encoding, context)) {
      chunk.push(one)
      if (chunk.length === CHUNK) await flush()
    }
    await flush()
    written = (await file?.finish((id) => ports.members.findById(id))) ?? 0
    await report.finish()
  } catch (error) {
    await file?.close().catch(() => undefined)
    await report.close().catch(() => undefined)
    throw error
  } finally {
    progress.end()
  }
  const seconds = (output.stopwatch() - begun) / 1000
  return {
    counts,
    text: summaryText({ request, encoding, counts, lines, written, seconds, total }),
  }
}

const summaryText = (
  done: Readonly<{
    request: ImportRequest
    encoding: Encoding
    counts: Readonly<Record<Result, number>>
    lines: number
    written: number
    seconds: number
    total: number
  }>,
): string => {
  const { request, encoding, counts, lines, written, seconds, total } = done
  const ja = request.locale === 'ja'
  const rate = Math.round(total / Math.max(seconds, 0.001))
  const sums = RESULTS.map((id) => `${SUMMARY[id][request.locale]} ${counts[id]}`)
  const more = lines - MOST_LINES
  const paragraphs = [
    more > 0
      ? ja
        ? `ほか${more}件は --report のファイルで見られます。`
        : `${more} more: see the --report file.`
      : '',
    `${ja ? `${total}行` : `${total} rows`} (${encoding}): ${sums.join(ja ? '、' : ', ')}`,
    ja
      ? `${seconds.toFixed(1)}秒、1秒に${rate}行`
      : `${seconds.toFixed(1)} s, ${rate} rows a second`,
    written > 0
      ? ja
        ? `初期パスワード${written}件を ${request.passwordsFile} に書きました。はがきを作ったら消してください。`
        : `${written} initial passwords are in ${request.passwordsFile}: delete it once the postcards are made.`
      : '',
    request.dryRun
      ? ja
        ? '試しに調べただけです。何も変えていません。'
        : 'Dry run: nothing was changed.'
      : '',
  ]
  return paragraphs.filter((text) => text !== '').join('\n')
}
