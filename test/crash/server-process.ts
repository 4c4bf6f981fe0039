import { once } from 'node:events'
import type { Member } from '../../accounts/member.ts'
import { aDeployment, type Deployment, type RunningProcess } from '../support/deployment.ts'
import type { TestStores } from '../support/stores.ts'

/** server.ts as an operator runs it, in a process of its own that can die. */
export interface ServerProcess
  extends Pick<
    Deployment,
    'issuer' | 'client' | 'mails' | 'lines' | 'stores' | 'withStore' | 'close'
  > {
  start(): Promise<void>
  /** kill -9; resolves when it is gone. */
  kill(): Promise<void>
  /** Into the store itself: while the server is not running. */
  addMember(member: Member): Promise<Member>
  /** From the store itself: while the server is not running. */
  memberOf(member: Pick<Member, 'id'>): Promise<Member>
}

export const aServerProcess = async (stores?: TestStores): Promise<ServerProcess> => {
  const deployment = await aDeployment(undefined, stores)
  const { issuer, client, mails, lines, stores: kept, withStore, close } = deployment
  let running: RunningProcess | undefined

  return {
    issuer,
    client,
    mails,
    lines,
    stores: kept,
    withStore,
    async start() {
      running = await deployment.run()
    },
    async kill() {
      const dying = running?.child
      running = undefined
      if (!dying || dying.exitCode !== null) return
      const gone = once(dying, 'exit')
      dying.kill('SIGKILL')
      await gone
    },
    addMember: (member) => withStore(({ members }) => members.save(member)),
    memberOf: ({ id }) =>
      withStore(async ({ members }) => {
        const member = await members.findById(id)
        if (!member) throw new Error(`no member ${id} is stored`)
        return member
      }),
    close,
  }
}
