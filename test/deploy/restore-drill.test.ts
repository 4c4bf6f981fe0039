import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'
import type { Member } from '../../accounts/member.ts'
import { temporaryFolder } from '../adapters/embedded/temporary.ts'
import {
  aJourney,
  aJourneyOf,
  aNewcomer,
  anOldHand,
  type Journey,
  PAGE,
  settled,
  theDate,
} from '../flows/support.ts'
import { ROOT } from '../style/sources.ts'
import { type Idp, startIdp } from '../support/idp.ts'
import { onServer } from '../support/mongo.ts'

const KENPO_IDP = `${process.execPath} ${join(ROOT, 'bin/kenpo-idp.js')}`

type Ran = Readonly<{ code: number; out: string; err: string }>

/** A script of deploy/, as an operator runs it. */
const script = async (idp: Idp, name: string, ...args: readonly string[]): Promise<Ran> => {
  const env = {
    ...process.env,
    KENPO_IDP,
    NODE_ENV: 'test',
    IDP_DATA_DIR: idp.dataDir,
    IDP_SMTP_URL: idp.mails.url,
    IDP_DEMO: 'off',
    ...idp.stores.env,
  }
  try {
    const { stdout, stderr } = await promisify(execFile)(join(ROOT, 'deploy', name), [...args], {
      env,
    })
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    // What execFile rejects with where the script ends with another code than 0.
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

/** Everything gone, as with the machine. */
const wipe = async (idp: Idp): Promise<void> => {
  const { IDP_MONGO_URL: mongoUrl } = idp.stores.env
  if (mongoUrl === undefined) rmSync(idp.dataDir, { recursive: true })
  else await onServer(mongoUrl, (db) => db.dropDatabase())
}

afterAll(() => {
  jest.useRealTimers()
})

describe.each(['embedded', 'redis+mongo'] as const)('Backup and restore, %s', (store) => {
  const { folder, remove } = temporaryFolder()
  let idp: Idp
  let byMail: Journey
  let byApp: Journey
  let byPasskey: Journey
  let later: Member
  let file: string
  let backedUp: Ran
  let torn: Ran
  let onTop: Ran
  let restored: Ran

  beforeAll(async () => {
    idp = await startIdp({ store, clock: theDate(), instances: 1 })
    byMail = await aJourneyOf(idp, aNewcomer())
    await byMail.start()
    await byMail.finish()
    byApp = await aJourneyOf(idp, aNewcomer(), { method: 'totp' })
    await byApp.start()
    await byApp.finish()
    byPasskey = await aJourneyOf(idp, aNewcomer(), { method: 'passkey' })
    await byPasskey.start()
    await byPasskey.finish()
    if (store === 'embedded') await settled(idp)

    writeFileSync(join(folder, 'kenpo-id-old.backup'), 'old')
    backedUp = await script(idp, 'backup.sh', folder)
    const [name] = readdirSync(folder).filter((one) => one !== 'kenpo-id-old.backup')
    file = join(folder, name ?? '')
    later = await idp.services.members.save(anOldHand(idp.clock.now()))

    await idp.restart(async () => {
      onTop = await script(idp, 'restore.sh', file)
      await wipe(idp)
      mkdirSync(join(folder, 'torn'))
      const half = join(folder, 'torn', 'half.backup')
      const whole = readFileSync(file)
      writeFileSync(half, whole.subarray(0, whole.length / 2))
      torn = await script(idp, 'restore.sh', half)
      restored = await script(idp, 'restore.sh', file)
    })
  }, 120_000)
  afterAll(async () => {
    await idp.close()
    remove()
  })

  test('the backup of a running server is one private file and tells what it holds', () => {
    expect(backedUp).toMatchObject({ code: 0 })
    expect(backedUp.out).toContain('members 3')
    expect(statSync(file).mode & 0o077).toBe(0)
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([])
  })

  test('no secret of an app stands in it to be read', () => {
    const text = readFileSync(file, 'latin1')
    const secret = byApp.keys.appSecret ?? Buffer.alloc(0)
    expect(text).toContain(byApp.member.id)
    expect(secret.length).toBeGreaterThan(9)
    for (const form of ['latin1', 'hex', 'base64', 'base64url'] as const) {
      expect(text).not.toContain(secret.toString(form))
    }
    for (const code of byApp.keys.recoveryCodes ?? ['none']) expect(text).not.toContain(code)
  })

  test('it is never restored over a store that is there', () => {
    expect(onTop).toMatchObject({ code: 1, out: '' })
    expect(onTop.err).toMatch(/is never written over|holds other data/)
  })

  test('half of a backup is refused and changes nothing', () => {
    expect(torn).toMatchObject({ code: 1, out: '' })
    expect(torn.err).toContain('This is no whole backup')
  })

  test('everything lost and restored, every member signs in by their own method', async () => {
    expect(restored).toMatchObject({ code: 0 })
    expect(restored.out).toContain('members 3')
    await idp.clock.advance(60)
    for (const { member, password, keys } of [byMail, byApp, byPasskey]) {
      const journey = await aJourney(idp, member, { password, keys })
      await journey.start()
      expect((await journey.finish()).claims()?.sub).toBeDefined()
    }
  })

  test('who came after the backup is not there', async () => {
    expect(await idp.services.members.findById(later.id)).toBeUndefined()
  })

  const AFTER = {
    embedded: 'who was signed in signs in anew: no revoked session comes back to life',
    'redis+mongo': 'who was signed in still is: Redis was not lost, and was not touched',
  } as const
  test(`${AFTER[store]}`, async () => {
    const page = await byMail.start()
    expect(page.heading).toBe(store === 'embedded' ? PAGE.password : PAGE.signedIn)
  })

  test('no mail is sent a second time', async () => {
    const ids = idp.mails.mails.map(({ to, subject, text }) => `${to} ${subject} ${text}`)
    expect(ids.length).toBe(new Set(ids).size)
  })
})

describe('New keys in front of the old ones', () => {
  const old = `2026-04:${Buffer.from('an old key of thirty-two bytes!!').toString('base64url')}`
  const next = `2026-11:${Buffer.from('a new key of thirty-two bytes 99').toString('base64url')}`
  const env: Record<string, string> = {
    IDP_ENCRYPTION_KEYS: old,
    IDP_COOKIE_KEYS: 'cookie-key-0123456789-of-the-old-times',
    IDP_CODE_KEY: 'code-key-0123456789-of-the-old-times-00',
  }
  let idp: Idp
  let byApp: Journey
  beforeAll(async () => {
    idp = await startIdp({ clock: theDate(), env, instances: 1 })
    byApp = await aJourneyOf(idp, aNewcomer(), { method: 'totp' })
    await byApp.start()
    await byApp.finish()
    await idp.restart(async () => {
      Object.assign(env, {
        IDP_ENCRYPTION_KEYS: `${next},${old}`,
        IDP_COOKIE_KEYS: `cookie-key-0123456789-of-the-new-times,${env.IDP_COOKIE_KEYS}`,
        IDP_CODE_KEY: 'code-key-0123456789-of-the-new-times-00',
      })
    })
  }, 60_000)
  afterAll(() => idp.close())

  test('leave every session as it is', async () => {
    expect((await byApp.start()).heading).toBe(PAGE.signedIn)
  })

  test('lose nobody their app, nor their recovery codes', async () => {
    const { member, password, keys } = byApp
    await idp.clock.advance(60)
    const withApp = await aJourney(idp, member, { password, keys })
    await withApp.start()
    expect((await withApp.finish()).claims()?.sub).toBeDefined()

    const withCode = await aJourney(idp, member, { password, keys })
    await withCode.start()
    await withCode.walkTo(PAGE.verifyTotp)
    await withCode.visitor.submit('use-method', { method: 'recoveryCode' })
    expect(withCode.visitor.page.heading).toBe(PAGE.verifyRecoveryCode)
    expect((await withCode.finish()).claims()?.sub).toBeDefined()
  })

  test('are what a method registered from now on is kept under', async () => {
    const newcomer = await aJourneyOf(idp, aNewcomer(), { method: 'totp' })
    await newcomer.start()
    await newcomer.finish()
    const { credentials } = await idp.memberOf(newcomer.member)
    const totp = credentials.find(({ factor }) => factor === 'totp')
    expect(JSON.stringify(totp?.data)).toContain('2026-11')
    expect(JSON.stringify((await idp.memberOf(byApp.member)).credentials)).toContain('2026-04')
  })
})
