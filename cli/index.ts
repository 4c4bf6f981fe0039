#!/usr/bin/env node
import { Command } from 'commander'
import { keepSetting, openAdapters } from '../adapters/index.ts'
import { systemClock, systemRandom } from '../adapters/system.ts'
import { ConfigError, loadConfig } from '../config/index.ts'
import { DESK_PASS_MINUTES } from '../factors/desk-pass.ts'
import { CommandError, issuePass } from './member-pass.ts'

const program = new Command('kenpo-idp')
  .description(
    'The operator’s commands. They work on the store of the configuration in the environment, beside a running server.',
  )
  .showHelpAfterError()

const member = program.command('member').description('one member')

member
  .command('pass')
  .description(
    'issue a one-use pass to a member whom the desk has identified: it stands in for lost methods',
  )
  .argument('<society>', 'the society’s ID, as in the societies file')
  .argument('<loginId>', 'the member’s user ID, as on the postcard')
  .requiredOption('--operator <name>', 'who issues it, for the audit trail')
  .option(
    '--minutes <n>',
    `how long it is good, at most ${DESK_PASS_MINUTES}`,
    `${DESK_PASS_MINUTES}`,
  )
  .action(
    async (
      societyId: string,
      loginId: string,
      { operator, minutes }: { operator: string; minutes: string },
    ) => {
      const config = loadConfig(process.env, undefined, keepSetting)
      const adapters = await openAdapters(config, systemClock)
      try {
        const shown = await issuePass(
          {
            ...adapters,
            societies: config.societies,
            clock: systemClock,
            randomBytes: systemRandom,
          },
          { societyId, loginId, operator, minutes: Number(minutes) },
        )
        console.log(shown)
      } finally {
        await adapters.close()
      }
    },
  )

try {
  await program.parseAsync()
} catch (error) {
  const expected = error instanceof CommandError || error instanceof ConfigError
  console.error(expected ? error.message : error)
  process.exitCode = 1
}
