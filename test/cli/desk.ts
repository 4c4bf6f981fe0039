import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import type { Member } from '../../accounts/member.ts'
import { createAuditTrail } from '../../adapters/embedded/audit-trail.ts'
import { openDatabase } from '../../adapters/embedded/database.ts'
import { createMemberStore } from '../../adapters/embedded/members.ts'
import { systemRandom } from '../../adapters/system.ts'
import type { DeskPorts } from '../../cli/desk.ts'
import { type ImportOutcome, type ImportRequest, importMembers } from '../../cli/import/index.ts'
import { temporaryFolder } from '../adapters/embedded/temporary.ts'
import { aSociety } from '../support/builders.ts'
import { aClock, type TestClock } from '../support/clock.ts'

/** 2026-04-10 12:00 in Japan. */
const NOON = Date.UTC(2026, 3, 10, 3) / 1000

export type TestDesk = Readonly<{
  ports: DeskPorts
  clock: TestClock
  /** A path in the desk's own folder. */
  path: (name: string) => string
  write: (name: string, content: string | Buffer) => string
  /** Imports the file for さくら with random passwords into passwords.csv, unless said. */
  run: (
    request: Partial<Omit<ImportRequest, 'societyId'>> &
      Readonly<{ file: string /** Undefined: the file says. */; societyId?: string | undefined }>,
    over?: Partial<DeskPorts>,
  ) => Promise<ImportOutcome & Readonly<{ said: readonly string[] }>>
  all: (societyId?: string) => Promise<readonly Member[]>
  find: (loginId: string) => Promise<Member | undefined>
  close: () => void
}>

/** A society's desk with a real store in a folder of its own. */
export const aDesk = (): TestDesk => {
  const { folder, remove } = temporaryFolder()
  const db = openDatabase(join(folder, 'store.db'))
  const clock = aClock(NOON)
  const ports: DeskPorts = {
    members: createMemberStore(db),
    audit: createAuditTrail(db),
    clock,
    randomBytes: systemRandom,
    societies: new Map([
      ['sakura', aSociety()],
      ['minato', aSociety({ id: 'minato' })],
    ]),
  }
  const path = (name: string): string => join(folder, name)
  return {
    ports,
    clock,
    path,
    write: (name, content) => {
      writeFileSync(path(name), content)
      return path(name)
    },
    run: async (given, over = {}) => {
      const { societyId, ...request } = { societyId: 'sakura', ...given }
      const said: string[] = []
      const outcome = await importMembers(
        { ...ports, ...over },
        {
          operator: '山田花子',
          skip: [],
          dryRun: false,
          passwords: 'random',
          ...(request.passwords !== 'derived' && { passwordsFile: path('passwords.csv') }),
          resume: false,
          expiresDays: 90,
          locale: 'ja',
          ...(societyId !== undefined && { societyId }),
          ...request,
        },
        {
          say: (line) => said.push(line),
          progress: () => ({ advance: () => {}, end: () => {} }),
          stopwatch: () => 0,
        },
      )
      return { ...outcome, said }
    },
    all: async (societyId = 'sakura') => {
      const members: Member[] = []
      for await (const member of ports.members.ofSociety(societyId)) members.push(member)
      return members
    },
    find: (loginId) => ports.members.findByLoginId('sakura', loginId),
    close: () => {
      db.close()
      remove()
    },
  }
}

/** A CSV file that one of the commands wrote, its header included. */
export const readCsv = (path: string): readonly (readonly string[])[] =>
  parse(readFileSync(path), { bom: true })
