import { writeSync } from 'node:fs'
import {
  DuplicateCredentialError,
  DuplicateLoginIdError,
  StaleMemberError,
} from '../../../accounts/errors.ts'
import { acceptTerms, type Member, type MemberId } from '../../../accounts/member.ts'
import { createMemberStore } from '../../../adapters/mongo/members.ts'
import { aMember } from '../../contracts/members.ts'
import { inParallel, reasonsOf, valuesOf } from '../../contracts/rounds.ts'
import { connect } from './stores.ts'

/**
 * One of several processes on one server, started by the test beside it: `child.ts <url> <name>
 * <keys>`. It says `ready`, waits for a line; then twenty writers change one member until each has
 * had its say, and at each key twenty callers try for what one of all may have; then it reports.
 */
const [url = '', name = '', keys = '0'] = process.argv.slice(2)

const report = (line: unknown) => writeSync(1, `${JSON.stringify(line)}\n`)

const { close, ...mongo } = await connect({ url })
const members = createMemberStore(mongo)
report('ready')
await new Promise((resolve) => process.stdin.once('data', resolve))

const errors: string[] = []
const wonBy = async (
  expected: new (...args: never[]) => Error,
  call: (caller: number) => Promise<Member>,
): Promise<number> => {
  const outcomes = await inParallel(call)
  for (const reason of reasonsOf(outcomes)) {
    if (!(reason instanceof expected)) errors.push(`${reason}`)
  }
  return valuesOf(outcomes).length
}

/** Loads and saves anew until nobody came between. */
const haveASay = async (version: string): Promise<void> => {
  for (;;) {
    const member = await members.findById('shared' as MemberId)
    if (!member) throw new Error('the shared member is gone')
    try {
      await members.save(acceptTerms(member, { version, textHash: 'h', at: 1, clientId: 'rp' }))
      return
    } catch (error) {
      if (!(error instanceof StaleMemberError)) throw error
    }
  }
}
const said = await inParallel((caller) => haveASay(`${name}-${caller}`))
errors.push(...reasonsOf(said).map(String))

const won = { loginIds: 0, passkeys: 0 }
for (let key = 0; key < Number(keys); key += 1) {
  won.loginIds += await wonBy(DuplicateLoginIdError, (caller) =>
    members.save(aMember({ id: `login-${key}-${name}-${caller}`, loginId: `L-${key}` })),
  )
  won.passkeys += await wonBy(DuplicateCredentialError, (caller) =>
    members.save(
      aMember({
        id: `passkey-${key}-${name}-${caller}`,
        loginId: `P-${key}-${name}-${caller}`,
        credentials: [{ id: `key-${key}`, factor: 'passkey', registeredAt: 1, data: {} }],
      }),
    ),
  )
}
report({ won, errors })
await close()
process.exit()
