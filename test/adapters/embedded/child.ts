import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { errors as providerErrors } from 'oidc-provider'
import { DuplicateLoginIdError } from '../../../accounts/errors.ts'
import type { MailRequest } from '../../../accounts/ports.ts'
import { createArtifactAdapter } from '../../../adapters/embedded/artifacts.ts'
import { openDatabase } from '../../../adapters/embedded/database.ts'
import { createMemberStore } from '../../../adapters/embedded/members.ts'
import { createOutbox } from '../../../adapters/embedded/outbox.ts'
import { createThrottle } from '../../../adapters/embedded/throttle.ts'
import { createTransientStore } from '../../../adapters/embedded/transient.ts'
import { systemClock } from '../../../adapters/system.ts'
import { aMember } from '../../contracts/members.ts'
import { inParallel, reasonsOf, valuesOf } from '../../contracts/rounds.ts'

/**
 * A second process on the embedded file, started by the tests beside it: `child.ts <path> race|write`.
 * It says `ready`, waits for a line, and reports in JSON lines.
 */
const [path = '', task] = process.argv.slice(2)

/** Whole lines, in the pipe when this returns (Node writes to pipes at once, and waits for a reader who
 * is slow, which `writeSync` does not): what is reported has happened. */
const report = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`)

const waitForGo = () => new Promise((resolve) => process.stdin.once('data', resolve))

report('ready')
await waitForGo()
const db = openDatabase(path)
const members = createMemberStore(db)
const transient = createTransientStore(db, systemClock)
const outbox = createOutbox(db)
const throttle = createThrottle(db, systemClock)
const codes = createArtifactAdapter(db, systemClock)('AuthorizationCode')

/** On each key that the parent made, twenty parallel callers a process try for what only one of
 * them all may have. */
const race = async (keys: number) => {
  const won = { taken: 0, replaced: 0, consumed: 0, inserted: 0, mails: 0, attempts: 0 }
  const errors: string[] = []
  const outcomes = async <T>(
    call: (caller: number) => Promise<T>,
    refusal?: abstract new (...args: never[]) => Error,
  ): Promise<readonly T[]> => {
    const settled = await inParallel(call)
    for (const reason of reasonsOf(settled)) {
      if (!refusal || !(reason instanceof refusal)) errors.push(`${reason}`)
    }
    return valuesOf(settled)
  }
  for (let key = 0; key < keys; key++) {
    won.taken += (await outcomes(() => transient.take(`take:${key}`))).filter(Boolean).length
    won.replaced += (
      await outcomes(() => transient.replace(`replace:${key}`, 'old', 'new', 60))
    ).filter(Boolean).length
    won.attempts += (await outcomes(() => throttle.count('password', `${key}`))).filter(
      ({ ok }) => ok,
    ).length
    won.mails += (await outcomes(() => outbox.claim(systemClock.now(), 1, 60))).flat().length
    won.consumed += (
      await outcomes(() => codes.consume(`${key}`), providerErrors.InvalidGrant)
    ).length
    won.inserted += (
      await outcomes(
        (caller) =>
          members.save(aMember({ id: `${process.pid}-${key}-${caller}`, loginId: `race-${key}` })),
        DuplicateLoginIdError,
      )
    ).length
    await yieldToOthers()
  }
  report({ won, errors })
}

/** Writes until it is killed, and reports each write once its promise has resolved. */
const write = async () => {
  for (let n = 0; ; n++) {
    const mail: MailRequest = {
      id: `mail-${n}`,
      to: 'hanako@example.jp',
      template: 'signInCode',
      locale: 'ja',
      societyId: 'kita',
      facts: {},
      requestedAt: systemClock.now(),
      expiresAt: systemClock.now() + 600,
    }
    await members.save(aMember({ id: `member-${n}`, loginId: `write-${n}` }))
    await transient.put(`put:${n}`, n, 600)
    await transient.put(`taken:${n}`, n, 600)
    await transient.take(`taken:${n}`)
    await codes.upsert(`code-${n}`, { jti: `code-${n}` }, 600)
    await codes.consume(`code-${n}`)
    await outbox.add(mail)
    await throttle.count('passwordPerAddress', 'written')
    report(n)
  }
}

if (task === 'race') await race(Number(process.argv[4]))
else await write()
db.close()
process.exit()
