import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import type { MemberId } from '../../../accounts/member.ts'
import { createArtifactAdapter } from '../../../adapters/embedded/artifacts.ts'
import { type Database, openDatabase } from '../../../adapters/embedded/database.ts'
import { createMemberStore } from '../../../adapters/embedded/members.ts'
import { createOutbox } from '../../../adapters/embedded/outbox.ts'
import { createThrottle } from '../../../adapters/embedded/throttle.ts'
import { createTransientStore } from '../../../adapters/embedded/transient.ts'
import { systemClock } from '../../../adapters/system.ts'
import { temporaryFolder } from './temporary.ts'

const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url))

type Child = Readonly<{
  process: ChildProcess
  next: () => Promise<unknown>
  rest: () => Promise<readonly unknown[]>
}>

describe('the embedded file under several processes', () => {
  let path: string
  let remove: () => void
  let children: ChildProcess[]
  let open: Database[]
  beforeEach(() => {
    const temporary = temporaryFolder()
    path = join(temporary.folder, 'store.db')
    remove = temporary.remove
    children = []
    open = []
  })
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    for (const db of open) db.close()
    remove()
  })

  const openHere = (): Database => {
    const db = openDatabase(path)
    open.push(db)
    return db
  }

  /** What a backup or another tool does: opens the file, writes, reads, closes. */
  const visit = (value: string): readonly string[] => {
    const script = `
      import Libsql from 'libsql'
      const db = new Libsql(process.argv[1])
      db.prepare('INSERT INTO settings (name, value) VALUES (?, ?)').run([process.argv[2], 'v'])
      console.log(JSON.stringify(db.prepare('SELECT name FROM settings').all().map((row) => row.name)))
      db.close()`
    const args = ['--input-type=module', '-e', script, path, value]
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }))
  }

  const startChild = async (...task: readonly string[]): Promise<Child> => {
    const child = spawn(
      process.execPath,
      [
        '--import',
        fileOf('../../support/typescript/register.mjs'),
        fileOf('child.ts'),
        path,
        ...task,
      ],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    )
    children.push(child)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const next = async (): Promise<unknown> => {
      const { done, value } = await lines.next()
      if (done) throw new Error('the child process ended early')
      return JSON.parse(value)
    }
    const rest = async () => {
      const all: unknown[] = []
      for (let line = await lines.next(); !line.done; line = await lines.next()) {
        all.push(JSON.parse(line.value))
      }
      return all
    }
    expect(await next()).toBe('ready')
    return { process: child, next, rest }
  }
  const go = (child: Child) => child.process.stdin?.write('go\n')

  test('two processes with twenty callers each: everything is had once, and nobody is turned away busy', async () => {
    const keys = 50
    const db = openHere()
    const transient = createTransientStore(db, systemClock)
    const codes = createArtifactAdapter(db, systemClock)('AuthorizationCode')
    const outbox = createOutbox(db)
    for (let key = 0; key < keys; key++) {
      await transient.put(`take:${key}`, 'value', 600)
      await transient.put(`replace:${key}`, 'old', 600)
      await codes.upsert(`${key}`, { jti: `${key}` }, 600)
      await outbox.add({
        id: `${key}`,
        to: 'hanako@example.jp',
        template: 'signInCode',
        locale: 'ja',
        societyId: 'kita',
        facts: {},
        requestedAt: systemClock.now(),
        expiresAt: systemClock.now() + 600,
      })
    }
    const pair = await Promise.all([startChild('race', `${keys}`), startChild('race', `${keys}`)])
    for (const child of pair) go(child)
    const reports = (await Promise.all(pair.map((child) => child.next()))) as {
      won: Record<string, number>
      errors: string[]
    }[]
    expect(reports.flatMap(({ errors }) => errors)).toEqual([])
    const won = (what: string) => reports.reduce((sum, report) => sum + (report.won[what] ?? 0), 0)
    expect({
      taken: won('taken'),
      replaced: won('replaced'),
      consumed: won('consumed'),
      inserted: won('inserted'),
      mails: won('mails'),
      attempts: won('attempts'),
    }).toEqual({
      taken: keys,
      replaced: keys,
      consumed: keys,
      inserted: keys,
      mails: keys,
      attempts: keys * 10,
    })
  })

  test('processes that start together on a new file make its schema once', async () => {
    const starters = await Promise.all([
      startChild('race', '1'),
      startChild('race', '1'),
      startChild('race', '1'),
    ])
    for (const child of starters) go(child)
    const reports = await Promise.all(starters.map((child) => child.next()))
    for (const report of reports) expect(report).toMatchObject({ errors: [] })
  })

  test('what was acknowledged before kill -9 is there afterwards', async () => {
    const child = await startChild('write')
    go(child)
    while (Number(await child.next()) < 200) {}
    const exited = once(child.process, 'exit')
    child.process.kill('SIGKILL')
    const [, signal] = await exited
    expect(signal).toBe('SIGKILL')
    const last = Number((await child.rest()).at(-1) ?? 200)

    const db = openHere()
    expect(db.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    const members = createMemberStore(db)
    const transient = createTransientStore(db, systemClock)
    const codes = createArtifactAdapter(db, systemClock)('AuthorizationCode')
    const outbox = createOutbox(db)
    for (let n = 0; n <= last; n++) {
      expect(await members.findById(`member-${n}` as MemberId)).toMatchObject({ revision: 1 })
      expect(await transient.get(`put:${n}`)).toBe(n)
      expect(await transient.get(`taken:${n}`)).toBeUndefined()
      expect(await codes.find(`code-${n}`)).toMatchObject({ consumed: expect.any(Number) })
      expect(await outbox.stateOf(`mail-${n}`)).toBe('queued')
    }
    expect(
      await createThrottle(db, systemClock).look('passwordPerAddress', 'written'),
    ).toMatchObject({ ok: false })
  })

  test('another process that opens and closes the file takes nothing from the one that stays', () => {
    // A start reads its settings first, with connections of their own.
    for (let start = 0; start < 4; start++) {
      const db = openDatabase(path)
      db.get('SELECT count(*) AS n FROM settings')
      db.close()
    }
    const db = openHere()
    const keep = (name: string) =>
      db.run('INSERT INTO settings (name, value) VALUES (?, ?)', name, 'v')
    keep('before')
    visit('visitor')
    keep('after')
    expect([...visit('late visitor')].sort()).toEqual([
      'after',
      'before',
      'late visitor',
      'visitor',
    ])
  })
})
