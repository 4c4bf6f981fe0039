import { Command, CommanderError, Option } from 'commander'
import { IdentityError } from '../accounts/errors.ts'
import type { InitialPassword, Locale } from '../accounts/member.ts'
import { DESK_PASS_MINUTES } from '../accounts/policy.ts'
import { ConfigError, type Environment, loadConfig } from '../config/index.ts'
import { addClientCommands } from './client.ts'
import { CommandError, reasonOf, UnfinishedError, UsageError } from './command-error.ts'
import { addConformanceCommands } from './conformance/index.ts'
import { type Desk, type MemberRequest, REISSUED_MAX_DAYS, wholeNumber } from './desk.ts'
import { columnList, ENCODINGS, type Encoding } from './import/options.ts'
import type { Progress } from './import/progress.ts'
import { addKeyCommands } from './keys.ts'
import { addStoreCommands } from './store.ts'
import type { withStores as WithStores } from './stores.ts'

/** 0: done; 1: refused, in whole or in part; 2: the command was not understood. */
const REFUSED = 1
const MISUSED = 2
/** Ten years: longer than any postcard is kept. */
const LONGEST_DAYS = 3650
const EXPIRES_DAYS = 90
const REISSUED_DAYS = 7

/** Each command loads what it does only when it is given. */
const withStores: typeof WithStores = async (...args) =>
  (await import('./stores.ts')).withStores(...args)
const blocking = () => import('./member-block.ts')

/** What a command works with beside the stores. */
export type Terminal = Readonly<{
  env: Environment
  out: (text: string) => void
  err: (text: string) => void
  progress: (total: number, locale: Locale) => Progress
}>

const createProgram = (io: Terminal, refusedSome: () => void): Command => {
  const { env } = io
  const say = (line: string): void => io.out(`${line}\n`)
  const program = new Command('kenpo-idp')
    .description(
      'The operator’s commands. They work on the stores of the configuration in the environment, beside a running server.',
    )
    .showHelpAfterError()
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })

  const operatorOption = (): Option =>
    new Option('--operator <name>', 'who does this, for the audit trail').makeOptionMandatory()
  const langOption = (): Option =>
    new Option('--lang <language>', 'of the answers').choices(['ja', 'en']).default('ja')

  const member = program.command('member').description('a society’s members')

  type OfMember = Readonly<{ operator: string }>
  /** A command about one member: `member <name> <society> <loginId> --operator <name>`. */
  const aboutMember = <Options extends OfMember>(
    name: string,
    description: string,
    options: readonly Option[],
    act: (desk: Desk, request: MemberRequest, options: Options) => Promise<string>,
  ): void => {
    const command = member
      .command(name)
      .description(description)
      .argument('<society>', 'the society’s ID, as in the societies file')
      .argument('<loginId>', 'the member’s user ID, as on the postcard')
      .addOption(operatorOption())
    for (const option of options) command.addOption(option)
    command.action(async (societyId: string, loginId: string, given: Options) => {
      const request = { societyId, loginId, operator: given.operator }
      // Said before the stores are closed: what is shown once must not be lost to their failing.
      await withStores(env, async (desk) => {
        try {
          say(await act(desk, request, given))
        } catch (error) {
          if (error instanceof UnfinishedError) say(error.shown)
          throw error
        }
      })
    })
  }

  aboutMember<OfMember & { lang: Locale }>(
    'show',
    'show where the member stands: first login, methods, blocks, last sign-ins; no secret',
    [langOption()],
    async (desk, request, { lang }) => {
      const { showMember } = await import('./member-show.ts')
      return showMember(desk, { ...request, locale: lang })
    },
  )

  aboutMember<OfMember & { minutes: string }>(
    'pass',
    'issue a one-use pass to a member whom the desk has identified: it stands in for lost methods',
    [
      new Option('--minutes <n>', `how long it is good, at most ${DESK_PASS_MINUTES}`).default(
        `${DESK_PASS_MINUTES}`,
      ),
    ],
    async (desk, request, { minutes }) => {
      const { issuePass } = await import('./member-pass.ts')
      return issuePass(desk, {
        ...request,
        minutes: wholeNumber('--minutes', minutes, [1, DESK_PASS_MINUTES]),
      })
    },
  )

  aboutMember<OfMember & { days: string }>(
    'password',
    'give another initial password to a member whom the desk has identified: the member changes it at sign-in',
    [
      new Option('--days <n>', `how long it is good, at most ${REISSUED_MAX_DAYS}`).default(
        `${REISSUED_DAYS}`,
      ),
    ],
    async (desk, request, { days }) => {
      const { reissueInitialPassword } = await import('./member-password.ts')
      return reissueInitialPassword(desk, {
        ...request,
        days: wholeNumber('--days', days, [1, REISSUED_MAX_DAYS]),
      })
    },
  )

  aboutMember(
    'unlock',
    'forget the attempts counted against the member and lift a block, after speaking with them',
    [],
    async (desk, request) => (await blocking()).unlockMember(desk, request),
  )
  aboutMember(
    'disable',
    'stop the account: no sign-in, every session and token ends',
    [],
    async (desk, request) => (await blocking()).disableMember(desk, request),
  )
  aboutMember('enable', 'open an account again that was disabled', [], async (desk, request) =>
    (await blocking()).enableMember(desk, request),
  )

  member
    .command('export')
    .description('write a society’s members into a new CSV file, which an import takes again')
    .argument('<society>', 'the society’s ID, as in the societies file')
    .addOption(operatorOption())
    .requiredOption('--out <file>', 'the new file, readable by this user only')
    .addOption(langOption())
    .action(
      async (
        societyId: string,
        { operator, out, lang }: { operator: string; out: string; lang: Locale },
      ) => {
        const request = { societyId, operator, out, locale: lang }
        const { exportMembers } = await import('./member-export.ts')
        say(await withStores(env, (desk) => exportMembers(desk, request)))
      },
    )

  type ImportOptions = Readonly<{
    operator: string
    society?: string
    encoding?: Encoding
    skipColumn?: readonly string[]
    dryRun?: true
    passwords: InitialPassword
    passwordsFile?: string
    resume?: true
    expiresDays: string
    report?: string
    lang: Locale
  }>

  member
    .command('import')
    .description('take a society’s members in from a CSV file; a second run changes nothing')
    .argument('<file>', 'CSV with a header line, UTF-8 or Shift_JIS')
    .addOption(operatorOption())
    .option('--society <id>', 'of every row, where the file has no such column')
    .option('--dry-run', 'check every row and change nothing')
    .addOption(
      new Option(
        '--passwords <kind>',
        'the initial passwords of new members; derived: symbol + number + birthdate',
      )
        .choices(['random', 'derived'])
        .default('random'),
    )
    .option(
      '--passwords-file <file>',
      'the new file for random passwords, readable by this user only',
    )
    .option('--resume', 'go on with an import that was broken off')
    .option(
      '--expires-days <n>',
      'until when initial passwords are good; 0: no end',
      `${EXPIRES_DAYS}`,
    )
    .option('--report <file>', 'a new CSV file with an answer per row')
    .addOption(
      new Option('--encoding <name>', 'where it is not to be told by itself').choices(ENCODINGS),
    )
    .addOption(
      new Option('--skip-column <names>', 'columns not to be read, separated by commas').argParser(
        columnList,
      ),
    )
    .addOption(langOption())
    .action(async (file: string, given: ImportOptions) => {
      const request = {
        file,
        operator: given.operator,
        ...(given.society !== undefined && { societyId: given.society }),
        ...(given.encoding !== undefined && { encoding: given.encoding }),
        skip: given.skipColumn ?? [],
        dryRun: given.dryRun === true,
        passwords: given.passwords,
        ...(given.passwordsFile !== undefined && { passwordsFile: given.passwordsFile }),
        resume: given.resume === true,
        expiresDays: wholeNumber('--expires-days', given.expiresDays, [0, LONGEST_DAYS]),
        ...(given.report !== undefined && { report: given.report }),
        locale: given.lang,
      }
      const { importMembers } = await import('./import/index.ts')
      const { counts, text } = await withStores(env, (desk) =>
        importMembers(desk, request, {
          say,
          progress: (total) => io.progress(total, given.lang),
          stopwatch: () => performance.now(),
        }),
      )
      say(text)
      if (counts.refused > 0) refusedSome()
    })

  program
    .command('society')
    .description('the societies file')
    .command('check')
    .description(
      'check the societies file, and the members in the store against it; names no member',
    )
    .option('--file <file>', 'a new societies file, in place of the one in use')
    .addOption(langOption())
    .action(async ({ file, lang }: { file?: string; lang: Locale }) => {
      const { checkSocieties } = await import('./society-check.ts')
      const checked = await withStores(env, async (desk, config) =>
        checkSocieties(desk, {
          societies:
            file === undefined
              ? config.societies
              : loadConfig({ ...env, IDP_SOCIETIES_FILE: file }).societies,
          inUse: config.societies,
          now: desk.clock.now(),
          locale: lang,
        }),
      )
      say(checked.text)
      if (checked.problems > 0) refusedSome()
    })
  addClientCommands(program, { env, say, refusedSome })

  program
    .command('trace')
    .description(
      'why an app’s request was refused: the rule, what was sent, what is registered, what to do',
    )
    .argument('<reference>', 'its reference number, as 7F3K-92QD')
    .addOption(
      new Option('--format <format>', 'of the answer').choices(['text', 'json']).default('text'),
    )
    .addOption(langOption())
    .action(async (typed: string, { format, lang }: { format: 'text' | 'json'; lang: Locale }) => {
      const { traceRefusal } = await import('./trace.ts')
      say(await withStores(env, (desk) => traceRefusal(desk, { typed, format, locale: lang })))
    })
  addKeyCommands(program, { env, say })
  addConformanceCommands(program, { env, say, err: io.err })
  addStoreCommands(program, {
    env,
    say,
    note: (line) => io.err(`${line}\n`),
    refusedSome,
  })
  return program
}

/** What the operator can mend in words, anything else with its stack. */
const explain = (error: unknown): string => {
  if (error instanceof CommandError || error instanceof ConfigError) return error.message
  if (error instanceof IdentityError) return reasonOf(error)
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

/** Runs one command; its exit code: 0 done, 1 refused in whole or in part, 2 not understood. */
export const run = async (args: readonly string[], io: Terminal): Promise<number> => {
  let code = 0
  const program = createProgram(io, () => {
    code = REFUSED
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    // It has said so itself; help that was asked for is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED
    io.err(`${explain(error)}\n`)
    return error instanceof UsageError ? MISUSED : REFUSED
  }
}
