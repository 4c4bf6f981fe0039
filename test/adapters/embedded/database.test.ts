import { chmodSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { createArtifactAdapter } from '../../../adapters/embedded/artifacts.ts'
import { type Database, openDatabase } from '../../../adapters/embedded/database.ts'
import { createOutbox } from '../../../adapters/embedded/outbox.ts'
import { createSettings } from '../../../adapters/embedded/settings.ts'
import { createThrottle } from '../../../adapters/embedded/throttle.ts'
import { createTransientStore } from '../../../adapters/embedded/transient.ts'
import { systemClock } from '../../../adapters/system.ts'
import { createSteppedClock } from '../../contracts/clock.ts'
import { temporaryFolder } from './temporary.ts'

describe('the embedded file', () => {
  let folder: string
  let remove: () => void
  let open: Database[]
  beforeEach(() => {
    ;({ folder, remove } = temporaryFolder())
    open = []
  })
  afterEach(() => {
    for (const db of open) db.close()
    remove()
  })
  const openAt = (...path: readonly string[]): Database => {
    const db = openDatabase(join(folder, ...path))
    open.push(db)
    return db
  }
  const rowsOf = (db: Database, table: string) =>
    db.get<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)?.n

  test('is made with its folders, for nobody else to read', () => {
    const umask = process.umask(0)
    try {
      openAt('data', 'kenpo', 'store.db').run(
        'INSERT INTO settings (name, value) VALUES (?, ?)',
        'a',
        'b',
      )
    } finally {
      process.umask(umask)
    }
    const inner = join(folder, 'data', 'kenpo')
    expect(statSync(inner).mode & 0o777).toBe(0o700)
    const files = readdirSync(inner)
    expect(files).toContain('store.db')
    expect(files).toContain('store.db-wal')
    for (const file of files) expect(statSync(join(inner, file)).mode & 0o777).toBe(0o600)
  })

  test('that others could read is closed to them when it is opened again', () => {
    openDatabase(join(folder, 'store.db')).close()
    chmodSync(join(folder, 'store.db'), 0o644)
    openAt('store.db')
    expect(statSync(join(folder, 'store.db')).mode & 0o777).toBe(0o600)
  })

  test('writes to disk before it answers', () => {
    const db = openAt('store.db')
    expect(db.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' })
    expect(db.get('PRAGMA synchronous')).toEqual({ synchronous: 2 })
    expect(db.get('PRAGMA busy_timeout')).toEqual({ timeout: 5000 })
    expect(db.get('PRAGMA foreign_keys')).toEqual({ foreign_keys: 1 })
  })

  test('keeps what it holds when it is closed and opened again', async () => {
    const first = openDatabase(join(folder, 'store.db'))
    await createTransientStore(first, systemClock).put('key', 'value', 600)
    first.close()
    expect(await createTransientStore(openAt('store.db'), systemClock).get('key')).toBe('value')
  })

  test('written by a later release is refused and left as it is', () => {
    const later = openDatabase(join(folder, 'store.db'))
    later.run('PRAGMA user_version = 999')
    later.close()
    expect(() => openAt('store.db')).toThrow(expect.objectContaining({ code: 'store_too_new' }))
    expect(() => openAt('store.db')).toThrow(expect.objectContaining({ code: 'store_too_new' }))
  })

  test('undoes a transaction that throws, and goes on', () => {
    const db = openAt('store.db')
    const insert = () => db.run('INSERT INTO settings (name, value) VALUES (?, ?)', 'a', 'b')
    expect(() =>
      db.transaction(() => {
        insert()
        throw new Error('half way')
      }),
    ).toThrow('half way')
    expect(rowsOf(db, 'settings')).toBe(0)
    db.transaction(insert)
    expect(rowsOf(db, 'settings')).toBe(1)
  })

  test('loses what has expired when it is swept, and nothing else', async () => {
    const db = openAt('store.db')
    const clock = createSteppedClock(systemClock.now())
    const transient = createTransientStore(db, clock)
    const adapterFor = createArtifactAdapter(db, clock, { tombstoneSeconds: 100 })
    await transient.put('short', 1, 100)
    await transient.put('long', 1, 10_000)
    await adapterFor('Session').upsert('short', { uid: 'u1' }, 100)
    await adapterFor('Session').upsert('long', { uid: 'u2' }, 10_000)
    await adapterFor('Client').upsert('portal', { client_id: 'portal' })
    await adapterFor('AccessToken').revokeByGrantId('g1')
    await createThrottle(db, clock).count('mailCooldown', 'a')
    await createThrottle(db, clock).count('mailPerDay', 'a')
    expect(db.sweepExpired(clock.now() + 50)).toBe(0)
    expect(db.sweepExpired(clock.now() + 100)).toBe(4)
    await clock.advance(100)
    expect(await transient.get('long')).toBe(1)
    expect(await adapterFor('Session').find('long')).toBeDefined()
    expect(await adapterFor('Client').find('portal')).toBeDefined()
    expect(rowsOf(db, 'revoked_grants')).toBe(0)
    expect(rowsOf(db, 'throttle')).toBe(1)
  })

  test('forgets a finished mail after a week, and its content at once', async () => {
    const db = openAt('store.db')
    const outbox = createOutbox(db)
    const now = 1_800_000_000
    const add = (id: string) =>
      outbox.add({
        id,
        to: `${id}@example.jp`,
        template: 'signInCode',
        locale: 'ja',
        societyId: 'kita',
        facts: {},
        requestedAt: now,
        expiresAt: now + 600,
      })
    await add('sent')
    await add('failed')
    await add('queued')
    await outbox.sent('sent', now)
    await outbox.failed('failed', now)
    const items = db.all<{ item: string | null }>('SELECT item FROM outbox ORDER BY sequence')
    expect(items.map(({ item }) => item)).toEqual([null, null, expect.stringContaining('queued@')])
    expect(db.sweepExpired(now + 7 * 86_400 - 1)).toBe(0)
    expect(await outbox.stateOf('sent')).toBe('sent')
    expect(db.sweepExpired(now + 7 * 86_400)).toBe(2)
    expect(await outbox.stateOf('failed')).toBeUndefined()
    expect(await outbox.stateOf('queued')).toBe('queued')
  })

  test('keeps the first value made for a setting', () => {
    const db = openAt('store.db')
    expect(createSettings(db).obtain('cookieKey', () => 'first')).toBe('first')
    const other = openAt('store.db')
    expect(createSettings(other).obtain('cookieKey', () => 'second')).toBe('first')
    expect(createSettings(other).obtain('codeKey', () => 'third')).toBe('third')
  })

  test('gives the value of the process that was quicker to both', () => {
    const slow = createSettings(openAt('store.db'))
    const quick = createSettings(openAt('store.db'))
    const make = () => {
      quick.obtain('cookieKey', () => 'quick')
      return 'slow'
    }
    expect(slow.obtain('cookieKey', make)).toBe('quick')
  })

  test('keeps no ID by which whoever reads it could be somebody', async () => {
    const db = openAt('store.db')
    const adapterFor = createArtifactAdapter(db, systemClock)
    const payload = { jti: 'a-session-id', uid: 'u1', accountId: 'a' }
    await adapterFor('Session').upsert('a-session-id', payload, 600)
    await adapterFor('AccessToken').upsert('a-token', { jti: 'a-token', grantId: 'g' }, 600)
    const session = { accountId: 'a', uid: 'u1', cookie: 'a-session-id' }
    await adapterFor('Interaction').upsert('i', { jti: 'i', session }, 600)
    const [{ jti } = {}] = [await adapterFor('Session').findByUid('u1')]
    await adapterFor('Session').upsert(String(jti), { ...payload, jti: String(jti) }, 600)
    const kept = JSON.stringify(db.all('SELECT * FROM artifacts'))
    expect(db.all('SELECT id FROM artifacts')).toHaveLength(3)
    for (const id of ['a-session-id', 'a-token', String(jti)]) expect(kept).not.toContain(id)
    // Nor does what it holds instead open anything.
    for (const { id } of db.all<{ id: string }>('SELECT id FROM artifacts')) {
      for (const name of [id, `~${id}`, `~${id}.${id}`]) {
        expect(await adapterFor('Session').find(name)).toBeUndefined()
        expect(await adapterFor('AccessToken').find(name)).toBeUndefined()
      }
    }
  })

  test('keeps nothing of what is issued under a revoked grant, before or after', async () => {
    const db = openAt('store.db')
    const adapterFor = createArtifactAdapter(db, systemClock)
    await adapterFor('Grant').upsert('g1', { accountId: 'a' }, 600)
    await adapterFor('AccessToken').upsert('t1', { grantId: 'g1' }, 600)
    await adapterFor('AccessToken').revokeByGrantId('g1')
    expect(rowsOf(db, 'artifacts')).toBe(0)
    await adapterFor('RefreshToken').upsert('r1', { grantId: 'g1' }, 600)
    expect(rowsOf(db, 'artifacts')).toBe(0)
  })
})
