import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { type Environment, loadConfig } from '../../config/index.ts'
import { UsageError } from '../command-error.ts'

type Io = Readonly<{ env: Environment; say: (line: string) => void; err: (text: string) => void }>

const FOLDER = 'conformance-plans'

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`

/** The files of both suites, by name without .json, and what to choose with each. */
const filesFor = async (env: Environment, issuer: string | undefined) => {
  const { ownClientsFile, ownMembersFile } = await import('./own-suite.ts')
  const { foundationPlans } = await import('./plans.ts')
  const given = issuer === undefined ? env : { ...env, IDP_ISSUER: issuer }
  // Files are written for any issuer; whether it is served is for `serve` to say.
  const named = given.IDP_ISSUER
  const config = loadConfig(
    {
      ...given,
      NODE_ENV: 'development',
      IDP_HOST: undefined,
      IDP_STORE: undefined,
      ...(named && { IDP_CONFORMANCE_ISSUERS: named }),
    },
    undefined,
    undefined,
    'conformance',
  )
  const { suite = '', mailboxPort = 0 } = config.conformance ?? {}
  const mailbox = `http://localhost:${mailboxPort}`
  const plans = foundationPlans({ issuer: config.issuer, suite })
  const files = new Map<string, unknown>([
    ...plans.map(({ name, configuration }) => [name, configuration] as const),
    ['own-suite-clients', ownClientsFile()],
    ['own-suite-members', ownMembersFile({ issuer: config.issuer, mailbox })],
  ])
  return { config, plans, files, suite }
}

/** `serve`, and the files with which suites ask what it serves. */
export const addConformanceCommands = (program: Command, { env, say, err }: Io): void => {
  program
    .command('serve')
    .description('start the server of the configuration in the environment')
    .addOption(
      new Option(
        '--profile <name>',
        'conformance: fictional members with public passwords, and what conformance tests ask for; never in production',
      ).choices(['conformance']),
    )
    .option('--issuer <origin>', 'in place of IDP_ISSUER')
    .action(async ({ profile, issuer }: { profile?: 'conformance'; issuer?: string }) => {
      // Much to load, and for this command alone.
      const { serve } = await import('../../serve.ts')
      await serve({
        env: issuer === undefined ? env : { ...env, IDP_ISSUER: issuer },
        profile,
        say,
        complain: (text) => err(`${text}\n`),
      })
    })

  program
    .command('conformance-plan')
    .description('write the files with which conformance suites ask `serve --profile conformance`')
    .option('--issuer <origin>', 'in place of IDP_ISSUER')
    .option('--out <folder>', 'where they are written', FOLDER)
    .option('--print <name>', 'print this one instead, e.g. basic-static')
    .action(async ({ issuer, out, print }: { issuer?: string; out: string; print?: string }) => {
      const { config, plans, files, suite } = await filesFor(env, issuer)
      if (print !== undefined) {
        const found = files.get(print)
        if (found === undefined) {
          throw new UsageError(`there is no "${print}"; there are: ${[...files.keys()].join(', ')}`)
        }
        say(json(found).trimEnd())
        return
      }
      mkdirSync(out, { recursive: true })
      for (const [name, content] of files) writeFileSync(join(out, `${name}.json`), json(content))
      say(`Issuer ${config.issuer}, suite ${suite}`)
      for (const { name, plan, variant } of plans) {
        const chosen = Object.entries(variant).map(([key, value]) => `[${key}=${value}]`)
        say(`${join(out, `${name}.json`).padEnd(48)} ${plan}${chosen.join('')}`)
      }
      say(`${join(out, 'own-suite-clients.json').padEnd(48)} npm run conformance -- --client`)
      say(`${join(out, 'own-suite-members.json').padEnd(48)} npm run conformance -- --member`)
    })
}
