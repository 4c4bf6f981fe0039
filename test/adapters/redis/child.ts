import { writeSync } from 'node:fs'
import { setImmediate as yieldToOthers } from 'node:timers/promises'
import { errors as providerErrors } from 'oidc-provider'
import { createArtifactAdapter } from '../../../adapters/redis/artifacts.ts'
import { createRedis } from '../../../adapters/redis/connect.ts'
import { createThrottle } from '../../../adapters/redis/throttle.ts'
import { createTransientStore } from '../../../adapters/redis/transient.ts'
import { systemClock } from '../../../adapters/system.ts'
import { inParallel, reasonsOf, valuesOf } from '../../contracts/rounds.ts'
import { connected } from '../../support/redis.ts'

/**
 * One of several processes on one server, started by the test beside it: `child.ts <url> <keys>`.
 * It says `ready`, waits for a line, and on each key twenty parallel callers try for what only one
 * of all processes may have; then it reports.
 */
const [url = '', keys = '0'] = process.argv.slice(2)

const report = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`)

const connection = createRedis({ url, commandTimeoutMs: 5000 })
await connected(connection)
const transient = createTransientStore(connection.client, systemClock)
const throttle = createThrottle(connection.client, systemClock)
const codes = createArtifactAdapter(connection.client, systemClock)('AuthorizationCode')
report('ready')
await new Promise((resolve) => process.stdin.once('data', resolve))

const won = { taken: 0, replaced: 0, consumed: 0, attempts: 0 }
const errors: string[] = []
const outcomes = async <T>(call: () => Promise<T>): Promise<readonly T[]> => {
  const settled = await inParallel(call)
  for (const reason of reasonsOf(settled)) {
    if (!(reason instanceof providerErrors.InvalidGrant)) errors.push(`${reason}`)
  }
  return valuesOf(settled)
}
for (let key = 0; key < Number(keys); key++) {
  won.taken += (await outcomes(() => transient.take(`take:${key}`))).filter(Boolean).length
  won.replaced += (
    await outcomes(() => transient.replace(`replace:${key}`, 'old', 'new', 60))
  ).filter(Boolean).length
  won.attempts += (await outcomes(() => throttle.count('password', `${key}`))).filter(
    ({ ok }) => ok,
  ).length
  won.consumed += (await outcomes(() => codes.consume(`${key}`))).length
  await yieldToOthers()
}
report({ won, errors })
await connection.close()
process.exit()
